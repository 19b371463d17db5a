/* "runs export": a run, what it came to, and all its requests. */
#include <stdio.h>

#include "runs_priv.h"
#include "json/json_scan.h"

const char runs_export_more[] =
    "The first line is {\"type\":\"run\",\"run\":...,\"stats\":...}, then a line for each\n"
    "request as \"requests export\" writes it. Without RUN: \"active\", else \"last\".\n"
    "CSV has the requests only.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy runs export bench-1 --bodies -o bench-1.jsonl\n";

static int put_run(struct job *job, const struct run_answer *a)
{
    struct buf line = {0};
    struct str run, stats;
    int rc = 0;

    if (!json_member(a->value, STR("run"), &run) || !json_member(a->value, STR("stats"), &stats))
        return err_set(&job->err, ERR_FAILED, "the answer of %s has no statistics",
                       source_name(&job->source));
    if (buf_add(&line, STR("{\"type\":\"run\",\"run\":"), &job->err) < 0 ||
        buf_add(&line, run, &job->err) < 0 || buf_add(&line, STR(",\"stats\":"), &job->err) < 0 ||
        buf_add(&line, stats, &job->err) < 0 || buf_add(&line, STR("}"), &job->err) < 0)
        rc = -1;
    if (rc == 0)
        rc = out_object(&job->out, buf_str(&line), &job->err);
    buf_clear(&line);
    return rc;
}

static int choose_run(struct job *job, bool csv)
{
    struct run_name run = {0};
    struct run_answer a = {0};
    int rc = run_name_or_last(job, &run);

    if (rc == 0)
        rc = run_stats(&job->source, run.id, 0, &a, &job->err);
    if (rc == 0 && !csv)
        rc = put_run(job, &a);
    if (rc == 0)
        request_list_of_run(&job->list, run.id);
    run_answer_clear(&a);
    run_name_clear(&run);
    return rc;
}

int runs_export(struct cli *cli)
{
    return export_requests(cli, choose_run);
}
