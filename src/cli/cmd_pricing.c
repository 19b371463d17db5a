#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "pricing_priv.h"
#include "progress.h"
#include "json/json_scan.h"

/* ---- list ---- */

static const struct opt list_options[] = {
    {"provider", 0, OPT_TEXT, "SLUG", "of this provider"},
    {"search", 0, OPT_TEXT, "TEXT", "part of a model, its names or its provider"},
    {"status", 0, OPT_TEXT, "active|inactive", "only those"},
    LIST_END,
};

static const char list_more[] =
    "Rates are USD for a million tokens.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy pricing list --provider openai\n"
    "  llm-observe-proxy pricing list --search mini --json=key,input_usd_per_million\n";

static int pricing_list(struct cli *cli)
{
    static const char *const filters[] = {"provider", "search", "status", NULL};
    struct buf query = {0};
    struct task t;
    int rc = -1;

    query_options(&query, cli, filters);
    if (task_start(&t, cli, &price_rows))
        rc = task_each(&t, "prices", PRICES, query.ptr ? query.ptr : "", task_print_row, NULL);
    buf_clear(&query);
    return task_end(&t, rc);
}

/* ---- find ---- */

static const char find_more[] =
    "The price that a request to this provider for this model is billed with, and how\n"
    "it was found: by its model, by another name of it, and so on.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy pricing find openai gpt-5.4\n"
    "\n"
    "Exit status: 3 there is no price.\n";

static void put_tiers(const struct task *t, struct buf *out, const struct row *row)
{
    struct buf line = {0};
    struct row tier = {0};
    struct str list;
    struct json_iter it;

    if (!row_get(row, "price.tiers", &list))
        return;
    for (it = json_iter(list); json_next(&it);) {
        if (!row_read(&tier, it.value))
            continue;
        line.len = 0;
        if (!row_text(&tier, "min_input_tokens", &line))
            buf_put(&line, STR("0"));
        buf_put(&line, STR(" to "));
        if (!row_text(&tier, "max_input_tokens", &line))
            buf_put(&line, STR("any"));
        buf_put(&line, STR(" tokens: input "));
        row_text(&tier, "input_usd_per_million", &line);
        buf_put(&line, STR(", output "));
        row_text(&tier, "output_usd_per_million", &line);
        line_add(t, out, "tier", buf_str(&line));
    }
    row_clear(&tier);
    buf_clear(&line);
}

static void put_found(const struct task *t, struct buf *out, const struct row *row)
{
    static const char *const lines[][2] = {
        {"key", "price.key"},
        {"found by", "price_match"},
        {"name", "price.display_name"},
        {"input", "price.input_usd_per_million"},
        {"cached", "price.cached_input_usd_per_million"},
        {"output", "price.output_usd_per_million"},
        {"cache write", "price.cache_write_usd_per_million"},
        {"write 1h", "price.cache_write_1h_usd_per_million"},
        {"reasoning", "price.reasoning_usd_per_million"},
        {"checked", "price.checked_at"},
        {"source", "price.source_url"},
        {"notes", "price.notes"},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        line_member(t, out, lines[i][0], row, lines[i][1]);
    put_tiers(t, out, row);
}

static int find(struct task *t)
{
    const struct opts *o = &t->cli->opts;
    struct buf query = {0}, text = {0};
    struct row row = {0};
    struct str answer;
    char what[200];
    int rc;

    snprintf(what, sizeof(what), "%.80s of %.80s", o->args[1], o->args[0]);
    query_add(&query, "provider", o->args[0]);
    query_add(&query, "model", o->args[1]);
    buf_cut(&query, query.len - 1); /* "&" */
    rc = task_get(t, what, PRICING "/find", query.ptr, &answer);
    if (rc == 0 && row_read(&row, answer)) {
        put_found(t, &text, &row);
        rc = task_print(t, answer, &text);
    }
    row_clear(&row);
    buf_clear(&query);
    buf_clear(&text);
    return rc;
}

static int pricing_find(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &price_found))
        rc = find(&t);
    return task_end(&t, rc);
}

/* ---- backfill ---- */

static const char backfill_more[] =
    "missing prices requests that have no cost because there was no price for them;\n"
    "cached prices those again whose cached tokens had no price of their own.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy pricing backfill missing\n";

static void on_rows(void *ctx, int64_t rows)
{
    progress_tell(ctx, rows, 0);
}

static int backfill(struct task *t)
{
    const char *kind = t->cli->opts.args[0];
    struct progress progress;
    struct buf text = {0};
    struct row row = {0};
    struct str answer;
    char body[40], what[COUNTED_SIZE];
    int rc;

    snprintf(body, sizeof(body), "{\"kind\":\"%s\"}", kind);
    progress_start(&progress, t->cli, "backfill");
    t->source.progress = on_rows;
    t->source.progress_ctx = &progress;
    rc = task_ask(t, "requests", "POST", PRICING "/backfill", str_c(body), JOB_MS, &answer);
    progress_end(&progress);
    if (rc == 0 && row_read(&row, answer)) {
        buf_printf(&text, "repriced %s\n", counted(row_int(&row, "repriced"), "request", what));
        rc = task_print(t, answer, &text);
    }
    row_clear(&row);
    buf_clear(&text);
    return rc;
}

static int pricing_backfill(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &backfill_one))
        rc = backfill(&t);
    return task_end(&t, rc);
}

/* ---- the command ---- */

const struct verb pricing_verbs[] = {
    {"list", "[options]", "list prices", list_options, FORM_JSON | FORM_ROWS, list_more,
     pricing_list, .out = &price_rows},
    {"find", "PROVIDER MODEL", "show the price of a model", NULL, FORM_JSON, find_more,
     pricing_find, .out = &price_found},
    {"set", "PROVIDER MODEL [options]", "add or change a price", price_set_options,
     FORM_JSON | FORM_CHANGES, price_set_more, pricing_set, .out = &price_one},
    {"rm", "PROVIDER MODEL", "delete a price", NULL, FORM_JSON | FORM_CHANGES, price_rm_more,
     pricing_rm, .out = &deleted_object},
    {"sync", "SOURCE [options]", "take prices of a router", price_sync_options,
     FORM_JSON | FORM_ROWS | FORM_CHANGES, price_sync_more, pricing_sync, .out = &sync_rows},
    {"backfill", "cached|missing", "price captured requests again", NULL, FORM_JSON, backfill_more,
     pricing_backfill, .out = &backfill_one},
    {"estimate", "PROVIDER MODEL [options]", "tell what tokens would cost", price_estimate_options,
     FORM_JSON, price_estimate_more, pricing_estimate, .out = &estimate_one},
    {0},
};
