/* core/record.h - one captured exchange, as it is stored, listed and shown.
 *
 * The table below is the one list of its fields: the store binds and reads by it, the schema has a
 * column of the same name for each, and a unit test holds them together. Text is borrowed from the
 * arena of whoever made the record. Absent text is STR_NONE; an unknown number is UNKNOWN
 * (base/str.h). */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "base/str.h"

/* Known when the request has arrived; never changed afterwards. BOOL holds 0 or 1. */
#define RECORD_ARRIVAL_FIELDS(X) /* kind, name */                                                  \
    X(INT, created_us)                                                                             \
    X(INT, task_run_id)                                                                            \
    X(TEXT, method)                                                                                \
    X(TEXT, endpoint)                                                                              \
    X(TEXT, query_string)                                                                          \
    X(TEXT, model)                                                                                 \
    X(TEXT, upstream_model)                                                                        \
    X(TEXT, model_route)                                                                           \
    X(TEXT, route_decision)                                                                        \
    X(TEXT, route_source)                                                                          \
    X(TEXT, provider_slug)                                                                         \
    X(TEXT, upstream_url)                                                                          \
    X(TEXT, client)                                                                                \
    X(TEXT, request_content_type)                                                                  \
    X(TEXT, request_parts_json)                                                                    \
    X(INT, request_bytes)                                                                          \
    X(BOOL, request_body_truncated)                                                                \
    X(BOOL, has_images)                                                                            \
    X(INT, estimated_input_tokens)                                                                 \
    X(TEXT, estimated_input_tokenizer)                                                             \
    X(TEXT, estimated_input_model)

/* Written at completion (is_stream and has_tool_calls are set at arrival and may become true
 * later). */
#define RECORD_OUTCOME_FIELDS(X) /* kind, name */                                                  \
    X(BOOL, is_stream)                                                                             \
    X(BOOL, has_tool_calls)                                                                        \
    X(INT, completed_us)                                                                           \
    X(INT, response_status)                                                                        \
    X(TEXT, response_content_type)                                                                 \
    X(INT, response_bytes)                                                                         \
    X(BOOL, response_body_truncated)                                                               \
    X(BOOL, response_was_rewritten)                                                                \
    X(TEXT, compat_fixes_json)                                                                     \
    X(TEXT, compat_fix_errors_json)                                                                \
    X(INT, duration_ms)                                                                            \
    X(INT, upstream_connect_ms)                                                                    \
    X(INT, upstream_headers_ms)                                                                    \
    X(INT, first_byte_ms)                                                                          \
    X(INT, ttft_ms)                                                                                \
    X(INT, chunk_count)                                                                            \
    X(INT, event_count)                                                                            \
    X(INT, chunk_gap_avg_ms)                                                                       \
    X(INT, chunk_gap_p95_ms)                                                                       \
    X(INT, chunk_gap_max_ms)                                                                       \
    X(INT, client_lag_max_ms)                                                                      \
    X(TEXT, error)                                                                                 \
    X(TEXT, terminated_by)                                                                         \
    X(INT, stream_done)                                                                            \
    X(TEXT, upstream_error_type)                                                                   \
    X(TEXT, upstream_error_code)                                                                   \
    X(TEXT, upstream_error_message)                                                                \
    X(TEXT, upstream_request_id)                                                                   \
    X(TEXT, response_model)                                                                        \
    X(TEXT, response_id)                                                                           \
    X(TEXT, finish_reason)                                                                         \
    X(INT, tool_call_count)                                                                        \
    X(INT, attempt_count)                                                                          \
    X(TEXT, service_tier)                                                                          \
    X(INT, reported_cost_pusd)                                                                     \
    X(TEXT, billing_provider_slug)                                                                 \
    X(TEXT, billing_provider_name)                                                                 \
    X(TEXT, billing_model)                                                                         \
    X(INT, billing_input_tokens)                                                                   \
    X(INT, billing_cached_input_tokens)                                                            \
    X(INT, billing_cache_write_input_tokens)                                                       \
    X(INT, billing_output_tokens)                                                                  \
    X(INT, billing_reasoning_tokens)                                                               \
    X(INT, billing_total_tokens)                                                                   \
    X(INT, billing_input_cost_pusd)                                                                \
    X(INT, billing_cached_input_cost_pusd)                                                         \
    X(INT, billing_output_cost_pusd)                                                               \
    X(INT, billing_total_cost_pusd)                                                                \
    X(TEXT, pricing_snapshot_json)                                                                 \
    X(INT, content_event_count)

#define RECORD_TYPE_INT int64_t
#define RECORD_TYPE_BOOL bool
#define RECORD_TYPE_TEXT struct str

struct record {
    int64_t id;
#define X(kind, name) RECORD_TYPE_##kind name;
    RECORD_ARRIVAL_FIELDS(X)
    RECORD_OUTCOME_FIELDS(X)
#undef X
    /* Read and written with the bodies, by detail views only. Header texts are the masked JSON of
     * what was received. A body that is absent (pending, or not kept) is STR_NONE. */
    struct str request_headers_json, response_headers_json;
    struct str request_body, response_body, upstream_response_body;
};

/** All numbers UNKNOWN, all text absent, all flags false, attempt_count 1. */
void record_init(struct record *r);

/** One try of an exchange whose route has several upstreams. */
struct attempt {
    int64_t number; /* from 1 */
    struct str upstream_url, upstream_model, provider_slug, error;
    int64_t status, started_us, headers_ms, duration_ms;
};

/** The values of terminated_by. */
#define TERMINATED_UPSTREAM_EOF "upstream_eof"
#define TERMINATED_CLIENT "client_disconnect"
#define TERMINATED_UPSTREAM_ERROR "upstream_error"
#define TERMINATED_IDLE "idle_timeout"
#define TERMINATED_SHUTDOWN "shutdown"
#define TERMINATED_CANCELLED "cancelled"
/** A request that was refused before anything went upstream. */
#define TERMINATED_REFUSED "refused"

/** The upstream base a request went to: its URL without query and without what the client's path
 *  has behind /v1. STR_NONE when it cannot be told. */
struct str record_upstream_base(const struct record *r);
/** What output speed is measured over: from the first content to the end, or the whole duration;
 *  UNKNOWN. */
int64_t record_generation_ms(const struct record *r);
/** The tokens that output speed is made of: what was reported, else one for each content event of a
 *  stream, *estimated then. UNKNOWN when there are fewer than two. */
int64_t record_generation_tokens(const struct record *r, bool *estimated);
/** error set, or status < 200 or >= 400, or an error inside the answer. False while pending. */
bool record_failed(const struct record *r);
/** cancelled, client_gone, timeout, cut, failed, http_error, upstream_error, rewritten or ok; NULL
 *  while pending. The first that applies, in that order. */
const char *record_outcome(const struct record *r);

#endif
