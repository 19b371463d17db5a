/* store/store_check.h - whether a database is as it should be, and a copy of it while it is used.
 */
#ifndef STORE_STORE_CHECK_H
#define STORE_STORE_CHECK_H

#include "base/buf.h"
#include "store/store.h"

struct check_options {
    bool quick;  /* damage only */
    bool served; /* a server uses it, so pending rows are its own */
};

/** Look for damage, references to what is gone, counts that are wrong, and pending rows of dead
 *  processes; may take long. What was found is appended to found, a line each. */
int store_check_all(struct store *store, const struct check_options *options, struct buf *found,
                    struct err *err);

/** Copy the database as it is now to a new file at path, while others go on writing, and look for
 *  damage in the copy. progress is told pages. On failure there is no file. ERR_CONFLICT when there
 *  is one already; ERR_CORRUPT when the copy is damaged. */
int store_backup(struct store *store, const char *path,
                 void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx,
                 struct err *err);

#endif
