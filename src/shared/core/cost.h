/* core/cost.h - token counts times rates: exact, all or nothing. */
#ifndef CORE_COST_H
#define CORE_COST_H

#include "base/buf.h"
#include "core/price.h"
#include "llm/usage.h"

/** What is priced; counts below 0 (UNKNOWN included) are unknown. */
struct cost_tokens {
    struct usage usage;
    int64_t cache_write_1h;  /* part of usage.cache_write_input */
    struct str service_tier; /* batch, flex, priority, or STR_NONE */
};

enum cost_state {
    COST_UNKNOWN, /* no input or no output count */
    COST_KNOWN,
    COST_OVERFLOW, /* beyond 64 bits of pico-dollars */
};

struct cost {
    enum cost_state state;
    int64_t input, cached_input, output, total; /* UNKNOWN unless known; cached_input is part of
                                                   input, UNKNOWN without a cached rate in use */
    int64_t cache_write; /* part of input; UNKNOWN without a write rate in use */
    /* how it was worked out */
    const struct price_tier *tier; /* NULL: the price's own rates */
    bool tier_gap;                 /* there are tiers and none fits */
    const struct price_variant *variant;
    struct rates rates;                /* in effect */
    int64_t cached, uncached, written; /* tokens, cut to the input */
};

/** Borrows p, whose tier and variant *out points to. */
void cost_of(const struct price *p, const struct cost_tokens *tokens, struct cost *out);
/** The service tier that counts for pricing: "fast" is priority; auto, default and standard are
 *  none. */
struct str cost_service_tier(struct str reported);

/** What a snapshot tells beyond price and cost; absent: STR_NONE, UNKNOWN. */
struct cost_notes {
    const struct price_provider *provider;
    struct str billing_model;
    enum price_match match;
    int64_t upstream_cost; /* what the provider says it paid itself */
    struct str historical_backfill, catalog_backfill;
    int64_t previous_total;
};
/** Append the pricing snapshot as a JSON object. False without memory. */
bool cost_snapshot(struct buf *out, const struct price *p, const struct cost_tokens *tokens,
                   const struct cost *cost, const struct cost_notes *notes);

#endif
