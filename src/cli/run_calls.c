/* Calls about one run, and what people read about it. */
#include <inttypes.h>
#include <stdio.h>

#include "runs_priv.h"
#include "text/term.h"
#include "json/json.h"
#include "json/json_scan.h"

void run_answer_clear(struct run_answer *a)
{
    buf_clear(&a->text);
    row_clear(&a->run);
    *a = (struct run_answer){0};
}

static int call(struct source *source, const char *what, const char *method, const char *path,
                struct str json, int64_t timeout_ms, struct run_answer *a, struct err *err)
{
    struct str run;

    if (source_send(source, what, method, path, "", json, timeout_ms, &a->text, &a->value, err) < 0)
        return -1;
    if (!json_member(a->value, STR("run"), &run) ||
        (json_type_of(run) != JSON_NULL && !row_read(&a->run, run)))
        return err_set(err, ERR_FAILED, "%s: the answer of %s has no run", what,
                       source_name(source));
    return 0;
}

int run_start(struct source *source, const char *name, const char *notes, struct run_answer *a,
              struct err *err)
{
    struct buf json = {0};
    int rc;

    buf_put(&json, STR("{\"name\":"));
    json_quote(&json, str_c(name));
    if (notes) {
        buf_put(&json, STR(",\"notes\":"));
        json_quote(&json, str_c(notes));
    }
    buf_put(&json, STR("}"));
    rc = call(source, "run", "POST", "/api/runs/start", buf_str(&json), 0, a, err);
    buf_clear(&json);
    return rc;
}

int run_pause(struct source *source, struct run_answer *a, struct err *err)
{
    return call(source, "runs", "POST", "/api/runs/pause", STR_NONE, 0, a, err);
}

int run_change(struct source *source, int64_t id, const char *verb, struct run_answer *a,
               struct err *err)
{
    char path[64], what[32];

    snprintf(path, sizeof(path), "/api/runs/%" PRId64 "/%s", id, verb);
    snprintf(what, sizeof(what), "run %" PRId64, id);
    return call(source, what, "POST", path, STR_NONE, 0, a, err);
}

int run_stats(struct source *source, int64_t id, int64_t timeout_ms, struct run_answer *a,
              struct err *err)
{
    char path[64], what[32];

    snprintf(path, sizeof(path), "/api/runs/%" PRId64 "/stats", id);
    snprintf(what, sizeof(what), "run %" PRId64, id);
    return call(source, what, "GET", path, STR_NONE, timeout_ms, a, err);
}

/* ---- sentences ---- */

void run_put_name(struct buf *out, int64_t id, struct str name)
{
    struct err ignored;

    buf_printf(out, "run %" PRId64, id);
    if (name.len == 0)
        return;
    buf_put(out, STR(" \""));
    term_clean(out, name, 0, &ignored);
    buf_put(out, STR("\""));
}

void run_put_row(struct buf *out, const struct row *run)
{
    struct buf name = {0};

    row_text(run, "name", &name);
    run_put_name(out, row_int(run, "id"), buf_str(&name));
    buf_clear(&name);
}

static void put_count(struct buf *out, const char *before, int64_t n, const char *one,
                      const char *many)
{
    char text[FORMAT_SIZE];

    buf_printf(out, "%s%s %s", before, format_count(text, n), n == 1 ? one : many);
}

static void put_money(struct buf *out, const struct row *answer)
{
    struct str cost = STR_NONE;
    char text[FORMAT_SIZE];

    if (row_get(answer, "stats.cost_usd", &cost))
        buf_printf(out, ", %s", format_money(text, cost));
}

void run_put_sums(struct buf *out, const struct row *answer)
{
    put_count(out, "", row_int(answer, "stats.request_count"), "request", "requests");
    put_money(out, answer);
}

/* ---- the bill ---- */

static void put_tokens(struct buf *out, const struct row *answer)
{
    int64_t in = row_int(answer, "stats.tokens.input.value");
    int64_t outward = row_int(answer, "stats.tokens.output.value");
    int64_t cached = row_int(answer, "stats.cached_input_tokens");
    char text[FORMAT_SIZE];

    if (in != ROW_UNKNOWN)
        buf_printf(out, ", %s in", format_count(text, in));
    if (in > 0 && cached > 0)
        buf_printf(out, " (%s cached)", format_percent(text, cached, in));
    if (outward != ROW_UNKNOWN)
        buf_printf(out, ", %s out", format_count(text, outward));
}

static void put_time(struct buf *out, const struct row *answer)
{
    double rate = row_number(answer, "stats.throughput.output_observed.value");
    int64_t p50 = row_int(answer, "stats.ttft_ms.p50"), p95 = row_int(answer, "stats.ttft_ms.p95");
    char text[FORMAT_SIZE];

    buf_printf(out, "  wall %s", format_duration(text, row_int(answer, "stats.llm_wall_time_ms")));
    buf_printf(out, ", %s tok/s", format_rate(text, rate));
    if (p50 != ROW_UNKNOWN)
        buf_printf(out, ", first token p50 %s", format_duration(text, p50));
    if (p95 != ROW_UNKNOWN)
        buf_printf(out, " p95 %s", format_duration(text, p95));
}

void run_bill(const struct cli *cli, const struct run_answer *stats, const char *how,
              const char *end)
{
    struct row answer = {0};
    struct buf out = {0};
    int64_t unpriced;
    char text[FORMAT_SIZE];

    row_read(&answer, stats->value);
    run_put_row(&out, &stats->run);
    buf_printf(&out, " %s after %s%s", how,
               format_duration(text, row_int(&answer, "run.open_duration_ms")), end);
    cli_note(cli, "%s", out.ptr);
    out.len = 0;
    put_count(&out, "  ", row_int(&answer, "stats.request_count"), "request", "requests");
    put_count(&out, ", ", row_int(&answer, "stats.error_count"), "error", "errors");
    put_tokens(&out, &answer);
    put_money(&out, &answer);
    unpriced = row_int(&answer, "stats.unpriced_request_count");
    if (unpriced > 0)
        buf_printf(&out, " (%s without price)", format_count(text, unpriced));
    cli_note(cli, "%s", out.ptr);
    if (row_int(&answer, "stats.llm_wall_time_ms") != ROW_UNKNOWN) {
        out.len = 0;
        put_time(&out, &answer);
        cli_note(cli, "%s", out.ptr);
    }
    row_clear(&answer);
    buf_clear(&out);
}
