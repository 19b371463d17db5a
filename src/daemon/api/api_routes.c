#include <stdlib.h>

#include "base/clock.h"
#include "base/query.h"
#include "core/routing_input.h"
#include "daemon/api/api_body.h"
#include "daemon/api/api_routing.h"
#include "store/store_routing.h"
#include "view/view_routing.h"

#define DAY_US ((int64_t)86400 * 1000000)

/* ---- reading ---- */

bool api_simple_page(struct api_call *call, int64_t *page, int64_t *per_page)
{
    return api_query_int(call, "page", 1, 1, INT64_MAX, page) &&
           api_query_int(call, "per_page", 25, 1, 100, per_page);
}

static struct str provider_name(const struct provider *list, size_t count, struct str slug)
{
    for (size_t i = 0; slug.ptr && i < count; i++)
        if (str_eq(list[i].slug, slug))
            return list[i].name;
    return STR_NONE;
}

struct route_filter {
    struct buf search, status, provider;
};

static bool is_wanted(const struct route_filter *f, const struct route *r, struct str name)
{
    struct str search = str_trim(buf_str(&f->search)), status = buf_str(&f->status);
    struct str upstream = r->upstream_model.ptr ? r->upstream_model : r->incoming_model;

    if (search.len > 0 && str_ifind(r->incoming_model, search) < 0 &&
        str_ifind(r->upstream_url, search) < 0 && str_ifind(upstream, search) < 0 &&
        str_ifind(name, search) < 0)
        return false;
    if ((str_eq(status, STR("active")) && !r->active) ||
        (str_eq(status, STR("inactive")) && r->active))
        return false;
    return f->provider.len == 0 || str_eq(buf_str(&f->provider), r->provider_slug);
}

static void run_list(struct api_call *call, struct store *store)
{
    struct arena arena = {0};
    struct route_filter f = {0};
    struct route *routes;
    struct provider *providers;
    size_t count, provider_count;
    int64_t page, per_page;
    cJSON *items;
    struct err err;

    if (!api_simple_page(call, &page, &per_page))
        return;
    query_get(call->query, "search", &f.search);
    query_get(call->query, "status", &f.status);
    query_get(call->query, "provider", &f.provider);
    if (store_routes(store, &arena, &routes, &count, &err) < 0 ||
        store_providers(store, &arena, &providers, &provider_count, &err) < 0) {
        api_error(call, &err);
        goto out;
    }
    items = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        struct str name = provider_name(providers, provider_count, routes[i].provider_slug);

        if (is_wanted(&f, &routes[i], name))
            cJSON_AddItemToArray(items, view_route(&routes[i], name));
    }
    api_json(call, 200, view_simple_page(items, page, per_page));
out:
    buf_clear(&f.search);
    buf_clear(&f.status);
    buf_clear(&f.provider);
    arena_clear(&arena);
}

static void answer_route(struct api_call *call, struct store *store, int64_t id)
{
    struct arena arena = {0};
    struct route route;
    struct provider provider = {0};
    struct err err, none;

    if (store_route_get(store, id, &arena, &route, &err) < 0) {
        api_error(call, &err);
    } else {
        if (route.provider_slug.ptr)
            store_provider_get(store, route.provider_slug, &arena, &provider, &none);
        api_json(call, 200, view_route(&route, provider.name));
    }
    arena_clear(&arena);
}

static void run_get(struct api_call *call, struct store *store)
{
    answer_route(call, store, call->id);
}

static void add_usage(void *ctx, struct str name, int64_t requests, int64_t number)
{
    cJSON *o = cJSON_CreateObject();
    char iso[CLOCK_ISO_SIZE];

    json_put_str(o, "route", name);
    json_put_int(o, "requests_today", requests);
    json_put_text(o, "last_matched_at", clock_iso(number, iso));
    cJSON_AddItemToArray(ctx, o);
}

int64_t api_today_us(void)
{
    int64_t now_us = clock_wall_us();

    return now_us - now_us % DAY_US;
}

static void run_usage(struct api_call *call, struct store *store)
{
    cJSON *list = cJSON_CreateArray();
    struct err err;

    if (store_route_usage(store, api_today_us(), add_usage, list, &err) < 0) {
        cJSON_Delete(list);
        api_error(call, &err);
    } else {
        api_json(call, 200, list);
    }
}

/* ---- writing ---- */

/* What the API refuses is 400, also where the database says it does not exist. */
static void answer_refused(struct api_call *call, const struct err *err)
{
    if (err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT)
        api_detail(call, 400, err->msg);
    else
        api_error(call, err);
}

/* A stored route names only providers that exist. */
static int check_provider(struct store *store, struct str slug, struct arena *arena,
                          struct err *err)
{
    struct provider provider;

    if (!slug.ptr || store_provider_get(store, slug, arena, &provider, err) == 0)
        return 0;
    return err->code == ERR_NOT_FOUND
               ? err_set(err, ERR_INVALID, "Provider %.*s was not found.", STR_ARG(slug))
               : -1;
}

static int check_providers(struct store *store, const struct route *route, struct arena *arena,
                           struct err *err)
{
    struct failover f;

    failover_parse(&f, route->failover_json, arena);
    for (size_t i = 0; i < f.count; i++)
        if (check_provider(store, f.upstreams[i].provider_slug, arena, err) < 0)
            return err_wrap(err, "upstream %zu", i + 1);
    return check_provider(store, route->provider_slug, arena, err);
}

int api_route_save(struct api_call *call, struct store *store, struct route *route,
                   struct arena *arena, struct err *err)
{
    struct catalog *catalog = app_catalog(call->worker->app);
    bool startup = catalog_startup(catalog, route->incoming_model, route->prefix) && !route->prefix;
    struct route other;

    catalog_unref(catalog);
    if (check_providers(store, route, arena, err) < 0)
        return -1;
    if (startup)
        return err_set(err, ERR_INVALID,
                       "A route for model %.*s already exists in startup configuration.",
                       STR_ARG(str_cut(route->incoming_model, 200)));
    if (store_route_find(store, route->incoming_model, route->prefix, arena, &other, err) == 0) {
        if (other.id != route->id)
            return err_set(err, ERR_INVALID,
                           "A route for this model and match type already exists.");
    } else if (err->code != ERR_NOT_FOUND) {
        return -1;
    }
    if (route->id && store_route_get(store, route->id, arena, &other, err) < 0)
        return -1;
    return store_route_put(store, route, err);
}

static void read_input(struct body *b, struct route_input *in)
{
    int got;

    *in = (struct route_input){
        .incoming_model = body_text(b, "incoming_model", "model"),
        .match_type = body_text(b, "match_type", NULL),
        .upstream_url = body_text(b, "upstream_url", NULL),
        .upstream_model = body_text(b, "upstream_model", NULL),
        .provider_slug = body_text(b, "provider_slug", NULL),
        .api_key_env = body_text(b, "api_key_env", NULL),
        .auth_style = body_text(b, "auth_style", NULL),
        .fixes = body_get(b, body_get(b, "compatibility_fixes") ? "compatibility_fixes" : "fixes"),
        .override_fallback = body_flag(b, "override_fallback", false),
        .active = body_flag(b, "active", true),
        .priority = ROUTE_PRIORITY,
    };
    got = body_int(b, "priority", &in->priority);
    in->bad_priority = got < 0;
}

static void save(struct api_call *call, struct store *store, struct body *b, int64_t id)
{
    struct route_input in;
    struct route route = {0};
    struct arena arena = {0};
    cJSON *upstreams = NULL;
    struct err err;
    int rc = id ? store_route_get(store, id, &arena, &route, &err) : 0;

    if (rc == 0) {
        read_input(b, &in);
        /* what an edit does not name stays: older clients know nothing of it */
        in.upstreams = upstreams = failover_merge(route.failover_json, b->fields);
        rc = route_from_input(&in, &arena, &route, &err);
    }
    route.id = id;
    if (rc == 0)
        rc = api_route_save(call, store, &route, &arena, &err);
    if (rc == 0)
        answer_route(call, store, route.id);
    else
        answer_refused(call, &err);
    cJSON_Delete(upstreams);
    arena_clear(&arena);
}

static void write_create(struct api_call *call, struct store *store)
{
    struct body b;
    const cJSON *given;
    int64_t id = 0;

    body_json(&b, call);
    given = body_get(&b, "id");
    if (given && !cJSON_IsNull(given) && !cJSON_IsFalse(given) &&
        !(cJSON_IsString(given) && !given->valuestring[0]) && !body_value_int(given, &id))
        api_detail(call, 400, "Route id must be an integer.");
    else
        save(call, store, &b, id);
    body_clear(&b);
}

static void write_update(struct api_call *call, struct store *store)
{
    struct body b;

    body_json(&b, call);
    if (call->id == 0)
        api_detail(call, 400, "Route not found.");
    else
        save(call, store, &b, call->id);
    body_clear(&b);
}

static void write_delete(struct api_call *call, struct store *store)
{
    struct err err;

    if (store_route_delete(store, call->id, &err) < 0)
        api_error(call, &err);
    else
        api_text(call, 200, "{\"deleted\":true}");
}

const struct api_route api_routes_routes[] = {
    {"GET", "/admin/api/routes", .run = run_list},
    {"POST", "/admin/api/routes", .write = write_create},
    {"GET", "/admin/api/routes/usage", .run = run_usage},
    {"GET", "/admin/api/routes/{route_id}", .run = run_get},
    {"PUT", "/admin/api/routes/{route_id}", .write = write_update},
    {"DELETE", "/admin/api/routes/{route_id}", .write = write_delete},
    {0},
};
