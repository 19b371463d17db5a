#include "view/view_run.h"

#include "base/clock.h"
#include "view/display.h"
#include "view/view_budget.h"
#include "view/view_priv.h"
#include "json/json.h"

void view_put_iso(cJSON *o, const char *key, int64_t wall_us)
{
    char iso[CLOCK_ISO_SIZE];

    json_put_text(o, key, wall_us == UNKNOWN ? NULL : clock_iso(wall_us, iso));
}

void view_put_time(cJSON *o, const char *key, int64_t wall_us)
{
    char text[DISPLAY_SIZE];

    json_put_text(o, key, wall_us == UNKNOWN ? NULL : display_time(wall_us, text));
}

void view_put_compact(cJSON *o, const char *key, int64_t n)
{
    char text[DISPLAY_SIZE];

    json_put_text(o, key, display_compact(n, text));
}

cJSON *view_run_summary(const struct run *run, int64_t now_wall_us)
{
    cJSON *o = cJSON_CreateObject();
    enum run_state state = run_state(run);
    int64_t open_ms = run_open_ms(run, now_wall_us);
    char text[DISPLAY_SIZE];

    json_put_int(o, "id", run->id);
    json_put_str(o, "name", run->name);
    json_put_str(o, "notes", run->notes);
    view_put_iso(o, "started_at", run->started_us);
    view_put_time(o, "started_at_fallback", run->started_us);
    view_put_time(o, "started_at_table_fallback", run->started_us);
    view_put_iso(o, "ended_at", run->ended_us);
    view_put_time(o, "ended_at_fallback", run->ended_us);
    view_put_iso(o, "paused_at", run->paused_us);
    view_put_time(o, "paused_at_fallback", run->paused_us);
    json_put_bool(o, "is_active", state == RUN_ACTIVE);
    json_put_bool(o, "is_paused", state == RUN_PAUSED);
    json_put_text(o, "status", run_state_name(run));
    json_put_text(o, "status_label", run_state_name(run));
    json_put_int(o, "open_duration_ms", open_ms);
    json_put_text(o, "open_duration_display", display_duration(open_ms, text));
    json_put_int(o, "request_count", run->request_count);
    view_put_compact(o, "request_count_display", run->request_count);
    view_put_budget(o, &run->budget);
    if (budget_is_set(&run->budget))
        view_put_budget_use(cJSON_AddObjectToObject(o, "budget"), &run->budget, &run->spent);
    else
        json_put_null(o, "budget");
    return o;
}

/* ---- items of the list ---- */

static void put_duration(cJSON *o, const char *key, const char *display_key, int64_t ms)
{
    char text[DISPLAY_SIZE];

    json_put_int(o, key, ms);
    json_put_text(o, display_key, ms == UNKNOWN ? "-" : display_duration(ms, text));
}

static void put_money(cJSON *o, const char *key, const char *display_key, int64_t pusd)
{
    char text[DISPLAY_SIZE];

    json_put_money(o, key, pusd);
    json_put_text(o, display_key, display_usd(pusd, text));
}

static void put_value(cJSON *o, const char *key, int64_t value)
{
    cJSON *pair = cJSON_AddObjectToObject(o, key);

    json_put_int(pair, "value", value);
    view_put_compact(pair, "display", value);
}

static void put_signals(cJSON *o, const struct run_sums *s)
{
    cJSON *signals = cJSON_AddObjectToObject(o, "signals");

    put_value(signals, "streams", s->streams);
    put_value(signals, "images", s->images);
    put_value(signals, "tools", s->tools);
    put_value(signals, "errors", s->errors);
}

/* Two keys, or one object with value and display when display_key is NULL. */
static void put_rate(cJSON *o, const char *key, const char *display_key, int64_t tokens, int64_t ms)
{
    char text[DISPLAY_SIZE], shown[DISPLAY_SIZE] = "-";
    double rate;
    bool known = display_throughput(tokens, ms, text, &rate);
    cJSON *to = display_key ? o : cJSON_AddObjectToObject(o, key);

    json_put_text(to, display_key ? key : "value", known ? text : NULL);
    json_put_text(to, display_key ? display_key : "display",
                  known ? display_rate(rate, shown) : shown);
}

/* Only where a sum is too large to be shown. */
static void put_overflow(cJSON *o, const struct run_sums *s)
{
    if (s->cost_pusd >= RUN_SUM_MAX || s->reported_cost_pusd >= RUN_SUM_MAX)
        json_put_bool(o, "cost_overflow", true);
}

cJSON *view_run_item(const struct run *run, const struct run_sums *s, int64_t now_wall_us)
{
    cJSON *o = view_run_summary(run, now_wall_us);
    int64_t tokens = run_known(s->total_tokens, s->total_known);

    put_duration(o, "llm_wall_time_ms", "llm_wall_time_display", run_wall_ms(s));
    json_put_int(o, "total_tokens", tokens);
    view_put_compact(o, "total_tokens_display", tokens);
    put_money(o, "total_cost_usd", "total_cost_display", run_cost(s));
    put_overflow(o, s);
    put_rate(o, "output_tokens_per_second", "output_tokens_per_second_display",
             run_known(s->output_tokens, s->output_known), s->duration_ms);
    put_signals(o, s);
    return o;
}

cJSON *view_run_live(const struct run *run, const struct run_sums *s, int64_t now_wall_us)
{
    cJSON *o = view_run_item(run, s, now_wall_us), *tokens;

    json_put_int(o, "error_count", s->errors);
    json_put_int(o, "pending_count", s->pending);
    json_put_int(o, "unpriced_request_count", s->unpriced);
    tokens = cJSON_AddObjectToObject(o, "tokens");
    json_put_int(tokens, "input", run_known(s->input_tokens, s->input_known));
    json_put_int(tokens, "cached_input", run_known(s->cached_input_tokens, s->cached_input_known));
    json_put_int(tokens, "output", run_known(s->output_tokens, s->output_known));
    return o;
}

/* ---- statistics ---- */

static void put_count(cJSON *o, const char *key, const char *display_key, int64_t n)
{
    json_put_int(o, key, n);
    view_put_compact(o, display_key, n);
}

/* A share of n, as "66.7%" too; null and "-" without requests. */
static void put_share(cJSON *o, const char *key, const char *display_key, int64_t part, int64_t n)
{
    char text[DISPLAY_SIZE];

    if (n <= 0) {
        json_put_null(o, key);
        json_put_text(o, display_key, "-");
        return;
    }
    cJSON_AddNumberToObject(o, key, (double)part / (double)n);
    json_put_text(o, display_key, display_percent((double)part / (double)n, text));
}

static void put_tokens(cJSON *o, const struct run_sums *s)
{
    cJSON *tokens = cJSON_AddObjectToObject(o, "tokens");

    put_value(tokens, "input", run_known(s->input_tokens, s->input_known));
    put_value(tokens, "output", run_known(s->output_tokens, s->output_known));
    put_value(tokens, "total", run_known(s->total_tokens, s->total_known));
}

static void put_throughput(cJSON *o, const struct run_sums *s)
{
    cJSON *throughput = cJSON_AddObjectToObject(o, "throughput");
    int64_t output = run_known(s->output_tokens, s->output_known);
    int64_t total = run_known(s->total_tokens, s->total_known);

    put_rate(throughput, "output_wall", NULL, output, run_wall_ms(s));
    put_rate(throughput, "total_wall", NULL, total, run_wall_ms(s));
    put_rate(throughput, "output_observed", NULL, output, s->duration_ms);
}

struct groups {
    cJSON *list;
    const char *unknown; /* the label of what is not known */
};

static void add_group(void *ctx, struct str label, int64_t count)
{
    const struct groups *g = ctx;
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "label", label.len > 0 ? label : str_c(g->unknown));
    put_count(o, "count", "count_display", count);
    cJSON_AddItemToArray(g->list, o);
}

static int put_groups(cJSON *o, struct store *store, int64_t id, struct err *err)
{
    struct groups models = {cJSON_AddArrayToObject(o, "models"), "unknown"};
    struct groups endpoints = {cJSON_AddArrayToObject(o, "endpoints"), "unknown"};
    struct groups statuses = {cJSON_AddArrayToObject(o, "statuses"), "pending"};

    if (store_run_groups(store, id, RUN_MODELS, add_group, &models, err) < 0 ||
        store_run_groups(store, id, RUN_ENDPOINTS, add_group, &endpoints, err) < 0)
        return -1;
    return store_run_groups(store, id, RUN_STATUSES, add_group, &statuses, err);
}

void view_put_percentiles(cJSON *o, const char *key, const struct run_percentiles *p)
{
    cJSON *to = cJSON_AddObjectToObject(o, key);

    json_put_int(to, "count", p->count);
    json_put_int(to, "p50", p->p50);
    json_put_int(to, "p95", p->p95);
    json_put_int(to, "p99", p->p99);
    json_put_int(to, "max", p->max);
}

static int put_percentiles(cJSON *o, const char *key, struct store *store, int64_t id,
                           enum store_run_times times, int64_t count, struct err *err)
{
    struct run_percentiles p;

    if (store_run_percentiles(store, id, times, count, &p, err) < 0)
        return -1;
    view_put_percentiles(o, key, &p);
    return 0;
}

/* What came after the first clients of this object were written. */
static int put_further(cJSON *o, struct store *store, int64_t id, const struct run_sums *s,
                       struct err *err)
{
    json_put_int(o, "unpriced_request_count", s->unpriced);
    put_money(o, "reported_cost_usd", "reported_cost_display", run_reported_cost(s));
    json_put_int(o, "reported_cost_request_count", s->reported_costs);
    json_put_int(o, "cached_input_tokens",
                 run_known(s->cached_input_tokens, s->cached_input_known));
    json_put_int(o, "reasoning_tokens", run_known(s->reasoning_tokens, s->reasoning_known));
    if (put_percentiles(o, "ttft_ms", store, id, RUN_TTFT, s->ttfts, err) < 0)
        return -1;
    return put_percentiles(o, "request_duration_ms", store, id, RUN_DURATION, s->durations, err);
}

int view_put_run_stats(cJSON *to, struct store *store, const struct run *run,
                       const struct run_sums *s, int64_t now_wall_us, struct err *err)
{
    cJSON *o = cJSON_AddObjectToObject(to, "stats");

    put_count(o, "request_count", "request_count_display", s->requests);
    put_count(o, "success_count", "success_count_display", s->successes);
    put_count(o, "error_count", "error_count_display", s->errors);
    put_count(o, "pending_count", "pending_count_display", s->pending);
    put_share(o, "success_rate", "success_rate_display", s->successes, s->requests);
    put_share(o, "error_rate", "error_rate_display", s->errors, s->requests);
    view_put_iso(o, "last_activity", s->last_created_us);
    view_put_time(o, "last_activity_fallback", s->last_created_us);
    put_duration(o, "llm_wall_time_ms", "llm_wall_time_display", run_wall_ms(s));
    put_duration(o, "run_open_duration_ms", "run_open_duration_display",
                 run_open_ms(run, now_wall_us));
    put_duration(o, "total_request_duration_ms", "total_request_duration_display", s->duration_ms);
    put_tokens(o, s);
    put_money(o, "cost_usd", "cost_display", run_cost(s));
    put_overflow(o, s);
    put_throughput(o, s);
    if (put_groups(o, store, run->id, err) < 0)
        return -1;
    put_signals(o, s);
    return put_further(o, store, run->id, s, err);
}
