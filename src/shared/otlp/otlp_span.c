#include "otlp/otlp_span.h"

#include <inttypes.h>

#include "otlp/otlp_json.h"
#include "json/json_scan.h"

#define KIND_CLIENT 3
#define STATUS_ERROR 2
#define FLAGS_ROOT 0x101  /* sampled; that there is no remote parent is known */
#define FLAGS_CHILD 0x301 /* sampled; the parent is remote */
#define STATE_MAX 512

/* ---- the context ---- */

static bool is_hex(struct str s, size_t len)
{
    bool any = false;

    if (s.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
        any = any || s.ptr[i] != '0';
    }
    return any;
}

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* version "-" trace "-" parent "-" flags; a later version may have more. */
static bool read_parent(struct str text, struct otlp_context *out)
{
    struct str version = str_cut(text, 2), flags;
    bool zero = str_eq(version, STR("00"));

    if (text.len < 55 || text.ptr[2] != '-' || text.ptr[35] != '-' || text.ptr[52] != '-' ||
        (!zero && !is_hex(version, 2)) || str_eq(version, STR("ff")) || (zero && text.len != 55) ||
        (text.len > 55 && text.ptr[55] != '-'))
        return false;
    flags = str_cut(str_from(text, 53), 2);
    if (!is_hex(flags, 2) && !str_eq(flags, STR("00")))
        return false;
    out->trace_id = str_cut(str_from(text, 3), 32);
    out->span_id = str_cut(str_from(text, 36), 16);
    out->sampled = hex_value(flags.ptr[1]) & 1;
    return is_hex(out->trace_id, 32) && is_hex(out->span_id, 16);
}

void otlp_context_read(struct str headers_json, struct otlp_context *out)
{
    static const struct otlp_context none = {.sampled = true};
    struct str value;

    *out = none;
    if (!json_member(headers_json, STR("traceparent"), &value) || value.len < 2)
        return;
    if (!read_parent(str_cut(str_from(value, 1), value.len - 2), out)) {
        *out = none;
        return;
    }
    if (json_member(headers_json, STR("tracestate"), &value) && value.len <= STATE_MAX &&
        json_type_of(value) == JSON_STRING)
        out->state = value;
}

/* ---- the span ---- */

static void put_hex(struct buf *out, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        const char pair[] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

        buf_put(out, (struct str){pair, sizeof(pair)});
    }
}

static void put_ids(struct buf *out, const struct otlp_context *c,
                    const unsigned char random[OTLP_RANDOM])
{
    buf_put(out, STR("{\"traceId\":\""));
    if (c->trace_id.ptr)
        buf_put(out, c->trace_id);
    else
        put_hex(out, random, 16);
    buf_put(out, STR("\",\"spanId\":\""));
    put_hex(out, random + 16, 8);
    if (c->span_id.ptr)
        buf_printf(out, "\",\"parentSpanId\":\"%.*s", STR_ARG(c->span_id));
    if (c->state.ptr)
        buf_printf(out, "\",\"traceState\":%.*s", STR_ARG(c->state));
    else
        buf_put(out, STR("\""));
    buf_printf(out, ",\"flags\":%d", c->trace_id.ptr ? FLAGS_CHILD : FLAGS_ROOT);
}

static void put_name(struct buf *out, const struct record *r, const struct otlp_call *call)
{
    struct buf name = {0};

    if (call->operation && call->model.len > 0)
        buf_printf(&name, "%s %.*s", call->operation, STR_ARG(str_cut(call->model, OTLP_TEXT_MAX)));
    else
        buf_put(&name, call->operation ? str_c(call->operation) : str_cut(r->method, 40));
    buf_put(out, STR(",\"name\":"));
    otlp_quote(out, buf_str(&name));
    buf_clear(&name);
}

static void put_times(struct buf *out, const struct record *r)
{
    int64_t end = r->completed_us == UNKNOWN ? r->created_us : r->completed_us;

    buf_printf(out,
               ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
               "000\",\"endTimeUnixNano\":\"%" PRId64 "000\"",
               KIND_CLIENT, r->created_us, end);
}

static void put_tokens(struct buf *out, const struct record *r)
{
    otlp_put_int(out, "gen_ai.usage.input_tokens", r->billing_input_tokens);
    otlp_put_int(out, "gen_ai.usage.output_tokens", r->billing_output_tokens);
    otlp_put_int(out, "gen_ai.usage.cache_read.input_tokens", r->billing_cached_input_tokens);
    otlp_put_int(out, "gen_ai.usage.cache_creation.input_tokens",
                 r->billing_cache_write_input_tokens);
    otlp_put_int(out, "gen_ai.usage.reasoning.output_tokens", r->billing_reasoning_tokens);
}

static void put_answer(struct buf *out, const struct record *r)
{
    if (r->is_stream) {
        otlp_put_true(out, "gen_ai.request.stream");
        otlp_put_decimal(out, "gen_ai.response.time_to_first_chunk", r->first_byte_ms, 3);
    }
    otlp_put_text(out, "gen_ai.response.id", r->response_id);
    otlp_put_list(out, "gen_ai.response.finish_reasons", r->finish_reason);
    put_tokens(out, r);
}

static void put_http(struct buf *out, const struct record *r, const struct otlp_call *call)
{
    otlp_put_text(out, "http.request.method", r->method);
    otlp_put_text(out, "url.path", r->endpoint);
    otlp_put_int(out, "http.response.status_code", r->response_status);
    if (r->attempt_count > 1)
        otlp_put_int(out, "http.request.resend_count", r->attempt_count - 1);
    otlp_put_text(out, "error.type", call->error_type);
}

/* What only this program knows. */
static void put_own(struct buf *out, const struct record *r, const struct otlp_call *call,
                    struct str run_name)
{
    const char *outcome = record_outcome(r);

    otlp_put_int(out, "llm_observe_proxy.request.id", r->id);
    if (r->model.len > 0 && !str_eq(r->model, call->model))
        otlp_put_text(out, "llm_observe_proxy.request.model", r->model);
    otlp_put_text(out, "llm_observe_proxy.route", r->model_route);
    otlp_put_text(out, "llm_observe_proxy.outcome", str_c(outcome));
    otlp_put_int(out, "llm_observe_proxy.run.id", r->task_run_id);
    otlp_put_text(out, "llm_observe_proxy.run.name", run_name);
    otlp_put_decimal(out, "llm_observe_proxy.cost.usd", r->billing_total_cost_pusd, 12);
    otlp_put_decimal(out, "llm_observe_proxy.time_to_first_token", r->ttft_ms, 3);
    if (r->has_tool_calls)
        otlp_put_int(out, "llm_observe_proxy.tool_calls", r->tool_call_count);
    otlp_put_text(out, "llm_observe_proxy.upstream.request_id", r->upstream_request_id);
    otlp_put_text(out, "llm_observe_proxy.upstream.error.type", r->upstream_error_type);
    otlp_put_text(out, "llm_observe_proxy.upstream.error.code", r->upstream_error_code);
}

void otlp_span(struct buf *out, const struct record *r, const struct otlp_call *call,
               const struct otlp_context *context, const unsigned char random[OTLP_RANDOM],
               struct str run_name)
{
    put_ids(out, context, random);
    put_name(out, r, call);
    put_times(out, r);
    buf_put(out, STR(",\"attributes\":["));
    otlp_put_call(out, call, r);
    put_answer(out, r);
    put_http(out, r, call);
    put_own(out, r, call, run_name);
    buf_put(out, STR("],\"status\":{"));
    if (call->error_type.ptr)
        buf_printf(out, "\"code\":%d", STATUS_ERROR);
    buf_put(out, STR("}}"));
}
