#include "request_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/query.h"
#include "text/term.h"
#include "json/json_scan.h"

#define HEAD_WIDTH 80

static const struct {
    const char *name;
    unsigned part;
} parts_known[] = {
    {"head", REQUEST_PART_HEAD},
    {"request", REQUEST_PART_REQUEST},
    {"response", REQUEST_PART_RESPONSE},
    {"upstream", REQUEST_PART_UPSTREAM},
    {"headers", REQUEST_PART_HEADERS},
    {"timing", REQUEST_PART_TIMING},
    {"cost", REQUEST_PART_COST},
    {"images", REQUEST_PART_IMAGES},
    {"conversation", REQUEST_PART_CONVERSATION},
};
#define PARTS (sizeof(parts_known) / sizeof(parts_known[0]))

int request_parts_read(const char *list, unsigned *parts, struct err *err)
{
    struct str rest = str_c(list), name;
    const char *names[PARTS];
    struct buf near = {0};
    unsigned found;

    *parts = 0;
    while (str_split(&rest, ',', &name)) {
        found = 0;
        for (size_t i = 0; i < PARTS; i++) {
            names[i] = parts_known[i].name;
            if (str_eq(name, str_c(names[i])))
                found = parts_known[i].part;
        }
        if (!found) {
            opts_suggest(&near, name, names, PARTS);
            err_set(err, ERR_INVALID, "--part: unknown part \"%.*s\"%.*s",
                    STR_ARG(str_cut(name, 40)), STR_ARG(buf_str(&near)));
            buf_clear(&near);
            return -1;
        }
        *parts |= found;
    }
    if (*parts & REQUEST_PART_CONVERSATION && *parts != REQUEST_PART_CONVERSATION)
        return err_set(err, ERR_INVALID, "--part: conversation goes with no other part");
    return 0;
}

/* ---- writing ---- */

/* The text that is made; after a failure nothing more is added, and request_text() reports it. */
struct page {
    struct job *job;
    struct row all, record;
    struct buf text, scratch;
    unsigned flags; /* of term_clean() */
    bool failed;
};

static void put(struct page *p, struct str own)
{
    if (!p->failed && buf_add(&p->text, own, &p->job->err) < 0)
        p->failed = true;
}

static void put_c(struct page *p, const char *own)
{
    put(p, str_c(own));
}

/* Short text of our own with numbers in it. */
static void putf(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void putf(struct page *p, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    put_c(p, text);
}

/* Text from outside. */
static void put_clean(struct page *p, struct str text, unsigned flags)
{
    if (!p->failed && term_clean(&p->text, text, p->flags | flags, &p->job->err) < 0)
        p->failed = true;
}

/* One line from a member of the record; false when it is unknown. */
static bool put_member(struct page *p, const char *path)
{
    p->scratch.len = 0;
    if (!row_text(&p->record, path, &p->scratch) || p->scratch.len == 0)
        return false;
    put_clean(p, buf_str(&p->scratch), 0);
    return true;
}

static void put_bold(struct page *p, const char *text)
{
    put_c(p, p->job->out.color ? "\x1b[1m" : "");
    put_c(p, text);
    put_c(p, p->job->out.color ? "\x1b[0m" : "");
}

static bool same(struct page *p, const char *a, const char *b)
{
    struct str x, y;

    return row_get(&p->record, a, &x) && row_get(&p->record, b, &y) && str_eq(x, y);
}

/* ---- head ---- */

static void put_run(struct page *p, size_t line_start)
{
    struct page side = {.job = p->job, .record = p->record, .flags = p->flags};
    int64_t id = row_int(&p->record, "task_run.id");
    size_t used = term_cells(str_from(buf_str(&p->text), line_start)), width;

    if (id == ROW_UNKNOWN)
        return;
    put_c(&side, "run ");
    put_member(&side, "task_run.name");
    putf(&side, " (%" PRId64 ")", id);
    width = term_cells(buf_str(&side.text));
    putf(p, "%*s", used + width + 2 < HEAD_WIDTH ? (int)(HEAD_WIDTH - used - width) : 2, "");
    put(p, buf_str(&side.text));
    buf_clear(&side.text);
    buf_clear(&side.scratch);
}

static void put_title(struct page *p)
{
    char text[FORMAT_SIZE];
    size_t start = p->text.len;
    struct str outcome;

    putf(p, "request %" PRId64 "  ", row_int(&p->record, "id"));
    put_member(p, "method");
    put_c(p, " ");
    if (!put_member(p, "path"))
        put_member(p, "endpoint");
    put_c(p, "  ");
    if (row_get(&p->record, "outcome", &outcome)) {
        put_c(p, put_member(p, "status") ? " " : "");
        put_member(p, "outcome");
    } else if (request_finished(&p->record)) {
        if (!put_member(p, "status"))
            put_c(p, "ended");
    } else {
        put_c(p, "pending");
    }
    if (row_int(&p->record, "duration_ms") != ROW_UNKNOWN)
        putf(p, "  %s", format_duration(text, row_int(&p->record, "duration_ms")));
    put_run(p, start);
    put_c(p, "\n");
}

static void put_when(struct page *p)
{
    int64_t at = row_time(&p->record, "created_at"), now = p->job->out.ctx.now_us;
    char text[FORMAT_SIZE];

    putf(p, "  when    %s local", format_time_long(text, at));
    if (at != ROW_UNKNOWN)
        putf(p, ", %s ago", format_time(text, at, now, FORMAT_TIME_RELATIVE));
    put_c(p, "\n");
}

static bool is_route(struct page *p, const struct row *route)
{
    struct str wanted, pattern;

    return row_get(&p->record, "model_route", &wanted) &&
           row_get(route, "incoming_model", &pattern) && str_eq(wanted, pattern);
}

/* What is known of the route by now: " (88, prefix, priority 50)". */
static void put_why(struct page *p)
{
    struct buf query = {0}, pattern = {0}, text = {0};
    struct row route = {0};
    struct json_iter it;
    struct str answer, items;
    struct err ignored;
    bool found = false;

    row_text(&p->record, "model_route", &pattern);
    buf_put(&query, STR("include_startup=1&per_page=100&search="));
    query_encode(&query, buf_str(&pattern));
    if (source_get(&p->job->source, "routes", "/admin/api/routes", query.ptr, &text, &answer,
                   &ignored) == 0 &&
        json_member(answer, STR("items"), &items) && json_type_of(items) == JSON_ARRAY)
        for (it = json_iter(items); !found && json_next(&it);)
            found = row_read(&route, it.value) && is_route(p, &route);
    if (found && row_int(&route, "id") != ROW_UNKNOWN)
        putf(p, " (%" PRId64, row_int(&route, "id"));
    else if (found)
        put_c(p, " (startup");
    pattern.len = 0;
    if (found && row_text(&route, "match_type", &pattern)) {
        put_c(p, ", ");
        put_clean(p, buf_str(&pattern), 0);
        putf(p, ", priority %" PRId64 ")", row_int(&route, "priority"));
    }
    row_clear(&route);
    buf_clear(&text);
    buf_clear(&pattern);
    buf_clear(&query);
}

static void put_model(struct page *p)
{
    put_c(p, "  model   ");
    if (!put_member(p, "model"))
        put_c(p, "-");
    if (!same(p, "model", "upstream_model")) {
        size_t start = p->text.len;

        put_c(p, ", sent as ");
        if (!put_member(p, "upstream_model"))
            p->text.len = start;
    }
    if (!same(p, "upstream_model", "response_model") && !same(p, "model", "response_model")) {
        size_t start = p->text.len;

        put_c(p, ", answered as ");
        if (!put_member(p, "response_model"))
            p->text.len = start;
    }
    put_c(p, " on ");
    if (!put_member(p, "provider_slug") && !put_member(p, "upstream_url"))
        put_c(p, "-");
    put_c(p, ", route ");
    if (put_member(p, "model_route"))
        put_why(p);
    else
        put_c(p, "global");
    put_c(p, "\n");
}

struct list_sep {
    bool any;
};

static void put_sep(struct page *p, struct list_sep *s, const char *sep)
{
    put_c(p, s->any ? sep : "");
    s->any = true;
}

static void put_phase(struct page *p, struct list_sep *s, const char *name, const char *path)
{
    char text[FORMAT_SIZE];
    int64_t ms = row_int(&p->record, path);

    if (ms == ROW_UNKNOWN)
        return;
    put_sep(p, s, ", ");
    putf(p, "%s %s", name, format_duration(text, ms));
    if (ms == 0 && strcmp(path, "upstream_connect_ms") == 0)
        put_c(p, " (reused)");
}

static void put_timing(struct page *p)
{
    struct list_sep s = {0};
    char text[FORMAT_SIZE], max[FORMAT_SIZE];
    double rate = row_number(&p->record, "generation_tps");
    int64_t p95 = row_int(&p->record, "chunk_gap_p95_ms");
    int64_t gap = row_int(&p->record, "chunk_gap_max_ms");

    put_c(p, "  timing  ");
    put_phase(p, &s, "connect", "upstream_connect_ms");
    put_phase(p, &s, "head", "upstream_headers_ms");
    put_phase(p, &s, "first byte", "first_byte_ms");
    put_phase(p, &s, "first token", "ttft_ms");
    put_phase(p, &s, "end", "duration_ms");
    if (isfinite(rate)) {
        put_sep(p, &s, "; ");
        putf(p, "%s%s tok/s", row_true(&p->record, "generation_tps_estimated") ? "~" : "",
             format_rate(text, rate));
    }
    if (p95 != ROW_UNKNOWN || gap != ROW_UNKNOWN) {
        put_sep(p, &s, "; ");
        putf(p, "gap p95 %s max %s", format_duration(text, p95), format_duration(max, gap));
    }
    put_c(p, s.any ? "\n" : "-\n");
}

static bool put_tokens_of(struct page *p, struct list_sep *s, const char *sep, const char *path,
                          const char *before, const char *after)
{
    int64_t n = row_int(&p->record, path);

    if (n == ROW_UNKNOWN)
        return false;
    put_sep(p, s, sep);
    putf(p, "%s%" PRId64 "%s", before, n, after);
    return true;
}

static void put_tokens(struct page *p)
{
    struct list_sep s = {0};

    put_c(p, "  tokens  ");
    put_tokens_of(p, &s, ", ", "tokens.input", "", " in");
    put_tokens_of(p, &s, ", ", "tokens.cached_input", "", " cached");
    put_tokens_of(p, &s, ", ", "cache_write_input_tokens", "", " written to cache");
    put_tokens_of(p, &s, "; ", "tokens.output", "", " out");
    put_tokens_of(p, &s, ", ", "reasoning_tokens", "", " reasoning");
    put_tokens_of(p, &s, "; ", "tokens.total", "total ", "");
    if (!s.any)
        put_tokens_of(p, &s, "", "estimated_input_tokens", "about ", " in (estimated)");
    put_c(p, s.any ? "\n" : "-\n");
}

/* ---- cost ---- */

/* "0.750000" -> "0.75" */
static void put_rate(struct page *p, const struct row *snapshot, const char *path)
{
    struct buf rate = {0};

    if (!row_text(snapshot, path, &rate))
        buf_put(&rate, STR("?"));
    while (str_chr(buf_str(&rate), '.') >= 0 &&
           (rate.ptr[rate.len - 1] == '0' || rate.ptr[rate.len - 1] == '.')) {
        bool dot = rate.ptr[rate.len - 1] == '.';

        rate.len--;
        if (dot)
            break;
    }
    put_c(p, "$");
    put_clean(p, buf_str(&rate), 0);
    put_c(p, "/M");
    buf_clear(&rate);
}

static void put_term(struct page *p, struct list_sep *s, const struct row *snapshot, int64_t tokens,
                     const char *rate)
{
    if (tokens == ROW_UNKNOWN || tokens == 0)
        return;
    put_c(p, s->any ? " + " : " = ");
    s->any = true;
    putf(p, "%" PRId64 " x ", tokens);
    put_rate(p, snapshot, rate);
}

static bool is_priced(const struct row *snapshot, const char *how, const char *rate)
{
    struct str value;

    return row_get(snapshot, how, &value) && json_string_is(value, str_c(rate));
}

static int64_t count_of(const struct row *snapshot, const char *path)
{
    int64_t n = row_int(snapshot, path);

    return n == ROW_UNKNOWN || n < 0 ? 0 : n;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Tokens times rates, as the cost was made (core/cost.c). */
static void put_terms(struct page *p, struct list_sep *s, const struct row *snapshot)
{
    int64_t input = count_of(&p->record, "tokens.input"), cached = 0, written = 0, hour,
            thought = 0;
    int64_t output = count_of(&p->record, "tokens.output");
    struct str value;

    if (is_priced(snapshot, "cached_input_pricing", "cached_input_rate"))
        cached = least(count_of(snapshot, "cached_input_tokens"), input);
    if (is_priced(snapshot, "cache_write_pricing", "cache_write_rate"))
        written = least(count_of(snapshot, "cache_write_input_tokens"), input - cached);
    if (is_priced(snapshot, "reasoning_pricing", "reasoning_rate"))
        thought = least(count_of(snapshot, "reasoning_tokens"), output);
    hour = least(count_of(snapshot, "cache_write_1h_input_tokens"), written);
    put_term(p, s, snapshot, input - cached - written, "input_usd_per_million");
    put_term(p, s, snapshot, cached, "cached_input_usd_per_million");
    put_term(p, s, snapshot, written - hour, "cache_write_usd_per_million");
    put_term(p, s, snapshot, hour,
             row_get(snapshot, "cache_write_1h_usd_per_million", &value)
                 ? "cache_write_1h_usd_per_million"
                 : "cache_write_usd_per_million");
    put_term(p, s, snapshot, output - thought, "output_usd_per_million");
    put_term(p, s, snapshot, thought, "reasoning_usd_per_million");
}

static void put_equation(struct page *p, const struct row *snapshot)
{
    struct list_sep s = {0}, note = {0};
    struct buf text = {0};

    put_terms(p, &s, snapshot);
    if (row_text(snapshot, "price_match", &text)) {
        put_sep(p, &note, ", ");
        put_c(p, "   (");
        put_clean(p, buf_str(&text), 0);
        put_c(p, " match");
    }
    text.len = 0;
    if (row_text(snapshot, "checked_at", &text)) {
        put_c(p, note.any ? ", " : "   (");
        note.any = true;
        put_c(p, "checked ");
        put_clean(p, buf_str(&text), 0);
    }
    put_c(p, note.any ? ")" : "");
    buf_clear(&text);
}

/* Which price it was, and where that is from. */
static void put_price(struct page *p)
{
    static const char *const paths[] = {"matched_model", "tier_label", "service_tier",
                                        "source_url"};
    struct list_sep s = {0};
    struct row snapshot = {0};
    struct buf json = {0}, text = {0};
    struct str value;

    if (row_text(&p->record, "pricing_snapshot_json", &json) &&
        json_scan(buf_str(&json), &value) == JSON_OBJECT && row_read(&snapshot, value) &&
        row_text(&snapshot, "provider_slug", &text)) {
        put_c(p, "  price   ");
        put_clean(p, buf_str(&text), 0);
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
            text.len = 0;
            if (!row_text(&snapshot, paths[i], &text) || text.len == 0)
                continue;
            put_c(p, s.any ? ", " : ":");
            s.any = true;
            put_clean(p, buf_str(&text), 0);
        }
        put_c(p, "\n");
    }
    row_clear(&snapshot);
    buf_clear(&text);
    buf_clear(&json);
}

static void put_cost(struct page *p)
{
    struct buf json = {0};
    struct row snapshot = {0};
    struct str value;

    put_c(p, "  cost    ");
    if (row_get(&p->record, "cost_usd", &value)) {
        put_c(p, "$");
        put_member(p, "cost_usd");
        if (row_text(&p->record, "pricing_snapshot_json", &json) &&
            json_scan(buf_str(&json), &value) == JSON_OBJECT && row_read(&snapshot, value))
            put_equation(p, &snapshot);
    } else {
        put_c(p, "-");
    }
    if (row_get(&p->record, "reported_cost_usd", &value)) {
        put_c(p, ", reported $");
        put_member(p, "reported_cost_usd");
    }
    put_c(p, "\n");
    row_clear(&snapshot);
    buf_clear(&json);
}

static void put_line(struct page *p, const char *label, const char *path)
{
    size_t start = p->text.len;

    putf(p, "  %-8s", label);
    if (put_member(p, path))
        put_c(p, "\n");
    else
        p->text.len = start;
}

static void put_finish(struct page *p)
{
    int64_t calls = row_int(&p->record, "tool_call_count");
    size_t start = p->text.len;
    struct str how;
    bool any;

    put_c(p, "  finish  ");
    any = put_member(p, "finish_reason");
    if (calls > 0)
        putf(p, "%s%" PRId64 " tool call%s", any ? ", " : "", calls, calls == 1 ? "" : "s");
    if (any || calls > 0)
        put_c(p, "\n");
    else
        p->text.len = start;
    if (!row_get(&p->record, "terminated_by", &how) || !json_string_is(how, STR("upstream_eof")))
        put_line(p, "ended", "terminated_by");
}

static void put_attempt(struct page *p, struct str value, const char *label)
{
    struct page one = {.job = p->job, .flags = p->flags};
    char text[FORMAT_SIZE];

    if (row_read(&one.record, value)) {
        putf(&one, "%-10s%" PRId64 " ", label, row_int(&one.record, "number"));
        put_member(&one, "upstream_url");
        put_c(&one, ": ");
        if (!put_member(&one, "error") && !put_member(&one, "status"))
            put_c(&one, "-");
        if (row_int(&one.record, "duration_ms") != ROW_UNKNOWN)
            putf(&one, ", %s", format_duration(text, row_int(&one.record, "duration_ms")));
        put_c(&one, "\n");
        put(p, buf_str(&one.text));
    }
    p->failed = p->failed || one.failed;
    row_clear(&one.record);
    buf_clear(&one.text);
    buf_clear(&one.scratch);
}

/* What came before the answer, when the route has several upstreams. */
static void put_attempts(struct page *p)
{
    const char *label = "  tried";
    struct json_iter it;
    struct str list;

    if (row_int(&p->record, "attempt_count") < 2 || !row_get(&p->record, "attempts", &list))
        return;
    it = json_iter(list);
    while (json_next(&it)) {
        put_attempt(p, it.value, label);
        label = "";
    }
}

static void put_decoded(struct page *p, struct str value)
{
    struct buf text = {0};
    struct err err;

    if (json_type_of(value) == JSON_STRING && json_string(value, &text, &err) == 0)
        put_clean(p, buf_str(&text), 0);
    buf_clear(&text);
}

/* A line for each element of a list in a member that is JSON text itself. */
static void put_list(struct page *p, const char *label, const char *path, struct str name,
                     void (*put_one)(struct page *p, struct str element))
{
    struct buf json = {0};
    struct str root, list;
    struct json_iter it;

    if (row_text(&p->record, path, &json) && json_scan(buf_str(&json), &root) == JSON_OBJECT &&
        json_member(root, name, &list) && json_type_of(list) == JSON_ARRAY) {
        it = json_iter(list);
        while (json_next(&it)) {
            putf(p, "  %-8s", label);
            put_one(p, it.value);
            put_c(p, "\n");
        }
    }
    buf_clear(&json);
}

static void put_applied(struct page *p, struct str applied)
{
    struct str value;

    if (json_member(applied, STR("action"), &value))
        put_decoded(p, value);
    if (json_member(applied, STR("function"), &value)) {
        put_c(p, " ");
        put_decoded(p, value);
    }
}

static void put_head(struct page *p)
{
    put_title(p);
    put_when(p);
    put_model(p);
    put_attempts(p);
    put_timing(p);
    put_tokens(p);
    put_cost(p);
    put_finish(p);
    put_line(p, "error", "error");
    put_line(p, "upstream", "upstream_error_message");
    put_list(p, "fixed", "compat_fixes_json", STR("applied"), put_applied);
    put_list(p, "warned", "compat_fix_errors_json", STR("warnings"), put_decoded);
}

/* ---- bodies and headers ---- */

static void put_section(struct page *p, const char *name)
{
    put_c(p, p->text.len > 0 ? "\n" : "");
    put_bold(p, name);
}

static void put_body(struct page *p, const char *name, const char *render, const char *type,
                     const char *size)
{
    char path[64], text[FORMAT_SIZE];
    struct buf body = {0};
    struct str value;

    put_section(p, name);
    put_c(p, "  ");
    if (type && put_member(p, type))
        put_c(p, "  ");
    if (size && row_int(&p->record, size) != ROW_UNKNOWN)
        putf(p, "%s", format_bytes_long(text, row_int(&p->record, size)));
    put_c(p, "\n");
    snprintf(path, sizeof(path), "%s.text", render);
    if (!row_get(&p->all, render, &value))
        put_c(p, "(not kept)\n");
    else if (!row_text(&p->all, path, &body) || body.len == 0)
        put_c(p, "(empty)\n");
    else
        put_clean(p, buf_str(&body), TERM_MULTILINE);
    if (p->text.len > 0 && p->text.ptr[p->text.len - 1] != '\n')
        put_c(p, "\n");
    buf_clear(&body);
}

static void put_headers(struct page *p, const char *name, const char *path)
{
    struct buf json = {0}, text = {0};
    struct json_iter it;
    struct str value;

    put_section(p, name);
    put_c(p, "\n");
    if (row_text(&p->record, path, &json) && json_scan(buf_str(&json), &value) == JSON_OBJECT) {
        it = json_iter(value);
        while (json_next(&it)) {
            put_c(p, "  ");
            put_clean(p, it.key, 0);
            put_c(p, ": ");
            text.len = 0;
            if (value_text(it.value, &text))
                put_clean(p, buf_str(&text), 0);
            put_c(p, "\n");
        }
    } else {
        put_c(p, "  -\n");
    }
    buf_clear(&text);
    buf_clear(&json);
}

/* ---- images ---- */

static void put_images(struct page *p)
{
    struct json_iter it;
    struct str list;
    struct row image = {0};
    struct buf text = {0};
    int number = 0;

    put_section(p, "images");
    put_c(p, "\n");
    it = row_get(&p->all, "images", &list) ? json_iter(list) : json_iter(STR("[]"));
    while (json_next(&it)) {
        struct str data;
        char size[FORMAT_SIZE];

        if (!row_read(&image, it.value))
            continue;
        putf(p, "  %d  ", ++number);
        text.len = 0;
        row_text(&image, "mime_type", &text);
        put_clean(p, text.len ? buf_str(&text) : STR("-"), 0);
        put_c(p, "  ");
        text.len = 0;
        if (row_get(&image, "data_base64", &data))
            put_c(p, format_bytes_long(size, (int64_t)data.len / 4 * 3));
        else if (row_text(&image, "source", &text))
            put_clean(p, str_cut(buf_str(&text), 500), 0);
        put_c(p, "\n");
    }
    put_c(p, number ? "" : "  none\n");
    row_clear(&image);
    buf_clear(&text);
}

static const char *extension(const struct row *image)
{
    static const char *const types[][2] = {{"image/png", "png"}, {"image/jpeg", "jpg"},
                                           {"image/gif", "gif"}, {"image/webp", "webp"},
                                           {"image/bmp", "bmp"}, {"image/svg+xml", "svg"}};
    struct str mime;

    if (row_get(image, "mime_type", &mime))
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
            if (json_string_is(mime, str_c(types[i][0])))
                return types[i][1];
    return "bin";
}

static int save_image(struct job *job, const char *name, struct str base64)
{
    struct buf text = {0}, bytes = {0};
    FILE *f = NULL;
    int rc = json_string(base64, &text, &job->err);

    if (rc == 0)
        rc = base64_decode(&bytes, buf_str(&text), &job->err);
    if (rc == 0) {
        f = fopen(name, "wbx");
        rc = f && fwrite(buf_str(&bytes).ptr, 1, bytes.len, f) == bytes.len ? 0 : -1;
        if (f && fclose(f) != 0)
            rc = -1;
        if (rc < 0)
            err_set(&job->err, ERR_FAILED, "cannot write %.300s: %s", name, strerror(errno));
    }
    buf_clear(&bytes);
    buf_clear(&text);
    return rc;
}

int request_images_save(struct job *job, int64_t id, struct str answer, const char *folder)
{
    struct row all = {0}, image = {0};
    struct json_iter it;
    struct str list, data;
    struct buf name = {0};
    int number = 0, rc = 0;

    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return err_set(&job->err, ERR_FAILED, "cannot create %.300s: %s", folder, strerror(errno));
    row_read(&all, answer);
    it = row_get(&all, "images", &list) ? json_iter(list) : json_iter(STR("[]"));
    while (rc == 0 && json_next(&it)) {
        number++;
        if (!row_read(&image, it.value) || !row_get(&image, "data_base64", &data))
            continue;
        name.len = 0;
        buf_printf(&name, "%s/request-%" PRId64 "-image-%d.%s", folder, id, number,
                   extension(&image));
        rc = save_image(job, name.ptr, data);
        buf_put(&name, STR("\n"));
        if (rc == 0)
            rc = out_text(&job->out, buf_str(&name), &job->err);
    }
    if (rc == 0 && number == 0)
        cli_note(job->cli, "request %" PRId64 " has no images", id);
    buf_clear(&name);
    row_clear(&image);
    row_clear(&all);
    return rc;
}

/* ---- all of it ---- */

static void put_parts(struct page *p, unsigned parts)
{
    if (parts & REQUEST_PART_HEAD)
        put_head(p);
    if (parts & REQUEST_PART_TIMING)
        put_timing(p);
    if (parts & REQUEST_PART_COST) {
        put_tokens(p);
        put_cost(p);
        put_price(p);
    }
    if (parts & REQUEST_PART_HEADERS) {
        put_headers(p, "request headers", "request_headers_json");
        put_headers(p, "response headers", "response_headers_json");
    }
    if (parts & REQUEST_PART_REQUEST)
        put_body(p, "request", "request_render", "request_content_type", "request_bytes");
    if (parts & REQUEST_PART_RESPONSE)
        put_body(p, "response", "response_render", "response_content_type", "response_bytes");
    if (parts & REQUEST_PART_UPSTREAM)
        put_body(p, "upstream response", "raw_response_render", NULL, NULL);
    if (parts & REQUEST_PART_IMAGES)
        put_images(p);
}

int request_text(struct job *job, struct str answer, unsigned parts)
{
    struct page p = {.job = job, .flags = job->out.flags};
    struct str record;
    int rc = -1;

    if (job->out.color)
        p.flags |= TERM_DIM;
    row_read(&p.all, answer);
    if (!row_get(&p.all, "record", &record) || !row_read(&p.record, record)) {
        err_set(&job->err, ERR_FAILED, "the answer has no record");
        goto out;
    }
    put_parts(&p, parts);
    if (!p.failed)
        rc = out_text(&job->out, buf_str(&p.text), &job->err);
out:
    row_clear(&p.all);
    row_clear(&p.record);
    buf_clear(&p.text);
    buf_clear(&p.scratch);
    return rc;
}
