-- How many events of a streamed answer carried content: the speed of answers whose upstream counts
-- no tokens is estimated from it.
ALTER TABLE requests ADD COLUMN content_event_count INTEGER;
