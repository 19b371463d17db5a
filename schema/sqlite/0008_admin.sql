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

CREATE TRIGGER requests_reported_inserted AFTER INSERT ON requests
WHEN NEW.reported_cost_pusd IS NOT NULL AND NEW.task_run_id IS NOT NULL
BEGIN
    UPDATE run_sums SET reported_costs = reported_costs + 1,
                        reported_cost_pusd = reported_cost_pusd + NEW.reported_cost_pusd
    WHERE run_id = NEW.task_run_id;
END;

CREATE TRIGGER requests_reported_deleted AFTER DELETE ON requests
WHEN OLD.reported_cost_pusd IS NOT NULL AND OLD.task_run_id IS NOT NULL
BEGIN
    UPDATE run_sums SET reported_costs = reported_costs - 1,
                        reported_cost_pusd = reported_cost_pusd - OLD.reported_cost_pusd
    WHERE run_id = OLD.task_run_id;
END;

CREATE TRIGGER requests_reported_updated AFTER UPDATE OF task_run_id, reported_cost_pusd ON requests
WHEN OLD.reported_cost_pusd IS NOT NULL OR NEW.reported_cost_pusd IS NOT NULL
BEGIN
    UPDATE run_sums SET reported_costs = reported_costs - (OLD.reported_cost_pusd IS NOT NULL),
                        reported_cost_pusd = reported_cost_pusd - coalesce(OLD.reported_cost_pusd, 0)
    WHERE run_id = OLD.task_run_id;
    UPDATE run_sums SET reported_costs = reported_costs + (NEW.reported_cost_pusd IS NOT NULL),
                        reported_cost_pusd = reported_cost_pusd + coalesce(NEW.reported_cost_pusd, 0)
    WHERE run_id = NEW.task_run_id;
END;
