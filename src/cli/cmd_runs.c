#include <inttypes.h>
#include <stdio.h>

#include "runs_priv.h"
#include "json/json_scan.h"

#define DEFAULT_LIMIT 100

static const struct opt runs_list_options[] = {
    {"status", 0, OPT_TEXT, "S", "active, paused or complete", .values = "active|paused|complete"},
    {"limit", 0, OPT_TEXT, "N", "at most N runs of the newest 100", .fallback = "100"},
    LIST_END,
};

static const struct out_spec run_rows = {
    .columns = run_columns,
    .columns_for = run_columns_for,
    .machine = run_columns_machine,
    .fields = run_fields,
    .nothing = "no runs",
    .pager = true,
};

/* ---- list ---- */

static int read_limits(const struct cli *cli, int64_t *limit, const char **status, struct err *err)
{
    *status = opts_text(&cli->opts, "status");
    *limit = DEFAULT_LIMIT;
    return cli_int(cli, "limit", 0, INT32_MAX, limit, err);
}

static int list(struct job *job, int64_t limit, const char *status)
{
    struct buf text = {0};
    struct row row = {0};
    struct str answer, items, is;
    struct json_iter it;
    int64_t count = 0;
    int rc = source_get(&job->source, "runs", "/api/runs", "", &text, &answer, &job->err);

    if (rc == 0 &&
        (!json_member(answer, STR("items"), &items) || json_type_of(items) != JSON_ARRAY))
        rc = err_set(&job->err, ERR_FAILED, "runs: the answer of %s has no items",
                     source_name(&job->source));
    if (rc == 0)
        it = json_iter(items);
    while (rc == 0 && (limit == 0 || count < limit) && json_next(&it)) {
        if (!row_read(&row, it.value) ||
            (status && (!row_get(&row, "status", &is) || !json_string_is(is, str_c(status)))))
            continue;
        rc = out_row(&job->out, it.value, &job->err);
        count++;
    }
    row_clear(&row);
    buf_clear(&text);
    return rc;
}

static int runs_list(struct cli *cli)
{
    struct job job;
    const char *status;
    int64_t limit;
    int rc = -1;

    if (read_limits(cli, &limit, &status, &job.err) < 0)
        return cli_usage(cli->name, &job.err);
    if (job_start(&job, cli, &run_rows))
        rc = list(&job, limit, status);
    return job_end(&job, rc);
}

/* ---- the command ---- */

static const struct opt none[] = {LIST_END};

#define RUN_WORDS                                                                                  \
    "RUN is an id, a name (the newest run of that name), \"active\", \"paused\" (the\n"            \
    "newest that is), \"last\" (the newest), or name:TEXT for an odd name.\n"

static const char list_more[] =
    "Columns are also all JSON fields. In a pipe rows are tab-separated raw values\n"
    "without a header.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy runs list --status complete\n"
    "  llm-observe-proxy runs list --json=id,name,total_cost_usd\n";

static const char start_more[] =
    "Ends the run that is active. The new id goes to stdout.\n"
    "\n"
    "Examples\n"
    "  id=$(llm-observe-proxy runs start bench-1)\n"
    "  llm-observe-proxy runs start nightly --notes 'new prompt' --no-replace\n"
    "\n"
    "Exit status: 7 another run is active (with --no-replace).\n";

static const char pause_more[] = "The run stays open: \"runs resume\" goes on with it.\n"
                                 "\n"
                                 "Exit status: 3 no run is active.\n";

static const char resume_more[] =
    RUN_WORDS "Without RUN: \"paused\". Another run that is active is paused.\n"
              "\n"
              "Exit status: 2 the run has ended, 3 no such run.\n";

static const char end_more[] =
    RUN_WORDS "Without RUN: \"active\". What it came to is printed on stderr.\n"
              "\n"
              "Example\n"
              "  llm-observe-proxy runs end bench-1 --json=run.request_count\n"
              "\n"
              "Exit status: 2 the run has ended before, 3 no such run.\n";

static const char run_show_more[] =
    RUN_WORDS "Without RUN: \"active\", else \"last\". JSON: GET /api/runs/{id}/stats.\n"
              "\n"
              "Example\n"
              "  llm-observe-proxy runs show bench-1\n";

const struct verb runs_verbs[] = {
    {"list", "[options]", "list runs, newest first", runs_list_options, FORM_JSON | FORM_ROWS,
     list_more, runs_list, .out = &run_rows},
    {"start", "NAME [options]", "start a run", runs_start_options, FORM_JSON | FORM_CHANGES,
     start_more, runs_start, .out = &one_run},
    {"pause", "", "pause the active run", none, FORM_JSON | FORM_CHANGES, pause_more, runs_pause,
     .out = &one_run},
    {"resume", "[RUN]", "go on with a paused run", none, FORM_JSON | FORM_CHANGES, resume_more,
     runs_resume, .out = &one_run},
    {"end", "[RUN]", "end a run and print its bill", none, FORM_JSON | FORM_CHANGES, end_more,
     runs_end, .out = &one_run},
    {"show", "[RUN]", "show what a run came to", none, FORM_JSON, run_show_more, runs_show,
     .out = &run_object},
    {"what-if", "[RUN] [options]", "price a run with other models", runs_what_if_options, FORM_JSON,
     runs_what_if_more, runs_what_if, .out = &what_if_object},
    {"export", "[RUN] [options]", "write a run as JSON lines or CSV", run_export_options, 0,
     runs_export_more, runs_export},
    {"exec", "[options] COMMAND [ARG]...", "run a command as a run", runs_exec_options, 0,
     runs_exec_more, runs_exec, .command_follows = true},
    {0},
};
