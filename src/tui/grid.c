#include "grid.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "text/term.h"

void grid_reset(struct grid *g, int width, int height)
{
    size_t n = (size_t)width * (size_t)height;

    if (width != g->width || height != g->height) {
        g->cells = xrealloc(g->cells, n ? n : 1, sizeof(*g->cells));
        g->width = width;
        g->height = height;
    }
    g->cursor_y = g->cursor_x = -1;
    for (size_t i = 0; i < n; i++)
        g->cells[i] = (struct cell){.text = " ", .len = 1, .width = 1};
}

void grid_clear(struct grid *g)
{
    free(g->cells);
    *g = (struct grid){0};
}

static struct cell *at(const struct grid *g, int y, int x)
{
    if (y < 0 || y >= g->height || x < 0 || x >= g->width)
        return NULL;
    return &g->cells[(size_t)y * (size_t)g->width + (size_t)x];
}

const struct cell *grid_cell(const struct grid *g, int y, int x)
{
    return at(g, y, x);
}

static void blank(struct cell *c)
{
    if (!c)
        return;
    c->text[0] = ' ';
    c->len = c->width = 1;
}

/* What a wide character loses one half of becomes blank. */
static void break_wide(struct grid *g, int y, int x)
{
    struct cell *c = at(g, y, x);

    if (c && c->width == 0)
        blank(at(g, y, x - 1));
    if (c && c->width == 2)
        blank(at(g, y, x + 1));
}

static void put_cell(struct grid *g, int y, int x, struct str glyph, int cells, struct look look)
{
    struct cell *c = at(g, y, x), *second = at(g, y, x + 1);

    if (!c)
        return;
    break_wide(g, y, x);
    if (cells == 2)
        break_wide(g, y, x + 1);
    *c = (struct cell){
        .width = 1, .role = (unsigned char)look.role, .flags = (unsigned char)look.flags};
    if (cells == 2 && !second) {
        blank(c);
        return;
    }
    c->len = (unsigned char)(glyph.len < CELL_TEXT ? glyph.len : CELL_TEXT);
    memcpy(c->text, glyph.ptr, c->len);
    if (cells < 2)
        return;
    c->width = 2;
    *second = *c;
    second->width = second->len = 0;
}

int grid_put(struct grid *g, int y, int x, int max, struct str clean, struct look look)
{
    int used = 0;

    while (clean.len > 0) {
        size_t cells, len = term_next(clean, CELL_TEXT, &cells);

        if (used + (int)cells > max)
            break;
        if (cells > 0)
            put_cell(g, y, x + used, str_cut(clean, len < CELL_TEXT ? len : CELL_TEXT), (int)cells,
                     look);
        used += (int)cells;
        clean = str_from(clean, len);
    }
    return used;
}

void grid_fit(struct grid *g, int y, int x, int width, bool right, struct str clean,
              struct look look)
{
    int cells = (int)term_cells(clean), used;

    if (width <= 0)
        return;
    if (cells <= width) {
        int pad = width - cells;

        grid_repeat(g, y, right ? x : x + cells, pad, " ", look);
        grid_put(g, y, right ? x + pad : x, cells, clean, look);
        return;
    }
    used = grid_put(g, y, x, width - 1, clean, look);
    grid_repeat(g, y, x + used, width - 1 - used, " ", look);
    grid_put(g, y, x + width - 1, 1, str_c(grid_glyph(g, "…", "+")), look);
}

void grid_repeat(struct grid *g, int y, int x, int n, const char *glyph, struct look look)
{
    for (int i = 0; i < n; i++)
        put_cell(g, y, x + i, str_c(glyph), 1, look);
}

void grid_mark(struct grid *g, int y, int x, int n, unsigned flags)
{
    for (int i = 0; i < n; i++) {
        struct cell *c = at(g, y, x + i);

        if (c)
            c->flags = (unsigned char)(c->flags | flags);
    }
}

void grid_fade(struct grid *g, int y, enum role role)
{
    for (int x = 0; x < g->width; x++) {
        struct cell *c = at(g, y, x);

        if (c && c->role == ROLE_NONE)
            c->role = (unsigned char)role;
    }
}

/* ---- as text ---- */

void grid_text(const struct grid *g, struct buf *out)
{
    for (int y = 0; y < g->height; y++) {
        size_t end = out->len;

        for (int x = 0; x < g->width; x++) {
            const struct cell *c = at(g, y, x);

            buf_put(out, (struct str){c->text, c->len});
            if (c->len != 1 || c->text[0] != ' ')
                end = out->len;
        }
        buf_cut(out, end);
        buf_put(out, STR("\n"));
    }
}

static bool same_look(const struct cell *a, const struct cell *b)
{
    return a->role == b->role && a->flags == b->flags;
}

void grid_looks(const struct grid *g, struct buf *out)
{
    static const char *const roles[] = {
        [ROLE_NONE] = "",      [ROLE_LIVE] = " live",   [ROLE_STREAM] = " stream",
        [ROLE_WARN] = " warn", [ROLE_ERROR] = " error", [ROLE_ODD] = " odd",
        [ROLE_DIM] = " dim",
    };

    for (int y = 0; y < g->height; y++)
        for (int x = 0, from; x < g->width;) {
            const struct cell *c = at(g, y, x);

            from = x;
            while (x < g->width && same_look(at(g, y, x), c))
                x++;
            if (c->role == ROLE_NONE && c->flags == 0)
                continue;
            buf_printf(out, "%d: %d-%d%s%s%s\n", y, from, x - 1, roles[c->role],
                       c->flags & CELL_BOLD ? " bold" : "",
                       c->flags & CELL_REVERSE ? " reverse" : "");
        }
}
