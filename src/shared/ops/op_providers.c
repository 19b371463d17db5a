#include <stdio.h>
#include <stdlib.h>

#include "core/routing_input.h"
#include "ops/op_routing.h"
#include "ops/tables.h"
#include "ops/version.h"
#include "store/store_prices.h"
#include "view/view_routing.h"

/* ---- reading ---- */

static int64_t count_routes(const struct route *routes, size_t count, struct str slug, bool active)
{
    int64_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += str_eq(routes[i].provider_slug, slug) && (!active || routes[i].active);
    return n;
}

struct provider_filter {
    struct buf search, status, currency;
};

static bool is_wanted(const struct provider_filter *f, const struct provider *p)
{
    struct str search = str_trim(buf_str(&f->search)), status = buf_str(&f->status);

    if (search.len > 0 && str_ifind(p->slug, search) < 0 && str_ifind(p->name, search) < 0 &&
        str_ifind(p->base_url, search) < 0 && str_ifind(p->currency, search) < 0)
        return false;
    if ((str_eq(status, STR("active")) && !p->active) ||
        (str_eq(status, STR("inactive")) && p->active))
        return false;
    return f->currency.len == 0 || str_eq(buf_str(&f->currency), p->currency);
}

struct all {
    struct arena arena;
    struct provider *providers;
    struct route *routes;
    size_t provider_count, route_count;
    struct price_book *book;
};

static int load_all(struct all *all, struct store *store, struct err *err)
{
    *all = (struct all){0};
    if (store_providers(store, &all->arena, &all->providers, &all->provider_count, err) < 0)
        return -1;
    if (store_price_book(store, &all->book, err) < 0)
        return -1;
    return store_routes(store, &all->arena, &all->routes, &all->route_count, err);
}

static void clear_all(struct all *all)
{
    price_book_unref(all->book);
    arena_clear(&all->arena);
}

static int64_t count_models(const struct price_book *book, struct str slug)
{
    int64_t n = 0;

    for (size_t i = 0; i < price_book_count(book); i++)
        n += str_eq(price_book_at(book, i)->provider_slug, slug);
    return n;
}

static cJSON *view(const struct all *all, const struct provider *p)
{
    return view_provider(p, count_models(all->book, p->slug),
                         count_routes(all->routes, all->route_count, p->slug, false));
}

static void run_list(struct call *call, struct store *store)
{
    struct provider_filter f = {0};
    struct all all;
    cJSON *items;
    struct err err;

    call_query_text(call, "search", &f.search);
    call_query_text(call, "status", &f.status);
    call_query_text(call, "currency", &f.currency);
    if (load_all(&all, store, &err) < 0) {
        call_error(call, &err);
    } else {
        items = cJSON_CreateArray();
        for (size_t i = 0; i < all.provider_count; i++)
            if (is_wanted(&f, &all.providers[i]))
                cJSON_AddItemToArray(items, view(&all, &all.providers[i]));
        op_simple_page(call, items);
    }
    buf_clear(&f.search);
    buf_clear(&f.status);
    buf_clear(&f.currency);
    clear_all(&all);
}

static void answer_provider(struct call *call, struct store *store, struct str slug)
{
    struct all all;
    struct err err;

    if (load_all(&all, store, &err) < 0) {
        call_error(call, &err);
    } else {
        call_detail(call, 404, "Provider not found.");
        for (size_t i = 0; i < all.provider_count; i++)
            if (str_eq(all.providers[i].slug, slug)) {
                call_json(call, 200, view(&all, &all.providers[i]));
                version_tell(call, all.providers[i].updated_us);
            }
    }
    clear_all(&all);
}

/* The slug of the path as it is stored; STR_NONE when no provider can have it. */
static struct str path_slug(struct call *call)
{
    struct str slug = STR_NONE;
    struct err err;

    if (slug_from_input(call->slug, &call->arena, &slug, &err) < 0)
        return STR_NONE;
    return slug;
}

static void run_get(struct call *call, struct store *store)
{
    answer_provider(call, store, path_slug(call));
}

struct today {
    struct all all;
    int64_t *requests, *cost;
};

static void add_usage(void *ctx, struct str name, int64_t requests, int64_t number)
{
    struct today *u = ctx;

    for (size_t i = 0; i < u->all.provider_count; i++)
        if (str_eq(u->all.providers[i].slug, name)) {
            u->requests[i] = requests;
            u->cost[i] = number;
        }
}

static cJSON *view_usage(const struct today *u)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < u->all.provider_count; i++) {
        const struct provider *p = &u->all.providers[i];
        cJSON *o = cJSON_CreateObject();
        bool too_much = u->cost[i] >= RUN_SUM_MAX;

        json_put_str(o, "provider_slug", p->slug);
        json_put_str(o, "provider_name", p->name);
        json_put_int(o, "requests_today", u->requests[i]);
        json_put_money(o, "estimated_cost_usd", too_much ? UNKNOWN : u->cost[i]);
        if (too_much)
            json_put_bool(o, "cost_overflow", true);
        json_put_int(o, "active_routes",
                     count_routes(u->all.routes, u->all.route_count, p->slug, true));
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

static void run_usage(struct call *call, struct store *store)
{
    struct today u = {0};
    struct err err;
    int rc = load_all(&u.all, store, &err);

    u.requests = calloc(u.all.provider_count + 1, sizeof(int64_t));
    u.cost = calloc(u.all.provider_count + 1, sizeof(int64_t));
    if (rc == 0 && (!u.requests || !u.cost))
        rc = err_set(&err, ERR_NO_MEMORY, "no memory for the answer");
    if (rc == 0)
        rc = store_provider_usage(store, op_since(call), add_usage, &u, &err);
    if (rc < 0)
        call_error(call, &err);
    else
        call_json(call, 200, view_usage(&u));
    free(u.requests);
    free(u.cost);
    clear_all(&u.all);
}

static void add_health(void *ctx, const struct provider_health *h)
{
    cJSON *o = view_provider_health(h);

    json_put_str(o, "provider_name", h->provider_name);
    json_put_bool(o, "active", h->active);
    cJSON_AddItemToArray(ctx, o);
}

/* What the last checks found: of all providers, with nulls for one that was never checked. */
static void run_health(struct call *call, struct store *store)
{
    cJSON *list = cJSON_CreateArray();
    struct err err;

    if (store_health(store, add_health, list, &err) == 0) {
        call_json(call, 200, list);
        return;
    }
    cJSON_Delete(list);
    call_error(call, &err);
}

/* ---- writing ---- */

static bool kept_fallback(struct store *store, const struct body *b, struct str slug)
{
    struct arena arena = {0};
    struct provider old = {0};
    struct err err;
    bool kept;

    if (body_get(b, "is_default_fallback"))
        return body_flag(b, "is_default_fallback", false);
    store_provider_get(store, slug, &arena, &old, &err);
    kept = old.is_default_fallback;
    arena_clear(&arena);
    return kept;
}

/* Whether the provider is as the caller knows it; a copy of another one is new. False: the call is
 * answered. */
static bool is_current(struct call *call, struct store *store, const struct body *b,
                       struct str slug, bool may_be_new)
{
    struct provider old = {.updated_us = VERSION_NONE};
    struct arena arena = {0};
    char what[96];
    struct err err;
    bool ok;

    snprintf(what, sizeof(what), "Provider %.*s", STR_ARG(str_cut(slug, 64)));
    store_provider_get(store, slug, &arena, &old, &err);
    ok = (may_be_new && !old.slug.ptr) || version_fits(call, b, what, old.updated_us);
    arena_clear(&arena);
    return ok;
}

static void save(struct call *call, struct store *store, struct body *b, struct str slug,
                 bool may_be_new)
{
    struct provider_input in = {
        .slug = slug,
        .name = body_text(b, "name", NULL),
        .upstream_url = body_text(b, "upstream_url", "base_url"),
        .currency = body_text(b, "currency", NULL),
        .api_key_env = body_text(b, "api_key_env", NULL),
        .auth_style = body_text(b, "auth_style", NULL),
        .capabilities = body_get(b, "capabilities"),
        .active = body_flag(b, "active", true),
        .is_default_fallback = body_flag(b, "is_default_fallback", false),
    };
    struct provider p;
    struct err err;
    int rc = provider_from_input(&in, &b->arena, &p, &err);

    if (rc == 0 && !is_current(call, store, b, p.slug, may_be_new))
        return;
    if (rc == 0) {
        p.is_default_fallback = kept_fallback(store, b, p.slug);
        rc = store_provider_put(store, &p, &err);
    }
    if (rc == 0)
        answer_provider(call, store, p.slug);
    else if (err.code == ERR_CONFLICT)
        call_detail(call, 400, err.msg);
    else
        call_error(call, &err);
}

static void write_create(struct call *call, struct store *store)
{
    struct body b;

    body_json(&b, call);
    save(call, store, &b, body_text(&b, "slug", NULL), true);
    body_clear(&b);
}

static void write_update(struct call *call, struct store *store)
{
    struct body b;

    body_json(&b, call);
    save(call, store, &b, call->slug, false);
    body_clear(&b);
}

static void write_delete(struct call *call, struct store *store)
{
    struct str slug = path_slug(call);
    struct err err;

    if (!slug.ptr)
        call_detail(call, 404, "Provider not found.");
    else if (!is_current(call, store, NULL, slug, false))
        return;
    else if (store_provider_delete(store, slug, &err) < 0)
        call_error(call, &err);
    else
        call_text(call, 200, "{\"deleted\":true}");
}

const struct call_route op_providers_routes[] = {
    {"GET", "/admin/api/providers", .run = run_list},
    {"POST", "/admin/api/providers", .write = write_create},
    {"GET", "/admin/api/providers/usage", .run = run_usage},
    {"GET", "/admin/api/providers/health", .run = run_health},
    {"GET", "/admin/api/providers/{slug}", .run = run_get},
    {"PUT", "/admin/api/providers/{slug}", .write = write_update},
    {"DELETE", "/admin/api/providers/{slug}", .write = write_delete},
    {0},
};
