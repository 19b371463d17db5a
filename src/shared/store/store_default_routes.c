#include "store/store_default_routes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/store_prices.h"
#include "store/store_priv.h"
#include "store/store_routing.h"

const char *seed_status_name(enum seed_status status)
{
    static const char *const names[SEED_STATUS_COUNT] = {
        [SEED_INSERT] = "insert",
        [SEED_UPDATE] = "update_seeded_route",
        [SEED_SKIP_SEEDED] = "skip_existing_seeded_route",
        [SEED_SKIP_USER] = "skip_user_route",
    };

    return names[status];
}

const char *seed_mode_name(enum seed_mode mode)
{
    return mode == SEED_REFRESH ? "refresh_seeded" : "missing_only";
}

int seed_mode_parse(struct str text, enum seed_mode *out, struct err *err)
{
    text = str_trim(text);
    *out = str_ieq(text, STR("refresh_seeded")) ? SEED_REFRESH : SEED_MISSING_ONLY;
    if (*out == SEED_REFRESH || text.len == 0 || str_ieq(text, STR("missing_only")))
        return 0;
    return err_set(err, ERR_INVALID, "Mode must be missing_only or refresh_seeded.");
}

static bool is_generated(const struct route *r)
{
    return str_eq(r->managed_by, STR(ROUTE_SEED));
}

static int write_route(struct store *store, const struct candidate *c, int64_t id, struct err *err)
{
    struct route r = {
        .id = id,
        .incoming_model = c->incoming_model,
        .upstream_url = c->upstream_url,
        .upstream_model = c->upstream_model,
        .provider_slug = c->provider_slug,
        .api_key_env = c->api_key_env,
        .managed_by = STR(ROUTE_SEED),
        .priority = ROUTE_SEED_PRIORITY,
        .active = true,
    };

    return store_route_put(store, &r, err);
}

static int settle_one(struct store *store, struct seeding *s, size_t i, struct arena *arena,
                      struct err *err)
{
    const struct candidate *c = &s->candidates[i];
    enum seed_status status = SEED_INSERT;
    struct route old = {0};

    if (store_route_find(store, c->incoming_model, false, arena, &old, err) == 0)
        status = !is_generated(&old)            ? SEED_SKIP_USER
                 : s->mode == SEED_MISSING_ONLY ? SEED_SKIP_SEEDED
                                                : SEED_UPDATE;
    else if (err->code != ERR_NOT_FOUND)
        return -1;
    s->status[i] = status;
    s->counts[status]++;
    if (!s->apply || (status != SEED_INSERT && status != SEED_UPDATE))
        return 0;
    return write_route(store, c, old.id, err);
}

static int by_text(const void *a, const void *b)
{
    struct str x = ((const struct candidate *)a)->incoming_model;
    struct str y = ((const struct candidate *)b)->incoming_model;
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);

    return order ? order : x.len < y.len ? -1 : x.len > y.len;
}

/* Generated routes whose name is nobody's any more. */
static int find_stale(struct store *store, struct seeding *s, struct arena *arena, struct err *err)
{
    struct candidate *sorted = arena_alloc(arena, s->count * sizeof(*sorted) + 1);
    struct route *routes;
    size_t count;

    if (!sorted || store_routes(store, arena, &routes, &count, err) < 0)
        return sorted ? -1 : err_set(err, ERR_NO_MEMORY, "no memory for default routes");
    s->stale = arena_alloc(arena, count * sizeof(*s->stale) + 1);
    if (!s->stale)
        return err_set(err, ERR_NO_MEMORY, "no memory for default routes");
    if (s->count > 0)
        memcpy(sorted, s->candidates, s->count * sizeof(*sorted));
    qsort(sorted, s->count, sizeof(*sorted), by_text);
    for (size_t i = 0; i < count; i++) {
        struct candidate name = {.incoming_model = routes[i].incoming_model};

        if (!is_generated(&routes[i]) ||
            (s->provider_slug.len > 0 && !str_eq(s->provider_slug, routes[i].provider_slug)) ||
            bsearch(&name, sorted, s->count, sizeof(*sorted), by_text))
            continue;
        s->stale[s->stale_count++] = routes[i].incoming_model;
        if (!s->apply || !s->prune)
            continue;
        if (store_route_delete(store, routes[i].id, err) < 0)
            return -1;
        s->pruned++;
    }
    return 0;
}

static int find_candidates(struct store *store, struct seeding *s, struct arena *arena,
                           struct price_book **book, struct err *err)
{
    struct provider *providers;
    size_t count;

    if (store_price_book(store, book, err) < 0 ||
        store_providers(store, arena, &providers, &count, err) < 0)
        return -1;
    if (default_routes(*book, providers, count, s->provider_slug, arena, &s->candidates, &s->count,
                       err) < 0)
        return -1;
    s->status = arena_alloc(arena, s->count * sizeof(*s->status) + 1);
    return s->status ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for default routes");
}

/* The texts of the candidates outlive the book. */
static void keep_texts(struct seeding *s, struct arena *arena)
{
    for (size_t i = 0; i < s->count; i++) {
        struct candidate *c = &s->candidates[i];

        c->incoming_model = arena_dup(arena, c->incoming_model);
        c->upstream_model = arena_dup(arena, c->upstream_model);
        c->source_model = arena_dup(arena, c->source_model);
        c->source_alias = arena_dup(arena, c->source_alias);
    }
}

static int remember(struct store *store, struct err *err)
{
    char now[CLOCK_ISO_SIZE];

    return store_setting_put(store, STR("default_routes_seeded_at"),
                             str_c(clock_iso(clock_wall_us(), now)), err);
}

static int settle(struct store *store, struct seeding *s, struct arena *arena, struct err *err)
{
    struct price_book *book = NULL;
    int rc = find_candidates(store, s, arena, &book, err);

    for (size_t i = 0; rc == 0 && i < s->count; i++)
        rc = settle_one(store, s, i, arena, err);
    if (rc == 0)
        rc = find_stale(store, s, arena, err);
    if (rc == 0 && s->apply)
        rc = remember(store, err);
    if (rc == 0)
        keep_texts(s, arena);
    price_book_unref(book);
    return rc;
}

int store_default_routes(struct store *store, struct seeding *s, struct arena *arena,
                         struct err *err)
{
    bool own = false;

    if (!s->apply)
        return settle(store, s, arena, err);
    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, settle(store, s, arena, err), err);
}

int store_default_routes_once(struct store *store, size_t *made, struct err *err)
{
    struct seeding s = {.apply = true};
    struct arena arena = {0};
    char *seeded = NULL;
    int rc = store_setting_get(store, STR("default_routes_seeded_at"), &seeded, err);

    if (rc == 0 && !seeded)
        rc = store_default_routes(store, &s, &arena, err);
    *made = rc == 0 ? s.counts[SEED_INSERT] : 0;
    free(seeded);
    arena_clear(&arena);
    return rc;
}
