/* core/upstream_order.h - in which order the upstreams of a route are tried for one request. */
#ifndef CORE_UPSTREAM_ORDER_H
#define CORE_UPSTREAM_ORDER_H

#include "core/catalog.h"

#define CHOICES_MAX (FAILOVER_UPSTREAMS_MAX + 1) /* the fallback may follow */

enum upstream_ready { UPSTREAM_READY, UPSTREAM_COOLING, UPSTREAM_MISSING_KEY, UPSTREAM_INACTIVE };
/** "ready", "cooling", "missing_api_key", "inactive". */
const char *upstream_ready_name(enum upstream_ready ready);

struct choice {
    size_t index; /* in the list of the route; its count: the fallback */
    enum upstream_ready ready;
    int64_t cooling_us; /* so much longer; 0 */
    int64_t failures, weight;
};

/** Order the upstreams of r, which has several, for model: *count of them may be tried; those that
 *  are inactive follow. peek: nobody's turn is used up. Returns the number of all in out. */
size_t upstream_order(const struct catalog *c, const struct route *r, struct str model,
                      int64_t now_us, bool peek, struct choice out[CHOICES_MAX], size_t *count);
/** How much longer upstream index is cooling down. */
int64_t upstream_cooling_us(const struct route *r, size_t index, int64_t now_us);

#endif
