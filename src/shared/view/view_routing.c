#include "view/view_routing.h"

#include "base/clock.h"
#include "core/fix_ids.h"
#include "json/json.h"

static void put_json(cJSON *o, const char *key, struct str text, cJSON *other)
{
    cJSON *value = text.ptr ? json_parse(text) : NULL;

    cJSON_AddItemToObject(o, key, value ? value : other);
    if (value)
        cJSON_Delete(other);
}

const char *view_route_source(const struct route *r)
{
    if (route_is_startup(r))
        return "startup";
    return str_eq(r->managed_by, STR(ROUTE_SEED)) ? "seeded" : "ui";
}

static const char *key_state_words(enum key_state state)
{
    return state == KEY_NOT_CONFIGURED ? "not configured" : key_state_text(state);
}

const char *view_route_key_state(const struct route *r)
{
    return key_state_words(r->key ? KEY_CONFIGURED : provider_key_state(r->api_key_env));
}

/* When a row was made and changed; null for what is not stored. */
static void put_times(cJSON *o, int64_t created_us, int64_t updated_us)
{
    char iso[CLOCK_ISO_SIZE];

    json_put_text(o, "created_at", created_us ? clock_iso(created_us, iso) : NULL);
    json_put_text(o, "updated_at", updated_us ? clock_iso(updated_us, iso) : NULL);
}

/* Several upstreams as they are stored; without them the same members, empty. */
static void put_upstreams(cJSON *o, struct str failover_json)
{
    cJSON *f = failover_json.ptr ? json_parse(failover_json) : NULL;

    if (cJSON_IsObject(f)) {
        while (f->child) {
            cJSON *item = cJSON_DetachItemViaPointer(f, f->child);

            cJSON_AddItemToObject(o, item->string, item);
        }
    } else {
        cJSON_AddArrayToObject(o, "upstreams");
        json_put_null(o, "strategy");
        json_put_null(o, "retry_on");
        json_put_null(o, "max_attempts");
        json_put_null(o, "cooldown_ms");
        json_put_null(o, "fail_threshold");
        json_put_null(o, "max_retry_wait_ms");
    }
    cJSON_Delete(f);
}

cJSON *view_route(const struct route *r, struct str provider_name)
{
    cJSON *o = cJSON_CreateObject();

    json_put_int(o, "id", route_is_startup(r) ? UNKNOWN : r->id);
    json_put_str(o, "incoming_model", r->incoming_model);
    json_put_text(o, "match_type", route_match_type(r));
    json_put_str(o, "upstream_url", r->upstream_url.len > 0 ? r->upstream_url : STR_NONE);
    json_put_str(o, "upstream_model",
                 r->upstream_model.ptr ? r->upstream_model : r->incoming_model);
    json_put_str(o, "provider_slug", r->provider_slug);
    json_put_str(o, "provider_name", provider_name);
    json_put_str(o, "api_key_env", r->api_key_env);
    json_put_str(o, "auth_style", r->auth_style);
    put_json(o, "compatibility_fixes", r->fixes_json, cJSON_CreateArray());
    json_put_bool(o, "override_fallback", r->override_fallback);
    json_put_int(o, "priority", r->priority);
    json_put_bool(o, "active", r->active);
    json_put_text(o, "status", r->active ? "active" : "inactive");
    json_put_str(o, "managed_by", r->managed_by);
    json_put_bool(o, "managed", str_eq(r->managed_by, STR(ROUTE_SEED)));
    json_put_text(o, "source", view_route_source(r));
    json_put_text(o, "api_key_state", view_route_key_state(r));
    put_times(o, r->created_us, r->updated_us);
    put_upstreams(o, r->failover_json);
    return o;
}

cJSON *view_provider(const struct provider *p, int64_t model_count, int64_t route_count)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "slug", p->slug);
    json_put_str(o, "name", p->name);
    json_put_str(o, "upstream_url", p->base_url);
    json_put_str(o, "base_url", p->base_url);
    json_put_str(o, "currency", p->currency);
    json_put_str(o, "api_key_env", p->api_key_env);
    json_put_text(o, "api_key_state", key_state_words(provider_key_state(p->api_key_env)));
    json_put_str(o, "auth_style", p->auth_style);
    json_put_bool(o, "active", p->active);
    json_put_text(o, "status", p->active ? "active" : "inactive");
    json_put_bool(o, "is_default_fallback", p->is_default_fallback);
    put_json(o, "capabilities", p->capabilities_json, cJSON_CreateObject());
    json_put_int(o, "model_count", model_count);
    json_put_int(o, "route_count", route_count);
    put_times(o, p->created_us, p->updated_us);
    return o;
}

cJSON *view_fixes(void)
{
    cJSON *list = cJSON_CreateArray();
    const struct fix_info *fix;

    for (size_t i = 0; (fix = fix_info(i)); i++) {
        cJSON *o = cJSON_CreateObject();

        json_put_text(o, "id", fix->id);
        json_put_text(o, "name", fix->name);
        json_put_text(o, "description", fix->description);
        json_put_text(o, "risk_note", fix->risk_note);
        json_add_str(cJSON_AddArrayToObject(o, "endpoints"), str_c(fix->endpoint));
        json_put_bool(o, "supports_streaming", fix->streaming);
        json_put_bool(o, "supports_non_streaming", fix->plain);
        json_put_bool(o, "default_enabled", false);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

/* A missing key is what has to be known first. */
static const char *status_of(const struct decision *d)
{
    if (decision_key_state(d) == KEY_MISSING)
        return "missing_api_key";
    if (strcmp(d->route_decision, "route") == 0)
        return "matched";
    return strcmp(d->route_decision, "fallback") == 0 ? "fallback" : "no_match";
}

cJSON *view_simulation(const struct decision *d)
{
    bool decided = strcmp(d->route_decision, "passthrough") != 0;
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "status", status_of(d));
    json_put_str(o, "matched_route", d->model_route);
    json_put_text(o, "match_type", d->match_type);
    json_put_str(o, "upstream_url", decided ? d->base_url : STR_NONE);
    json_put_str(o, "upstream_model", d->upstream_model);
    json_put_str(o, "provider_slug", d->provider_slug);
    json_put_str(o, "provider_name", d->provider_name);
    json_put_text(o, "api_key_state", key_state_text(decision_key_state(d)));
    put_json(o, "compatibility_fixes", d->fixes_json, cJSON_CreateArray());
    return o;
}

cJSON *view_simple_page(cJSON *items, int64_t page, int64_t per_page)
{
    int64_t total = cJSON_GetArraySize(items), n = 0;
    int64_t first = page - 1 > total / per_page ? total : (page - 1) * per_page;
    cJSON *o = cJSON_CreateObject(), *shown = cJSON_AddArrayToObject(o, "items"), *item, *next;

    for (item = items->child; item; item = next, n++) {
        next = item->next;
        if (n >= first && n < first + per_page)
            cJSON_AddItemToArray(shown, cJSON_DetachItemViaPointer(items, item));
    }
    cJSON_Delete(items);
    json_put_int(o, "page", page);
    json_put_int(o, "per_page", per_page);
    json_put_int(o, "total", total);
    json_put_int(o, "pages", total > 0 ? (total - 1) / per_page + 1 : 1);
    return o;
}

cJSON *view_provider_health(const struct provider_health *h)
{
    cJSON *o = cJSON_CreateObject();
    char iso[CLOCK_ISO_SIZE];

    json_put_str(o, "provider_slug", h->provider_slug);
    json_put_str(o, "status", h->status);
    json_put_int(o, "latency_ms", h->latency_ms);
    json_put_str(o, "auth_state", h->auth_state);
    json_put_str(o, "message", h->message);
    json_put_text(o, "checked_at", h->status.ptr ? clock_iso(h->checked_us, iso) : NULL);
    return o;
}
