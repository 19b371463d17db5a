/* /api/models: the models that clients can ask for, and what they asked for lately. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "ops/op_routing.h"
#include "ops/tables.h"
#include "store/store_routing.h"
#include "view/view_routing.h"

/* ---- the list ---- */

struct filter {
    struct buf search, provider, status;
};

static void read_filter(struct filter *f, const struct call *call)
{
    *f = (struct filter){0};
    call_query_text(call, "search", &f->search);
    call_query_text(call, "provider", &f->provider);
    call_query_text(call, "status", &f->status);
}

static void clear_filter(struct filter *f)
{
    buf_clear(&f->search);
    buf_clear(&f->provider);
    buf_clear(&f->status);
}

static struct str provider_name(const struct catalog *c, struct str slug)
{
    const struct provider *p = slug.ptr ? catalog_provider(c, slug) : NULL;

    return p ? p->name : STR_NONE;
}

static struct str upstream_model(const struct route *r)
{
    return r->upstream_model.ptr ? r->upstream_model : r->incoming_model;
}

static bool is_active(const struct route *r)
{
    return r->active || route_is_startup(r);
}

static bool is_wanted(const struct filter *f, const struct route *r, struct str name)
{
    struct str search = str_trim(buf_str(&f->search)), status = buf_str(&f->status);

    if (search.len > 0 && str_ifind(r->incoming_model, search) < 0 &&
        str_ifind(r->upstream_url, search) < 0 && str_ifind(upstream_model(r), search) < 0 &&
        str_ifind(name, search) < 0)
        return false;
    if ((str_eq(status, STR("active")) && !is_active(r)) ||
        (str_eq(status, STR("inactive")) && is_active(r)))
        return false;
    return f->provider.len == 0 || str_eq(buf_str(&f->provider), r->provider_slug);
}

static cJSON *view_model(const struct route *r, struct str name)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "client_model", r->incoming_model);
    json_put_text(o, "status", is_active(r) ? "active" : "inactive");
    json_put_str(o, "route", r->incoming_model);
    json_put_text(o, "match_type", route_match_type(r));
    json_put_str(o, "provider_slug", r->provider_slug);
    json_put_str(o, "provider_name", name);
    json_put_text(o, "api_key_state", view_route_key_state(r));
    json_put_str(o, "upstream_url", r->upstream_url);
    json_put_str(o, "upstream_model", upstream_model(r));
    json_put_text(o, "source", view_route_source(r));
    json_put_bool(o, "managed", str_eq(r->managed_by, STR(ROUTE_SEED)));
    return o;
}

static void run_list(struct call *call, struct store *store)
{
    struct catalog *c = call_catalog(call);
    struct filter f;
    cJSON *items = cJSON_CreateArray();

    (void)store; /* the catalog has all routes, active or not */
    read_filter(&f, call);
    for (size_t i = 0; i < c->route_count; i++) {
        const struct route *r = &c->routes[i];
        struct str name = provider_name(c, r->provider_slug);

        if (is_wanted(&f, r, name))
            cJSON_AddItemToArray(items, view_model(r, name));
    }
    op_simple_page(call, items);
    clear_filter(&f);
    catalog_unref(c);
}

/* ---- suggestions ---- */

struct suggestions {
    cJSON *items;
    struct str prefix;
    int64_t limit, count;
    const struct catalog *catalog;
};

static bool is_listed(const struct suggestions *s, struct str model)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, s->items)
    {
        const char *listed = "";

        json_get_str(item, "model", &listed);
        if (str_eq(str_c(listed), model))
            return true;
    }
    return false;
}

static cJSON *add_suggestion(struct suggestions *s, struct str model, const char *source)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "model", model);
    json_put_str(o, "client_model", model);
    json_put_text(o, "source", source);
    cJSON_AddItemToArray(s->items, o);
    s->count++;
    return o;
}

static void suggest_route(struct suggestions *s, const struct route *r)
{
    cJSON *o;

    if (s->count >= s->limit || !str_istarts(r->incoming_model, s->prefix) ||
        is_listed(s, r->incoming_model))
        return;
    o = add_suggestion(s, r->incoming_model, "route");
    json_put_str(o, "provider_slug", r->provider_slug);
    json_put_str(o, "provider_name", provider_name(s->catalog, r->provider_slug));
    json_put_str(o, "upstream_model", upstream_model(r));
    json_put_null(o, "request_count");
    json_put_null(o, "last_used_at");
}

static int compare_stored(const void *a, const void *b)
{
    const struct route *x = *(const struct route *const *)a, *y = *(const struct route *const *)b;
    size_t len = x->incoming_model.len < y->incoming_model.len ? x->incoming_model.len
                                                               : y->incoming_model.len;
    int order;

    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    order = len ? memcmp(x->incoming_model.ptr, y->incoming_model.ptr, len) : 0;
    if (order != 0)
        return order;
    return (x->incoming_model.len > y->incoming_model.len) -
           (x->incoming_model.len < y->incoming_model.len);
}

/* Stored ones by priority and name, then those of the startup in their order. */
static void suggest_routes(struct suggestions *s)
{
    const struct catalog *c = s->catalog;
    const struct route **stored = xcalloc(c->route_count + 1, sizeof(*stored));
    size_t count = 0;

    for (size_t i = 0; i < c->route_count; i++)
        if (!route_is_startup(&c->routes[i]) && c->routes[i].active)
            stored[count++] = &c->routes[i];
    qsort(stored, count, sizeof(*stored), compare_stored);
    for (size_t i = 0; i < count; i++)
        suggest_route(s, stored[i]);
    for (size_t i = 0; i < c->route_count; i++)
        if (route_is_startup(&c->routes[i]))
            suggest_route(s, &c->routes[i]);
    free(stored);
}

static void suggest_recent(void *ctx, struct str model, int64_t requests, int64_t last_us)
{
    struct suggestions *s = ctx;
    char iso[CLOCK_ISO_SIZE];
    cJSON *o;

    if (is_listed(s, model))
        return;
    o = add_suggestion(s, model, "recent");
    json_put_null(o, "provider_slug");
    json_put_null(o, "provider_name");
    json_put_null(o, "upstream_model");
    json_put_int(o, "request_count", requests);
    json_put_text(o, "last_used_at", clock_iso(last_us, iso));
}

static void run_suggest(struct call *call, struct store *store)
{
    struct suggestions s = {0};
    struct catalog *c = NULL;
    struct buf text = {0};
    struct err err;
    cJSON *o;

    call_query_text(call, "q", &text);
    s.limit = call_query_int(call, "limit");
    s.prefix = str_trim(buf_str(&text));
    s.catalog = c = call_catalog(call);
    o = cJSON_CreateObject();
    s.items = cJSON_AddArrayToObject(o, "items");
    suggest_routes(&s);
    if (s.count < s.limit &&
        store_recent_models(store, s.prefix, s.limit - s.count, suggest_recent, &s, &err) < 0) {
        cJSON_Delete(o);
        call_error(call, &err);
    } else {
        call_json(call, 200, o);
    }
    catalog_unref(c);
    buf_clear(&text);
}

const struct call_route op_models_routes[] = {
    {"GET", "/api/models", .run = run_list},
    {"GET", "/admin/api/models", .run = run_list},
    {"GET", "/api/models/suggest", .run = run_suggest},
    {"GET", "/admin/api/models/suggest", .run = run_suggest},
    {0},
};
