-- Sums and budgets of runs.

-- What all requests of a run come to, kept by triggers: whoever writes, trims or prices requests,
-- a page of runs reads one row for each. *_known and costs count the rows that have a value: a sum
-- over none is unknown, not zero.
CREATE TABLE run_sums (
    run_id INTEGER PRIMARY KEY REFERENCES task_runs (id) ON DELETE CASCADE,
    requests INTEGER NOT NULL DEFAULT 0,
    successes INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    streams INTEGER NOT NULL DEFAULT 0,
    images INTEGER NOT NULL DEFAULT 0,
    tools INTEGER NOT NULL DEFAULT 0,
    unpriced INTEGER NOT NULL DEFAULT 0,
    durations INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    ttfts INTEGER NOT NULL DEFAULT 0,
    input_known INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    cached_input_known INTEGER NOT NULL DEFAULT 0,
    cached_input_tokens INTEGER NOT NULL DEFAULT 0,
    output_known INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    reasoning_known INTEGER NOT NULL DEFAULT 0,
    reasoning_tokens INTEGER NOT NULL DEFAULT 0,
    total_known INTEGER NOT NULL DEFAULT 0,
    total_tokens INTEGER NOT NULL DEFAULT 0,
    costs INTEGER NOT NULL DEFAULT 0,
    cost_pusd INTEGER NOT NULL DEFAULT 0,
    completed_us INTEGER -- of the request that ended last
) STRICT;
INSERT INTO run_sums (run_id) SELECT id FROM task_runs;

CREATE TRIGGER task_runs_inserted AFTER INSERT ON task_runs
BEGIN INSERT INTO run_sums (run_id) VALUES (NEW.id); END;

CREATE TRIGGER requests_run_inserted AFTER INSERT ON requests WHEN NEW.task_run_id IS NOT NULL
BEGIN
    UPDATE run_sums SET
        requests = requests + 1,
        successes = successes + coalesce(NEW.response_status BETWEEN 200 AND 399, 0),
        errors = errors + coalesce(NEW.error IS NOT NULL OR NEW.response_status < 200 OR NEW.response_status >= 400
            OR NEW.upstream_error_message IS NOT NULL, 0),
        pending = pending + (NEW.response_status IS NULL),
        streams = streams + NEW.is_stream,
        images = images + NEW.has_images,
        tools = tools + NEW.has_tool_calls,
        unpriced = unpriced + (NEW.completed_us IS NOT NULL AND NEW.billing_total_cost_pusd IS NULL),
        durations = durations + (NEW.duration_ms IS NOT NULL),
        duration_ms = duration_ms + coalesce(NEW.duration_ms, 0),
        ttfts = ttfts + (NEW.ttft_ms IS NOT NULL),
        input_known = input_known + (NEW.billing_input_tokens IS NOT NULL),
        input_tokens = input_tokens + coalesce(NEW.billing_input_tokens, 0),
        cached_input_known = cached_input_known + (NEW.billing_cached_input_tokens IS NOT NULL),
        cached_input_tokens = cached_input_tokens + coalesce(NEW.billing_cached_input_tokens, 0),
        output_known = output_known + (NEW.billing_output_tokens IS NOT NULL),
        output_tokens = output_tokens + coalesce(NEW.billing_output_tokens, 0),
        reasoning_known = reasoning_known + (NEW.billing_reasoning_tokens IS NOT NULL),
        reasoning_tokens = reasoning_tokens + coalesce(NEW.billing_reasoning_tokens, 0),
        total_known = total_known + (NEW.billing_total_tokens IS NOT NULL),
        total_tokens = total_tokens + coalesce(NEW.billing_total_tokens, 0),
        costs = costs + (NEW.billing_total_cost_pusd IS NOT NULL),
        cost_pusd = cost_pusd + coalesce(NEW.billing_total_cost_pusd, 0),
        completed_us = max(coalesce(completed_us, NEW.completed_us), coalesce(NEW.completed_us, completed_us))
    WHERE run_id = NEW.task_run_id;
END;

CREATE TRIGGER requests_run_deleted AFTER DELETE ON requests WHEN OLD.task_run_id IS NOT NULL
BEGIN
    UPDATE run_sums SET
        requests = requests - 1,
        successes = successes - coalesce(OLD.response_status BETWEEN 200 AND 399, 0),
        errors = errors - coalesce(OLD.error IS NOT NULL OR OLD.response_status < 200 OR OLD.response_status >= 400
            OR OLD.upstream_error_message IS NOT NULL, 0),
        pending = pending - (OLD.response_status IS NULL),
        streams = streams - OLD.is_stream,
        images = images - OLD.has_images,
        tools = tools - OLD.has_tool_calls,
        unpriced = unpriced - (OLD.completed_us IS NOT NULL AND OLD.billing_total_cost_pusd IS NULL),
        durations = durations - (OLD.duration_ms IS NOT NULL),
        duration_ms = duration_ms - coalesce(OLD.duration_ms, 0),
        ttfts = ttfts - (OLD.ttft_ms IS NOT NULL),
        input_known = input_known - (OLD.billing_input_tokens IS NOT NULL),
        input_tokens = input_tokens - coalesce(OLD.billing_input_tokens, 0),
        cached_input_known = cached_input_known - (OLD.billing_cached_input_tokens IS NOT NULL),
        cached_input_tokens = cached_input_tokens - coalesce(OLD.billing_cached_input_tokens, 0),
        output_known = output_known - (OLD.billing_output_tokens IS NOT NULL),
        output_tokens = output_tokens - coalesce(OLD.billing_output_tokens, 0),
        reasoning_known = reasoning_known - (OLD.billing_reasoning_tokens IS NOT NULL),
        reasoning_tokens = reasoning_tokens - coalesce(OLD.billing_reasoning_tokens, 0),
        total_known = total_known - (OLD.billing_total_tokens IS NOT NULL),
        total_tokens = total_tokens - coalesce(OLD.billing_total_tokens, 0),
        costs = costs - (OLD.billing_total_cost_pusd IS NOT NULL),
        cost_pusd = cost_pusd - coalesce(OLD.billing_total_cost_pusd, 0),
        completed_us = CASE WHEN OLD.completed_us IS NULL OR OLD.completed_us < completed_us
            THEN completed_us
            ELSE (SELECT max(completed_us) FROM requests WHERE task_run_id = OLD.task_run_id) END
    WHERE run_id = OLD.task_run_id;
END;

CREATE TRIGGER requests_run_updated AFTER UPDATE OF
    task_run_id, response_status, error, upstream_error_message, is_stream, has_images, has_tool_calls,
    completed_us, duration_ms, ttft_ms, billing_input_tokens, billing_cached_input_tokens,
    billing_output_tokens, billing_reasoning_tokens, billing_total_tokens,
    billing_total_cost_pusd
ON requests WHEN OLD.task_run_id IS NOT NULL OR NEW.task_run_id IS NOT NULL
BEGIN
    UPDATE run_sums SET
        requests = requests - 1,
        successes = successes - coalesce(OLD.response_status BETWEEN 200 AND 399, 0),
        errors = errors - coalesce(OLD.error IS NOT NULL OR OLD.response_status < 200 OR OLD.response_status >= 400
            OR OLD.upstream_error_message IS NOT NULL, 0),
        pending = pending - (OLD.response_status IS NULL),
        streams = streams - OLD.is_stream,
        images = images - OLD.has_images,
        tools = tools - OLD.has_tool_calls,
        unpriced = unpriced - (OLD.completed_us IS NOT NULL AND OLD.billing_total_cost_pusd IS NULL),
        durations = durations - (OLD.duration_ms IS NOT NULL),
        duration_ms = duration_ms - coalesce(OLD.duration_ms, 0),
        ttfts = ttfts - (OLD.ttft_ms IS NOT NULL),
        input_known = input_known - (OLD.billing_input_tokens IS NOT NULL),
        input_tokens = input_tokens - coalesce(OLD.billing_input_tokens, 0),
        cached_input_known = cached_input_known - (OLD.billing_cached_input_tokens IS NOT NULL),
        cached_input_tokens = cached_input_tokens - coalesce(OLD.billing_cached_input_tokens, 0),
        output_known = output_known - (OLD.billing_output_tokens IS NOT NULL),
        output_tokens = output_tokens - coalesce(OLD.billing_output_tokens, 0),
        reasoning_known = reasoning_known - (OLD.billing_reasoning_tokens IS NOT NULL),
        reasoning_tokens = reasoning_tokens - coalesce(OLD.billing_reasoning_tokens, 0),
        total_known = total_known - (OLD.billing_total_tokens IS NOT NULL),
        total_tokens = total_tokens - coalesce(OLD.billing_total_tokens, 0),
        costs = costs - (OLD.billing_total_cost_pusd IS NOT NULL),
        cost_pusd = cost_pusd - coalesce(OLD.billing_total_cost_pusd, 0),
        completed_us = completed_us
    WHERE run_id = OLD.task_run_id;
    UPDATE run_sums SET
        requests = requests + 1,
        successes = successes + coalesce(NEW.response_status BETWEEN 200 AND 399, 0),
        errors = errors + coalesce(NEW.error IS NOT NULL OR NEW.response_status < 200 OR NEW.response_status >= 400
            OR NEW.upstream_error_message IS NOT NULL, 0),
        pending = pending + (NEW.response_status IS NULL),
        streams = streams + NEW.is_stream,
        images = images + NEW.has_images,
        tools = tools + NEW.has_tool_calls,
        unpriced = unpriced + (NEW.completed_us IS NOT NULL AND NEW.billing_total_cost_pusd IS NULL),
        durations = durations + (NEW.duration_ms IS NOT NULL),
        duration_ms = duration_ms + coalesce(NEW.duration_ms, 0),
        ttfts = ttfts + (NEW.ttft_ms IS NOT NULL),
        input_known = input_known + (NEW.billing_input_tokens IS NOT NULL),
        input_tokens = input_tokens + coalesce(NEW.billing_input_tokens, 0),
        cached_input_known = cached_input_known + (NEW.billing_cached_input_tokens IS NOT NULL),
        cached_input_tokens = cached_input_tokens + coalesce(NEW.billing_cached_input_tokens, 0),
        output_known = output_known + (NEW.billing_output_tokens IS NOT NULL),
        output_tokens = output_tokens + coalesce(NEW.billing_output_tokens, 0),
        reasoning_known = reasoning_known + (NEW.billing_reasoning_tokens IS NOT NULL),
        reasoning_tokens = reasoning_tokens + coalesce(NEW.billing_reasoning_tokens, 0),
        total_known = total_known + (NEW.billing_total_tokens IS NOT NULL),
        total_tokens = total_tokens + coalesce(NEW.billing_total_tokens, 0),
        costs = costs + (NEW.billing_total_cost_pusd IS NOT NULL),
        cost_pusd = cost_pusd + coalesce(NEW.billing_total_cost_pusd, 0),
        completed_us = max(coalesce(completed_us, NEW.completed_us), coalesce(NEW.completed_us, completed_us))
    WHERE run_id = NEW.task_run_id;
END;

-- Percentiles of a run come from the middle of an index.
CREATE INDEX requests_run_ttft ON requests (task_run_id, ttft_ms)
    WHERE task_run_id IS NOT NULL AND ttft_ms IS NOT NULL;
CREATE INDEX requests_run_duration ON requests (task_run_id, duration_ms)
    WHERE task_run_id IS NOT NULL AND duration_ms IS NOT NULL;
CREATE INDEX task_runs_open ON task_runs (started_us) WHERE ended_us IS NULL;

-- What a run may spend. NULL: no limit.
ALTER TABLE task_runs ADD COLUMN budget_pusd INTEGER;
ALTER TABLE task_runs ADD COLUMN budget_tokens INTEGER;
ALTER TABLE task_runs ADD COLUMN budget_action TEXT NOT NULL DEFAULT 'alert'; -- alert, block
ALTER TABLE task_runs ADD COLUMN budget_thresholds_json TEXT NOT NULL DEFAULT '[50,80,100]'; -- percent

-- One row for each threshold that was passed.
CREATE TABLE budget_alerts (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL, -- run, day, month, provider
    scope_key TEXT NOT NULL, -- id of the run, 2031-04-05, 2031-04, slug of the provider
    kind TEXT NOT NULL, -- usd (amounts are pico-dollars), tokens
    threshold_percent INTEGER NOT NULL,
    limit_amount INTEGER NOT NULL,
    spent_amount INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    acknowledged_us INTEGER,
    UNIQUE (scope, scope_key, kind, threshold_percent, limit_amount)
) STRICT;
