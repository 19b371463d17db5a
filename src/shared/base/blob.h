/* base/blob.h - the bytes of one body: contiguous, in memory while small, in an unlinked temporary
 * file (mapped) once large, so that a few big bodies never fill the memory.
 *
 * One thread at a time. The budget that blobs share may be used from any thread. */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stdatomic.h>

#include "err.h"
#include "str.h"

/** Shared by many blobs: how many bytes they hold in memory, and where larger ones go. */
struct blob_budget {
    _Atomic size_t used;       /* bytes in memory now */
    size_t limit;              /* above it, blobs go to files from their first growth on */
    size_t each;               /* a blob larger than this goes to a file */
    const char *spool_dirs[2]; /* the first with room, borrowed; NULL entries are skipped */
};

/** {0} with a budget is empty. */
struct blob {
    char *ptr;
    size_t len, cap;
    bool spooled;               /* ptr is a mapping of an unlinked file */
    int fd;                     /* of that file */
    struct blob_budget *budget; /* borrowed, never NULL once bytes were added */
};

/** Make room for size bytes in all, for a length known beforehand. ERR_NO_MEMORY, ERR_FULL. */
int blob_reserve(struct blob *b, size_t size, struct err *err);
/** Append. On ERR_NO_MEMORY or ERR_FULL the blob is as it was. */
int blob_add(struct blob *b, struct str s, struct err *err);
static inline struct str blob_str(const struct blob *b)
{
    return (struct str){b->ptr ? b->ptr : "", b->len};
}
/** Release the bytes; the budget stays set, so that the blob can be used again. */
void blob_clear(struct blob *b);

#endif
