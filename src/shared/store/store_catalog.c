#include <stdlib.h>

#include "core/fix_ids.h"
#include "store/store_prices.h"
#include "store/store_priv.h"
#include "store/store_routing.h"
#include "json/json.h"

void *store_grow(struct arena *arena, void *items, size_t count, size_t *cap, size_t size)
{
    void *more;

    if (count < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 16;
    more = arena_alloc(arena, *cap * size);
    if (more && count > 0)
        memcpy(more, items, count * size);
    return more;
}

/* A saved setting as text in arena; STR_NONE when it is not saved. */
static int get_text(struct store *store, struct arena *arena, struct str key, struct str *out,
                    struct err *err)
{
    char *saved = NULL;

    if (store_setting_get(store, key, &saved, err) < 0)
        return -1;
    *out = arena_dup(arena, str_c(saved));
    free(saved);
    return 0;
}

/* Default fixes that can still be read count, also none of them. */
static void use_fixes(struct catalog_source *s, struct arena *arena, struct str saved)
{
    cJSON *list = saved.ptr ? json_parse(saved) : NULL;
    struct buf json = {0};
    struct err err;

    if (cJSON_IsArray(list) && fix_ids(&json, list, NULL, &err) == 0)
        s->fixes_json = arena_dup(arena, buf_str(&json));
    buf_clear(&json);
    cJSON_Delete(list);
}

static int read_settings(struct store *store, const struct startup *startup, struct arena *arena,
                         struct catalog_source *s, struct err *err)
{
    struct str url, fixes, on, failover, clean;
    struct err bad;

    if (get_text(store, arena, STR("upstream_url"), &url, err) < 0 ||
        get_text(store, arena, STR("default_compat_fixes_json"), &fixes, err) < 0 ||
        get_text(store, arena, STR("default_provider_slug"), &s->default_provider_slug, err) < 0 ||
        get_text(store, arena, STR("default_model"), &s->default_model, err) < 0 ||
        get_text(store, arena, STR("fallback_enabled"), &on, err) < 0 ||
        get_text(store, arena, STR("failover_to_fallback"), &failover, err) < 0)
        return -1;
    s->base_url = startup->base_url;
    if (!startup->base_url_fixed && url.len > 0 && forward_check_base_url(url, &clean, &bad) == 0)
        s->base_url = clean;
    s->fallback_enabled = !on.ptr || str_is_yes(on);
    s->failover_to_fallback = str_is_yes(failover);
    s->fixes_json = startup->fixes_json;
    use_fixes(s, arena, fixes);
    return 0;
}

/* Startup routes first, in their order, then the stored ones. */
static int read_routes(struct store *store, const struct startup *startup, struct arena *arena,
                       struct catalog_source *s, struct err *err)
{
    struct route *stored, *all;
    size_t count;

    if (store_routes(store, arena, &stored, &count, err) < 0)
        return -1;
    s->route_count = startup->route_count + count;
    all = arena_alloc(arena, s->route_count * sizeof(*all) + 1);
    if (!all)
        return err_set(err, ERR_NO_MEMORY, "no memory for the routes");
    if (startup->route_count > 0)
        memcpy(all, startup->routes, startup->route_count * sizeof(*all));
    if (count > 0)
        memcpy(all + startup->route_count, stored, count * sizeof(*all));
    s->routes = all;
    return 0;
}

static int read_providers(struct store *store, struct arena *arena, struct catalog_source *s,
                          struct err *err)
{
    struct provider *list;

    if (store_providers(store, arena, &list, &s->provider_count, err) < 0)
        return -1;
    s->providers = list;
    for (size_t i = 0; s->default_provider_slug.len == 0 && i < s->provider_count; i++)
        if (list[i].is_default_fallback)
            s->default_provider_slug = list[i].slug;
    return 0;
}

static bool asks_for_cheapest(const struct route *r, struct arena *arena)
{
    struct failover f;

    return failover_parse(&f, r->failover_json, arena) && f.strategy == STRATEGY_LOWEST_COST;
}

/* Prices are many: they are read only where a route needs them. */
static int read_prices(struct store *store, struct arena *arena, struct catalog_source *s,
                       struct err *err)
{
    for (size_t i = 0; i < s->route_count; i++)
        if (asks_for_cheapest(&s->routes[i], arena))
            return store_price_book(store, &s->prices, err);
    return 0;
}

int store_catalog(struct store *store, const struct startup *startup, struct catalog **out,
                  struct err *err)
{
    struct arena arena = {0};
    struct catalog_source source = {.states = startup->states};
    int rc = -1;

    /* The number first: what changes while the rest is read is read once more. */
    if (store_generation(store, &source.generation, err) == 0 &&
        read_settings(store, startup, &arena, &source, err) == 0 &&
        read_routes(store, startup, &arena, &source, err) == 0 &&
        read_providers(store, &arena, &source, err) == 0 &&
        read_prices(store, &arena, &source, err) == 0) {
        *out = catalog_new(&source);
        rc = 0;
    }
    price_book_unref(source.prices);
    arena_clear(&arena);
    return rc;
}
