-- Budgets: what was spent in each scope, and the alerts that were raised.

-- Sums stop at the largest number instead of failing the row that is one too many.
-- name: budget_sum_add
INSERT INTO budget_sums (scope, scope_key, spent_pusd, spent_tokens, unpriced)
VALUES (?1, ?2, max(?3, 0), max(?4, 0), max(?5, 0))
ON CONFLICT (scope, scope_key) DO UPDATE SET
    spent_pusd = iif(?3 > 9223372036854775807 - spent_pusd, 9223372036854775807,
                     max(spent_pusd + ?3, 0)),
    spent_tokens = iif(?4 > 9223372036854775807 - spent_tokens, 9223372036854775807,
                       max(spent_tokens + ?4, 0)),
    unpriced = max(unpriced + ?5, 0)
RETURNING spent_pusd, spent_tokens, unpriced, limit_pusd, limit_tokens;

-- text: budget_spent_columns
coalesce(b.spent_pusd, 0), coalesce(b.spent_tokens, 0), coalesce(b.unpriced, 0)

-- name: budget_sum_get
SELECT {{budget_spent_columns}} FROM budget_sums b WHERE b.scope = ?1 AND b.scope_key = ?2;

-- name: budget_sum_limits
UPDATE budget_sums SET limit_pusd = ?3, limit_tokens = ?4 WHERE scope = ?1 AND scope_key = ?2;

-- name: budget_pass
INSERT OR IGNORE INTO budget_passed (scope, scope_key, kind, threshold_percent, limit_amount)
VALUES (?1, ?2, ?3, ?4, ?5);

-- A threshold that was passed under the old limit ?6 counts as passed under ?5 too.
-- name: budget_pass_again
INSERT OR IGNORE INTO budget_passed (scope, scope_key, kind, threshold_percent, limit_amount)
SELECT scope, scope_key, kind, threshold_percent, ?5 FROM budget_passed
WHERE scope = ?1 AND scope_key = ?2 AND kind = ?3 AND threshold_percent = ?4 AND limit_amount = ?6;

-- name: budget_settings
SELECT key, value FROM app_settings WHERE key > 'budget_' AND key < 'budget`' ORDER BY key;

-- name: budget_settings_delete
DELETE FROM app_settings WHERE key IN (
    'budget_provider_' || ?1 || '_usd', 'budget_provider_' || ?1 || '_tokens',
    'budget_provider_' || ?1 || '_action', 'budget_provider_' || ?1 || '_thresholds');

-- name: budget_any_run
SELECT EXISTS (SELECT 1 FROM task_runs INDEXED BY task_runs_budget
               WHERE budget_pusd IS NOT NULL OR budget_tokens IS NOT NULL);

-- text: run_budget_columns
r.budget_pusd, r.budget_tokens, r.budget_action, r.budget_thresholds_json

-- name: budget_of_run
SELECT {{run_budget_columns}} FROM task_runs r
WHERE r.id = ?1 AND (r.budget_pusd IS NOT NULL OR r.budget_tokens IS NOT NULL);

-- name: budget_open_runs
SELECT CAST(r.id AS TEXT), r.name, {{run_budget_columns}}, {{budget_spent_columns}}
FROM task_runs r INDEXED BY task_runs_budget
LEFT JOIN budget_sums b ON b.scope = 'run' AND b.scope_key = CAST(r.id AS TEXT)
WHERE (r.budget_pusd IS NOT NULL OR r.budget_tokens IS NOT NULL) AND r.ended_us IS NULL
ORDER BY r.id DESC;

-- text: alert_columns
id, scope, scope_key, kind, threshold_percent, limit_amount, spent_amount, created_us,
acknowledged_us

-- name: alert_insert
INSERT INTO budget_alerts (scope, scope_key, kind, threshold_percent, limit_amount, spent_amount,
                           created_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
RETURNING
{{alert_columns}};

-- name: alert_list
SELECT
{{alert_columns}}
FROM budget_alerts WHERE id < ?1 ORDER BY id DESC LIMIT ?2;

-- name: alert_list_open
SELECT
{{alert_columns}}
FROM budget_alerts INDEXED BY budget_alerts_open
WHERE id < ?1 AND acknowledged_us IS NULL ORDER BY id DESC LIMIT ?2;

-- name: alert_get
SELECT
{{alert_columns}}
FROM budget_alerts WHERE id = ?1;

-- name: alert_count_open
SELECT count(*) FROM budget_alerts INDEXED BY budget_alerts_open WHERE acknowledged_us IS NULL;

-- name: alert_acknowledge
UPDATE budget_alerts SET acknowledged_us = ?2 WHERE id = ?1 AND acknowledged_us IS NULL;

-- name: alert_acknowledge_all
UPDATE budget_alerts INDEXED BY budget_alerts_open SET acknowledged_us = ?1
WHERE acknowledged_us IS NULL;
