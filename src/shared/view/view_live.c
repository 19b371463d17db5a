#include "view/view_live.h"

#include <stdio.h>

#include "view/view_priv.h"
#include "json/json.h"

/* Tokens over milliseconds, as text with two decimals. */
static void put_rate(cJSON *o, const char *key, int64_t tokens, int64_t ms)
{
    char text[32];

    if (tokens == UNKNOWN || ms == UNKNOWN || ms <= 0) {
        json_put_null(o, key);
        return;
    }
    snprintf(text, sizeof(text), "%.2f", (double)tokens * 1000.0 / (double)ms);
    json_put_text(o, key, text);
}

/* Thousandths, as text with two decimals. */
static void put_milli(cJSON *o, const char *key, int64_t milli)
{
    put_rate(o, key, milli, milli == UNKNOWN ? UNKNOWN : 1000000);
}

static void put_arrival(cJSON *o, const struct record *r, int64_t rev)
{
    json_put_int(o, "id", r->id);
    json_put_int(o, "rev", rev);
    view_put_iso(o, "created_at", r->created_us);
    json_put_str(o, "method", r->method);
    json_put_str(o, "endpoint", r->endpoint);
    json_put_str(o, "model", r->model);
    json_put_str(o, "upstream_model", r->upstream_model);
    json_put_str(o, "model_route", r->model_route);
    json_put_str(o, "upstream_url", r->upstream_url);
    json_put_str(o, "provider_slug", r->provider_slug);
    json_put_bool(o, "has_images", r->has_images);
    json_put_null(o, "task_run");
    json_put_str(o, "client", r->client);
}

static void put_generation_tps(cJSON *o, const struct record *r)
{
    bool estimated;
    int64_t tokens = record_generation_tokens(r, &estimated), ms = record_generation_ms(r);

    put_rate(o, "generation_tps", tokens, ms);
    json_put_bool(o, "generation_tps_estimated", estimated && ms > 0);
}

/* Which of the values are estimates of ours. */
struct guessed {
    bool input, output, cost;
};

static void put_tokens(cJSON *o, const struct record *r, const struct guessed *guessed)
{
    cJSON *tokens = cJSON_AddObjectToObject(o, "tokens");

    json_put_int(tokens, "input", r->billing_input_tokens);
    json_put_int(tokens, "cached_input", r->billing_cached_input_tokens);
    json_put_int(tokens, "output", r->billing_output_tokens);
    json_put_int(tokens, "total", r->billing_total_tokens);
    json_put_bool(tokens, "input_estimated", guessed->input);
    json_put_bool(tokens, "output_estimated", guessed->output);
}

static void put_outcome(cJSON *o, const struct record *r, const struct guessed *guessed)
{
    json_put_str(o, "provider_name", r->billing_provider_name);
    json_put_int(o, "status", r->response_status);
    json_put_int(o, "duration_ms", r->duration_ms);
    json_put_bool(o, "is_stream", r->is_stream);
    json_put_bool(o, "has_tool_calls", r->has_tool_calls);
    put_tokens(o, r, guessed);
    put_rate(o, "tokens_per_second", r->billing_output_tokens, r->duration_ms);
    put_generation_tps(o, r);
    json_put_money(o, "cost_usd", r->billing_total_cost_pusd);
    json_put_bool(o, "cost_estimated", guessed->cost);
    json_put_bool(o, "response_was_rewritten", r->response_was_rewritten);
    json_put_text(o, "compatibility_label", view_compatibility_label(r));
    json_put_str(o, "error", r->error);
    json_put_str(o, "upstream_error_message", r->upstream_error_message);
    json_put_int(o, "ttft_ms", r->ttft_ms);
    json_put_int(o, "first_byte_ms", r->first_byte_ms);
    json_put_int(o, "chunk_count", r->chunk_count);
    json_put_int(o, "event_count", r->event_count);
    json_put_int(o, "chunk_gap_avg_ms", r->chunk_gap_avg_ms);
    json_put_int(o, "chunk_gap_p95_ms", r->chunk_gap_p95_ms);
    json_put_int(o, "chunk_gap_max_ms", r->chunk_gap_max_ms);
    json_put_int(o, "client_lag_max_ms", r->client_lag_max_ms);
    json_put_int(o, "request_bytes", r->request_bytes);
    json_put_int(o, "response_bytes", r->response_bytes);
    json_put_str(o, "finish_reason", r->finish_reason);
    json_put_int(o, "tool_call_count", r->tool_call_count);
    json_put_int(o, "reasoning_tokens", r->billing_reasoning_tokens);
    json_put_str(o, "terminated_by", r->terminated_by);
    json_put_text(o, "outcome", record_outcome(r));
}

cJSON *view_live_done(const struct record *r, int64_t rev)
{
    static const struct guessed nothing;
    cJSON *o = cJSON_CreateObject();

    put_arrival(o, r, rev);
    view_put_iso(o, "completed_at", r->completed_us);
    put_outcome(o, r, &nothing);
    json_put_text(o, "state", r->completed_us == UNKNOWN ? "pending" : "done");
    json_put_null(o, "elapsed_ms");
    json_put_null(o, "gap_ms");
    json_put_null(o, "current_tps");
    return o;
}

cJSON *view_live_flight(const struct record *r, int64_t rev, const struct view_flight *f)
{
    struct record blank;
    struct guessed guessed = {f->input != UNKNOWN, f->output != UNKNOWN && !f->output_reported,
                              f->cost_pusd != UNKNOWN};
    cJSON *o = cJSON_CreateObject();

    record_init(&blank);
    blank.response_status = f->status;
    blank.is_stream = f->is_stream;
    blank.ttft_ms = f->ttft_ms;
    blank.chunk_count = f->chunks;
    blank.event_count = f->events;
    blank.chunk_gap_avg_ms = f->gap_avg_ms;
    blank.chunk_gap_max_ms = f->gap_max_ms;
    blank.request_bytes = f->request_bytes;
    blank.response_bytes = f->response_bytes;
    blank.billing_input_tokens = f->input;
    blank.billing_output_tokens = f->output;
    if (f->input != UNKNOWN && f->output != UNKNOWN)
        blank.billing_total_tokens = f->input + f->output;
    blank.billing_total_cost_pusd = f->cost_pusd;
    put_arrival(o, r, rev);
    json_put_null(o, "completed_at");
    put_outcome(o, &blank, &guessed);
    json_put_text(o, "state", f->state);
    json_put_int(o, "elapsed_ms", f->elapsed_ms);
    json_put_int(o, "gap_ms", f->gap_ms);
    put_milli(o, "current_tps", f->output_milli_per_second);
    return o;
}
