-- What the pages of /admin show of providers and runs.

-- What the last check of a provider found.
CREATE TABLE provider_health (
    provider_slug TEXT PRIMARY KEY REFERENCES model_providers (slug) ON DELETE CASCADE,
    status TEXT NOT NULL, -- healthy, warning
    latency_ms INTEGER, -- NULL: nothing was sent
    auth_state TEXT NOT NULL, -- not_configured, valid, missing_key
    message TEXT NOT NULL,
    checked_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What providers say the requests of a run cost, and how many say so.
ALTER TABLE run_sums ADD COLUMN reported_costs INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_sums ADD COLUMN reported_cost_pusd INTEGER NOT NULL DEFAULT 0;
UPDATE run_sums SET (reported_costs, reported_cost_pusd) =
    (SELECT count(reported_cost_pusd), coalesce(sum(reported_cost_pusd), 0)
     FROM requests WHERE task_run_id = run_id);
