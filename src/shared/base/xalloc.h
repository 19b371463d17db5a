/* base/xalloc.h - memory for small sizes that the program chooses: abort when there is none.
 * Whatever a peer can make large goes into a buf, a blob or an arena, which fail instead. */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

#include <stddef.h>

/** Returns owned, zeroed; free(). Never NULL. */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/** Grow or shrink what xcalloc() returned. Never NULL. */
void *xrealloc(void *ptr, size_t count, size_t size) __attribute__((returns_nonnull));
/** Returns owned, free(). NULL gives NULL. */
char *xstrdup(const char *text);

#endif
