/* Where a model goes, routes that prices give, and a request through a route. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "edit.h"
#include "progress.h"
#include "routes_priv.h"
#include "text/term.h"
#include "json/json_scan.h"

/* ---- resolve ---- */

const struct opt route_resolve_options[] = {
    {"provider", 0, OPT_TEXT, "SLUG", "as if this provider had to take it"},
    {"sample", 0, OPT_TEXT, "curl|python", "print a request to try"},
    {"strict", 0, OPT_FLAG, NULL, "fail unless a route matches"},
    LIST_END,
};

const char route_resolve_more[] =
    "Nothing is sent anywhere.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy routes resolve tiny-chat\n"
    "  llm-observe-proxy routes resolve tiny-chat --sample curl | sh\n"
    "\n"
    "Exit status: 1 the key is missing; with --strict also when no route matches.\n";

static const char *reason_of(const struct row *row)
{
    struct str route;

    if (row_is(row, "status", "missing_api_key"))
        return "the variable that should hold its key is not set";
    if (row_is(row, "status", "fallback"))
        return "no route matches, so the fallback provider takes it";
    if (row_is(row, "status", "no_match"))
        return "no route matches and there is no fallback, so it goes to the global upstream as "
               "it is";
    if (!row_get(row, "matched_route", &route))
        return "";
    return row_is(row, "match_type", "prefix") ? "a route for models that begin so matches"
                                               : "a route for this model matches";
}

static void put_fixes(const struct task *t, struct buf *out, const struct row *row)
{
    struct buf names = {0};
    struct str list;

    if (row_get(row, "compatibility_fixes", &list)) {
        struct json_iter it = json_iter(list);

        while (json_next(&it)) {
            if (names.len > 0)
                buf_put(&names, STR(", "));
            value_text(it.value, &names);
        }
    }
    line_add(t, out, "fixes", buf_str(&names));
    buf_clear(&names);
}

/* Several upstreams in the order in which they would be tried. */
static void put_upstreams(const struct task *t, struct buf *out, const struct row *row)
{
    struct buf line = {0};
    struct row one = {0};
    struct str list;
    struct json_iter it;

    if (!row_get(row, "upstreams", &list))
        return;
    for (it = json_iter(list); json_next(&it);) {
        if (!row_read(&one, it.value))
            continue;
        line.len = 0;
        row_text(&one, "order", &line);
        buf_put(&line, STR(". "));
        row_text(&one, "upstream_url", &line);
        buf_put(&line, STR(" ("));
        row_text(&one, "state", &line);
        buf_put(&line, STR(")"));
        line_add(t, out, "upstreams", buf_str(&line));
    }
    row_clear(&one);
    buf_clear(&line);
}

static void put_decision(const struct task *t, struct buf *out, const struct row *row)
{
    line_add(t, out, "model", str_c(t->cli->opts.args[0]));
    line_member(t, out, "status", row, "status");
    line_add(t, out, "because", str_c(reason_of(row)));
    line_member(t, out, "route", row, "matched_route");
    line_member(t, out, "match", row, "match_type");
    line_member(t, out, "upstream", row, "upstream_url");
    line_member(t, out, "sent as", row, "upstream_model");
    line_member(t, out, "provider", row, "provider_slug");
    line_member(t, out, "key", row, "api_key_state");
    put_fixes(t, out, row);
    put_upstreams(t, out, row);
}

/* A snippet is made to be run, so its bytes matter; it is only shown where they are harmless. */
static int put_sample(struct task *t, struct buf *out, const struct row *row, const char *form)
{
    char path[40];

    snprintf(path, sizeof(path), "sample_request.%s", form);
    row_text(row, path, out);
    if (!term_is_plain(buf_str(out)))
        return err_set(&t->err, ERR_INVALID,
                       "the model has characters that a terminal would obey; use --json");
    buf_put(out, STR("\n"));
    return 0;
}

static int resolve(struct task *t)
{
    const struct opts *o = &t->cli->opts;
    const char *sample = opts_text(o, "sample");
    static const struct edit_field provider[] = {{"provider_slug", "provider", EDIT_TEXT}, {0}};
    struct edit e;
    struct row row = {0};
    struct buf text = {0};
    struct str answer;
    char what[120];
    int rc;

    snprintf(what, sizeof(what), "model \"%.80s\"", o->args[0]);
    edit_start(&e, NULL);
    edit_text(&e, "model", o->args[0]);
    rc = edit_fields(&e, t->cli, provider, &t->err);
    if (rc == 0)
        rc = task_ask(t, what, "POST", ROUTES "/simulate", edit_end(&e), 0, &answer);
    if (rc == 0 && row_read(&row, answer)) {
        if (sample)
            rc = put_sample(t, &text, &row, sample);
        else
            put_decision(t, &text, &row);
        if (rc == 0)
            rc = task_print(t, answer, &text);
        if (rc == 0)
            rc = row_is(&row, "status", "missing_api_key") ||
                 (opts_flag(o, "strict") && !row_is(&row, "status", "matched"));
    }
    edit_clear(&e);
    row_clear(&row);
    buf_clear(&text);
    return rc;
}

int routes_resolve(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &simulation_one))
        rc = resolve(&t);
    return task_end(&t, rc);
}

/* ---- seed ---- */

const struct opt route_seed_options[] = {
    {"provider", 0, OPT_TEXT, "SLUG", "of this provider's prices only"},
    {"mode", 0, OPT_TEXT, "MODE", "missing_only, or refresh_seeded: change those, too",
     .fallback = "missing_only", .values = "missing_only|refresh_seeded"},
    {"prune", 0, OPT_FLAG, NULL, "delete such routes that no price gives any more"},
    LIST_END,
};

const char route_seed_more[] =
    "A route for each active price whose provider has an upstream URL. Routes that\n"
    "people made are left alone.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy routes seed --dry-run\n"
    "  llm-observe-proxy routes seed --provider openai --mode refresh_seeded --yes\n";

static int print_item(struct task *t, void *ctx, struct str json, const struct row *row)
{
    (void)ctx;
    if (row_is(row, "status", "insert") || row_is(row, "status", "update_seeded_route"))
        return out_row(&t->out, json, &t->err);
    return 0;
}

static int print_items(struct task *t, const struct row *row)
{
    struct str items;

    return row_get(row, "items", &items) ? task_each_of(t, items, print_item, NULL) : 0;
}

static int64_t stale_of(const struct row *row)
{
    int64_t n = 0;
    struct str list;

    if (row_get(row, "stale", &list))
        for (struct json_iter it = json_iter(list); json_next(&it);)
            n++;
    return n;
}

static void tell_seed(const struct task *t, const struct row *row, bool dry)
{
    char added[COUNTED_SIZE], pruned[64] = "";

    if (opts_flag(&t->cli->opts, "prune"))
        snprintf(pruned, sizeof(pruned), ", %s %" PRId64, dry ? "delete" : "deleted",
                 row_int(row, "pruned") > 0 ? row_int(row, "pruned") : stale_of(row));
    cli_note(t->cli, "%s %s, %s %" PRId64 "%s; %s %" PRId64 " as they are",
             dry ? "would add" : "added", counted(row_int(row, "inserted"), "route", added),
             dry ? "change" : "changed", row_int(row, "updated"), pruned, dry ? "leave" : "left",
             row_int(row, "skipped_existing") + row_int(row, "skipped_user"));
}

static int ask_to_seed(struct task *t, const struct row *row, bool *nothing)
{
    char what[COUNTED_SIZE], more[64] = "", question[200], refused[200];
    int64_t change = row_int(row, "inserted") + row_int(row, "updated");
    int64_t gone = opts_flag(&t->cli->opts, "prune") ? stale_of(row) : 0;

    *nothing = change + gone == 0;
    if (*nothing)
        return 0;
    if (gone > 0)
        snprintf(more, sizeof(more), " and delete %" PRId64, gone);
    counted(change, "route", what);
    snprintf(question, sizeof(question), "Write %s%s?", what, more);
    snprintf(refused, sizeof(refused), "write %s%s", what, more);
    return cli_confirm(t->cli, question, refused, &t->err);
}

static int finish_seed(struct task *t, struct str answer, const struct row *row)
{
    return t->out.form == OUT_JSON ? out_object(&t->out, answer, &t->err) : print_items(t, row);
}

/* What people are asked about they see before; a script gets what was done. */
static int seed_with(struct task *t, struct str body)
{
    bool dry = opts_flag(&t->cli->opts, "dry-run"), nothing = false;
    bool shows = t->out.form == OUT_TABLE && !opts_flag(&t->cli->opts, "yes") && !dry &&
                 isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    struct row row = {0};
    struct str answer;
    int rc = task_ask(t, "routes", "POST", ROUTES "/defaults/preview", body, ASK_MS, &answer);

    if (rc == 0)
        row_read(&row, answer);
    if (rc == 0 && shows)
        rc = print_items(t, &row) < 0 || out_flush(&t->out, &t->err) < 0 ? -1 : 0;
    if (rc == 0 && !dry)
        rc = ask_to_seed(t, &row, &nothing);
    if (rc == 0 && !dry && !nothing) {
        rc = task_ask(t, "routes", "POST", ROUTES "/defaults/apply", body, ASK_MS, &answer);
        if (rc == 0)
            row_read(&row, answer);
    }
    if (rc == 0 && !shows)
        rc = finish_seed(t, answer, &row);
    if (rc == 0)
        tell_seed(t, &row, dry);
    row_clear(&row);
    return rc;
}

static int seed(struct task *t)
{
    static const struct edit_field fields[] = {
        {"provider_slug", "provider", EDIT_TEXT},
        {"mode", "mode", EDIT_TEXT},
        {0},
    };
    struct edit e;
    int rc;

    edit_start(&e, NULL);
    rc = edit_fields(&e, t->cli, fields, &t->err);
    if (rc == 0)
        rc = edit_flag(&e, t->cli, "prune", "prune", NULL, &t->err);
    if (rc == 0)
        rc = seed_with(t, edit_end(&e));
    edit_clear(&e);
    return rc;
}

int routes_seed(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, opts_flag(&cli->opts, "json") ? &seed_one : &seed_rows))
        rc = seed(&t);
    return task_end(&t, rc);
}

/* ---- test ---- */

const struct opt route_test_options[] = {
    {"model", 0, OPT_TEXT, "NAME", "this model instead, wherever it goes"},
    {"kind", 0, OPT_TEXT, "simple|image|tools", "what the request has", .fallback = "simple"},
    {"prompt", 0, OPT_TEXT, "TEXT", "what to ask"},
    LIST_END,
};

const char route_test_more[] = "Sends one chat request, which is not captured and may cost money.\n"
                               "\n"
                               "Examples\n"
                               "  llm-observe-proxy routes test 140 --yes\n"
                               "  llm-observe-proxy routes test --model tiny-chat --kind tools\n"
                               "\n"
                               "Exit status: 1 the upstream did not answer with success.\n";

static void put_test(struct task *t, struct buf *out, const struct row *row)
{
    struct buf body = {0};
    struct err ignored;

    line_member(t, out, "kind", row, "kind");
    line_member(t, out, "url", row, "url");
    line_member(t, out, "route", row, "model_route");
    line_member(t, out, "sent as", row, "upstream_model");
    line_member(t, out, "status", row, "status_code");
    line_member(t, out, "type", row, "content_type");
    line_member(t, out, "error", row, "error");
    line_member(t, out, "ms", row, "duration_ms");
    if (row_text(row, "body", &body) && body.len > 0) {
        buf_put(out, STR("\n"));
        term_clean(out, buf_str(&body), t->out.flags | TERM_MULTILINE, &ignored);
        buf_put(out, STR("\n"));
    }
    buf_clear(&body);
}

static int send_test(struct task *t, const char *name, const char *path, const char *model)
{
    static const struct edit_field fields[] = {
        {"test_kind", "kind", EDIT_TEXT},
        {"prompt", "prompt", EDIT_TEXT},
        {0},
    };
    struct edit e;
    struct row row = {0};
    struct buf text = {0};
    struct str answer;
    int rc;

    edit_start(&e, NULL);
    if (model)
        edit_text(&e, "model", model);
    rc = edit_fields(&e, t->cli, fields, &t->err);
    if (rc == 0)
        rc = task_ask(t, name, "POST", path, edit_end(&e), ASK_MS, &answer);
    if (rc == 0 && row_read(&row, answer)) {
        put_test(t, &text, &row);
        rc = task_print(t, answer, &text);
        if (rc == 0 && !row_true(&row, "ok"))
            rc = 1;
    }
    edit_clear(&e);
    row_clear(&row);
    buf_clear(&text);
    return rc;
}

static int confirm_test(const struct task *t, const char *name, struct err *err)
{
    char question[200], refused[200];

    snprintf(question, sizeof(question),
             "Send a request to the upstream of %.100s? It may cost money.", name);
    snprintf(refused, sizeof(refused), "send a request to the upstream of %.100s", name);
    return cli_confirm(t->cli, question, refused, err);
}

static int test(struct task *t)
{
    const char *model = opts_text(&t->cli->opts, "model");
    const char *name = model ? model : t->cli->opts.args[0];
    struct buf json = {0};
    struct row row = {0};
    char path[80] = "/admin/api/diagnostics/test-upstream";
    int64_t entry = 0;
    int rc = model ? 0 : route_find(t, name, &json, &row, &entry);

    if (rc == 0 && entry && row_is(&row, "match_type", "prefix"))
        rc = err_set(&t->err, ERR_INVALID,
                     "\"%.80s\" stands for many models\n  name one with --model", name);
    if (rc == 0 && !model && entry)
        model = name;
    if (rc == 0 && !model)
        snprintf(path, sizeof(path), ROUTES "/%" PRId64 "/test", row_int(&row, "id"));
    if (rc == 0)
        rc = confirm_test(t, name, &t->err);
    if (rc == 0)
        rc = send_test(t, name, path, model);
    row_clear(&row);
    buf_clear(&json);
    return rc;
}

int routes_test(struct cli *cli)
{
    const char *model = opts_text(&cli->opts, "model");
    struct task t;
    struct err err;
    int rc = -1;

    if (!model == (cli->opts.arg_count == 0)) {
        err_set(&err, ERR_INVALID, "%s needs ROUTE or --model NAME", cli->name);
        return cli_usage(cli->name, &err);
    }
    if (task_start(&t, cli, &test_one))
        rc = test(&t);
    return task_end(&t, rc);
}
