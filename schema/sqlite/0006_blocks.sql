-- Spans of the list of requests, for pages and totals of a million rows.

-- Requests in the order of lists (created_us, id), cut into spans of time that touch each other. The
-- program makes a block of a span that has come to rest; triggers drop it when a row of it changes,
-- and it is made again. What no block covers is looked up in the table itself.
CREATE TABLE request_blocks (
    id INTEGER PRIMARY KEY,
    from_us INTEGER NOT NULL UNIQUE, -- created at or after
    to_us INTEGER NOT NULL UNIQUE, -- and before
    request_count INTEGER NOT NULL
) STRICT;

-- Which requests of a block have a value. kind: model, endpoint, route, provider, provider_name,
-- status, run, sort (stream, image, tool, error, slow, large). members: 512 bytes are a bit for each
-- place in the block, the lowest first; fewer are places of two bytes each. kind ids: the id at each
-- place, eight bytes. Numbers are little-endian. Costs are of a provider only.
CREATE TABLE request_block_values (
    block_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    members BLOB NOT NULL,
    request_count INTEGER NOT NULL,
    last_us INTEGER NOT NULL, -- created_us of the last one
    cost_pusd INTEGER NOT NULL,
    PRIMARY KEY (block_id, kind, value)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER request_blocks_deleted AFTER DELETE ON request_blocks
BEGIN DELETE FROM request_block_values WHERE block_id = OLD.id; END;

CREATE TRIGGER requests_block_inserted AFTER INSERT ON requests
WHEN NEW.created_us < (SELECT max(to_us) FROM request_blocks)
BEGIN
    DELETE FROM request_blocks
    WHERE from_us = (SELECT max(from_us) FROM request_blocks WHERE from_us <= NEW.created_us)
      AND to_us > NEW.created_us;
END;

CREATE TRIGGER requests_block_updated AFTER UPDATE OF
    created_us, task_run_id, endpoint, model, model_route, has_images, estimated_input_tokens,
    is_stream, has_tool_calls, response_status, duration_ms, error, upstream_error_message,
    billing_provider_slug, billing_provider_name, billing_total_tokens, billing_total_cost_pusd
ON requests WHEN OLD.created_us < (SELECT max(to_us) FROM request_blocks)
    OR NEW.created_us < (SELECT max(to_us) FROM request_blocks)
BEGIN
    DELETE FROM request_blocks
    WHERE from_us = (SELECT max(from_us) FROM request_blocks WHERE from_us <= OLD.created_us)
      AND to_us > OLD.created_us;
    DELETE FROM request_blocks
    WHERE from_us = (SELECT max(from_us) FROM request_blocks WHERE from_us <= NEW.created_us)
      AND to_us > NEW.created_us;
END;

CREATE TRIGGER requests_block_deleted AFTER DELETE ON requests
WHEN OLD.created_us < (SELECT max(to_us) FROM request_blocks)
BEGIN
    DELETE FROM request_blocks
    WHERE from_us = (SELECT max(from_us) FROM request_blocks WHERE from_us <= OLD.created_us)
      AND to_us > OLD.created_us;
END;
