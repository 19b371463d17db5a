/* daemon/api/api_routing.h - what the files about routes and providers share. */
#ifndef API_API_ROUTING_H
#define API_API_ROUTING_H

#include "daemon/api/api_body.h"
#include "store/store_routing.h"

/** page and per_page of a simple page. False: the call is answered 422. */
bool api_simple_page(struct api_call *call, int64_t *page, int64_t *per_page);
/** The start of this day, UTC. */
int64_t api_today_us(void);
/** Store a checked route (id 0: a new one) after the checks that need the store. ERR_INVALID,
 *  ERR_NOT_FOUND say what is wrong with it. */
int api_route_save(struct api_call *call, struct store *store, struct route *route,
                   struct arena *arena, struct err *err);
/** Where model goes; a slug that is not blank forces that provider. ERR_INVALID. */
int api_decide(struct store *store, const struct catalog *catalog, struct str model,
               struct str slug, struct arena *arena, struct decision *out, struct err *err);

/** What an upstream-defaults call or form sets. */
struct upstream_defaults {
    struct str upstream_url, default_provider_slug, default_model;
    bool fallback_enabled;
    bool has_failover, failover_to_fallback; /* has: it is set at all */
};

/** ERR_INVALID; nothing is written then. */
int api_save_upstream(struct store *store, const struct upstream_defaults *in, struct arena *arena,
                      struct err *err);
/** Remember the port and whether all addresses are listened on, for the next start. ERR_INVALID. */
int api_save_listener(struct store *store, int64_t port, bool expose, struct err *err);

#endif
