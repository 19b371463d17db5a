/* core/default_routes.h - the exact routes that make every known model usable without
 * configuration: which names there are, and where each goes. */
#ifndef CORE_DEFAULT_ROUTES_H
#define CORE_DEFAULT_ROUTES_H

#include "core/price.h"
#include "core/provider.h"

/** One route that could be. Texts are borrowed from what it was made of, or kept in arena. */
struct candidate {
    struct str incoming_model, upstream_url, upstream_model, provider_slug, api_key_env;
    struct str source_model; /* of the price */
    struct str source_alias; /* STR_NONE: the price's own name */
};

/** All candidates by provider and incoming model, as an array in arena; only those of one provider
 *  when slug is not empty. ERR_NO_MEMORY. */
int default_routes(const struct price_book *book, const struct provider *providers,
                   size_t provider_count, struct str slug, struct arena *arena,
                   struct candidate **out, size_t *count, struct err *err);

#endif
