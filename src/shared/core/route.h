/* core/route.h - a rule that maps requested models to an upstream. */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "core/failover.h"
#include "core/upstream_state.h"

#define ROUTE_SEED "default-route-seed" /* managed_by of generated routes */
#define ROUTE_SEED_PRIORITY 90
#define ROUTE_PRIORITY 50

/** Borrowed texts; absent ones are STR_NONE. {0} with a model and a URL is a valid exact route. */
struct route {
    int64_t id; /* 0: from the startup configuration, or not yet stored */
    struct str incoming_model;
    bool prefix;               /* incoming_model ends in "*" */
    struct str upstream_url;   /* "": each of several upstreams has its own */
    struct str upstream_model; /* STR_NONE: the requested model */
    struct str provider_slug, api_key_env, auth_style;
    struct str fixes_json; /* an array of ids */
    struct str managed_by;
    bool override_fallback, active;
    int64_t priority;         /* startup 0, stored 1 to 100; the smallest wins */
    struct str failover_json; /* several upstreams, see core/failover.h; STR_NONE: none are named */
    int64_t created_us, updated_us;
    struct secret *key;              /* a literal one, of the startup configuration only */
    const struct failover *failover; /* NULL: one upstream, which nothing is tried after */
    /* Of routes in a catalog that have it: one state for each upstream, and the fallback's. */
    struct upstream_state **states, *turn;
};

bool route_is_startup(const struct route *r);
const char *route_match_type(const struct route *r);
/** The pattern without its star. */
struct str route_literal(const struct route *r);
/** Exact: equal; prefix: model starts with the pattern without its star. Active or not. */
bool route_matches(const struct route *r, struct str model);
/** Below 0 when a is stronger: priority, exact before prefix, longer literal, order of the file,
 *  then id. Startup routes must be compared in the order of the file by their place. */
int route_compare(const struct route *a, const struct route *b);
/** What goes upstream for model: to, its star replaced by what the pattern's star matched; model
 *  itself when to is empty. Kept in arena where it is made. */
struct str route_upstream_model(const struct route *r, struct str to, struct str model,
                                struct arena *arena);
/** Switched on, and has an upstream that is. */
bool route_is_active(const struct route *r);
/** The rules of a pattern: exact anything, prefix one star at the end. */
bool route_pattern_ok(struct str incoming_model, bool prefix);

#endif
