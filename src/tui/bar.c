#include "bar.h"

#include <stdarg.h>
#include <stdio.h>

#include "text/term.h"

void bar_add(struct bar *b, struct look look, const char *fmt, ...)
{
    char text[1024];
    struct err ignored;
    va_list args;

    if (b->count == BAR_PIECES)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    term_clean(&b->text, str_c(text), b->ascii ? (unsigned)TERM_ASCII : 0, &ignored);
    b->pieces[b->count].end = b->text.len;
    b->pieces[b->count++].look = look;
}

int bar_cells(const struct bar *b)
{
    return (int)term_cells(buf_str(&b->text));
}

int bar_put(const struct bar *b, struct grid *g, int y, int x, int end)
{
    size_t start = 0;

    for (size_t i = 0; i < b->count; i++) {
        struct str piece = {b->text.ptr + start, b->pieces[i].end - start};
        int cells = (int)term_cells(piece);

        if (x + cells > end && i > 0)
            break;
        if (x + cells > end)
            grid_fit(g, y, x, end - x, false, piece, b->pieces[i].look);
        else
            grid_put(g, y, x, cells, piece, b->pieces[i].look);
        x += cells;
        start = b->pieces[i].end;
    }
    return x;
}

int bar_put_right(const struct bar *b, struct grid *g, int y, int end)
{
    int x = end - bar_cells(b);

    bar_put(b, g, y, x, end);
    return x;
}

void bar_clear(struct bar *b)
{
    buf_clear(&b->text);
    *b = (struct bar){.ascii = b->ascii};
}
