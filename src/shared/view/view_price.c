#include "view/view_price.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "core/money.h"
#include "core/price_json.h"
#include "view/display.h"
#include "view/view_priv.h"
#include "json/json.h"

void view_put_rate(cJSON *o, const char *key, int64_t rate)
{
    char text[MONEY_SIZE];

    if (rate == UNKNOWN)
        json_put_null(o, key);
    else
        json_put_raw(o, key, money_rate_print(rate, text));
}

void view_put_rate_display(cJSON *o, const char *key, int64_t rate)
{
    char text[DISPLAY_SIZE];

    json_put_text(o, key, display_usd(rate == UNKNOWN ? UNKNOWN : rate * 1000000, text));
}

static void put_rates(cJSON *o, const struct rates *rates)
{
    for (size_t i = 0; i < RATE_COUNT; i++)
        view_put_rate(o, rate_key[i], rates->of[i]);
}

static cJSON *tier_row(const struct price_tier *t)
{
    cJSON *o = cJSON_CreateObject();

    json_put_int(o, "id", t->id);
    json_put_str(o, "label", t->label);
    json_put_int(o, "min_input_tokens", t->min);
    json_put_int(o, "max_input_tokens", t->max);
    put_rates(o, &t->rates);
    json_put_str(o, "source_url", t->source_url);
    json_put_str(o, "checked_at", t->checked_at);
    json_put_str(o, "release_date", t->release_date);
    json_put_str(o, "notes", t->notes);
    return o;
}

static cJSON *variant_row(const struct price_variant *v)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "service_tier", v->service_tier);
    view_put_rate(o, "multiplier", v->multiplier);
    put_rates(o, &v->rates);
    return o;
}

void view_put_price_lists(cJSON *o, const struct price *p)
{
    cJSON *tiers = cJSON_AddArrayToObject(o, "tiers");
    cJSON *variants = cJSON_AddArrayToObject(o, "variants");

    for (size_t i = 0; i < p->tier_count; i++)
        cJSON_AddItemToArray(tiers, tier_row(&p->tiers[i]));
    for (size_t i = 0; i < p->variant_count; i++)
        cJSON_AddItemToArray(variants, variant_row(&p->variants[i]));
}

static void put_key(cJSON *o, const struct price *p)
{
    struct arena arena = {0};

    json_put_str(o, "key",
                 arena_printf(&arena, "%.*s:%.*s", STR_ARG(p->provider_slug), STR_ARG(p->model)));
    arena_clear(&arena);
}

static struct str provider_name(const struct price_book *book, const struct price *p)
{
    const struct price_provider *provider = price_book_provider(book, p->provider_slug);

    return provider ? provider->name : p->provider_slug;
}

cJSON *view_price(const struct price_book *book, const struct price *p)
{
    cJSON *o = cJSON_CreateObject(), *aliases;

    json_put_int(o, "id", p->id);
    put_key(o, p);
    json_put_str(o, "provider_slug", p->provider_slug);
    json_put_str(o, "provider_name", provider_name(book, p));
    json_put_str(o, "model", p->model);
    json_put_str(o, "display_name", p->display_name);
    aliases = cJSON_AddArrayToObject(o, "aliases");
    for (size_t i = 0; i < p->alias_count; i++)
        json_add_str(aliases, p->aliases[i]);
    put_rates(o, &p->rates);
    json_put_int(o, "context_length", p->context_length);
    json_put_bool(o, "active", p->active);
    json_put_text(o, "status", p->active ? "active" : "inactive");
    json_put_str(o, "source_url", p->source_url);
    json_put_str(o, "checked_at", p->checked_at);
    json_put_str(o, "release_date", p->release_date);
    json_put_str(o, "notes", p->notes);
    json_put_bool(o, "seeded", p->seed_digest.ptr != NULL);
    json_put_bool(o, "edited", price_edited(p));
    view_put_iso(o, "created_at", p->created_us);
    view_put_iso(o, "updated_at", p->updated_us);
    view_put_price_lists(o, p);
    return o;
}

/* ---- lists ---- */

struct sorted {
    const struct price *price;
    struct str provider;
};

static int compare_text(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_sorted(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int order = compare_text(x->provider, y->provider);

    if (order == 0)
        order = compare_text(x->price->provider_slug, y->price->provider_slug);
    return order ? order : compare_text(x->price->model, y->price->model);
}

const struct price **view_prices_sorted(const struct price_book *book)
{
    size_t count = price_book_count(book);
    struct sorted *list = xcalloc(count + 1, sizeof(*list));
    const struct price **out = xcalloc(count + 1, sizeof(*out));

    for (size_t i = 0; i < count; i++) {
        list[i].price = price_book_at(book, i);
        list[i].provider = provider_name(book, list[i].price);
    }
    qsort(list, count, sizeof(*list), compare_sorted);
    for (size_t i = 0; i < count; i++)
        out[i] = list[i].price;
    free(list);
    return out;
}

static bool has_text(const struct price_book *book, const struct price *p, struct str needle)
{
    if (str_ifind(p->model, needle) >= 0 || str_ifind(p->provider_slug, needle) >= 0 ||
        str_ifind(provider_name(book, p), needle) >= 0 ||
        (p->display_name.ptr && str_ifind(p->display_name, needle) >= 0))
        return true;
    for (size_t i = 0; i < p->alias_count; i++) {
        if (str_ifind(p->aliases[i], needle) >= 0)
            return true;
    }
    return false;
}

static bool passes(const struct price_book *book, const struct price *p,
                   const struct price_filter *f)
{
    if (f->provider_slug.len > 0 && !str_eq(f->provider_slug, p->provider_slug))
        return false;
    if (f->status.len > 0 && !str_eq(f->status, p->active ? STR("active") : STR("inactive")))
        return false;
    return f->search.len == 0 || has_text(book, p, f->search);
}

cJSON *view_price_list(const struct price_book *book, const struct price_filter *filter)
{
    const struct price **sorted = view_prices_sorted(book);
    cJSON *items = cJSON_CreateArray();

    for (size_t i = 0; sorted[i]; i++) {
        if (passes(book, sorted[i], filter))
            cJSON_AddItemToArray(items, view_price(book, sorted[i]));
    }
    free(sorted);
    return items;
}

/* ---- one model ---- */

cJSON *view_price_find(const struct price_book *book, struct str provider_slug, struct str model)
{
    enum price_match match;
    const struct price *p = price_book_find(book, provider_slug, model, &match);
    cJSON *o;

    if (!p)
        return NULL;
    o = cJSON_CreateObject();
    json_put_text(o, "price_match", price_match_name(match));
    cJSON_AddItemToObject(o, "price", view_price(book, p));
    return o;
}

cJSON *view_price_estimate(const struct price_book *book, struct str provider_slug,
                           struct str model, const struct cost_tokens *tokens)
{
    struct cost_notes notes = {
        .billing_model = str_trim(model), .upstream_cost = UNKNOWN, .previous_total = UNKNOWN};
    const struct price *p = price_book_find(book, provider_slug, model, &notes.match);
    struct buf snapshot = {0};
    struct cost cost;
    cJSON *o;

    notes.provider = price_book_provider(book, provider_slug);
    if (!p || !notes.provider)
        return NULL;
    cost_of(p, tokens, &cost);
    o = cJSON_CreateObject();
    json_put_money(o, "cost_usd", cost.total);
    json_put_money(o, "input_cost_usd", cost.input);
    json_put_money(o, "cached_input_cost_usd", cost.cached_input);
    json_put_money(o, "output_cost_usd", cost.output);
    if (cost.state != COST_UNKNOWN && cost_snapshot(&snapshot, p, tokens, &cost, &notes))
        json_put_raw(o, "pricing_snapshot", snapshot.ptr);
    else
        json_put_null(o, "pricing_snapshot");
    buf_clear(&snapshot);
    return o;
}
