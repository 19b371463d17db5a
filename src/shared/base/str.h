/* base/str.h - bytes that belong to someone else. Pass by value; print with "%.*s" and STR_ARG. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** A number that is not known: stored as NULL, printed as "-", never 0. */
#define UNKNOWN INT64_MIN

struct str {
    const char *ptr; /* NULL means absent; an empty text has a pointer */
    size_t len;
};
#define STR(literal) ((struct str){literal, sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/** NULL gives STR_NONE. */
static inline struct str str_c(const char *text)
{
    return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline struct str str_from(struct str s, size_t start)
{
    if (start > s.len)
        start = s.len;
    return start == 0 ? s : (struct str){s.ptr + start, s.len - start};
}

static inline struct str str_cut(struct str s, size_t len)
{
    return (struct str){s.ptr, s.len < len ? s.len : len};
}

/* "case" below is ASCII case. */
static inline unsigned char str_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}
bool str_ieq(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/** Without blanks, tabs and line ends on both sides. */
struct str str_trim(struct str s);
/** Index of the first needle, or -1. */
ptrdiff_t str_find(struct str s, struct str needle);
/** The same without regard to case. */
ptrdiff_t str_ifind(struct str s, struct str needle);
/** Index of the first c, or -1. */
ptrdiff_t str_chr(struct str s, char c);
/** Take the part before the next sep off *rest (without sep); false when *rest is used up. */
bool str_split(struct str *rest, char sep, struct str *part);
/** Optional sign and decimal digits, nothing else, within 64 bits. */
bool str_int64(struct str s, int64_t *out);
/** How people and settings say true: 1, true, yes, on, in any case, with blanks around. */
bool str_is_yes(struct str s);
/** Returns owned (free()), NUL-terminated; NULL for STR_NONE. */
char *str_dup(struct str s);

#endif
