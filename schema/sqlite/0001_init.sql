-- Schema version 1 of llm-observe-proxy. See schema/README.md.
--
-- Units, everywhere: *_us are microseconds since 1970-01-01 UTC, *_ms milliseconds, *_bytes bytes,
-- *_pusd pico-dollars (10^-12 US dollars; divide by 1e12). Flags are 0 or 1. NULL means unknown,
-- never zero. Texts ending in _json hold JSON.
--
-- Tables for people: requests (one row per exchange), request_bodies (headers and bodies),
-- image_assets, task_runs, app_settings. Tables the program keeps for itself: facets and counters
-- (what lists offer and count, so that no page scans the table), generation (grows with every
-- change of settings), meta. View for people: request_log.

PRAGMA application_id = 0x6c6f7031; -- "lop1"

-- A named span of traffic.
CREATE TABLE task_runs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    notes TEXT,
    started_us INTEGER NOT NULL,
    ended_us INTEGER,  -- set once
    paused_us INTEGER, -- NULL unless paused
    summary TEXT,      -- reserved
    metadata_json TEXT -- reserved
) STRICT;
CREATE INDEX task_runs_started ON task_runs (started_us);
CREATE INDEX task_runs_active ON task_runs (started_us) WHERE ended_us IS NULL AND paused_us IS NULL;

-- One captured exchange. Ids are given out by the daemon in the order of arrival.
CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    created_us INTEGER NOT NULL, -- arrival
    task_run_id INTEGER REFERENCES task_runs (id) ON DELETE SET NULL, -- run that was open at arrival
    method TEXT NOT NULL,
    endpoint TEXT NOT NULL, -- /v1/... without query
    query_string TEXT, -- without "?", secrets masked
    model TEXT, -- as the client sent it
    upstream_model TEXT, -- of the routing decision
    model_route TEXT, -- pattern of the route that matched
    route_decision TEXT, -- route, fallback, passthrough
    route_source TEXT, -- startup, db, fallback, none
    provider_slug TEXT,
    upstream_url TEXT, -- full URL, secrets masked
    client TEXT, -- address of the client
    request_content_type TEXT,
    request_parts_json TEXT, -- parts of a multipart body
    request_bytes INTEGER, -- full size, also when the stored body is cut
    request_body_truncated INTEGER NOT NULL DEFAULT 0, -- the stored body is a prefix, or missing
    has_images INTEGER NOT NULL DEFAULT 0,
    estimated_input_tokens INTEGER, -- local estimate, before any answer
    estimated_input_tokenizer TEXT,
    estimated_input_model TEXT,
    is_stream INTEGER NOT NULL DEFAULT 0,
    has_tool_calls INTEGER NOT NULL DEFAULT 0,
    completed_us INTEGER, -- end of the answer; NULL while pending
    response_status INTEGER,
    response_content_type TEXT,
    response_bytes INTEGER, -- full size
    response_body_truncated INTEGER NOT NULL DEFAULT 0, -- the stored body is a prefix, or missing
    response_was_rewritten INTEGER NOT NULL DEFAULT 0, -- a compatibility fix changed the body
    compat_fixes_json TEXT,
    compat_fix_errors_json TEXT,
    duration_ms INTEGER, -- from just before sending upstream to the end
    upstream_connect_ms INTEGER, -- 0 when a connection was reused
    upstream_headers_ms INTEGER,
    first_byte_ms INTEGER,
    ttft_ms INTEGER, -- first content event of a stream
    chunk_count INTEGER, -- body reads
    event_count INTEGER, -- decoded events
    chunk_gap_avg_ms INTEGER,
    chunk_gap_p95_ms INTEGER,
    chunk_gap_max_ms INTEGER,
    client_lag_max_ms INTEGER, -- longest wait for the client
    error TEXT, -- transport and proxy failures
    terminated_by TEXT, -- upstream_eof, client_disconnect, upstream_error, idle_timeout, shutdown, ...
    stream_done INTEGER, -- 1: an end marker was seen
    upstream_error_type TEXT, -- an error inside the answer
    upstream_error_code TEXT,
    upstream_error_message TEXT,
    upstream_request_id TEXT,
    response_model TEXT,
    response_id TEXT,
    finish_reason TEXT,
    tool_call_count INTEGER,
    attempt_count INTEGER NOT NULL DEFAULT 1,
    service_tier TEXT,
    reported_cost_pusd INTEGER, -- what the provider says it cost
    billing_provider_slug TEXT, -- copies: they survive the provider
    billing_provider_name TEXT,
    billing_model TEXT, -- model that was priced
    billing_input_tokens INTEGER, -- all input, cached included
    billing_cached_input_tokens INTEGER,
    billing_cache_write_input_tokens INTEGER,
    billing_output_tokens INTEGER,
    billing_reasoning_tokens INTEGER,
    billing_total_tokens INTEGER,
    billing_input_cost_pusd INTEGER,
    billing_cached_input_cost_pusd INTEGER,
    billing_output_cost_pusd INTEGER,
    billing_total_cost_pusd INTEGER, -- NULL: not priced
    pricing_snapshot_json TEXT -- the rates that were used
) STRICT;

-- Each index ends with created_us, so that a filtered list comes in the order it is shown.
CREATE INDEX requests_created ON requests (created_us);
CREATE INDEX requests_model ON requests (model, created_us) WHERE model IS NOT NULL;
CREATE INDEX requests_endpoint ON requests (endpoint, created_us);
CREATE INDEX requests_route ON requests (model_route, created_us) WHERE model_route IS NOT NULL;
CREATE INDEX requests_status ON requests (response_status, created_us)
    WHERE response_status IS NOT NULL;
CREATE INDEX requests_run ON requests (task_run_id, created_us) WHERE task_run_id IS NOT NULL;
CREATE INDEX requests_provider ON requests (billing_provider_slug, created_us)
    WHERE billing_provider_slug IS NOT NULL;
CREATE INDEX requests_stream ON requests (created_us) WHERE is_stream = 1;
CREATE INDEX requests_image ON requests (created_us) WHERE has_images = 1;
CREATE INDEX requests_tool ON requests (created_us) WHERE has_tool_calls = 1;
CREATE INDEX requests_rewritten ON requests (created_us) WHERE response_was_rewritten = 1;
CREATE INDEX requests_error ON requests (created_us)
    WHERE error IS NOT NULL OR response_status < 200 OR response_status >= 400
       OR upstream_error_message IS NOT NULL;
CREATE INDEX requests_slow ON requests (created_us) WHERE duration_ms >= 10000;
CREATE INDEX requests_large ON requests (created_us)
    WHERE coalesce(billing_total_tokens, estimated_input_tokens, 0) >= 10000;
CREATE INDEX requests_pending ON requests (created_us) WHERE completed_us IS NULL;

-- What a detail view reads. *_encoding: 0 as is, 1 one zstd frame. *_length: size as captured,
-- before compression. A body that was not kept is NULL. The order of columns lets a list read the
-- start of an answer without walking over the request.
CREATE TABLE request_bodies (
    request_id INTEGER PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    request_encoding INTEGER NOT NULL DEFAULT 0,
    request_length INTEGER,
    response_encoding INTEGER NOT NULL DEFAULT 0,
    response_length INTEGER,
    upstream_encoding INTEGER NOT NULL DEFAULT 0,
    upstream_length INTEGER,
    request_headers_json TEXT,
    response_headers_json TEXT,
    response_body BLOB,         -- as the client got it
    request_body BLOB,          -- as received
    upstream_response_body BLOB -- as received from upstream, when a fix changed or warned
) STRICT;

-- Images found in request bodies.
CREATE TABLE image_assets (
    id INTEGER PRIMARY KEY,
    request_id INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    kind TEXT NOT NULL, -- data_url, url
    mime_type TEXT,
    source TEXT NOT NULL,
    data_base64 TEXT
) STRICT;
CREATE INDEX image_assets_request ON image_assets (request_id);

CREATE TABLE app_settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TEXT NOT NULL -- 2031-04-05T06:07:08.090000Z
) STRICT, WITHOUT ROWID;

-- How many requests have each value of kind model, endpoint, route, provider (value: slug, label:
-- name), status, run. The sum of a kind over all rows is the number of requests that have one.
CREATE TABLE facets (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    label TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, value, label)
) STRICT, WITHOUT ROWID;

-- How many requests there are in all, and of each sort that lists can filter by.
CREATE TABLE counters (
    name TEXT PRIMARY KEY, -- total, streams, images, tools, errors, slow, large
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A daemon that sees the number grow reads its configuration again.
CREATE TABLE generation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO generation (id, value) VALUES (1, 1);
CREATE TRIGGER app_settings_inserted AFTER INSERT ON app_settings
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER app_settings_updated AFTER UPDATE ON app_settings
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER app_settings_deleted AFTER DELETE ON app_settings
BEGIN UPDATE generation SET value = value + 1; END;

-- written_by: version of the program that made or migrated the schema.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- For a person with the sqlite3 shell: one readable line per request, newest first when you add
-- ORDER BY id DESC LIMIT 20.
CREATE VIEW request_log AS
SELECT id,
       strftime('%Y-%m-%d %H:%M:%S', created_us / 1000000, 'unixepoch')
           || printf('.%03d', created_us / 1000 % 1000) AS created_at,
       strftime('%Y-%m-%d %H:%M:%S', completed_us / 1000000, 'unixepoch')
           || printf('.%03d', completed_us / 1000 % 1000) AS completed_at,
       method,
       endpoint,
       model,
       upstream_model,
       coalesce(billing_provider_name, billing_provider_slug, provider_slug) AS provider,
       response_status AS status,
       CASE
           WHEN completed_us IS NULL THEN NULL
           WHEN terminated_by = 'cancelled' THEN 'cancelled'
           WHEN terminated_by = 'client_disconnect' OR response_status = 499 THEN 'client_gone'
           WHEN terminated_by = 'idle_timeout'
               OR (error IS NOT NULL AND upstream_headers_ms IS NULL AND response_status = 504)
               THEN 'timeout'
           WHEN (error IS NOT NULL AND upstream_headers_ms IS NOT NULL)
               OR terminated_by = 'shutdown'
               OR (is_stream = 1 AND stream_done = 0 AND finish_reason IS NULL
                   AND coalesce(response_status BETWEEN 200 AND 399, 1)
                   AND upstream_error_message IS NULL AND error IS NULL)
               THEN 'cut'
           WHEN error IS NOT NULL THEN 'failed'
           WHEN response_status >= 400 THEN 'http_error'
           WHEN upstream_error_message IS NOT NULL THEN 'upstream_error'
           WHEN response_was_rewritten = 1 THEN 'rewritten'
           ELSE 'ok'
       END AS outcome,
       is_stream,
       duration_ms,
       ttft_ms,
       billing_input_tokens AS input_tokens,
       billing_cached_input_tokens AS cached_input_tokens,
       billing_output_tokens AS output_tokens,
       billing_total_tokens AS total_tokens,
       billing_total_cost_pusd / 1e12 AS cost_usd,
       request_bytes,
       response_bytes,
       finish_reason,
       error,
       upstream_error_message,
       task_run_id
FROM requests;
