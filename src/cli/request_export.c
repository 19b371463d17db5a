/* "requests export": all requests that were chosen, oldest first, a line each. */
#include <stdio.h>

#include "output_file.h"
#include "progress.h"
#include "requests_priv.h"

#define EXPORT_OPTIONS                                                                             \
    {"format", 0, OPT_TEXT, "FORMAT", "jsonl or csv", .fallback = "jsonl", .values = "jsonl|csv"}, \
        {"bodies", 0, OPT_FLAG, NULL, "with headers and bodies"},                                  \
        {"output", 'o', OPT_TEXT, "FILE", "write there; it appears when it is complete"},          \
    {                                                                                              \
        "limit", 0, OPT_TEXT, "N", "at most N requests; 0 is all", .fallback = "0"                 \
    }

const struct opt export_options[] = {EXPORT_OPTIONS, LIST_OPTIONS, LIST_END};
const struct opt run_export_options[] = {EXPORT_OPTIONS, RUN_LIST_OPTIONS, LIST_END};

const char export_more[] =
    "A line is a JSON object: \"type\":\"request\" and the members of a row, and with\n"
    "--bodies request, response, upstream_response and images. A body is text where\n"
    "it is UTF-8, else base64; secrets stay masked. CSV has all members that are one\n"
    "value, and no bodies.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy requests export --run bench-1 --bodies -o bench-1.jsonl\n"
    "  llm-observe-proxy requests export --format csv --since today -o today.csv\n";

struct export
{
    struct job job;
    struct progress progress;
    bool csv, bodies;
    const char *output;
    int64_t limit, count;
};

static int read_args(struct export *x, struct cli *cli, struct err *err)
{
    const char *format = opts_text(&cli->opts, "format");

    x->csv = format && strcmp(format, "csv") == 0;
    x->bodies = opts_flag(&cli->opts, "bodies");
    x->output = opts_text(&cli->opts, "output");
    if (x->output && strcmp(x->output, "-") == 0)
        x->output = NULL;
    if (x->csv && x->bodies)
        return err_set(err, ERR_INVALID, "--bodies has no meaning for --format csv");
    return cli_int(cli, "limit", 0, INT64_MAX, &x->limit, err);
}

/* The names of all fields that are one value. */
static void put_columns(struct buf *out)
{
    static const char *const several[] = {"task_run", "tokens", "signals"};

    for (const char *const *f = request_fields; *f; f++) {
        bool one = true;

        for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++)
            one = one && strcmp(*f, several[i]) != 0;
        if (one)
            buf_printf(out, "%s%s", out->len ? "," : "", *f);
    }
}

static int choose_form(struct export *x)
{
    struct buf columns = {0};
    int rc = 0;

    x->job.out.form = OUT_JSONL;
    put_columns(&columns);
    if (x->csv)
        rc = out_csv(&x->job.out, columns.ptr, &x->job.err);
    buf_clear(&columns);
    return rc;
}

static int on_line(void *ctx, struct str json, const struct row *row, struct err *err)
{
    struct export *x = ctx;

    (void)row;
    if (out_row(&x->job.out, json, err) < 0)
        return -1;
    progress_tell(&x->progress, ++x->count, 0);
    return x->count == x->limit ? 1 : 0;
}

static int export(struct export *x, int (*first)(struct job *job, bool csv))
{
    int rc = choose_form(x);

    if (rc == 0 && first)
        rc = first(&x->job, x->csv);
    progress_start(&x->progress, x->job.cli, "export");
    if (rc == 0)
        rc = request_list_export(&x->job.list, &x->job.source, x->bodies, on_line, x, &x->job.err);
    progress_end(&x->progress);
    if (rc == 0 && x->output && out_end(&x->job.out, &x->job.err) < 0)
        rc = -1;
    if (rc == 0 && x->output)
        rc = output_keep(x->output, &x->job.err);
    return rc;
}

static void say_count(const struct export *x)
{
    char count[GROUPED_SIZE];

    if (x->output && x->job.status < 0)
        cli_note(x->job.cli, "wrote %s request%s to %s", grouped(x->count, count),
                 x->count == 1 ? "" : "s", x->output);
}

int export_requests(struct cli *cli, int (*first)(struct job *job, bool csv))
{
    struct out_spec spec = request_rows;
    struct export x = {.job = {.status = -1}};
    int rc = -1;

    if (read_args(&x, cli, &x.job.err) < 0)
        return cli_usage(cli->name, &x.job.err);
    if (x.output && output_start(x.output, &x.job.err) < 0)
        return cli_fail(&x.job.err);
    spec.pager = false;
    spec.nothing = NULL;
    if (job_start(&x.job, cli, &spec)) {
        rc = export(&x, first);
        if (rc == 0)
            say_count(&x);
    }
    if (x.output && rc < 0)
        output_drop();
    return job_end(&x.job, rc);
}

int requests_export(struct cli *cli)
{
    return export_requests(cli, NULL);
}
