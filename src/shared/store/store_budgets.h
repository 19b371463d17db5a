/* store/store_budgets.h - what was spent in each scope, its budgets, and the alerts they raise.
 *
 * Sums grow with the rows that are written (store_record_insert() and the like), in the same
 * transaction, and are compared with the budgets when it commits. A request counts for the UTC day
 * and month of its arrival. A day or month that ended more than a day ago raises no alerts. When a
 * budget that blocks is used up, or is no more, the generation of the store grows. */
#ifndef STORE_STORE_BUDGETS_H
#define STORE_STORE_BUDGETS_H

#include "core/budget.h"
#include "store/store.h"

/** What the settings say beyond limits. */
struct budget_settings {
    struct str webhook_url; /* STR_NONE: none */
    int block_status;       /* 402 or 429 */
};
#define BUDGET_WEBHOOK_SETTING "budget_webhook_url"
#define BUDGET_STATUS_SETTING "budget_block_status"

/** The settings; text is kept in arena. */
int store_budget_settings(struct store *store, struct arena *arena, struct budget_settings *out,
                          struct err *err);
/** Call each for this UTC day and month (also without a limit), then the providers and the open
 *  runs that have one, newest run first. Stops when each returns -1. */
typedef int store_budget_fn(void *ctx, const struct budget_state *s, struct err *err);
int store_budgets(struct store *store, int64_t now_us, store_budget_fn *each, void *ctx,
                  struct err *err);
/** Compare all budgets of now with what was spent when the transaction at hand commits: after a
 *  budget was changed. */
int store_budgets_compare(struct store *store, int64_t now_us, struct err *err);
/** What a setting's key is about: the scope, the slug of its provider, the field. False: no
 *  budget has it. Texts are parts of key. */
bool store_budget_key(struct str key, enum budget_scope *scope, struct str *slug,
                      struct str *field);
/** The budget of a scope as saved: BUDGET_DAY, BUDGET_MONTH, or BUDGET_PROVIDER of slug. */
int store_budget_get(struct store *store, enum budget_scope scope, struct str slug,
                     struct budget *out, struct err *err);
int store_budget_put(struct store *store, enum budget_scope scope, struct str slug,
                     const struct budget *b, struct err *err);

/** Alerts of committed transactions that nobody has taken yet, oldest first; borrowed until the
 *  next transaction. */
const struct budget_alert *store_new_alerts(const struct store *store, size_t *count);
void store_forget_alerts(struct store *store);

/** Alerts with ids below before_id, newest first. */
typedef void store_alert_fn(void *ctx, const struct budget_alert *a);
int store_alerts(struct store *store, bool open_only, int64_t before_id, int64_t limit,
                 store_alert_fn *each, void *ctx, struct err *err);
/** Call each for one. ERR_NOT_FOUND. */
int store_alert_get(struct store *store, int64_t id, store_alert_fn *each, void *ctx,
                    struct err *err);
/** How many nobody has acknowledged. */
int store_alerts_open(struct store *store, int64_t *out, struct err *err);
/** id 0: all. One that is acknowledged keeps its time. *changed is how many were not. */
int store_alerts_acknowledge(struct store *store, int64_t id, int64_t now_us, int64_t *changed,
                             struct err *err);

#endif
