-- What "db check" looks at. Each statement gives what is wrong, and nothing when all is well.

-- name: check_quickly
PRAGMA quick_check(20);

-- name: check_integrity
PRAGMA integrity_check(20);

-- name: check_references
SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2;

-- name: check_counters
SELECT name, coalesce(count, 0), counted
FROM (SELECT 'total' AS name, (SELECT count(*) FROM requests) AS counted
      UNION ALL SELECT 'streams', (SELECT count(*) FROM requests WHERE is_stream)
      UNION ALL SELECT 'images', (SELECT count(*) FROM requests WHERE has_images)
      UNION ALL SELECT 'tools', (SELECT count(*) FROM requests WHERE has_tool_calls)
      UNION ALL SELECT 'slow', (SELECT count(*) FROM requests WHERE duration_ms >= 10000))
LEFT JOIN counters USING (name)
WHERE coalesce(count, 0) <> counted;

-- name: check_models
SELECT value, kept, counted
FROM (SELECT value, sum(kept) AS kept, sum(counted) AS counted
      FROM (SELECT value, count AS kept, 0 AS counted FROM facets WHERE kind = 'model'
            UNION ALL
            SELECT model, 0, count(*) FROM requests WHERE model IS NOT NULL GROUP BY model)
      GROUP BY value)
WHERE kept <> counted ORDER BY value LIMIT 20;

-- name: check_runs
SELECT run_id, requests, counted
FROM (SELECT run_id, requests,
             (SELECT count(*) FROM requests r WHERE r.task_run_id = run_id) AS counted
      FROM run_sums)
WHERE requests <> counted ORDER BY run_id LIMIT 20;

-- name: check_pending
SELECT count(*) FROM requests INDEXED BY requests_pending WHERE completed_us IS NULL;
