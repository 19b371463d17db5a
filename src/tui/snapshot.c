#include "snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/query.h"
#include "feed_priv.h"
#include "text/term.h"
#include "json/json_scan.h"

#define DEFAULT_LIMIT 20

static const char *const live_fields[] = {
    "rev",
    "now",
    "instance",
    "server",
    "server.version",
    "server.pid",
    "server.url",
    "server.database",
    "server.uptime_ms",
    "store",
    "store.queue_depth",
    "store.lost_events",
    "store.shed_bodies",
    "store.rows",
    "store.db_bytes",
    "store.wal_bytes",
    "totals",
    "totals.inflight",
    "totals.inflight_peak",
    "totals.stalled",
    "totals.requests",
    "totals.errors",
    "rates",
    "rates.requests_per_second",
    "rates.output_tokens_per_second",
    "rates.input_tokens_per_second",
    "minute",
    "minute.cost_usd",
    "recent",
    "recent.finished",
    "recent.errors",
    "recent.error_rate",
    "recent.cached_share",
    "recent.ttft_ms",
    "recent.ttft_ms.p50",
    "recent.ttft_ms.p95",
    "recent.ttft_ms.p99",
    "recent.gap_ms",
    "recent.gap_ms.p50",
    "recent.gap_ms.p95",
    "recent.duration_ms",
    "recent.duration_ms.p50",
    "recent.duration_ms.p95",
    "series",
    "active_run",
    "active_run.id",
    "active_run.name",
    "active_run.request_count",
    "active_run.error_count",
    "active_run.total_cost_usd",
    "inflight_total",
    "inflight",
    "finished_total",
    "finished",
    "models",
    "upstreams",
    "problems",
    "text",
    NULL,
};

const struct out_spec snapshot_rows = {
    .columns = request_columns,
    .columns_for = request_columns_for,
    .machine = request_columns_machine,
    .fields = live_fields,
};
static const struct out_spec snapshot_object = {.fields = live_fields};

/* What stands above the rows, one a line. */
static const char *const header[][2] = {
    {"server", "server.url"},
    {"database", "server.database"},
    {"uptime_ms", "server.uptime_ms"},
    {"queue", "store.queue_depth"},
    {"lost", "store.lost_events"},
    {"db_bytes", "store.db_bytes"},
    {"run", "active_run.name"},
    {"run_requests", "active_run.request_count"},
    {"run_cost_usd", "active_run.total_cost_usd"},
    {"live", "totals.inflight"},
    {"stalled", "totals.stalled"},
    {"requests", "totals.requests"},
    {"req_per_s", "rates.requests_per_second"},
    {"out_tok_per_s", "rates.output_tokens_per_second"},
    {"in_tok_per_s", "rates.input_tokens_per_second"},
    {"ttft_p50_ms", "recent.ttft_ms.p50"},
    {"ttft_p95_ms", "recent.ttft_ms.p95"},
    {"gap_p50_ms", "recent.gap_ms.p50"},
    {"error_rate", "recent.error_rate"},
    {"cached_share", "recent.cached_share"},
    {"minute_cost_usd", "minute.cost_usd"},
};

struct snapshot {
    struct out out;
    struct source source;
    struct offline offline;
    const struct filter *filter;
    int64_t limit;
    bool object; /* --json */
};

static int print_header(struct snapshot *s, const struct row *row, struct err *err)
{
    struct buf line = {0}, clean = {0}, value = {0};
    int rc = 0;

    for (size_t i = 0; i < sizeof(header) / sizeof(header[0]) && rc == 0; i++) {
        value.len = clean.len = 0;
        row_text(row, header[i][1], &value);
        rc = term_clean(&clean, value.len > 0 ? buf_str(&value) : STR("-"), s->out.flags, err);
        buf_printf(&line, "%s %s\n", header[i][0], clean.ptr);
    }
    buf_put(&line, STR("\n"));
    if (rc == 0)
        rc = out_text(&s->out, buf_str(&line), err);
    buf_clear(&line);
    buf_clear(&clean);
    buf_clear(&value);
    return rc;
}

/* Rows of one array that pass the filter, at most max. */
static int print_rows(struct snapshot *s, const struct row *top, const char *member, int64_t max,
                      struct err *err)
{
    int64_t run = row_int(top, "active_run.id"), count = 0;
    struct str array;
    struct json_iter it;

    if (!row_get(top, member, &array) || json_type_of(array) != JSON_ARRAY)
        return 0;
    for (it = json_iter(array); count < max && json_next(&it);) {
        if (s->filter && !filter_matches_json(s->filter, it.value, run))
            continue;
        count++;
        if (out_row(&s->out, it.value, err) < 0)
            return -1;
    }
    return 0;
}

static int print_one(struct snapshot *s, struct str value, struct err *err)
{
    struct row row = {0};
    int rc;

    if (s->object) {
        if (out_object(&s->out, value, err) < 0)
            return -1;
        return out_flush(&s->out, err);
    }
    row_read(&row, value);
    s->out.ctx.now_us = row_time(&row, "now");
    rc = print_header(s, &row, err);
    if (rc == 0)
        rc = print_rows(s, &row, "inflight", INT64_MAX, err);
    if (rc == 0)
        rc = print_rows(s, &row, "finished", s->limit, err);
    if (rc == 0)
        rc = out_flush(&s->out, err);
    row_clear(&row);
    return rc;
}

static int take_one(struct snapshot *s, struct err *err)
{
    struct buf body = {0};
    struct str value;
    int rc;

    if (s->source.client) {
        rc = source_get(&s->source, "top", "/api/live", s->object ? "" : "rows=1000", &body, &value,
                        err);
    } else {
        s->offline.read = false;
        rc = offline_read(&s->offline, &s->source, &body, err);
        json_scan(buf_str(&body), &value);
    }
    if (rc >= 0)
        rc = print_one(s, value, err);
    buf_clear(&body);
    return rc;
}

static void sleep_ms(int64_t ms)
{
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

static int print_all(struct snapshot *s, int64_t count, int64_t interval_ms, struct err *err)
{
    for (int64_t i = 0; i < count; i++) {
        if (i > 0)
            sleep_ms(interval_ms);
        if (i > 0 && !s->object && out_text(&s->out, STR("\n"), err) < 0)
            return -1;
        if (take_one(s, err) < 0)
            return -1;
    }
    return out_end(&s->out, err);
}

int snapshot_print(struct cli *cli, const struct filter *filter, int64_t interval_ms)
{
    struct snapshot s = {.filter = filter, .limit = DEFAULT_LIMIT};
    const struct out_spec *spec;
    int64_t count = 1;
    struct err err;
    int rc;

    s.object = opts_flag(&cli->opts, "json");
    spec = s.object ? &snapshot_object : &snapshot_rows;
    if (s.object && !opts_flag(&cli->opts, "once"))
        count = INT64_MAX;
    if (cli_int(cli, "count", 1, INT32_MAX, &count, &err) < 0 ||
        cli_int(cli, "limit", 0, INT32_MAX, &s.limit, &err) < 0)
        return cli_usage(cli->name, &err);
    rc = out_open(&s.out, cli, spec, &err);
    if (rc < 0) {
        rc = out_usage(&s.out, cli, &err);
    } else if (rc == 1) {
        rc = 0;
    } else if (source_open(&s.source, cli, &err) < 0) {
        rc = source_fail(&s.source, &err);
    } else {
        if (s.object)
            s.out.terminal = false; /* one line each */
        rc = print_all(&s, count, interval_ms, &err) < 0 ? cli_fail(&err) : 0;
    }
    out_close(&s.out);
    source_close(&s.source);
    offline_clear(&s.offline);
    return rc;
}
