#include "view/view_sync.h"

#include <stdlib.h>

#include "core/money.h"
#include "core/price_import.h"
#include "view/display.h"
#include "view/view_price.h"
#include "view/view_priv.h"
#include "json/json.h"

static const enum price_rate shown[] = {RATE_INPUT, RATE_CACHED_INPUT, RATE_OUTPUT};
static const char *const status_text[] = {
    [SYNC_NEW] = "new",
    [SYNC_UPDATE] = "update",
    [SYNC_UNCHANGED] = "unchanged",
};

static void put_display(cJSON *o, const struct sync_row *row)
{
    cJSON *display = cJSON_AddObjectToObject(o, "display");

    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
        view_put_rate_display(display, rate_key[shown[i]], row->price.rates.of[shown[i]]);
    view_put_compact(display, "context_length", row->price.context_length);
    json_put_text(display, "supports_tools",
                  row->supports_tools < 0 ? "-"
                  : row->supports_tools   ? "Yes"
                                          : "No");
}

static void put_rates(cJSON *o, const struct rates *rates)
{
    for (size_t i = 0; i < RATE_COUNT; i++) {
        char text[MONEY_SIZE];
        int64_t rate = rates->of[i];

        json_put_text(o, rate_key[i], rate == UNKNOWN ? NULL : money_rate_print(rate, text));
    }
}

static void put_price(cJSON *o, struct str source, const struct price *p)
{
    cJSON *aliases;

    json_put_str(o, "source", source);
    json_put_str(o, "provider_slug", p->provider_slug);
    json_put_str(o, "model", p->model);
    json_put_str(o, "display_name", p->display_name);
    aliases = cJSON_AddArrayToObject(o, "aliases");
    for (size_t i = 0; i < p->alias_count; i++)
        json_add_str(aliases, p->aliases[i]);
    put_rates(o, &p->rates);
    view_put_price_lists(o, p);
    json_put_str(o, "source_url", p->source_url);
    json_put_str(o, "checked_at", p->checked_at);
    json_put_str(o, "release_date", p->release_date);
    json_put_str(o, "notes", p->notes);
    json_put_bool(o, "active", p->active);
}

/* The rates that the row would replace. */
static void put_stored(cJSON *o, const struct sync_row *row, const struct price_book *book)
{
    const struct price *p = price_book_get(book, row->price.provider_slug, row->price.model);

    if (p)
        put_rates(cJSON_AddObjectToObject(o, "stored"), &p->rates);
    else
        json_put_null(o, "stored");
}

static cJSON *item(const struct sync_row *row, struct str source, const struct price_book *book)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "key", row->key);
    put_price(o, source, &row->price);
    put_stored(o, row, book);
    json_put_text(o, "row_kind", row->base ? "base" : "provider");
    json_put_str(o, "external_provider", row->external_provider);
    json_put_int(o, "context_length", row->price.context_length);
    if (row->supports_tools < 0)
        json_put_null(o, "supports_tools");
    else
        json_put_bool(o, "supports_tools", row->supports_tools);
    json_put_text(o, "status", status_text[row->status]);
    json_put_bool(o, "selected", row->status != SYNC_UNCHANGED && !row->edited);
    json_put_bool(o, "edited", row->edited);
    put_display(o, row);
    return o;
}

/* What only imports have. */
static void put_import(cJSON *o, const struct sync_options *options, const struct sync_rows *rows)
{
    static const char *const names[SKIP_COUNT] = {
#define X(constant, name) #name,
        SYNC_SKIPS(X)
#undef X
    };
    cJSON *list = cJSON_AddArrayToObject(o, "providers");
    cJSON *skipped, *created;

    for (size_t i = 0; i < options->provider_count; i++)
        json_add_str(list, options->providers[i]);
    json_put_bool(o, "create_providers", options->create_providers);
    json_put_bool(o, "include_deprecated", options->include_deprecated);
    skipped = cJSON_AddObjectToObject(o, "skipped");
    for (size_t i = 0; i < SKIP_COUNT; i++)
        json_put_int(skipped, names[i], rows->skipped[i]);
    created = cJSON_AddArrayToObject(o, "new_providers");
    for (size_t i = 0; i < rows->provider_count; i++) {
        const struct provider *p = &rows->providers[i];
        cJSON *row = cJSON_CreateObject();

        json_put_str(row, "slug", p->slug);
        json_put_str(row, "name", p->name);
        json_put_str(row, "base_url", p->base_url);
        json_put_str(row, "api_key_env", p->api_key_env);
        cJSON_AddItemToArray(created, row);
    }
}

cJSON *view_sync(const struct sync_options *o, const struct sync_rows *rows,
                 const struct price_book *book)
{
    int64_t counts[3] = {0};
    cJSON *out = cJSON_CreateObject(), *items, *sums;

    json_put_str(out, "source", o->source);
    json_put_str(out, "search", o->search);
    json_put_int(out, "limit", o->limit);
    if (price_import_format_ok(o->source)) {
        put_import(out, o, rows);
    } else {
        json_put_bool(out, "include_base_rows", o->base_rows);
        json_put_bool(out, "include_provider_rows", o->provider_rows);
    }
    items = cJSON_AddArrayToObject(out, "items");
    for (size_t i = 0; i < rows->count; i++) {
        const struct sync_row *row = &rows->rows[i];

        cJSON_AddItemToArray(items, item(row, o->source, book));
        counts[row->status]++;
    }
    json_put_int(out, "total", (int64_t)rows->count);
    sums = cJSON_AddObjectToObject(out, "counts");
    for (size_t i = 0; i < 3; i++)
        json_put_int(sums, status_text[i], counts[i]);
    return out;
}

cJSON *view_sync_applied(const struct sync_result *r, int64_t repriced,
                         const struct sync_options *o, const struct sync_rows *rows,
                         const struct price_book *book)
{
    cJSON *out = cJSON_CreateObject();
    struct buf warnings = {0};

    buf_printf(&warnings, "[%s]", r->warnings.ptr ? r->warnings.ptr : "");
    json_put_int(out, "applied", r->counts[0] + r->counts[1] + r->counts[2]);
    json_put_int(out, "created", r->counts[SYNC_NEW]);
    json_put_int(out, "updated", r->counts[SYNC_UPDATE]);
    json_put_int(out, "unchanged", r->counts[SYNC_UNCHANGED]);
    json_put_int(out, "created_providers", r->providers);
    json_put_int(out, "repriced_missing", repriced);
    json_put_raw(out, "warnings", warnings.ptr);
    cJSON_AddItemToObject(out, "preview", view_sync(o, rows, book));
    buf_clear(&warnings);
    return out;
}

/* ---- the catalogue ---- */

static cJSON *export_provider(const struct provider *p)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "slug", p->slug);
    json_put_str(o, "name", p->name);
    json_put_str(o, "base_url", p->base_url);
    json_put_str(o, "currency", p->currency);
    json_put_str(o, "api_key_env", p->api_key_env);
    if (p->capabilities_json.len)
        json_put_raw(o, "capabilities", p->capabilities_json.ptr);
    return o;
}

static void put_text(cJSON *o, const char *key, struct str value)
{
    if (value.ptr)
        json_put_str(o, key, value);
}

/* Rates that are unknown are left out. */
static void put_known_rates(cJSON *o, const struct rates *rates)
{
    for (size_t i = 0; i < RATE_COUNT; i++) {
        char text[MONEY_SIZE];

        if (rates->of[i] != UNKNOWN)
            json_put_text(o, rate_key[i], money_rate_print(rates->of[i], text));
    }
}

static cJSON *export_tier(const struct price_tier *t)
{
    cJSON *o = cJSON_CreateObject();

    put_text(o, "label", t->label);
    json_put_int(o, "min_input_tokens", t->min);
    json_put_int(o, "max_input_tokens", t->max);
    put_known_rates(o, &t->rates);
    put_text(o, "source_url", t->source_url);
    put_text(o, "checked", t->checked_at);
    put_text(o, "released", t->release_date);
    put_text(o, "notes", t->notes);
    return o;
}

static cJSON *export_variant(const struct price_variant *v)
{
    cJSON *o = cJSON_CreateObject();
    char text[MONEY_SIZE];

    json_put_str(o, "service_tier", v->service_tier);
    json_put_text(o, "multiplier", money_rate_print(v->multiplier, text));
    put_known_rates(o, &v->rates);
    return o;
}

static cJSON *export_price(const struct price *p)
{
    cJSON *o = cJSON_CreateObject(), *aliases, *tiers, *variants;

    json_put_str(o, "provider", p->provider_slug);
    json_put_str(o, "model", p->model);
    put_text(o, "display_name", p->display_name);
    put_known_rates(o, &p->rates);
    tiers = cJSON_AddArrayToObject(o, "tiers");
    for (size_t i = 0; i < p->tier_count; i++)
        cJSON_AddItemToArray(tiers, export_tier(&p->tiers[i]));
    if (p->variant_count) {
        variants = cJSON_AddArrayToObject(o, "variants");
        for (size_t i = 0; i < p->variant_count; i++)
            cJSON_AddItemToArray(variants, export_variant(&p->variants[i]));
    }
    aliases = cJSON_AddArrayToObject(o, "aliases");
    for (size_t i = 0; i < p->alias_count; i++)
        json_add_str(aliases, p->aliases[i]);
    if (p->context_length != UNKNOWN)
        json_put_int(o, "context_length", p->context_length);
    if (!p->active)
        json_put_bool(o, "active", false);
    put_text(o, "source_url", p->source_url);
    put_text(o, "checked", p->checked_at);
    put_text(o, "released", p->release_date);
    put_text(o, "notes", p->notes);
    return o;
}

cJSON *view_catalog_export(const struct price_book *book, const struct provider *providers,
                           size_t provider_count)
{
    const struct price **sorted = view_prices_sorted(book);
    cJSON *out = cJSON_CreateObject(), *list;

    json_put_text(out, "schema", "llm-observe-proxy/price-catalog/1");
    json_put_text(out, "unit", "USD per 1,000,000 tokens");
    list = cJSON_AddArrayToObject(out, "providers");
    for (size_t i = 0; i < provider_count; i++)
        cJSON_AddItemToArray(list, export_provider(&providers[i]));
    list = cJSON_AddArrayToObject(out, "models");
    for (size_t i = 0; sorted[i]; i++)
        cJSON_AddItemToArray(list, export_price(sorted[i]));
    free(sorted);
    return out;
}
