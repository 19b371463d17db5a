/* core/catalog.h - what routing decides by: an immutable, counted copy of the configuration that a
 * request holds on to. A change makes a new catalog; requests under way keep theirs. */
#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H

#include "core/forward.h"
#include "core/price.h"
#include "core/provider.h"
#include "core/route.h"

/** What the program was started with; borrowed for as long as the program runs. */
struct startup {
    struct str base_url;  /* the global upstream */
    bool base_url_fixed;  /* by a flag: a saved one does not count */
    struct route *routes; /* of the models configuration, in its order; priority 0 */
    size_t route_count;
    struct str fixes_json;          /* default fixes; STR_NONE is none */
    struct upstream_states *states; /* of the upstreams of all catalogs; NULL: nobody keeps any */
};

/** What a catalog is made of. Borrowed; startup routes come first, in their order. */
struct catalog_source {
    int64_t generation;
    struct str base_url;
    const struct route *routes;
    size_t route_count;
    const struct provider *providers; /* by name */
    size_t provider_count;
    struct str default_provider_slug; /* the fallback provider; STR_NONE: none */
    struct str default_model;
    bool fallback_enabled;
    bool failover_to_fallback;      /* the fallback is the last upstream of every route */
    struct str fixes_json;          /* default fixes */
    struct price_book *prices;      /* for routes that ask for the cheapest; NULL: none does */
    struct upstream_states *states; /* NULL: no states */
};

struct catalog {
    _Atomic int refs;
    struct arena arena; /* all texts and arrays below */
    int64_t generation;
    struct str base_url;
    struct route *routes; /* in the order of the source */
    size_t route_count;
    const struct route **exact; /* active ones by model, the strongest first */
    size_t exact_count;
    const struct route **prefix; /* active ones by literal, the strongest first */
    size_t prefix_count;
    size_t *lengths; /* of the literals, each once */
    size_t length_count;
    struct provider *providers;
    size_t provider_count;
    const struct provider *fallback;  /* may take requests; NULL: none */
    struct str default_provider_slug; /* as set, also when it cannot be used */
    struct str default_model;
    bool fallback_enabled, failover_to_fallback;
    struct str fixes_json;
    struct price_book *prices; /* NULL: nothing is looked up */
};

/** Returns owned, one reference. Copies everything. */
struct catalog *catalog_new(const struct catalog_source *source);
struct catalog *catalog_ref(struct catalog *c);
/** Accepts NULL. */
void catalog_unref(struct catalog *c);

/** Where a request for model goes; "" or STR_NONE: it names none. The texts of *out are borrowed
 *  from c and model, or kept in arena. The key is not looked up: see decision_key(). Of several
 *  upstreams it is the first in the list; out->several tells that there is a choice. */
void catalog_decide(const struct catalog *c, struct str model, struct arena *arena,
                    struct decision *out);
/** How many upstreams may be tried for a request that r, which has a failover, is chosen for. */
size_t catalog_upstreams(const struct catalog *c, const struct route *r);
/** The same for one of them: an index of the list, or its count for the fallback. */
void catalog_decide_upstream(const struct catalog *c, const struct route *r, size_t index,
                             struct str model, struct arena *arena, struct decision *out);
/** Fill d->key from the literal key or the variable; room holds the latter. */
void decision_key(struct decision *d, struct secret *room);
enum key_state decision_key_state(const struct decision *d);

/** The strongest active route for model, or NULL. */
const struct route *catalog_match(const struct catalog *c, struct str model);
/** NULL when there is none of that slug. */
const struct provider *catalog_provider(const struct catalog *c, struct str slug);
/** The provider that a request is paid to: that of the decision, or the one with its base URL.
 * NULL.
 */
const struct provider *catalog_payee(const struct catalog *c, const struct decision *d);
/** The startup route of that model and match type, or NULL. */
const struct route *catalog_startup(const struct catalog *c, struct str model, bool prefix);

#endif
