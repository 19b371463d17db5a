/* Routes added, changed and deleted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "edit.h"
#include "progress.h"
#include "routes_priv.h"

#define COMMON_OPTIONS                                                                             \
    {"match", 0, OPT_TEXT, "exact|prefix", "a MODEL with * at its end is a prefix"},               \
        {"upstream-model", 0, OPT_TEXT, "MODEL", "send this model instead"},                       \
        {"provider", 0, OPT_TEXT, "SLUG", "billed to this provider"},                              \
        {"key-env", 0, OPT_TEXT, "NAME", "the variable that holds the key, never a key"},          \
        {"priority", 0, OPT_TEXT, "N", "1 to 100, the smallest wins", .fallback = "50"},           \
        {"fix", 0, OPT_LIST, "ID", "a fix of answers; several in this order", .values = "FIX"},    \
        {"override-fallback", 0, OPT_FLAG, NULL, "stored and shown only"},                         \
    {                                                                                              \
        "inactive", 0, OPT_FLAG, NULL, "keep it, but do not use it"                                \
    }

const struct opt route_add_options[] = {COMMON_OPTIONS, LIST_END};
const struct opt route_set_options[] = {
    {"model", 0, OPT_TEXT, "MODEL", "the incoming model"},
    {"upstream-url", 0, OPT_TEXT, "URL", "the upstream, with its version segment (/v1)"},
    COMMON_OPTIONS,
    {"active", 0, OPT_FLAG, NULL, "use it"},
    {"no-override-fallback", 0, OPT_FLAG, NULL, "takes --override-fallback back"},
    {"no-fixes", 0, OPT_FLAG, NULL, "without fixes"},
    LIST_END,
};

const char route_add_more[] =
    "URL ends in its version segment, as in http://localhost:9000/v1. The new id goes\n"
    "to stdout.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy routes add 'tiny-*' http://localhost:9000/v1\n"
    "  llm-observe-proxy routes add fast https://api.example.com/v1 --key-env FAST\n"
    "\n"
    "Exit status: 7 there is such a route already.\n";

const char route_set_more[] =
    "ROUTE is an id or the incoming model. What is not given stays; \"\" clears it.\n"
    "Routes of the models file are changed there. A changed route that prices gave is\n"
    "yours from then on.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy routes set 140 --priority 10\n"
    "  llm-observe-proxy routes set 'tiny-*' --upstream-model tiny-chat-q4 --dry-run\n"
    "\n"
    "Exit status: 3 there is no such route, 7 somebody else has just changed it.\n";

static const struct edit_field fields[] = {
    {"provider_slug", "provider", EDIT_TEXT},
    {"api_key_env", "key-env", EDIT_TEXT},
    {"auth_style", NULL, EDIT_AS_IS},
    {"priority", "priority", EDIT_NUMBER},
    {0},
};

static const struct edit_field fix_field[] = {{"compatibility_fixes", "fix", EDIT_LIST}, {0}};

/* ---- the pattern ---- */

static bool is_prefix(const char *model, const char *match)
{
    return match ? strcmp(match, "prefix") == 0 : str_ends(str_c(model), STR("*"));
}

/* ---- what does not go ---- */

struct twin {
    const char *model;
    bool prefix;
    int64_t id;
    bool found, startup;
};

static int look(struct task *t, void *ctx, struct str json, const struct row *row)
{
    struct twin *w = ctx;

    (void)t;
    (void)json;
    if (!row_is(row, "incoming_model", w->model) ||
        row_is(row, "match_type", "prefix") != w->prefix)
        return 0;
    w->found = true;
    w->startup = row_is(row, "source", "startup");
    w->id = row_int(row, "id");
    return w->startup ? 0 : 1;
}

static int refuse_twin(struct task *t, const char *model, bool prefix)
{
    struct twin w = {.model = model, .prefix = prefix};

    if (task_each(t, "routes", ROUTES, "include_startup=1&", look, &w) < 0)
        return -1;
    if (!w.found || (w.startup && prefix))
        return 0;
    if (w.startup)
        return err_set(&t->err, ERR_CONFLICT,
                       "the models file has a route for \"%.80s\" already; edit that file", model);
    return err_set(&t->err, ERR_CONFLICT,
                   "route %" PRId64 " for \"%.80s\" exists already\n  change it with \"%s routes "
                   "set %" PRId64 "\"",
                   w.id, model, PROGRAM, w.id);
}

static int refuse_startup(struct task *t, const char *name, const struct row *row, int64_t entry)
{
    struct buf file = {0};
    bool variable;

    if (entry == 0)
        return 0;
    if (!row_text(row, "file", &file))
        buf_put(&file, STR("the models file"));
    variable = str_starts(buf_str(&file), STR("LLM_OBSERVE_"));
    err_set(&t->err, ERR_INVALID,
            "route \"%.80s\" comes from %.200s, entry %" PRId64 "; edit that %s", name, file.ptr,
            entry, variable ? "variable" : "file");
    buf_clear(&file);
    return -1;
}

/* ---- add ---- */

static int send_new(struct task *t, struct edit *e, const char *model, const char *url)
{
    struct row row = {0};
    struct str answer;
    struct buf id = {0};
    char what[120];
    int rc;

    snprintf(what, sizeof(what), "route \"%.80s\"", model);
    rc = task_ask(t, what, "POST", ROUTES, edit_end(e), 0, &answer);
    if (rc == 0 && row_read(&row, answer) && row_text(&row, "id", &id)) {
        cli_note(t->cli, "added route %s: %s to %s", id.ptr, model, url);
        buf_put(&id, STR("\n"));
        rc = task_print(t, answer, &id);
    }
    row_clear(&row);
    buf_clear(&id);
    return rc;
}

static int add(struct task *t)
{
    const struct cli *cli = t->cli;
    const char *model = cli->opts.args[0], *url = cli->opts.args[1];
    bool prefix = is_prefix(model, opts_text(&cli->opts, "match"));
    struct edit e;
    int rc;

    edit_start(&e, NULL);
    edit_text(&e, "incoming_model", model);
    edit_text(&e, "match_type", prefix ? "prefix" : "exact");
    edit_text(&e, "upstream_url", url);
    if (opts_text(&cli->opts, "upstream-model"))
        edit_text(&e, "upstream_model", opts_text(&cli->opts, "upstream-model"));
    rc = edit_fields(&e, cli, fields, &t->err);
    if (rc == 0)
        rc = edit_fields(&e, cli, fix_field, &t->err);
    if (rc == 0)
        rc = edit_flag(&e, cli, "active", NULL, "inactive", &t->err);
    if (rc == 0)
        rc = edit_flag(&e, cli, "override_fallback", "override-fallback", NULL, &t->err);
    if (rc == 0)
        rc = refuse_twin(t, model, prefix);
    if (rc == 0 && opts_flag(&cli->opts, "dry-run")) {
        cli_note(cli, "would add a route: %s to %s", model, url);
        rc = task_print(t, edit_end(&e), NULL);
    } else if (rc == 0) {
        rc = send_new(t, &e, model, url);
    }
    edit_clear(&e);
    return rc;
}

int routes_add(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &route_one))
        rc = add(&t);
    return task_end(&t, rc);
}

/* ---- set ---- */

/* A route without another name for its model is shown with the incoming one. */
static void put_pattern(struct edit *e, const struct cli *cli)
{
    const char *model = opts_text(&cli->opts, "model"), *match = opts_text(&cli->opts, "match");
    struct str incoming, upstream;
    bool renames = !row_get(e->old, "incoming_model", &incoming) ||
                   !row_get(e->old, "upstream_model", &upstream) || !str_eq(incoming, upstream);

    if (model)
        edit_text(e, "incoming_model", model);
    else
        edit_put(e, "incoming_model", STR_NONE);
    if (model || match)
        edit_text(e, "match_type", is_prefix(model, match) ? "prefix" : "exact");
    else
        edit_put(e, "match_type", STR_NONE);
    if (opts_text(&cli->opts, "upstream-model"))
        edit_text(e, "upstream_model", opts_text(&cli->opts, "upstream-model"));
    else if (renames)
        edit_put(e, "upstream_model", STR_NONE);
}

static int put_all(struct edit *e, const struct cli *cli, struct err *err)
{
    static const struct edit_field url[] = {{"upstream_url", "upstream-url", EDIT_TEXT}, {0}};

    put_pattern(e, cli);
    if (edit_fields(e, cli, url, err) < 0 || edit_fields(e, cli, fields, err) < 0)
        return -1;
    if (opts_flag(&cli->opts, "no-fixes"))
        edit_put(e, "compatibility_fixes", STR("[]"));
    else if (edit_fields(e, cli, fix_field, err) < 0)
        return -1;
    if (edit_flag(e, cli, "active", "active", "inactive", err) < 0)
        return -1;
    return edit_flag(e, cli, "override_fallback", "override-fallback", "no-override-fallback", err);
}

static int send_changed(struct task *t, struct edit *e, const char *name)
{
    char path[64], what[64];
    int64_t id = row_int(e->old, "id");
    struct str answer;

    snprintf(path, sizeof(path), ROUTES "/%" PRId64, id);
    snprintf(what, sizeof(what), "route %" PRId64, id);
    if (task_ask(t, what, "PUT", path, edit_end(e), 0, &answer) < 0)
        return -1;
    cli_note(t->cli, "changed route %" PRId64 " (%s)", id, name);
    return task_print(t, answer, NULL);
}

static int set(struct task *t)
{
    const char *name = t->cli->opts.args[0];
    struct buf json = {0};
    struct row row = {0};
    struct edit e;
    int64_t entry;
    int rc;

    edit_start(&e, &row);
    rc = route_find(t, name, &json, &row, &entry);
    if (rc == 0)
        rc = refuse_startup(t, name, &row, entry);
    if (rc == 0)
        rc = put_all(&e, t->cli, &t->err);
    if (rc == 0 && !e.changed) {
        cli_note(t->cli, "nothing to change");
        rc = task_print(t, buf_str(&json), NULL);
    } else if (rc == 0 && opts_flag(&t->cli->opts, "dry-run")) {
        cli_note(t->cli, "would change route %" PRId64 ":", row_int(&row, "id"));
        edit_tell(&e, t->cli);
        rc = task_print(t, edit_end(&e), NULL);
    } else if (rc == 0) {
        rc = send_changed(t, &e, name);
    }
    edit_clear(&e);
    row_clear(&row);
    buf_clear(&json);
    return rc;
}

int routes_set(struct cli *cli)
{
    struct task t;
    struct err err;
    int rc = -1;

    if (opts_flag(&cli->opts, "fix") && opts_flag(&cli->opts, "no-fixes")) {
        err_set(&err, ERR_INVALID, "--fix and --no-fixes exclude each other");
        return cli_usage(cli->name, &err);
    }
    if (task_start(&t, cli, &route_one))
        rc = set(&t);
    return task_end(&t, rc);
}

/* ---- rm ---- */

/* The ids that the arguments name, each once. */
static int find_all(struct task *t, int64_t *ids, size_t *count)
{
    for (size_t i = 0; i < t->cli->opts.arg_count; i++) {
        const char *name = t->cli->opts.args[i];
        struct buf json = {0};
        struct row row = {0};
        int64_t entry;
        bool known = false;
        int rc = route_find(t, name, &json, &row, &entry);

        if (rc == 0)
            rc = refuse_startup(t, name, &row, entry);
        if (rc == 0)
            ids[*count] = row_int(&row, "id");
        for (size_t k = 0; rc == 0 && k < *count; k++)
            known = known || ids[k] == ids[*count];
        *count += rc == 0 && !known;
        row_clear(&row);
        buf_clear(&json);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int delete_one(struct task *t, void *ctx, size_t i)
{
    const int64_t *ids = ctx;
    char path[64], what[64];
    struct str answer;

    snprintf(path, sizeof(path), ROUTES "/%" PRId64, ids[i]);
    snprintf(what, sizeof(what), "route %" PRId64, ids[i]);
    return task_ask(t, what, "DELETE", path, STR_NONE, 0, &answer);
}

static int rm(struct task *t, int64_t *ids)
{
    char what[COUNTED_SIZE], question[120], refused[120];
    size_t count = 0;

    if (find_all(t, ids, &count) < 0)
        return -1;
    counted((int64_t)count, "route", what);
    if (opts_flag(&t->cli->opts, "dry-run")) {
        cli_note(t->cli, "would delete %s", what);
        return task_print(t, STR("{\"deleted\":false}"), NULL);
    }
    snprintf(question, sizeof(question), "Delete %s?", what);
    snprintf(refused, sizeof(refused), "delete %s", what);
    if (cli_confirm(t->cli, question, refused, &t->err) < 0)
        return -1;
    return task_delete(t, "route", count, delete_one, ids);
}

int routes_rm(struct cli *cli)
{
    int64_t *ids = xcalloc(cli->opts.arg_count, sizeof(*ids));
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &deleted_object))
        rc = rm(&t, ids);
    free(ids);
    return task_end(&t, rc);
}
