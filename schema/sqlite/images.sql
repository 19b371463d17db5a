-- Images of requests.

-- name: image_insert
INSERT INTO image_assets (request_id, kind, mime_type, source, data_base64)
VALUES (?1, ?2, ?3, ?4, ?5);

-- name: image_delete
DELETE FROM image_assets WHERE request_id = ?1;

-- name: image_count
SELECT count(*) FROM image_assets WHERE request_id = ?1;

-- name: image_list
SELECT kind, mime_type, source, data_base64 FROM image_assets WHERE request_id = ?1
ORDER BY id LIMIT ?2;
