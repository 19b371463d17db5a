#include "view/view_what_if.h"

#include <stdlib.h>

#include "base/query.h"
#include "base/xalloc.h"
#include "core/what_if.h"
#include "store/store_prices.h"
#include "view/display.h"
#include "view/view_price.h"
#include "view/view_priv.h"
#include "json/json.h"

#define SCENARIOS_MAX 100

/* A name that is the same for all requests, or not. */
struct single {
    struct str name;
    bool several;
};

struct comparison {
    struct price_book *book;
    const struct price **sorted; /* all prices as lists show them */
    struct what_if scenarios[SCENARIOS_MAX];
    size_t count;
    bool asked; /* keys were given */
    struct buf service_tier;
    struct arena arena;
    /* what the run itself did cost */
    bool priced;
    int64_t total_cost;
    struct single provider, model;
};

/* ---- the selection ---- */

static const struct price *find_key(const struct price_book *book, struct str key)
{
    ptrdiff_t colon = str_chr(key, ':');
    const struct price *p = colon < 0 ? NULL
                                      : price_book_get(book, str_cut(key, (size_t)colon),
                                                       str_from(key, (size_t)colon + 1));

    return p && p->active ? p : NULL;
}

static bool is_selected(const struct comparison *c, const struct price *p)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->scenarios[i].price == p)
            return true;
    }
    return false;
}

static void select_key(struct comparison *c, struct str key)
{
    const struct price *p = find_key(c->book, str_trim(key));

    if (p && c->count < SCENARIOS_MAX && !is_selected(c, p))
        what_if_init(&c->scenarios[c->count++], p);
}

const struct param view_what_if_params[] = {
    {"key", PARAM_TEXT, .repeats = true,
     .about = "A price to compare with, provider:model; may be given several times"},
    {"service_tier", PARAM_TEXT, .about = "Price all requests by this tier"},
    {0},
};

static void select_all(struct comparison *c, struct str query)
{
    struct str name, value;

    while (query_next(&query, &name, &value)) {
        struct buf key = {0};
        struct err err;

        if (!str_eq(name, STR("key")) || query_decode(&key, value, true, &err) < 0)
            continue;
        c->asked = true;
        select_key(c, buf_str(&key));
        buf_clear(&key);
    }
    if (c->asked)
        return;
    select_key(c, STR("openai:gpt-5.5"));
    select_key(c, STR("openai:gpt-5.4-mini"));
}

/* ---- the run ---- */

static void note_name(struct comparison *c, struct single *one, struct str name)
{
    if (!name.ptr || one->several)
        return;
    if (!one->name.ptr)
        one->name = arena_dup(&c->arena, name);
    else
        one->several = !str_eq(one->name, name);
}

static void on_request(void *ctx, const struct run_tokens *t)
{
    struct comparison *c = ctx;
    struct str tier = c->service_tier.len > 0 ? buf_str(&c->service_tier) : t->service_tier;

    for (size_t i = 0; i < c->count; i++)
        what_if_add(&c->scenarios[i], &t->usage, tier);
    note_name(c, &c->provider, t->provider);
    note_name(c, &c->model, t->model);
    if (t->total_cost == UNKNOWN)
        return;
    c->priced = true;
    if (c->total_cost != UNKNOWN &&
        __builtin_add_overflow(c->total_cost, t->total_cost, &c->total_cost))
        c->total_cost = UNKNOWN;
}

/* ---- the answer ---- */

static struct str price_label(const struct price *p)
{
    return p->display_name.ptr ? p->display_name : p->model;
}

static void put_identity(struct comparison *c, cJSON *o, const struct price *p)
{
    const struct price_provider *provider = price_book_provider(c->book, p->provider_slug);

    json_put_str(
        o, "key",
        arena_printf(&c->arena, "%.*s:%.*s", STR_ARG(p->provider_slug), STR_ARG(p->model)));
    json_put_str(o, "provider_slug", p->provider_slug);
    json_put_str(o, "provider_name", provider ? provider->name : p->provider_slug);
    json_put_str(o, "model", p->model);
    json_put_str(o, "display_name", p->display_name);
    json_put_str(o, "label", price_label(p));
}

static cJSON *option(struct comparison *c, const struct price *p)
{
    const struct price_provider *provider = price_book_provider(c->book, p->provider_slug);
    cJSON *o = cJSON_CreateObject();

    put_identity(c, o, p);
    json_put_str(o, "search_text",
                 arena_printf(&c->arena, "%.*s %.*s %.*s %.*s", STR_ARG(price_label(p)),
                              STR_ARG(provider ? provider->name : p->provider_slug),
                              STR_ARG(p->provider_slug), STR_ARG(p->model)));
    json_put_bool(o, "checked", is_selected(c, p));
    return o;
}

static void put_usd(cJSON *o, const char *key, int64_t pusd)
{
    char text[DISPLAY_SIZE];

    json_put_text(o, key, display_usd(pusd, text));
}

static void put_rates(cJSON *o, cJSON *display, const struct what_if *w)
{
    static const enum price_rate shown[] = {RATE_INPUT, RATE_CACHED_INPUT, RATE_OUTPUT};
    const struct rates *rates = what_if_rates(w);

    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        const char *key = rate_key[shown[i]];

        view_put_rate(o, key, rates->of[shown[i]]);
        if (w->mixed)
            json_put_text(display, key, "Mixed tiers");
        else
            view_put_rate_display(display, key, rates->of[shown[i]]);
    }
    json_put_bool(o, "mixed_tiers", w->mixed);
}

static void put_sums(cJSON *o, cJSON *display, const struct what_if *w)
{
    json_put_int(o, "input_tokens", w->input);
    json_put_int(o, "cached_input_tokens", w->cached_input);
    json_put_int(o, "cache_write_input_tokens", w->cache_write_input);
    json_put_int(o, "output_tokens", w->output);
    json_put_int(o, "total_tokens", w->total);
    json_put_money(o, "input_cost_usd", w->input_cost);
    json_put_money(o, "cached_input_cost_usd", w->cached_input_cost);
    json_put_money(o, "output_cost_usd", w->output_cost);
    json_put_money(o, "total_cost_usd", w->total_cost);
    if (w->overflow)
        json_put_bool(o, "cost_overflow", true);
    json_put_int(o, "included_request_count", w->included);
    json_put_int(o, "missing_usage_request_count", w->missing);
    view_put_compact(display, "input_tokens", w->input);
    view_put_compact(display, "cached_input_tokens", w->cached_input);
    view_put_compact(display, "output_tokens", w->output);
    put_usd(display, "input_cost_usd", w->input_cost);
    put_usd(display, "output_cost_usd", w->output_cost);
    put_usd(display, "total_cost_usd", w->total_cost);
    view_put_compact(display, "included_request_count", w->included);
    view_put_compact(display, "missing_usage_request_count", w->missing);
}

static cJSON *scenario(struct comparison *c, const struct what_if *w)
{
    cJSON *o = cJSON_CreateObject(), *display = cJSON_CreateObject();

    put_identity(c, o, w->price);
    put_rates(o, display, w);
    put_sums(o, display, w);
    json_put_str(o, "notes", w->price->notes);
    cJSON_AddItemToObject(o, "display", display);
    return o;
}

static void put_baseline(struct comparison *c, cJSON *o)
{
    cJSON *base, *display;

    if (!c->priced) {
        json_put_null(o, "baseline");
        return;
    }
    base = cJSON_AddObjectToObject(o, "baseline");
    json_put_text(base, "label", "Current run");
    json_put_str(base, "provider_name",
                 c->provider.name.ptr && !c->provider.several ? c->provider.name
                                                              : STR("Captured providers"));
    json_put_str(base, "model",
                 c->model.name.ptr && !c->model.several ? c->model.name : STR("Captured models"));
    json_put_money(base, "total_cost_usd", c->total_cost);
    if (c->total_cost == UNKNOWN)
        json_put_bool(base, "cost_overflow", true);
    display = cJSON_AddObjectToObject(base, "display");
    put_usd(display, "total_cost_usd", c->total_cost);
}

static const char *message(const struct comparison *c, bool any)
{
    if (!any)
        return "No active model prices are configured.";
    if (c->count > 0)
        return NULL;
    return c->asked ? "No active model prices matched the selected comparison."
                    : "The default comparison prices are not configured.";
}

static cJSON *answer(struct comparison *c)
{
    cJSON *o = cJSON_CreateObject(), *options = cJSON_AddArrayToObject(o, "options"), *list, *keys;

    for (size_t i = 0; c->sorted[i]; i++) {
        if (c->sorted[i]->active)
            cJSON_AddItemToArray(options, option(c, c->sorted[i]));
    }
    put_baseline(c, o);
    list = cJSON_AddArrayToObject(o, "scenarios");
    keys = cJSON_AddArrayToObject(o, "selected_keys");
    for (size_t i = 0; i < c->count; i++) {
        const struct price *p = c->scenarios[i].price;

        cJSON_AddItemToArray(list, scenario(c, &c->scenarios[i]));
        json_add_str(keys, arena_printf(&c->arena, "%.*s:%.*s", STR_ARG(p->provider_slug),
                                        STR_ARG(p->model)));
    }
    json_put_int(o, "compared_count", (int64_t)c->count);
    json_put_text(o, "message", message(c, cJSON_GetArraySize(options) > 0));
    return o;
}

int view_what_if(struct store *store, int64_t run_id, struct str query, struct buf *out,
                 struct err *err)
{
    struct comparison *c = xcalloc(1, sizeof(*c));
    struct run run;
    int rc = -1;

    if (store_run_get(store, run_id, &c->arena, &run, err) < 0 ||
        store_price_book(store, &c->book, err) < 0)
        goto out;
    c->sorted = view_prices_sorted(c->book);
    param_text(view_what_if_params, query, "service_tier", &c->service_tier);
    select_all(c, query);
    if (store_run_tokens(store, run_id, on_request, c, err) < 0)
        goto out;
    rc = view_answer(answer(c), out, err);
out:
    price_book_unref(c->book);
    free(c->sorted);
    buf_clear(&c->service_tier);
    arena_clear(&c->arena);
    free(c);
    return rc;
}
