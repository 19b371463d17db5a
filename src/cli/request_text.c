#include "request_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/query.h"
#include "page.h"
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

struct sheet {
    struct job *job;
    struct page page;
    struct row all, record;
};

/* One line from a member of the record; false when it is unknown. */
static bool put_member(struct sheet *p, const char *path)
{
    return page_member(&p->page, &p->record, path);
}

static bool same(struct sheet *p, const char *a, const char *b)
{
    struct str x, y;

    return row_get(&p->record, a, &x) && row_get(&p->record, b, &y) && str_eq(x, y);
}

/* ---- head ---- */

static void put_run(struct sheet *p, size_t line_start)
{
    struct sheet side = {.job = p->job, .record = p->record};
    int64_t id = row_int(&p->record, "task_run.id");
    size_t used = term_cells(str_from(buf_str(&p->page.text), line_start)), width;

    if (id == ROW_UNKNOWN)
        return;
    page_init(&side.page, &p->job->out, &p->job->err);
    page_put(&side.page, "run ");
    put_member(&side, "task_run.name");
    page_putf(&side.page, " (%" PRId64 ")", id);
    width = term_cells(buf_str(&side.page.text));
    page_putf(&p->page, "%*s", used + width + 2 < HEAD_WIDTH ? (int)(HEAD_WIDTH - used - width) : 2,
              "");
    page_put(&p->page, side.page.text.ptr);
    page_clear(&side.page);
}

static void put_title(struct sheet *p)
{
    char text[FORMAT_SIZE];
    size_t start = p->page.text.len;
    struct str outcome;

    page_putf(&p->page, "request %" PRId64 "  ", row_int(&p->record, "id"));
    put_member(p, "method");
    page_put(&p->page, " ");
    if (!put_member(p, "path"))
        put_member(p, "endpoint");
    page_put(&p->page, "  ");
    if (row_get(&p->record, "outcome", &outcome)) {
        page_put(&p->page, put_member(p, "status") ? " " : "");
        put_member(p, "outcome");
    } else if (request_finished(&p->record)) {
        if (!put_member(p, "status"))
            page_put(&p->page, "ended");
    } else {
        page_put(&p->page, "pending");
    }
    if (row_int(&p->record, "duration_ms") != ROW_UNKNOWN)
        page_putf(&p->page, "  %s", format_duration(text, row_int(&p->record, "duration_ms")));
    put_run(p, start);
    page_put(&p->page, "\n");
}

static void put_when(struct sheet *p)
{
    int64_t at = row_time(&p->record, "created_at"), now = p->job->out.ctx.now_us;
    char text[FORMAT_SIZE];

    page_putf(&p->page, "  when    %s local", format_time_long(text, at));
    if (at != ROW_UNKNOWN)
        page_putf(&p->page, ", %s ago", format_time(text, at, now, FORMAT_TIME_RELATIVE));
    page_put(&p->page, "\n");
}

static bool is_route(struct sheet *p, const struct row *route)
{
    struct str wanted, pattern;

    return row_get(&p->record, "model_route", &wanted) &&
           row_get(route, "incoming_model", &pattern) && str_eq(wanted, pattern);
}

/* What is known of the route by now: " (88, prefix, priority 50)". */
static void put_why(struct sheet *p)
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
        page_putf(&p->page, " (%" PRId64, row_int(&route, "id"));
    else if (found)
        page_put(&p->page, " (startup");
    pattern.len = 0;
    if (found && row_text(&route, "match_type", &pattern)) {
        page_put(&p->page, ", ");
        page_clean(&p->page, buf_str(&pattern), 0);
        page_putf(&p->page, ", priority %" PRId64 ")", row_int(&route, "priority"));
    }
    row_clear(&route);
    buf_clear(&text);
    buf_clear(&pattern);
    buf_clear(&query);
}

static void put_model(struct sheet *p)
{
    page_put(&p->page, "  model   ");
    if (!put_member(p, "model"))
        page_put(&p->page, "-");
    if (!same(p, "model", "upstream_model")) {
        size_t start = p->page.text.len;

        page_put(&p->page, ", sent as ");
        if (!put_member(p, "upstream_model"))
            p->page.text.len = start;
    }
    if (!same(p, "upstream_model", "response_model") && !same(p, "model", "response_model")) {
        size_t start = p->page.text.len;

        page_put(&p->page, ", answered as ");
        if (!put_member(p, "response_model"))
            p->page.text.len = start;
    }
    page_put(&p->page, " on ");
    if (!put_member(p, "provider_slug") && !put_member(p, "upstream_url"))
        page_put(&p->page, "-");
    page_put(&p->page, ", route ");
    if (put_member(p, "model_route"))
        put_why(p);
    else
        page_put(&p->page, "global");
    page_put(&p->page, "\n");
}

struct list_sep {
    bool any;
};

static void put_sep(struct sheet *p, struct list_sep *s, const char *sep)
{
    page_put(&p->page, s->any ? sep : "");
    s->any = true;
}

static void put_phase(struct sheet *p, struct list_sep *s, const char *name, const char *path)
{
    char text[FORMAT_SIZE];
    int64_t ms = row_int(&p->record, path);

    if (ms == ROW_UNKNOWN)
        return;
    put_sep(p, s, ", ");
    page_putf(&p->page, "%s %s", name, format_duration(text, ms));
    if (ms == 0 && strcmp(path, "upstream_connect_ms") == 0)
        page_put(&p->page, " (reused)");
}

static void put_timing(struct sheet *p)
{
    struct list_sep s = {0};
    char text[FORMAT_SIZE], max[FORMAT_SIZE];
    double rate = row_number(&p->record, "generation_tps");
    int64_t p95 = row_int(&p->record, "chunk_gap_p95_ms");
    int64_t gap = row_int(&p->record, "chunk_gap_max_ms");

    page_put(&p->page, "  timing  ");
    put_phase(p, &s, "connect", "upstream_connect_ms");
    put_phase(p, &s, "head", "upstream_headers_ms");
    put_phase(p, &s, "first byte", "first_byte_ms");
    put_phase(p, &s, "first token", "ttft_ms");
    put_phase(p, &s, "end", "duration_ms");
    if (isfinite(rate)) {
        put_sep(p, &s, "; ");
        page_putf(&p->page, "%s%s tok/s",
                  row_true(&p->record, "generation_tps_estimated") ? "~" : "",
                  format_rate(text, rate));
    }
    if (p95 != ROW_UNKNOWN || gap != ROW_UNKNOWN) {
        put_sep(p, &s, "; ");
        page_putf(&p->page, "gap p95 %s max %s", format_duration(text, p95),
                  format_duration(max, gap));
    }
    page_put(&p->page, s.any ? "\n" : "-\n");
}

static bool put_tokens_of(struct sheet *p, struct list_sep *s, const char *sep, const char *path,
                          const char *before, const char *after)
{
    int64_t n = row_int(&p->record, path);

    if (n == ROW_UNKNOWN)
        return false;
    put_sep(p, s, sep);
    page_putf(&p->page, "%s%" PRId64 "%s", before, n, after);
    return true;
}

static void put_tokens(struct sheet *p)
{
    struct list_sep s = {0};

    page_put(&p->page, "  tokens  ");
    put_tokens_of(p, &s, ", ", "tokens.input", "", " in");
    put_tokens_of(p, &s, ", ", "tokens.cached_input", "", " cached");
    put_tokens_of(p, &s, ", ", "cache_write_input_tokens", "", " written to cache");
    put_tokens_of(p, &s, "; ", "tokens.output", "", " out");
    put_tokens_of(p, &s, ", ", "reasoning_tokens", "", " reasoning");
    put_tokens_of(p, &s, "; ", "tokens.total", "total ", "");
    if (!s.any)
        put_tokens_of(p, &s, "", "estimated_input_tokens", "about ", " in (estimated)");
    page_put(&p->page, s.any ? "\n" : "-\n");
}

/* ---- cost ---- */

/* "0.750000" -> "0.75" */
static void put_rate(struct sheet *p, const struct row *snapshot, const char *path)
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
    page_put(&p->page, "$");
    page_clean(&p->page, buf_str(&rate), 0);
    page_put(&p->page, "/M");
    buf_clear(&rate);
}

static void put_term(struct sheet *p, struct list_sep *s, const struct row *snapshot,
                     int64_t tokens, const char *rate)
{
    if (tokens == ROW_UNKNOWN || tokens == 0)
        return;
    page_put(&p->page, s->any ? " + " : " = ");
    s->any = true;
    page_putf(&p->page, "%" PRId64 " x ", tokens);
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
static void put_terms(struct sheet *p, struct list_sep *s, const struct row *snapshot)
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

static void put_equation(struct sheet *p, const struct row *snapshot)
{
    struct list_sep s = {0}, note = {0};
    struct buf text = {0};

    put_terms(p, &s, snapshot);
    if (row_text(snapshot, "price_match", &text)) {
        put_sep(p, &note, ", ");
        page_put(&p->page, "   (");
        page_clean(&p->page, buf_str(&text), 0);
        page_put(&p->page, " match");
    }
    text.len = 0;
    if (row_text(snapshot, "checked_at", &text)) {
        page_put(&p->page, note.any ? ", " : "   (");
        note.any = true;
        page_put(&p->page, "checked ");
        page_clean(&p->page, buf_str(&text), 0);
    }
    page_put(&p->page, note.any ? ")" : "");
    buf_clear(&text);
}

/* Which price it was, and where that is from. */
static void put_price(struct sheet *p)
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
        page_put(&p->page, "  price   ");
        page_clean(&p->page, buf_str(&text), 0);
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
            text.len = 0;
            if (!row_text(&snapshot, paths[i], &text) || text.len == 0)
                continue;
            page_put(&p->page, s.any ? ", " : ":");
            s.any = true;
            page_clean(&p->page, buf_str(&text), 0);
        }
        page_put(&p->page, "\n");
    }
    row_clear(&snapshot);
    buf_clear(&text);
    buf_clear(&json);
}

static void put_cost(struct sheet *p)
{
    struct buf json = {0};
    struct row snapshot = {0};
    struct str value;

    page_put(&p->page, "  cost    ");
    if (row_get(&p->record, "cost_usd", &value)) {
        page_put(&p->page, "$");
        put_member(p, "cost_usd");
        if (row_text(&p->record, "pricing_snapshot_json", &json) &&
            json_scan(buf_str(&json), &value) == JSON_OBJECT && row_read(&snapshot, value))
            put_equation(p, &snapshot);
    } else {
        page_put(&p->page, "-");
    }
    if (row_get(&p->record, "reported_cost_usd", &value)) {
        page_put(&p->page, ", reported $");
        put_member(p, "reported_cost_usd");
    }
    page_put(&p->page, "\n");
    row_clear(&snapshot);
    buf_clear(&json);
}

static void put_line(struct sheet *p, const char *label, const char *path)
{
    size_t start = p->page.text.len;

    page_putf(&p->page, "  %-7s ", label);
    if (put_member(p, path))
        page_put(&p->page, "\n");
    else
        p->page.text.len = start;
}

static void put_finish(struct sheet *p)
{
    int64_t calls = row_int(&p->record, "tool_call_count");
    size_t start = p->page.text.len;
    struct str how;
    bool any;

    page_put(&p->page, "  finish  ");
    any = put_member(p, "finish_reason");
    if (calls > 0)
        page_putf(&p->page, "%s%" PRId64 " tool call%s", any ? ", " : "", calls,
                  calls == 1 ? "" : "s");
    if (any || calls > 0)
        page_put(&p->page, "\n");
    else
        p->page.text.len = start;
    if (!row_get(&p->record, "terminated_by", &how) || !json_string_is(how, STR("upstream_eof")))
        put_line(p, "ended", "terminated_by");
}

static void put_attempt(struct sheet *p, struct str value, const char *label)
{
    struct page *page = &p->page;
    struct row one = {0};
    char text[FORMAT_SIZE];

    if (row_read(&one, value)) {
        page_putf(page, "%-10s%" PRId64 " ", label, row_int(&one, "number"));
        page_member(page, &one, "upstream_url");
        page_put(page, ": ");
        if (!page_member(page, &one, "error") && !page_member(page, &one, "status"))
            page_put(page, "-");
        if (row_int(&one, "duration_ms") != ROW_UNKNOWN)
            page_putf(page, ", %s", format_duration(text, row_int(&one, "duration_ms")));
        page_put(page, "\n");
    }
    row_clear(&one);
}

/* What came before the answer, when the route has several upstreams. */
static void put_attempts(struct sheet *p)
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

static void put_decoded(struct sheet *p, struct str value)
{
    struct buf text = {0};
    struct err err;

    if (json_type_of(value) == JSON_STRING && json_string(value, &text, &err) == 0)
        page_clean(&p->page, buf_str(&text), 0);
    buf_clear(&text);
}

/* A line for each element of a list in a member that is JSON text itself. */
static void put_list(struct sheet *p, const char *label, const char *path, struct str name,
                     void (*put_one)(struct sheet *p, struct str element))
{
    struct buf json = {0};
    struct str root, list;
    struct json_iter it;

    if (row_text(&p->record, path, &json) && json_scan(buf_str(&json), &root) == JSON_OBJECT &&
        json_member(root, name, &list) && json_type_of(list) == JSON_ARRAY) {
        it = json_iter(list);
        while (json_next(&it)) {
            page_putf(&p->page, "  %-8s", label);
            put_one(p, it.value);
            page_put(&p->page, "\n");
        }
    }
    buf_clear(&json);
}

static void put_applied(struct sheet *p, struct str applied)
{
    struct str value;

    if (json_member(applied, STR("action"), &value))
        put_decoded(p, value);
    if (json_member(applied, STR("function"), &value)) {
        page_put(&p->page, " ");
        put_decoded(p, value);
    }
}

static void put_head(struct sheet *p)
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

static void put_section(struct sheet *p, const char *name)
{
    page_put(&p->page, p->page.text.len > 0 ? "\n" : "");
    page_bold(&p->page, name);
}

static void put_body(struct sheet *p, const char *name, const char *render, const char *type,
                     const char *size)
{
    char path[64], text[FORMAT_SIZE];
    struct buf body = {0};
    struct str value;

    put_section(p, name);
    page_put(&p->page, "  ");
    if (type && put_member(p, type))
        page_put(&p->page, "  ");
    if (size && row_int(&p->record, size) != ROW_UNKNOWN)
        page_putf(&p->page, "%s", format_bytes_long(text, row_int(&p->record, size)));
    page_put(&p->page, "\n");
    snprintf(path, sizeof(path), "%s.text", render);
    if (!row_get(&p->all, render, &value))
        page_put(&p->page, "(not kept)\n");
    else if (!row_text(&p->all, path, &body) || body.len == 0)
        page_put(&p->page, "(empty)\n");
    else
        page_clean(&p->page, buf_str(&body), TERM_MULTILINE);
    if (p->page.text.len > 0 && p->page.text.ptr[p->page.text.len - 1] != '\n')
        page_put(&p->page, "\n");
    buf_clear(&body);
}

static void put_headers(struct sheet *p, const char *name, const char *path)
{
    struct buf json = {0}, text = {0};
    struct json_iter it;
    struct str value;

    put_section(p, name);
    page_put(&p->page, "\n");
    if (row_text(&p->record, path, &json) && json_scan(buf_str(&json), &value) == JSON_OBJECT) {
        it = json_iter(value);
        while (json_next(&it)) {
            page_put(&p->page, "  ");
            page_clean(&p->page, it.key, 0);
            page_put(&p->page, ": ");
            text.len = 0;
            if (value_text(it.value, &text))
                page_clean(&p->page, buf_str(&text), 0);
            page_put(&p->page, "\n");
        }
    } else {
        page_put(&p->page, "  -\n");
    }
    buf_clear(&text);
    buf_clear(&json);
}

/* ---- images ---- */

static void put_images(struct sheet *p)
{
    struct json_iter it;
    struct str list;
    struct row image = {0};
    struct buf text = {0};
    int number = 0;

    put_section(p, "images");
    page_put(&p->page, "\n");
    it = row_get(&p->all, "images", &list) ? json_iter(list) : json_iter(STR("[]"));
    while (json_next(&it)) {
        struct str data;
        char size[FORMAT_SIZE];

        if (!row_read(&image, it.value))
            continue;
        page_putf(&p->page, "  %d  ", ++number);
        text.len = 0;
        row_text(&image, "mime_type", &text);
        page_clean(&p->page, text.len ? buf_str(&text) : STR("-"), 0);
        page_put(&p->page, "  ");
        text.len = 0;
        if (row_get(&image, "data_base64", &data))
            page_put(&p->page, format_bytes_long(size, (int64_t)data.len / 4 * 3));
        else if (row_text(&image, "source", &text))
            page_clean(&p->page, str_cut(buf_str(&text), 500), 0);
        page_put(&p->page, "\n");
    }
    page_put(&p->page, number ? "" : "  none\n");
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

static void put_parts(struct sheet *p, unsigned parts)
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
    struct sheet p = {.job = job};
    struct str record;
    int rc = -1;

    page_init(&p.page, &job->out, &job->err);
    row_read(&p.all, answer);
    if (row_get(&p.all, "record", &record) && row_read(&p.record, record)) {
        put_parts(&p, parts);
        rc = page_print(&p.page);
    } else {
        err_set(&job->err, ERR_FAILED, "the answer has no record");
    }
    row_clear(&p.all);
    row_clear(&p.record);
    page_clear(&p.page);
    return rc;
}
