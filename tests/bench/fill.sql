-- A million captured requests, 200 runs, 40 models: for measuring pages. Run it on a database that a
-- server made and that is not in use:
--
--     sqlite3 traffic.sqlite3 < tests/bench/fill.sql
PRAGMA synchronous = OFF;
PRAGMA cache_size = -400000;
PRAGMA temp_store = MEMORY;
BEGIN;
CREATE TEMP TABLE begin AS SELECT (unixepoch() - 1000100) * 1000000 AS start; -- one each second
INSERT INTO task_runs (id, name, started_us, ended_us)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
SELECT i, 'bench-' || i, start + (i - 1) * 5001000000, start + i * 5001000000
FROM n, begin;
INSERT INTO requests (
    id, created_us, task_run_id, method, endpoint, query_string, model, upstream_model, model_route,
    route_decision, route_source, provider_slug, upstream_url, client, request_content_type,
    request_bytes, has_images, is_stream, has_tool_calls, completed_us, response_status,
    response_content_type, response_bytes, duration_ms, upstream_headers_ms, first_byte_ms, ttft_ms,
    terminated_by, billing_provider_slug, billing_provider_name, billing_model,
    billing_input_tokens, billing_cached_input_tokens, billing_output_tokens, billing_total_tokens,
    billing_total_cost_pusd)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
SELECT i, start + i * 1000000, 1 + i / 5001, 'POST',
       iif(i % 10 = 0, '/v1/embeddings', '/v1/chat/completions'), '',
       'model-' || (i * 7919 % 40), 'model-' || (i * 7919 % 40), 'model-*', 'route', 'db',
       'lab-' || (i % 5), 'http://localhost:9000/v1/chat/completions', '127.0.0.1:40000',
       'application/json', 2000 + i % 1000, i % 50 = 0, i % 3 <> 0, i % 7 = 0,
       start + i * 1000000 + 200000 + i * 31 % 20000000,
       iif(i % 100 = 0, 500, 200), 'application/json', 5000 + i % 3000, 200 + i * 31 % 20000,
       100, 110, iif(i % 3 <> 0, 100 + i * 17 % 3000, NULL), 'upstream_eof', 'lab-' || (i % 5),
       'Lab ' || (i % 5), 'model-' || (i * 7919 % 40), 1000 + i % 4000, i % 500, 50 + i % 900,
       1050 + i % 4900, 1000000 * (1000 + i % 4000)
FROM n, begin;
INSERT INTO request_bodies (request_id, request_headers_json, response_headers_json,
                            request_length, response_length, request_body, response_body)
SELECT id, '{}', '{"content-type":"application/json"}', 22, 58,
       CAST('{"model":"' || model || '"}' AS BLOB),
       CAST('{"choices":[{"message":{"role":"assistant","content":"ok"}}]}' AS BLOB)
FROM requests;
INSERT INTO facets (kind, value, label, count)
SELECT 'model', model, '', count(*) FROM requests GROUP BY 2
UNION ALL SELECT 'endpoint', endpoint, '', count(*) FROM requests GROUP BY 2
UNION ALL SELECT 'route', model_route, '', count(*) FROM requests GROUP BY 2
UNION ALL SELECT 'provider', billing_provider_slug, billing_provider_name, count(*) FROM requests
    GROUP BY 2, 3
UNION ALL SELECT 'status', response_status, '', count(*) FROM requests GROUP BY 2
UNION ALL SELECT 'run', task_run_id, '', count(*) FROM requests GROUP BY 2
UNION ALL SELECT 'run_model', task_run_id, model, count(*) FROM requests GROUP BY 2, 3
UNION ALL SELECT 'run_endpoint', task_run_id, endpoint, count(*) FROM requests GROUP BY 2, 3
UNION ALL SELECT 'run_status', task_run_id, response_status, count(*) FROM requests GROUP BY 2, 3;
UPDATE run_sums SET (
    requests, successes, errors, pending, streams, images, tools, unpriced, durations, duration_ms,
    ttfts, input_known, input_tokens, cached_input_known, cached_input_tokens, output_known,
    output_tokens, total_known, total_tokens, costs, cost_pusd, completed_us) = (
SELECT count(*), sum(response_status < 400), sum(response_status >= 400), 0, sum(is_stream),
       sum(has_images), sum(has_tool_calls), 0, count(*), sum(duration_ms), count(ttft_ms), count(*),
       sum(billing_input_tokens), count(*), sum(billing_cached_input_tokens), count(*),
       sum(billing_output_tokens), count(*), sum(billing_total_tokens), count(*),
       sum(billing_total_cost_pusd), max(completed_us)
FROM requests WHERE task_run_id = run_id)
WHERE run_id IN (SELECT task_run_id FROM requests);
INSERT INTO counters (name, count)
SELECT 'total', count(*) FROM requests
UNION ALL SELECT 'streams', count(*) FROM requests WHERE is_stream = 1
UNION ALL SELECT 'images', count(*) FROM requests WHERE has_images = 1
UNION ALL SELECT 'tools', count(*) FROM requests WHERE has_tool_calls = 1
UNION ALL SELECT 'errors', count(*) FROM requests WHERE response_status >= 400
UNION ALL SELECT 'slow', count(*) FROM requests WHERE duration_ms >= 10000
UNION ALL SELECT 'large', count(*) FROM requests WHERE billing_total_tokens >= 10000;
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
