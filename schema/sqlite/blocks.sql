-- Spans of the list of requests; see 0007_blocks.sql.

-- name: block_list
SELECT id, from_us, to_us, request_count FROM request_blocks
WHERE from_us >= ?1 AND to_us <= ?2 ORDER BY from_us;

-- name: block_members
SELECT members FROM request_block_values WHERE block_id = ?1 AND kind = ?2 AND value = ?3;

-- name: block_endpoints
SELECT members FROM request_block_values
WHERE block_id = ?1 AND kind = 'endpoint' AND instr(lower(value), ?2) > 0;

-- Where the first span without a block starts, and the block after it.
-- name: block_gap
SELECT to_us, (SELECT min(from_us) FROM request_blocks WHERE from_us >= b.to_us) FROM request_blocks b
WHERE NOT EXISTS (SELECT 1 FROM request_blocks n WHERE n.from_us = b.to_us)
ORDER BY to_us LIMIT 1;

-- name: block_first
SELECT min(from_us) FROM request_blocks;

-- A block with few rows grows together with its neighbour.
-- name: block_small
SELECT from_us FROM request_blocks WHERE to_us = ?1 AND request_count < ?2;

-- The blocks behind the last large one: how many, from, to, rows.
-- name: block_young
SELECT count(*), min(from_us), max(to_us), sum(request_count) FROM request_blocks
WHERE from_us >= coalesce((SELECT to_us FROM request_blocks WHERE request_count > ?1
                           ORDER BY to_us DESC LIMIT 1), -9223372036854775807 - 1);

-- name: block_pending
SELECT min(created_us) FROM requests INDEXED BY requests_pending
WHERE completed_us IS NULL AND created_us >= ?1;

-- name: block_rows
SELECT id, created_us, model, endpoint, model_route, billing_provider_slug, billing_provider_name,
       response_status, task_run_id, is_stream, has_images, has_tool_calls,
       error IS NOT NULL OR response_status < 200 OR response_status >= 400
           OR upstream_error_message IS NOT NULL,
       duration_ms >= 10000,
       coalesce(billing_total_tokens, estimated_input_tokens, 0) >= 10000,
       coalesce(billing_total_cost_pusd, 0)
FROM requests INDEXED BY requests_created
WHERE created_us >= ?1 AND created_us < ?2
ORDER BY created_us, id;

-- name: block_row_at
SELECT created_us FROM requests INDEXED BY requests_created
WHERE created_us >= ?1 AND created_us < ?2
ORDER BY created_us, id LIMIT 1 OFFSET ?3;

-- name: block_delete
DELETE FROM request_blocks WHERE from_us >= ?1 AND to_us <= ?2;

-- name: block_add
INSERT INTO request_blocks (id, from_us, to_us, request_count)
VALUES ((SELECT coalesce(max(id), 0) + 1 FROM request_blocks), ?1, ?2, ?3) RETURNING id;

-- name: block_value_add
INSERT INTO request_block_values (block_id, kind, value, members, request_count, last_us, cost_pusd)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
