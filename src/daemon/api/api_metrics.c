/* GET /metrics in the text format of Prometheus. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "core/money.h"
#include "daemon/api/api.h"
#include "daemon/otel/otel.h"
#include "ops/disk.h"
#include "store/store_budgets.h"

static void put_file(struct buf *out, struct app *app, const char *suffix, const char *name,
                     const char *help)
{
    int64_t bytes = disk_file_size(app->config->database_path, suffix);

    metrics_put(out, name, "gauge", help, bytes == UNKNOWN ? 0 : bytes);
}

static void put_live(struct buf *out, struct app *app)
{
    struct live_totals totals;

    live_totals(app->live, &totals);
    metrics_put(out, "llm_observe_requests_in_flight", "gauge", "Requests under way.",
                totals.inflight);
    metrics_put(out, "llm_observe_requests_stalled", "gauge",
                "Streams that have been silent for unusually long.", totals.stalled);
}

static void put_queue(struct buf *out, struct app *app)
{
    struct recorder_stats s;

    recorder_stats(app->recorder, &s);
    metrics_put(out, "llm_observe_queue_depth", "gauge", "Captures that wait for the database.",
                (int64_t)s.queue_depth);
    metrics_put(out, "llm_observe_queue_bytes", "gauge",
                "Bytes of bodies that wait for the database.", (int64_t)s.queue_bytes);
    metrics_put(out, "llm_observe_shed_bodies_total", "counter",
                "Captures that were stored without their bodies.", s.shed_bodies);
    metrics_put(out, "llm_observe_lost_events_total", "counter",
                "Captures that could not be stored.", s.lost_events);
    metrics_put(out, "llm_observe_store_degraded", "gauge",
                "1 while writing fails or failed within the last minute.", s.degraded);
}

static void put_telemetry(struct buf *out, struct app *app)
{
    struct otel_stats s;

    if (!app->otel)
        return;
    otel_stats(app->otel, &s);
    metrics_put(out, "llm_observe_otlp_queue_depth", "gauge",
                "Spans that wait for the OpenTelemetry collector.", (int64_t)s.queue_depth);
    metrics_put(out, "llm_observe_otlp_exported_spans_total", "counter",
                "Spans that the collector took.", s.exported_spans);
    metrics_put(out, "llm_observe_otlp_dropped_spans_total", "counter",
                "Spans that were not exported: the queue was full, or the collector did not take "
                "them.",
                s.dropped_spans);
    metrics_put(out, "llm_observe_otlp_failed_exports_total", "counter",
                "Batches of spans or metrics that were given up.", s.failed_exports);
}

static void put_budget_amounts(struct buf *out, const char *name, const struct budget_state *s,
                               const int64_t amount[BUDGET_KINDS])
{
    for (int kind = 0; kind < BUDGET_KINDS; kind++) {
        char text[MONEY_SIZE];

        if (s->budget.limit[kind] <= 0)
            continue;
        if (kind == BUDGET_USD)
            money_print(amount[kind], text);
        else
            snprintf(text, sizeof(text), "%" PRId64, amount[kind]);
        buf_printf(out, "%s{scope=\"%s\",key=\"%.*s\",kind=\"%s\"} %s\n", name,
                   budget_scope_names[s->scope], STR_ARG(s->key), budget_kind_names[kind], text);
    }
}

/* Keys are dates, numbers and slugs: none needs escaping. */
static int put_limit(void *ctx, const struct budget_state *s, struct err *err)
{
    (void)err;
    put_budget_amounts(ctx, "llm_observe_budget_limit", s, s->budget.limit);
    return 0;
}

static int put_spent(void *ctx, const struct budget_state *s, struct err *err)
{
    (void)err;
    put_budget_amounts(ctx, "llm_observe_budget_spent", s, s->spent.amount);
    return 0;
}

static void put_budgets(struct buf *out, struct store *store)
{
    int64_t now_us = clock_wall_us();
    struct err err;

    buf_put(out,
            STR("# HELP llm_observe_budget_limit What a scope may spend, in dollars or tokens.\n"
                "# TYPE llm_observe_budget_limit gauge\n"));
    store_budgets(store, now_us, put_limit, out, &err);
    buf_put(out, STR("# HELP llm_observe_budget_spent What it has spent.\n"
                     "# TYPE llm_observe_budget_spent gauge\n"));
    store_budgets(store, now_us, put_spent, out, &err);
}

static void run_metrics(struct call *call, struct store *store)
{
    struct app *app = api_app(call);
    struct buf *out = &call->body;

    metrics_write(app->metrics, out);
    put_budgets(out, store); /* a few rows; all else costs the database nothing */
    put_live(out, app);
    put_queue(out, app);
    put_telemetry(out, app);
    put_file(out, app, "", "llm_observe_database_bytes", "Size of the database file.");
    put_file(out, app, "-wal", "llm_observe_database_wal_bytes",
             "Size of the database's write-ahead log.");
    metrics_put(out, "process_start_time_seconds", "gauge", "Start of the process, Unix time.",
                app->started_wall_us / 1000000);
    buf_put(out, STR("# HELP llm_observe_build_info The version of this program.\n"
                     "# TYPE llm_observe_build_info gauge\n"
                     "llm_observe_build_info{version=\"" LOP_VERSION "\"} 1\n"));
    call->status = 200;
    call->content_type = STR("text/plain; version=0.0.4; charset=utf-8");
}

const struct call_route api_metrics_routes[] = {
    {"GET", "/metrics", .run = run_metrics},
    {0},
};
