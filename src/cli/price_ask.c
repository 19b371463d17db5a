/* Prices of routers, and what tokens would cost. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "edit.h"
#include "pricing_priv.h"
#include "progress.h"
#include "json/json.h"

/* ---- sync ---- */

const struct opt price_sync_options[] = {
    {"search", 0, OPT_TEXT, "TEXT", "only models with this in their name"},
    {"limit", 0, OPT_TEXT, "N", "models at most", .fallback = "25"},
    {"no-base", 0, OPT_FLAG, NULL, "without rows of the models themselves"},
    {"no-providers", 0, OPT_FLAG, NULL, "without rows of who serves them"},
    {"key", 0, OPT_LIST, "KEY", "only this price, PROVIDER:MODEL"},
    {"no-reprice", 0, OPT_FLAG, NULL, "do not price requests that have no cost"},
    LIST_END,
};

const char price_sync_more[] =
    "SOURCE is huggingface-router or openrouter. Without --key all that is new or has\n"
    "changed is taken, except what a person has edited.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy pricing sync openrouter --search qwen --dry-run\n"
    "  llm-observe-proxy pricing sync openrouter --key openrouter:qwen/qwen3-coder\n";

struct sync {
    const struct opt_given *wanted; /* keys that were named */
    struct buf keys;                /* a JSON array of those that are taken */
    int64_t count;
    bool printing;
};

static bool is_chosen(const struct sync *s, const struct row *row)
{
    if (s->wanted->count == 0)
        return row_true(row, "selected");
    for (size_t i = 0; i < s->wanted->count; i++)
        if (row_is(row, "key", s->wanted->list[i]))
            return true;
    return false;
}

static int take_item(struct task *t, void *ctx, struct str json, const struct row *row)
{
    struct sync *s = ctx;
    struct str key;

    if (!is_chosen(s, row) || !row_get(row, "key", &key))
        return 0;
    if (s->printing)
        return out_row(&t->out, json, &t->err);
    if (buf_add(&s->keys, s->count++ ? STR(",") : STR("["), &t->err) < 0)
        return -1;
    return buf_add(&s->keys, key, &t->err);
}

static int put_options(struct edit *e, const struct cli *cli, struct err *err)
{
    static const struct edit_field fields[] = {
        {"search", "search", EDIT_TEXT},
        {"limit", "limit", EDIT_NUMBER},
        {0},
    };

    edit_text(e, "source", cli->opts.args[0]);
    if (edit_fields(e, cli, fields, err) < 0 ||
        edit_flag(e, cli, "include_base_rows", NULL, "no-base", err) < 0)
        return -1;
    return edit_flag(e, cli, "include_provider_rows", NULL, "no-providers", err);
}

static int ask_preview(struct task *t, struct str *answer)
{
    struct edit e;
    int rc;

    edit_start(&e, NULL);
    rc = put_options(&e, t->cli, &t->err);
    if (rc == 0)
        rc = task_ask(t, t->cli->opts.args[0], "POST", PRICING "/catalog/preview", edit_end(&e),
                      ASK_MS, answer);
    edit_clear(&e);
    return rc;
}

/* As it was previewed. */
static int apply(struct task *t, const struct sync *s, const char *preview_id)
{
    char added[COUNTED_SIZE], repriced[COUNTED_SIZE];
    struct row row = {0};
    struct str answer;
    struct edit e;
    int rc;

    edit_start(&e, NULL);
    rc = put_options(&e, t->cli, &t->err);
    if (preview_id)
        edit_text(&e, "preview_id", preview_id);
    edit_put(&e, "keys", buf_str(&s->keys));
    if (rc == 0)
        rc = edit_flag(&e, t->cli, "reprice_missing", NULL, "no-reprice", &t->err);
    if (rc == 0)
        rc = task_ask(t, t->cli->opts.args[0], "POST", PRICING "/catalog/apply", edit_end(&e),
                      JOB_MS, &answer);
    if (rc == 0 && row_read(&row, answer)) {
        cli_note(t->cli, "added %s, changed %" PRId64 "; repriced %s",
                 counted(row_int(&row, "created"), "price", added), row_int(&row, "updated"),
                 counted(row_int(&row, "repriced_missing"), "request", repriced));
        if (t->out.form == OUT_JSON)
            rc = out_object(&t->out, answer, &t->err);
    }
    row_clear(&row);
    edit_clear(&e);
    return rc;
}

static int print_items(struct task *t, struct sync *s, struct str items)
{
    s->printing = true;
    return task_each_of(t, items, take_item, s);
}

static int take(struct task *t, struct sync *s, struct str preview, const struct row *row,
                struct str items)
{
    bool dry = opts_flag(&t->cli->opts, "dry-run"), json = t->out.form == OUT_JSON;
    char what[COUNTED_SIZE], question[120], refused[120];
    char *id = row_copy(row, "preview_id");
    int rc = 0;

    cli_note(t->cli, "%" PRId64 " new, %" PRId64 " changed, %" PRId64 " the same",
             row_int(row, "counts.new"), row_int(row, "counts.update"),
             row_int(row, "counts.unchanged"));
    counted(s->count, "price", what);
    snprintf(question, sizeof(question), "Store %s?", what);
    snprintf(refused, sizeof(refused), "store %s", what);
    if (!json && t->out.form == OUT_TABLE)
        rc = print_items(t, s, items) < 0 || out_flush(&t->out, &t->err) < 0 ? -1 : 0;
    if (rc == 0 && !dry && s->count > 0)
        rc = cli_confirm(t->cli, question, refused, &t->err);
    if (rc == 0 && !json && t->out.form != OUT_TABLE)
        rc = print_items(t, s, items);
    if (rc == 0 && !dry && s->count > 0)
        rc = apply(t, s, id);
    else if (rc == 0 && json)
        rc = out_object(&t->out, preview, &t->err);
    if (rc == 0 && !dry && s->count == 0)
        cli_note(t->cli, "nothing to store");
    free(id);
    return rc;
}

static int sync_with(struct task *t, struct sync *s)
{
    struct row row = {0};
    struct str preview, items = STR_NONE;
    int rc = ask_preview(t, &preview);

    if (rc == 0 && row_read(&row, preview) && row_get(&row, "items", &items))
        rc = task_each_of(t, items, take_item, s);
    if (rc == 0 && s->wanted->count > 0 && s->count < (int64_t)s->wanted->count)
        rc = err_set(&t->err, ERR_NOT_FOUND, "%s has no price for some of the keys",
                     t->cli->opts.args[0]);
    if (rc == 0 && s->count > 0)
        buf_put(&s->keys, STR("]"));
    if (rc == 0)
        rc = take(t, s, preview, &row, items);
    row_clear(&row);
    return rc;
}

int pricing_sync(struct cli *cli)
{
    struct sync s = {.wanted = opts_find(&cli->opts, "key")};
    int64_t limit = 0;
    struct task t;
    struct err err;
    int rc = -1;

    if (cli_int(cli, "limit", 1, 100, &limit, &err) < 0)
        return cli_usage(cli->name, &err);
    if (task_start(&t, cli, opts_flag(&cli->opts, "json") ? &sync_one : &sync_rows))
        rc = sync_with(&t, &s);
    buf_clear(&s.keys);
    return task_end(&t, rc);
}

/* ---- estimate ---- */

const struct opt price_estimate_options[] = {
    {"input", 0, OPT_TEXT, "N", "input tokens"},
    {"output", 0, OPT_TEXT, "N", "output tokens"},
    {"cached", 0, OPT_TEXT, "N", "input tokens read from a cache"},
    {"cache-write", 0, OPT_TEXT, "N", "input tokens written to a cache"},
    {"cache-write-1h", 0, OPT_TEXT, "N", "those of them that stay for an hour"},
    {"reasoning", 0, OPT_TEXT, "N", "output tokens spent on reasoning"},
    {"service-tier", 0, OPT_TEXT, "NAME", "batch, flex, priority"},
    LIST_END,
};

const char price_estimate_more[] =
    "Cached and written tokens are part of the input, reasoning tokens of the output.\n"
    "Counts may be written as 10k or 1M.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy pricing estimate openai gpt-5.4 --input 10k --output 500\n"
    "\n"
    "Exit status: 3 there is no price.\n";

/* "600 tokens at 2.500000"; nothing without tokens. */
static void put_part(const struct task *t, struct buf *out, const char *label,
                     const struct row *row, const char *tokens, const char *rate)
{
    struct buf line = {0};

    if (row_int(row, tokens) > 0 && row_text(row, tokens, &line)) {
        buf_put(&line, STR(" tokens at "));
        if (!row_text(row, rate, &line))
            buf_put(&line, STR("the rate of input"));
        line_add(t, out, label, buf_str(&line));
    }
    buf_clear(&line);
}

static void put_total(const struct task *t, struct buf *out, const struct row *row)
{
    struct buf line = {0};

    if (row_text(row, "input_cost_usd", &line)) {
        buf_put(&line, STR(" + "));
        row_text(row, "output_cost_usd", &line);
        buf_put(&line, STR(" = "));
    }
    if (row_text(row, "cost_usd", &line))
        buf_put(&line, STR(" USD"));
    else
        buf_put(&line, STR("unknown"));
    line_add(t, out, "cost", buf_str(&line));
    buf_clear(&line);
}

static void put_estimate(const struct task *t, struct buf *out, const struct row *row)
{
    const char *input = opts_text(&t->cli->opts, "input");
    const char *output = opts_text(&t->cli->opts, "output");
    struct buf line = {0};
    struct str rest;

    line_member(t, out, "price", row, "pricing_snapshot.matched_model");
    line_member(t, out, "found by", row, "pricing_snapshot.price_match");
    line_member(t, out, "tier", row, "pricing_snapshot.tier_label");
    if (row_get(row, "pricing_snapshot.uncached_input_tokens", &rest)) {
        put_part(t, out, "input", row, "pricing_snapshot.uncached_input_tokens",
                 "pricing_snapshot.input_usd_per_million");
    } else {
        buf_printf(&line, "%s tokens at ", input);
        row_text(row, "pricing_snapshot.input_usd_per_million", &line);
        line_add(t, out, "input", buf_str(&line));
    }
    put_part(t, out, "cached", row, "pricing_snapshot.cached_input_tokens",
             "pricing_snapshot.cached_input_usd_per_million");
    put_part(t, out, "cache write", row, "pricing_snapshot.cache_write_input_tokens",
             "pricing_snapshot.cache_write_usd_per_million");
    line.len = 0;
    buf_printf(&line, "%s tokens at ", output);
    row_text(row, "pricing_snapshot.output_usd_per_million", &line);
    line_add(t, out, "output", buf_str(&line));
    put_total(t, out, row);
    buf_clear(&line);
}

static int put_question(struct edit *e, const struct cli *cli, struct err *err)
{
    static const struct edit_field fields[] = {
        {"input", "input", EDIT_NUMBER},
        {"output", "output", EDIT_NUMBER},
        {"cached", "cached", EDIT_NUMBER},
        {"cache_write", "cache-write", EDIT_NUMBER},
        {"cache_write_1h", "cache-write-1h", EDIT_NUMBER},
        {"reasoning", "reasoning", EDIT_NUMBER},
        {"service_tier", "service-tier", EDIT_TEXT},
        {0},
    };

    edit_text(e, "provider", cli->opts.args[0]);
    edit_text(e, "model", cli->opts.args[1]);
    return edit_fields(e, cli, fields, err);
}

static int estimate(struct task *t, struct str question)
{
    const struct opts *o = &t->cli->opts;
    struct row row = {0};
    struct buf text = {0};
    struct str answer;
    char what[200];
    int rc;

    snprintf(what, sizeof(what), "%.80s of %.80s", o->args[1], o->args[0]);
    rc = task_ask(t, what, "POST", PRICING "/estimate", question, 0, &answer);
    if (rc == 0 && row_read(&row, answer)) {
        put_estimate(t, &text, &row);
        rc = task_print(t, answer, &text);
    }
    row_clear(&row);
    buf_clear(&text);
    return rc;
}

int pricing_estimate(struct cli *cli)
{
    struct edit e = {0};
    struct task t;
    struct err err;
    int rc = 0;

    if (!opts_text(&cli->opts, "input") || !opts_text(&cli->opts, "output"))
        rc = err_set(&err, ERR_INVALID, "%s needs --input and --output", cli->name);
    edit_start(&e, NULL);
    if (rc == 0)
        rc = put_question(&e, cli, &err);
    if (rc < 0) {
        rc = cli_usage(cli->name, &err);
    } else {
        rc = -1;
        if (task_start(&t, cli, &estimate_one))
            rc = estimate(&t, edit_end(&e));
        rc = task_end(&t, rc);
    }
    edit_clear(&e);
    return rc;
}
