-- What lists offer and count, kept up to date with every transaction.

-- name: facet_add
INSERT INTO facets (kind, value, label, count) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (kind, value, label) DO UPDATE SET count = count + excluded.count;

-- name: facet_list
SELECT value, label, count FROM facets WHERE kind = ?1 AND count > 0 ORDER BY value, label;

-- name: facet_list_by_label
SELECT value, label, count FROM facets WHERE kind = ?1 AND count > 0 ORDER BY label, value;

-- name: facet_count
SELECT coalesce(sum(count), 0) FROM facets WHERE kind = ?1 AND value = ?2;

-- name: facet_endpoints
SELECT count(*), coalesce(sum(count), 0), max(value) FROM facets
WHERE kind = 'endpoint' AND count > 0 AND instr(lower(value), ?1) > 0;

-- name: facet_providers
SELECT count(DISTINCT value), coalesce(sum(count), 0), min(value) FROM facets
WHERE kind = 'provider' AND count > 0 AND (value = ?1 OR label = ?1);

-- name: counter_add
INSERT INTO counters (name, count) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET count = count + excluded.count;

-- name: counter_list
SELECT name, count FROM counters;

-- The last use of each model comes from its end of the index.
-- Models used since ?1, the latest first. What is counted is counted for those alone that are shown.
-- name: models_since
SELECT value, CASE WHEN (SELECT min(created_us) FROM requests INDEXED BY requests_model
                         WHERE model = value) >= ?1
              THEN count
              ELSE (SELECT count(*) FROM requests INDEXED BY requests_model
                    WHERE model = value AND created_us >= ?1) END, used_us
FROM (SELECT value, count, (SELECT max(created_us) FROM requests INDEXED BY requests_model
                            WHERE model = value) AS used_us
      FROM facets WHERE kind = 'model' AND count > 0 AND value <> '' AND used_us >= ?1
      ORDER BY used_us DESC, value LIMIT ?2);

-- name: facet_recent_models
SELECT value, count, (SELECT max(created_us) FROM requests INDEXED BY requests_model
                      WHERE model = value) AS used_us
FROM facets
WHERE kind = 'model' AND count > 0 AND value <> '' AND lower(substr(value, 1, length(?1))) = lower(?1)
ORDER BY used_us DESC, value LIMIT ?2;
