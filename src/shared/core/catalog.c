#include "core/catalog.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* A longer name is nobody's model: it is passed through. */
#define MODEL_MAX 4096

/* ---- making one ---- */

/* Like xcalloc(): what a configuration holds is small. */
static void *keep(struct catalog *c, size_t count, size_t size)
{
    void *memory = arena_alloc(&c->arena, count * size + 1);

    if (!memory)
        abort();
    memset(memory, 0, count * size);
    return memory;
}

static void keep_text(struct catalog *c, struct str *text)
{
    *text = arena_dup(&c->arena, *text);
}

static void copy_routes(struct catalog *c, const struct catalog_source *source)
{
    c->route_count = source->route_count;
    c->routes = keep(c, c->route_count, sizeof(*c->routes));
    for (size_t i = 0; i < c->route_count; i++) {
        struct route *r = &c->routes[i];

        *r = source->routes[i];
        keep_text(c, &r->incoming_model);
        keep_text(c, &r->upstream_url);
        keep_text(c, &r->upstream_model);
        keep_text(c, &r->provider_slug);
        keep_text(c, &r->api_key_env);
        keep_text(c, &r->auth_style);
        keep_text(c, &r->fixes_json);
        keep_text(c, &r->managed_by);
        keep_text(c, &r->failover_json);
    }
}

/* What tells a route, and an upstream in it, from all others, also after a change. */
static void put_route_key(struct buf *key, const struct route *r)
{
    if (r->id > 0)
        buf_printf(key, "%lld", (long long)r->id);
    else
        buf_printf(key, "startup %s %.*s", route_match_type(r), STR_ARG(r->incoming_model));
}

static struct upstream_state *upstream_state(struct catalog *c, struct upstream_states *all,
                                             const struct route *r, size_t index)
{
    struct upstream_state *s;
    struct arena arena = {0};
    struct buf key = {0};
    struct decision d;
    size_t same = 0;

    catalog_decide_upstream(c, r, index, r->incoming_model, &arena, &d);
    put_route_key(&key, r);
    buf_printf(&key, "\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(d.base_url), STR_ARG(d.upstream_model),
               STR_ARG(d.provider_slug), STR_ARG(d.api_key_env));
    s = upstream_state_get(all, buf_str(&key));
    for (size_t i = 0; i < index; i++)
        same += r->states[i] == s;
    if (same > 0) { /* listed twice */
        upstream_state_unref(s);
        buf_printf(&key, "\n%zu", index);
        s = upstream_state_get(all, buf_str(&key));
    }
    buf_clear(&key);
    arena_clear(&arena);
    return s;
}

static void keep_states(struct catalog *c, struct upstream_states *all)
{
    struct buf key = {0};

    for (size_t i = 0; all && i < c->route_count; i++) {
        struct route *r = &c->routes[i];
        size_t count = r->failover ? catalog_upstreams(c, r) : 0;

        if (count == 0)
            continue;
        key.len = 0;
        put_route_key(&key, r);
        r->turn = upstream_state_get(all, buf_str(&key));
        r->states = keep(c, count, sizeof(struct upstream_state *));
        for (size_t k = 0; k < count; k++)
            r->states[k] = upstream_state(c, all, r, k);
    }
    buf_clear(&key);
}

static void release_states(struct catalog *c)
{
    for (size_t i = 0; i < c->route_count; i++) {
        const struct route *r = &c->routes[i];

        upstream_state_unref(r->turn);
        for (size_t k = 0; r->states && k < catalog_upstreams(c, r); k++)
            upstream_state_unref(r->states[k]);
    }
}

static bool takes_fallback(const struct catalog *c, const struct route *r)
{
    return c->failover_to_fallback && c->fallback && !r->override_fallback;
}

/* Several upstreams, or one that the fallback follows. */
static void keep_failover(struct catalog *c, struct route *r)
{
    struct failover f;

    if (r->failover) /* of the startup configuration, which stays */
        f = *r->failover;
    else if (!failover_parse(&f, r->failover_json, &c->arena) && !takes_fallback(c, r))
        return;
    if (f.count == 0) {
        if (!takes_fallback(c, r))
            return;
        f.upstreams = keep(c, 1, sizeof(*f.upstreams));
        f.upstreams[f.count++] = (struct upstream){.weight = 1, .active = true};
    }
    r->failover = memcpy(keep(c, 1, sizeof(f)), &f, sizeof(f));
}

static void keep_failovers(struct catalog *c)
{
    for (size_t i = 0; i < c->route_count; i++) {
        struct route *r = &c->routes[i];

        keep_failover(c, r);
        if (r->failover && r->failover->count == 0)
            r->failover = NULL;
    }
}

static void copy_providers(struct catalog *c, const struct catalog_source *source)
{
    c->provider_count = source->provider_count;
    c->providers = keep(c, c->provider_count, sizeof(*c->providers));
    for (size_t i = 0; i < c->provider_count; i++) {
        struct provider *p = &c->providers[i];

        *p = source->providers[i];
        keep_text(c, &p->slug);
        keep_text(c, &p->name);
        keep_text(c, &p->base_url);
        keep_text(c, &p->currency);
        keep_text(c, &p->api_key_env);
        keep_text(c, &p->auth_style);
        keep_text(c, &p->capabilities_json);
    }
}

static int compare_text(struct str a, struct str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

/* Routes of one array: where nothing else tells them apart, their place does. */
static int by_strength(const void *a, const void *b)
{
    const struct route *x = *(const struct route *const *)a, *y = *(const struct route *const *)b;
    int order = route_compare(x, y);

    return order ? order : x < y ? -1 : x > y;
}

static int by_model(const void *a, const void *b)
{
    const struct route *x = *(const struct route *const *)a, *y = *(const struct route *const *)b;
    int order = compare_text(x->incoming_model, y->incoming_model);

    return order ? order : by_strength(a, b);
}

static int by_literal(const void *a, const void *b)
{
    const struct route *x = *(const struct route *const *)a, *y = *(const struct route *const *)b;
    int order = compare_text(route_literal(x), route_literal(y));

    return order ? order : by_strength(a, b);
}

static int by_length(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return x < y ? -1 : x > y;
}

static void index_lengths(struct catalog *c)
{
    c->lengths = keep(c, c->prefix_count, sizeof(*c->lengths));
    for (size_t i = 0; i < c->prefix_count; i++)
        c->lengths[i] = route_literal(c->prefix[i]).len;
    qsort(c->lengths, c->prefix_count, sizeof(*c->lengths), by_length);
    for (size_t i = 0; i < c->prefix_count; i++)
        if (i == 0 || c->lengths[i] != c->lengths[c->length_count - 1])
            c->lengths[c->length_count++] = c->lengths[i];
}

static void index_routes(struct catalog *c)
{
    c->exact = keep(c, c->route_count, sizeof(*c->exact));
    c->prefix = keep(c, c->route_count, sizeof(*c->prefix));
    for (size_t i = 0; i < c->route_count; i++) {
        const struct route *r = &c->routes[i];

        if (!route_is_active(r))
            continue;
        if (r->prefix)
            c->prefix[c->prefix_count++] = r;
        else
            c->exact[c->exact_count++] = r;
    }
    qsort(c->exact, c->exact_count, sizeof(*c->exact), by_model);
    qsort(c->prefix, c->prefix_count, sizeof(*c->prefix), by_literal);
    index_lengths(c);
}

static void find_fallback(struct catalog *c)
{
    const struct provider *p = catalog_provider(c, c->default_provider_slug);

    if (c->fallback_enabled && p && p->active && p->base_url.len > 0 && c->default_model.len > 0)
        c->fallback = p;
}

struct catalog *catalog_new(const struct catalog_source *source)
{
    struct catalog *c = xcalloc(1, sizeof(*c));

    atomic_init(&c->refs, 1);
    c->generation = source->generation;
    c->base_url = arena_dup(&c->arena, source->base_url);
    c->default_provider_slug = arena_dup(&c->arena, source->default_provider_slug);
    c->default_model = arena_dup(&c->arena, str_trim(source->default_model));
    c->fallback_enabled = source->fallback_enabled;
    c->failover_to_fallback = source->failover_to_fallback;
    c->prices = source->prices ? price_book_ref(source->prices) : NULL;
    c->fixes_json = arena_dup(&c->arena, source->fixes_json.ptr ? source->fixes_json : STR("[]"));
    copy_routes(c, source);
    copy_providers(c, source);
    find_fallback(c);
    keep_failovers(c);
    keep_states(c, source->states);
    index_routes(c);
    return c;
}

struct catalog *catalog_ref(struct catalog *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void catalog_unref(struct catalog *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    release_states(c);
    price_book_unref(c->prices);
    arena_clear(&c->arena);
    free(c);
}

/* ---- asking it ---- */

/* The strongest route of a literal, which is the first one of it; NULL. */
static const struct route *find(const struct route *const *routes, size_t count, struct str text)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare_text(route_literal(routes[mid]), text) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < count && str_eq(route_literal(routes[low]), text) ? routes[low] : NULL;
}

const struct route *catalog_match(const struct catalog *c, struct str model)
{
    const struct route *best = find(c->exact, c->exact_count, model);

    for (size_t i = 0; i < c->length_count && c->lengths[i] <= model.len; i++) {
        const struct route *r = find(c->prefix, c->prefix_count, str_cut(model, c->lengths[i]));

        if (r && (!best || by_strength(&r, &best) < 0))
            best = r;
    }
    return best;
}

const struct provider *catalog_provider(const struct catalog *c, struct str slug)
{
    for (size_t i = 0; slug.len > 0 && i < c->provider_count; i++)
        if (str_eq(c->providers[i].slug, slug))
            return &c->providers[i];
    return NULL;
}

const struct provider *catalog_payee(const struct catalog *c, const struct decision *d)
{
    const struct provider *p = catalog_provider(c, d->provider_slug);
    struct str base = provider_bare_url(d->base_url);

    for (size_t i = 0; !p && base.len > 0 && i < c->provider_count; i++)
        if (provider_same_url(provider_bare_url(c->providers[i].base_url), base))
            p = &c->providers[i];
    return p;
}

const struct route *catalog_startup(const struct catalog *c, struct str model, bool prefix)
{
    for (size_t i = 0; i < c->route_count && route_is_startup(&c->routes[i]); i++)
        if (c->routes[i].prefix == prefix && str_eq(c->routes[i].incoming_model, model))
            return &c->routes[i];
    return NULL;
}

/* u: of several upstreams; NULL: the route's own. */
static void decide_route(const struct catalog *c, const struct route *r, const struct upstream *u,
                         struct str model, struct arena *arena, struct decision *out)
{
    static const struct upstream own;
    const struct provider *p;
    bool own_key;

    if (!u)
        u = &own;
    own_key = u->key || u->api_key_env.ptr;
    *out = (struct decision){
        .base_url = u->base_url.ptr ? u->base_url : r->upstream_url,
        .provider_slug = u->provider_slug.ptr ? u->provider_slug : r->provider_slug,
        .upstream_model =
            route_upstream_model(r, u->model.ptr ? u->model : r->upstream_model, model, arena),
        .model_route = r->incoming_model,
        .match_type = route_match_type(r),
        .route_decision = "route",
        .route_source = route_is_startup(r) ? "startup" : "db",
        .auth_style = u->auth_style,
        .fixes_json = r->fixes_json.ptr ? r->fixes_json : STR("[]"),
        .api_key_env = own_key ? u->api_key_env : r->api_key_env,
        .key = own_key ? u->key : r->key,
    };
    p = catalog_provider(c, out->provider_slug);
    if (p)
        out->provider_name = p->name;
    if (!out->auth_style.ptr && !u->provider_slug.ptr) /* another provider has its own way */
        out->auth_style = r->auth_style;
    if (!out->auth_style.ptr && p)
        out->auth_style = p->auth_style;
}

static void decide_fallback(const struct catalog *c, struct decision *out)
{
    const struct provider *p = c->fallback;

    *out = (struct decision){
        .base_url = p->base_url,
        .provider_slug = p->slug,
        .provider_name = p->name,
        .upstream_model = c->default_model,
        .route_decision = "fallback",
        .route_source = "fallback",
        .auth_style = p->auth_style,
        .fixes_json = c->fixes_json,
        .api_key_env = p->api_key_env,
    };
}

size_t catalog_upstreams(const struct catalog *c, const struct route *r)
{
    return r->failover->count + takes_fallback(c, r);
}

static void note_key(struct decision *d)
{
    d->key_configured = d->key || d->api_key_env.len > 0;
}

void catalog_decide_upstream(const struct catalog *c, const struct route *r, size_t index,
                             struct str model, struct arena *arena, struct decision *out)
{
    if (index < r->failover->count) {
        decide_route(c, r, &r->failover->upstreams[index], model, arena, out);
    } else {
        decide_fallback(c, out);
        out->model_route = r->incoming_model;
        out->match_type = route_match_type(r);
        out->route_decision = "route";
        out->route_source = route_is_startup(r) ? "startup" : "db";
    }
    out->several = r;
    note_key(out);
}

static void decide_first(const struct catalog *c, const struct route *r, struct str model,
                         struct arena *arena, struct decision *out)
{
    size_t i = 0;

    while (!r->failover->upstreams[i].active) /* one is, or the route does not match */
        i++;
    catalog_decide_upstream(c, r, i, model, arena, out);
}

void catalog_decide(const struct catalog *c, struct str model, struct arena *arena,
                    struct decision *out)
{
    const struct route *r = NULL;

    if (model.len > MODEL_MAX)
        model = STR_NONE;
    if (model.len > 0)
        r = catalog_match(c, model);
    if (r && r->failover)
        decide_first(c, r, model, arena, out);
    else if (r)
        decide_route(c, r, NULL, model, arena, out);
    else if (model.len > 0 && c->fallback)
        decide_fallback(c, out);
    else
        *out = (struct decision){
            .base_url = c->base_url,
            .route_decision = "passthrough",
            .route_source = "none",
            .fixes_json = c->fixes_json,
        };
    note_key(out);
}

void decision_key(struct decision *d, struct secret *room)
{
    if (!d->key && provider_key(d->api_key_env, room))
        d->key = room;
}

enum key_state decision_key_state(const struct decision *d)
{
    return d->key ? KEY_CONFIGURED : provider_key_state(d->api_key_env);
}
