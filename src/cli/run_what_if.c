/* "runs what-if": a run priced with other models. */
#include <inttypes.h>
#include <stdio.h>

#include "base/query.h"
#include "core/money.h"
#include "runs_priv.h"
#include "text/term.h"
#include "json/json_scan.h"

#define KEY_CELLS 34

const struct opt runs_what_if_options[] = {
    {"key", 0, OPT_LIST, "PROVIDER:MODEL", "compare with this price", .values = "PRICE"},
    LIST_END,
};

const char runs_what_if_more[] =
    "Prices the recorded tokens of a run with other rates; what is stored stays.\n"
    "Without RUN: \"active\", else \"last\". --key may be given several times.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy runs what-if bench-1 --key openai:gpt-5.5\n"
    "\n"
    "Exit status: 3 no such run, or no price has one of the keys.\n";

static int64_t amount(const struct row *row, const char *path)
{
    struct buf text = {0};
    int64_t pusd = UNKNOWN;

    if (row_text(row, path, &text) && !money_amount(buf_str(&text), &pusd))
        pusd = UNKNOWN;
    buf_clear(&text);
    return pusd;
}

static void put_name(struct page *p, const struct row *row, const char *path)
{
    struct buf text = {0}, clean = {0};

    row_text(row, path, &text);
    if (term_clean(&clean, buf_str(&text), p->flags & (unsigned)~TERM_DIM, p->err) < 0 ||
        term_fit(&p->text, buf_str(&clean), KEY_CELLS, false, p->flags, p->err) < 0)
        p->failed = true;
    buf_clear(&clean);
    buf_clear(&text);
}

static void put_cost(struct page *p, int64_t pusd)
{
    char text[MONEY_SIZE], cost[MONEY_SIZE + 1] = "-";

    if (pusd != UNKNOWN)
        snprintf(cost, sizeof(cost), "$%s", money_print(pusd, text));
    page_putf(p, "  %14s", cost);
}

static void put_difference(struct page *p, int64_t cost, int64_t base)
{
    char text[MONEY_SIZE];
    int64_t by;

    if (cost == UNKNOWN || base == UNKNOWN || __builtin_sub_overflow(cost, base, &by))
        return;
    page_putf(p, "  %s$%s", by < 0 ? "-" : "+", money_print(by < 0 ? -by : by, text));
    if (base > 0)
        page_putf(p, " (%+.1f%%)", 100.0 * (double)by / (double)base);
}

static void put_missing(struct page *p, const struct row *scenario)
{
    int64_t missing = row_int(scenario, "missing_usage_request_count");

    if (missing > 0)
        page_putf(p, ", %" PRId64 " request%s without usage left out", missing,
                  missing == 1 ? "" : "s");
}

static void put_scenario(struct page *p, const struct row *scenario, int64_t base)
{
    int64_t cost = amount(scenario, "total_cost_usd");

    put_name(p, scenario, "key");
    put_cost(p, cost);
    put_difference(p, cost, base);
    if (row_true(scenario, "mixed_tiers"))
        page_put(p, ", mixed tiers");
    put_missing(p, scenario);
    page_put(p, "\n");
}

static int print(struct job *job, struct str answer)
{
    struct row all = {0}, scenario = {0};
    struct json_iter it;
    struct str list;
    struct page p;
    int64_t base;
    int rc;

    page_init(&p, &job->out, &job->err);
    row_read(&all, answer);
    base = amount(&all, "baseline.total_cost_usd");
    if (row_get(&all, "baseline", &list)) {
        put_name(&p, &all, "baseline.label");
        put_cost(&p, base);
        page_put(&p, "  ");
        page_member(&p, &all, "baseline.model");
        page_put(&p, " on ");
        page_member(&p, &all, "baseline.provider_name");
        page_put(&p, "\n");
    }
    if (row_get(&all, "scenarios", &list) && json_type_of(list) == JSON_ARRAY)
        for (it = json_iter(list); json_next(&it);)
            if (row_read(&scenario, it.value))
                put_scenario(&p, &scenario, base);
    rc = page_print(&p);
    page_clear(&p);
    row_clear(&scenario);
    row_clear(&all);
    return rc;
}

/* What the server has to say besides the figures. */
static int tell(struct job *job, struct str answer, bool asked)
{
    struct row all = {0};
    struct buf message = {0};
    int rc = 0;

    row_read(&all, answer);
    row_text(&all, "message", &message);
    if (asked && row_int(&all, "compared_count") == 0)
        rc = err_set(&job->err, ERR_NOT_FOUND, "%.300s", message.len ? message.ptr : "no price");
    else if (message.len > 0)
        cli_note(job->cli, "%s", message.ptr);
    buf_clear(&message);
    row_clear(&all);
    return rc;
}

static int compare(struct job *job)
{
    const struct opt_given *keys = opts_find(&job->cli->opts, "key");
    struct buf query = {0}, text = {0};
    struct run_name run = {0};
    struct str answer;
    char path[64], what[32];
    int rc = run_name_or_last(job, &run);

    buf_put(&query, STR(""));
    for (size_t i = 0; i < keys->count; i++) {
        buf_put(&query, i ? STR("&key=") : STR("key="));
        query_encode(&query, str_c(keys->list[i]));
    }
    snprintf(path, sizeof(path), "/admin/api/runs/%" PRId64 "/what-if", run.id);
    snprintf(what, sizeof(what), "run %" PRId64, run.id);
    if (rc == 0)
        rc = source_get(&job->source, what, path, query.ptr ? query.ptr : "", &text, &answer,
                        &job->err);
    if (rc == 0)
        rc = tell(job, answer, keys->count > 0);
    if (rc == 0)
        rc = job->out.form == OUT_JSON ? out_object(&job->out, answer, &job->err)
                                       : print(job, answer);
    run_name_clear(&run);
    buf_clear(&query);
    buf_clear(&text);
    return rc;
}

const struct out_spec what_if_object = {.fields = what_if_fields, .pager = true};

int runs_what_if(struct cli *cli)
{
    struct job job;
    int rc = -1;

    if (job_start(&job, cli, &what_if_object))
        rc = compare(&job);
    return job_end(&job, rc);
}
