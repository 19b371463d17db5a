-- Lists of captured exchanges that the filter language chooses. The store puts these statements
-- together of parts: where_page or where_count, where_by_... as the lists of lists.sql have them,
-- {{filter}} with the same ?1 to ?21 (or {{range}} alone), a test for each term, and where_newest,
-- where_oldest or where_counted. ?22, ?23: words, and hits of a search. Then come values, what is
-- tested of them, and tests of a whole row; their "?" are numbered from ?24.
--
-- A test of an unknown value is NULL. That counts as false where it stands, and NOT is written so
-- that it makes it true.

-- part: where_page
{{page}} (SELECT r.id

-- part: where_count
SELECT count(*) FROM (SELECT 1

-- part: where_filter
{{filter}}

-- part: where_range
{{range}}

-- part: where_newest
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}}

-- part: where_oldest
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}}

-- part: where_counted
LIMIT ?19)

-- part: where_by_created
FROM requests r INDEXED BY requests_created WHERE

-- part: where_by_model
FROM requests r INDEXED BY requests_model WHERE r.model = ?5 AND

-- part: where_by_route
FROM requests r INDEXED BY requests_route WHERE r.model_route = ?6 AND

-- part: where_by_provider
FROM requests r INDEXED BY requests_provider WHERE r.billing_provider_slug = ?8 AND

-- part: where_by_status
FROM requests r INDEXED BY requests_status WHERE r.response_status = ?9 AND

-- part: where_by_run
FROM requests r INDEXED BY requests_run WHERE r.task_run_id = ?10 AND

-- part: where_by_endpoint
FROM requests r INDEXED BY requests_endpoint WHERE r.endpoint = ?12 AND

-- part: where_by_stream
FROM requests r INDEXED BY requests_stream WHERE r.is_stream = 1 AND

-- part: where_by_image
FROM requests r INDEXED BY requests_image WHERE r.has_images = 1 AND

-- part: where_by_tool
FROM requests r INDEXED BY requests_tool WHERE r.has_tool_calls = 1 AND

-- part: where_by_error
FROM requests r INDEXED BY requests_error WHERE (r.error IS NOT NULL OR r.response_status < 200 OR r.response_status >= 400
       OR r.upstream_error_message IS NOT NULL) AND

-- part: where_by_slow
FROM requests r INDEXED BY requests_slow WHERE r.duration_ms >= 10000 AND

-- part: where_by_large
FROM requests r INDEXED BY requests_large WHERE coalesce(r.billing_total_tokens, r.estimated_input_tokens, 0) >= 10000 AND

-- part: where_by_endpoints
FROM requests r INDEXED BY requests_endpoint
WHERE r.endpoint IN (SELECT value FROM facets WHERE kind = 'endpoint' AND instr(lower(value), ?11) > 0)
  AND

-- part: where_by_pending
FROM requests r INDEXED BY requests_pending WHERE r.completed_us IS NULL AND

-- part: where_by_rewritten
FROM requests r INDEXED BY requests_rewritten WHERE r.response_was_rewritten = 1 AND

-- part: where_by_id
FROM requests r NOT INDEXED WHERE

-- part: where_by_search
FROM requests r WHERE r.id IN (SELECT rowid FROM search_index WHERE search_index MATCH ?22
    ORDER BY rowid DESC LIMIT ?23)
  AND

-- part: where_id
r.id

-- part: where_created
r.created_us

-- part: where_ended
r.completed_us

-- part: where_method
r.method

-- part: where_endpoint
r.endpoint

-- part: where_model
r.model

-- part: where_sent_model
r.upstream_model

-- part: where_route
r.model_route

-- part: where_provider_slug
coalesce(r.provider_slug, r.billing_provider_slug)

-- part: where_provider_name
coalesce(r.billing_provider_name, r.billing_provider_slug)

-- part: where_run
r.task_run_id

-- part: where_status
r.response_status

-- part: where_outcome
CASE
    WHEN r.completed_us IS NULL THEN NULL
    WHEN r.terminated_by = 'cancelled' THEN 'cancelled'
    WHEN r.terminated_by = 'client_disconnect' OR r.response_status = 499 THEN 'client_gone'
    WHEN r.terminated_by = 'idle_timeout'
        OR (r.error IS NOT NULL AND r.upstream_headers_ms IS NULL AND r.response_status = 504)
        THEN 'timeout'
    WHEN (r.error IS NOT NULL AND r.upstream_headers_ms IS NOT NULL)
        OR r.terminated_by = 'shutdown'
        OR (r.is_stream = 1 AND r.stream_done = 0 AND r.finish_reason IS NULL
            AND coalesce(r.response_status BETWEEN 200 AND 399, 1)
            AND r.upstream_error_message IS NULL AND r.error IS NULL)
        THEN 'cut'
    WHEN r.error IS NOT NULL THEN 'failed'
    WHEN r.response_status >= 400 THEN 'http_error'
    WHEN r.upstream_error_message IS NOT NULL THEN 'upstream_error'
    WHEN r.response_was_rewritten = 1 THEN 'rewritten'
    ELSE 'ok' END

-- part: where_finish
r.finish_reason

-- part: where_duration
r.duration_ms

-- part: where_ttft
r.ttft_ms

-- part: where_gap
r.chunk_gap_p95_ms

-- part: where_maxgap
r.chunk_gap_max_ms

-- part: where_input
coalesce(r.billing_input_tokens,
    CASE WHEN r.completed_us IS NULL THEN r.estimated_input_tokens END)

-- part: where_cached
r.billing_cached_input_tokens

-- part: where_output
r.billing_output_tokens

-- part: where_reasoning
r.billing_reasoning_tokens

-- part: where_total
r.billing_total_tokens

-- part: where_tps
CASE WHEN r.duration_ms > 0 THEN
    round(r.billing_output_tokens * 100000.0 / CASE WHEN r.ttft_ms < r.duration_ms
        THEN r.duration_ms - r.ttft_ms ELSE r.duration_ms END) END

-- part: where_cost
r.billing_total_cost_pusd

-- part: where_tools
r.tool_call_count

-- part: where_bytes
r.response_bytes

-- part: where_req_bytes
r.request_bytes

-- part: where_error
r.error

-- part: where_upstream_error
r.upstream_error_message

-- part: where_unknown
IS NULL

-- part: where_known
IS NOT NULL

-- part: where_is
= ?

-- part: where_between
BETWEEN ? AND ?

-- part: where_less
< ?

-- part: where_less_equal
<= ?

-- part: where_more
> ?

-- part: where_more_equal
>= ?

-- part: where_like
LIKE ? ESCAPE '\'

-- part: where_not
IS NOT TRUE

-- part: where_run_is
r.task_run_id IN (SELECT id FROM task_runs WHERE name = ?)

-- part: where_run_like
r.task_run_id IN (SELECT id FROM task_runs WHERE name LIKE ? ESCAPE '\')

-- part: where_is_stream
r.is_stream = 1

-- part: where_is_tool
r.has_tool_calls = 1

-- part: where_is_image
r.has_images = 1

-- part: where_is_error
r.error IS NOT NULL OR r.response_status < 200 OR r.response_status >= 400
    OR r.upstream_error_message IS NOT NULL

-- part: where_is_slow
r.duration_ms >= 10000

-- part: where_is_large
coalesce(r.billing_total_tokens, r.estimated_input_tokens, 0) >= 10000

-- part: where_is_pending
r.completed_us IS NULL

-- part: where_is_rewritten
r.response_was_rewritten = 1

-- part: where_is_warned
r.compat_fix_errors_json <> '' AND r.response_was_rewritten = 0

-- part: where_is_priced
r.billing_total_cost_pusd IS NOT NULL

-- part: where_is_unpriced
r.billing_total_cost_pusd IS NULL AND r.completed_us IS NOT NULL

-- name: where_runs_is
SELECT id FROM task_runs WHERE name = ?1 OR id = ?2 LIMIT 2;

-- name: where_runs_like
SELECT id FROM task_runs WHERE name LIKE ?1 ESCAPE '\' OR id = ?2 LIMIT 2;

-- name: where_models_like
SELECT value FROM facets WHERE kind = 'model' AND value LIKE ?1 ESCAPE '\' LIMIT 2;
