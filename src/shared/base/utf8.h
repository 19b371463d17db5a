/* base/utf8.h - reading UTF-8 that may be broken. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "buf.h"

/** Read one code point at s (not empty): its length in *len and the code point, or -1 with *len
 *  the length of the maximal invalid part (at least 1). Overlong forms and surrogates are
 *  invalid. */
int32_t utf8_next(struct str s, size_t *len);
/** Write the bytes of a code point; the result is how many. */
size_t utf8_encode(int32_t code, char out[4]);
/** Length of the longest valid prefix; s.len when all is valid. Runs of ASCII are fast. */
size_t utf8_valid_prefix(struct str s);
static inline bool utf8_valid(struct str s)
{
    return utf8_valid_prefix(s) == s.len;
}
/** Append s with every invalid part replaced by U+FFFD. */
int utf8_repair(struct buf *out, struct str s, struct err *err);
/** Append the UTF-8 form of each byte of s taken as ISO-8859-1. */
int utf8_from_latin1(struct buf *out, struct str s, struct err *err);
/** Cut s to at most max bytes without splitting a code point (of what is valid). */
struct str utf8_cut(struct str s, size_t max);
/** How many characters. */
size_t utf8_chars(struct str s);

#endif
