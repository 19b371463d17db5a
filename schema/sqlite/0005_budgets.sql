-- What runs, days, months and providers have spent, and which thresholds of their budgets they passed.

-- The sums of runs are kept by the program too from now on: one update for each run and transaction.
DROP TRIGGER requests_run_inserted;
DROP TRIGGER requests_run_deleted;
DROP TRIGGER requests_run_updated;

-- Kept by the program with each row that is written or priced again. Trimming takes nothing away: what
-- was spent stays spent.
CREATE TABLE budget_sums (
    scope TEXT NOT NULL, -- run, day, month, provider
    scope_key TEXT NOT NULL, -- id of the run, 2031-04-05, 2031-04, slug of the provider
    spent_pusd INTEGER NOT NULL DEFAULT 0,
    spent_tokens INTEGER NOT NULL DEFAULT 0,
    unpriced INTEGER NOT NULL DEFAULT 0, -- answered requests whose cost is not known
    limit_pusd INTEGER, -- the limits that were compared last
    limit_tokens INTEGER,
    PRIMARY KEY (scope, scope_key)
) STRICT, WITHOUT ROWID;

-- Thresholds that need no alert any more: it was raised, or a new limit found them passed before.
CREATE TABLE budget_passed (
    scope TEXT NOT NULL,
    scope_key TEXT NOT NULL,
    kind TEXT NOT NULL, -- usd, tokens
    threshold_percent INTEGER NOT NULL,
    limit_amount INTEGER NOT NULL,
    PRIMARY KEY (scope, scope_key, kind, threshold_percent, limit_amount)
) STRICT, WITHOUT ROWID;

CREATE INDEX budget_alerts_open ON budget_alerts (id) WHERE acknowledged_us IS NULL;
CREATE INDEX task_runs_budget ON task_runs (id)
    WHERE budget_pusd IS NOT NULL OR budget_tokens IS NOT NULL;

CREATE TRIGGER task_runs_budget_inserted AFTER INSERT ON task_runs
WHEN NEW.budget_pusd IS NOT NULL OR NEW.budget_tokens IS NOT NULL
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER task_runs_budget_updated AFTER UPDATE OF
    budget_pusd, budget_tokens, budget_action, budget_thresholds_json ON task_runs
BEGIN UPDATE generation SET value = value + 1; END;

-- What was spent before: one pass over the rows, then the sums of each scope. They are made of
-- millions and the rest, so that none of them overflows.
INSERT INTO budget_sums (scope, scope_key, spent_pusd, spent_tokens, unpriced)
WITH spent AS MATERIALIZED (
    SELECT date(created_us / 86400000000 * 86400, 'unixepoch') AS day, task_run_id AS run,
           billing_provider_slug AS provider,
           coalesce(sum(billing_total_cost_pusd / 1000000), 0) AS mega_pusd,
           coalesce(sum(billing_total_cost_pusd % 1000000), 0) AS pusd,
           coalesce(sum(billing_total_tokens / 1000000), 0) AS mega_tokens,
           coalesce(sum(billing_total_tokens % 1000000), 0) AS tokens,
           sum(completed_us IS NOT NULL AND billing_total_cost_pusd IS NULL AND method = 'POST'
               AND coalesce(response_status, 0) BETWEEN 200 AND 399) AS unpriced
    FROM requests GROUP BY created_us / 86400000000, 2, 3
)
SELECT scope, scope_key, min(sum(mega_pusd), 9000000000000) * 1000000 + sum(pusd),
       min(sum(mega_tokens), 9000000000000) * 1000000 + sum(tokens), sum(unpriced)
FROM (
    SELECT 'day' AS scope, day AS scope_key, mega_pusd, pusd, mega_tokens, tokens, unpriced FROM spent
    UNION ALL
    SELECT 'month', substr(day, 1, 7), mega_pusd, pusd, mega_tokens, tokens, unpriced FROM spent
    UNION ALL
    SELECT 'run', CAST(run AS TEXT), mega_pusd, pusd, mega_tokens, tokens, unpriced FROM spent
    WHERE run IS NOT NULL
    UNION ALL
    SELECT 'provider', provider, mega_pusd, pusd, mega_tokens, tokens, unpriced FROM spent
    WHERE provider IS NOT NULL
)
WHERE scope_key IS NOT NULL
GROUP BY scope, scope_key;
