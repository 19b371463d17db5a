#include "wrap.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "text/term.h"

#define LINES_MAX 200000

static void add_line(struct wrapped *w, const char *label, size_t start, size_t len, int tag)
{
    if (w->count == LINES_MAX) {
        w->full = true;
        return;
    }
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 64;
        w->lines = xrealloc(w->lines, w->cap, sizeof(*w->lines));
    }
    w->lines[w->count++] = (struct wrapped_line){label, start, len, tag};
}

/* How much of a line goes on one of width cells; *next is where the rest begins. */
static size_t fold(struct str line, size_t width, size_t *next)
{
    size_t at = 0, cells = 0, blank = 0;
    bool have_blank = false;

    while (at < line.len) {
        size_t wide, len = term_next(str_from(line, at), line.len, &wide);

        if (cells + wide > width) {
            if (line.ptr[at] == ' ') {
                *next = at + 1;
                return at;
            }
            break;
        }
        if (line.ptr[at] == ' ' && at > 0) {
            have_blank = true;
            blank = at;
        }
        cells += wide;
        at += len;
    }
    if (at == line.len) {
        *next = at;
        return at;
    }
    if (have_blank && blank >= at / 2) { /* a long word is cut, not put on a line of its own */
        *next = blank + 1;
        return blank;
    }
    if (at == 0) /* one character wider than the line */
        term_next(line, line.len, &at), at = line.len;
    *next = at;
    return at;
}

void wrap_add(struct wrapped *w, const char *label, struct str text, size_t width, unsigned flags,
              int tag)
{
    size_t from = w->text.len, end;
    struct str rest, line;
    struct err ignored;

    if (width < 2)
        width = 2;
    if (term_clean(&w->text, text, flags | TERM_MULTILINE, &ignored) < 0)
        w->full = true;
    end = w->text.len;
    if (end == from) {
        add_line(w, label, from, 0, tag);
        return;
    }
    if (w->text.ptr[end - 1] == '\n')
        end--;
    rest = (struct str){w->text.ptr + from, end - from};
    while (str_split(&rest, '\n', &line)) {
        do {
            size_t next = 0, len = fold(line, width, &next);

            add_line(w, label, (size_t)(line.ptr - w->text.ptr), len, tag);
            label = NULL;
            line = str_from(line, next);
        } while (line.len > 0 && !w->full);
        if (w->full)
            break;
    }
}

void wrap_reset(struct wrapped *w)
{
    w->text.len = 0;
    w->count = 0;
    w->full = false;
}

void wrap_clear(struct wrapped *w)
{
    buf_clear(&w->text);
    free(w->lines);
    *w = (struct wrapped){0};
}
