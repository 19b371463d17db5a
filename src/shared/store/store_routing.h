/* store/store_routing.h - routes and providers, and the catalog that is made of them. */
#ifndef STORE_STORE_ROUTING_H
#define STORE_STORE_ROUTING_H

#include "core/catalog.h"
#include "store/store.h"

/** All providers by name, as an array in arena. */
int store_providers(struct store *store, struct arena *arena, struct provider **out, size_t *count,
                    struct err *err);
/** ERR_NOT_FOUND. */
int store_provider_get(struct store *store, struct str slug, struct arena *arena,
                       struct provider *out, struct err *err);
/** Insert or replace. As the default fallback it also takes that place from others, and the setting
 *  default_provider_slug follows; without the flag it gives up the place it had. ERR_CONFLICT when
 *  the base URL belongs to another one. */
int store_provider_put(struct store *store, const struct provider *p, struct err *err);
/** Make slug the fallback provider, "" none: the flag and the setting. */
int store_provider_fallback(struct store *store, struct str slug, struct err *err);
/** Its routes stay, without provider; a setting that names it is cleared. ERR_NOT_FOUND. */
int store_provider_delete(struct store *store, struct str slug, struct err *err);

/** What the last check of a provider found. Borrowed texts; status STR_NONE: never checked. */
struct provider_health {
    struct str provider_slug, provider_name;
    bool active;
    struct str status, auth_state, message;
    int64_t latency_ms; /* UNKNOWN: nothing was sent */
    int64_t checked_us;
};
/** Keep a result in place of the one before; of a provider that is gone, nothing. */
int store_health_put(struct store *store, const struct provider_health *h, struct err *err);
/** The last results of all providers, by name. */
typedef void store_health_fn(void *ctx, const struct provider_health *h);
int store_health(struct store *store, store_health_fn *each, void *ctx, struct err *err);

/** All stored routes by priority and id, as an array in arena. */
int store_routes(struct store *store, struct arena *arena, struct route **out, size_t *count,
                 struct err *err);
/** ERR_NOT_FOUND. */
int store_route_get(struct store *store, int64_t id, struct arena *arena, struct route *out,
                    struct err *err);
int store_route_find(struct store *store, struct str incoming_model, bool prefix,
                     struct arena *arena, struct route *out, struct err *err);
/** Insert (id 0; it is set) or replace. */
int store_route_put(struct store *store, struct route *r, struct err *err);
/** ERR_NOT_FOUND. */
int store_route_delete(struct store *store, int64_t id, struct err *err);

/** Requests since a time by what they were matched with or billed to. */
typedef void store_usage_fn(void *ctx, struct str name, int64_t requests, int64_t number);
/** number: the last arrival in microseconds. */
int store_route_usage(struct store *store, int64_t since_us, store_usage_fn *each, void *ctx,
                      struct err *err);
/** number: the cost in pico-dollars. */
int store_provider_usage(struct store *store, int64_t since_us, store_usage_fn *each, void *ctx,
                         struct err *err);

/** The configuration in force. Writes an owned catalog to *out. */
int store_catalog(struct store *store, const struct startup *startup, struct catalog **out,
                  struct err *err);

#endif
