-- name: setting_get
SELECT value FROM app_settings WHERE key = ?1;

-- name: setting_put
INSERT INTO app_settings (key, value, updated_at) VALUES (?1, ?2, ?3)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at;

-- name: setting_delete
DELETE FROM app_settings WHERE key = ?1;

-- name: generation_get
SELECT value FROM generation WHERE id = 1;

-- name: generation_add
UPDATE generation SET value = value + 1;

-- name: data_version
PRAGMA data_version;

-- name: quick_check
PRAGMA quick_check(1);

-- name: meta_get
SELECT value FROM meta WHERE key = ?1;

-- name: meta_put
INSERT INTO meta (key, value) VALUES (?1, ?2)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- What a database file holds, before it is known to be ours.
-- name: schema_tables
SELECT count(*), coalesce(sum(name = 'request_records'), 0), coalesce(sum(name = 'task_runs'), 0)
FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\';

-- name: application_id
PRAGMA application_id;

-- name: backup_into
VACUUM INTO ?1;
