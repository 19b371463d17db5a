#include "view/view_budget.h"

#include "core/mask.h"
#include "core/money.h"
#include "view/display.h"
#include "view/view_priv.h"
#include "json/json.h"

#define LIVE_ALERTS 5

static int64_t or_unknown(int64_t limit)
{
    return limit > 0 ? limit : UNKNOWN;
}

void view_put_budget(cJSON *o, const struct budget *b)
{
    struct buf thresholds = {0};

    json_put_money(o, "budget_usd", or_unknown(b->limit[BUDGET_USD]));
    json_put_int(o, "budget_tokens", or_unknown(b->limit[BUDGET_TOKENS]));
    json_put_text(o, "budget_action", b->blocks ? "block" : "alert");
    budget_thresholds_json(b, &thresholds);
    json_put_raw(o, "budget_thresholds", thresholds.ptr);
    buf_clear(&thresholds);
}

void view_put_budget_use(cJSON *o, const struct budget *b, const struct budget_spent *spent)
{
    char text[DISPLAY_SIZE];

    json_put_money(o, "spent_usd", spent->amount[BUDGET_USD]);
    json_put_text(o, "spent_display", display_usd(spent->amount[BUDGET_USD], text));
    json_put_int(o, "spent_tokens", spent->amount[BUDGET_TOKENS]);
    json_put_int(o, "used_percent", budget_percent(b, spent));
    json_put_text(o, "state", budget_state_name(b, spent));
    json_put_bool(o, "blocking", budget_closed(b, spent));
    json_put_int(o, "unpriced_request_count", spent->unpriced);
}

cJSON *view_budget(const struct budget_state *s)
{
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "scope", budget_scope_names[s->scope]);
    json_put_str(o, "scope_key", s->key);
    json_put_str(o, "name", s->name);
    view_put_budget(o, &s->budget);
    view_put_budget_use(o, &s->budget, &s->spent);
    return o;
}

/* Dollars or tokens, by the kind of the alert. */
static void put_amount(cJSON *o, const char *key, enum budget_kind kind, int64_t amount)
{
    if (kind == BUDGET_USD)
        json_put_money(o, key, amount);
    else
        json_put_int(o, key, amount);
}

cJSON *view_alert(const struct budget_alert *a)
{
    cJSON *o = cJSON_CreateObject();

    json_put_int(o, "id", a->id);
    json_put_text(o, "scope", budget_scope_names[a->scope]);
    json_put_str(o, "scope_key", a->scope_key);
    json_put_text(o, "kind", budget_kind_names[a->kind]);
    json_put_int(o, "threshold_percent", a->percent);
    put_amount(o, "limit", a->kind, a->limit);
    put_amount(o, "spent", a->kind, a->spent);
    view_put_iso(o, "created_at", a->created_us);
    view_put_iso(o, "acknowledged_at", a->acknowledged_us);
    return o;
}

/* ---- answers ---- */

static int add_budget(void *ctx, const struct budget_state *s, struct err *err)
{
    (void)err;
    cJSON_AddItemToArray(ctx, view_budget(s));
    return 0;
}

static int add_set_budget(void *ctx, const struct budget_state *s, struct err *err)
{
    return budget_is_set(&s->budget) ? add_budget(ctx, s, err) : 0;
}

static void add_alert(void *ctx, const struct budget_alert *a)
{
    cJSON_AddItemToArray(ctx, view_alert(a));
}

static int put_webhook(cJSON *o, struct str url, struct err *err)
{
    struct buf shown = {0};
    int rc = url.ptr ? mask_url(&shown, url, err) : 0;

    if (rc == 0)
        json_put_str(o, BUDGET_WEBHOOK_SETTING, url.ptr ? buf_str(&shown) : STR_NONE);
    buf_clear(&shown);
    return rc;
}

int view_budgets(struct store *store, int64_t now_us, struct buf *out, struct err *err)
{
    struct arena arena = {0};
    struct budget_settings settings;
    cJSON *o = cJSON_CreateObject();
    int rc = store_budgets(store, now_us, add_budget, cJSON_AddArrayToObject(o, "items"), err);

    if (rc == 0)
        rc = store_budget_settings(store, &arena, &settings, err);
    if (rc == 0)
        rc = put_webhook(o, settings.webhook_url, err);
    if (rc == 0)
        json_put_int(o, BUDGET_STATUS_SETTING, settings.block_status);
    arena_clear(&arena);
    if (rc == 0)
        return view_answer(o, out, err);
    cJSON_Delete(o);
    return -1;
}

int view_alerts(struct store *store, const struct view_alerts *query, struct buf *out,
                struct err *err)
{
    cJSON *o = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(o, "items");
    int64_t open = 0;

    if (store_alerts(store, query->open_only, query->before_id, query->limit, add_alert, items,
                     err) < 0 ||
        store_alerts_open(store, &open, err) < 0) {
        cJSON_Delete(o);
        return -1;
    }
    json_put_int(o, "unacknowledged_count", open);
    return view_answer(o, out, err);
}

void view_put_budgets_live(cJSON *o, struct store *store, int64_t now_us)
{
    cJSON *budgets = cJSON_AddArrayToObject(o, "budgets"),
          *alerts = cJSON_AddObjectToObject(o, "alerts"), *items;
    int64_t open = 0;
    struct err err;

    if (store && store_alerts_open(store, &open, &err) < 0)
        open = UNKNOWN;
    json_put_int(alerts, "unacknowledged_count", open);
    items = cJSON_AddArrayToObject(alerts, "items");
    if (!store)
        return;
    if (open > 0)
        store_alerts(store, true, INT64_MAX, LIVE_ALERTS, add_alert, items, &err);
    store_budgets(store, now_us, add_set_budget, budgets, &err);
}
