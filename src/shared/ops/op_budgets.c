/* /api/budgets and /api/alerts: what may be spent, what was, and what was said about it. */
#include <stdio.h>

#include "base/clock.h"
#include "client/webhook.h"
#include "core/mask.h"
#include "ops/body.h"
#include "ops/call.h"
#include "ops/tables.h"
#include "store/store_routing.h"
#include "view/view_budget.h"

#define FIELDS_MAX 1000

/* ---- budgets ---- */

static void answer_budgets(struct call *call, struct store *store)
{
    struct err err;

    call->status = 200;
    if (view_budgets(store, clock_wall_us(), &call->body, &err) < 0)
        call_error(call, &err);
}

/* Somebody sends back the URL as it was shown to him, without its secrets. */
static bool is_shown_webhook(struct store *store, struct str url)
{
    struct budget_settings settings;
    struct arena arena = {0};
    struct buf shown = {0};
    struct err err;
    bool same = store_budget_settings(store, &arena, &settings, &err) == 0 &&
                settings.webhook_url.ptr && mask_url(&shown, settings.webhook_url, &err) == 0 &&
                str_eq(buf_str(&shown), url);

    buf_clear(&shown);
    arena_clear(&arena);
    return same;
}

static int set_webhook(struct store *store, const cJSON *value, struct err *err)
{
    struct str url = cJSON_IsString(value) ? str_trim(str_c(value->valuestring)) : STR_NONE;

    if (!cJSON_IsNull(value) && !url.ptr)
        return err_set(err, ERR_INVALID, BUDGET_WEBHOOK_SETTING " must be a URL, or null.");
    if (url.len > 0 && webhook_check(url, err) < 0)
        return -1;
    if (url.len > 0 && is_shown_webhook(store, url))
        return 0;
    return store_setting_put(store, STR(BUDGET_WEBHOOK_SETTING), url.len > 0 ? url : STR_NONE, err);
}

static int set_status(struct store *store, const cJSON *value, struct err *err)
{
    int64_t status = 402;

    if (!cJSON_IsNull(value) &&
        (!body_value_int(value, &status) || (status != 402 && status != 429)))
        return err_set(err, ERR_INVALID, BUDGET_STATUS_SETTING " must be 402 or 429.");
    return store_setting_put(store, STR(BUDGET_STATUS_SETTING),
                             status == 429 ? STR("429") : STR_NONE, err);
}

static int must_exist(struct store *store, struct str slug, struct err *err)
{
    struct arena arena = {0};
    struct provider p;
    int rc = store_provider_get(store, slug, &arena, &p, err);

    if (rc < 0 && err->code == ERR_NOT_FOUND)
        err_set(err, ERR_INVALID, "Provider %.*s was not found.", STR_ARG(str_cut(slug, 64)));
    arena_clear(&arena);
    return rc;
}

static int set_field(struct store *store, struct str key, const cJSON *value, struct err *err)
{
    enum budget_scope scope;
    struct str slug, field, prefix;
    struct budget b;
    char text[128];

    if (!store_budget_key(key, &scope, &slug, &field))
        return err_set(err, ERR_INVALID, "There is no budget setting \"%.*s\".",
                       STR_ARG(str_cut(key, 100)));
    if (slug.ptr && must_exist(store, slug, err) < 0)
        return -1;
    prefix = str_cut(key, key.len - field.len);
    snprintf(text, sizeof(text), "%.*s", STR_ARG(str_cut(prefix, sizeof(text) - 1)));
    if (store_budget_get(store, scope, slug, &b, err) < 0 ||
        budget_set(&b, text, field, value, err) < 0)
        return -1;
    return store_budget_put(store, scope, slug, &b, err);
}

/* A repeated key: the last one counts. Settings of others are refused, nothing is half done. */
static int set_all(struct store *store, const cJSON *fields, struct err *err)
{
    const cJSON *item;

    if (cJSON_GetArraySize(fields) > FIELDS_MAX)
        return err_set(err, ERR_INVALID, "At most %d settings at once.", FIELDS_MAX);
    cJSON_ArrayForEach(item, fields)
    {
        struct str key = str_c(item->string);
        int rc = str_eq(key, STR(BUDGET_WEBHOOK_SETTING))  ? set_webhook(store, item, err)
                 : str_eq(key, STR(BUDGET_STATUS_SETTING)) ? set_status(store, item, err)
                                                           : set_field(store, key, item, err);

        if (rc < 0)
            return -1;
    }
    return store_budgets_compare(store, clock_wall_us(), err);
}

static void write_budgets(struct call *call, struct store *store)
{
    struct body body;
    struct err err;

    if (!body_strict(&body, call))
        return;
    if (set_all(store, body.fields, &err) < 0)
        call_error(call, &err);
    else
        answer_budgets(call, store);
    body_clear(&body);
}

/* ---- alerts ---- */

static void run_alerts(struct call *call, struct store *store)
{
    struct view_alerts query = {
        .open_only = call_query_int(call, "unacknowledged") != 0,
        .before_id = call_query_int(call, "before_id"),
        .limit = call_query_int(call, "limit"),
    };
    struct err err;

    call->status = 200;
    if (view_alerts(store, &query, &call->body, &err) < 0)
        call_error(call, &err);
}

static void keep_view(void *ctx, const struct budget_alert *a)
{
    *(cJSON **)ctx = view_alert(a);
}

static void write_acknowledge(struct call *call, struct store *store)
{
    cJSON *alert = NULL, *o;
    int64_t changed;
    struct err err;

    if (store_alerts_acknowledge(store, call->id ? call->id : -1, clock_wall_us(), &changed, &err) <
            0 ||
        store_alert_get(store, call->id, keep_view, &alert, &err) < 0) {
        call_error(call, &err);
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "alert", alert);
    call_json(call, 200, o);
}

static void write_acknowledge_all(struct call *call, struct store *store)
{
    int64_t changed;
    struct err err;

    if (store_alerts_acknowledge(store, 0, clock_wall_us(), &changed, &err) < 0) {
        call_error(call, &err);
        return;
    }
    call->status = 200;
    buf_printf(&call->body, "{\"acknowledged\":%lld}", (long long)changed);
}

const struct call_route op_budgets_routes[] = {
    {"GET", "/api/budgets", .run = answer_budgets},
    {"GET", "/admin/api/budgets", .run = answer_budgets},
    {"PATCH", "/api/budgets", .write = write_budgets},
    {"PATCH", "/admin/api/budgets", .write = write_budgets},
    {"GET", "/api/alerts", .run = run_alerts},
    {"GET", "/admin/api/alerts", .run = run_alerts},
    {"POST", "/api/alerts/acknowledge", .write = write_acknowledge_all},
    {"POST", "/admin/api/alerts/acknowledge", .write = write_acknowledge_all},
    {"POST", "/api/alerts/{alert_id}/acknowledge", .write = write_acknowledge},
    {"POST", "/admin/api/alerts/{alert_id}/acknowledge", .write = write_acknowledge},
    {0},
};
