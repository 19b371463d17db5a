/* daemon/record/budgets.h - what budgets mean to the running proxy: new alerts are logged and
 * posted, and requests in a scope that has spent all it may are refused.
 *
 * The writer brings it up to date after each commit; a loop asks one atomic flag, and more only
 * while a budget that blocks is used up. */
#ifndef RECORD_BUDGETS_H
#define RECORD_BUDGETS_H

#include "core/catalog.h"
#include "store/store_budgets.h"

struct budgets;

/** Returns owned, budgets_free() after the recorder has stopped. */
struct budgets *budgets_new(void);
/** Accepts NULL. */
void budgets_free(struct budgets *b);
/** Writer thread (or before it runs), outside of a transaction: log and post what alerts its last
 *  ones raised, and see which budgets are used up. */
void budgets_update(struct budgets *b, struct store *store);
/** Any thread, lock-free: a budget that blocks is used up, see budgets_refuse(). */
bool budgets_closed(const struct budgets *b);
/** Any thread. True: a request of that arrival and run, for a base URL and provider, must not go
 *  on. *status and message tell the client. */
bool budgets_refuse(struct budgets *b, const struct catalog *catalog, const struct record *r,
                    const struct decision *d, int *status, char message[200]);

#endif
