/* A mistake as a terminal shows it. */
#include "base/utf8.h"
#include "filter/filter.h"
#include "text/term.h"

#define INDENT "  "
#define BEFORE 48 /* characters that are shown before the fault, and behind its start */
#define BEHIND 24

/* The bytes of the first n characters. */
static size_t bytes_of(struct str text, size_t n)
{
    struct str rest = text;
    size_t len;

    for (; n > 0 && rest.len > 0; n--) {
        utf8_next(rest, &len);
        rest = str_from(rest, len);
    }
    return text.len - rest.len;
}

static void put_many(struct buf *out, char c, size_t n)
{
    while (n-- > 0)
        buf_put(out, (struct str){&c, 1});
}

/* Append a part of the text; the cells it takes. */
static size_t put_part(struct buf *out, struct str part, unsigned flags)
{
    struct buf clean = {0};
    struct err err;
    size_t cells = 0;

    if (term_clean(&clean, part, flags, &err) == 0) {
        cells = term_cells(buf_str(&clean));
        buf_put(out, buf_str(&clean));
    }
    buf_clear(&clean);
    return cells;
}

void filter_error_show(struct buf *out, struct str text, const struct filter_error *error,
                       unsigned flags)
{
    size_t first = error->position > BEFORE ? error->position - BEFORE : 0;
    size_t shown = error->length < BEHIND ? error->length : BEHIND;
    size_t start = bytes_of(text, first), at = bytes_of(text, error->position);
    struct str dots = first == 0 ? STR("") : flags & TERM_ASCII ? STR("...") : STR("\xe2\x80\xa6");
    struct str fault = str_cut(str_from(text, at), bytes_of(str_from(text, at), shown));
    struct str rest = str_from(text, at + fault.len);
    size_t before, under;

    buf_put(out, STR(INDENT));
    before = put_part(out, dots, flags);
    before += put_part(out, str_cut(str_from(text, start), at - start), flags);
    under = put_part(out, fault, flags);
    put_part(out, str_cut(rest, bytes_of(rest, BEHIND)), flags);
    buf_put(out, STR("\n" INDENT));
    put_many(out, ' ', before);
    put_many(out, '^', under ? under : 1);
    buf_put(out, STR("\n"));
}
