/* base/buf.h - growable bytes, for sizes that a peer chooses: it fails where xalloc aborts. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "err.h"
#include "str.h"

/** {0} is empty. ptr[len] is a NUL that len does not count; limit in bytes, 0 means none. */
struct buf {
    char *ptr;
    size_t len, cap, limit;
};

/** Room for extra more bytes. On ERR_TOO_LARGE or ERR_NO_MEMORY b is as it was. */
int buf_reserve(struct buf *b, size_t extra, struct err *err);
/** Append a copy of s. On ERR_TOO_LARGE or ERR_NO_MEMORY b is as it was. */
int buf_add(struct buf *b, struct str s, struct err *err);
/** Append text whose size the program chooses; aborts without memory. For messages and JSON of
 *  our own, never for what a peer sent. */
void buf_put(struct buf *b, struct str s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Keep the first len bytes only; to undo appends. */
void buf_cut(struct buf *b, size_t len);
/** Drop the first n bytes. */
void buf_drop(struct buf *b, size_t n);
/** Returns owned (free()), leaving b empty. NULL if nothing was ever added. */
char *buf_take(struct buf *b);
void buf_clear(struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr ? b->ptr : "", b->len};
}

#endif
