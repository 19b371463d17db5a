#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/query.h"
#include "commands.h"
#include "edit.h"
#include "join.h"
#include "progress.h"
#include "providers_columns.h"

#define PROVIDERS "/admin/api/providers"

/* ---- list ---- */

static const struct opt list_options[] = {
    {"search", 0, OPT_TEXT, "TEXT", "part of slug, name, upstream URL or currency"},
    {"status", 0, OPT_TEXT, "active|inactive", "only those"},
    {"currency", 0, OPT_TEXT, "CODE", "billing in this currency"},
    {"usage", 0, OPT_FLAG, NULL, "with requests and cost today"},
    LIST_END,
};

static const char list_more[] =
    "Examples\n"
    "  llm-observe-proxy providers list --usage\n"
    "  llm-observe-proxy providers list --json=slug,api_key_env,api_key_state\n";

static int list(struct task *t)
{
    static const char *const filters[] = {"search", "status", "currency", NULL};
    static const char *const members[] = {"requests_today", "estimated_cost_usd", NULL};
    static const char *const fallbacks[] = {"0", "0"};
    struct join usage = {
        .key = "slug", .other_key = "provider_slug", .members = members, .fallbacks = fallbacks};
    bool with_usage = opts_flag(&t->cli->opts, "usage");
    struct buf query = {0};
    int rc = 0;

    query_options(&query, t->cli, filters);
    if (with_usage)
        rc = join_read(&usage, t, "providers", PROVIDERS "/usage");
    if (rc == 0)
        rc = task_each(t, "providers", PROVIDERS, query.ptr ? query.ptr : "",
                       with_usage ? join_print_row : task_print_row, &usage);
    join_clear(&usage);
    buf_clear(&query);
    return rc;
}

static int providers_list(struct cli *cli)
{
    bool usage = opts_flag(&cli->opts, "usage");
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, usage ? &provider_usage_rows : &provider_rows))
        rc = list(&t);
    return task_end(&t, rc);
}

/* ---- one provider ---- */

/* The path of a provider, or of something below it. Returns owned. */
static char *path_of(const char *slug, const char *below)
{
    struct buf path = {0};

    buf_put(&path, STR(PROVIDERS "/"));
    query_encode(&path, str_c(slug));
    buf_put(&path, str_c(below));
    return buf_take(&path);
}

static int call(struct task *t, const char *method, const char *slug, const char *below,
                int64_t timeout_ms, struct str *answer)
{
    char what[128], *path;
    int rc;

    if (!slug[0])
        return err_set(&t->err, ERR_INVALID, "SLUG is empty");
    path = path_of(slug, below);
    snprintf(what, sizeof(what), "provider \"%.80s\"", slug);
    rc = task_ask(t, what, method, path, STR_NONE, timeout_ms, answer);
    free(path);
    return rc;
}

/* ---- set ---- */

static const struct opt set_options[] = {
    {"name", 0, OPT_TEXT, "TEXT", "as people know it; a new one needs it"},
    {"upstream-url", 0, OPT_TEXT, "URL", "the base URL of its API"},
    {"currency", 0, OPT_TEXT, "CODE", "of its prices", .fallback = "USD"},
    {"key-env", 0, OPT_TEXT, "NAME", "the variable that holds the key, never a key"},
    {"capability", 0, OPT_TEXT, "LIST", "of text, vision and tool_calling, with commas"},
    {"active", 0, OPT_FLAG, NULL, "use it"},
    {"inactive", 0, OPT_FLAG, NULL, "keep it, but do not use it"},
    {"default", 0, OPT_FLAG, NULL, "it takes what no route matches"},
    {"no-default", 0, OPT_FLAG, NULL, "takes --default back"},
    LIST_END,
};

static const char set_more[] =
    "Makes the provider, or changes what is given; \"\" clears it. The slug of a new\n"
    "one goes to stdout.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy providers set lab --name Lab --upstream-url http://lab:9/v1\n"
    "  llm-observe-proxy providers set lab --key-env LAB_KEY --default\n"
    "\n"
    "Exit status: 7 somebody else has just changed it.\n";

static const char *const capabilities[] = {"text", "vision", "tool_calling"};
#define CAPABILITIES (sizeof(capabilities) / sizeof(*capabilities))

/* "text,vision" as {"text":true,"vision":true}. */
static int read_capabilities(const struct cli *cli, struct buf *out, struct err *err)
{
    struct str rest = str_c(opts_text(&cli->opts, "capability")), name;

    if (!rest.ptr)
        return 0;
    buf_put(out, STR("{"));
    while (rest.len > 0 && str_split(&rest, ',', &name)) {
        size_t i = 0;

        name = str_trim(name);
        while (i < CAPABILITIES && !str_eq(name, str_c(capabilities[i])))
            i++;
        if (i == CAPABILITIES)
            return err_set(err, ERR_INVALID,
                           "--capability: \"%.*s\" is none of text, vision, tool_calling",
                           STR_ARG(str_cut(name, 40)));
        buf_printf(out, "%s\"%s\":true", out->len > 1 ? "," : "", capabilities[i]);
    }
    buf_put(out, STR("}"));
    return 0;
}

static int put_all(struct edit *e, const struct cli *cli, struct err *err)
{
    static const struct edit_field fields[] = {
        {"name", "name", EDIT_TEXT},         {"upstream_url", "upstream-url", EDIT_TEXT},
        {"currency", "currency", EDIT_TEXT}, {"api_key_env", "key-env", EDIT_TEXT},
        {"auth_style", NULL, EDIT_AS_IS},    {0},
    };
    struct buf able = {0};
    int rc = read_capabilities(cli, &able, err);

    if (rc == 0)
        rc = edit_fields(e, cli, fields, err);
    if (rc == 0) {
        edit_put(e, "capabilities", able.len > 0 ? buf_str(&able) : STR_NONE);
        rc = edit_flag(e, cli, "active", "active", "inactive", err);
    }
    if (rc == 0)
        rc = edit_flag(e, cli, "is_default_fallback", "default", "no-default", err);
    buf_clear(&able);
    return rc;
}

/* Read the provider into *old; false when there is none yet, or t->err says why not. */
static int read_old(struct task *t, const char *slug, struct buf *json, struct row *row)
{
    struct str answer;

    if (call(t, "GET", slug, "", 0, &answer) == 0) {
        buf_put(json, answer);
        return row_read(row, buf_str(json)) ? 1 : 0;
    }
    if (t->err.code != ERR_NOT_FOUND)
        return -1;
    if (!opts_text(&t->cli->opts, "name"))
        return err_set(&t->err, ERR_INVALID,
                       "there is no provider \"%.80s\"\n  a new one needs a name: --name", slug);
    return 0;
}

static int send(struct task *t, struct edit *e, const char *slug)
{
    struct row row = {0};
    struct buf text = {0};
    struct str answer;
    int rc = task_ask(t, slug, "POST", PROVIDERS, edit_end(e), 0, &answer);

    if (rc == 0 && row_read(&row, answer) && row_text(&row, "slug", &text)) {
        cli_note(t->cli, "%s provider %s", e->old ? "changed" : "added", text.ptr);
        buf_put(&text, STR("\n"));
        rc = task_print(t, answer, e->old ? NULL : &text);
    }
    row_clear(&row);
    buf_clear(&text);
    return rc;
}

static int set(struct task *t)
{
    const char *slug = t->cli->opts.args[0];
    struct buf json = {0};
    struct row row = {0};
    struct edit e = {0};
    int there = read_old(t, slug, &json, &row), rc = there;

    if (rc >= 0) {
        edit_start(&e, there ? &row : NULL);
        edit_text(&e, "slug", slug);
        rc = put_all(&e, t->cli, &t->err);
    }
    if (rc == 0 && there && !e.changed) {
        cli_note(t->cli, "nothing to change");
        rc = task_print(t, buf_str(&json), NULL);
    } else if (rc == 0 && opts_flag(&t->cli->opts, "dry-run")) {
        cli_note(t->cli, "would %s provider %s%s", there ? "change" : "add", slug,
                 there ? ":" : "");
        if (there)
            edit_tell(&e, t->cli);
        rc = task_print(t, edit_end(&e), NULL);
    } else if (rc == 0) {
        rc = send(t, &e, slug);
    }
    edit_clear(&e);
    row_clear(&row);
    buf_clear(&json);
    return rc;
}

static int providers_set(struct cli *cli)
{
    struct buf able = {0};
    struct task t;
    struct err err;
    int rc = read_capabilities(cli, &able, &err);

    buf_clear(&able);
    if (rc < 0)
        return cli_usage(cli->name, &err);
    rc = -1;
    if (task_start(&t, cli, &provider_one))
        rc = set(&t);
    return task_end(&t, rc);
}

/* ---- rm ---- */

static const char rm_more[] =
    "The prices of a provider go with it, its routes lose their provider. Captured\n"
    "requests stay.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy providers rm lab\n"
    "\n"
    "Exit status: 3 there is no such provider, 8 some were deleted and others not.\n";

static int count_all(struct task *t, int64_t *prices, int64_t *routes)
{
    const struct opts *o = &t->cli->opts;

    for (size_t i = 0; i < o->arg_count; i++) {
        struct row row = {0};
        struct str answer;

        if (call(t, "GET", o->args[i], "", 0, &answer) < 0)
            return -1;
        if (row_read(&row, answer)) {
            *prices += row_int(&row, "model_count");
            *routes += row_int(&row, "route_count");
        }
        row_clear(&row);
    }
    return 0;
}

static int delete_one(struct task *t, void *ctx, size_t i)
{
    struct str answer;

    (void)ctx;
    return call(t, "DELETE", t->cli->opts.args[i], "", 0, &answer);
}

static int rm(struct task *t)
{
    char who[COUNTED_SIZE], lost[COUNTED_SIZE], gone[COUNTED_SIZE], question[300], refused[200];
    int64_t prices = 0, routes = 0;
    const char *lose;

    if (count_all(t, &prices, &routes) < 0)
        return -1;
    lose = routes == 1 ? "loses its provider" : "lose their provider";
    counted((int64_t)t->cli->opts.arg_count, "provider", who);
    counted(prices, "price", gone);
    counted(routes, "route", lost);
    snprintf(refused, sizeof(refused), "delete %s with %s", who, gone);
    if (opts_flag(&t->cli->opts, "dry-run")) {
        cli_note(t->cli, "would %s; %s %s", refused, lost, lose);
        return task_print(t, STR("{\"deleted\":false}"), NULL);
    }
    snprintf(question, sizeof(question), "Delete %s with %s? %s %s.", who, gone, lost, lose);
    if (cli_confirm(t->cli, question, refused, &t->err) < 0)
        return -1;
    return task_delete(t, "provider", t->cli->opts.arg_count, delete_one, NULL);
}

static int providers_rm(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &deleted_object))
        rc = rm(&t);
    return task_end(&t, rc);
}

/* ---- check ---- */

static const char check_more[] =
    "Asks GET /models of the providers that are named, or of all active ones.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy providers check openai\n"
    "\n"
    "Exit status: 1 one of them is not well, 3 there is no such provider.\n";

static int print_check(struct task *t, void *ctx, struct str json, const struct row *row)
{
    if (!row_is(row, "status", "healthy"))
        *(bool *)ctx = true;
    if (out_row(&t->out, json, &t->err) < 0)
        return -1;
    return t->out.form == OUT_JSON ? 0 : out_flush(&t->out, &t->err);
}

static int check_one(struct task *t, const char *slug, bool *warned)
{
    struct row row = {0};
    struct str answer;
    int rc = call(t, "POST", slug, "/test", ASK_MS, &answer);

    if (rc == 0 && row_read(&row, answer))
        rc = print_check(t, warned, answer, &row);
    row_clear(&row);
    return rc;
}

static int check_row(struct task *t, void *ctx, struct str json, const struct row *row)
{
    char *slug = row_copy(row, "slug");
    int rc = check_one(t, slug ? slug : "", ctx);

    (void)json;
    free(slug);
    return rc;
}

/* A server asks all of them at once. */
static int check_all(struct task *t, bool *warned)
{
    struct str answer;

    if (!t->source.client)
        return task_each(t, "providers", PROVIDERS, "status=active&", check_row, warned);
    if (task_ask(t, "providers", "POST", PROVIDERS "/health-checks", STR_NONE, ASK_MS, &answer) < 0)
        return -1;
    return task_each_of(t, answer, print_check, warned);
}

static int check(struct task *t)
{
    const struct opts *o = &t->cli->opts;
    bool warned = false;
    int rc = o->arg_count == 0 ? check_all(t, &warned) : 0;

    for (size_t i = 0; i < o->arg_count && rc == 0; i++)
        rc = check_one(t, o->args[i], &warned);
    return rc < 0 ? -1 : warned;
}

static int providers_check(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &check_rows))
        rc = check(&t);
    return task_end(&t, rc);
}

/* ---- the command ---- */

const struct verb providers_verbs[] = {
    {"list", "[options]", "list providers", list_options, FORM_JSON | FORM_ROWS, list_more,
     providers_list, .out = &provider_usage_rows},
    {"set", "SLUG [options]", "add or change a provider", set_options, FORM_JSON | FORM_CHANGES,
     set_more, providers_set, .out = &provider_one},
    {"rm", "SLUG...", "delete providers and their prices", NULL, FORM_JSON | FORM_CHANGES, rm_more,
     providers_rm, .out = &deleted_object},
    {"check", "[SLUG]...", "ask providers whether they are well", NULL, FORM_JSON | FORM_ROWS,
     check_more, providers_check, .out = &check_rows},
    {0},
};
