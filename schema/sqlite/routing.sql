-- text: provider_columns
SELECT slug, name, base_url, currency, api_key_env, auth_style, active, is_default_fallback,
       capabilities_json, created_us, updated_us
FROM model_providers

-- name: provider_list
{{provider_columns}} ORDER BY name, slug;

-- name: provider_get
{{provider_columns}} WHERE slug = ?1;

-- name: provider_by_url
{{provider_columns}} WHERE base_url = ?1;

-- name: provider_put
INSERT INTO model_providers (slug, name, base_url, currency, api_key_env, auth_style, active,
                             is_default_fallback, capabilities_json, created_us, updated_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (slug) DO UPDATE SET
    name = excluded.name, base_url = excluded.base_url, currency = excluded.currency,
    api_key_env = excluded.api_key_env, auth_style = excluded.auth_style,
    active = excluded.active, is_default_fallback = excluded.is_default_fallback,
    capabilities_json = excluded.capabilities_json,
    updated_us = max(excluded.updated_us, updated_us + 1);

-- name: provider_delete
DELETE FROM model_providers WHERE slug = ?1;

-- name: provider_clear_fallback
UPDATE model_providers SET is_default_fallback = 0, updated_us = max(?1, updated_us + 1)
WHERE is_default_fallback = 1;

-- name: provider_set_fallback
UPDATE model_providers SET is_default_fallback = 1, updated_us = max(?2, updated_us + 1)
WHERE slug = ?1;

-- name: health_put
INSERT INTO provider_health (provider_slug, status, latency_ms, auth_state, message, checked_us)
SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM model_providers WHERE slug = ?1)
ON CONFLICT (provider_slug) DO UPDATE SET
    status = excluded.status, latency_ms = excluded.latency_ms, auth_state = excluded.auth_state,
    message = excluded.message, checked_us = excluded.checked_us;

-- name: health_list
SELECT p.slug, p.name, p.active, h.status, h.latency_ms, h.auth_state, h.message, h.checked_us
FROM model_providers p LEFT JOIN provider_health h ON h.provider_slug = p.slug
ORDER BY p.name, p.slug;

-- Since ?1: the spans that no block covers.
-- text: uncovered
spans (from_us, to_us) AS (
    SELECT ?1, coalesce((SELECT min(from_us) FROM request_blocks WHERE from_us >= ?1), 9223372036854775807)
    UNION ALL
    SELECT b.to_us, coalesce((SELECT min(from_us) FROM request_blocks WHERE from_us >= b.to_us),
                             9223372036854775807)
    FROM request_blocks b
    WHERE b.from_us >= ?1 AND NOT EXISTS (SELECT 1 FROM request_blocks n WHERE n.from_us = b.to_us)
)

-- Costs are added as millions and the rest and stop at RUN_SUM_MAX, so that no sum overflows.
-- name: provider_usage
WITH {{uncovered}}
SELECT name, sum(requests),
       min(sum(cost_pusd / 1000000) * 1000000 + sum(cost_pusd % 1000000), 9200000000000000000)
FROM (SELECT v.value AS name, v.request_count AS requests, v.cost_pusd AS cost_pusd
      FROM request_blocks b
      CROSS JOIN request_block_values v ON v.block_id = b.id AND v.kind = 'provider'
      WHERE b.from_us >= ?1
      UNION ALL
      SELECT r.billing_provider_slug, 1, coalesce(r.billing_total_cost_pusd, 0)
      FROM spans s
      CROSS JOIN requests r INDEXED BY requests_created
      ON r.created_us >= s.from_us AND r.created_us < s.to_us
      WHERE r.billing_provider_slug IS NOT NULL)
GROUP BY name;

-- text: route_columns
SELECT id, incoming_model, match_type, upstream_url, upstream_model, provider_slug, api_key_env,
       auth_style, fixes_json, managed_by, override_fallback, priority, active, failover_json,
       created_us, updated_us
FROM model_routes

-- name: route_list
{{route_columns}} ORDER BY priority, id;

-- name: route_get
{{route_columns}} WHERE id = ?1;

-- name: route_find
{{route_columns}} WHERE incoming_model = ?1 AND match_type = ?2;

-- name: route_insert
INSERT INTO model_routes (incoming_model, match_type, upstream_url, upstream_model, provider_slug,
                          api_key_env, auth_style, fixes_json, managed_by, override_fallback,
                          priority, active, failover_json, created_us, updated_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14) RETURNING id;

-- name: route_update
UPDATE model_routes SET
    incoming_model = ?2, match_type = ?3, upstream_url = ?4, upstream_model = ?5,
    provider_slug = ?6, api_key_env = ?7, auth_style = ?8, fixes_json = ?9, managed_by = ?10,
    override_fallback = ?11, priority = ?12, active = ?13, failover_json = ?14,
    updated_us = max(?15, updated_us + 1)
WHERE id = ?1;

-- name: route_delete
DELETE FROM model_routes WHERE id = ?1;

-- name: route_usage
WITH {{uncovered}}
SELECT name, sum(requests), max(last_us)
FROM (SELECT v.value AS name, v.request_count AS requests, v.last_us AS last_us
      FROM request_blocks b
      CROSS JOIN request_block_values v ON v.block_id = b.id AND v.kind = 'route'
      WHERE b.from_us >= ?1
      UNION ALL
      SELECT r.model_route, 1, r.created_us
      FROM spans s
      CROSS JOIN requests r INDEXED BY requests_created
      ON r.created_us >= s.from_us AND r.created_us < s.to_us
      WHERE r.model_route IS NOT NULL)
GROUP BY name ORDER BY 2 DESC, name;
