-- Schema version 3: what tokens cost. See schema/README.md.
--
-- *_rate is in pico-dollars per token: a price of 0.75 US dollars per million tokens is 750000.

CREATE TABLE model_prices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider_slug TEXT NOT NULL REFERENCES model_providers (slug) ON DELETE CASCADE,
    model TEXT NOT NULL,
    display_name TEXT,
    input_rate INTEGER NOT NULL,
    cached_input_rate INTEGER, -- NULL: cached tokens cost the input rate
    output_rate INTEGER NOT NULL,
    cache_write_rate INTEGER, -- NULL: the input rate
    cache_write_1h_rate INTEGER, -- NULL: cache_write_rate
    reasoning_rate INTEGER, -- NULL: the output rate
    context_length INTEGER,
    active INTEGER NOT NULL DEFAULT 1,
    source_url TEXT,
    checked_at TEXT, -- when somebody compared it with the source, a date
    release_date TEXT,
    notes TEXT,
    seed_digest TEXT, -- of the content that the program's own catalogue gave it
    sync_digest TEXT, -- of the content that the last sync or import gave it
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX model_prices_model ON model_prices (provider_slug, model);
CREATE INDEX model_prices_active ON model_prices (provider_slug, active);

-- Other names of a priced model.
CREATE TABLE model_price_aliases (
    price_id INTEGER NOT NULL REFERENCES model_prices (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, -- from 0
    alias TEXT NOT NULL,
    PRIMARY KEY (price_id, position)
) STRICT, WITHOUT ROWID;

-- Other rates for inputs of min_input_tokens up to, and without, max_input_tokens.
CREATE TABLE model_price_tiers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    price_id INTEGER NOT NULL REFERENCES model_prices (id) ON DELETE CASCADE,
    min_input_tokens INTEGER, -- NULL: 0
    max_input_tokens INTEGER, -- NULL: no bound
    input_rate INTEGER NOT NULL,
    cached_input_rate INTEGER, -- not from the price: NULL is the tier's input rate
    output_rate INTEGER NOT NULL,
    cache_write_rate INTEGER,
    cache_write_1h_rate INTEGER,
    reasoning_rate INTEGER,
    label TEXT,
    source_url TEXT,
    checked_at TEXT,
    release_date TEXT,
    notes TEXT
) STRICT;
CREATE INDEX model_price_tiers_price ON model_price_tiers (price_id);

-- Other rates for a service tier: an explicit rate, or the usual one times the multiplier.
CREATE TABLE model_price_variants (
    price_id INTEGER NOT NULL REFERENCES model_prices (id) ON DELETE CASCADE,
    service_tier TEXT NOT NULL, -- batch, flex, priority
    multiplier INTEGER NOT NULL DEFAULT 1000000, -- millionths
    input_rate INTEGER,
    cached_input_rate INTEGER,
    output_rate INTEGER,
    cache_write_rate INTEGER,
    cache_write_1h_rate INTEGER,
    reasoning_rate INTEGER,
    PRIMARY KEY (price_id, service_tier)
) STRICT, WITHOUT ROWID;

-- What the program's own catalogue has put in once: what is missing in spite of that was deleted by
-- a person, and stays deleted. model is '' for a provider.
CREATE TABLE seeded (
    provider_slug TEXT NOT NULL,
    model TEXT NOT NULL,
    PRIMARY KEY (provider_slug, model)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_unpriced ON requests (id)
    WHERE billing_total_cost_pusd IS NULL AND response_status IS NOT NULL;

CREATE TRIGGER model_prices_inserted AFTER INSERT ON model_prices
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_prices_updated AFTER UPDATE ON model_prices
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_prices_deleted AFTER DELETE ON model_prices
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_aliases_inserted AFTER INSERT ON model_price_aliases
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_aliases_updated AFTER UPDATE ON model_price_aliases
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_aliases_deleted AFTER DELETE ON model_price_aliases
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_tiers_inserted AFTER INSERT ON model_price_tiers
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_tiers_updated AFTER UPDATE ON model_price_tiers
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_tiers_deleted AFTER DELETE ON model_price_tiers
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_variants_inserted AFTER INSERT ON model_price_variants
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_variants_updated AFTER UPDATE ON model_price_variants
BEGIN UPDATE generation SET value = value + 1; END;
CREATE TRIGGER model_price_variants_deleted AFTER DELETE ON model_price_variants
BEGIN UPDATE generation SET value = value + 1; END;
