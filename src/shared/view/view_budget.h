/* view/view_budget.h - budgets and alerts as JSON. */
#ifndef VIEW_VIEW_BUDGET_H
#define VIEW_VIEW_BUDGET_H

#include <cjson/cJSON.h>

#include "store/store_budgets.h"

/** budget_usd, budget_tokens, budget_action, budget_thresholds. */
void view_put_budget(cJSON *o, const struct budget *b);
/** How far a budget is used: spent_usd, spent_tokens, used_percent, state, unpriced_request_count.
 */
void view_put_budget_use(cJSON *o, const struct budget *b, const struct budget_spent *spent);
/** A budget with its scope. Returns owned. */
cJSON *view_budget(const struct budget_state *s);
/** Returns owned. */
cJSON *view_alert(const struct budget_alert *a);

/** Answer GET /api/budgets. */
int view_budgets(struct store *store, int64_t now_us, struct buf *out, struct err *err);
/** What is asked of the list of alerts. */
struct view_alerts {
    bool open_only;
    int64_t before_id, limit;
};
/** Answer GET /api/alerts. */
int view_alerts(struct store *store, const struct view_alerts *query, struct buf *out,
                struct err *err);
/** {"budgets":[...],"alerts":{...}} for status and live views: the budgets that have a limit, the
 *  newest alerts that nobody has acknowledged. What cannot be read is left out. */
void view_put_budgets_live(cJSON *o, struct store *store, int64_t now_us);

#endif
