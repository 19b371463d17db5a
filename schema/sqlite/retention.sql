-- What is old goes.

-- name: trim_ids
SELECT id FROM requests INDEXED BY requests_created
WHERE created_us < ?1 ORDER BY created_us LIMIT ?2;

-- name: request_is_complete
SELECT completed_us IS NOT NULL FROM requests WHERE id = ?1;

-- name: request_delete
DELETE FROM requests WHERE id = ?1;

-- name: storage_get
SELECT (SELECT count FROM counters WHERE name = 'total'), (SELECT count(*) FROM task_runs),
       (SELECT count(*) FROM image_assets),
       (SELECT min(created_us) FROM requests), (SELECT max(created_us) FROM requests),
       (SELECT freelist_count FROM pragma_freelist_count)
           * (SELECT page_size FROM pragma_page_size),
       (SELECT user_version FROM pragma_user_version);

-- name: vacuum
VACUUM;
