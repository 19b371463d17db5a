/* view/view_routing.h - routes, providers and decisions as JSON. */
#ifndef VIEW_VIEW_ROUTING_H
#define VIEW_VIEW_ROUTING_H

#include <cjson/cJSON.h>

#include "core/catalog.h"

/** A stored route. provider_name may be STR_NONE. Returns owned. */
cJSON *view_route(const struct route *r, struct str provider_name);
/** Returns owned. */
cJSON *view_provider(const struct provider *p, int64_t model_count, int64_t route_count);
/** What a decision says, without its status: route, upstream, provider, key and fixes. Returns
 *  owned. */
cJSON *view_decision(const struct decision *d);
/** {"items":[],"page":…,"per_page":…,"total":…,"pages":…} of a list that is all there: items of
 *  other pages are deleted. Takes items. Returns owned. */
cJSON *view_simple_page(cJSON *items, int64_t page, int64_t per_page);

#endif
