#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/fix_ids.h"
#include "core/routing_input.h"
#include "ops/op_routing.h"
#include "ops/tables.h"
#include "view/view_routing.h"

#define SUMMARY_DAYS 30
#define DAY_US ((int64_t)86400 * 1000000)

/* ---- the summary ---- */

/* A saved setting, owned; NULL when it is not saved. */
static char *saved(struct store *store, struct str key)
{
    char *text = NULL;
    struct err err;

    store_setting_get(store, key, &text, &err);
    return text;
}

static bool is_flag(const char *source)
{
    return strcmp(source, "flag") == 0;
}

/* Where the server listens now. */
static void put_bound(cJSON *listener, const struct call_env *env)
{
    cJSON *bound;

    if (!env->url) {
        json_put_null(listener, "bound");
        return;
    }
    bound = cJSON_AddObjectToObject(listener, "bound");
    json_put_text(bound, "host", env->config->expose_all ? "0.0.0.0" : env->config->host);
    json_put_int(bound, "port", env->port);
    json_put_text(bound, "url", env->url);
}

/* As it is saved for the next start. */
static void put_listener(cJSON *o, struct store *store, const struct call_env *env)
{
    const struct config *config = env->config;
    cJSON *listener = cJSON_AddObjectToObject(o, "listener");
    char *port_text = saved(store, STR("incoming_port")), base[64];
    char *expose_text = saved(store, STR("expose_all_ips"));
    bool expose = expose_text ? str_is_yes(str_c(expose_text)) : config->expose_all;
    int64_t port = config->port, n;

    if (port_text && str_int64(str_trim(str_c(port_text)), &n) && n >= 1 && n <= 65535)
        port = n;
    json_put_text(listener, "host", expose ? "0.0.0.0" : config->host);
    json_put_int(listener, "port", port);
    json_put_bool(listener, "expose_all_ips", expose);
    json_put_text(listener, "overridden_by",
                  (port_text && is_flag(config->port_source)) ||
                          (expose_text && is_flag(config->host_source))
                      ? "flag"
                      : NULL);
    put_bound(listener, env);
    snprintf(base, sizeof(base), "http://localhost:%lld/v1", (long long)port);
    json_put_text(o, "client_base_url", base);
    free(port_text);
    free(expose_text);
}

static void put_upstream(cJSON *o, struct store *store, const struct catalog *c,
                         const struct call_env *env)
{
    cJSON *upstream = cJSON_AddObjectToObject(o, "upstream");
    const struct provider *p = catalog_provider(c, c->default_provider_slug);
    char *url = saved(store, STR("upstream_url"));
    struct str none = STR_NONE;

    json_put_str(upstream, "url", c->base_url);
    json_put_text(upstream, "saved_url", url && *url ? url : NULL);
    json_put_str(upstream, "default_provider_slug",
                 c->default_provider_slug.len > 0 ? c->default_provider_slug : none);
    json_put_str(upstream, "default_provider_name", p ? p->name : none);
    json_put_str(upstream, "default_model", c->default_model.len > 0 ? c->default_model : none);
    json_put_bool(upstream, "fallback_enabled", c->fallback_enabled);
    json_put_bool(upstream, "failover_to_fallback", c->failover_to_fallback);
    if (env->startup->base_url_fixed)
        json_put_text(upstream, "overridden_by", "flag");
    free(url);
}

static int put_counts(cJSON *o, struct store *store, const struct catalog *c, int64_t days,
                      struct err *err)
{
    struct record_filter old = {.until_us = clock_wall_us() - days * DAY_US};
    struct store_counters counters;
    int64_t routes = 0, providers = 0, older;

    for (size_t i = 0; i < c->route_count; i++)
        routes += c->routes[i].active && !route_is_startup(&c->routes[i]);
    for (size_t i = 0; i < c->provider_count; i++)
        providers += c->providers[i].active;
    if (store_counters(store, &counters, err) < 0 ||
        store_record_count(store, &old, &older, err) < 0)
        return -1;
    json_put_int(o, "stored_rows", counters.total);
    json_put_int(o, "active_routes", routes);
    json_put_int(o, "active_providers", providers);
    json_put_int(o, "retention_days", days);
    json_put_int(o, "rows_older_than_retention", older);
    return 0;
}

static void answer_summary(struct call *call, struct store *store, int64_t days)
{
    const struct call_env *env = call->env;
    struct catalog *c = NULL;
    cJSON *o = cJSON_CreateObject();
    struct err err;
    int rc = store_catalog(store, env->startup, &c, &err); /* with what was just written */

    if (rc == 0) {
        put_listener(o, store, env);
        put_upstream(o, store, c, env);
        rc = put_counts(o, store, c, days, &err);
    }
    if (rc == 0) {
        json_put_text(o, "version", LOP_VERSION);
        json_put_text(o, "database_path", env->config->database_path);
        call_json(call, 200, o);
    } else {
        call_error(call, &err);
        cJSON_Delete(o);
    }
    catalog_unref(c);
}

static void run_summary(struct call *call, struct store *store)
{
    answer_summary(call, store, call_query_int(call, "days"));
}

/* The fixes in force, and those that there are. */
static void run_fixes(struct call *call, struct store *store)
{
    const struct call_env *env = call->env;
    struct catalog *c = call_catalog(call);
    char *text = saved(store, STR("default_compat_fixes_json"));
    cJSON *o = cJSON_CreateObject();

    json_put_raw(o, "compatibility_fixes", c->fixes_json.len > 0 ? c->fixes_json.ptr : "[]");
    json_put_text(o, "source",
                  text                           ? "saved"
                  : env->startup->fixes_json.ptr ? "startup"
                                                 : "default");
    cJSON_AddItemToObject(o, "available", view_fixes());
    call_json(call, 200, o);
    free(text);
    catalog_unref(c);
}

/* ---- writing ---- */

/* The provider that unmatched models may go to. */
static int check_default(struct store *store, struct str slug, struct arena *arena, struct err *err)
{
    struct provider p;

    if (slug.len == 0)
        return 0;
    if (store_provider_get(store, slug, arena, &p, err) < 0)
        return err->code == ERR_NOT_FOUND
                   ? err_set(err, ERR_INVALID, "Provider %.*s was not found.", STR_ARG(slug))
                   : -1;
    if (!p.active)
        return err_set(err, ERR_INVALID, "Provider %.*s is inactive.", STR_ARG(slug));
    return 0;
}

int op_save_upstream(struct store *store, const struct upstream_defaults *in, struct arena *arena,
                     struct err *err)
{
    struct str url, slug;

    if (str_trim(in->upstream_url).len == 0)
        return err_set(err, ERR_INVALID,
                       "Upstream URL is required: an absolute http or https URL.");
    if (forward_check_base_url(in->upstream_url, &url, err) < 0 ||
        slug_from_input(in->default_provider_slug, arena, &slug, err) < 0 ||
        check_default(store, slug, arena, err) < 0)
        return -1;
    if (store_provider_fallback(store, slug.ptr ? slug : STR(""), err) < 0 ||
        store_setting_put(store, STR("upstream_url"), url, err) < 0 ||
        store_setting_put(store, STR("default_model"), str_trim(in->default_model), err) < 0)
        return -1;
    if (in->has_failover &&
        store_setting_put(store, STR("failover_to_fallback"),
                          in->failover_to_fallback ? STR("true") : STR("false"), err) < 0)
        return -1;
    return store_setting_put(store, STR("fallback_enabled"),
                             in->fallback_enabled ? STR("true") : STR("false"), err);
}

static void write_upstream(struct call *call, struct store *store)
{
    struct body b;
    struct upstream_defaults in;
    struct err err;

    body_json_or_form(&b, call);
    in = (struct upstream_defaults){
        .upstream_url = body_text(&b, "upstream_url", NULL),
        .default_provider_slug = body_text(&b, "default_provider_slug", NULL),
        .default_model = body_text(&b, "default_model", NULL),
        .fallback_enabled = body_flag(&b, "fallback_enabled", true),
        .has_failover = body_get(&b, "failover_to_fallback"),
        .failover_to_fallback = body_flag(&b, "failover_to_fallback", false),
    };
    if (op_save_upstream(store, &in, &b.arena, &err) < 0)
        call_error(call, &err);
    else
        answer_summary(call, store, SUMMARY_DAYS);
    body_clear(&b);
}

static void write_fixes(struct call *call, struct store *store)
{
    struct buf json = {0}, answer = {0};
    struct body b;
    struct err err;

    body_json_or_form(&b, call);
    if (fix_ids(&json, body_get(&b, body_get(&b, "fixes") ? "fixes" : "fix_ids"), NULL, &err) < 0 ||
        store_setting_put(store, STR("default_compat_fixes_json"), buf_str(&json), &err) < 0) {
        call_error(call, &err);
    } else {
        buf_printf(&answer, "{\"compatibility_fixes\":%s}", json.ptr);
        call_text(call, 200, answer.ptr);
    }
    buf_clear(&json);
    buf_clear(&answer);
    body_clear(&b);
}

int op_save_listener(struct store *store, int64_t port, bool expose, struct err *err)
{
    char number[24];

    if (port < 1 || port > 65535)
        return err_set(err, ERR_INVALID, "The port must be between 1 and 65535.");
    snprintf(number, sizeof(number), "%lld", (long long)port);
    if (store_setting_put(store, STR("incoming_port"), str_c(number), err) < 0)
        return -1;
    return store_setting_put(store, STR("expose_all_ips"), expose ? STR("true") : STR("false"),
                             err);
}

static void write_listener(struct call *call, struct store *store)
{
    struct body b;
    struct err err;
    int64_t port;

    body_json(&b, call);
    if (body_int(&b, "port", &port) != 1 && body_int(&b, "incoming_port", &port) != 1)
        port = 0;
    if (op_save_listener(store, port, body_flag(&b, "expose_all_ips", false), &err) < 0)
        call_error(call, &err);
    else
        answer_summary(call, store, SUMMARY_DAYS);
    body_clear(&b);
}

const struct call_route op_settings_routes[] = {
    {"GET", "/admin/api/settings/summary", .run = run_summary},
    {"POST", "/admin/api/settings/listener", .write = write_listener},
    {"POST", "/admin/api/settings/upstream-defaults", .write = write_upstream},
    {"GET", "/admin/api/settings/compat-fixes", .run = run_fixes},
    {"POST", "/admin/api/settings/compat-fixes", .write = write_fixes},
    {0},
};
