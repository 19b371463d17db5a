/* What prices make of recorded traffic: comparisons of runs, and pricing again. */
#include "core/price.h"
#include "daemon/api/api_body.h"
#include "daemon/api/api_prices.h"
#include "store/store_prices.h"
#include "view/view_what_if.h"

static void run_what_if(struct api_call *call, struct store *store)
{
    struct err err;

    call->status = 200;
    if (view_what_if(store, call->id, call->query, &call->body, &err) == 0)
        return;
    if (err.code == ERR_NOT_FOUND)
        api_detail(call, 404, "Run not found.");
    else
        api_error(call, &err);
}

static void write_backfill(struct api_call *call, struct store *store)
{
    struct backfill b = {0};
    struct body body;
    struct str kind;
    struct err err;

    body_json(&body, call);
    kind = body_text(&body, "kind", NULL);
    b.kind = str_eq(kind, STR("cached")) ? BACKFILL_CACHED : BACKFILL_MISSING;
    if (!str_eq(kind, STR("cached")) && !str_eq(kind, STR("missing"))) {
        api_detail(call, 400, "kind must be cached or missing.");
    } else if (store_backfill_all(store, &b, &err) < 0) {
        api_error(call, &err);
    } else {
        call->status = 200;
        buf_printf(&call->body, "{\"kind\":\"%.*s\",\"repriced\":%lld,\"examined\":%lld}",
                   STR_ARG(kind), (long long)b.repriced, (long long)b.examined);
    }
    body_clear(&body);
}

const struct api_route api_costs_routes[] = {
    {"GET", "/admin/api/runs/{run_id}/what-if", run_what_if, NULL, NULL},
    {"GET", "/api/runs/{run_id}/what-if", run_what_if, NULL, NULL},
    {"POST", "/admin/api/pricing/backfill", NULL, write_backfill, NULL},
    {0},
};
