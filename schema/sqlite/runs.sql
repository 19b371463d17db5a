-- Runs: named spans of traffic. Sums come in the order of RUN_SUMS in src/shared/core/run.h.

-- text: run_columns
r.id, r.name, r.notes, r.started_us, r.ended_us, r.paused_us,
{{run_budget_columns}},
(SELECT spent_pusd FROM budget_sums WHERE scope = 'run' AND scope_key = CAST(r.id AS TEXT)),
(SELECT spent_tokens FROM budget_sums WHERE scope = 'run' AND scope_key = CAST(r.id AS TEXT)),
(SELECT unpriced FROM budget_sums WHERE scope = 'run' AND scope_key = CAST(r.id AS TEXT))

-- text: run_sum_columns
    s.requests, s.successes, s.errors, s.pending, s.streams, s.images, s.tools, s.unpriced,
    s.durations, s.duration_ms, s.ttfts, s.input_known, s.input_tokens, s.cached_input_known,
    s.cached_input_tokens, s.output_known, s.output_tokens, s.reasoning_known,
    s.reasoning_tokens, s.total_known, s.total_tokens, s.costs, s.cost_pusd, s.reported_costs,
    s.reported_cost_pusd, s.completed_us,
    (SELECT min(created_us) FROM requests INDEXED BY requests_run WHERE task_run_id = r.id),
    (SELECT max(created_us) FROM requests INDEXED BY requests_run WHERE task_run_id = r.id)

-- name: run_get
SELECT {{run_columns}} FROM task_runs r WHERE r.id = ?1;

-- name: run_active
SELECT {{run_columns}} FROM task_runs r INDEXED BY task_runs_active
WHERE r.ended_us IS NULL AND r.paused_us IS NULL
ORDER BY r.started_us DESC, r.id DESC LIMIT 1;

-- name: run_list
SELECT {{run_columns}} FROM task_runs r ORDER BY r.started_us DESC, r.id DESC;

-- name: run_list_open
SELECT {{run_columns}} FROM task_runs r INDEXED BY task_runs_open WHERE r.ended_us IS NULL
ORDER BY r.paused_us IS NOT NULL, r.started_us DESC, r.id DESC LIMIT ?1;

-- name: run_list_sums
SELECT {{run_columns}},
{{run_sum_columns}}
FROM task_runs r JOIN run_sums s ON s.run_id = r.id
ORDER BY r.started_us DESC, r.id DESC LIMIT ?1;

-- name: run_sums_get
SELECT {{run_columns}},
{{run_sum_columns}}
FROM task_runs r JOIN run_sums s ON s.run_id = r.id WHERE r.id = ?1;

-- Sums stop at RUN_SUM_MAX. The last end is looked for again only when it may have gone.
-- name: run_sums_add
UPDATE run_sums SET
    requests = requests + ?2,
    successes = successes + ?3,
    errors = errors + ?4,
    pending = pending + ?5,
    streams = streams + ?6,
    images = images + ?7,
    tools = tools + ?8,
    unpriced = unpriced + ?9,
    durations = durations + ?10,
    duration_ms = CAST(min(duration_ms + ?11, 9.2e18) AS INTEGER),
    ttfts = ttfts + ?12,
    input_known = input_known + ?13,
    input_tokens = CAST(min(input_tokens + ?14, 9.2e18) AS INTEGER),
    cached_input_known = cached_input_known + ?15,
    cached_input_tokens = CAST(min(cached_input_tokens + ?16, 9.2e18) AS INTEGER),
    output_known = output_known + ?17,
    output_tokens = CAST(min(output_tokens + ?18, 9.2e18) AS INTEGER),
    reasoning_known = reasoning_known + ?19,
    reasoning_tokens = CAST(min(reasoning_tokens + ?20, 9.2e18) AS INTEGER),
    total_known = total_known + ?21,
    total_tokens = CAST(min(total_tokens + ?22, 9.2e18) AS INTEGER),
    costs = costs + ?23,
    cost_pusd = CAST(min(cost_pusd + ?24, 9.2e18) AS INTEGER),
    reported_costs = reported_costs + ?25,
    reported_cost_pusd = CAST(min(reported_cost_pusd + ?26, 9.2e18) AS INTEGER),
    completed_us = CASE
        WHEN ?28 >= completed_us AND ?28 > coalesce(?27, ?28 - 1)
        THEN (SELECT max(completed_us) FROM requests INDEXED BY requests_run WHERE task_run_id = ?1)
        ELSE max(coalesce(completed_us, ?27), coalesce(?27, completed_us)) END
WHERE run_id = ?1;

-- name: run_groups
SELECT label, count FROM facets WHERE kind = ?1 AND value = ?2 AND count > 0
ORDER BY count DESC, label;

-- name: run_ttft_at
SELECT ttft_ms FROM requests INDEXED BY requests_run_ttft
WHERE task_run_id = ?1 AND ttft_ms IS NOT NULL ORDER BY ttft_ms LIMIT 1 OFFSET ?2;

-- name: run_ttft_from_end
SELECT ttft_ms FROM requests INDEXED BY requests_run_ttft
WHERE task_run_id = ?1 AND ttft_ms IS NOT NULL ORDER BY ttft_ms DESC LIMIT 1 OFFSET ?2;

-- name: run_duration_at
SELECT duration_ms FROM requests INDEXED BY requests_run_duration
WHERE task_run_id = ?1 AND duration_ms IS NOT NULL ORDER BY duration_ms LIMIT 1 OFFSET ?2;

-- name: run_duration_from_end
SELECT duration_ms FROM requests INDEXED BY requests_run_duration
WHERE task_run_id = ?1 AND duration_ms IS NOT NULL ORDER BY duration_ms DESC LIMIT 1 OFFSET ?2;

-- name: run_last_id
SELECT coalesce(max(id), 0) FROM task_runs;

-- name: run_insert
INSERT INTO task_runs (id, name, notes, started_us, paused_us, budget_pusd, budget_tokens,
                       budget_action, budget_thresholds_json)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: run_update
UPDATE task_runs SET name = ?2, notes = ?3, budget_pusd = ?4, budget_tokens = ?5,
    budget_action = ?6, budget_thresholds_json = ?7
WHERE id = ?1;

-- name: run_end_all_active
UPDATE task_runs SET ended_us = ?1 WHERE ended_us IS NULL AND paused_us IS NULL;

-- name: run_pause_others
UPDATE task_runs SET paused_us = ?2 WHERE ended_us IS NULL AND paused_us IS NULL AND id <> ?1;

-- name: run_set_ended
UPDATE task_runs SET ended_us = ?2 WHERE id = ?1 AND ended_us IS NULL;

-- name: run_set_paused
UPDATE task_runs SET paused_us = ?2 WHERE id = ?1 AND ended_us IS NULL;
