#include "core/upstream_order.h"

#include "core/price.h"

struct place {
    struct choice c;
    int late;            /* weight 0, then the fallback: after all others */
    int64_t first, then; /* the order that the strategy gives; the smaller is first */
    bool drawn;          /* takes part in turns and weights */
};

struct ordering {
    const struct catalog *catalog;
    const struct route *route;
    struct str model;
    int64_t now_us;
    bool peek;
    struct place places[CHOICES_MAX];
    size_t count;
};

const char *upstream_ready_name(enum upstream_ready ready)
{
    static const char *const names[] = {"ready", "cooling", "missing_api_key", "inactive"};

    return names[ready];
}

static void decide(struct ordering *o, size_t index, struct arena *arena, struct decision *d)
{
    catalog_decide_upstream(o->catalog, o->route, index, o->model, arena, d);
}

/* ---- how each is doing ---- */

static void look_at(struct ordering *o, size_t index)
{
    const struct failover *f = o->route->failover;
    struct place *p = &o->places[o->count++];
    bool fallback = index == f->count;
    struct upstream_state *s = o->route->states ? o->route->states[index] : NULL;
    struct arena arena = {0};
    struct decision d;

    *p = (struct place){.c.index = index, .late = fallback ? 2 : 0};
    if (!fallback) {
        p->c.weight = f->upstreams[index].weight;
        p->late = p->c.weight == 0;
    }
    if (s) {
        p->c.failures = s->failures;
        p->c.cooling_us = s->cooling_until_us > o->now_us ? s->cooling_until_us - o->now_us : 0;
    }
    decide(o, index, &arena, &d);
    if (!fallback && !f->upstreams[index].active)
        p->c.ready = UPSTREAM_INACTIVE;
    else if (decision_key_state(&d) == KEY_MISSING)
        p->c.ready = UPSTREAM_MISSING_KEY;
    else if (p->c.cooling_us > 0)
        p->c.ready = UPSTREAM_COOLING;
    arena_clear(&arena);
}

/* Turns and weights are for those that are ready; for all when none is. */
static void draw(struct ordering *o)
{
    bool any = false;

    for (size_t i = 0; i < o->count; i++) {
        struct place *p = &o->places[i];

        p->drawn = p->late == 0 && p->c.ready == UPSTREAM_READY;
        any = any || p->drawn;
    }
    for (size_t i = 0; !any && i < o->count; i++)
        o->places[i].drawn = o->places[i].late == 0 && o->places[i].c.ready != UPSTREAM_INACTIVE;
}

/* ---- strategies ---- */

/* The largest share wins, the earliest on ties, and pays the sum of all weights. */
static void by_weight(struct ordering *o)
{
    struct upstream_state *const *states = o->route->states;
    struct place *best = NULL;
    int64_t sum = 0, most = INT64_MIN;

    for (size_t i = 0; i < o->count; i++) {
        struct place *p = &o->places[i];
        int64_t share;

        p->first = 1;
        p->then = -p->c.weight;
        if (!p->drawn)
            continue;
        share = (states ? states[p->c.index]->share : 0) + p->c.weight;
        sum += p->c.weight;
        if (states && !o->peek)
            states[p->c.index]->share = share;
        if (share > most) {
            most = share;
            best = p;
        }
    }
    if (!best)
        return;
    best->first = 0;
    if (states && !o->peek)
        states[best->c.index]->share -= sum;
}

static void by_turn(struct ordering *o)
{
    struct upstream_state *turn = o->route->turn;
    size_t drawn = 0, seen = 0, start;

    for (size_t i = 0; i < o->count; i++)
        drawn += o->places[i].drawn;
    if (drawn == 0)
        return;
    start = turn ? turn->turn % drawn : 0;
    for (size_t i = 0; i < o->count; i++)
        if (o->places[i].drawn)
            o->places[i].first = (int64_t)((seen++ + drawn - start) % drawn);
    if (turn && !o->peek)
        turn->turn++;
}

/* Input and output rate together; what is not known is dearest. */
static int64_t cost_of(struct ordering *o, size_t index)
{
    const struct price_book *book = o->catalog->prices;
    struct arena arena = {0};
    const struct price *price = NULL;
    int64_t cost = INT64_MAX;
    enum price_match match;
    struct decision d;

    decide(o, index, &arena, &d);
    if (book) {
        const struct price_provider *p = d.provider_slug.len > 0
                                             ? price_book_provider(book, d.provider_slug)
                                             : price_book_provider_at(book, d.base_url);

        if (p)
            price = price_book_find(book, p->slug, d.upstream_model, &match);
    }
    if (price && price->rates.of[RATE_INPUT] != UNKNOWN &&
        price->rates.of[RATE_OUTPUT] != UNKNOWN &&
        __builtin_add_overflow(price->rates.of[RATE_INPUT], price->rates.of[RATE_OUTPUT], &cost))
        cost = INT64_MAX;
    arena_clear(&arena);
    return cost;
}

static void by_cost(struct ordering *o)
{
    for (size_t i = 0; i < o->count; i++)
        o->places[i].first = cost_of(o, o->places[i].c.index);
}

/* ---- the order ---- */

static bool is_before(const struct place *a, const struct place *b)
{
    if (a->c.ready != b->c.ready)
        return a->c.ready < b->c.ready;
    if (a->late != b->late)
        return a->late < b->late;
    if (a->first != b->first)
        return a->first < b->first;
    if (a->then != b->then)
        return a->then < b->then;
    return a->c.index < b->c.index;
}

static void sort(struct ordering *o)
{
    for (size_t i = 1; i < o->count; i++) {
        struct place p = o->places[i];
        size_t k = i;

        for (; k > 0 && is_before(&p, &o->places[k - 1]); k--)
            o->places[k] = o->places[k - 1];
        o->places[k] = p;
    }
}

static void apply_strategy(struct ordering *o)
{
    switch (o->route->failover->strategy) {
    case STRATEGY_FAILOVER:
        break;
    case STRATEGY_WEIGHTED:
        by_weight(o);
        break;
    case STRATEGY_ROUND_ROBIN:
        by_turn(o);
        break;
    case STRATEGY_LOWEST_COST:
        by_cost(o);
        break;
    }
}

size_t upstream_order(const struct catalog *c, const struct route *r, struct str model,
                      int64_t now_us, bool peek, struct choice out[CHOICES_MAX], size_t *count)
{
    struct ordering o = {.catalog = c, .route = r, .model = model, .now_us = now_us, .peek = peek};

    if (r->turn)
        upstream_states_lock(r->turn->all);
    for (size_t i = 0; i < catalog_upstreams(c, r); i++)
        look_at(&o, i);
    draw(&o);
    apply_strategy(&o);
    if (r->turn)
        upstream_states_unlock(r->turn->all);
    sort(&o);
    *count = 0;
    for (size_t i = 0; i < o.count; i++) {
        out[i] = o.places[i].c;
        *count += out[i].ready != UPSTREAM_INACTIVE;
    }
    return o.count;
}

int64_t upstream_cooling_us(const struct route *r, size_t index, int64_t now_us)
{
    struct upstream_state *s = r->states ? r->states[index] : NULL;
    int64_t left;

    if (!s)
        return 0;
    upstream_states_lock(s->all);
    left = s->cooling_until_us - now_us;
    upstream_states_unlock(s->all);
    return left > 0 ? left : 0;
}
