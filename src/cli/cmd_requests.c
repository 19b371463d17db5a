#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "commands.h"
#include "requests_priv.h"

#define DEFAULT_LIMIT 50

const struct out_spec request_rows = {
    .columns = request_columns,
    .columns_for = request_columns_for,
    .machine = request_columns_machine,
    .fields = request_fields,
    .nothing = "no requests match",
    .pager = true,
};

const struct opt list_options[] = {
    LIST_OPTIONS,
    {"limit", 0, OPT_TEXT, "N", "at most N rows; 0 is all", .fallback = "50"},
    {"sort", 0, OPT_TEXT, "COLUMN", "numbers and times largest first; -COLUMN reverses"},
    {"reverse", 0, OPT_FLAG, NULL, "the other way round; alone: oldest first"},
    LIST_END,
};

/* ---- jobs ---- */

bool job_start(struct job *job, struct cli *cli, const struct out_spec *spec)
{
    int rc;

    *job = (struct job){.cli = cli, .status = -1};
    rc = out_open(&job->out, cli, spec, &job->err);
    if (rc == 1) {
        job->status = 0;
        return false;
    }
    if (rc < 0) {
        job->status = out_usage(&job->out, cli, &job->err);
        return false;
    }
    if (!where_check(cli, FILTER_STORED, &job->status))
        return false;
    if (find_option(cli->table, "--before") && request_list_read(&job->list, cli, &job->err) < 0) {
        job->status = cli_usage(cli->name, &job->err);
        return false;
    }
    if (source_open(&job->source, cli, &job->err) < 0) {
        job->status = source_fail(&job->source, &job->err);
        return false;
    }
    if (request_list_open(&job->list, &job->source, &job->err) < 0) {
        job->status = cli_fail(&job->err);
        return false;
    }
    return true;
}

int job_end(struct job *job, int rc)
{
    if (job->status < 0 && rc >= 0)
        rc = out_end(&job->out, &job->err);
    if (job->status < 0)
        job->status = rc < 0 ? cli_fail(&job->err) : 0;
    source_close(&job->source);
    request_list_clear(&job->list);
    out_close(&job->out);
    return job->status;
}

/* ---- list ---- */

struct kept {
    struct sort_key key;
    char *json;
    size_t len;
};

struct lister {
    struct job *job;
    int64_t limit, count;      /* limit 0: all */
    const struct column *sort; /* NULL: as they come */
    bool reverse;
    struct kept *kept;
    size_t kept_count, kept_cap;
};

static int compare_kept(const void *a, const void *b)
{
    return sort_key_compare(&((const struct kept *)a)->key, &((const struct kept *)b)->key, false);
}

static int compare_kept_reverse(const void *a, const void *b)
{
    return sort_key_compare(&((const struct kept *)a)->key, &((const struct kept *)b)->key, true);
}

static void sort_kept(struct lister *l)
{
    if (l->kept_count > 0)
        qsort(l->kept, l->kept_count, sizeof(*l->kept),
              l->reverse ? compare_kept_reverse : compare_kept);
    while (l->limit > 0 && l->kept_count > (size_t)l->limit)
        free(l->kept[--l->kept_count].json);
}

/* Keep a row for sorting; of many, only those that can still be among the first limit. */
static int keep(struct lister *l, struct str json, const struct row *row, struct err *err)
{
    struct kept *k;

    if (l->limit > 0 && l->kept_count >= 2 * (size_t)l->limit + 256)
        sort_kept(l);
    if (l->kept_count == l->kept_cap) {
        l->kept_cap = l->kept_cap ? l->kept_cap * 2 : 256;
        l->kept = xrealloc(l->kept, l->kept_cap, sizeof(*l->kept));
    }
    k = &l->kept[l->kept_count];
    sort_key_read(&k->key, l->sort, row);
    k->json = str_dup(json);
    k->len = json.len;
    if (!k->json)
        return err_set(err, ERR_NO_MEMORY, "no memory to sort so many rows; use --limit");
    l->kept_count++;
    return 0;
}

static int on_list_row(void *ctx, struct str json, const struct row *row, struct err *err)
{
    struct lister *l = ctx;

    if (l->sort)
        return keep(l, json, row, err);
    if (out_row(&l->job->out, json, err) < 0)
        return -1;
    return ++l->count == l->limit ? 1 : 0;
}

static int print_kept(struct lister *l, struct err *err)
{
    int rc = 0;

    sort_kept(l);
    for (size_t i = 0; i < l->kept_count && rc == 0; i++)
        rc = out_row(&l->job->out, (struct str){l->kept[i].json, l->kept[i].len}, err);
    return rc;
}

static void lister_clear(struct lister *l)
{
    for (size_t i = 0; i < l->kept_count; i++)
        free(l->kept[i].json);
    free(l->kept);
}

static int unknown_sort(const char *name, struct err *err)
{
    const char *names[64];
    struct buf near = {0};
    size_t n = 0;

    for (const struct column *c = request_columns; c->id && n < 64; c++)
        names[n++] = c->id;
    opts_suggest(&near, str_c(name), names, n);
    err_set(err, ERR_INVALID, "--sort: unknown column \"%.80s\"%.*s", name,
            STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return -1;
}

static int read_order(struct lister *l, const struct cli *cli, struct err *err)
{
    const char *sort = opts_text(&cli->opts, "sort");

    l->limit = DEFAULT_LIMIT;
    l->reverse = opts_flag(&cli->opts, "reverse");
    if (cli_int(cli, "limit", 0, INT32_MAX, &l->limit, err) < 0)
        return -1;
    if (!sort && l->reverse)
        sort = "created";
    if (!sort)
        return 0;
    if (sort[0] == '-') {
        l->reverse = !l->reverse;
        sort++;
    }
    l->sort = column_find(request_columns, str_c(sort));
    return l->sort ? 0 : unknown_sort(sort, err);
}

static int requests_list(struct cli *cli)
{
    struct job job;
    struct lister l = {.job = &job};
    int rc = -1;

    if (read_order(&l, cli, &job.err) < 0)
        return cli_usage(cli->name, &job.err);
    if (job_start(&job, cli, &request_rows)) {
        rc = request_list_each(&job.list, &job.source,
                               l.sort || l.limit == 0 ? LIST_SCAN_ALL : l.limit, on_list_row, &l,
                               &job.err);
        if (rc == 0)
            rc = print_kept(&l, &job.err);
    }
    lister_clear(&l);
    return job_end(&job, rc);
}

/* ---- the command ---- */

static const char list_more[] =
    "Columns are also all JSON fields. Rows are newest first; in a pipe they are\n"
    "tab-separated raw values without a header.\n"
    "TIME is ISO 8601, 14:02, today, yesterday, or a duration so long ago (15m).\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy requests list --where 'model:qwen* ttft>2s since:1h'\n"
    "  llm-observe-proxy requests list --error --since 1h\n"
    "  llm-observe-proxy requests list --sort cost --limit 10\n"
    "  llm-observe-proxy req list --json=id,model,tokens.output\n"
    "\n"
    "Exit status: 5 no server and no database, 6 the database cannot be read.\n";

static const char tail_more[] =
    "Prints the last N requests that ended, oldest first. With -f it goes on, one\n"
    "line a request, until interrupted; a lost server is tried again.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy requests tail -f --where is:error\n"
    "  llm-observe-proxy requests tail -fn0 --jsonl=id,status,duration_ms\n";

static const char grep_more[] =
    "PATTERN is a POSIX extended regular expression. It is looked for in each line of\n"
    "what people read: prompts, answers (streams put together), reasoning, arguments\n"
    "and results of tools; --raw looks at the stored bytes. Newest requests first.\n"
    "\n"
    "With -c the columns are id count, with -l id.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy requests grep -i 'time ?out' --since 1h\n"
    "  llm-observe-proxy requests grep -lF 'Eiffel Tower' --side response\n"
    "\n"
    "Exit status: 1 nothing found.\n";

const struct verb requests_verbs[] = {
    {"list", "[options]", "list captured requests, newest first", list_options,
     FORM_JSON | FORM_ROWS, list_more, requests_list, .out = &request_rows},
    {"show", "ID [options]", "show one request", show_options, FORM_JSON, show_more, requests_show,
     .out = &show_object},
    {"tail", "[-f] [options]", "print requests as they end", tail_options, FORM_JSON | FORM_ROWS,
     tail_more, requests_tail, .out = &request_rows},
    {"grep", "PATTERN [options]", "find a pattern in requests and answers", grep_options,
     FORM_JSON | FORM_ROWS, grep_more, requests_grep, .out = &grep_rows},
    {"export", "[options]", "write requests as JSON lines or CSV", export_options, 0, export_more,
     requests_export},
    {"curl", "ID [options]", "print the command that sends a request again", curl_options, 0,
     curl_more, requests_curl},
    {"cancel", "ID [options]", "cancel a request in flight", cancel_options,
     FORM_JSON | FORM_CHANGES, cancel_more, requests_cancel, .out = &cancel_object},
    {0},
};
