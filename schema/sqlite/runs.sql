-- text: run_columns
SELECT id, name, notes, started_us, ended_us, paused_us FROM task_runs

-- name: run_get
{{run_columns}} WHERE id = ?1;

-- name: run_active
{{run_columns}} INDEXED BY task_runs_active WHERE ended_us IS NULL AND paused_us IS NULL
ORDER BY started_us DESC, id DESC LIMIT 1;

-- name: run_list
{{run_columns}} ORDER BY started_us DESC, id DESC;
