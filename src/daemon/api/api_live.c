#include "daemon/api/api_live.h"

#include "base/clock.h"
#include "base/query.h"
#include "core/billing.h"
#include "daemon/api/api.h"
#include "view/view_budget.h"
#include "view/view_live.h"
#include "view/view_run.h"
#include "json/json.h"

static int64_t ms(int64_t us)
{
    return us == UNKNOWN ? UNKNOWN : us / 1000;
}

static const char *state_name(const struct live_row *row)
{
    static const char *const names[] = {"receiving", "connecting", "waiting", "streaming"};

    if (row->stalled)
        return "stalled";
    /* The head of a stream is there, but nothing of its content. */
    if (row->state == LIVE_STREAMING && row->is_stream && row->ttft_us == UNKNOWN)
        return "waiting";
    return names[row->state];
}

/* What is known of a request in flight as far as it has arrived. */
static void arrival_of(const struct live_row *row, struct record *r)
{
    const struct live_arrival *a = &row->arrival;

    record_init(r);
    r->id = row->id;
    r->created_us = row->created_us;
    r->method = str_c(row->method);
    r->endpoint = str_c(row->endpoint);
    r->client = str_c(row->client);
    if (!row->capture)
        return;
    r->model = a->model;
    r->upstream_model = a->upstream_model;
    r->model_route = a->model_route;
    r->upstream_url = a->upstream_url;
    r->provider_slug = a->provider_slug;
    r->task_run_id = a->task_run_id;
    r->has_images = a->has_images;
}

cJSON *api_live_flight(const struct live_row *row, int64_t rev, const struct price_book *prices)
{
    struct view_flight flight = {
        .state = state_name(row),
        .elapsed_ms = ms(row->elapsed_us),
        .gap_ms = ms(row->gap_us),
        .ttft_ms = ms(row->ttft_us),
        .gap_avg_ms = ms(row->gap_avg_us),
        .gap_max_ms = ms(row->gap_max_us),
        .status = row->status,
        .request_bytes = row->request_bytes,
        .response_bytes = row->response_bytes,
        .chunks = row->chunks,
        .events = row->events,
        .is_stream = row->is_stream,
        .input = row->input_tokens,
        .output = row->output_tokens,
        .output_reported = row->reported_output > 0,
        .output_milli_per_second = row->output_milli_per_second,
        .cost_pusd = UNKNOWN,
    };
    struct record r;

    arrival_of(row, &r);
    if (prices)
        flight.cost_pusd = billing_estimate(prices, &r, row->input_tokens,
                                            row->output_tokens == UNKNOWN ? 0 : row->output_tokens);
    return view_live_flight(&r, rev, &flight);
}

static void put_totals(cJSON *o, const struct live_totals *t, int64_t rows)
{
    cJSON *totals = cJSON_AddObjectToObject(o, "totals");

    json_put_int(totals, "inflight", t->inflight);
    json_put_int(totals, "inflight_peak", t->inflight_peak);
    json_put_int(totals, "stalled", t->stalled);
    json_put_int(totals, "requests", rows);
    json_put_int(totals, "errors", t->errors);
    json_put_int(totals, "client_gone", t->client_gone);
    json_put_int(totals, "cancelled", t->cancelled);
}

/* The active run with its sums; null when there is none. */
static void put_active_run(cJSON *o, struct store *store)
{
    struct arena arena = {0};
    struct run_sums sums;
    struct run run;
    struct err err;

    if (store_run_active(store, &arena, &run, &err) == 0 &&
        store_run_sums(store, run.id, &arena, &run, &sums, &err) == 0)
        cJSON_AddItemToObject(o, "active_run", view_run_live(&run, &sums, clock_wall_us()));
    else
        json_put_null(o, "active_run");
    arena_clear(&arena);
}

/* {"id","name"} of the runs that rows belong to; they come in long stretches of one run. */
struct run_names {
    struct store *store;
    struct arena arena;
    struct run run; /* the last one asked for; id 0: none */
};

static void put_task_run(cJSON *row, struct run_names *names, int64_t id)
{
    struct err err;
    cJSON *to;

    if (id == UNKNOWN)
        return;
    if (names->run.id != id &&
        store_run_get(names->store, id, &names->arena, &names->run, &err) < 0) {
        names->run.id = 0;
        return;
    }
    to = cJSON_CreateObject();
    json_put_int(to, "id", id);
    json_put_str(to, "name", names->run.name);
    cJSON_ReplaceItemInObjectCaseSensitive(row, "task_run", to);
}

static void put_inflight(cJSON *o, struct app *app, const struct live_totals *totals,
                         struct run_names *names)
{
    size_t count;
    struct live_row *rows = live_rows(app->live, &count);
    struct price_book *prices = recorder_prices(app->recorder);
    cJSON *list;

    json_put_int(o, "inflight_total", totals->inflight);
    list = cJSON_AddArrayToObject(o, "inflight");
    for (size_t i = 0; i < count; i++) {
        cJSON *row = api_live_flight(&rows[i], totals->rev, prices);

        if (rows[i].capture)
            put_task_run(row, names, rows[i].arrival.task_run_id);
        cJSON_AddItemToArray(list, row);
    }
    live_rows_free(rows, count);
    price_book_unref(prices);
}

static void put_finished(cJSON *o, struct live *live, int64_t since, size_t max,
                         struct run_names *names)
{
    size_t count;
    bool missed;
    struct live_done *done = live_done(live, since, max ? max : 1, &count, &missed);
    cJSON *list;

    if (max == 0) {
        live_done_free(done, count);
        count = 0;
        done = NULL;
    }
    json_put_int(o, "finished_total", (int64_t)count);
    list = cJSON_AddArrayToObject(o, "finished");
    for (size_t i = 0; i < count; i++) {
        cJSON *row = view_live_done(&done[i].capture->record, done[i].rev);

        put_task_run(row, names, done[i].capture->record.task_run_id);
        cJSON_AddItemToArray(list, row);
    }
    live_done_free(done, count);
}

static void put_made(cJSON *o, const char *key, struct buf *json)
{
    json_put_raw(o, key, json->ptr);
    buf_clear(json);
}

static void run_live(struct call *call, struct store *store)
{
    struct app *app = api_app(call);
    int64_t since = call_query_int(call, "since"), rows = call_query_int(call, "rows");
    struct live_totals totals;
    struct store_counters counters;
    char stamp[CLOCK_ISO_SIZE];
    struct run_names names = {.store = store};
    struct buf part = {0};
    struct err err;
    cJSON *o;

    live_totals(app->live, &totals);
    if (since < 0 || since > totals.rev)
        since = 0;
    o = cJSON_CreateObject();
    json_put_int(o, "rev", totals.rev);
    json_put_text(o, "now", clock_iso(clock_wall_us(), stamp));
    json_put_text(o, "instance", app->instance);
    api_server_json(app, &part);
    put_made(o, "server", &part);
    api_store_json(app, store, &part);
    put_made(o, "store", &part);
    put_totals(o, &totals, store_counters(store, &counters, &err) < 0 ? UNKNOWN : counters.total);
    put_active_run(o, store);
    view_put_budgets_live(o, store, clock_wall_us());
    put_inflight(o, app, &totals, &names);
    put_finished(o, app->live, since, (size_t)rows, &names);
    arena_clear(&names.arena);
    json_print(&call->body, o);
    cJSON_Delete(o);
    call->status = 200;
}

const struct call_route api_live_routes[] = {
    {"GET", "/api/live", .run = run_live},
    {"GET", "/admin/api/live", .run = run_live},
    {"POST", "/api/requests/{record_id}/cancel", .run = api_cancel_run},
    {"POST", "/admin/api/requests/{record_id}/cancel", .run = api_cancel_run},
    {"GET", "/api/events", .open = api_events_open},
    {"GET", "/admin/api/events", .open = api_events_open},
    {0},
};
