/* base/arena.h - many small strings with one lifetime, released together.
 *
 * One request's names, headers and URL live in one arena, so that keeping them costs one or two
 * allocations. What it hands out stays where it is until arena_clear(). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "str.h"

struct arena_block;
/** {0} is empty. */
struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes handed out, for budgets */
};

/** Uninitialised memory aligned for any type, or NULL when there is none. */
void *arena_alloc(struct arena *a, size_t size);
/** A copy with a NUL behind it. STR_NONE when s is STR_NONE or memory is gone. */
struct str arena_dup(struct arena *a, struct str s);
/** Formatted text. STR_NONE when memory is gone. */
struct str arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void arena_clear(struct arena *a);

#endif
