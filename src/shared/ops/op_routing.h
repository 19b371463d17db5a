/* ops/op_routing.h - what the files about routes and providers share. */
#ifndef OPS_OP_ROUTING_H
#define OPS_OP_ROUTING_H

#include "ops/body.h"
#include "store/store_routing.h"

/** Answer with the page of items that page and per_page ask for. Takes items. */
void op_simple_page(struct call *call, cJSON *items);
/** The time that the query names with since, or the start of this day, UTC. */
int64_t op_since(const struct call *call);
/** Store a checked route (id 0: a new one) after the checks that need the store. ERR_INVALID,
 *  ERR_NOT_FOUND say what is wrong with it. */
int op_route_save(struct call *call, struct store *store, struct route *route, struct arena *arena,
                  struct err *err);
/** Where model goes; a slug that is not blank forces that provider. ERR_INVALID. */
int op_decide(struct store *store, const struct catalog *catalog, struct str model, struct str slug,
              struct arena *arena, struct decision *out, struct err *err);

/** What an upstream-defaults call or form sets. */
struct upstream_defaults {
    struct str upstream_url, default_provider_slug, default_model;
    bool fallback_enabled;
    bool has_failover, failover_to_fallback; /* has: it is set at all */
};

/** ERR_INVALID; nothing is written then. */
int op_save_upstream(struct store *store, const struct upstream_defaults *in, struct arena *arena,
                     struct err *err);
/** Remember the port and whether all addresses are listened on, for the next start. ERR_INVALID. */
int op_save_listener(struct store *store, int64_t port, bool expose, struct err *err);

#endif
