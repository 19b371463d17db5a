-- Prices, and what billing needs of providers. Rates come in the order of core/price.h.

-- text: rates
input_rate, cached_input_rate, output_rate, cache_write_rate, cache_write_1h_rate, reasoning_rate

-- name: price_providers
SELECT slug, name, currency, base_url FROM model_providers ORDER BY name, slug;

-- name: price_list
SELECT id, provider_slug, model, display_name, {{rates}}, context_length, active, source_url,
       checked_at, release_date, notes, seed_digest, sync_digest, created_us, updated_us
FROM model_prices ORDER BY id;

-- name: price_aliases
SELECT price_id, alias FROM model_price_aliases ORDER BY price_id, position;

-- name: price_tiers
SELECT price_id, id, min_input_tokens, max_input_tokens, {{rates}}, label, source_url, checked_at,
       release_date, notes
FROM model_price_tiers ORDER BY price_id, coalesce(min_input_tokens, 0), id;

-- name: price_variants
SELECT price_id, service_tier, multiplier, {{rates}}
FROM model_price_variants ORDER BY price_id, service_tier;

-- name: price_id
SELECT id FROM model_prices WHERE provider_slug = ?1 AND model = ?2;

-- name: price_put
INSERT INTO model_prices (id, provider_slug, model, display_name, {{rates}}, context_length, active,
                          source_url, checked_at, release_date, notes, seed_digest, sync_digest,
                          created_us, updated_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?19)
ON CONFLICT (id) DO UPDATE SET
    provider_slug = excluded.provider_slug, model = excluded.model,
    display_name = excluded.display_name, input_rate = excluded.input_rate,
    cached_input_rate = excluded.cached_input_rate, output_rate = excluded.output_rate,
    cache_write_rate = excluded.cache_write_rate,
    cache_write_1h_rate = excluded.cache_write_1h_rate, reasoning_rate = excluded.reasoning_rate,
    context_length = excluded.context_length, active = excluded.active,
    source_url = excluded.source_url, checked_at = excluded.checked_at,
    release_date = excluded.release_date, notes = excluded.notes,
    seed_digest = excluded.seed_digest, sync_digest = excluded.sync_digest,
    updated_us = max(excluded.updated_us, updated_us + 1);

-- What belongs to a price has changed: the price itself, or the one of a tier.
-- name: price_touch
UPDATE model_prices SET updated_us = max(?2, updated_us + 1) WHERE id = ?1;

-- name: price_touch_tier
UPDATE model_prices SET updated_us = max(?2, updated_us + 1)
WHERE id = (SELECT price_id FROM model_price_tiers WHERE id = ?1);

-- name: price_delete
DELETE FROM model_prices WHERE id = ?1;

-- name: price_alias_clear
DELETE FROM model_price_aliases WHERE price_id = ?1;

-- name: price_alias_add
INSERT INTO model_price_aliases (price_id, position, alias) VALUES (?1, ?2, ?3);

-- name: price_tier_clear
DELETE FROM model_price_tiers WHERE price_id = ?1;

-- name: price_tier_put
INSERT INTO model_price_tiers (id, price_id, min_input_tokens, max_input_tokens, {{rates}}, label,
                               source_url, checked_at, release_date, notes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
ON CONFLICT (id) DO UPDATE SET
    min_input_tokens = excluded.min_input_tokens, max_input_tokens = excluded.max_input_tokens,
    input_rate = excluded.input_rate, cached_input_rate = excluded.cached_input_rate,
    output_rate = excluded.output_rate, cache_write_rate = excluded.cache_write_rate,
    cache_write_1h_rate = excluded.cache_write_1h_rate, reasoning_rate = excluded.reasoning_rate,
    label = excluded.label, source_url = excluded.source_url, checked_at = excluded.checked_at,
    release_date = excluded.release_date, notes = excluded.notes;

-- name: price_tier_delete
DELETE FROM model_price_tiers WHERE id = ?1;

-- name: price_variant_clear
DELETE FROM model_price_variants WHERE price_id = ?1;

-- name: price_variant_add
INSERT INTO model_price_variants (price_id, service_tier, multiplier, {{rates}})
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: price_last_id
SELECT last_insert_rowid();

-- name: seeded_has
SELECT 1 FROM seeded WHERE provider_slug = ?1 AND model = ?2;

-- name: seeded_add
INSERT INTO seeded (provider_slug, model) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- Forget that what a person deleted was ever there; ?1: of this provider, '' of all.
-- name: seeded_forget_missing
DELETE FROM seeded
WHERE (?1 = '' OR provider_slug = ?1)
  AND CASE model
      WHEN '' THEN NOT EXISTS (SELECT 1 FROM model_providers p WHERE p.slug = seeded.provider_slug)
      ELSE NOT EXISTS (SELECT 1 FROM model_prices p WHERE p.provider_slug = seeded.provider_slug
                                                      AND p.model = seeded.model) END;

-- name: seed_counts
SELECT (SELECT count(*) FROM model_providers), (SELECT count(*) FROM model_prices);

-- name: seed_provider_get
SELECT api_key_env, capabilities_json FROM model_providers WHERE slug = ?1;

-- name: seed_provider_insert
INSERT INTO model_providers (slug, name, base_url, currency, api_key_env, capabilities_json, created_us,
                             updated_us)
VALUES (?1, ?2, (SELECT ?3 WHERE NOT EXISTS (SELECT 1 FROM model_providers WHERE base_url = ?3)), ?4,
        ?5, ?6, ?7, ?7);

-- name: seed_provider_fill
UPDATE model_providers SET api_key_env = coalesce(api_key_env, ?2),
                           capabilities_json = coalesce(capabilities_json, ?3), updated_us = ?4
WHERE slug = ?1;

-- Rows to price again, in batches by id. ?1: above this id; ?2: at most.
-- name: backfill_missing
SELECT r.id FROM requests r INDEXED BY requests_unpriced
WHERE r.id > ?1 AND r.billing_total_cost_pusd IS NULL AND r.response_status IS NOT NULL
  AND EXISTS (SELECT 1 FROM request_bodies b
              WHERE b.request_id = r.id AND b.response_body IS NOT NULL)
ORDER BY r.id LIMIT ?2;

-- name: backfill_cached
SELECT r.id FROM requests r
WHERE r.id > ?1 AND (r.pricing_snapshot_json IS NULL
       OR instr(r.pricing_snapshot_json, '"cached_input_pricing"') = 0
       OR coalesce(json_extract(r.pricing_snapshot_json, '$.cached_input_pricing'), '')
           = 'standard_input_rate')
ORDER BY r.id LIMIT ?2;

-- name: billing_update
UPDATE requests SET
    billing_provider_slug = ?2, billing_provider_name = ?3, billing_model = ?4,
    billing_input_tokens = ?5, billing_cached_input_tokens = ?6,
    billing_cache_write_input_tokens = ?7, billing_output_tokens = ?8,
    billing_reasoning_tokens = ?9, billing_total_tokens = ?10, billing_input_cost_pusd = ?11,
    billing_cached_input_cost_pusd = ?12, billing_output_cost_pusd = ?13,
    billing_total_cost_pusd = ?14, pricing_snapshot_json = ?15
WHERE id = ?1;

-- What a run's requests were billed, for pricing them again.
-- name: run_tokens
SELECT billing_input_tokens, billing_cached_input_tokens, billing_cache_write_input_tokens,
       billing_output_tokens, billing_reasoning_tokens, billing_total_tokens, service_tier,
       billing_total_cost_pusd, coalesce(billing_provider_name, billing_provider_slug),
       coalesce(billing_model, model)
FROM requests WHERE task_run_id = ?1;
