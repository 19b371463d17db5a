#include "core/what_if.h"

#include "core/money.h"

void what_if_init(struct what_if *w, const struct price *p)
{
    *w = (struct what_if){.price = p, .cached_input_cost = UNKNOWN, .rates = p->rates};
}

static int64_t known(int64_t count)
{
    return count > 0 ? count : 0;
}

static void note_rates(struct what_if *w, const struct cost *c)
{
    if (w->included == 0) {
        w->rates = c->rates;
        w->tier = c->tier;
    } else if (w->tier != c->tier || !rates_equal(&w->rates, &c->rates)) {
        w->mixed = true;
    }
}

static void add_tokens(struct what_if *w, const struct usage *u, const struct cost *c)
{
    w->included++;
    w->input += u->input;
    w->cached_input += c->cached;
    w->cache_write_input += known(u->cache_write_input);
    w->output += u->output;
    w->total += u->total >= 0 ? u->total : u->input + u->output;
}

static bool add_costs(struct what_if *w, const struct cost *c)
{
    if (c->state != COST_KNOWN || !money_add(&w->input_cost, c->input) ||
        !money_add(&w->output_cost, c->output) || !money_add(&w->total_cost, c->total))
        return false;
    if (c->cached_input == UNKNOWN)
        return true;
    if (w->cached_input_cost == UNKNOWN)
        w->cached_input_cost = 0;
    return money_add(&w->cached_input_cost, c->cached_input);
}

void what_if_add(struct what_if *w, const struct usage *usage, struct str service_tier)
{
    struct cost_tokens t = {
        .usage = *usage, .cache_write_1h = UNKNOWN, .service_tier = service_tier};
    struct cost c;

    cost_of(w->price, &t, &c);
    if (c.state == COST_UNKNOWN) {
        w->missing++;
        return;
    }
    note_rates(w, &c);
    add_tokens(w, usage, &c);
    if (!w->overflow && !add_costs(w, &c)) {
        w->overflow = true;
        w->input_cost = w->cached_input_cost = w->output_cost = w->total_cost = UNKNOWN;
    }
}

const struct rates *what_if_rates(const struct what_if *w)
{
    return w->mixed || w->included == 0 ? &w->price->rates : &w->rates;
}
