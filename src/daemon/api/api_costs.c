/* What prices make of recorded traffic: comparisons of runs, and pricing again. */
#include "core/price.h"
#include "daemon/api/api_body.h"
#include "daemon/api/api_prices.h"
#include "store/store_prices.h"
#include "view/view_what_if.h"

#define BATCH 200

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

/* The backfill a body asks for; NULL: the call is answered. */
static struct backfill *start_backfill(struct api_call *call)
{
    struct backfill *b = arena_alloc(&call->request.arena, sizeof(*b));
    struct body body;
    struct str kind;

    body_json(&body, call);
    kind = body_text(&body, "kind", NULL);
    if (!str_eq(kind, STR("cached")) && !str_eq(kind, STR("missing"))) {
        api_detail(call, 400, "kind must be cached or missing.");
        b = NULL;
    } else if (!b) {
        api_detail(call, 503, "No memory for the call.");
    } else {
        *b = (struct backfill){.kind = str_eq(kind, STR("cached")) ? BACKFILL_CACHED
                                                                   : BACKFILL_MISSING};
    }
    body_clear(&body);
    return b;
}

/* A batch each time, so that captures are written in between. */
static void write_backfill(struct api_call *call, struct store *store)
{
    struct backfill *b = call->state ? call->state : start_backfill(call);
    struct price_book *book = b ? api_book(call, store) : NULL;
    struct err err;
    bool more;

    if (!book)
        return;
    call->state = b;
    if (store_backfill(store, book, b, BATCH, &more, &err) < 0) {
        api_error(call, &err);
    } else {
        call->again = more;
        call->status = 200;
        call->body.len = 0;
        buf_printf(&call->body, "{\"kind\":\"%s\",\"repriced\":%lld,\"examined\":%lld}",
                   b->kind == BACKFILL_CACHED ? "cached" : "missing", (long long)b->repriced,
                   (long long)b->examined);
    }
    price_book_unref(book);
}

const struct api_route api_costs_routes[] = {
    {"GET", "/admin/api/runs/{run_id}/what-if", run_what_if, NULL, NULL},
    {"GET", "/api/runs/{run_id}/what-if", run_what_if, NULL, NULL},
    {"POST", "/admin/api/pricing/backfill", NULL, write_backfill, NULL},
    {0},
};
