/* The record of how a cost came about: written once, beside it. */
#include "core/cost.h"
#include "core/money.h"
#include "json/json.h"

static void put_rate(cJSON *o, const char *key, int64_t rate)
{
    char text[MONEY_SIZE];

    json_put_str(o, key, rate == UNKNOWN ? STR_NONE : str_c(money_rate_fixed(rate, text)));
}

static void put_amount(cJSON *o, const char *key, int64_t pusd)
{
    char text[MONEY_SIZE];

    json_put_text(o, key, money_print(pusd, text));
}

static void put_identity(cJSON *o, const struct price *p, const struct cost_notes *n)
{
    json_put_str(o, "provider_slug", n->provider->slug);
    json_put_str(o, "provider_name", n->provider->name);
    json_put_str(o, "currency", n->provider->currency);
    json_put_str(o, "billing_model", n->billing_model);
    json_put_str(o, "matched_model", p->model);
    json_put_text(o, "price_match", price_match_name(n->match));
    json_put_str(o, "display_name", p->display_name);
}

static void put_input(cJSON *o, const struct cost_tokens *t, const struct cost *c)
{
    json_put_int(o, "cached_input_tokens", t->usage.cached_input);
    json_put_int(o, "cache_write_input_tokens", t->usage.cache_write_input);
    json_put_int(o, "uncached_input_tokens", c->uncached);
    json_put_text(o, "cached_input_pricing",
                  c->cached == 0                              ? "not_reported"
                  : c->rates.of[RATE_CACHED_INPUT] == UNKNOWN ? "standard_input_rate"
                                                              : "cached_input_rate");
}

static void put_cache_write(cJSON *o, const struct cost_tokens *t, const struct cost *c)
{
    if (c->written == 0)
        return;
    if (c->cache_write == UNKNOWN) {
        json_put_text(o, "cache_write_pricing", "standard_input_rate");
        return;
    }
    json_put_text(o, "cache_write_pricing", "cache_write_rate");
    put_rate(o, rate_key[RATE_CACHE_WRITE], c->rates.of[RATE_CACHE_WRITE]);
    put_rate(o, rate_key[RATE_CACHE_WRITE_1H], c->rates.of[RATE_CACHE_WRITE_1H]);
    json_put_int(o, "cache_write_1h_input_tokens", t->cache_write_1h);
    put_amount(o, "cache_write_cost_usd", c->cache_write);
}

static void put_reasoning(cJSON *o, const struct cost_tokens *t, const struct cost *c)
{
    int64_t rate = c->rates.of[RATE_REASONING];

    if (t->usage.reasoning < 0)
        return;
    json_put_int(o, "reasoning_tokens", t->usage.reasoning);
    put_rate(o, rate_key[RATE_REASONING], rate);
    json_put_text(o, "reasoning_pricing",
                  t->usage.reasoning == 0 ? "not_reported"
                  : rate == UNKNOWN       ? "output_rate"
                                          : "reasoning_rate");
}

static void put_source(cJSON *o, const struct price *p, const struct price_tier *t)
{
    json_put_text(o, "pricing_source_kind", t ? "model_price_tier" : "model_price");
    json_put_str(o, "source_url", t && t->source_url.ptr ? t->source_url : p->source_url);
    json_put_str(o, "checked_at", t && t->checked_at.ptr ? t->checked_at : p->checked_at);
    json_put_str(o, "release_date", t && t->release_date.ptr ? t->release_date : p->release_date);
    json_put_str(o, "source", t && t->notes.ptr ? t->notes : p->notes);
    if (!t)
        return;
    json_put_int(o, "tier_id", t->id);
    json_put_str(o, "tier_label", t->label);
    json_put_int(o, "tier_min_input_tokens", t->min);
    json_put_int(o, "tier_max_input_tokens", t->max);
}

static void put_notes(cJSON *o, const struct cost *c, const struct cost_notes *n)
{
    char text[MONEY_SIZE];

    if (c->tier_gap)
        json_put_bool(o, "tier_gap", true);
    if (c->variant)
        json_put_str(o, "service_tier", c->variant->service_tier);
    if (n->upstream_cost != UNKNOWN)
        put_amount(o, "reported_upstream_cost_usd", n->upstream_cost);
    if (n->historical_backfill.ptr)
        json_put_str(o, "historical_cost_backfill", n->historical_backfill);
    if (n->previous_total != UNKNOWN)
        json_put_text(o, "previous_total_cost_usd", money_print_least(n->previous_total, 8, text));
    if (n->catalog_backfill.ptr)
        json_put_str(o, "pricing_catalog_backfill", n->catalog_backfill);
}

bool cost_snapshot(struct buf *out, const struct price *p, const struct cost_tokens *tokens,
                   const struct cost *cost, const struct cost_notes *notes)
{
    cJSON *o = cJSON_CreateObject();
    bool ok;

    if (cost->state == COST_OVERFLOW) {
        json_put_text(o, "cost_error", "overflow");
    } else {
        put_identity(o, p, notes);
        put_rate(o, rate_key[RATE_INPUT], cost->rates.of[RATE_INPUT]);
        put_rate(o, rate_key[RATE_CACHED_INPUT], cost->rates.of[RATE_CACHED_INPUT]);
        put_rate(o, rate_key[RATE_OUTPUT], cost->rates.of[RATE_OUTPUT]);
        put_input(o, tokens, cost);
        put_cache_write(o, tokens, cost);
        put_reasoning(o, tokens, cost);
        put_source(o, p, cost->tier);
        put_notes(o, cost, notes);
    }
    ok = json_print(out, o);
    cJSON_Delete(o);
    return ok;
}
