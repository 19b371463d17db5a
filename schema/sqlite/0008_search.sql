-- Full-text search in what requests and answers say.

-- Contentless: the texts are made from the bodies again when they are needed. rowid is the request.
-- CJK characters and emoji come separated, so each is a word and a run of them a phrase.
CREATE VIRTUAL TABLE search_index USING fts5(
    request, answer,
    content = '', columnsize = 0,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'"
);

-- What makes the texts of the index: grows with the program's rules; 0: there is no index.
CREATE TABLE search_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO search_state VALUES (1, -1);

-- Complete requests that are not in the index yet.
CREATE TABLE search_todo (
    request_id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER requests_search_inserted AFTER INSERT ON requests
WHEN NEW.completed_us IS NOT NULL AND (SELECT version FROM search_state) <> 0
BEGIN
    INSERT OR IGNORE INTO search_todo VALUES (NEW.id);
END;

CREATE TRIGGER requests_search_completed AFTER UPDATE OF completed_us ON requests
WHEN OLD.completed_us IS NULL AND NEW.completed_us IS NOT NULL
     AND (SELECT version FROM search_state) <> 0
BEGIN
    INSERT OR IGNORE INTO search_todo VALUES (NEW.id);
END;

CREATE TRIGGER requests_search_deleted AFTER DELETE ON requests
BEGIN
    DELETE FROM search_todo WHERE request_id = OLD.id;
END;
