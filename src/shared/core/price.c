#include "core/price.h"

const char *const rate_key[RATE_COUNT] = {
#define X(constant, name) #name "_usd_per_million",
    PRICE_RATES(X)
#undef X
};

struct rates rates_none(void)
{
    struct rates r;

    for (size_t i = 0; i < RATE_COUNT; i++)
        r.of[i] = UNKNOWN;
    return r;
}

bool rates_equal(const struct rates *a, const struct rates *b)
{
    for (size_t i = 0; i < RATE_COUNT; i++) {
        if (a->of[i] != b->of[i])
            return false;
    }
    return true;
}

void price_init(struct price *p)
{
    *p = (struct price){
        .rates = rates_none(),
        .context_length = UNKNOWN,
        .active = true,
        .created_us = UNKNOWN,
        .updated_us = UNKNOWN,
    };
}

static int64_t low(int64_t min)
{
    return min == UNKNOWN ? 0 : min;
}

static int64_t high(int64_t max)
{
    return max == UNKNOWN ? INT64_MAX : max;
}

bool price_ranges_overlap(int64_t min_a, int64_t max_a, int64_t min_b, int64_t max_b)
{
    return low(min_a) < high(max_b) && low(min_b) < high(max_a);
}

const struct price_tier *price_tier_for(const struct price *p, int64_t input, bool *gap)
{
    const struct price_tier *found = NULL;

    for (size_t i = 0; i < p->tier_count; i++) {
        const struct price_tier *t = &p->tiers[i];

        if (input < low(t->min) || input >= high(t->max))
            continue;
        if (!found || low(t->min) < low(found->min) ||
            (low(t->min) == low(found->min) && high(t->max) < high(found->max)))
            found = t;
    }
    *gap = p->tier_count > 0 && !found;
    return found;
}

/* ---- copies ---- */

static bool copy_text(struct arena *arena, struct str *text)
{
    if (text->ptr)
        *text = arena_dup(arena, *text);
    else
        return true;
    return text->ptr != NULL;
}

static void *copy_array(struct arena *arena, const void *from, size_t size)
{
    void *to = size ? arena_alloc(arena, size) : NULL;

    if (to)
        memcpy(to, from, size);
    return to;
}

static bool copy_tier(struct arena *arena, struct price_tier *t)
{
    return copy_text(arena, &t->label) && copy_text(arena, &t->source_url) &&
           copy_text(arena, &t->checked_at) && copy_text(arena, &t->release_date) &&
           copy_text(arena, &t->notes);
}

static bool copy_lists(struct arena *arena, const struct price *p, struct price *out)
{
    out->aliases = copy_array(arena, p->aliases, p->alias_count * sizeof(*p->aliases));
    out->tiers = copy_array(arena, p->tiers, p->tier_count * sizeof(*p->tiers));
    out->variants = copy_array(arena, p->variants, p->variant_count * sizeof(*p->variants));
    if ((p->alias_count && !out->aliases) || (p->tier_count && !out->tiers) ||
        (p->variant_count && !out->variants))
        return false;
    for (size_t i = 0; i < p->alias_count; i++) {
        if (!copy_text(arena, &out->aliases[i]))
            return false;
    }
    for (size_t i = 0; i < p->tier_count; i++) {
        if (!copy_tier(arena, &out->tiers[i]))
            return false;
    }
    for (size_t i = 0; i < p->variant_count; i++) {
        if (!copy_text(arena, &out->variants[i].service_tier))
            return false;
    }
    return true;
}

int price_copy(struct arena *arena, const struct price *p, struct price *out, struct err *err)
{
    struct price copy = *p;

    if (!copy_text(arena, &copy.provider_slug) || !copy_text(arena, &copy.model) ||
        !copy_text(arena, &copy.display_name) || !copy_text(arena, &copy.source_url) ||
        !copy_text(arena, &copy.checked_at) || !copy_text(arena, &copy.release_date) ||
        !copy_text(arena, &copy.notes) || !copy_text(arena, &copy.seed_digest) ||
        !copy_text(arena, &copy.sync_digest) || !copy_lists(arena, p, &copy))
        return err_set(err, ERR_NO_MEMORY, "no memory for a price");
    *out = copy;
    return 0;
}

const char *price_match_name(enum price_match match)
{
    switch (match) {
    case MATCH_NONE:
        return NULL;
    case MATCH_EXACT:
        return "exact";
    case MATCH_ALIAS:
        return "alias";
    case MATCH_NORMALIZED:
        return "normalized";
    case MATCH_DATED:
        return "dated";
    case MATCH_BASE:
        return "router_base";
    }
    return NULL;
}
