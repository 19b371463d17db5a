#include "core/default_routes.h"

#include <stdlib.h>

#include "core/forward.h"

/* A name that a price offers. */
struct offer {
    struct candidate c;
    bool alias, router;
    int64_t cost;
};

/* An endpoint of a router: "base@tag" or "base:tag". */
struct endpoint {
    struct str slug, base;
    const struct price *price;
};

struct work {
    const struct price_book *book;
    struct arena *arena;
    struct offer *offers;
    size_t offer_count, offer_cap;
    struct endpoint *endpoints; /* sorted: the cheapest of a base first */
    size_t endpoint_count;
};

static int compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

static bool is_openrouter(struct str slug)
{
    return str_eq(slug, STR("openrouter"));
}

static bool is_router(struct str slug)
{
    return is_openrouter(slug) || str_eq(slug, STR("huggingface-router"));
}

/* Where the tag of a router's model begins; 0: it has none. */
static size_t mark_of(const struct price *p)
{
    struct str m = p->model;
    size_t i;

    if (is_openrouter(p->provider_slug)) {
        ptrdiff_t at = str_chr(m, '@');

        return at > 0 && (size_t)at + 1 < m.len ? (size_t)at : 0;
    }
    if (!is_router(p->provider_slug))
        return 0;
    for (i = m.len; i > 0 && m.ptr[i - 1] != ':'; i--)
        ;
    return i > 1 && i < m.len ? i - 1 : 0;
}

static int64_t cost_of(const struct price *p)
{
    int64_t in = p->rates.of[RATE_INPUT], out = p->rates.of[RATE_OUTPUT];

    return (in == UNKNOWN ? 0 : in) + (out == UNKNOWN ? 0 : out);
}

static int by_base(const void *a, const void *b)
{
    const struct endpoint *x = a, *y = b;
    int order = compare(x->slug, y->slug);
    int64_t s, t;

    if (order == 0)
        order = compare(x->base, y->base);
    if (order)
        return order;
    s = cost_of(x->price);
    t = cost_of(y->price);
    if (s != t)
        return s < t ? -1 : 1;
    s = x->price->rates.of[RATE_CACHED_INPUT] == UNKNOWN;
    t = y->price->rates.of[RATE_CACHED_INPUT] == UNKNOWN;
    return s != t ? (s < t ? -1 : 1) : compare(x->price->model, y->price->model);
}

static int find_endpoints(struct work *w, struct err *err)
{
    size_t count = price_book_count(w->book);

    w->endpoints = arena_alloc(w->arena, count * sizeof(*w->endpoints) + 1);
    if (!w->endpoints)
        return err_set(err, ERR_NO_MEMORY, "no memory for default routes");
    for (size_t i = 0; i < count; i++) {
        const struct price *p = price_book_at(w->book, i);
        size_t mark = mark_of(p);

        if (p->active && mark > 0)
            w->endpoints[w->endpoint_count++] =
                (struct endpoint){p->provider_slug, str_cut(p->model, mark), p};
    }
    qsort(w->endpoints, w->endpoint_count, sizeof(*w->endpoints), by_base);
    return 0;
}

/* Where a router's base goes: to its cheapest endpoint. */
static struct str upstream_model(const struct work *w, const struct price *p)
{
    size_t low = 0, high = w->endpoint_count;

    if (!is_router(p->provider_slug) || mark_of(p) > 0)
        return p->model;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare(w->endpoints[mid].slug, p->provider_slug);

        if (order == 0)
            order = compare(w->endpoints[mid].base, p->model);
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < w->endpoint_count && str_eq(w->endpoints[low].slug, p->provider_slug) &&
                   str_eq(w->endpoints[low].base, p->model)
               ? w->endpoints[low].price->model
               : p->model;
}

static int offer(struct work *w, const struct price *p, const struct provider *provider,
                 struct str url, struct str name, struct str alias, struct err *err)
{
    if (w->offer_count == w->offer_cap) {
        size_t cap = w->offer_cap ? w->offer_cap * 2 : 256;
        struct offer *more = arena_alloc(w->arena, cap * sizeof(*more));

        if (!more)
            return err_set(err, ERR_NO_MEMORY, "no memory for default routes");
        if (w->offer_count > 0)
            memcpy(more, w->offers, w->offer_count * sizeof(*more));
        w->offers = more;
        w->offer_cap = cap;
    }
    w->offers[w->offer_count++] = (struct offer){
        .c = {.incoming_model = name,
              .upstream_url = url,
              .upstream_model = upstream_model(w, p),
              .provider_slug = provider->slug,
              .api_key_env = provider->api_key_env,
              .source_model = p->model,
              .source_alias = alias},
        .alias = alias.ptr != NULL,
        .router = is_router(provider->slug),
        .cost = cost_of(p),
    };
    return 0;
}

/* Its own name, the spelling with a colon, its aliases. */
static int offer_names(struct work *w, const struct price *p, const struct provider *provider,
                       struct str url, struct err *err)
{
    size_t mark = mark_of(p);

    if (offer(w, p, provider, url, p->model, STR_NONE, err) < 0)
        return -1;
    if (mark > 0 && is_openrouter(p->provider_slug)) {
        struct str name = arena_dup(w->arena, p->model);

        if (!name.ptr)
            return err_set(err, ERR_NO_MEMORY, "no memory for default routes");
        ((char *)(uintptr_t)name.ptr)[mark] = ':'; /* our own copy */
        if (offer(w, p, provider, url, name, p->model, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < p->alias_count; i++)
        if (offer(w, p, provider, url, p->aliases[i], p->aliases[i], err) < 0)
            return -1;
    return 0;
}

static const struct provider *find_provider(const struct provider *list, size_t count,
                                            struct str slug)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i].slug, slug))
            return &list[i];
    return NULL;
}

static int collect(struct work *w, const struct provider *providers, size_t provider_count,
                   struct str slug, struct err *err)
{
    for (size_t i = 0; i < price_book_count(w->book); i++) {
        const struct price *p = price_book_at(w->book, i);
        const struct provider *provider =
            find_provider(providers, provider_count, p->provider_slug);
        struct str url;
        struct err bad;

        if (!p->active || !provider || !provider->active || !provider->base_url.ptr ||
            (slug.len > 0 && !str_eq(slug, p->provider_slug)) ||
            forward_check_base_url(provider->base_url, &url, &bad) < 0)
            continue;
        if (offer_names(w, p, provider, url, err) < 0)
            return -1;
    }
    return 0;
}

/* The best offer of a name first. */
static int by_name(const void *a, const void *b)
{
    const struct offer *x = a, *y = b;
    int order = compare(x->c.incoming_model, y->c.incoming_model);

    if (order)
        return order;
    if (x->alias != y->alias)
        return x->alias ? 1 : -1;
    if (x->router != y->router)
        return x->router ? 1 : -1;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    order = compare(x->c.provider_slug, y->c.provider_slug);
    return order ? order : compare(x->c.source_model, y->c.source_model);
}

static int by_provider(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = compare(x->provider_slug, y->provider_slug);

    return order ? order : compare(x->incoming_model, y->incoming_model);
}

int default_routes(const struct price_book *book, const struct provider *providers,
                   size_t provider_count, struct str slug, struct arena *arena,
                   struct candidate **out, size_t *count, struct err *err)
{
    struct work w = {.book = book, .arena = arena};

    *out = NULL;
    *count = 0;
    if (find_endpoints(&w, err) < 0 || collect(&w, providers, provider_count, slug, err) < 0)
        return -1;
    *out = arena_alloc(arena, w.offer_count * sizeof(**out) + 1);
    if (!*out)
        return err_set(err, ERR_NO_MEMORY, "no memory for default routes");
    if (w.offer_count > 0)
        qsort(w.offers, w.offer_count, sizeof(*w.offers), by_name);
    for (size_t i = 0; i < w.offer_count; i++)
        if (i == 0 || !str_eq(w.offers[i].c.incoming_model, w.offers[i - 1].c.incoming_model))
            (*out)[(*count)++] = w.offers[i].c;
    qsort(*out, *count, sizeof(**out), by_provider);
    return 0;
}
