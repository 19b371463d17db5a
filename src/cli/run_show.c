/* "runs show": what a run came to. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "runs_priv.h"
#include "text/term.h"
#include "json/json_scan.h"

#define LABEL_CELLS 32

/* ---- head ---- */

static void put_time(struct page *p, const struct row *run, const char *label, const char *path)
{
    int64_t at = row_time(run, path);
    char text[FORMAT_SIZE];

    if (at == ROW_UNKNOWN)
        return;
    page_putf(p, "  %-9s%s local", label, format_time_long(text, at));
    page_putf(p, ", %s ago\n", format_time(text, at, p->out->ctx.now_us, FORMAT_TIME_RELATIVE));
}

static void put_line(struct page *p, const struct row *row, const char *label, const char *path)
{
    size_t start = p->text.len;

    page_putf(p, "  %-9s", label);
    if (page_member(p, row, path))
        page_put(p, "\n");
    else
        buf_cut(&p->text, start);
}

static void put_head(struct page *p, const struct row *all, const struct row *run)
{
    char text[FORMAT_SIZE];

    page_putf(p, "run %" PRId64 "  ", row_int(run, "id"));
    page_member(p, run, "name");
    page_put(p, "  ");
    page_member(p, run, "status");
    page_putf(p, "  %s\n", format_duration(text, row_int(all, "run.open_duration_ms")));
    put_line(p, run, "notes", "notes");
    put_time(p, run, "started", "started_at");
    put_time(p, run, "paused", "paused_at");
    put_time(p, run, "ended", "ended_at");
}

/* ---- figures ---- */

static void put_count(struct page *p, const struct row *all, const char *before, const char *path,
                      const char *after)
{
    char text[FORMAT_SIZE];
    int64_t n = row_int(all, path);

    if (n != ROW_UNKNOWN)
        page_putf(p, "%s%s%s", before, format_count(text, n), after);
}

static void put_requests(struct page *p, const struct row *all)
{
    int64_t ok = row_int(all, "stats.request_count"), failed = row_int(all, "stats.error_count");
    int64_t pending = row_int(all, "stats.pending_count");
    char text[FORMAT_SIZE];

    page_put(p, "  requests ");
    put_count(p, all, "", "stats.request_count", "");
    /* stats.success_count goes by the status alone: it counts what was cut off, too. */
    if (ok != ROW_UNKNOWN && failed != ROW_UNKNOWN && pending != ROW_UNKNOWN)
        page_putf(p, ": %s ok", format_count(text, ok - failed - pending));
    put_count(p, all, ", ", "stats.error_count", " failed");
    put_count(p, all, ", ", "stats.pending_count", " pending\n");
}

static void put_tokens(struct page *p, const struct row *all)
{
    int64_t in = row_int(all, "stats.tokens.input.value");
    int64_t cached = row_int(all, "stats.cached_input_tokens");
    char text[FORMAT_SIZE];

    if (row_int(all, "stats.tokens.total.value") == ROW_UNKNOWN && in == ROW_UNKNOWN) {
        page_put(p, "  tokens   -\n");
        return;
    }
    page_put(p, "  tokens   ");
    put_count(p, all, "", "stats.tokens.input.value", " in");
    if (in > 0 && cached != ROW_UNKNOWN)
        page_putf(p, " (%s cached)", format_percent(text, cached, in));
    put_count(p, all, ", ", "stats.tokens.output.value", " out");
    put_count(p, all, ", ", "stats.reasoning_tokens", " reasoning");
    put_count(p, all, "; total ", "stats.tokens.total.value", "");
    page_put(p, "\n");
}

static void put_cost(struct page *p, const struct row *all)
{
    struct str value;

    page_put(p, "  cost     ");
    if (row_get(all, "stats.cost_usd", &value)) {
        page_put(p, "$");
        page_member(p, all, "stats.cost_usd");
    } else {
        page_put(p, "-");
    }
    if (row_int(all, "stats.unpriced_request_count") > 0)
        put_count(p, all, " (", "stats.unpriced_request_count", " without price)");
    if (row_get(all, "stats.reported_cost_usd", &value)) {
        page_put(p, ", reported $");
        page_member(p, all, "stats.reported_cost_usd");
    }
    page_put(p, "\n");
    if (row_get(all, "run.budget", &value)) {
        page_put(p, "  budget   ");
        page_member(p, all, "run.budget.state");
        if (row_get(all, "run.budget_usd", &value)) {
            page_put(p, ", of $");
            page_member(p, all, "run.budget_usd");
        }
        put_count(p, all, ", of ", "run.budget_tokens", " tokens");
        put_count(p, all, ", used ", "run.budget.used_percent", "%");
        page_put(p, "\n");
    }
}

static void put_rate(struct page *p, const struct row *all, const char *before, const char *path,
                     const char *after)
{
    double rate = row_number(all, path);
    char text[FORMAT_SIZE];

    if (isfinite(rate))
        page_putf(p, "%s%s%s", before, format_rate(text, rate), after);
}

static void put_speed(struct page *p, const struct row *all)
{
    char wall[FORMAT_SIZE], sum[FORMAT_SIZE];

    page_putf(p, "  time     wall %s, requests together %s",
              format_duration(wall, row_int(all, "stats.llm_wall_time_ms")),
              format_duration(sum, row_int(all, "stats.total_request_duration_ms")));
    put_rate(p, all, "; ", "stats.throughput.output_observed.value", " tok/s");
    put_rate(p, all, ", ", "stats.throughput.output_wall.value", " of wall time");
    page_put(p, "\n");
}

static void put_percentiles(struct page *p, const struct row *all, const char *label,
                            const char *name)
{
    static const char *const of[] = {"p50", "p95", "p99", "max"};
    char path[64], text[FORMAT_SIZE];
    size_t start = p->text.len;
    bool any = false;

    page_putf(p, "  %-9s", label);
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        int64_t ms;

        snprintf(path, sizeof(path), "stats.%s.%s", name, of[i]);
        ms = row_int(all, path);
        if (ms == ROW_UNKNOWN)
            continue;
        page_putf(p, "%s%s %s", any ? ", " : "", of[i], format_duration(text, ms));
        any = true;
    }
    page_put(p, "\n");
    if (!any)
        buf_cut(&p->text, start);
}

static void put_signals(struct page *p, const struct row *all)
{
    page_put(p, "  signals  ");
    put_count(p, all, "", "stats.signals.streams.value", " streams");
    put_count(p, all, ", ", "stats.signals.images.value", " with images");
    put_count(p, all, ", ", "stats.signals.tools.value", " with tools\n");
}

/* ---- groups ---- */

static void put_group(struct page *p, struct str group)
{
    struct row row = {0};
    struct buf label = {0}, clean = {0};
    char text[FORMAT_SIZE];

    if (row_read(&row, group)) {
        row_text(&row, "label", &label);
        page_put(p, "  ");
        if (term_clean(&clean, buf_str(&label), p->flags & (unsigned)~TERM_DIM, p->err) < 0 ||
            term_fit(&p->text, buf_str(&clean), LABEL_CELLS, false, p->flags, p->err) < 0)
            p->failed = true;
        page_putf(p, "  %7s\n", format_count(text, row_int(&row, "count")));
    }
    buf_clear(&clean);
    buf_clear(&label);
    row_clear(&row);
}

static void put_groups(struct page *p, const struct row *all, const char *title, const char *path)
{
    struct str list;
    struct json_iter it;

    if (!row_get(all, path, &list) || json_type_of(list) != JSON_ARRAY)
        return;
    it = json_iter(list);
    for (bool first = true; !p->failed && json_next(&it); first = false) {
        if (first) {
            page_put(p, "\n");
            page_bold(p, title);
            page_put(p, "\n");
        }
        put_group(p, it.value);
    }
}

/* ---- the verb ---- */

static int print(struct job *job, const struct run_answer *a)
{
    struct row all = {0};
    struct page p;
    int rc;

    page_init(&p, &job->out, &job->err);
    row_read(&all, a->value);
    put_head(&p, &all, &a->run);
    put_requests(&p, &all);
    put_tokens(&p, &all);
    put_cost(&p, &all);
    put_speed(&p, &all);
    put_percentiles(&p, &all, "ttft", "ttft_ms");
    put_percentiles(&p, &all, "duration", "request_duration_ms");
    put_signals(&p, &all);
    put_groups(&p, &all, "models", "stats.models");
    put_groups(&p, &all, "endpoints", "stats.endpoints");
    put_groups(&p, &all, "statuses", "stats.statuses");
    rc = page_print(&p);
    page_clear(&p);
    row_clear(&all);
    return rc;
}

int run_name_or_last(struct job *job, struct run_name *run)
{
    const struct opts *o = &job->cli->opts;

    if (o->arg_count > 0)
        return run_name_find(&job->source, o->args[0], run, &job->err);
    if (run_name_find(&job->source, "active", run, &job->err) == 0)
        return 0;
    if (job->err.code != ERR_NOT_FOUND)
        return -1;
    run_name_clear(run);
    return run_name_find(&job->source, "last", run, &job->err);
}

static int show(struct job *job)
{
    struct run_name run = {0};
    struct run_answer a = {0};
    int rc = run_name_or_last(job, &run);

    if (rc == 0)
        rc = run_stats(&job->source, run.id, 0, &a, &job->err);
    if (rc == 0)
        rc = job->out.form == OUT_JSON ? out_object(&job->out, a.value, &job->err) : print(job, &a);
    run_answer_clear(&a);
    run_name_clear(&run);
    return rc;
}

const struct out_spec run_object = {.fields = run_stats_fields, .pager = true};

int runs_show(struct cli *cli)
{
    struct job job;
    int rc = -1;

    if (job_start(&job, cli, &run_object))
        rc = show(&job);
    return job_end(&job, rc);
}
