/* store/store_prices.h - prices in the database, and the book that is made of them. */
#ifndef STORE_STORE_PRICES_H
#define STORE_STORE_PRICES_H

#include "core/price.h"
#include "llm/usage.h"
#include "store/store.h"

/** All prices and providers as they are now. Writes an owned, sealed book to *out
 *  (price_book_unref()); providers come by name. */
int store_price_book(struct store *store, struct price_book **out, struct err *err);

/** Insert (id 0; it is set) or change a price with its aliases and variants, and with its tiers
 *  when with_tiers. Nothing is checked. */
int store_price_put(struct store *store, struct price *p, bool with_tiers, struct err *err);
/** Its tiers go with it. ERR_NOT_FOUND. */
int store_price_delete(struct store *store, int64_t id, struct err *err);
/** Insert (id 0; it is set) or change a tier of t->price_id; the price is changed with it. */
int store_price_tier_put(struct store *store, struct price_tier *t, struct err *err);
/** ERR_NOT_FOUND. */
int store_price_tier_delete(struct store *store, int64_t id, struct err *err);

/** Bring in the providers and prices that the program comes with. What a person changed or deleted
 *  stays as it is. */
int store_seed(struct store *store, struct err *err);
/** The same from other texts, as schema/seed has them. */
int store_seed_from(struct store *store, struct str providers_json, struct str prices_json,
                    struct err *err);

/** Bring back what a person deleted of the providers and prices that the program comes with: those
 *  of one provider, or (STR_NONE) all. What is there stays as it is. Counts what came back. */
int store_seed_restore(struct store *store, struct str provider_slug, int64_t *providers,
                       int64_t *prices, struct err *err);

enum backfill_kind { BACKFILL_CACHED, BACKFILL_MISSING };
struct backfill {
    enum backfill_kind kind;
    int64_t after_id; /* rows up to here are through */
    int64_t examined, repriced;
};
/** Price up to limit rows again that come after b->after_id, by the prices of book, as one
 *  transaction. *more tells whether there may be others. */
int store_backfill(struct store *store, const struct price_book *book, struct backfill *b,
                   int64_t limit, bool *more, struct err *err);
/** The same for all rows, by the prices as they are now, with a commit after each batch: also of a
 *  transaction that is open. */
int store_backfill_all(struct store *store, struct backfill *b, struct err *err);

/** The recorded counts and costs of one request of a run. Texts are borrowed for the call. */
struct run_tokens {
    struct usage usage;
    struct str service_tier;
    int64_t total_cost; /* UNKNOWN: not priced */
    struct str provider, model;
};
typedef void store_run_tokens_fn(void *ctx, const struct run_tokens *t);
int store_run_tokens(struct store *store, int64_t run_id, store_run_tokens_fn *each, void *ctx,
                     struct err *err);

#endif
