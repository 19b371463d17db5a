/* Nothing that a terminal obeys comes out, whatever comes in; and cells are as wide as they say.
 * The first byte is the flags, the second the width. */
#include "fuzz.h"

#include "text/term.h"

static void check_clean(struct str in, unsigned flags)
{
    struct buf out = {0}, again = {0};
    struct err err;

    REQUIRE(term_clean(&out, in, flags, &err) == 0);
    REQUIRE(out.len <= 8 * in.len);
    REQUIRE(term_is_plain(buf_str(&out)));
    if (!(flags & TERM_MULTILINE))
        REQUIRE(str_chr(buf_str(&out), '\n') < 0);
    REQUIRE(str_chr(buf_str(&out), '\t') < 0);
    for (size_t i = 0; (flags & TERM_ASCII) && i < out.len; i++)
        REQUIRE((unsigned char)out.ptr[i] < 0x80);
    if (!(flags & TERM_BACKSLASH)) {
        REQUIRE(term_clean(&again, buf_str(&out), flags, &err) == 0);
        REQUIRE(str_eq(buf_str(&again), buf_str(&out)));
    }
    buf_clear(&out);
    buf_clear(&again);
}

/* With colour, our own two sequences and no other. */
static void check_dim(struct str in)
{
    struct buf out = {0};
    struct err err;
    struct str rest;
    ptrdiff_t at;

    REQUIRE(term_clean(&out, in, TERM_DIM, &err) == 0);
    for (rest = buf_str(&out); (at = str_chr(rest, '\x1b')) >= 0; rest = str_from(rest, 1)) {
        rest = str_from(rest, (size_t)at);
        REQUIRE(str_starts(rest, STR("\x1b[2m")) || str_starts(rest, STR("\x1b[22m")));
    }
    buf_clear(&out);
}

static void check_fit(struct str in, size_t width, bool right)
{
    struct buf clean = {0}, cell = {0};
    struct err err;

    REQUIRE(term_clean(&clean, in, 0, &err) == 0);
    REQUIRE(term_fit(&cell, buf_str(&clean), width, right, 0, &err) == 0);
    REQUIRE(term_cells(buf_str(&cell)) == width);
    buf_clear(&clean);
    buf_clear(&cell);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in;

    if (size < 2)
        return 0;
    term_start();
    in = (struct str){(const char *)data + 2, size - 2};
    check_clean(in, data[0] & (TERM_MULTILINE | TERM_BACKSLASH | TERM_ASCII));
    check_dim(in);
    check_fit(in, data[1], data[0] & 1);
    return 0;
}
