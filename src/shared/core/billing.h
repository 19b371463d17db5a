/* core/billing.h - who is paid for an exchange, for which model, and how much. */
#ifndef CORE_BILLING_H
#define CORE_BILLING_H

#include "core/cost.h"
#include "core/record.h"

/** The model that is priced: what was asked of the upstream, with the endpoint a router was pinned
 *  to. request_body is the client's; any text may be absent. A new text is in arena. STR_NONE when
 *  none is known. */
struct str billing_model(struct str provider_slug, struct str upstream_model,
                         struct str response_model, struct str record_model,
                         struct str request_body, struct arena *arena);

/** The provider of a finished exchange: of the decision, or whose base URL it went to. NULL. */
const struct price_provider *billing_provider(const struct price_book *book,
                                              const struct record *r);

/** The counts of a record's billing columns. */
struct cost_tokens billing_tokens(const struct record *r);

/** What an answer tells about its cost beyond the counts of a record; UNKNOWN. */
struct billing_facts {
    int64_t cache_write_1h; /* tokens written to a cache for an hour */
    int64_t upstream_cost;  /* pico-dollars that a router says it paid itself */
};

/** What an exchange of that provider, upstream URL and model costs with so many tokens, in
 *  pico-dollars; UNKNOWN without a price. */
int64_t billing_estimate(const struct price_book *book, const struct record *r, int64_t input,
                         int64_t output);
/** Fill provider, model, costs and snapshot of a finished exchange, whose counts are known as far
 *  as they ever will be. What is unknown stays so. A request that got no answer is not billed.
 *  Texts go to arena. */
void billing_price(const struct price_book *book, struct record *r, struct str request_body,
                   const struct billing_facts *facts, struct arena *arena);
/** The cost and snapshot alone, for a provider and model that are set. False, r untouched: no
 *  price, or no counts, or no memory. */
bool billing_apply(const struct price_book *book, struct record *r,
                   const struct cost_tokens *tokens, struct cost_notes *notes, struct arena *arena);

#endif
