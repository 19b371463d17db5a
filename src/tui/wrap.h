/* tui/wrap.h - text folded into lines of a width, with labels before them. */
#ifndef TUI_WRAP_H
#define TUI_WRAP_H

#include "base/buf.h"

struct wrapped_line {
    const char *label; /* borrowed; NULL: it goes on from the line above */
    size_t start, len; /* in text */
    int tag;           /* what the caller gave */
};

/** {0} is empty; wrap_clear(). */
struct wrapped {
    struct buf text;
    struct wrapped_line *lines;
    size_t count, cap;
    bool full; /* memory is gone: the rest is missing */
};

/** Clean text by flags of term_clean() (TERM_MULTILINE is added) and fold it at blanks where it
 *  can. */
void wrap_add(struct wrapped *w, const char *label, struct str text, size_t width, unsigned flags,
              int tag);
static inline struct str wrap_line(const struct wrapped *w, size_t i)
{
    return (struct str){w->text.ptr + w->lines[i].start, w->lines[i].len};
}
/** Forget the lines, keep the memory. */
void wrap_reset(struct wrapped *w);
void wrap_clear(struct wrapped *w);

#endif
