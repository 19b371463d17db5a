/* The forms about routes, providers and upstream settings: they answer with a redirect to the page
 * they are on, or with what is wrong. */
#include <stdlib.h>

#include "core/fix_ids.h"
#include "core/routing_input.h"
#include "daemon/api/api_form.h"
#include "ops/op_routing.h"

#define SERVER_PAGE "/admin/settings/server"
#define ROUTING_PAGE "/admin/settings/routing"
#define PROVIDERS_PAGE "/admin/settings/providers"

/* A list of fixes is a text in forms. */
static int check_fixes(struct str text, struct err *err)
{
    cJSON *value = cJSON_CreateStringReference(text.ptr ? text.ptr : "");
    struct buf json = {0};
    int rc = fix_ids(&json, value, NULL, err);

    buf_clear(&json);
    cJSON_Delete(value);
    return rc;
}

/* ---- routes ---- */

/* Without an id the form means the stored route of that name. */
static int find_id(struct store *store, struct route *route, struct arena *arena, struct err *err)
{
    struct route old;

    if (route->id ? store_route_get(store, route->id, arena, &old, err) == 0
                  : store_route_find(store, route->incoming_model, route->prefix, arena, &old,
                                     err) == 0) {
        route->id = old.id;
        route->failover_json = old.failover_json; /* which the form does not have */
        return 0;
    }
    return route->id || err->code != ERR_NOT_FOUND ? -1 : 0;
}

static int save_route(struct call *call, struct store *store, struct body *b, int64_t priority,
                      int64_t id, struct err *err)
{
    struct route_input in = {
        .incoming_model = form_text(b, "model"),
        .match_type = form_text(b, "match_type"),
        .upstream_url = form_text(b, "upstream_url"),
        .upstream_model = form_text(b, "upstream_model"),
        .provider_slug = form_text(b, "provider_slug"),
        .api_key_env = form_text(b, "api_key_env"),
        .auth_style = form_text(b, "auth_style"),
        .fixes = body_get(b, "fixes"),
        .override_fallback = form_checkbox(b, "override_fallback", false),
        .active = form_checkbox(b, "active", true),
        .priority = priority,
    };
    struct route route;

    if (check_fixes(form_text(b, "fixes"), err) < 0 ||
        route_from_input(&in, &b->arena, &route, err) < 0)
        return -1;
    route.id = id;
    if (find_id(store, &route, &b->arena, err) < 0)
        return -1;
    return op_route_save(call, store, &route, &b->arena, err);
}

static void write_route(struct call *call, struct store *store)
{
    struct body b;
    struct err err;
    int64_t priority, id;
    bool ok;

    body_form(&b, call);
    ok = form_required(&b, call, "model").ptr;
    ok = form_required(&b, call, "upstream_url").ptr && ok;
    ok = form_int(&b, call, "priority", ROUTE_PRIORITY, &priority) && ok;
    ok = form_int(&b, call, "route_id", 0, &id) && ok;
    if (ok)
        form_finish(call, save_route(call, store, &b, priority, id, &err), &err, ROUTING_PAGE);
    body_clear(&b);
}

static int delete_by_model(struct call *call, struct store *store, struct str model,
                           struct arena *arena, struct err *err)
{
    struct catalog *catalog = call_catalog(call);
    bool startup = catalog_startup(catalog, model, false);
    struct route route;

    catalog_unref(catalog);
    if (startup)
        return err_set(err, ERR_INVALID,
                       "A route of the startup configuration cannot be deleted here.");
    if (store_route_find(store, model, false, arena, &route, err) < 0)
        return -1;
    return store_route_delete(store, route.id, err);
}

static void write_route_delete(struct call *call, struct store *store)
{
    struct str id_text;
    struct body b;
    struct err err;
    int64_t id;
    int rc;

    body_form(&b, call);
    id_text = form_text(&b, "route_id");
    if (!id_text.ptr)
        rc = delete_by_model(call, store, str_trim(form_text(&b, "model")), &b.arena, &err);
    else if (!str_int64(str_trim(id_text), &id))
        rc = err_set(&err, ERR_INVALID, "Route id must be an integer.");
    else
        rc = store_route_delete(store, id, &err);
    form_finish(call, rc, &err, ROUTING_PAGE);
    body_clear(&b);
}

/* ---- providers ---- */

static bool is_yes(const struct body *b, const char *key)
{
    return str_eq(form_text(b, key), STR("yes"));
}

static cJSON *capabilities_of(const struct body *b)
{
    cJSON *o = cJSON_CreateObject();

    json_put_bool(o, "text", is_yes(b, "capability_text"));
    json_put_bool(o, "vision", is_yes(b, "capability_vision"));
    json_put_bool(o, "tool_calling", is_yes(b, "capability_tool_calling"));
    return o;
}

static int save_provider(struct store *store, struct body *b, struct err *err)
{
    cJSON *capabilities = capabilities_of(b);
    struct provider_input in = {
        .slug = form_text(b, "slug"),
        .name = form_text(b, "name"),
        .upstream_url = form_text(b, "upstream_url"),
        .currency = form_text(b, "currency"),
        .api_key_env = form_text(b, "api_key_env"),
        .auth_style = form_text(b, "auth_style"),
        .capabilities = capabilities,
        .active = form_checkbox(b, "active", true),
        .is_default_fallback = is_yes(b, "is_default_fallback"),
    };
    struct provider p, old = {0};
    int rc = provider_from_input(&in, &b->arena, &p, err);

    if (rc == 0 && !body_get(b, "is_default_fallback")) {
        if (store_provider_get(store, p.slug, &b->arena, &old, err) < 0 &&
            err->code != ERR_NOT_FOUND)
            rc = -1;
        p.is_default_fallback = old.is_default_fallback;
    }
    if (rc == 0)
        rc = store_provider_put(store, &p, err);
    cJSON_Delete(capabilities);
    return rc;
}

static void write_provider(struct call *call, struct store *store)
{
    struct body b;
    struct err err;
    bool ok;

    body_form(&b, call);
    ok = form_required(&b, call, "slug").ptr;
    ok = form_required(&b, call, "name").ptr && ok;
    if (ok)
        form_finish(call, save_provider(store, &b, &err), &err, PROVIDERS_PAGE);
    body_clear(&b);
}

static void write_provider_delete(struct call *call, struct store *store)
{
    struct body b;
    struct str slug;
    struct err err;

    body_form(&b, call);
    if (form_required(&b, call, "slug").ptr) {
        int rc = slug_from_input(form_text(&b, "slug"), &b.arena, &slug, &err);

        if (rc == 0)
            rc = store_provider_delete(store, slug, &err);
        form_finish(call, rc, &err, PROVIDERS_PAGE);
    }
    body_clear(&b);
}

/* ---- settings ---- */

static const char *return_page(const struct body *b)
{
    struct str to = form_text(b, "return_to");

    if (str_eq(to, STR(ROUTING_PAGE)))
        return ROUTING_PAGE;
    return str_eq(to, STR(PROVIDERS_PAGE)) ? PROVIDERS_PAGE : SERVER_PAGE;
}

static void write_defaults(struct call *call, struct store *store)
{
    struct upstream_defaults in;
    struct body b;
    struct err err;

    body_form(&b, call);
    if (form_required(&b, call, "upstream_url").ptr) {
        in = (struct upstream_defaults){
            .upstream_url = form_text(&b, "upstream_url"),
            .default_provider_slug = form_text(&b, "default_provider_slug"),
            .default_model = form_text(&b, "default_model"),
            .fallback_enabled = form_checkbox(&b, "fallback_enabled", true),
            .has_failover = body_get(&b, "failover_to_fallback"),
            .failover_to_fallback = form_checkbox(&b, "failover_to_fallback", false),
        };
        form_finish(call, op_save_upstream(store, &in, &b.arena, &err), &err, return_page(&b));
    }
    body_clear(&b);
}

static void write_upstream(struct call *call, struct store *store)
{
    struct body b;
    struct str url;
    struct err err;

    body_form(&b, call);
    if (form_required(&b, call, "upstream_url").ptr) {
        int rc = forward_check_base_url(form_text(&b, "upstream_url"), &url, &err);

        if (rc == 0)
            rc = store_setting_put(store, STR("upstream_url"), url, &err);
        form_finish(call, rc, &err, SERVER_PAGE);
    }
    body_clear(&b);
}

static void write_fixes(struct call *call, struct store *store)
{
    struct buf json = {0};
    struct body b;
    struct err err;
    int rc;

    body_form(&b, call);
    rc = fix_ids(&json, body_get(&b, "fixes"), NULL, &err);
    if (rc == 0)
        rc = store_setting_put(store, STR("default_compat_fixes_json"), buf_str(&json), &err);
    form_finish(call, rc, &err, SERVER_PAGE);
    buf_clear(&json);
    body_clear(&b);
}

const struct call_route api_routing_forms_routes[] = {
    {"POST", "/admin/settings/model-routes", .write = write_route},
    {"POST", "/admin/settings/model-routes/delete", .write = write_route_delete},
    {"POST", "/admin/settings/providers", .write = write_provider},
    {"POST", "/admin/settings/providers/delete", .write = write_provider_delete},
    {"POST", "/admin/settings/upstream-defaults", .write = write_defaults},
    {"POST", "/admin/settings/upstream", .write = write_upstream},
    {"POST", "/admin/settings/compat-fixes", .write = write_fixes},
    {0},
};
