-- The full-text index. Lists that use it are in lists.sql.

-- name: search_version
SELECT version FROM search_state;

-- name: search_set_version
UPDATE search_state SET version = ?1;

-- name: search_wipe
INSERT INTO search_index (search_index) VALUES ('delete-all');

-- name: search_todo_none
DELETE FROM search_todo;

-- name: search_todo_all
INSERT OR IGNORE INTO search_todo SELECT id FROM requests WHERE completed_us IS NOT NULL;

-- name: search_todo_next
SELECT request_id FROM search_todo ORDER BY request_id DESC LIMIT 1;

-- name: search_todo_done
DELETE FROM search_todo WHERE request_id = ?1;

-- name: search_todo_count
SELECT count(*) FROM search_todo;

-- name: search_is_indexed
SELECT (SELECT version FROM search_state) = ?2
       AND NOT EXISTS (SELECT 1 FROM search_todo WHERE request_id = ?1)
       AND (SELECT completed_us IS NOT NULL FROM requests WHERE id = ?1);

-- name: search_bodies
SELECT r.request_content_type, b.request_encoding, b.request_length, b.request_body,
       r.response_content_type, b.response_encoding, b.response_length, b.response_body
FROM requests r JOIN request_bodies b ON b.request_id = r.id
WHERE r.id = ?1;

-- name: search_put
INSERT INTO search_index (rowid, request, answer) VALUES (?1, ?2, ?3);

-- name: search_delete
INSERT INTO search_index (search_index, rowid, request, answer) VALUES ('delete', ?1, ?2, ?3);

-- The same table in memory, with its content: there one row at a time shows where the words stand.

-- name: search_marks_open
CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5(
    request, answer,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'"
);

-- name: search_marks
SELECT highlight(search_index, 0, char(1), char(2)), highlight(search_index, 1, char(1), char(2))
FROM search_index WHERE search_index MATCH ?1;

-- name: search_marks_clear
DELETE FROM search_index;
