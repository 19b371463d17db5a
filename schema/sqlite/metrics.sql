-- What charts are made of: narrow rows of requests, the newest first.
-- ?1, ?2 lowest and highest created_us; ?3 most rows; ?4 the run.

-- text: metrics_columns
created_us, (error IS NOT NULL OR coalesce(response_status < 200 OR response_status >= 400, 0)
             OR upstream_error_message IS NOT NULL),
duration_ms, ttft_ms, billing_input_tokens, billing_cached_input_tokens, billing_output_tokens,
billing_total_cost_pusd, model, billing_provider_slug, model_route

-- name: metrics_all
SELECT {{metrics_columns}} FROM requests INDEXED BY requests_created
WHERE created_us BETWEEN ?1 AND ?2 ORDER BY created_us DESC LIMIT ?3;

-- name: metrics_run
SELECT {{metrics_columns}} FROM requests INDEXED BY requests_run
WHERE task_run_id = ?4 AND created_us BETWEEN ?1 AND ?2 ORDER BY created_us DESC LIMIT ?3;

-- name: metrics_run_range
SELECT (SELECT min(created_us) FROM requests INDEXED BY requests_run WHERE task_run_id = ?1),
       (SELECT max(created_us) FROM requests INDEXED BY requests_run WHERE task_run_id = ?1);
