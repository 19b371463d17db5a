/* core/price.h - what tokens cost: the prices of providers, and the rule that finds the one of a
 * billed model.
 *
 * A price book is an immutable, counted copy of all prices and of what billing needs of providers.
 * It is filled by one thread, sealed, and may then be read by any. */
#ifndef CORE_PRICE_H
#define CORE_PRICE_H

#include "base/arena.h"
#include "base/err.h"

/** The rates of a price, a tier or a variant: pico-dollars per token, UNKNOWN when there is none.
 */
#define PRICE_RATES(X) /* constant, name */                                                        \
    X(INPUT, input)                                                                                \
    X(CACHED_INPUT, cached_input)                                                                  \
    X(OUTPUT, output)                                                                              \
    X(CACHE_WRITE, cache_write)                                                                    \
    X(CACHE_WRITE_1H, cache_write_1h)                                                              \
    X(REASONING, reasoning)

enum price_rate {
#define X(constant, name) RATE_##constant,
    PRICE_RATES(X)
#undef X
        RATE_COUNT
};

struct rates {
    int64_t of[RATE_COUNT];
};

/** "input_usd_per_million": a rate in JSON and in forms. */
extern const char *const rate_key[RATE_COUNT];
/** All UNKNOWN. */
struct rates rates_none(void);
bool rates_equal(const struct rates *a, const struct rates *b);

/** Rates for requests with min <= input tokens < max. Its unknown rates are final: they do not come
 *  from the price. */
struct price_tier {
    int64_t id, price_id;
    int64_t min, max; /* UNKNOWN: 0, no bound */
    struct rates rates;
    struct str label, source_url, checked_at, release_date, notes;
};

/** Other rates for a service tier (batch, flex, priority): explicit ones, or a multiple. */
struct price_variant {
    struct str service_tier;
    struct rates rates;
    int64_t multiplier; /* millionths */
};

/** Texts and arrays are borrowed from whoever made the price; absent text is STR_NONE. */
struct price {
    int64_t id;
    struct str provider_slug, model;
    struct str *aliases;
    size_t alias_count;
    struct str display_name;
    struct rates rates;
    int64_t context_length; /* UNKNOWN */
    bool active;
    struct str source_url, checked_at, release_date, notes;
    struct str seed_digest, sync_digest; /* of the content as the program, or a sync, gave it */
    int64_t created_us, updated_us;
    struct price_tier *tiers;
    size_t tier_count;
    struct price_variant *variants;
    size_t variant_count;
};

/** No id, active, no rates, no texts. */
void price_init(struct price *p);
/** The tier of an input size; NULL: the price's own rates, or none fits (*gap then). */
const struct price_tier *price_tier_for(const struct price *p, int64_t input, bool *gap);
/** Whether [min, max) ranges share an input size; UNKNOWN bounds are open. */
bool price_ranges_overlap(int64_t min_a, int64_t max_a, int64_t min_b, int64_t max_b);
/** A copy in arena of all that p points to. ERR_NO_MEMORY. */
int price_copy(struct arena *arena, const struct price *p, struct price *out, struct err *err);

/** What billing needs of a provider. */
struct price_provider {
    struct str slug, name, currency;
    struct str base_url; /* STR_NONE */
};

/** Which step of the lookup found a price. */
enum price_match {
    MATCH_NONE,
    MATCH_EXACT,
    MATCH_ALIAS,
    MATCH_NORMALIZED,
    MATCH_DATED,
    MATCH_BASE
};
/** "exact", "alias", "normalized", "dated", "router_base"; NULL for MATCH_NONE. */
const char *price_match_name(enum price_match match);

struct price_book;

/** Returns owned, one reference. generation: of the store it is made from. */
struct price_book *price_book_new(int64_t generation);
struct price_book *price_book_ref(struct price_book *book);
/** Accepts NULL. */
void price_book_unref(struct price_book *book);
/** Copy a provider, or a price with its tiers, into a book that is not sealed. ERR_NO_MEMORY. */
int price_book_add_provider(struct price_book *book, const struct price_provider *p,
                            struct err *err);
int price_book_add(struct price_book *book, const struct price *p, struct err *err);
/** Ready for lookups. ERR_NO_MEMORY. */
int price_book_seal(struct price_book *book, struct err *err);

int64_t price_book_generation(const struct price_book *book);
size_t price_book_count(const struct price_book *book);
const struct price *price_book_at(const struct price_book *book, size_t i);
/** By id; NULL. */
const struct price *price_book_by_id(const struct price_book *book, int64_t id);
const struct price *price_book_of_tier(const struct price_book *book, int64_t tier_id);
/** NULL when there is none. */
const struct price_provider *price_book_provider(const struct price_book *book, struct str slug);
/** The provider whose base URL is base: blanks and slashes at the end aside, scheme and host
 *  without case. */
const struct price_provider *price_book_provider_at(const struct price_book *book, struct str base);
/** The provider with the longest base URL that url is, or starts with before a slash. */
const struct price_provider *price_book_provider_over(const struct price_book *book,
                                                      struct str url);
/** The active price of a billed model: by name, alias, either without case, without a date, by
 *  the base of a router's endpoint. NULL when there is none. */
const struct price *price_book_find(const struct price_book *book, struct str provider_slug,
                                    struct str model, enum price_match *match);
/** The price of exactly this name, active or not; NULL. */
const struct price *price_book_get(const struct price_book *book, struct str provider_slug,
                                   struct str model);

#endif
