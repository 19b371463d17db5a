-- Lists of captured exchanges. Any filters may be combined; the store picks the index whose rows
-- are fewest (it knows from facets and counters), and there is a statement for each: the index gives
-- the rows in order, {{filter}} drops those that other filters do not want (..._all has none: it passes
-- over a million rows quickly). Only ..._endpoints sorts:
-- it is for few rows of several endpoints. The ids of a page come from the index alone, so rows that
-- are left out are not read; CROSS JOIN keeps their order.
--
-- ?1, ?2 lowest and highest created_us; ?3 newer than this id, ?4 older than this id; ?5 model;
-- ?6 route; ?7 provider, slug or name; ?8 the one slug that ?7 means; ?9 status; ?10 run; ?11 part
-- of the endpoint, lower case; ?12 the one endpoint that ?11 means; ?13 stream; ?14 image; ?15 tool;
-- ?16 error; ?17 slow; ?18 large. NULL switches a filter off. ?19 most rows, -1 all; ?20 rows left
-- out; ?21 answers up to this stored size come along.
--
-- ..._search finds words: the newest ids first, which are then put in the order of lists. ?22 the
-- expression of the words, ?23 most rows that are looked for; of the count ?19 and ?20.

-- text: range
r.created_us BETWEEN ?1 AND ?2
  AND (?3 IS NULL OR r.created_us > ?1 OR r.id > ?3)
  AND (?4 IS NULL OR r.created_us < ?2 OR r.id < ?4)

-- text: filter
{{range}}
  AND (?5 IS NULL OR r.model = ?5)
  AND (?6 IS NULL OR r.model_route = ?6)
  AND (?7 IS NULL OR r.billing_provider_slug = ?7 OR r.billing_provider_name = ?7)
  AND (?8 IS NULL OR ?7 IS NOT NULL)
  AND (?9 IS NULL OR r.response_status = ?9)
  AND (?10 IS NULL OR r.task_run_id = ?10)
  AND (?11 IS NULL OR instr(lower(r.endpoint), ?11) > 0)
  AND (?12 IS NULL OR ?11 IS NOT NULL)
  AND (?13 IS NULL OR r.is_stream = 1)
  AND (?14 IS NULL OR r.has_images = 1)
  AND (?15 IS NULL OR r.has_tool_calls = 1)
  AND (?16 IS NULL OR r.error IS NOT NULL OR r.response_status < 200 OR r.response_status >= 400
       OR r.upstream_error_message IS NOT NULL)
  AND (?17 IS NULL OR r.duration_ms >= 10000)
  AND (?18 IS NULL OR coalesce(r.billing_total_tokens, r.estimated_input_tokens, 0) >= 10000)

-- text: page
SELECT
{{r_columns}},
    b.response_encoding,
    CASE WHEN length(b.response_body) <= ?21 THEN b.response_body END,
    length(b.response_body)
FROM

-- text: join
CROSS JOIN requests r ON r.id = page.id LEFT JOIN request_bodies b ON b.request_id = r.id

-- name: requests_one
{{page}} (SELECT ?1 AS id) page
{{join}};

-- name: requests_newest_all
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_created
WHERE {{range}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_all
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_created
WHERE {{range}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_all
SELECT count(*) FROM requests r INDEXED BY requests_created
WHERE {{range}};

-- name: requests_newest_created
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_created
WHERE {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_created
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_created
WHERE {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_created
SELECT count(*) FROM requests r INDEXED BY requests_created
WHERE {{filter}};

-- name: requests_newest_model
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_model
WHERE r.model = ?5
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_model
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_model
WHERE r.model = ?5
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_model
SELECT count(*) FROM requests r INDEXED BY requests_model
WHERE r.model = ?5
  AND {{filter}};

-- name: requests_newest_route
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_route
WHERE r.model_route = ?6
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_route
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_route
WHERE r.model_route = ?6
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_route
SELECT count(*) FROM requests r INDEXED BY requests_route
WHERE r.model_route = ?6
  AND {{filter}};

-- name: requests_newest_provider
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_provider
WHERE r.billing_provider_slug = ?8
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_provider
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_provider
WHERE r.billing_provider_slug = ?8
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_provider
SELECT count(*) FROM requests r INDEXED BY requests_provider
WHERE r.billing_provider_slug = ?8
  AND {{filter}};

-- name: requests_newest_status
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_status
WHERE r.response_status = ?9
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_status
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_status
WHERE r.response_status = ?9
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_status
SELECT count(*) FROM requests r INDEXED BY requests_status
WHERE r.response_status = ?9
  AND {{filter}};

-- name: requests_newest_run
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_run
WHERE r.task_run_id = ?10
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_run
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_run
WHERE r.task_run_id = ?10
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_run
SELECT count(*) FROM requests r INDEXED BY requests_run
WHERE r.task_run_id = ?10
  AND {{filter}};

-- name: requests_newest_endpoint
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_endpoint
WHERE r.endpoint = ?12
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_endpoint
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_endpoint
WHERE r.endpoint = ?12
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_endpoint
SELECT count(*) FROM requests r INDEXED BY requests_endpoint
WHERE r.endpoint = ?12
  AND {{filter}};

-- name: requests_newest_endpoints
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_endpoint
WHERE r.endpoint IN (SELECT value FROM facets WHERE kind = 'endpoint' AND instr(lower(value), ?11) > 0)
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_endpoints
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_endpoint
WHERE r.endpoint IN (SELECT value FROM facets WHERE kind = 'endpoint' AND instr(lower(value), ?11) > 0)
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_endpoints
SELECT count(*) FROM requests r INDEXED BY requests_endpoint
WHERE r.endpoint IN (SELECT value FROM facets WHERE kind = 'endpoint' AND instr(lower(value), ?11) > 0)
  AND {{filter}};

-- name: requests_newest_stream
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_stream
WHERE r.is_stream = 1
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_stream
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_stream
WHERE r.is_stream = 1
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_stream
SELECT count(*) FROM requests r INDEXED BY requests_stream
WHERE r.is_stream = 1
  AND {{filter}};

-- name: requests_newest_image
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_image
WHERE r.has_images = 1
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_image
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_image
WHERE r.has_images = 1
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_image
SELECT count(*) FROM requests r INDEXED BY requests_image
WHERE r.has_images = 1
  AND {{filter}};

-- name: requests_newest_tool
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_tool
WHERE r.has_tool_calls = 1
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_tool
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_tool
WHERE r.has_tool_calls = 1
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_tool
SELECT count(*) FROM requests r INDEXED BY requests_tool
WHERE r.has_tool_calls = 1
  AND {{filter}};

-- name: requests_newest_error
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_error
WHERE (r.error IS NOT NULL OR r.response_status < 200 OR r.response_status >= 400
       OR r.upstream_error_message IS NOT NULL)
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_error
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_error
WHERE (r.error IS NOT NULL OR r.response_status < 200 OR r.response_status >= 400
       OR r.upstream_error_message IS NOT NULL)
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_error
SELECT count(*) FROM requests r INDEXED BY requests_error
WHERE (r.error IS NOT NULL OR r.response_status < 200 OR r.response_status >= 400
       OR r.upstream_error_message IS NOT NULL)
  AND {{filter}};

-- name: requests_newest_slow
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_slow
WHERE r.duration_ms >= 10000
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_slow
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_slow
WHERE r.duration_ms >= 10000
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_slow
SELECT count(*) FROM requests r INDEXED BY requests_slow
WHERE r.duration_ms >= 10000
  AND {{filter}};

-- name: requests_newest_large
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_large
WHERE coalesce(r.billing_total_tokens, r.estimated_input_tokens, 0) >= 10000
  AND {{filter}}
ORDER BY r.created_us DESC, r.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_large
{{page}} (SELECT r.id FROM requests r INDEXED BY requests_large
WHERE coalesce(r.billing_total_tokens, r.estimated_input_tokens, 0) >= 10000
  AND {{filter}}
ORDER BY r.created_us, r.id LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_count_large
SELECT count(*) FROM requests r INDEXED BY requests_large
WHERE coalesce(r.billing_total_tokens, r.estimated_input_tokens, 0) >= 10000
  AND {{filter}};

-- name: requests_count_search
SELECT count(*) FROM (SELECT 1 FROM search_index s CROSS JOIN requests r ON r.id = s.rowid
WHERE s.search_index MATCH ?19
  AND {{filter}}
LIMIT ?20);

-- name: requests_newest_search
{{page}} (SELECT hit.id FROM (SELECT r.id, r.created_us FROM search_index s CROSS JOIN requests r ON r.id = s.rowid
WHERE s.search_index MATCH ?22
  AND {{filter}}
ORDER BY s.rowid DESC LIMIT ?23) hit
ORDER BY hit.created_us DESC, hit.id DESC LIMIT ?19 OFFSET ?20) page
{{join}};

-- name: requests_oldest_search
{{page}} (SELECT hit.id FROM (SELECT r.id, r.created_us FROM search_index s CROSS JOIN requests r ON r.id = s.rowid
WHERE s.search_index MATCH ?22
  AND {{filter}}
ORDER BY s.rowid DESC LIMIT ?23) hit
ORDER BY hit.created_us, hit.id LIMIT ?19 OFFSET ?20) page
{{join}};
