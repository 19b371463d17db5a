/* What prices make of recorded traffic: comparisons of runs, and pricing again. */
#include "core/price.h"
#include "core/routing_input.h"
#include "ops/body.h"
#include "ops/op_prices.h"
#include "ops/tables.h"
#include "store/store_prices.h"
#include "view/view_what_if.h"

#define BATCH 200

static void run_what_if(struct call *call, struct store *store)
{
    struct err err;

    call->status = 200;
    if (view_what_if(store, call->id, call->query, &call->body, &err) == 0)
        return;
    if (err.code == ERR_NOT_FOUND)
        call_detail(call, 404, "Run not found.");
    else
        call_error(call, &err);
}

static struct backfill *new_backfill(struct call *call, enum backfill_kind kind)
{
    struct backfill *b = arena_alloc(&call->arena, sizeof(*b));

    if (b)
        *b = (struct backfill){.kind = kind};
    else
        call_detail(call, 503, "No memory for the call.");
    return b;
}

/* The backfill a body asks for; NULL: the call is answered. */
static struct backfill *asked_backfill(struct call *call)
{
    struct backfill *b = NULL;
    struct body body;
    struct str kind;

    body_json(&body, call);
    kind = body_text(&body, "kind", NULL);
    if (str_eq(kind, STR("cached")) || str_eq(kind, STR("missing")))
        b = new_backfill(call, str_eq(kind, STR("cached")) ? BACKFILL_CACHED : BACKFILL_MISSING);
    else
        call_detail(call, 400, "kind must be cached or missing.");
    body_clear(&body);
    return b;
}

/* A batch each time, so that captures are written in between. b NULL: the call is answered. */
static void backfill_some(struct call *call, struct store *store, struct backfill *b)
{
    struct price_book *book = b ? op_book(call, store) : NULL;
    struct err err;
    bool more;

    if (!book)
        return;
    call->state = b;
    if (store_backfill(store, book, b, BATCH, &more, &err) < 0) {
        call_error(call, &err);
    } else {
        call->again = more;
        call->progress = b->examined;
        call->status = 200;
        call->body.len = 0;
        buf_printf(&call->body, "{\"kind\":\"%s\",\"repriced\":%lld,\"examined\":%lld}",
                   b->kind == BACKFILL_CACHED ? "cached" : "missing", (long long)b->repriced,
                   (long long)b->examined);
    }
    price_book_unref(book);
}

static void write_backfill(struct call *call, struct store *store)
{
    backfill_some(call, store, call->state ? call->state : asked_backfill(call));
}

static void write_reprice(struct call *call, struct store *store)
{
    backfill_some(call, store, call->state ? call->state : new_backfill(call, BACKFILL_MISSING));
}

/* Providers and prices that were deleted and that the program comes with. */
static void write_restore(struct call *call, struct store *store)
{
    int64_t providers, prices;
    struct body body;
    struct str slug;
    struct err err;
    cJSON *o;

    body_json(&body, call);
    if (slug_from_input(body_text(&body, "provider_slug", "provider"), &body.arena, &slug, &err) <
            0 ||
        store_seed_restore(store, slug, &providers, &prices, &err) < 0) {
        call_error(call, &err);
    } else {
        o = cJSON_CreateObject();
        json_put_int(o, "providers", providers);
        json_put_int(o, "prices", prices);
        call_json(call, 200, o);
    }
    body_clear(&body);
}

const struct call_route op_costs_routes[] = {
    {"GET", "/admin/api/runs/{run_id}/what-if", run_what_if, NULL, NULL},
    {"GET", "/api/runs/{run_id}/what-if", run_what_if, NULL, NULL},
    {"POST", "/admin/api/pricing/backfill", NULL, write_backfill, NULL},
    {"POST", "/admin/api/pricing/reprice-missing", NULL, write_reprice, NULL},
    {"POST", "/admin/api/pricing/restore-defaults", NULL, write_restore, NULL},
    {0},
};
