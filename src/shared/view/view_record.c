#include "view/view_record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "core/mask.h"
#include "llm/render.h"
#include "view/display.h"
#include "view/view_priv.h"
#include "view/view_run.h"
#include "json/json.h"

#define ONE_LINE_MAX 160
#define SLOW_MS 10000
#define LARGE_TOKENS 10000

/* ---- text in one line ---- */

/* Code points that the other tools of this API's family split words at. */
static bool is_space(int32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Append s with each run of white space as one blank, cut after 159 code points with "..." when
 * there are more than 160. Reads no more of s than it needs. */
static void one_line(struct buf *out, struct str s)
{
    struct buf line = {0};
    size_t count = 0, keep = 0, step;
    bool gap = false;

    while (s.len > 0 && count <= ONE_LINE_MAX) {
        int32_t c = utf8_next(s, &step);

        if (c >= 0 && is_space(c)) {
            gap = line.len > 0;
        } else {
            if (gap) {
                buf_put(&line, STR(" "));
                if (++count == ONE_LINE_MAX - 1)
                    keep = line.len;
                gap = false;
            }
            buf_put(&line, c < 0 ? STR("\xEF\xBF\xBD") : str_cut(s, step));
            if (++count == ONE_LINE_MAX - 1)
                keep = line.len;
        }
        s = str_from(s, step);
    }
    if (count > ONE_LINE_MAX) {
        buf_put(out, str_cut(buf_str(&line), keep));
        buf_put(out, STR("..."));
    } else {
        buf_put(out, buf_str(&line));
    }
    buf_clear(&line);
}

static void preview(const struct record *r, struct buf *out)
{
    struct str body = str_cut(r->response_body, VIEW_PREVIEW_BYTES);
    struct buf text = {0};
    struct err err;

    if (body.len == 0)
        return;
    render_text(body, r->response_content_type, &text);
    if (text.len > 0 && (r->response_body.len > body.len ||
                         (r->response_bytes != UNKNOWN && r->response_bytes > (int64_t)body.len)))
        (void)buf_add(&text, STR("..."), &err); /* without memory only the dots are missing */
    one_line(out, buf_str(&text));
    buf_clear(&text);
}

/* ---- parts of a row ---- */

struct row {
    const struct record *r;
    int64_t input, cached, output, total; /* tokens to show */
    bool input_estimated;
    bool error, slow, large;
    int64_t large_tokens;
    struct buf preview;
};

static void judge(struct row *row, const struct record *r, bool use_estimate)
{
    *row = (struct row){
        .r = r,
        .input = r->billing_input_tokens,
        .cached = r->billing_cached_input_tokens,
        .output = r->billing_output_tokens,
        .total = r->billing_total_tokens,
        .error = record_failed(r),
        .slow = r->duration_ms != UNKNOWN && r->duration_ms >= SLOW_MS,
    };
    if (use_estimate && row->input == UNKNOWN && r->completed_us == UNKNOWN &&
        r->estimated_input_tokens != UNKNOWN) {
        row->input = r->estimated_input_tokens;
        row->input_estimated = true;
    }
    row->large_tokens = row->total != UNKNOWN ? row->total : r->estimated_input_tokens;
    row->large = row->large_tokens != UNKNOWN && row->large_tokens >= LARGE_TOKENS;
    preview(r, &row->preview);
}

static void put_tokens(cJSON *o, const struct row *row)
{
    cJSON *tokens = cJSON_AddObjectToObject(o, "tokens");

    json_put_int(tokens, "input", row->input);
    json_put_int(tokens, "cached_input", row->cached);
    json_put_int(tokens, "output", row->output);
    json_put_int(tokens, "total", row->total);
    view_put_compact(tokens, "input_display", row->input);
    view_put_compact(tokens, "cached_input_display", row->cached);
    view_put_compact(tokens, "output_display", row->output);
    view_put_compact(tokens, "total_display", row->total);
    json_put_bool(tokens, "input_estimated", row->input_estimated);
}

static void put_throughput(cJSON *o, const struct row *row)
{
    char text[DISPLAY_SIZE], display[DISPLAY_SIZE];
    double rate = NAN;
    bool known = display_throughput(row->output, row->r->duration_ms, text, &rate);

    json_put_text(o, "tokens_per_second", known ? text : NULL);
    json_put_text(o, "tokens_per_second_display", display_rate(rate, display));
}

/* Output speed once the answer has begun. */
static void put_generation_tps(cJSON *o, const struct row *row)
{
    int64_t ms = record_generation_ms(row->r), tokens;
    char text[DISPLAY_SIZE];
    bool estimated, known;
    double rate;

    tokens = record_generation_tokens(row->r, &estimated);
    known = display_throughput(tokens, ms, text, &rate);
    json_put_text(o, "generation_tps", known ? text : NULL);
    json_put_bool(o, "generation_tps_estimated", known && estimated);
}

static void put_duration(cJSON *o, const struct record *r, int64_t now_wall_us)
{
    bool elapsed = r->duration_ms == UNKNOWN && r->completed_us == UNKNOWN;
    int64_t shown = r->duration_ms;
    char text[DISPLAY_SIZE];

    if (elapsed)
        shown = now_wall_us > r->created_us ? (now_wall_us - r->created_us) / 1000 : 0;
    json_put_int(o, "duration_ms", r->duration_ms);
    json_put_int(o, "duration_display_ms", shown);
    json_put_text(o, "duration_display", display_duration(shown, text));
    json_put_bool(o, "duration_is_elapsed", elapsed);
}

static void put_signals(cJSON *o, const struct row *row)
{
    cJSON *signals = cJSON_AddObjectToObject(o, "signals");

    json_put_bool(signals, "stream", row->r->is_stream);
    json_put_bool(signals, "image", row->r->has_images);
    json_put_bool(signals, "tool", row->r->has_tool_calls);
    json_put_bool(signals, "error", row->error);
    json_put_bool(signals, "slow", row->slow);
    json_put_bool(signals, "large", row->large);
}

const char *view_compatibility_label(const struct record *r)
{
    if (r->response_was_rewritten)
        return "rewritten";
    if (r->compat_fix_errors_json.len)
        return "warned";
    return r->compat_fixes_json.len ? "applied" : "none";
}

#define DOT " \xC2\xB7 "

static bool is_raw_json(struct str text)
{
    return str_starts(text, STR("{")) || str_starts(text, STR("["));
}

static void error_summary(const struct row *row, struct buf *out)
{
    const struct record *r = row->r;
    struct str why = r->error.len ? r->error : buf_str(&row->preview);
    struct buf detail = {0};

    if (r->response_status == UNKNOWN)
        buf_put(out, STR("Request error"));
    else
        buf_printf(out, r->response_status >= 500 ? "Server error %" PRId64 : "HTTP %" PRId64,
                   r->response_status);
    if (r->upstream_error_message.len && (why.len == 0 || is_raw_json(why)))
        why = r->upstream_error_message;
    one_line(&detail, why);
    if (detail.len > 0) {
        buf_put(out, STR(DOT));
        buf_put(out, buf_str(&detail));
    }
    buf_clear(&detail);
}

static void put_long(const struct row *row, struct str text, struct buf *out)
{
    char count[DISPLAY_SIZE];

    if (row->large) {
        buf_printf(out, "Long response" DOT "%s tokens", display_compact(row->large_tokens, count));
        if (text.len > 0)
            buf_put(out, STR(DOT));
    }
    buf_put(out, text);
}

/* Of a stream, or with tools: what is put together of it, never its pieces. */
static void summarize_parts(const struct row *row, struct buf *out)
{
    struct view_said said;
    struct buf line = {0};

    view_said(row->r, &said);
    one_line(&line, buf_str(said.calls.len > 0 ? &said.calls : &said.text));
    if (said.calls.len > 0)
        buf_put(out, STR("Tool call" DOT));
    if (said.calls.len > 0)
        buf_put(out, buf_str(&line));
    else if (line.len > 0)
        put_long(row, buf_str(&line), out);
    else if (row->r->has_tool_calls)
        buf_put(out, row->r->is_stream ? STR("Streaming response" DOT "Tool call detected")
                                       : STR("Response" DOT "Tool call detected"));
    else
        buf_put(out, STR("Streaming response"));
    buf_clear(&line);
    view_said_clear(&said);
}

static void summarize(const struct row *row, struct buf *out)
{
    struct str p = buf_str(&row->preview);

    if (row->error)
        error_summary(row, out);
    else if (row->r->has_tool_calls || row->r->is_stream)
        summarize_parts(row, out);
    else if (is_raw_json(p))
        put_long(row, STR("JSON response"), out);
    else
        put_long(row, p, out);
}

static void put_summary(cJSON *o, const struct row *row)
{
    struct buf summary = {0}, line = {0};

    summarize(row, &summary);
    one_line(&line, buf_str(&summary));
    json_put_str(o, "preview", buf_str(&row->preview));
    json_put_str(o, "semantic_summary", buf_str(&line));
    buf_clear(&summary);
    buf_clear(&line);
}

/* What came with timing and facts, named as the columns. */
static void put_further(cJSON *o, const struct row *row)
{
    const struct record *r = row->r;

    json_put_int(o, "ttft_ms", r->ttft_ms);
    json_put_int(o, "first_byte_ms", r->first_byte_ms);
    json_put_int(o, "upstream_connect_ms", r->upstream_connect_ms);
    json_put_int(o, "upstream_headers_ms", r->upstream_headers_ms);
    json_put_int(o, "chunk_count", r->chunk_count);
    json_put_int(o, "event_count", r->event_count);
    json_put_int(o, "chunk_gap_avg_ms", r->chunk_gap_avg_ms);
    json_put_int(o, "chunk_gap_p95_ms", r->chunk_gap_p95_ms);
    json_put_int(o, "chunk_gap_max_ms", r->chunk_gap_max_ms);
    json_put_int(o, "client_lag_max_ms", r->client_lag_max_ms);
    json_put_int(o, "request_bytes", r->request_bytes);
    json_put_int(o, "response_bytes", r->response_bytes);
    json_put_str(o, "response_model", r->response_model);
    json_put_str(o, "finish_reason", r->finish_reason);
    json_put_int(o, "tool_call_count", r->tool_call_count);
    json_put_int(o, "reasoning_tokens", r->billing_reasoning_tokens);
    json_put_int(o, "cache_write_input_tokens", r->billing_cache_write_input_tokens);
    json_put_money(o, "reported_cost_usd", r->reported_cost_pusd);
    json_put_str(o, "upstream_error_message", r->upstream_error_message);
    if (r->stream_done == UNKNOWN)
        json_put_null(o, "stream_done");
    else
        json_put_bool(o, "stream_done", r->stream_done != 0);
    json_put_str(o, "terminated_by", r->terminated_by);
    view_put_iso(o, "completed_at", r->completed_us);
    json_put_str(o, "provider_slug", r->provider_slug);
    put_generation_tps(o, row);
    json_put_text(o, "outcome", record_outcome(r));
    json_put_null(o, "rev"); /* a number of the live table */
}

static void put_row(cJSON *o, const struct row *row, struct str model, int64_t now_wall_us)
{
    const struct record *r = row->r;
    struct str provider =
        r->billing_provider_name.ptr ? r->billing_provider_name : r->billing_provider_slug;
    char text[DISPLAY_SIZE];

    json_put_int(o, "id", r->id);
    view_put_iso(o, "created_at", r->created_us);
    view_put_time(o, "created_at_fallback", r->created_us);
    view_put_time(o, "created_at_table_fallback", r->created_us);
    json_put_str(o, "method", r->method);
    json_put_str(o, "endpoint", r->endpoint);
    json_put_str(o, "model", model);
    json_put_str(o, "upstream_model", r->upstream_model);
    json_put_str(o, "model_route", r->model_route);
    json_put_str(o, "upstream_url", r->upstream_url);
    json_put_int(o, "status", r->response_status);
    if (r->response_status == UNKNOWN)
        snprintf(text, sizeof(text), "pending");
    else
        snprintf(text, sizeof(text), "%" PRId64, r->response_status);
    json_put_text(o, "status_label", text);
    put_duration(o, r, now_wall_us);
    json_put_bool(o, "is_stream", r->is_stream);
    json_put_bool(o, "has_images", r->has_images);
    json_put_bool(o, "has_tool_calls", r->has_tool_calls);
    json_put_null(o, "task_run");
    put_tokens(o, row);
    put_throughput(o, row);
    json_put_money(o, "cost_usd", r->billing_total_cost_pusd);
    json_put_text(o, "cost_display", display_usd(r->billing_total_cost_pusd, text));
    json_put_str(o, "billing_provider", provider);
    json_put_str(o, "provider_name", provider);
    json_put_str(o, "billing_model", r->billing_model);
    json_put_str(o, "route_name", r->model_route.ptr ? r->model_route : STR("global fallback"));
    json_put_bool(o, "response_was_rewritten", r->response_was_rewritten);
    json_put_str(o, "compat_fixes_json", r->compat_fixes_json);
    json_put_str(o, "compat_fix_errors_json", r->compat_fix_errors_json);
    json_put_text(o, "compatibility_label", view_compatibility_label(r));
    json_put_str(o, "error", r->error);
    put_signals(o, row);
    put_summary(o, row);
    put_further(o, row);
}

cJSON *view_record_row(const struct record *r, int64_t now_wall_us)
{
    cJSON *o = cJSON_CreateObject();
    struct row row;

    judge(&row, r, true);
    put_row(o, &row, r->model.ptr ? r->model : STR("unknown"), now_wall_us);
    buf_clear(&row.preview);
    return o;
}

/* ---- detail ---- */

static void put_headers(cJSON *o, const char *key, struct str headers_json)
{
    struct buf masked = {0};

    if (headers_json.ptr) {
        mask_stored_json(&masked, headers_json);
        json_put_str(o, key, buf_str(&masked));
    } else {
        json_put_null(o, key);
    }
    buf_clear(&masked);
}

/* How much more than our estimate the provider says it costs. */
static int64_t reported_difference(const struct record *r)
{
    int64_t difference;

    if (r->reported_cost_pusd == UNKNOWN || r->billing_total_cost_pusd == UNKNOWN ||
        __builtin_sub_overflow(r->reported_cost_pusd, r->billing_total_cost_pusd, &difference))
        return UNKNOWN;
    return difference;
}

static void put_billing(cJSON *o, const struct record *r)
{
    char text[DISPLAY_SIZE];

    json_put_str(o, "billing_provider_slug", r->billing_provider_slug);
    json_put_str(o, "billing_provider_name", r->billing_provider_name);
    json_put_int(o, "billing_input_tokens", r->billing_input_tokens);
    json_put_int(o, "billing_cached_input_tokens", r->billing_cached_input_tokens);
    json_put_int(o, "billing_output_tokens", r->billing_output_tokens);
    json_put_int(o, "billing_total_tokens", r->billing_total_tokens);
    json_put_money(o, "billing_input_cost_usd", r->billing_input_cost_pusd);
    json_put_money(o, "billing_cached_input_cost_usd", r->billing_cached_input_cost_pusd);
    json_put_money(o, "billing_output_cost_usd", r->billing_output_cost_pusd);
    json_put_money(o, "billing_total_cost_usd", r->billing_total_cost_pusd);
    json_put_text(o, "billing_total_cost_display", display_usd(r->billing_total_cost_pusd, text));
    json_put_money(o, "reported_cost_difference_usd", reported_difference(r));
    json_put_str(o, "pricing_snapshot_json", r->pricing_snapshot_json);
}

static void put_detail_keys(cJSON *o, const struct row *row)
{
    const struct record *r = row->r;

    json_put_str(o, "path", r->endpoint);
    json_put_str(o, "query_string", r->query_string.ptr ? r->query_string : STR(""));
    view_put_time(o, "completed_at_fallback", r->completed_us);
    put_headers(o, "request_headers_json",
                r->request_headers_json.ptr ? r->request_headers_json : STR("{}"));
    json_put_str(o, "request_content_type", r->request_content_type);
    put_headers(o, "response_headers_json", r->response_headers_json);
    json_put_str(o, "response_content_type", r->response_content_type);
    put_billing(o, r);
    json_put_int(o, "estimated_input_tokens", r->estimated_input_tokens);
    view_put_compact(o, "estimated_input_tokens_display", r->estimated_input_tokens);
    json_put_str(o, "estimated_input_tokenizer", r->estimated_input_tokenizer);
    json_put_str(o, "estimated_input_model", r->estimated_input_model);
    json_put_int(o, "display_input_tokens", row->input);
    json_put_int(o, "display_cached_input_tokens", row->cached);
    json_put_int(o, "display_output_tokens", row->output);
    json_put_int(o, "display_total_tokens", row->total);
    view_put_compact(o, "display_input_tokens_display", row->input);
    view_put_compact(o, "display_cached_input_tokens_display", row->cached);
    view_put_compact(o, "display_output_tokens_display", row->output);
    view_put_compact(o, "display_total_tokens_display", row->total);
    json_put_str(o, "request_parts_json", r->request_parts_json);
    json_put_str(o, "response_id", r->response_id);
    json_put_str(o, "upstream_error_type", r->upstream_error_type);
    json_put_str(o, "upstream_error_code", r->upstream_error_code);
    json_put_str(o, "upstream_request_id", r->upstream_request_id);
    json_put_str(o, "service_tier", r->service_tier);
}

cJSON *view_record_detail_row(const struct record *r, int64_t now_wall_us)
{
    cJSON *o = cJSON_CreateObject();
    struct row row;

    judge(&row, r, false);
    put_row(o, &row, r->model, now_wall_us);
    put_detail_keys(o, &row);
    buf_clear(&row.preview);
    return o;
}
