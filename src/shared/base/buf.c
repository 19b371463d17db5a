#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_SIZE 64

int buf_reserve(struct buf *b, size_t extra, struct err *err)
{
    size_t need, cap;
    char *grown;

    if (extra >= SIZE_MAX / 2 - b->len || (b->limit && b->len + extra > b->limit))
        return err_set(err, ERR_TOO_LARGE, "%zu bytes exceed the limit of %zu", b->len + extra,
                       b->limit);
    need = b->len + extra + 1;
    if (need <= b->cap)
        return 0;
    cap = b->cap ? b->cap : FIRST_SIZE;
    while (cap < need)
        cap *= 2;
    grown = realloc(b->ptr, cap);
    if (!grown)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu bytes", cap);
    b->ptr = grown;
    b->cap = cap;
    b->ptr[b->len] = '\0';
    return 0;
}

int buf_add(struct buf *b, struct str s, struct err *err)
{
    if (buf_reserve(b, s.len, err) < 0)
        return -1;
    if (s.len)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    b->ptr[b->len] = '\0';
    return 0;
}

static void must(int rc, const struct err *err)
{
    if (rc < 0) {
        fprintf(stderr, "llm-observe-proxy: %s\n", err->msg);
        abort();
    }
}

void buf_put(struct buf *b, struct str s)
{
    struct err err;

    must(buf_add(b, s, &err), &err);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    struct err err;
    va_list args, again;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len > 0) {
        must(buf_reserve(b, (size_t)len, &err), &err);
        vsnprintf(b->ptr + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void buf_cut(struct buf *b, size_t len)
{
    if (len < b->len) {
        b->len = len;
        b->ptr[len] = '\0';
    }
}

void buf_drop(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
    } else if (n > 0) {
        memmove(b->ptr, b->ptr + n, b->len - n);
        b->len -= n;
    }
    if (b->ptr)
        b->ptr[b->len] = '\0';
}

char *buf_take(struct buf *b)
{
    char *ptr = b->ptr;

    *b = (struct buf){.limit = b->limit};
    return ptr;
}

void buf_clear(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){.limit = b->limit};
}
