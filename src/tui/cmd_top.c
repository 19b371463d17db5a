/* Options of top, and what it does without a screen. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/out.h"
#include "snapshot.h"
#include "text/term.h"
#include "top.h"
#include "top_priv.h"

static const struct opt top_options[] = {
    {"interval", 'i', OPT_TEXT, "SECONDS", "refresh interval, 0.1 to 60", .fallback = "1"},
    {"count", 'n', OPT_TEXT, "N", "no screen: print N snapshots, then end"},
    {"once", 0, OPT_FLAG, NULL, "the same as --count 1"},
    {"limit", 0, OPT_TEXT, "N", "finished rows of a snapshot", .fallback = "20"},
    {"where", 0, OPT_TEXT, "EXPR", "start with this filter"},
    {"sort", 0, OPT_TEXT, "COLUMN", "start with this order; -COLUMN reverses it"},
    {"view", 0, OPT_TEXT, "NAME", "start with this view",
     .values = "requests|runs|models|upstreams"},
    {"graph", 0, OPT_TEXT, "KIND", "characters of graphs", .fallback = "auto",
     .values = "auto|braille|block|ascii"},
    {"ascii", 0, OPT_FLAG, NULL, "no character of ours outside of ASCII"},
    {"read-only", 0, OPT_FLAG, NULL, "no actions that change anything"},
    {"play", 0, OPT_TEXT, "FILE", "play what top --json printed"},
    LIST_END,
};

static const char top_more[] =
    "A live screen: requests in flight and finished, the text of the selected one as\n"
    "it arrives, the active run, rates, percentiles, models and upstreams. Press h\n"
    "for the keys. Without a server it shows the database file and says OFFLINE.\n"
    "\n"
    "Without a terminal, and with --once, --count or --json, it prints snapshots.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy top\n"
    "  llm-observe-proxy top --where is:error --sort dur\n"
    "  llm-observe-proxy top --once --json=totals.inflight,minute.cost_usd\n"
    "\n"
    "Exit status: 5 no server and no database.\n";

static int read_interval(const struct cli *cli, int64_t *ms, struct err *err)
{
    const char *text = opts_text(&cli->opts, "interval");
    char *end;
    double seconds;

    *ms = 1000;
    if (!text)
        return 0;
    seconds = strtod(text, &end);
    if (*end || !isfinite(seconds) || seconds < 0.1 || seconds > 60)
        return err_set(err, ERR_INVALID, "--interval: \"%.40s\" is not within 0.1 and 60", text);
    *ms = llround(seconds * 1000);
    return 0;
}

static int unknown_column(const char *option, struct str name, enum view view, struct err *err)
{
    const char *names[64];
    struct buf near = {0};
    size_t n = 0;

    for (const struct column *c = view_columns[view]; c->id && n < 64; c++)
        names[n++] = c->id;
    opts_suggest(&near, name, names, n);
    err_set(err, ERR_INVALID, "--%s: unknown column \"%.*s\"%.*s", option,
            STR_ARG(str_cut(name, 80)), STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return -1;
}

static int read_view(struct top *t, const struct cli *cli, struct err *err)
{
    const char *view = opts_text(&cli->opts, "view"), *sort = opts_text(&cli->opts, "sort");
    struct table_state *state;
    struct str name;

    for (int i = 0; i < VIEWS; i++) {
        t->ui.tables[i].selected = UNKNOWN;
        if (view && str_ieq(str_c(view), str_c(view_names[i])))
            t->ui.view = (enum view)i;
    }
    t->ui.tables[VIEW_REQUESTS].sort = column_find(request_columns, STR("age"));
    if (!sort)
        return 0;
    state = &t->ui.tables[t->ui.view];
    state->reverse = sort[0] == '-';
    name = str_c(sort + (sort[0] == '-'));
    state->sort = column_find(view_columns[t->ui.view], name);
    return state->sort ? 0 : unknown_column("sort", name, t->ui.view, err);
}

static int read_columns(struct top *t, const struct cli *cli, struct err *err)
{
    struct str rest = str_c(opts_text(&cli->opts, "columns")), name;

    t->ui.columns = rest.ptr;
    while (str_split(&rest, ',', &name)) {
        if (str_starts(name, STR("+")) || str_starts(name, STR("-")))
            name = str_from(name, 1);
        if (!column_find(request_columns, name))
            return unknown_column("columns", name, VIEW_REQUESTS, err);
    }
    return 0;
}

static int read_filter(struct top *t, const struct cli *cli, struct err *err)
{
    const char *where = opts_text(&cli->opts, "where");
    struct prompt *p = &t->ui.prompt;
    char marks[128];
    size_t n = 0;

    if (!where || top_filter(t, str_c(where)))
        return 0;
    for (; n < p->error_len && n < sizeof(marks) - 1; n++)
        marks[n] = '^';
    marks[n] = '\0';
    return err_set(err, ERR_INVALID, "--where: %s\n  %.200s\n  %*s%s", p->error, where,
                   (int)(p->error_at < 200 ? p->error_at : 200), "", n > 0 ? marks : "^");
}

static void choose_alphabet(struct top *t, const struct cli *cli)
{
    const char *graph = opts_text(&cli->opts, "graph"), *term = getenv("TERM");
    bool utf8 = term_is_utf8();

    t->ui.ascii = opts_flag(&cli->opts, "ascii") || !utf8;
    t->ui.alphabet = GRAPH_BLOCK;
    if (t->ui.ascii || (term && strcmp(term, "linux") == 0) ||
        (graph && strcmp(graph, "ascii") == 0))
        t->ui.alphabet = GRAPH_ASCII;
    else if (graph && strcmp(graph, "braille") == 0)
        t->ui.alphabet = GRAPH_BRAILLE;
}

static int read_options(struct top *t, const struct cli *cli, struct err *err)
{
    t->cli = cli;
    t->ui.read_only = opts_flag(&cli->opts, "read-only");
    choose_alphabet(t, cli);
    if (read_interval(cli, &t->ui.interval_ms, err) < 0 || read_view(t, cli, err) < 0)
        return -1;
    return read_filter(t, cli, err);
}

static void top_clear(struct top *t)
{
    if (t->feed_stopped)
        source_close(&t->source);
    filter_free(t->filter);
    model_clear(&t->model);
    screen_clear(&t->screen);
    grid_clear(&t->shown);
    prompt_clear(&t->ui.prompt);
    detail_clear(&t->ui.detail);
    buf_clear(&t->ui.filter);
    buf_clear(&t->filter_was);
    buf_clear(&t->ui.search);
}

/* Show the screen; the exit status. */
static int run_screen(struct top *t, struct cli *cli)
{
    const char *play = opts_text(&cli->opts, "play");
    struct err err;

    if (!play && source_open(&t->source, cli, &err) < 0)
        return source_fail(&t->source, &err);
    cli->verbose = false; /* nothing may write over the screen */
    cli->quiet = true;
    t->ui.source = play ? SOURCE_PLAY : t->source.client ? SOURCE_CONNECTING : SOURCE_OFFLINE;
    t->ui.url = play ? play : source_name(&t->source);
    return top_run(t, play, &err) < 0 ? cli_fail(&err) : 0;
}

static int run_top(struct cli *cli)
{
    struct top *t = calloc(1, sizeof(*t));
    const char *why = NULL, *columns = opts_text(&cli->opts, "columns");
    bool print = opts_flag(&cli->opts, "once") || opts_text(&cli->opts, "count") ||
                 opts_flag(&cli->opts, "json") || (columns && strcmp(columns, "help") == 0);
    struct err err;
    int rc;

    if (!t)
        return 1;
    t->feed_stopped = true;
    if (read_options(t, cli, &err) < 0) {
        rc = cli_usage(cli->name, &err);
    } else if (print || !draw_possible(&why)) {
        if (!print && why)
            cli_note(cli, "note: %s, printing one snapshot", why);
        rc = snapshot_print(cli, t->filter, t->ui.interval_ms);
    } else if (read_columns(t, cli, &err) < 0) {
        rc = cli_usage(cli->name, &err);
    } else {
        t->color = out_wants_color(cli);
        rc = run_screen(t, cli);
    }
    top_clear(t);
    free(t);
    return rc;
}

const struct verb top_verbs[] = {
    {"", "[options]", "watch requests as they happen", top_options, FORM_JSON | FORM_ROWS, top_more,
     run_top, .out = &snapshot_rows},
    {0},
};
