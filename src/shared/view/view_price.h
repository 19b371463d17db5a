/* view/view_price.h - prices as JSON: the same rows for the API and --json. */
#ifndef VIEW_VIEW_PRICE_H
#define VIEW_VIEW_PRICE_H

#include <cjson/cJSON.h>

#include "core/cost.h"

/** A rate as a JSON number of USD per million tokens; UNKNOWN is null. */
void view_put_rate(cJSON *o, const char *key, int64_t rate);
/** The text of a rate for people: $0.7500. */
void view_put_rate_display(cJSON *o, const char *key, int64_t rate);

/** "tiers" and "variants" of a price. */
void view_put_price_lists(cJSON *o, const struct price *p);
/** A price row with its tiers. Returns owned. */
cJSON *view_price(const struct price_book *book, const struct price *p);

/** What a list of prices shows; {0} is everything. */
struct price_filter {
    struct str search;        /* part of model, names or provider, without case */
    struct str provider_slug; /* equal */
    struct str status;        /* active or inactive */
};
/** The rows by provider name, then model, as an array. Returns owned. */
cJSON *view_price_list(const struct price_book *book, const struct price_filter *filter);

/** Prices by provider name, then model. Returns owned (free()), price_book_count() of them. */
const struct price **view_prices_sorted(const struct price_book *book);

/** {"price_match","price"}; NULL when there is none. Returns owned. */
cJSON *view_price_find(const struct price_book *book, struct str provider_slug, struct str model);
/** {"cost_usd","input_cost_usd",…,"pricing_snapshot"}; NULL when there is no price. */
cJSON *view_price_estimate(const struct price_book *book, struct str provider_slug,
                           struct str model, const struct cost_tokens *tokens);

#endif
