-- Captured exchanges. Columns come in the order of the table in src/shared/core/record.h.

-- text: columns
    id, created_us, task_run_id, method, endpoint, query_string, model, upstream_model,
    model_route, route_decision, route_source, provider_slug, upstream_url, client,
    request_content_type, request_parts_json, request_bytes, request_body_truncated, has_images,
    estimated_input_tokens, estimated_input_tokenizer, estimated_input_model, is_stream,
    has_tool_calls, completed_us, response_status, response_content_type, response_bytes,
    response_body_truncated, response_was_rewritten, compat_fixes_json, compat_fix_errors_json,
    duration_ms, upstream_connect_ms, upstream_headers_ms, first_byte_ms, ttft_ms, chunk_count,
    event_count, chunk_gap_avg_ms, chunk_gap_p95_ms, chunk_gap_max_ms, client_lag_max_ms, error,
    terminated_by, stream_done, upstream_error_type, upstream_error_code,
    upstream_error_message, upstream_request_id, response_model, response_id, finish_reason,
    tool_call_count, attempt_count, service_tier, reported_cost_pusd, billing_provider_slug,
    billing_provider_name, billing_model, billing_input_tokens, billing_cached_input_tokens,
    billing_cache_write_input_tokens, billing_output_tokens, billing_reasoning_tokens,
    billing_total_tokens, billing_input_cost_pusd, billing_cached_input_cost_pusd,
    billing_output_cost_pusd, billing_total_cost_pusd, pricing_snapshot_json,
    content_event_count

-- text: r_columns
    r.id, r.created_us, r.task_run_id, r.method, r.endpoint, r.query_string, r.model,
    r.upstream_model, r.model_route, r.route_decision, r.route_source, r.provider_slug,
    r.upstream_url, r.client, r.request_content_type, r.request_parts_json, r.request_bytes,
    r.request_body_truncated, r.has_images, r.estimated_input_tokens,
    r.estimated_input_tokenizer, r.estimated_input_model, r.is_stream, r.has_tool_calls,
    r.completed_us, r.response_status, r.response_content_type, r.response_bytes,
    r.response_body_truncated, r.response_was_rewritten, r.compat_fixes_json,
    r.compat_fix_errors_json, r.duration_ms, r.upstream_connect_ms, r.upstream_headers_ms,
    r.first_byte_ms, r.ttft_ms, r.chunk_count, r.event_count, r.chunk_gap_avg_ms,
    r.chunk_gap_p95_ms, r.chunk_gap_max_ms, r.client_lag_max_ms, r.error, r.terminated_by,
    r.stream_done, r.upstream_error_type, r.upstream_error_code, r.upstream_error_message,
    r.upstream_request_id, r.response_model, r.response_id, r.finish_reason, r.tool_call_count,
    r.attempt_count, r.service_tier, r.reported_cost_pusd, r.billing_provider_slug,
    r.billing_provider_name, r.billing_model, r.billing_input_tokens,
    r.billing_cached_input_tokens, r.billing_cache_write_input_tokens, r.billing_output_tokens,
    r.billing_reasoning_tokens, r.billing_total_tokens, r.billing_input_cost_pusd,
    r.billing_cached_input_cost_pusd, r.billing_output_cost_pusd, r.billing_total_cost_pusd,
    r.pricing_snapshot_json, r.content_event_count

-- text: bodies
    b.request_headers_json, b.response_headers_json,
    b.request_encoding, b.request_length, b.request_body,
    b.response_encoding, b.response_length, b.response_body,
    b.upstream_encoding, b.upstream_length, b.upstream_response_body

-- name: request_insert
INSERT INTO requests (
{{columns}}
) VALUES (
    ?1, ?2, (SELECT id FROM task_runs WHERE id = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
    ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38,
    ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52, ?53, ?54, ?55, ?56,
    ?57, ?58, ?59, ?60, ?61, ?62, ?63, ?64, ?65, ?66, ?67, ?68, ?69, ?70, ?71, ?72
);

-- name: request_complete
UPDATE requests SET
    is_stream = ?2, has_tool_calls = ?3, completed_us = ?4, response_status = ?5,
    response_content_type = ?6, response_bytes = ?7, response_body_truncated = ?8,
    response_was_rewritten = ?9, compat_fixes_json = ?10, compat_fix_errors_json = ?11,
    duration_ms = ?12, upstream_connect_ms = ?13, upstream_headers_ms = ?14, first_byte_ms =
    ?15, ttft_ms = ?16, chunk_count = ?17, event_count = ?18, chunk_gap_avg_ms = ?19,
    chunk_gap_p95_ms = ?20, chunk_gap_max_ms = ?21, client_lag_max_ms = ?22, error = ?23,
    terminated_by = ?24, stream_done = ?25, upstream_error_type = ?26, upstream_error_code =
    ?27, upstream_error_message = ?28, upstream_request_id = ?29, response_model = ?30,
    response_id = ?31, finish_reason = ?32, tool_call_count = ?33, attempt_count = ?34,
    service_tier = ?35, reported_cost_pusd = ?36, billing_provider_slug = ?37,
    billing_provider_name = ?38, billing_model = ?39, billing_input_tokens = ?40,
    billing_cached_input_tokens = ?41, billing_cache_write_input_tokens = ?42,
    billing_output_tokens = ?43, billing_reasoning_tokens = ?44, billing_total_tokens = ?45,
    billing_input_cost_pusd = ?46, billing_cached_input_cost_pusd = ?47,
    billing_output_cost_pusd = ?48, billing_total_cost_pusd = ?49, pricing_snapshot_json = ?50,
    content_event_count = ?51
WHERE id = ?1;

-- text: counted_columns
id, model, endpoint, model_route, billing_provider_slug, billing_provider_name, response_status,
task_run_id, is_stream, has_images, has_tool_calls, error, upstream_error_message, duration_ms,
ttft_ms, completed_us, estimated_input_tokens, billing_input_tokens, billing_cached_input_tokens,
billing_output_tokens, billing_reasoning_tokens, billing_total_tokens, billing_total_cost_pusd,
reported_cost_pusd

-- name: request_counted
SELECT {{counted_columns}} FROM requests WHERE id = ?1;

-- name: request_pending_in_runs
SELECT {{counted_columns}} FROM requests INDEXED BY requests_pending
WHERE completed_us IS NULL AND task_run_id IS NOT NULL;

-- name: request_close_pending
UPDATE requests INDEXED BY requests_pending
SET completed_us = ?1, error = 'interrupted: proxy stopped before completion'
WHERE completed_us IS NULL;

-- name: request_pending_flags
SELECT count(*) FROM requests INDEXED BY requests_pending
WHERE completed_us IS NULL
  AND NOT (response_status IS NOT NULL AND (response_status < 200 OR response_status >= 400))
  AND upstream_error_message IS NULL AND error IS NULL;

-- name: request_last_id
SELECT coalesce(max(id), 0) FROM requests;

-- name: request_created_before
SELECT created_us FROM requests WHERE id <= ?1 ORDER BY id DESC LIMIT 1;

-- name: request_created_after
SELECT created_us FROM requests WHERE id >= ?1 ORDER BY id LIMIT 1;

-- name: request_get
SELECT
{{r_columns}},
{{bodies}}
FROM requests r LEFT JOIN request_bodies b ON b.request_id = r.id
WHERE r.id = ?1;

-- name: attempt_insert
INSERT INTO request_attempts (request_id, number, upstream_url, upstream_model, provider_slug,
                              status, error, started_us, headers_ms, duration_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: attempt_list
SELECT number, upstream_url, upstream_model, provider_slug, status, error, started_us, headers_ms,
       duration_ms
FROM request_attempts WHERE request_id = ?1 ORDER BY number;

-- name: request_served
UPDATE requests SET upstream_url = ?2, upstream_model = ?3, provider_slug = ?4 WHERE id = ?1;

-- name: body_insert
INSERT INTO request_bodies (
    request_id, request_headers_json, response_headers_json,
    request_encoding, request_length, request_body,
    response_encoding, response_length, response_body,
    upstream_encoding, upstream_length, upstream_response_body
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12);

-- name: body_complete
UPDATE request_bodies SET
    response_headers_json = ?2,
    response_encoding = ?3, response_length = ?4, response_body = ?5,
    upstream_encoding = ?6, upstream_length = ?7, upstream_response_body = ?8
WHERE request_id = ?1;
