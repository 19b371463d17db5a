/* base/headers.h - ordered name/value list; names compare without case; repeats stay apart.
 *
 * Names and values are borrowed: the arena given to headers_add() keeps them. */
#ifndef BASE_HEADERS_H
#define BASE_HEADERS_H

#include "arena.h"
#include "err.h"

struct header {
    struct str name, value;
};

/** {0} is empty. The array lives in the arena too; there is nothing to release. */
struct headers {
    struct header *items;
    size_t count, cap;
};

/** Append, copying both texts into arena. ERR_NO_MEMORY. */
int headers_add(struct headers *h, struct arena *arena, struct str name, struct str value,
                struct err *err);
/** Append without copying: name and value must live as long as arena. ERR_NO_MEMORY. */
int headers_add_borrowed(struct headers *h, struct arena *arena, struct str name, struct str value,
                         struct err *err);
/** The first value of name, or STR_NONE. */
struct str headers_get(const struct headers *h, struct str name);
size_t headers_count(const struct headers *h, struct str name);

#endif
