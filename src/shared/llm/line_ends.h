/* llm/line_ends.h - lines that end at LF or CR, found in linear time. */
#ifndef LLM_LINE_ENDS_H
#define LLM_LINE_ENDS_H

#include <string.h>

#include "base/str.h"

/** What was found ahead in one piece of text; {0} at its start. */
struct line_ends {
    const char *lf, *cr;
};

static inline const char *line_ends_hit(const char *p, const char *end, char c, const char *known)
{
    const char *hit;

    if (known && known >= p)
        return known;
    hit = memchr(p, c, (size_t)(end - p));
    return hit ? hit : end;
}

/** The next LF or CR at or behind p, or end. p only goes forward. */
static inline const char *line_ends_next(struct line_ends *known, const char *p, const char *end)
{
    known->lf = line_ends_hit(p, end, '\n', known->lf);
    known->cr = line_ends_hit(p, end, '\r', known->cr);
    return known->lf < known->cr ? known->lf : known->cr;
}

#endif
