-- A database of the Python llm-observe-proxy 0.6, read only. Statements named source_... run on that
-- file, never on ours. Its tables have more columns or fewer from version to version, so rows are
-- read whole and their columns found by name.

-- name: source_tables
SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0;

-- name: source_settings_count
SELECT count(*) FROM app_settings;
-- name: source_settings_next
SELECT rowid FROM app_settings WHERE rowid > ?1 ORDER BY rowid LIMIT 1;
-- name: source_settings_row
SELECT * FROM app_settings WHERE rowid = ?1;

-- name: source_providers_count
SELECT count(*) FROM model_providers;
-- name: source_providers_next
SELECT rowid FROM model_providers WHERE rowid > ?1 ORDER BY rowid LIMIT 1;
-- name: source_providers_row
SELECT * FROM model_providers WHERE rowid = ?1;

-- name: source_routes_count
SELECT count(*) FROM model_routes;
-- name: source_routes_next
SELECT rowid FROM model_routes WHERE rowid > ?1 ORDER BY rowid LIMIT 1;
-- name: source_routes_row
SELECT * FROM model_routes WHERE rowid = ?1;

-- name: source_prices_count
SELECT count(*) FROM model_prices;
-- name: source_prices_next
SELECT rowid FROM model_prices WHERE rowid > ?1 ORDER BY rowid LIMIT 1;
-- name: source_prices_row
SELECT * FROM model_prices WHERE rowid = ?1;

-- name: source_tiers_count
SELECT count(*) FROM model_price_tiers;
-- name: source_tiers_next
SELECT rowid FROM model_price_tiers WHERE rowid > ?1 ORDER BY rowid LIMIT 1;
-- name: source_tiers_row
SELECT * FROM model_price_tiers WHERE rowid = ?1;
-- name: source_tiers_parents
SELECT rowid, model_price_id FROM model_price_tiers ORDER BY model_price_id, rowid;

-- name: source_runs_count
SELECT count(*) FROM task_runs;
-- name: source_runs_next
SELECT rowid FROM task_runs WHERE rowid > ?1 ORDER BY rowid LIMIT 1;
-- name: source_runs_row
SELECT * FROM task_runs WHERE rowid = ?1;

-- name: source_requests_count
SELECT count(*) FROM request_records;
-- name: source_requests_next
SELECT rowid FROM request_records WHERE rowid > ?1 ORDER BY rowid LIMIT 1;
-- name: source_requests_row
SELECT * FROM request_records WHERE rowid = ?1;

-- name: source_images_count
SELECT count(*) FROM image_assets;
-- name: source_images_next
SELECT rowid FROM image_assets WHERE rowid > ?1 ORDER BY rowid LIMIT 1;
-- name: source_images_row
SELECT * FROM image_assets WHERE rowid = ?1;
-- name: source_images_parents
SELECT rowid, request_id FROM image_assets ORDER BY request_id, rowid;

-- What tells a request that was taken over before from another one of the same number.
-- name: import_request_known
SELECT created_us, method, endpoint, upstream_url FROM requests WHERE id = ?1;

-- name: import_run
INSERT INTO task_runs (id, name, notes, started_us, ended_us, paused_us, summary, metadata_json)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);
