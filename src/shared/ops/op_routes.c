#include <stdio.h>

#include "core/routing_input.h"
#include "ops/body.h"
#include "ops/op_routing.h"
#include "ops/tables.h"
#include "ops/version.h"
#include "store/store_routing.h"
#include "view/view_routing.h"

/* ---- reading ---- */

void op_simple_page(struct call *call, cJSON *items)
{
    call_json(
        call, 200,
        view_simple_page(items, call_query_int(call, "page"), call_query_int(call, "per_page")));
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

/* file: where one of the startup configuration is written, else NULL. */
static void add_route(cJSON *items, const struct route_filter *f, const struct route *r,
                      struct str name, const char *file)
{
    cJSON *o;

    if (!is_wanted(f, r, name))
        return;
    o = view_route(r, name);
    if (file)
        json_put_text(o, "file", file);
    cJSON_AddItemToArray(items, o);
}

/* Those of the startup configuration, which are always active. */
static void add_startup(cJSON *items, struct call *call, const struct route_filter *f,
                        const struct provider *providers, size_t provider_count)
{
    const char *path = call->env->config->models_path;
    struct catalog *c = call_catalog(call);

    for (size_t i = 0; i < c->route_count; i++)
        if (route_is_startup(&c->routes[i]))
            add_route(items, f, &c->routes[i],
                      provider_name(providers, provider_count, c->routes[i].provider_slug),
                      path ? path : "LLM_OBSERVE_MODELS_JSON");
    catalog_unref(c);
}

static void run_list(struct call *call, struct store *store)
{
    struct arena arena = {0};
    struct route_filter f = {0};
    struct route *routes;
    struct provider *providers;
    size_t count, provider_count;
    cJSON *items;
    struct err err;

    call_query_text(call, "search", &f.search);
    call_query_text(call, "status", &f.status);
    call_query_text(call, "provider", &f.provider);
    if (store_routes(store, &arena, &routes, &count, &err) < 0 ||
        store_providers(store, &arena, &providers, &provider_count, &err) < 0) {
        call_error(call, &err);
        goto out;
    }
    items = cJSON_CreateArray();
    if (call_query_int(call, "include_startup"))
        add_startup(items, call, &f, providers, provider_count);
    for (size_t i = 0; i < count; i++)
        add_route(items, &f, &routes[i],
                  provider_name(providers, provider_count, routes[i].provider_slug), NULL);
    op_simple_page(call, items);
out:
    buf_clear(&f.search);
    buf_clear(&f.status);
    buf_clear(&f.provider);
    arena_clear(&arena);
}

static void answer_route(struct call *call, struct store *store, int64_t id)
{
    struct arena arena = {0};
    struct route route;
    struct provider provider = {0};
    struct err err, none;

    if (store_route_get(store, id, &arena, &route, &err) < 0) {
        call_error(call, &err);
    } else {
        if (route.provider_slug.ptr)
            store_provider_get(store, route.provider_slug, &arena, &provider, &none);
        call_json(call, 200, view_route(&route, provider.name));
        version_tell(call, route.updated_us);
    }
    arena_clear(&arena);
}

static void run_get(struct call *call, struct store *store)
{
    answer_route(call, store, call->id);
}

/* ---- writing ---- */

/* What the API refuses is 400, also where the database says it does not exist. */
static void answer_refused(struct call *call, const struct err *err)
{
    if (err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT)
        call_detail(call, 400, err->msg);
    else
        call_error(call, err);
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

int op_route_save(struct call *call, struct store *store, struct route *route, struct arena *arena,
                  struct err *err)
{
    struct catalog *catalog = call_catalog(call);
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

/* Whether route id is as the caller knows it. False: the call is answered. */
static bool is_current(struct call *call, struct store *store, const struct body *b, int64_t id)
{
    struct arena arena = {0};
    struct route old = {0};
    char what[32];
    struct err err;
    bool ok = true;

    snprintf(what, sizeof(what), "Route %lld", (long long)id);
    if (id != 0 && store_route_get(store, id, &arena, &old, &err) == 0)
        ok = version_fits(call, b, what, old.updated_us);
    arena_clear(&arena);
    return ok;
}

static void save(struct call *call, struct store *store, struct body *b, int64_t id)
{
    struct route_input in;
    struct route route = {0};
    struct arena arena = {0};
    cJSON *upstreams = NULL;
    struct err err;
    int rc;

    if (!is_current(call, store, b, id))
        return;
    rc = id ? store_route_get(store, id, &arena, &route, &err) : 0;
    if (rc == 0) {
        read_input(b, &in);
        /* what an edit does not name stays: older clients know nothing of it */
        in.upstreams = upstreams = failover_merge(route.failover_json, b->fields);
        rc = route_from_input(&in, &arena, &route, &err);
    }
    route.id = id;
    if (rc == 0)
        rc = op_route_save(call, store, &route, &arena, &err);
    if (rc == 0)
        answer_route(call, store, route.id);
    else
        answer_refused(call, &err);
    cJSON_Delete(upstreams);
    arena_clear(&arena);
}

static void write_create(struct call *call, struct store *store)
{
    struct body b;
    const cJSON *given;
    int64_t id = 0;

    body_json(&b, call);
    given = body_get(&b, "id");
    if (given && !cJSON_IsNull(given) && !cJSON_IsFalse(given) &&
        !(cJSON_IsString(given) && !given->valuestring[0]) && !body_value_int(given, &id))
        call_detail(call, 400, "Route id must be an integer.");
    else
        save(call, store, &b, id);
    body_clear(&b);
}

static void write_update(struct call *call, struct store *store)
{
    struct body b;

    body_json(&b, call);
    if (call->id == 0)
        call_detail(call, 400, "Route not found.");
    else
        save(call, store, &b, call->id);
    body_clear(&b);
}

static void write_delete(struct call *call, struct store *store)
{
    struct err err;

    if (!is_current(call, store, NULL, call->id))
        return;
    if (store_route_delete(store, call->id, &err) < 0)
        call_error(call, &err);
    else
        call_text(call, 200, "{\"deleted\":true}");
}

const struct call_route op_routes_routes[] = {
    {"GET", "/admin/api/routes", .run = run_list},
    {"POST", "/admin/api/routes", .write = write_create},
    {"GET", "/admin/api/routes/{route_id}", .run = run_get},
    {"PUT", "/admin/api/routes/{route_id}", .write = write_update},
    {"DELETE", "/admin/api/routes/{route_id}", .write = write_delete},
    {0},
};
