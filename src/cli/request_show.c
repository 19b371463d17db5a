#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "output_file.h"
#include "request_text.h"
#include "requests_priv.h"
#include "text/term.h"

#define TERMINAL_RAW_MAX ((size_t)256 << 20)

const struct opt show_options[] = {
    {"mode", 0, OPT_TEXT, "MODE", "auto, json, text, markdown, tool or sse", .fallback = "auto",
     .values = "auto|json|text|markdown|tool|sse"},
    {"part", 0, OPT_TEXT, "PART,PART", "some parts only, or conversation"},
    {"raw", 0, OPT_TEXT, "SIDE", "exact bytes of request, response or upstream",
     .values = "request|response|upstream"},
    {"output", 'o', OPT_TEXT, "FILE", "write there; for --part images a folder"},
    LIST_END,
};

const char show_more[] =
    "ID is a request id, \"last\" or \"last-error\". Parts: head request response\n"
    "upstream headers timing cost images, or conversation alone; without --part head,\n"
    "request and response. JSON fields: members of the answer of\n"
    "GET /api/requests/{id}, with dots (record.status); --json=help lists them.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy requests show last --part response --mode text\n"
    "  llm-observe-proxy requests show last --part conversation\n"
    "  llm-observe-proxy requests show 4120 --raw response -o answer.json\n"
    "  llm-observe-proxy requests show last-error --part head\n"
    "\n"
    "Exit status: 3 no such request or body, 8 the stored body is cut.\n";

static const char *const show_fields[] = {
    "record",
    "images",
    "request_render",
    "request_render.mode",
    "request_render.title",
    "request_render.text",
    "request_render.html",
    "request_render.tool_blocks",
    "response_render",
    "response_render.mode",
    "response_render.title",
    "response_render.text",
    "response_render.html",
    "response_render.tool_blocks",
    "raw_response_render",
    "raw_response_render.text",
    "mode",
    "active_run",
    "upstream_url",
    "poll_interval_ms",
    "record.path",
    "record.query_string",
    "record.completed_at_fallback",
    "record.request_headers_json",
    "record.request_content_type",
    "record.response_headers_json",
    "record.response_content_type",
    "record.billing_provider_slug",
    "record.billing_provider_name",
    "record.billing_input_tokens",
    "record.billing_cached_input_tokens",
    "record.billing_output_tokens",
    "record.billing_total_tokens",
    "record.billing_input_cost_usd",
    "record.billing_output_cost_usd",
    "record.billing_total_cost_usd",
    "record.billing_total_cost_display",
    "record.pricing_snapshot_json",
    "record.estimated_input_tokens",
    "record.estimated_input_tokens_display",
    "record.estimated_input_tokenizer",
    "record.estimated_input_model",
    "record.display_input_tokens",
    "record.display_cached_input_tokens",
    "record.display_output_tokens",
    "record.display_total_tokens",
    "record.display_input_tokens_display",
    "record.display_cached_input_tokens_display",
    "record.display_output_tokens_display",
    "record.display_total_tokens_display",
    NULL,
};

const struct out_spec show_object = {.fields = show_fields, .record = "record"};

/* Of --part conversation. */
static const char *const talk_fields[] = {
    "format",         "model",  "params",        "tools",  "messages", "choices",
    "stream",         "error",  "omitted",       "notice", "id",       "upstream_model",
    "response_model", "status", "terminated_by", "usage",  "related",  NULL,
};

/* ---- raw bytes ---- */

struct raw {
    struct job *job;
    struct buf held; /* a terminal sees bytes only when all of them are known to be text */
    int64_t bytes;
};

static int on_raw(void *ctx, struct str bytes, struct err *err)
{
    struct raw *raw = ctx;

    raw->bytes += (int64_t)bytes.len;
    return raw->job->out.terminal ? buf_add(&raw->held, bytes, err)
                                  : out_text(&raw->job->out, bytes, err);
}

/* The full size of a side, when the row tells; ROW_UNKNOWN otherwise. */
struct size_of {
    const char *path;
    int64_t size;
};

static int on_size(void *ctx, struct str json, const struct row *row, struct err *err)
{
    struct size_of *s = ctx;

    (void)json;
    (void)err;
    s->size = row_int(row, s->path);
    return 1;
}

static bool is_cut(struct job *job, int64_t id, enum body_side side, int64_t bytes)
{
    struct size_of s = {side == BODY_REQUEST ? "request_bytes" : "response_bytes", ROW_UNKNOWN};
    struct request_list one = {.cli = job->cli, .before = id + 1, .after = id - 1};
    struct err ignored;

    if (side == BODY_UPSTREAM || !job->source.client || id == INT64_MAX)
        return false;
    buf_put(&one.query, STR("facets=0"));
    request_list_each(&one, &job->source, 1, on_size, &s, &ignored);
    request_list_clear(&one);
    return s.size != ROW_UNKNOWN && bytes < s.size;
}

static int show_raw(struct job *job, int64_t id, enum body_side side)
{
    struct raw raw = {.job = job, .held = {.limit = TERMINAL_RAW_MAX}};
    bool truncated;
    int rc = source_body(&job->source, id, side, on_raw, &raw, &truncated, &job->err);

    if (rc == 0 && job->out.terminal && !term_is_plain(buf_str(&raw.held)))
        rc = err_set(&job->err, ERR_INVALID,
                     "request %" PRId64 " %s has control characters; pipe it, or use --output FILE",
                     id, body_side_names[side]);
    if (rc == 0 && job->out.terminal)
        rc = out_text(&job->out, buf_str(&raw.held), &job->err);
    if (rc == 0)
        rc = out_end(&job->out, &job->err);
    if (rc == 0 && (truncated || is_cut(job, id, side, raw.bytes))) {
        cli_note(&(struct cli){0},
                 "request %" PRId64 " %s was cut when it was stored: %" PRId64 " bytes are here",
                 id, body_side_names[side], raw.bytes);
        job->status = err_exit_status(ERR_PARTIAL);
    }
    buf_clear(&raw.held);
    return rc;
}

/* ---- the verb ---- */

struct show_args {
    const char *id, *mode, *output;
    unsigned parts;
    bool is_raw;
    enum body_side side;
};

static int read_side(const char *text, struct show_args *args, struct err *err)
{
    for (size_t i = 0; i < 3; i++)
        if (strcmp(text, body_side_names[i]) == 0) {
            args->is_raw = true;
            args->side = (enum body_side)i;
            return 0;
        }
    return err_set(err, ERR_INVALID, "--raw: \"%.40s\" is none of request, response, upstream",
                   text);
}

static int read_args(const struct cli *cli, struct show_args *args, struct err *err)
{
    const char *mode = opts_text(&cli->opts, "mode"), *part = opts_text(&cli->opts, "part");
    const char *raw = opts_text(&cli->opts, "raw");

    *args = (struct show_args){.mode = mode ? mode : "auto", .parts = REQUEST_PARTS_DEFAULT};
    args->id = cli->opts.arg_count > 0 ? cli->opts.args[0] : "last";
    if (request_id_check(args->id, err) < 0)
        return -1;
    args->output = opts_text(&cli->opts, "output");
    if (args->output && strcmp(args->output, "-") == 0)
        args->output = NULL;
    if (raw && (part || opts_flag(&cli->opts, "json")))
        return err_set(err, ERR_INVALID, "--raw and --%s exclude each other",
                       part ? "part" : "json");
    if (raw && read_side(raw, args, err) < 0)
        return -1;
    return part ? request_parts_read(part, &args->parts, err) : 0;
}

static int show_answer(struct job *job, const struct show_args *args, int64_t id)
{
    struct buf text = {0}, query = {0};
    char path[64], what[64];
    bool talk = args->parts == REQUEST_PART_CONVERSATION;
    struct str answer;
    int rc;

    snprintf(path, sizeof(path), "/api/requests/%" PRId64 "%s", id, talk ? "/conversation" : "");
    snprintf(what, sizeof(what), "request %" PRId64, id);
    buf_printf(&query, "mode=%s", args->mode);
    rc = source_get(&job->source, what, path, talk ? "" : query.ptr, &text, &answer, &job->err);
    if (rc == 0 && job->out.form == OUT_JSON)
        rc = out_object(&job->out, answer, &job->err);
    else if (rc == 0 && args->output && args->parts == REQUEST_PART_IMAGES)
        rc = request_images_save(job, id, answer, args->output);
    else if (rc == 0 && talk)
        rc = request_conversation(job, answer);
    else if (rc == 0)
        rc = request_text(job, answer, args->parts);
    buf_clear(&query);
    buf_clear(&text);
    return rc;
}

static int show(struct job *job, const struct show_args *args)
{
    int64_t id;

    if (request_id_read(&job->source, args->id, &id, &job->err) < 0)
        return -1;
    if (args->is_raw)
        return show_raw(job, id, args->side);
    return show_answer(job, args, id);
}

int requests_show(struct cli *cli)
{
    struct out_spec spec = show_object;
    struct show_args args;
    struct job job = {.status = -1};
    bool to_file;
    int rc = -1;

    if (read_args(cli, &args, &job.err) < 0)
        return cli_usage(cli->name, &job.err);
    to_file = args.output && args.parts != REQUEST_PART_IMAGES;
    if (to_file && output_start(args.output, &job.err) < 0)
        return cli_fail(&job.err);
    spec.pager = !args.is_raw;
    if (args.parts == REQUEST_PART_CONVERSATION)
        spec = (struct out_spec){.fields = talk_fields, .pager = true};
    if (job_start(&job, cli, &spec)) {
        job.out.terminal = job.out.terminal && !to_file;
        rc = show(&job, &args);
        if (rc == 0 && to_file && out_end(&job.out, &job.err) < 0)
            rc = -1;
        if (rc == 0 && to_file)
            rc = output_keep(args.output, &job.err);
    }
    if (to_file && rc < 0)
        output_drop();
    return job_end(&job, rc);
}
