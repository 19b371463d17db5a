/* core/what_if.h - what other prices would have made of traffic that was recorded. */
#ifndef CORE_WHAT_IF_H
#define CORE_WHAT_IF_H

#include "core/cost.h"

/** Sums over requests, each priced on its own; what_if_init() first. */
struct what_if {
    const struct price *price; /* borrowed */
    int64_t included, missing; /* requests with, and without, both counts */
    int64_t input, cached_input, cache_write_input, output, total;  /* tokens */
    int64_t input_cost, cached_input_cost, output_cost, total_cost; /* UNKNOWN after an overflow;
                                                                       cached: until one is known */
    bool overflow;
    /* the rates that all requests had, unless mixed */
    bool mixed;
    struct rates rates;
    const struct price_tier *tier;
};

void what_if_init(struct what_if *w, const struct price *p);
void what_if_add(struct what_if *w, const struct usage *usage, struct str service_tier);
/** The rates to show: those in use, or the price's own when there were several or none. */
const struct rates *what_if_rates(const struct what_if *w);

#endif
