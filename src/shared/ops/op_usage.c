/* What was asked for lately: by route, by provider, by model. */
#include "base/clock.h"
#include "ops/op_routing.h"
#include "ops/operations.h"
#include "ops/tables.h"
#include "view/view_routing.h"

#define DAY_US ((int64_t)86400 * 1000000)

int64_t op_since(const struct call *call)
{
    int64_t now_us = clock_wall_us();

    return param_time(call->operation->params, call->query, "since", now_us - now_us % DAY_US);
}

/* ---- routes ---- */

static void add_usage(void *ctx, struct str name, int64_t requests, int64_t number)
{
    cJSON *o = cJSON_CreateObject();
    char iso[CLOCK_ISO_SIZE];

    json_put_str(o, "route", name);
    json_put_int(o, "requests_today", requests);
    json_put_text(o, "last_matched_at", clock_iso(number, iso));
    cJSON_AddItemToArray(ctx, o);
}

static void run_routes(struct call *call, struct store *store)
{
    cJSON *list = cJSON_CreateArray();
    struct err err;

    if (store_route_usage(store, op_since(call), add_usage, list, &err) < 0) {
        cJSON_Delete(list);
        call_error(call, &err);
    } else {
        call_json(call, 200, list);
    }
}

/* ---- models ---- */

struct recent {
    cJSON *items;
    const struct catalog *catalog;
};

static void add_model(void *ctx, struct str model, int64_t requests, int64_t last_us)
{
    struct recent *recent = ctx;
    struct arena arena = {0};
    struct decision d;
    char iso[CLOCK_ISO_SIZE];
    cJSON *o;

    catalog_decide(recent->catalog, model, &arena, &d);
    o = view_simulation(&d);
    json_put_str(o, "model", model);
    json_put_int(o, "requests", requests);
    json_put_text(o, "last_used_at", clock_iso(last_us, iso));
    cJSON_AddItemToArray(recent->items, o);
    arena_clear(&arena);
}

/* The models of the last days and where they would go now. */
static void run_models(struct call *call, struct store *store)
{
    struct recent recent = {0};
    struct catalog *c;
    int64_t days = call_query_int(call, "days"), limit = call_query_int(call, "limit");
    struct err err;
    cJSON *o;

    recent.catalog = c = call_catalog(call);
    o = cJSON_CreateObject();
    json_put_int(o, "days", days);
    recent.items = cJSON_AddArrayToObject(o, "items");
    if (store_models_since(store, clock_wall_us() - days * DAY_US, limit, add_model, &recent,
                           &err) < 0) {
        cJSON_Delete(o);
        call_error(call, &err);
    } else {
        call_json(call, 200, o);
    }
    catalog_unref(c);
}

const struct call_route op_usage_routes[] = {
    {"GET", "/admin/api/routes/usage", .run = run_routes},
    {"GET", "/admin/api/routes/recent-models", .run = run_models},
    {0},
};
