-- Schema version 2: where requests go. See schema/README.md.

-- An upstream account. Keys are never stored: api_key_env names an environment variable.
CREATE TABLE model_providers (
    slug TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    base_url TEXT, -- without slashes at its end
    currency TEXT NOT NULL DEFAULT 'USD', -- a label; rates are US dollars
    api_key_env TEXT,
    auth_style TEXT, -- bearer, x-api-key, api-key, none; NULL: by rule
    active INTEGER NOT NULL DEFAULT 1,
    is_default_fallback INTEGER NOT NULL DEFAULT 0,
    capabilities_json TEXT, -- object of text, vision, tool_calling
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX model_providers_url ON model_providers (base_url) WHERE base_url IS NOT NULL;
CREATE UNIQUE INDEX model_providers_fallback ON model_providers (is_default_fallback)
    WHERE is_default_fallback = 1;

-- Which models go where.
CREATE TABLE model_routes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incoming_model TEXT NOT NULL, -- a model, or with match_type prefix a pattern that ends in *
    match_type TEXT NOT NULL DEFAULT 'exact', -- exact, prefix
    upstream_url TEXT NOT NULL,
    upstream_model TEXT, -- NULL: the requested model
    provider_slug TEXT REFERENCES model_providers (slug) ON DELETE SET NULL,
    api_key_env TEXT,
    auth_style TEXT,
    fixes_json TEXT NOT NULL DEFAULT '[]', -- ids of compatibility fixes, in order
    managed_by TEXT, -- default-route-seed: made by the program; NULL: by a person
    override_fallback INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL DEFAULT 50, -- 1 to 100, the smallest wins
    active INTEGER NOT NULL DEFAULT 1,
    failover_json TEXT, -- several upstreams and how to choose among them
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX model_routes_model ON model_routes (incoming_model, match_type);
CREATE INDEX model_routes_priority ON model_routes (priority, id);
CREATE INDEX model_routes_provider ON model_routes (provider_slug);
CREATE INDEX model_routes_managed ON model_routes (managed_by);

-- What one request tried, when its route has several upstreams.
CREATE TABLE request_attempts (
    request_id INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    number INTEGER NOT NULL, -- from 1
    upstream_url TEXT NOT NULL,
    upstream_model TEXT,
    provider_slug TEXT,
    status INTEGER,
    error TEXT,
    started_us INTEGER NOT NULL,
    headers_ms INTEGER,
    duration_ms INTEGER,
    PRIMARY KEY (request_id, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER model_providers_inserted AFTER INSERT ON model_providers
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_providers_updated AFTER UPDATE ON model_providers
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_providers_deleted AFTER DELETE ON model_providers
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_routes_inserted AFTER INSERT ON model_routes
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_routes_updated AFTER UPDATE ON model_routes
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_routes_deleted AFTER DELETE ON model_routes
BEGIN UPDATE generation SET value = value + 1; END;
