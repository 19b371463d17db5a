#include "columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "json/json_scan.h"

#define SLOW_MS 10000

#define TEXT(id, title, min, max, flex, drop, path)                                                \
    {                                                                                              \
        id, title, min, max, false, flex, drop, KIND_TEXT, path, NULL, NULL                        \
    }
#define NUMBER(id, title, min, drop, kind, path, live, estimated)                                  \
    {                                                                                              \
        id, title, min, 20, true, false, drop, kind, path, live, estimated                         \
    }
#define SPECIAL(id, title, min, max, right, drop, kind, path)                                      \
    {                                                                                              \
        id, title, min, max, right, false, drop, kind, path, NULL, NULL                            \
    }

const struct column request_columns[] = {
    NUMBER("id", "ID", 6, 0, KIND_INT, "id", NULL, NULL),
    SPECIAL("age", "AGE", 5, 8, true, 3, KIND_AGE, "created_at"),
    SPECIAL("created", "TIME", 5, 27, false, 3, KIND_TIME, "created_at"),
    SPECIAL("st", "ST", 3, 3, false, 1, KIND_STATE, "outcome"),
    NUMBER("status", "CODE", 4, 8, KIND_INT, "status", NULL, NULL),
    TEXT("method", "METHOD", 6, 6, false, 17, "method"),
    SPECIAL("endpoint", "ENDPOINT", 10, 10, false, 13, KIND_ENDPOINT, "endpoint"),
    TEXT("model", "MODEL", 16, 32, true, 0, "model"),
    TEXT("upstream_model", "SENT AS", 16, 16, false, 18, "upstream_model"),
    SPECIAL("route", "ROUTE", 12, 12, false, 19, KIND_ROUTE, "model_route"),
    TEXT("provider", "PROVIDER", 12, 12, false, 14, "provider_slug"),
    SPECIAL("host", "HOST", 16, 16, false, 20, KIND_HOST, "upstream_url"),
    NUMBER("in", "IN", 6, 9, KIND_COUNT, "tokens.input", NULL, "tokens.input_estimated"),
    SPECIAL("cached", "CACHE", 5, 6, true, 15, KIND_CACHED, "tokens.cached_input"),
    NUMBER("out", "OUT", 6, 6, KIND_COUNT, "tokens.output", NULL, "tokens.output_estimated"),
    NUMBER("reason", "REASON", 6, 21, KIND_COUNT, "reasoning_tokens", NULL, NULL),
    NUMBER("total", "TOTAL", 6, 10, KIND_COUNT, "tokens.total", NULL, NULL),
    NUMBER("ttft", "TTFT", 6, 11, KIND_DURATION, "ttft_ms", NULL, NULL),
    NUMBER("tps", "TOK/S", 6, 7, KIND_RATE, "generation_tps", "current_tps",
           "generation_tps_estimated"),
    NUMBER("otps", "TPS", 6, 16, KIND_RATE, "tokens_per_second", NULL, NULL),
    NUMBER("gap", "GAP", 6, 22, KIND_DURATION, "chunk_gap_p95_ms", "gap_ms", NULL),
    NUMBER("maxgap", "MAXGAP", 6, 23, KIND_DURATION, "chunk_gap_max_ms", NULL, NULL),
    NUMBER("lag", "LAG", 6, 24, KIND_DURATION, "client_lag_max_ms", NULL, NULL),
    NUMBER("dur", "DUR", 6, 5, KIND_DURATION, "duration_ms", "elapsed_ms", NULL),
    NUMBER("req", "REQ", 6, 25, KIND_BYTES, "request_bytes", NULL, NULL),
    NUMBER("bytes", "BYTES", 6, 26, KIND_BYTES, "response_bytes", NULL, NULL),
    NUMBER("events", "EVENTS", 6, 27, KIND_COUNT, "event_count", NULL, NULL),
    NUMBER("cost", "COST", 8, 4, KIND_MONEY, "cost_usd", NULL, "cost_estimated"),
    NUMBER("tools", "TOOLS", 5, 28, KIND_INT, "tool_call_count", NULL, NULL),
    SPECIAL("imgs", "IMG", 3, 3, false, 29, KIND_FLAG, "has_images"),
    TEXT("finish", "FINISH", 8, 8, false, 30, "finish_reason"),
    TEXT("run", "RUN", 8, 24, true, 12, "task_run.name"),
    TEXT("client", "CLIENT", 15, 15, false, 31, "client"),
    TEXT("error", "ERROR", 24, 400, true, 32, "error"),
    TEXT("summary", "SUMMARY", 40, 400, true, 33, "semantic_summary"),
    {0},
};

const char *const request_fields[] = {
    "id",
    "rev",
    "created_at",
    "completed_at",
    "created_at_fallback",
    "created_at_table_fallback",
    "method",
    "endpoint",
    "model",
    "upstream_model",
    "model_route",
    "upstream_url",
    "status",
    "status_label",
    "outcome",
    "state",
    "duration_ms",
    "duration_display_ms",
    "duration_display",
    "duration_is_elapsed",
    "is_stream",
    "has_images",
    "has_tool_calls",
    "task_run",
    "task_run.id",
    "task_run.name",
    "tokens",
    "tokens.input",
    "tokens.cached_input",
    "tokens.output",
    "tokens.total",
    "tokens.input_display",
    "tokens.cached_input_display",
    "tokens.output_display",
    "tokens.total_display",
    "tokens.input_estimated",
    "tokens_per_second",
    "tokens_per_second_display",
    "generation_tps",
    "generation_tps_estimated",
    "cost_usd",
    "cost_display",
    "billing_provider",
    "provider_name",
    "provider_slug",
    "billing_model",
    "route_name",
    "response_was_rewritten",
    "compat_fixes_json",
    "compat_fix_errors_json",
    "compatibility_label",
    "error",
    "signals",
    "signals.stream",
    "signals.image",
    "signals.tool",
    "signals.error",
    "signals.slow",
    "signals.large",
    "preview",
    "semantic_summary",
    "ttft_ms",
    "first_byte_ms",
    "upstream_connect_ms",
    "upstream_headers_ms",
    "chunk_count",
    "event_count",
    "chunk_gap_avg_ms",
    "chunk_gap_p95_ms",
    "chunk_gap_max_ms",
    "client_lag_max_ms",
    "request_bytes",
    "response_bytes",
    "response_model",
    "finish_reason",
    "tool_call_count",
    "reasoning_tokens",
    "cache_write_input_tokens",
    "reported_cost_usd",
    "upstream_error_message",
    "stream_done",
    "terminated_by",
    NULL,
};

const char request_columns_machine[] =
    "id,created_at,status,outcome,endpoint,model,provider_slug,tokens.input,tokens.cached_input,"
    "tokens.output,ttft_ms,duration_ms,generation_tps,cost_usd,task_run.name,error";

const char *request_columns_for(size_t width)
{
    if (width >= 160)
        return "id,created,st,endpoint,model,provider,in,cached,out,reason,ttft,tps,gap,dur,bytes,"
               "cost,tools,finish,run,summary";
    if (width >= 120)
        return "id,created,st,endpoint,model,provider,in,cached,out,ttft,tps,dur,cost,run";
    if (width >= 80)
        return "id,created,st,model,in,out,ttft,tps,cost,run";
    return "id,created,st,model,out,tps,cost";
}

const struct column *column_find(const struct column *columns, struct str id)
{
    for (; columns->id; columns++)
        if (str_eq(str_c(columns->id), id))
            return columns;
    return NULL;
}

/* ---- states ---- */

bool request_finished(const struct row *row)
{
    struct str value;

    return row_get(row, "completed_at", &value) || row_get(row, "outcome", &value);
}

static bool has(const struct row *row, const char *path, const char *text)
{
    struct str value;

    return row_get(row, path, &value) && json_string_is(value, str_c(text));
}

static const struct {
    const char *name, *code;
    enum role role;
} states[] =
    {
        {"receiving", "rcv", ROLE_LIVE},   {"connecting", "con", ROLE_LIVE},
        {"waiting", "pre", ROLE_LIVE},     {"stalled", "STL", ROLE_WARN},
        {"streaming", "str", ROLE_STREAM}, {"pending", "pen", ROLE_LIVE},
},
  outcomes[] = {
      /* a NULL code: the status */
      {"cancelled", "kil", ROLE_ODD},
      {"client_gone", "cxl", ROLE_ODD},
      {"timeout", "tmo", ROLE_ERROR},
      {"cut", "cut", ROLE_ODD},
      {"failed", NULL, ROLE_ERROR},
      {"http_error", NULL, ROLE_ERROR},
      {"upstream_error", "err", ROLE_ERROR},
      {"rewritten", "fix", ROLE_ODD},
      {"ok", "ok", ROLE_NONE},
};

const char *request_state(const struct row *row, char out[8], enum role *role)
{
    int64_t status = row_int(row, "status");

    *role = ROLE_LIVE;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (has(row, "state", states[i].name)) {
            *role = states[i].role;
            return states[i].code;
        }
    if (!request_finished(row))
        return "pen";
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        if (has(row, "outcome", outcomes[i].name)) {
            *role = status == 429 ? ROLE_WARN : outcomes[i].role;
            if (outcomes[i].code)
                return outcomes[i].code;
            break;
        }
    if (status < 0 || status > 999) {
        *role = ROLE_ERROR;
        return "err";
    }
    if (*role == ROLE_LIVE)
        *role = status >= 200 && status < 400 ? ROLE_NONE : ROLE_ERROR;
    snprintf(out, 8, "%d", (int)status);
    return out;
}

/* ---- cells ---- */

static void put(struct buf *out, const char *text)
{
    buf_put(out, str_c(text));
}

static struct str host_of(struct str url)
{
    ptrdiff_t at = str_find(url, STR("://"));
    size_t n = 0;

    if (at >= 0)
        url = str_from(url, (size_t)at + 3);
    while (n < url.len && !strchr("/?#", url.ptr[n]))
        n++;
    return str_cut(url, n);
}

static void put_host(const struct row *row, const struct column *c, struct buf *out)
{
    struct buf url = {0};
    struct err err;

    if (row_text(row, c->path, &url))
        buf_add(out, host_of(buf_str(&url)), &err);
    buf_clear(&url);
}

static void put_endpoint(const struct row *row, const struct column *c, struct buf *out)
{
    static const char *const known[][2] = {
        {"/v1/chat/completions", "chat"}, {"/v1/completions", "complete"},
        {"/v1/responses", "responses"},   {"/v1/messages", "messages"},
        {"/v1/embeddings", "embeddings"},
    };
    struct buf path = {0};
    struct str s;
    struct err err;

    if (!row_text(row, c->path, &path))
        goto out;
    s = buf_str(&path);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_eq(s, str_c(known[i][0]))) {
            put(out, known[i][1]);
            goto out;
        }
    buf_add(out, str_starts(s, STR("/v1/")) ? str_from(s, 4) : s, &err);
out:
    buf_clear(&path);
}

/* Where the number of a column stands: in the live member while the request runs. */
static const char *path_of(const struct column *c, const struct row *row)
{
    struct str value;

    if (c->live && !row_get(row, c->path, &value) && row_get(row, c->live, &value))
        return c->live;
    return c->path;
}

static void put_key(const struct row *row, const struct column *c, struct buf *out, enum role *role)
{
    if (row_text(row, c->path, out) && has(row, "api_key_state", "missing")) {
        put(out, " (missing)");
        *role = ROLE_WARN;
    }
}

static int64_t length_of(struct str array)
{
    struct json_iter it = json_iter(array);
    int64_t n = 0;

    while (json_next(&it))
        n++;
    return n;
}

static void put_length(const struct row *row, const char *path, const char *unit, struct buf *out)
{
    struct str value;

    if (row_get(row, path, &value) && json_type_of(value) == JSON_ARRAY)
        buf_printf(out, "%" PRId64 "%s", length_of(value), unit);
}

/* "0.5 -> 0.4", or the number alone when it is the same or the first one. */
static void put_new(const struct row *row, const struct column *c, struct buf *out)
{
    struct buf now = {0}, was = {0};
    struct err err;

    row_text(row, c->path, &now);
    row_text(row, c->live, &was);
    if (was.len > 0 && !str_eq(buf_str(&was), buf_str(&now))) {
        buf_add(out, buf_str(&was), &err);
        put(out, " -> ");
    }
    buf_add(out, buf_str(&now), &err);
    buf_clear(&now);
    buf_clear(&was);
}

static void put_number(const struct column *c, const struct row *row,
                       const struct column_context *ctx, struct buf *out, enum role *role)
{
    const char *path = path_of(c, row);
    char text[FORMAT_SIZE] = "-";
    int64_t n = row_int(row, path);
    struct str value = STR_NONE;

    if (c->estimated && row_true(row, c->estimated) && row_get(row, path, &value)) {
        put(out, "~");
        *role = ROLE_DIM;
    }
    switch (c->kind) {
    case KIND_COUNT:
        format_count(text, n);
        break;
    case KIND_RATE:
        format_rate(text, row_number(row, path));
        break;
    case KIND_BYTES:
        format_bytes(text, n);
        break;
    case KIND_DURATION:
        format_duration(text, n);
        if (n >= SLOW_MS && strcmp(c->id, "dur") == 0)
            *role = ROLE_WARN;
        break;
    case KIND_MONEY:
        row_get(row, path, &value);
        format_money(text, value);
        break;
    case KIND_CACHED:
        format_percent(text, n, row_int(row, "tokens.input"));
        break;
    case KIND_AGE:
        n = row_time(row, path);
        format_age(text, n == ROW_UNKNOWN ? FORMAT_NONE : (ctx->now_us - n) / 1000);
        break;
    case KIND_TIME:
        format_time(text, row_time(row, path), ctx->now_us, ctx->time);
        break;
    case KIND_INT:
        if (n != ROW_UNKNOWN)
            snprintf(text, sizeof(text), "%" PRId64, n);
        break;
    case KIND_TEXT:
    case KIND_FLAG:
    case KIND_STATE:
    case KIND_ENDPOINT:
    case KIND_ROUTE:
    case KIND_HOST:
    case KIND_KEY:
    case KIND_UPSTREAM:
    case KIND_LENGTH:
    case KIND_NEW:
        break;
    }
    put(out, text);
}

static void put_text(const struct column *c, const struct row *row, struct buf *out,
                     enum role *role)
{
    bool found = row_text(row, c->path, out);

    if (strcmp(c->id, "error") == 0) {
        if (!found)
            found = row_text(row, "upstream_error_message", out);
        *role = ROLE_ERROR;
    }
    if (strcmp(c->id, "model") == 0 && found && str_eq(buf_str(out), STR("unknown")))
        out->len = 0;
}

void column_text(const struct column *c, const struct row *row, const struct column_context *ctx,
                 struct buf *out, enum role *role)
{
    char state[8];

    *role = ROLE_NONE;
    out->len = 0;
    switch (c->kind) {
    case KIND_TEXT:
        put_text(c, row, out, role);
        break;
    case KIND_ROUTE:
        if (!row_text(row, c->path, out))
            put(out, "global");
        break;
    case KIND_FLAG:
        put(out, row_true(row, c->path) ? "y" : "-");
        break;
    case KIND_STATE:
        put(out, request_state(row, state, role));
        break;
    case KIND_ENDPOINT:
        put_endpoint(row, c, out);
        break;
    case KIND_HOST:
        put_host(row, c, out);
        break;
    case KIND_KEY:
        put_key(row, c, out, role);
        break;
    case KIND_UPSTREAM:
        if (!row_text(row, c->path, out))
            put_length(row, "upstreams", " upstreams", out);
        break;
    case KIND_LENGTH:
        put_length(row, c->path, "", out);
        break;
    case KIND_NEW:
        put_new(row, c, out);
        break;
    case KIND_INT:
    case KIND_COUNT:
    case KIND_RATE:
    case KIND_BYTES:
    case KIND_DURATION:
    case KIND_MONEY:
    case KIND_AGE:
    case KIND_TIME:
    case KIND_CACHED:
        put_number(c, row, ctx, out, role);
        break;
    }
    if (out->len == 0)
        put(out, "-");
    if (str_eq(buf_str(out), STR("-")))
        *role = ROLE_DIM;
}

void column_value(const struct column *c, const struct row *row, const struct column_context *ctx,
                  struct buf *out)
{
    char state[8], text[FORMAT_SIZE];
    enum role role;
    int64_t n;

    out->len = 0;
    switch (c->kind) {
    case KIND_STATE:
        put(out, request_state(row, state, &role));
        break;
    case KIND_HOST:
        put_host(row, c, out);
        break;
    case KIND_AGE:
        n = row_time(row, c->path);
        if (n != ROW_UNKNOWN)
            buf_printf(out, "%" PRId64, (ctx->now_us - n) / 1000);
        break;
    case KIND_CACHED:
        n = row_int(row, "tokens.input");
        if (n > 0 && row_int(row, c->path) != ROW_UNKNOWN) {
            snprintf(text, sizeof(text), "%.4f", (double)row_int(row, c->path) / (double)n);
            put(out, text);
        }
        break;
    case KIND_LENGTH:
        put_length(row, c->path, "", out);
        break;
    case KIND_NEW:
    case KIND_KEY:
    case KIND_UPSTREAM:
        row_text(row, c->path, out);
        break;
    case KIND_TEXT:
    case KIND_FLAG:
    case KIND_INT:
    case KIND_COUNT:
    case KIND_RATE:
    case KIND_BYTES:
    case KIND_DURATION:
    case KIND_MONEY:
    case KIND_TIME:
    case KIND_ENDPOINT:
    case KIND_ROUTE:
        row_text(row, path_of(c, row), out);
        break;
    }
}

/* ---- order ---- */

/* In flight, errors, the rest. */
static double state_order(const struct row *row)
{
    char state[8];
    enum role role;

    if (!request_finished(row))
        return 2;
    request_state(row, state, &role);
    return role == ROLE_NONE ? 0 : 1;
}

void sort_key_read(struct sort_key *key, const struct column *c, const struct row *row)
{
    struct buf text = {0};
    struct column_context ctx = {0, FORMAT_TIME_ISO};
    int64_t us;

    *key = (struct sort_key){.id = row_int(row, "id"), .numeric = true};
    switch (c->kind) {
    case KIND_AGE:
    case KIND_TIME:
        us = row_time(row, c->path);
        key->known = us != ROW_UNKNOWN;
        key->number = (double)us;
        break;
    case KIND_STATE:
        key->known = true;
        key->number = state_order(row);
        break;
    case KIND_FLAG:
        key->known = true;
        key->number = row_true(row, c->path);
        break;
    case KIND_CACHED:
        key->number = row_number(row, c->path) / row_number(row, "tokens.input");
        key->known = isfinite(key->number);
        break;
    case KIND_INT:
    case KIND_COUNT:
    case KIND_RATE:
    case KIND_BYTES:
    case KIND_DURATION:
    case KIND_MONEY:
        key->number = row_number(row, path_of(c, row));
        key->known = isfinite(key->number);
        break;
    case KIND_TEXT:
    case KIND_ENDPOINT:
    case KIND_ROUTE:
    case KIND_HOST:
    case KIND_KEY:
    case KIND_UPSTREAM:
    case KIND_LENGTH:
    case KIND_NEW:
        key->numeric = false;
        column_value(c, row, &ctx, &text);
        key->known = text.len > 0;
        snprintf(key->text, sizeof(key->text), "%.*s", STR_ARG(buf_str(&text)));
        break;
    }
    buf_clear(&text);
}

int sort_key_compare(const struct sort_key *a, const struct sort_key *b, bool reverse)
{
    int order = 0;

    if (a->known != b->known)
        return a->known ? -1 : 1;
    if (a->known && a->numeric)
        order = (a->number < b->number) - (a->number > b->number);
    else if (a->known)
        order = strcmp(a->text, b->text);
    if (order != 0)
        return reverse ? -order : order;
    return (a->id < b->id) - (a->id > b->id);
}
