/* "requests grep": a pattern in what requests and answers say, line by line. */
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "core/search.h"
#include "requests_priv.h"
#include "json/json.h"

#define DEFAULT_LIMIT 50
#define BODY_MAX ((size_t)256 << 20)
#define LINE_MAX_BYTES ((size_t)1 << 20) /* as much of a line is looked at */
#define SHOWN_BEFORE ((size_t)80)
#define SHOWN ((size_t)400)

const struct opt grep_options[] = {
    {"ignore-case", 'i', OPT_FLAG, NULL, "in any case"},
    {"fixed", 'F', OPT_FLAG, NULL, "PATTERN is text, no regular expression"},
    {"ids", 'l', OPT_FLAG, NULL, "only the ids of requests"},
    {"count", 'c', OPT_FLAG, NULL, "only how many lines of each request"},
    {"side", 0, OPT_TEXT, "SIDE", "request or response only", .values = "request|response"},
    {"context", 'C', OPT_TEXT, "N", "with N lines before and behind"},
    {"raw", 0, OPT_FLAG, NULL, "in the stored bytes, not in their text"},
    {"limit", 0, OPT_TEXT, "N", "at most N requests; 0 is all", .fallback = "50"},
    LIST_OPTIONS,
    LIST_END,
};

/* ---- output ---- */

static const struct column grep_columns[] = {
    {"id", "ID", 6, 20, true, false, 0, KIND_INT, "id", NULL, NULL},
    {"side", "SIDE", 8, 8, false, false, 3, KIND_TEXT, "side", NULL, NULL},
    {"line", "LINE", 5, 20, true, false, 2, KIND_INT, "line", NULL, NULL},
    {"hit", "HIT", 3, 3, false, false, 4, KIND_FLAG, "hit", NULL, NULL},
    {"count", "COUNT", 6, 20, true, false, 5, KIND_INT, "count", NULL, NULL},
    {"text", "TEXT", 40, 400, false, true, 0, KIND_TEXT, "text", NULL, NULL},
    {0},
};
static const char *const grep_fields[] = {"id", "side", "line", "hit", "text", "count", NULL};

static const char *line_columns(size_t width)
{
    (void)width;
    return "id,side,line,text";
}

static const char *id_columns(size_t width)
{
    (void)width;
    return "id";
}

static const char *count_columns(size_t width)
{
    (void)width;
    return "id,count";
}

#define SPEC(of, for_machines)                                                                     \
    {                                                                                              \
        .columns = grep_columns, .columns_for = of, .machine = for_machines,                       \
        .fields = grep_fields, .nothing = "nothing found", .pager = true                           \
    }
const struct out_spec grep_rows = SPEC(line_columns, "id,side,line,text");
static const struct out_spec id_rows = SPEC(id_columns, "id");
static const struct out_spec count_rows = SPEC(count_columns, "id,count");

/* ---- the pattern ---- */

struct pattern {
    struct str fixed; /* ptr NULL: regex */
    bool ignore_case;
    regex_t regex;
};

static int pattern_init(struct pattern *p, const char *text, bool fixed, bool ignore_case,
                        struct err *err)
{
    char why[160];
    int rc;

    *p = (struct pattern){.fixed = fixed ? str_c(text) : STR_NONE, .ignore_case = ignore_case};
    if (fixed)
        return 0;
    rc = regcomp(&p->regex, text, REG_EXTENDED | (ignore_case ? REG_ICASE : 0));
    if (rc == 0)
        return 0;
    regerror(rc, &p->regex, why, sizeof(why));
    p->fixed = STR(""); /* nothing to free */
    return err_set(err, ERR_INVALID, "\"%.80s\" is no regular expression: %s; -F takes it as text",
                   text, why);
}

static void pattern_clear(struct pattern *p)
{
    if (!p->fixed.ptr)
        regfree(&p->regex);
}

/* Where line matches, or -1. */
static ptrdiff_t pattern_find(const struct pattern *p, struct str line)
{
    regmatch_t match = {.rm_so = 0};

    line = str_cut(line, LINE_MAX_BYTES);
    if (p->fixed.ptr)
        return p->ignore_case ? str_ifind(line, p->fixed) : str_find(line, p->fixed);
    match.rm_eo = (regoff_t)line.len;
    return regexec(&p->regex, line.ptr, 1, &match, REG_STARTEND) == 0 ? match.rm_so : -1;
}

/* ---- requests ---- */

struct grep {
    struct job *job;
    struct pattern pattern;
    bool ids, count, raw, sides[2];
    int64_t context, limit, found; /* found: requests with a hit */
    int64_t id, hits;              /* of the request at hand */
};

static int keep_bytes(void *ctx, struct str bytes, struct err *err)
{
    return buf_add(ctx, bytes, err);
}

/* The text of a side, lines of it; nothing when it was not kept. */
static int read_side(struct grep *g, enum body_side side, struct buf *out, struct err *err)
{
    struct buf body = {.limit = BODY_MAX};
    bool truncated;
    int rc = source_body(&g->job->source, g->id, side, keep_bytes, &body, &truncated, err);

    if (rc < 0 && err->code == ERR_NOT_FOUND)
        rc = 0;
    else if (rc == 0 && g->raw)
        rc = buf_add(out, buf_str(&body), err);
    else if (rc == 0)
        rc = side == BODY_REQUEST ? search_request_text(buf_str(&body), STR(""), out, err)
                                  : search_answer_text(buf_str(&body), STR(""), out, err);
    buf_clear(&body);
    return rc;
}

/* The part of a line around at. */
static struct str shown(struct str line, size_t at)
{
    size_t start = at > SHOWN_BEFORE && line.len > SHOWN ? at - SHOWN_BEFORE : 0;

    while (start > 0 && ((unsigned char)line.ptr[start] & 0xc0) == 0x80)
        start--;
    return utf8_cut(str_from(line, start), SHOWN);
}

static int print(struct grep *g, cJSON *o, struct err *err)
{
    struct buf text = {0};
    int rc = json_print(&text, o) ? out_row(&g->job->out, buf_str(&text), err)
                                  : err_set(err, ERR_NO_MEMORY, "no memory for a line");

    buf_clear(&text);
    cJSON_Delete(o);
    return rc;
}

static int print_line(struct grep *g, enum body_side side, int64_t number, bool hit,
                      struct str line, size_t at, struct err *err)
{
    cJSON *o = cJSON_CreateObject();

    json_put_int(o, "id", g->id);
    json_put_text(o, "side", body_side_names[side]);
    json_put_int(o, "line", number);
    json_put_bool(o, "hit", hit);
    json_put_str(o, "text", shown(line, at));
    return print(g, o, err);
}

/* The lines before one with a hit that were not printed yet: text[from..] of number first. */
static int print_before(struct grep *g, enum body_side side, struct str text, size_t end,
                        int64_t number, int64_t printed, struct err *err)
{
    size_t start = end;
    int64_t first = number;
    struct str line, rest;

    while (start > 0 && first > printed + 1 && number - first < g->context) {
        start--; /* the line end */
        while (start > 0 && text.ptr[start - 1] != '\n')
            start--;
        first--;
    }
    rest = (struct str){text.ptr + start, end - start};
    for (; first < number && str_split(&rest, '\n', &line); first++)
        if (print_line(g, side, first, false, line, 0, err) < 0)
            return -1;
    return 0;
}

static int search_side(struct grep *g, enum body_side side, struct str text, struct err *err)
{
    struct str rest = text, line;
    int64_t number = 0, printed = 0, last_hit = INT64_MIN / 2;

    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t at = pattern_find(&g->pattern, line);
        bool behind = ++number - last_hit <= g->context;

        if (at < 0 && !behind)
            continue;
        if (at >= 0) {
            g->hits++;
            last_hit = number;
        }
        if (g->ids && at >= 0)
            return 0;
        if (g->ids || g->count)
            continue;
        if (at >= 0 &&
            print_before(g, side, text, (size_t)(line.ptr - text.ptr), number, printed, err) < 0)
            return -1;
        if (print_line(g, side, number, at >= 0, line, at >= 0 ? (size_t)at : 0, err) < 0)
            return -1;
        printed = number;
    }
    return 0;
}

static int print_request(struct grep *g, struct err *err)
{
    cJSON *o;

    if (!g->ids && !g->count)
        return 0;
    o = cJSON_CreateObject();
    json_put_int(o, "id", g->id);
    if (g->count)
        json_put_int(o, "count", g->hits);
    return print(g, o, err);
}

static int on_row(void *ctx, struct str json, const struct row *row, struct err *err)
{
    static const enum body_side sides[2] = {BODY_REQUEST, BODY_RESPONSE};
    struct grep *g = ctx;
    int rc = 0;

    (void)json;
    g->id = row_int(row, "id");
    g->hits = 0;
    for (size_t i = 0; rc == 0 && i < 2 && !(g->ids && g->hits > 0); i++) {
        struct buf text = {0};

        if (!g->sides[i])
            continue;
        rc = read_side(g, sides[i], &text, err);
        if (rc == 0 && text.len > 0)
            rc = search_side(g, sides[i], buf_str(&text), err);
        buf_clear(&text);
    }
    if (rc < 0 || g->hits == 0)
        return rc;
    if (print_request(g, err) < 0)
        return -1;
    return ++g->found == g->limit ? 1 : 0;
}

static int read_options(struct grep *g, const struct cli *cli, struct err *err)
{
    const struct opts *o = &cli->opts;
    const char *side = opts_text(o, "side");

    g->limit = DEFAULT_LIMIT;
    g->ids = opts_flag(o, "ids");
    g->count = opts_flag(o, "count");
    g->raw = opts_flag(o, "raw");
    g->sides[0] = !side || strcmp(side, "request") == 0;
    g->sides[1] = !side || strcmp(side, "response") == 0;
    if (cli_int(cli, "limit", 0, INT32_MAX, &g->limit, err) < 0 ||
        cli_int(cli, "context", 0, 1000, &g->context, err) < 0)
        return -1;
    return pattern_init(&g->pattern, o->args[0], opts_flag(o, "fixed"), opts_flag(o, "ignore-case"),
                        err);
}

int requests_grep(struct cli *cli)
{
    struct job job;
    struct grep g = {.job = &job};
    int rc = -1, status;

    if (read_options(&g, cli, &job.err) < 0)
        return cli_usage(cli->name, &job.err);
    if (job_start(&job, cli, g.ids ? &id_rows : g.count ? &count_rows : &grep_rows))
        rc = request_list_each(&job.list, &job.source, LIST_SCAN_ALL, on_row, &g, &job.err);
    status = job_end(&job, rc);
    pattern_clear(&g.pattern);
    return status == 0 && rc == 0 && g.found == 0 ? 1 : status;
}
