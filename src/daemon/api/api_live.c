#include "daemon/api/api_live.h"

#include "base/clock.h"
#include "base/query.h"
#include "core/billing.h"
#include "daemon/api/live_views.h"
#include "view/view_filter.h"
#include "view/view_live.h"
#include "view/view_traffic.h"
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

    live_row_record(row, &r);
    if (prices)
        flight.cost_pusd = billing_estimate(prices, &r, row->input_tokens,
                                            row->output_tokens == UNKNOWN ? 0 : row->output_tokens);
    return view_live_flight(&r, rev, &flight);
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

    if (id == UNKNOWN || !names->store)
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

/* Everything that a part of the answer is made of. */
struct snapshot {
    struct app *app;
    const struct live_query *query;
    const struct live_stored *stored;
    const struct traffic_figures *figures;
    struct live_user *user;
    struct live_totals totals;
    int64_t since;
    struct run_names names;
};

static bool wanted(const struct snapshot *s, const cJSON *row)
{
    return !s->query->filter || view_filter_wants(s->query->filter, row, s->names.store);
}

static void put_server(cJSON *o, struct snapshot *s)
{
    struct buf text = {0};

    api_server_json(s->app, &text);
    json_put_raw(o, "server", text.ptr);
    buf_clear(&text);
}

static void put_text_of(cJSON *o, const char *key, const struct buf *json)
{
    if (json->len > 0)
        json_put_raw(o, key, json->ptr);
    else
        json_put_null(o, key);
}

static void put_store(cJSON *o, struct snapshot *s)
{
    put_text_of(o, "store", &s->stored->store);
}

static void put_active_run(cJSON *o, struct snapshot *s)
{
    put_text_of(o, "active_run", &s->stored->active_run);
}

static void put_budgets(cJSON *o, struct snapshot *s)
{
    put_text_of(o, "budgets", &s->stored->budgets);
}

static void put_alerts(cJSON *o, struct snapshot *s)
{
    put_text_of(o, "alerts", &s->stored->alerts);
}

static void put_totals(cJSON *o, struct snapshot *s)
{
    cJSON *totals = cJSON_AddObjectToObject(o, "totals");

    json_put_int(totals, "inflight", s->totals.inflight);
    json_put_int(totals, "inflight_peak", s->totals.inflight_peak);
    json_put_int(totals, "stalled", s->totals.stalled);
    json_put_int(totals, "requests", s->stored->rows);
    json_put_int(totals, "errors", s->totals.errors);
    json_put_int(totals, "client_gone", s->totals.client_gone);
    json_put_int(totals, "cancelled", s->totals.cancelled);
}

static void put_inflight(cJSON *o, struct snapshot *s)
{
    size_t count;
    struct live_row *rows = live_rows(s->app->live, &count);
    struct price_book *prices = recorder_prices(s->app->recorder);
    cJSON *list = cJSON_CreateArray();
    int64_t left_out = 0;

    for (size_t i = 0; i < count; i++) {
        struct record r;
        cJSON *row;

        live_row_record(&rows[i], &r);
        row = api_live_flight(&rows[i], s->totals.rev, prices);
        put_task_run(row, &s->names, r.task_run_id);
        if (wanted(s, row)) {
            cJSON_AddItemToArray(list, row);
        } else {
            cJSON_Delete(row);
            left_out++;
        }
    }
    json_put_int(o, "inflight_total", s->totals.inflight - left_out);
    cJSON_AddItemToObject(o, "inflight", list);
    live_rows_free(rows, count);
    price_book_unref(prices);
}

static void put_finished(cJSON *o, struct snapshot *s)
{
    size_t count, total, shown = 0;
    bool missed;
    struct live_done *done =
        live_done(s->app->live, s->since, LIVE_ROWS_MAX, &count, &total, &missed);
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < count; i++) {
        const struct record *r = &done[i].capture->record;
        bool is_wanted;
        cJSON *row;

        if (shown == s->query->rows && !s->query->filter)
            break;
        row = view_live_done(r, done[i].rev);
        put_task_run(row, &s->names, r->task_run_id);
        is_wanted = wanted(s, row);
        total -= !is_wanted;
        if (is_wanted && shown < s->query->rows) {
            cJSON_AddItemToArray(list, row);
            shown++;
        } else {
            cJSON_Delete(row);
        }
    }
    json_put_int(o, "finished_total", (int64_t)total);
    cJSON_AddItemToObject(o, "finished", list);
    live_done_free(done, count);
}

#define FIGURES(name)                                                                              \
    static void put_##name(cJSON *o, struct snapshot *s)                                           \
    {                                                                                              \
        view_put_##name(o, s->figures);                                                            \
    }
FIGURES(rates)
FIGURES(minute)
FIGURES(recent)
FIGURES(models)
FIGURES(upstreams)
FIGURES(problems)

static void put_series(cJSON *o, struct snapshot *s)
{
    view_put_series(o, s->figures, s->query->series);
}

static void put_text(cJSON *o, struct snapshot *s)
{
    struct buf text = {0};

    if (s->query->text_id > 0)
        live_text(s->app, s->names.store, s->query->text_id, s->user, &text);
    put_text_of(o, "text", &text);
    buf_clear(&text);
}

static const struct {
    const char *name;
    void (*put)(cJSON *o, struct snapshot *s);
} parts[] = {
    {"server", put_server}, {"store", put_store},           {"totals", put_totals},
    {"rates", put_rates},   {"minute", put_minute},         {"recent", put_recent},
    {"series", put_series}, {"active_run", put_active_run}, {"budgets", put_budgets},
    {"alerts", put_alerts}, {"inflight", put_inflight},     {"finished", put_finished},
    {"models", put_models}, {"upstreams", put_upstreams},   {"problems", put_problems},
    {"text", put_text},
};
#define PART_COUNT (sizeof(parts) / sizeof(*parts))

static unsigned part_of(struct str name)
{
    for (unsigned i = 0; i < PART_COUNT; i++)
        if (str_eq(name, str_c(parts[i].name)))
            return 1u << i;
    return 0;
}

/* False: the call is answered. */
static bool read_parts(struct call *call, struct live_query *q)
{
    struct buf text = {0};
    struct str rest, name;

    q->parts = ~0u;
    if (call_query_text(call, "parts", &text) && text.len > 0) {
        q->parts = 0;
        rest = buf_str(&text);
        while (str_split(&rest, ',', &name)) {
            unsigned part = part_of(str_trim(name));

            if (!part) {
                call_detail(call, 422, "parts must name members of the answer, with commas.");
                buf_clear(&text);
                return false;
            }
            q->parts |= part;
        }
    }
    buf_clear(&text);
    return true;
}

void api_live_build(struct app *app, struct store *store, const struct live_query *q,
                    const struct live_stored *stored, const struct traffic_figures *figures,
                    struct live_user *user, struct buf *out)
{
    struct snapshot s = {
        .app = app, .query = q, .stored = stored, .figures = figures, .user = user};
    char stamp[CLOCK_ISO_SIZE];
    cJSON *o = cJSON_CreateObject();

    s.names.store = store;
    live_totals(app->live, &s.totals);
    s.since = q->since < 0 || q->since > s.totals.rev ? 0 : q->since;
    json_put_int(o, "rev", s.totals.rev);
    json_put_text(o, "now", clock_iso(clock_wall_us(), stamp));
    json_put_text(o, "instance", app->instance);
    for (size_t i = 0; i < PART_COUNT; i++)
        if (q->parts & 1u << i)
            parts[i].put(o, &s);
    arena_clear(&s.names.arena);
    json_print(out, o);
    cJSON_Delete(o);
}

static void run_live(struct call *call, struct store *store)
{
    struct live_query q = {
        .since = call_query_int(call, "since"),
        .rows = (size_t)call_query_int(call, "rows"),
        .series = (size_t)call_query_int(call, "series"),
        .text_id = call_query_int(call, "text"),
    };

    struct buf where = {0};
    struct filter *filter;

    if (!read_parts(call, &q))
        return;
    call->status = 400;
    filter = view_filter_read(call->query, FILTER_LIVE, clock_wall_us(), &call->body);
    if (call->body.len == 0) {
        call_query_text(call, "where", &where);
        q.where = buf_str(&where);
        q.filter = filter;
        call->status = 200;
        live_views_answer(api_app(call), store, &q, &call->body);
    }
    filter_free(filter);
    buf_clear(&where);
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
