/* "requests cancel": end a request in flight. */
#include <inttypes.h>
#include <stdio.h>

#include "requests_priv.h"
#include "json/json.h"

const struct opt cancel_options[] = {
    {"reason", 0, OPT_TEXT, "TEXT", "kept with the request"},
    LIST_END,
};

const char cancel_more[] =
    "Its client gets an error that SDKs do not answer with another try. Asks\n"
    "before, unless --yes is given. Needs a running server.\n"
    "\n"
    "Exit status: 1 not confirmed, 3 no such request, 4 cancelling is switched\n"
    "off, 7 it is not in flight.\n";

static const char *const cancel_fields[] = {
    "cancelled",     "id",           "state", "elapsed_ms", "tokens", "tokens.input",
    "tokens.output", "tokens.total", NULL,
};
const struct out_spec cancel_object = {.fields = cancel_fields};

static int confirm(struct job *job, int64_t id)
{
    char question[64], refused[64];

    snprintf(question, sizeof(question), "Cancel request %" PRId64 "?", id);
    snprintf(refused, sizeof(refused), "cancel request %" PRId64, id);
    return cli_confirm(job->cli, question, refused, &job->err);
}

static int send(struct job *job, int64_t id)
{
    const char *reason = opts_text(&job->cli->opts, "reason");
    struct buf json = {0}, text = {0};
    char path[64], what[48];
    struct str answer;
    int rc;

    snprintf(path, sizeof(path), "/api/requests/%" PRId64 "/cancel", id);
    snprintf(what, sizeof(what), "request %" PRId64, id);
    if (reason) {
        buf_put(&json, STR("{\"reason\":"));
        json_quote(&json, str_c(reason));
        buf_put(&json, STR("}"));
    }
    rc = source_send(&job->source, what, "POST", path, "", reason ? buf_str(&json) : STR_NONE, 0,
                     &text, &answer, &job->err);
    if (rc == 0)
        cli_note(job->cli, "request %" PRId64 " cancelled", id);
    if (rc == 0 && job->out.form == OUT_JSON)
        rc = out_object(&job->out, answer, &job->err);
    buf_clear(&text);
    buf_clear(&json);
    return rc;
}

static int cancel(struct job *job)
{
    int64_t id;

    if (!job->source.client)
        return err_set(&job->err, ERR_UNREACHABLE, "%s needs a running server", job->cli->name);
    if (request_id_read(&job->source, job->cli->opts.args[0], &id, &job->err) < 0)
        return -1;
    if (opts_flag(&job->cli->opts, "dry-run")) {
        cli_note(job->cli, "would cancel request %" PRId64, id);
        return 0;
    }
    return confirm(job, id) < 0 ? -1 : send(job, id);
}

int requests_cancel(struct cli *cli)
{
    struct job job = {.status = -1};
    int rc = -1;

    if (cli->opts.arg_count > 0 && request_id_check(cli->opts.args[0], &job.err) < 0)
        return cli_usage(cli->name, &job.err);
    if (job_start(&job, cli, &cancel_object))
        rc = cancel(&job);
    return job_end(&job, rc);
}
