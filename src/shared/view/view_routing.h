/* view/view_routing.h - routes, providers and decisions as JSON. */
#ifndef VIEW_VIEW_ROUTING_H
#define VIEW_VIEW_ROUTING_H

#include <cjson/cJSON.h>

#include "core/catalog.h"
#include "store/store_routing.h"

/** A route; id and times are null for one of the startup configuration. provider_name may be
 *  STR_NONE. Returns owned. */
cJSON *view_route(const struct route *r, struct str provider_name);
/** "startup", "seeded" or "ui". */
const char *view_route_source(const struct route *r);
/** "configured", "missing" or "not configured", with a blank. */
const char *view_route_key_state(const struct route *r);
/** Returns owned. */
cJSON *view_provider(const struct provider *p, int64_t model_count, int64_t route_count);
/** The compatibility fixes that there are. Returns owned. */
cJSON *view_fixes(void);
/** Where a model would go: status, route, upstream, provider, key and fixes. Returns owned. */
cJSON *view_simulation(const struct decision *d);
/** {"items":[],"page":…,"per_page":…,"total":…,"pages":…} of a list that is all there: items of
 *  other pages are deleted. Takes items. Returns owned. */
cJSON *view_simple_page(cJSON *items, int64_t page, int64_t per_page);
/** What a check of a provider found. Returns owned. */
cJSON *view_provider_health(const struct provider_health *h);

#endif
