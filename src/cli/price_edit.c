/* Prices added, changed and deleted. */
#include <inttypes.h>
#include <stdio.h>

#include "edit.h"
#include "pricing_priv.h"
#include "json/json.h"
#include "json/json_scan.h"

const struct opt price_set_options[] = {
    {"input", 0, OPT_TEXT, "RATE", "USD for a million input tokens"},
    {"output", 0, OPT_TEXT, "RATE", "of output tokens"},
    {"cached-input", 0, OPT_TEXT, "RATE", "of input tokens read from a cache"},
    {"cache-write", 0, OPT_TEXT, "RATE", "of input tokens written to a cache"},
    {"cache-write-1h", 0, OPT_TEXT, "RATE", "of those that stay for an hour"},
    {"reasoning", 0, OPT_TEXT, "RATE", "of reasoning tokens, when they have their own"},
    {"display-name", 0, OPT_TEXT, "TEXT", "as people know it"},
    {"alias", 0, OPT_LIST, "NAME", "another name of the model; those given are all"},
    {"no-aliases", 0, OPT_FLAG, NULL, "without other names"},
    {"notes", 0, OPT_TEXT, "TEXT", "anything"},
    {"source-url", 0, OPT_TEXT, "URL", "where the rates are from"},
    {"checked-at", 0, OPT_TEXT, "DATE", "when they were looked up"},
    {"release-date", 0, OPT_TEXT, "DATE", "of the model"},
    {"active", 0, OPT_FLAG, NULL, "use it"},
    {"inactive", 0, OPT_FLAG, NULL, "keep it, but do not use it"},
    {"tier", 0, OPT_LIST, "MIN:MAX:INPUT:OUTPUT[:CACHED]", "rates for so many input tokens"},
    {"no-tiers", 0, OPT_FLAG, NULL, "without tiers"},
    LIST_END,
};

const char price_set_more[] =
    "Makes the price, or changes what is given; \"\" clears it. A new one needs --input\n"
    "and --output, and its id goes to stdout. Rates have six decimals at most. Tiers\n"
    "that are given replace all; an empty MIN or MAX is open.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy pricing set lab tiny-chat --input 0.10 --output 0.40\n"
    "  llm-observe-proxy pricing set lab tiny-chat --tier :200000:0.10:0.40 \\\n"
    "      --tier 200000::0.20:0.80\n"
    "\n"
    "Exit status: 7 somebody else has just changed it.\n";

const char price_rm_more[] = "What was billed with it keeps its cost.\n"
                             "\n"
                             "Example\n"
                             "  llm-observe-proxy pricing rm lab tiny-chat\n"
                             "\n"
                             "Exit status: 3 there is no such price.\n";

/* ---- finding it ---- */

struct finder {
    const char *model;
    struct buf *json;
};

static int look(struct task *t, void *ctx, struct str json, const struct row *row)
{
    struct finder *f = ctx;

    if (!row_is(row, "model", f->model))
        return 0;
    return buf_add(f->json, json, &t->err) < 0 ? -1 : 1;
}

/* Slugs are stored in lower case. */
static void put_slug(struct buf *query, const char *slug)
{
    struct buf lower = {0};

    for (; *slug; slug++) {
        char c = (char)str_lower(*slug);

        buf_put(&lower, (struct str){&c, 1});
    }
    query_add(query, "provider", lower.ptr ? lower.ptr : "");
    buf_clear(&lower);
}

/* The price of the arguments as it is stored; *json stays empty when there is none. */
static int read_old(struct task *t, struct buf *json, struct row *row)
{
    const struct opts *o = &t->cli->opts;
    struct finder f = {.model = o->args[1], .json = json};
    struct buf query = {0};
    int rc;

    put_slug(&query, o->args[0]);
    query_add(&query, "search", o->args[1]);
    rc = task_each(t, "prices", PRICES, query.ptr, look, &f);
    if (rc == 0 && json->len > 0)
        row_read(row, buf_str(json));
    buf_clear(&query);
    return rc;
}

/* ---- set ---- */

static const struct edit_field fields[] = {
    {"input_usd_per_million", "input", EDIT_DECIMAL},
    {"cached_input_usd_per_million", "cached-input", EDIT_DECIMAL},
    {"output_usd_per_million", "output", EDIT_DECIMAL},
    {"cache_write_usd_per_million", "cache-write", EDIT_DECIMAL},
    {"cache_write_1h_usd_per_million", "cache-write-1h", EDIT_DECIMAL},
    {"reasoning_usd_per_million", "reasoning", EDIT_DECIMAL},
    {"display_name", "display-name", EDIT_TEXT},
    {"notes", "notes", EDIT_TEXT},
    {"source_url", "source-url", EDIT_TEXT},
    {"checked_at", "checked-at", EDIT_TEXT},
    {"release_date", "release-date", EDIT_TEXT},
    {"context_length", NULL, EDIT_AS_IS},
    {0},
};

#define TIER_PARTS 5

/* "MIN:MAX:INPUT:OUTPUT[:CACHED]" as an object; numbers as text, the server reads them. */
static int put_tier(struct buf *out, const char *text, struct err *err)
{
    static const char *const keys[TIER_PARTS] = {
        "min_input_tokens",
        "max_input_tokens",
        "input_usd_per_million",
        "output_usd_per_million",
        "cached_input_usd_per_million",
    };
    struct str rest = str_c(text), part;
    size_t n = 0;

    buf_put(out, out->len > 1 ? STR(",{") : STR("{"));
    while (str_split(&rest, ':', &part)) {
        if (n < TIER_PARTS) {
            buf_printf(out, "%s\"%s\":", n ? "," : "", keys[n]);
            if (part.len > 0)
                json_quote(out, part);
            else
                buf_put(out, STR("null"));
        }
        n++;
    }
    buf_put(out, STR("}"));
    if (n == TIER_PARTS - 1 || n == TIER_PARTS)
        return 0;
    return err_set(err, ERR_INVALID, "--tier: \"%.80s\" is no MIN:MAX:INPUT:OUTPUT[:CACHED]", text);
}

static int read_tiers(const struct cli *cli, struct buf *out, struct err *err)
{
    const struct opt_given *given = opts_find(&cli->opts, "tier");

    if (given->given && opts_flag(&cli->opts, "no-tiers"))
        return err_set(err, ERR_INVALID, "--tier and --no-tiers exclude each other");
    if (!given->given && !opts_flag(&cli->opts, "no-tiers"))
        return 0;
    buf_put(out, STR("["));
    for (size_t i = 0; i < given->count; i++)
        if (put_tier(out, given->list[i], err) < 0)
            return -1;
    buf_put(out, STR("]"));
    return 0;
}

/* Without the member the server leaves tiers as they are. */
static int put_tiers(struct edit *e, const struct cli *cli, struct err *err)
{
    struct buf tiers = {0};
    int rc = read_tiers(cli, &tiers, err);

    if (rc == 0 && tiers.len > 0)
        edit_put(e, "tiers", buf_str(&tiers));
    buf_clear(&tiers);
    return rc;
}

static int put_all(struct edit *e, const struct cli *cli, struct err *err)
{
    static const struct edit_field alias[] = {{"aliases", "alias", EDIT_LIST}, {0}};

    edit_text(e, "provider_slug", cli->opts.args[0]);
    edit_text(e, "model", cli->opts.args[1]);
    if (edit_fields(e, cli, fields, err) < 0)
        return -1;
    if (opts_flag(&cli->opts, "no-aliases"))
        edit_put(e, "aliases", STR("[]"));
    else if (edit_fields(e, cli, alias, err) < 0)
        return -1;
    if (edit_flag(e, cli, "active", "active", "inactive", err) < 0)
        return -1;
    return put_tiers(e, cli, err);
}

static int send(struct task *t, struct edit *e)
{
    const struct opts *o = &t->cli->opts;
    char path[64] = PRICES, what[200];
    struct row row = {0};
    struct buf id = {0};
    struct str answer;
    int rc;

    if (e->old)
        snprintf(path, sizeof(path), PRICES "/%" PRId64, row_int(e->old, "id"));
    snprintf(what, sizeof(what), "price of %.80s:%.80s", o->args[0], o->args[1]);
    rc = task_ask(t, what, e->old ? "PUT" : "POST", path, edit_end(e), 0, &answer);
    if (rc == 0 && row_read(&row, answer) && row_text(&row, "id", &id)) {
        cli_note(t->cli, "%s the %s", e->old ? "changed" : "added", what);
        buf_put(&id, STR("\n"));
        rc = task_print(t, answer, e->old ? NULL : &id);
    }
    row_clear(&row);
    buf_clear(&id);
    return rc;
}

static int set(struct task *t)
{
    const struct opts *o = &t->cli->opts;
    struct buf json = {0};
    struct row row = {0};
    struct edit e = {0};
    int rc = read_old(t, &json, &row);
    bool there = json.len > 0;

    if (rc == 0) {
        edit_start(&e, there ? &row : NULL);
        rc = put_all(&e, t->cli, &t->err);
    }
    if (rc == 0 && there && !e.changed) {
        cli_note(t->cli, "nothing to change");
        rc = task_print(t, buf_str(&json), NULL);
    } else if (rc == 0 && opts_flag(o, "dry-run")) {
        cli_note(t->cli, "would %s the price of %s:%s%s", there ? "change" : "add", o->args[0],
                 o->args[1], there ? ":" : "");
        if (there)
            edit_tell(&e, t->cli);
        rc = task_print(t, edit_end(&e), NULL);
    } else if (rc == 0) {
        rc = send(t, &e);
    }
    edit_clear(&e);
    row_clear(&row);
    buf_clear(&json);
    return rc;
}

int pricing_set(struct cli *cli)
{
    struct buf tiers = {0};
    struct task t;
    struct err err;
    int rc = read_tiers(cli, &tiers, &err);

    if (rc == 0 && opts_flag(&cli->opts, "alias") && opts_flag(&cli->opts, "no-aliases"))
        rc = err_set(&err, ERR_INVALID, "--alias and --no-aliases exclude each other");
    buf_clear(&tiers);
    if (rc < 0)
        return cli_usage(cli->name, &err);
    rc = -1;
    if (task_start(&t, cli, &price_one))
        rc = set(&t);
    return task_end(&t, rc);
}

/* ---- rm ---- */

static int delete_one(struct task *t, void *ctx, size_t i)
{
    const struct row *row = ctx;
    struct str answer;
    char path[64];

    (void)i;
    snprintf(path, sizeof(path), PRICES "/%" PRId64, row_int(row, "id"));
    return task_ask(t, "price", "DELETE", path, STR_NONE, 0, &answer);
}

static int rm(struct task *t)
{
    const struct opts *o = &t->cli->opts;
    char question[256], refused[240];
    struct buf json = {0};
    struct row row = {0};
    int rc = read_old(t, &json, &row);

    snprintf(refused, sizeof(refused), "delete the price of %.80s:%.80s", o->args[0], o->args[1]);
    snprintf(question, sizeof(question), "D%s?", refused + 1);
    if (rc == 0 && json.len == 0)
        rc = err_set(&t->err, ERR_NOT_FOUND, "there is no price of %.80s:%.80s", o->args[0],
                     o->args[1]);
    if (rc == 0 && opts_flag(o, "dry-run")) {
        cli_note(t->cli, "would %s", refused);
        rc = task_print(t, STR("{\"deleted\":false}"), NULL);
    } else if (rc == 0) {
        rc = cli_confirm(t->cli, question, refused, &t->err);
        if (rc == 0)
            rc = task_delete(t, "price", 1, delete_one, &row);
    }
    row_clear(&row);
    buf_clear(&json);
    return rc;
}

int pricing_rm(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &deleted_object))
        rc = rm(&t);
    return task_end(&t, rc);
}
