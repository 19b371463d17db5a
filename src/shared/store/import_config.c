/* Settings, providers, routes and prices of the old database. What has the same name here stays. */
#include <stdlib.h>

#include "core/fix_ids.h"
#include "core/forward.h"
#include "core/price_json.h"
#include "core/routing_input.h"
#include "store/import_priv.h"
#include "store/store_prices.h"
#include "store/store_routing.h"
#include "json/json.h"

#define SETTING_MAX ((size_t)1 << 20)

/* ---- settings ---- */

static bool key_ok(struct str key)
{
    if (key.len == 0 || key.len > 64)
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (!(key.ptr[i] >= 'a' && key.ptr[i] <= 'z') &&
            !(key.ptr[i] >= '0' && key.ptr[i] <= '9') && key.ptr[i] != '_')
            return false;
    return true;
}

int import_setting(struct importer *im, struct legacy_row *row, struct err *err)
{
    struct str key = legacy_text(row, "key"), value = legacy_text(row, "value"), clean;
    char *saved = NULL;
    int rc;

    if (!key_ok(key))
        return import_skip(im, "the key is none");
    if (!value.ptr || value.len > SETTING_MAX || memchr(value.ptr, '\0', value.len))
        return import_skip(im, "the value is missing or no text");
    if (str_eq(key, STR("upstream_url")) && value.len > 0 &&
        forward_check_base_url(value, &clean, err) < 0)
        return import_skip(im, "%s", err->msg);
    rc = store_setting_get(im->store, key, &saved, err);
    if (rc == 0 && saved)
        import_known(im);
    else if (rc == 0 && (rc = store_setting_put(im->store, key, value, err)) == 0)
        import_written(im);
    free(saved);
    return rc;
}

/* ---- providers ---- */

/* Whether slug may be the fallback here. */
static int may_be_fallback(struct importer *im, struct str slug, bool *out, struct err *err)
{
    char *saved = NULL;

    if (store_setting_get(im->store, STR("default_provider_slug"), &saved, err) < 0)
        return -1;
    *out = !saved || !*saved || str_eq(str_c(saved), slug);
    free(saved);
    return 0;
}

static int put_provider(struct importer *im, struct provider *p, struct err *err)
{
    struct provider there;
    bool fallback;

    if (store_provider_get(im->store, p->slug, &im->arena, &there, err) == 0) {
        import_known(im);
        return 0;
    }
    if (err->code != ERR_NOT_FOUND)
        return -1;
    if (p->is_default_fallback) {
        if (may_be_fallback(im, p->slug, &fallback, err) < 0)
            return -1;
        if (!fallback)
            import_note(im, "another provider is the fallback here");
        p->is_default_fallback = fallback;
    }
    if (store_provider_put(im->store, p, err) < 0)
        return import_failed(im, err);
    import_written(im);
    return 0;
}

int import_provider(struct importer *im, struct legacy_row *row, struct err *err)
{
    struct str url = legacy_text(row, "upstream_url"),
               can = legacy_json(row, "capabilities_json", '{');
    cJSON *capabilities = can.ptr ? json_parse(can) : NULL;
    const struct provider_input in = {
        .slug = legacy_text(row, "slug"),
        .name = legacy_text(row, "name"),
        .upstream_url = url.ptr ? url : legacy_text(row, "base_url"),
        .currency = legacy_text(row, "currency"),
        .api_key_env = legacy_text(row, "api_key_env"),
        .capabilities = capabilities,
        .active = legacy_bool(row, "active", true),
        .is_default_fallback = legacy_bool(row, "is_default_fallback", false),
    };
    struct provider p = {0};
    int rc;

    if (provider_from_input(&in, &im->arena, &p, err) < 0)
        rc = import_failed(im, err);
    else if (!p.slug.ptr)
        rc = import_skip(im, "it has no slug");
    else
        rc = put_provider(im, &p, err);
    cJSON_Delete(capabilities);
    return rc;
}

/* ---- routes ---- */

/* 1 there is such a provider, 0 none, -1. */
static int has_provider(struct importer *im, struct str slug, struct err *err)
{
    struct provider there;

    if (store_provider_get(im->store, slug, &im->arena, &there, err) == 0)
        return 1;
    return err->code == ERR_NOT_FOUND ? 0 : -1;
}

static int put_route(struct importer *im, struct route *r, struct err *err)
{
    struct route there;
    int has = r->provider_slug.ptr ? has_provider(im, r->provider_slug, err) : 1;

    if (has < 0)
        return -1;
    if (store_route_find(im->store, r->incoming_model, r->prefix, &im->arena, &there, err) == 0) {
        import_known(im);
        return 0;
    }
    if (err->code != ERR_NOT_FOUND)
        return -1;
    if (!has) {
        import_note(im, "its provider is not there; the route stays without");
        r->provider_slug = STR_NONE;
    }
    if (store_route_put(im->store, r, err) < 0)
        return import_failed(im, err);
    import_written(im);
    return 0;
}

/* The fixes of a route; without those that this program does not know. */
static cJSON *take_fixes(struct importer *im, struct legacy_row *row)
{
    struct str fixes = legacy_json(row, "compatibility_fixes_json", '[');
    cJSON *list = fixes.ptr ? json_parse(fixes) : NULL;
    struct buf ids = {0};
    struct err err;

    if (list && fix_ids(&ids, list, NULL, &err) < 0) {
        import_note(im, "the route stays without fixes: %s", err.msg);
        cJSON_Delete(list);
        list = NULL;
    }
    buf_clear(&ids);
    return list;
}

int import_route(struct importer *im, struct legacy_row *row, struct err *err)
{
    cJSON *list = take_fixes(im, row);
    int64_t priority = legacy_int(row, "priority", 1, 100);
    struct route_input in = {
        .incoming_model = legacy_text(row, "incoming_model"),
        .match_type = legacy_text(row, "match_type"),
        .upstream_url = legacy_text(row, "upstream_url"),
        .upstream_model = legacy_text(row, "upstream_model"),
        .provider_slug = legacy_text(row, "provider_slug"),
        .api_key_env = legacy_text(row, "api_key_env"),
        .fixes = list,
        .priority = priority == UNKNOWN ? ROUTE_PRIORITY : priority,
        .override_fallback = legacy_bool(row, "override_fallback", false),
        .active = legacy_bool(row, "active", true),
    };
    struct route r = {0};
    int rc;

    if (route_from_input(&in, &im->arena, &r, err) < 0) {
        rc = import_failed(im, err);
    } else {
        struct str managed = legacy_text(row, "managed_by");

        r.managed_by = managed.len > 0 && managed.len <= 64 ? managed : STR_NONE;
        rc = put_route(im, &r, err);
    }
    cJSON_Delete(list);
    return rc;
}

/* ---- prices ---- */

/* The members that a price and a tier share, as the readers of prices know them. */
static cJSON *to_json(struct legacy_row *row)
{
    static const char *const texts[] = {"provider_slug", "model",        "display_name", "label",
                                        "source_url",    "release_date", "checked_at",   "notes"};
    static const char *const rates[] = {"input_usd_per_million", "cached_input_usd_per_million",
                                        "output_usd_per_million"};
    static const char *const numbers[] = {"min_input_tokens", "max_input_tokens"};
    cJSON *o = cJSON_CreateObject();
    char decimal[64];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        json_put_str(o, texts[i], legacy_text(row, texts[i]));
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        json_put_str(o, rates[i], legacy_decimal(row, rates[i], decimal));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        json_put_int(o, numbers[i], legacy_int(row, numbers[i], 0, INT64_C(1000000000000)));
    return o;
}

static void take_aliases(struct legacy_row *row, cJSON *o)
{
    struct str list = legacy_json(row, "aliases_json", '[');
    cJSON *aliases = list.ptr ? json_parse(list) : NULL;

    if (aliases)
        cJSON_AddItemToObject(o, "aliases", aliases);
}

/* A tier of the price at hand, which is new. */
static int import_tier(struct importer *im, struct legacy_row *row, struct err *err)
{
    struct price *p = im->price;
    struct price_tier t = {.min = UNKNOWN, .max = UNKNOWN, .rates = rates_none()};
    cJSON *o = to_json(row);

    cJSON_AddItemToArray(im->tier_json, o); /* texts of the tier are borrowed from it */
    if (price_tier_read(o, &im->arena, &t, err) < 0 || price_tier_check(p, &t, err) < 0)
        return import_failed(im, err);
    p->tiers = store_grow(&im->arena, p->tiers, p->tier_count, &im->tier_cap, sizeof(t));
    if (!p->tiers)
        return err_set(err, ERR_NO_MEMORY, "no memory for the tiers of a price");
    p->tiers[p->tier_count++] = t;
    import_written(im);
    return 0;
}

static int count_tier(struct importer *im, struct legacy_row *row, struct err *err)
{
    (void)row;
    (void)err;
    if (im->price_known)
        import_known(im);
    else
        import_skip(im, "its price was left out");
    return 0;
}

static int take_tiers(struct importer *im, import_row_fn *take, struct err *err)
{
    int64_t tier, orphans = 0;
    int got;

    while ((got = legacy_children_next(&im->tiers, im->row, &tier, &orphans, err)) == 1)
        if (import_one(im, LEGACY_TIERS, tier, take, err) < 0)
            return -1;
    import_orphans(im, LEGACY_TIERS, orphans, "its price is not there");
    return got;
}

static int put_price(struct importer *im, struct price *p, struct err *err)
{
    int has = has_provider(im, p->provider_slug, err);

    if (has < 0)
        return -1;
    im->price_known = price_book_get(im->book, p->provider_slug, p->model) != NULL;
    if (im->price_known || !has) {
        if (im->price_known)
            import_known(im);
        else
            import_skip(im, "its provider is not there");
        return take_tiers(im, count_tier, err);
    }
    im->price = p;
    im->tier_cap = 0;
    if (take_tiers(im, import_tier, err) < 0)
        return -1;
    if (store_price_put(im->store, p, true, err) < 0)
        return import_failed(im, err);
    import_written(im);
    return 0;
}

int import_price(struct importer *im, struct legacy_row *row, struct err *err)
{
    cJSON *o = to_json(row);
    struct price p;
    int rc;

    price_init(&p);
    take_aliases(row, o);
    im->tier_json = cJSON_CreateArray();
    if (price_read(o, &im->arena, &p, err) == 0 && price_check(&p, err) == 0) {
        p.active = legacy_bool(row, "active", true);
        rc = put_price(im, &p, err);
    } else {
        rc = import_failed(im, err);
        im->price_known = false;
        if (rc == 0)
            rc = take_tiers(im, count_tier, err);
    }
    cJSON_Delete(im->tier_json);
    cJSON_Delete(o);
    return rc;
}
