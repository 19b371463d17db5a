#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "join.h"
#include "routes_priv.h"

/* ---- list ---- */

static const struct opt list_options[] = {
    {"search", 0, OPT_TEXT, "TEXT", "part of model, upstream URL or provider name"},
    {"provider", 0, OPT_TEXT, "SLUG", "of this provider"},
    {"status", 0, OPT_TEXT, "active|inactive", "only those"},
    {"usage", 0, OPT_FLAG, NULL, "with requests today, and the last one"},
    LIST_END,
};

static const char list_more[] =
    "Routes of the models file come first: they have no id.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy routes list --provider openai --status active\n"
    "  llm-observe-proxy routes list --usage --json=incoming_model,requests_today\n";

static int list(struct task *t)
{
    static const char *const filters[] = {"search", "provider", "status", NULL};
    static const char *const members[] = {"requests_today", "last_matched_at", NULL};
    static const char *const fallbacks[] = {"0", "null"};
    struct join usage = {
        .key = "incoming_model", .other_key = "route", .members = members, .fallbacks = fallbacks};
    bool with_usage = opts_flag(&t->cli->opts, "usage");
    struct buf query = {0};
    int rc = 0;

    buf_put(&query, STR("include_startup=1&"));
    query_options(&query, t->cli, filters);
    if (with_usage)
        rc = join_read(&usage, t, "routes", ROUTES "/usage");
    if (rc == 0)
        rc = task_each(t, "routes", ROUTES, query.ptr, with_usage ? join_print_row : task_print_row,
                       &usage);
    join_clear(&usage);
    buf_clear(&query);
    return rc;
}

static int routes_list(struct cli *cli)
{
    bool usage = opts_flag(&cli->opts, "usage");
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, usage ? &route_usage_rows : &route_rows))
        rc = list(&t);
    return task_end(&t, rc);
}

/* ---- recent ---- */

static const struct opt recent_options[] = {
    {"days", 0, OPT_TEXT, "N", "look back N days", .fallback = "30"},
    LIST_END,
};

static const char recent_more[] =
    "The 100 models that clients asked for last, and where each would go now.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy routes recent --days 7\n";

static int recent(struct task *t, int64_t days)
{
    struct str answer, items;
    struct row row = {0};
    char query[64];
    int rc;

    snprintf(query, sizeof(query), "days=%" PRId64 "&limit=100", days);
    rc = task_get(t, "models", ROUTES "/recent-models", query, &answer);
    if (rc == 0 && row_read(&row, answer) && row_get(&row, "items", &items))
        rc = task_each_of(t, items, task_print_row, NULL);
    row_clear(&row);
    return rc;
}

static int routes_recent(struct cli *cli)
{
    int64_t days = 30;
    struct task t;
    struct err err;
    int rc = -1;

    if (cli_int(cli, "days", 1, 3650, &days, &err) < 0)
        return cli_usage(cli->name, &err);
    if (task_start(&t, cli, &recent_rows))
        rc = recent(&t, days);
    return task_end(&t, rc);
}

/* ---- finding one ---- */

struct finder {
    const char *model;
    int64_t id; /* 0: by the model */
    struct buf *json;
    int64_t found, startup, entry; /* how many; at which place of its file the startup one is */
};

static int look(struct task *t, void *ctx, struct str json, const struct row *row)
{
    struct finder *f = ctx;
    bool startup = row_is(row, "source", "startup");

    f->startup += startup;
    if (f->id ? row_int(row, "id") != f->id : !row_is(row, "incoming_model", f->model))
        return 0;
    if (startup) {
        f->entry = f->startup;
    } else if (f->found++ == 0) {
        f->json->len = 0;
    }
    if (f->json->len == 0 && buf_add(f->json, json, &t->err) < 0)
        return -1;
    return f->id ? 1 : 0;
}

int route_find(struct task *t, const char *text, struct buf *json, struct row *row, int64_t *entry)
{
    struct finder f = {.model = text, .json = json};
    int rc;

    if (str_int64(str_c(text), &f.id) && f.id > 0)
        rc = task_each(t, "routes", ROUTES, "", look, &f);
    else
        f.id = 0;
    if (!f.id || (rc == 0 && f.found == 0)) {
        f = (struct finder){.model = text, .json = json};
        rc = task_each(t, "routes", ROUTES, "include_startup=1&", look, &f);
    }
    *entry = f.found == 0 ? f.entry : 0;
    if (rc < 0)
        return -1;
    if (f.found > 1)
        return err_set(&t->err, ERR_INVALID,
                       "\"%.80s\" is the model of %" PRId64 " routes\n  name one by its id, see "
                       "\"%s routes list --search\"",
                       text, f.found, PROGRAM);
    if (json->len == 0 || !row_read(row, buf_str(json)))
        return err_set(&t->err, ERR_NOT_FOUND, "there is no route \"%.80s\"", text);
    return 0;
}

/* ---- the command ---- */

static const char rm_more[] =
    "ROUTE is an id or the incoming model. Routes of the models file cannot be\n"
    "deleted here. One that prices gave comes back with \"routes seed\" only.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy routes rm 140 'tiny-*'\n"
    "\n"
    "Exit status: 3 there is no such route, 8 some were deleted and others not.\n";

const struct verb routes_verbs[] = {
    {"list", "[options]", "list routes", list_options, FORM_JSON | FORM_ROWS, list_more,
     routes_list, .out = &route_usage_rows},
    {"recent", "[options]", "list models used lately, and where they go", recent_options,
     FORM_JSON | FORM_ROWS, recent_more, routes_recent, .out = &recent_rows},
    {"add", "MODEL URL [options]", "add a route", route_add_options, FORM_JSON | FORM_CHANGES,
     route_add_more, routes_add, .out = &route_one},
    {"set", "ROUTE [options]", "change a route", route_set_options, FORM_JSON | FORM_CHANGES,
     route_set_more, routes_set, .out = &route_one},
    {"rm", "ROUTE...", "delete routes", NULL, FORM_JSON | FORM_CHANGES, rm_more, routes_rm,
     .out = &deleted_object},
    {"resolve", "MODEL [options]", "tell where a model goes, and why", route_resolve_options,
     FORM_JSON, route_resolve_more, routes_resolve, .out = &simulation_one},
    {"seed", "[options]", "make routes of the models in the price list", route_seed_options,
     FORM_JSON | FORM_ROWS | FORM_CHANGES, route_seed_more, routes_seed, .out = &seed_rows},
    {"test", "ROUTE | --model NAME [options]", "send a real request through a route",
     route_test_options, FORM_JSON, route_test_more, routes_test, .out = &test_one},
    {0},
};
