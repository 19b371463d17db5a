/* store/store_sync.h - prices of a sync or an import into the database. */
#ifndef STORE_STORE_SYNC_H
#define STORE_STORE_SYNC_H

#include "core/sync.h"
#include "store/store.h"

struct sync_result {
    int64_t counts[3];   /* chosen rows by what they were before */
    int64_t providers;   /* created */
    struct buf warnings; /* JSON texts, separated by commas; buf_clear() */
};

/** Write the chosen rows, and the providers that they need, as one transaction; statuses of rows
 *  become those from before. ERR_INVALID: a row breaks the rules of prices, nothing is written. */
int store_sync_apply(struct store *store, struct sync_rows *rows, struct sync_result *out,
                     struct err *err);

#endif
