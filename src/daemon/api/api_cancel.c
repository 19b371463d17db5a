/* Cancelling a request in flight: on the loop that runs it, wherever the call came in. */
#include "base/utf8.h"
#include "daemon/api/api.h"
#include "daemon/api/api_live.h"
#include "ops/body.h"

#define REASON_MAX ((size_t)200)
#define NOT_IN_FLIGHT "Request is not in flight."

struct cancelling {
    struct live_cancel order;
    struct api_call *call;
};

static void on_cancelled(struct live_cancel *order, bool cancelled)
{
    struct cancelling *c = LIST_ENTRY(order, struct cancelling, order);

    if (!cancelled)
        call_detail(&c->call->call, 409, NOT_IN_FLIGHT);
    api_finish(c->call);
}

static void then_cancel(struct api_call *call)
{
    struct cancelling *c = call->call.state;

    if (!live_cancel(&c->order))
        on_cancelled(&c->order, false);
}

/* The answer, for the case that it can be cancelled. */
static void put_answer(struct call *call, const struct live_row *row)
{
    cJSON *o = cJSON_CreateObject(), *from = api_live_flight(row, 0, NULL);
    static const char *const keys[] = {"id", "state", "tokens", "elapsed_ms"};

    json_put_bool(o, "cancelled", true);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        cJSON_AddItemToObject(o, keys[i], cJSON_DetachItemFromObject(from, keys[i]));
    cJSON_Delete(from);
    call_json(call, 200, o);
}

static void not_in_flight(struct call *call, struct store *store)
{
    struct arena arena = {0};
    struct record r;
    struct err err;

    if (store_record_get(store, call->id, &arena, &r, &err) == 0)
        call_detail(call, 409, NOT_IN_FLIGHT);
    else if (err.code == ERR_NOT_FOUND)
        call_detail(call, 404, "Request not found.");
    else
        call_error(call, &err);
    arena_clear(&arena);
}

static void prepare(struct call *call, struct str reason)
{
    struct arena *arena = &call->arena;
    struct cancelling *c = arena_alloc(arena, sizeof(*c));

    if (!c) {
        call_detail(call, 503, "No memory for the call.");
        return;
    }
    *c = (struct cancelling){
        .order = {.live = api_app(call)->live,
                  .id = call->id,
                  .reason = arena_dup(arena, utf8_cut(reason, REASON_MAX)),
                  .back = api_call_of(call)->worker->inbox,
                  .done = on_cancelled},
        .call = api_call_of(call),
    };
    call->state = c;
    api_call_of(call)->then = then_cancel;
}

void api_cancel_run(struct call *call, struct store *store)
{
    struct app *app = api_app(call);
    struct live_row row;
    struct body body;

    if (!body_strict(&body, call))
        return;
    if (!app->config->settings.allow_cancel) {
        call_detail(call, 403, "Cancelling is switched off.");
    } else if (!live_row(app->live, call->id, &row)) {
        not_in_flight(call, store);
    } else {
        put_answer(call, &row);
        live_row_clear(&row);
        prepare(call, str_trim(body_text(&body, "reason", NULL)));
    }
    body_clear(&body);
}
