#include "core/cost.h"

#include "core/money.h"

#define MICRO INT64_C(1000000)

static int64_t known(int64_t count)
{
    return count > 0 ? count : 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t rate_or(int64_t rate, int64_t fallback)
{
    return rate != UNKNOWN ? rate : fallback;
}

/* ---- rates ---- */

struct str cost_service_tier(struct str reported)
{
    struct str tier = str_trim(reported);

    if (tier.len == 0 || str_ieq(tier, STR("auto")) || str_ieq(tier, STR("default")) ||
        str_ieq(tier, STR("standard")))
        return STR_NONE;
    return str_ieq(tier, STR("fast")) ? STR("priority") : tier;
}

static const struct price_variant *find_variant(const struct price *p, struct str service_tier)
{
    struct str tier = cost_service_tier(service_tier);

    for (size_t i = 0; tier.ptr && i < p->variant_count; i++) {
        if (str_ieq(p->variants[i].service_tier, tier))
            return &p->variants[i];
    }
    return NULL;
}

/* rate * millionths / 10^6, half to even. */
static int64_t multiply(int64_t rate, int64_t millionths)
{
    __int128 product = (__int128)rate * millionths;
    __int128 whole = product / MICRO, rest = product % MICRO;

    if (rest * 2 > MICRO || (rest * 2 == MICRO && whole % 2 != 0))
        whole++;
    return whole > MONEY_RATE_MAX ? MONEY_RATE_MAX : (int64_t)whole;
}

static void choose_rates(const struct price *p, const struct cost_tokens *tokens, struct cost *out)
{
    out->tier = price_tier_for(p, tokens->usage.input, &out->tier_gap);
    out->rates = out->tier ? out->tier->rates : p->rates;
    out->variant = find_variant(p, tokens->service_tier);
    for (size_t i = 0; out->variant && i < RATE_COUNT; i++) {
        if (out->variant->rates.of[i] != UNKNOWN)
            out->rates.of[i] = out->variant->rates.of[i];
        else if (out->rates.of[i] != UNKNOWN)
            out->rates.of[i] = multiply(out->rates.of[i], out->variant->multiplier);
    }
}

/* ---- the formula ---- */

static bool add_input(const struct usage *u, int64_t write_1h, struct cost *c)
{
    const int64_t *rate = c->rates.of;
    int64_t input_rate = rate[RATE_INPUT], w = c->written, w1 = least(known(write_1h), w);
    int64_t write_rate = rate_or(rate[RATE_CACHE_WRITE], input_rate);
    int64_t sum = 0, cached = 0, written = 0;

    if (!money_add_tokens(&cached, c->cached, rate_or(rate[RATE_CACHED_INPUT], input_rate)) ||
        !money_add_tokens(&written, w - w1, write_rate) ||
        !money_add_tokens(&written, w1, rate_or(rate[RATE_CACHE_WRITE_1H], write_rate)) ||
        !money_add_tokens(&sum, u->input - c->cached - w, input_rate) || !money_add(&sum, cached) ||
        !money_add(&sum, written))
        return false;
    c->input = sum;
    if (c->cached > 0 && rate[RATE_CACHED_INPUT] != UNKNOWN)
        c->cached_input = cached;
    if (w > 0 && rate[RATE_CACHE_WRITE] != UNKNOWN)
        c->cache_write = written;
    return true;
}

static bool add_output(const struct usage *u, struct cost *c)
{
    int64_t output_rate = c->rates.of[RATE_OUTPUT], sum = 0;
    int64_t thought = least(known(u->reasoning), u->output);

    if (!money_add_tokens(&sum, u->output - thought, output_rate) ||
        !money_add_tokens(&sum, thought, rate_or(c->rates.of[RATE_REASONING], output_rate)))
        return false;
    c->output = sum;
    return true;
}

void cost_of(const struct price *p, const struct cost_tokens *tokens, struct cost *out)
{
    const struct usage *u = &tokens->usage;
    struct cost c = {
        .input = UNKNOWN,
        .cached_input = UNKNOWN,
        .output = UNKNOWN,
        .total = UNKNOWN,
        .cache_write = UNKNOWN,
        .rates = p->rates,
    };

    *out = c;
    if (u->input < 0 || u->output < 0)
        return;
    choose_rates(p, tokens, &c);
    c.cached = least(known(u->cached_input), u->input);
    c.uncached = u->input - c.cached;
    c.written = least(known(u->cache_write_input), c.uncached);
    *out = c;
    c.total = 0;
    if (add_input(u, tokens->cache_write_1h, &c) && add_output(u, &c) &&
        money_add(&c.total, c.input) && money_add(&c.total, c.output)) {
        c.state = COST_KNOWN;
        *out = c;
    } else {
        out->state = COST_OVERFLOW;
    }
}
