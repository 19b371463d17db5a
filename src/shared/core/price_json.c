#include "core/price_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/money.h"

#define ALIASES_MAX 1000
#define TIERS_MAX 100
#define TOKENS_MAX (INT64_C(1) << 53)

/* The last member of that name, or of its other name; NULL. */
static const cJSON *member(const cJSON *o, const char *name, const char *other)
{
    const cJSON *item, *found = NULL;

    cJSON_ArrayForEach(item, o)
    {
        if (item->string &&
            (strcmp(item->string, name) == 0 || (other && strcmp(item->string, other) == 0)))
            found = item;
    }
    return found;
}

static bool is_blank(const cJSON *item)
{
    return !item || cJSON_IsNull(item) ||
           (cJSON_IsString(item) && str_trim(str_c(item->valuestring)).len == 0);
}

/* ---- texts ---- */

static int read_text(const cJSON *o, const char *name, const char *other, struct arena *arena,
                     struct str *out, struct err *err)
{
    const cJSON *item = member(o, name, other);
    char digits[32];

    if (!item)
        return 0;
    if (is_blank(item)) {
        *out = STR_NONE;
        return 0;
    }
    if (cJSON_IsNumber(item)) {
        snprintf(digits, sizeof(digits), "%.15g", item->valuedouble);
        *out = arena_dup(arena, str_c(digits));
        return 0;
    }
    if (!cJSON_IsString(item))
        return err_set(err, ERR_INVALID, "%s must be a text.", name);
    *out = str_trim(str_c(item->valuestring));
    return 0;
}

static size_t characters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return n;
}

static int check_length(struct str s, size_t most, const char *name, struct err *err)
{
    if (characters(s) <= most)
        return 0;
    return err_set(err, ERR_INVALID, "%s must be at most %zu characters.", name, most);
}

static int check_ascii(struct str s, size_t most, const char *name, struct err *err)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] >= 0x80)
            return err_set(err, ERR_INVALID, "%s must be ASCII.", name);
    }
    return check_length(s, most, name, err);
}

/* Where a price comes from: members that prices and tiers share. */
static int read_source(const cJSON *o, struct arena *arena, struct str *source_url,
                       struct str *checked_at, struct str *release_date, struct str *notes,
                       struct err *err)
{
    if (read_text(o, "source_url", NULL, arena, source_url, err) < 0 ||
        read_text(o, "checked_at", "checked", arena, checked_at, err) < 0 ||
        read_text(o, "release_date", "released", arena, release_date, err) < 0 ||
        read_text(o, "notes", NULL, arena, notes, err) < 0 ||
        check_ascii(*source_url, PRICE_URL_MAX, "source_url", err) < 0 ||
        check_ascii(*checked_at, PRICE_DATE_MAX, "checked_at", err) < 0)
        return -1;
    return check_ascii(*release_date, PRICE_DATE_MAX, "release_date", err);
}

/* ---- numbers ---- */

int price_read_rate(const cJSON *value, int64_t *out)
{
    char digits[32];

    if (is_blank(value))
        return 0;
    if (cJSON_IsString(value))
        return money_rate(str_c(value->valuestring), out) ? 1 : -1;
    if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
        return -1;
    snprintf(digits, sizeof(digits), "%.15g", value->valuedouble);
    return money_rate(str_c(digits), out) ? 1 : -1;
}

static int read_rates(const cJSON *o, struct rates *rates, struct err *err)
{
    for (size_t i = 0; i < RATE_COUNT; i++) {
        const cJSON *item = member(o, rate_key[i], NULL);
        int got = price_read_rate(item, &rates->of[i]);

        if (got < 0)
            return err_set(err, ERR_INVALID,
                           "%s must be a decimal number from 0 to 1000000 USD per million tokens.",
                           rate_key[i]);
        if (item && got == 0)
            rates->of[i] = UNKNOWN;
    }
    return 0;
}

static int read_count(const cJSON *o, const char *name, int64_t *out, struct err *err)
{
    const cJSON *item = member(o, name, NULL);
    int64_t value = -1;

    if (!item)
        return 0;
    if (is_blank(item)) {
        *out = UNKNOWN;
        return 0;
    }
    if (cJSON_IsNumber(item) && item->valuedouble == trunc(item->valuedouble) &&
        fabs(item->valuedouble) <= (double)TOKENS_MAX)
        value = (int64_t)item->valuedouble;
    else if (cJSON_IsString(item) && !str_int64(str_trim(str_c(item->valuestring)), &value))
        value = -1;
    if (value < 0 || value > TOKENS_MAX)
        return err_set(err, ERR_INVALID, "%s must be a whole number of at least 0.", name);
    *out = value;
    return 0;
}

static int read_flag(const cJSON *o, const char *name, bool *out, struct err *err)
{
    const cJSON *item = member(o, name, NULL);

    if (!item)
        return 0;
    if (cJSON_IsString(item)) {
        *out = str_is_yes(str_c(item->valuestring));
        return 0;
    }
    if (!cJSON_IsBool(item) && !cJSON_IsNumber(item) && !cJSON_IsNull(item))
        return err_set(err, ERR_INVALID, "%s must be true or false.", name);
    *out = cJSON_IsNumber(item) ? item->valuedouble == 1 : cJSON_IsTrue(item);
    return 0;
}

/* ---- lists ---- */

static int add_alias(struct price *p, struct str alias, struct err *err)
{
    alias = str_trim(alias);
    for (size_t i = 0; i < p->alias_count; i++) {
        if (str_eq(p->aliases[i], alias))
            return 0;
    }
    if (alias.len == 0)
        return 0;
    if (p->alias_count == ALIASES_MAX)
        return err_set(err, ERR_INVALID, "aliases must be at most %d.", ALIASES_MAX);
    p->aliases[p->alias_count++] = alias;
    return check_length(alias, PRICE_TEXT_MAX, "An alias", err);
}

static int split_aliases(struct price *p, struct str text, struct err *err)
{
    size_t start = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ',' && text.ptr[i] != '\n' && text.ptr[i] != '\r')
            continue;
        if (add_alias(p, str_cut(str_from(text, start), i - start), err) < 0)
            return -1;
        start = i + 1;
    }
    return 0;
}

static int read_aliases(const cJSON *o, struct arena *arena, struct price *p, struct err *err)
{
    const cJSON *list = member(o, "aliases", NULL), *item;

    if (!list)
        return 0;
    p->alias_count = 0;
    if (is_blank(list))
        return 0;
    p->aliases = arena_alloc(arena, ALIASES_MAX * sizeof(*p->aliases));
    if (!p->aliases)
        return err_set(err, ERR_NO_MEMORY, "no memory for aliases");
    if (cJSON_IsString(list))
        return split_aliases(p, str_c(list->valuestring), err);
    if (!cJSON_IsArray(list))
        return err_set(err, ERR_INVALID, "aliases must be a list or a text.");
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item))
            return err_set(err, ERR_INVALID, "aliases must be texts.");
        if (add_alias(p, str_c(item->valuestring), err) < 0)
            return -1;
    }
    return 0;
}

int price_tier_read(const cJSON *o, struct arena *arena, struct price_tier *t, struct err *err)
{
    if (!cJSON_IsObject(o))
        return err_set(err, ERR_INVALID, "A tier must be an object.");
    if (read_count(o, "min_input_tokens", &t->min, err) < 0 ||
        read_count(o, "max_input_tokens", &t->max, err) < 0 || read_rates(o, &t->rates, err) < 0 ||
        read_text(o, "label", NULL, arena, &t->label, err) < 0 ||
        check_length(t->label, PRICE_TEXT_MAX, "label", err) < 0)
        return -1;
    return read_source(o, arena, &t->source_url, &t->checked_at, &t->release_date, &t->notes, err);
}

static int read_tiers(const cJSON *o, struct arena *arena, struct price *p, struct err *err)
{
    const cJSON *list = member(o, "tiers", NULL), *item;
    int count = cJSON_GetArraySize(list);

    if (!list)
        return 0;
    if (!cJSON_IsArray(list) && !cJSON_IsNull(list))
        return err_set(err, ERR_INVALID, "tiers must be a list.");
    if (count > TIERS_MAX)
        return err_set(err, ERR_INVALID, "tiers must be at most %d.", TIERS_MAX);
    p->tier_count = 0;
    p->tiers = arena_alloc(arena, ((size_t)count + 1) * sizeof(*p->tiers));
    if (!p->tiers)
        return err_set(err, ERR_NO_MEMORY, "no memory for tiers");
    cJSON_ArrayForEach(item, list)
    {
        struct price_tier *t = &p->tiers[p->tier_count++];

        *t = (struct price_tier){.min = UNKNOWN, .max = UNKNOWN, .rates = rates_none()};
        if (price_tier_read(item, arena, t, err) < 0)
            return -1;
    }
    return 0;
}

static int read_variant(const cJSON *o, struct arena *arena, struct price_variant *v,
                        struct err *err)
{
    const cJSON *multiplier = member(o, "multiplier", NULL);
    int got;

    *v = (struct price_variant){.rates = rates_none(), .multiplier = 1000000};
    if (!cJSON_IsObject(o))
        return err_set(err, ERR_INVALID, "A variant must be an object.");
    if (read_text(o, "service_tier", NULL, arena, &v->service_tier, err) < 0 ||
        read_rates(o, &v->rates, err) < 0)
        return -1;
    if (!str_eq(v->service_tier, STR("batch")) && !str_eq(v->service_tier, STR("flex")) &&
        !str_eq(v->service_tier, STR("priority")))
        return err_set(err, ERR_INVALID, "service_tier must be batch, flex or priority.");
    got = price_read_rate(multiplier, &v->multiplier); /* six decimals, as rates have */
    return got < 0 ? err_set(err, ERR_INVALID, "multiplier must be a decimal number.") : 0;
}

static int read_variants(const cJSON *o, struct arena *arena, struct price *p, struct err *err)
{
    const cJSON *list = member(o, "variants", NULL), *item;

    if (!list)
        return 0;
    if ((!cJSON_IsArray(list) && !cJSON_IsNull(list)) || cJSON_GetArraySize(list) > 3)
        return err_set(err, ERR_INVALID, "variants must be a list of at most 3.");
    p->variant_count = 0;
    p->variants = arena_alloc(arena, 3 * sizeof(*p->variants));
    if (!p->variants)
        return err_set(err, ERR_NO_MEMORY, "no memory for variants");
    cJSON_ArrayForEach(item, list)
    {
        struct price_variant *v = &p->variants[p->variant_count];

        if (read_variant(item, arena, v, err) < 0)
            return -1;
        for (size_t i = 0; i < p->variant_count; i++) {
            if (str_eq(p->variants[i].service_tier, v->service_tier))
                return err_set(err, ERR_INVALID, "variants must have different service tiers.");
        }
        p->variant_count++;
    }
    return 0;
}

int price_read(const cJSON *o, struct arena *arena, struct price *p, struct err *err)
{
    if (read_text(o, "provider_slug", "provider", arena, &p->provider_slug, err) < 0 ||
        read_text(o, "model", NULL, arena, &p->model, err) < 0 ||
        check_length(p->model, PRICE_TEXT_MAX, "model", err) < 0 ||
        read_text(o, "display_name", NULL, arena, &p->display_name, err) < 0 ||
        check_length(p->display_name, PRICE_TEXT_MAX, "display_name", err) < 0 ||
        read_rates(o, &p->rates, err) < 0 || read_aliases(o, arena, p, err) < 0 ||
        read_count(o, "context_length", &p->context_length, err) < 0 ||
        read_flag(o, "active", &p->active, err) < 0 || read_tiers(o, arena, p, err) < 0 ||
        read_variants(o, arena, p, err) < 0)
        return -1;
    return read_source(o, arena, &p->source_url, &p->checked_at, &p->release_date, &p->notes, err);
}

/* ---- checks ---- */

static int check_rates(const struct rates *rates, struct err *err)
{
    if (rates->of[RATE_INPUT] == UNKNOWN)
        return err_set(err, ERR_INVALID, "%s is required.", rate_key[RATE_INPUT]);
    if (rates->of[RATE_OUTPUT] == UNKNOWN)
        return err_set(err, ERR_INVALID, "%s is required.", rate_key[RATE_OUTPUT]);
    return 0;
}

int price_tier_check(const struct price *p, const struct price_tier *t, struct err *err)
{
    if (check_rates(&t->rates, err) < 0)
        return -1;
    if (t->max != UNKNOWN && t->max <= (t->min == UNKNOWN ? 0 : t->min))
        return err_set(err, ERR_INVALID, "max_input_tokens must be greater than min_input_tokens.");
    for (size_t i = 0; i < p->tier_count; i++) {
        const struct price_tier *other = &p->tiers[i];

        if (other != t && (t->id == 0 || other->id != t->id) &&
            price_ranges_overlap(t->min, t->max, other->min, other->max))
            return err_set(err, ERR_INVALID, "The range overlaps another tier of this price.");
    }
    return 0;
}

int price_check(const struct price *p, struct err *err)
{
    if (!p->provider_slug.ptr)
        return err_set(err, ERR_INVALID, "provider_slug is required.");
    if (!p->model.ptr)
        return err_set(err, ERR_INVALID, "model is required.");
    if (check_rates(&p->rates, err) < 0)
        return -1;
    for (size_t i = 0; i < p->tier_count; i++) {
        if (price_tier_check(p, &p->tiers[i], err) < 0)
            return -1;
    }
    return 0;
}

/* ---- digest: FNV-1a over what a catalogue says ---- */

static void mix(uint64_t *hash, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < len; i++)
        *hash = (*hash ^ p[i]) * UINT64_C(1099511628211);
}

static void mix_text(uint64_t *hash, struct str s)
{
    int64_t len = s.ptr ? (int64_t)s.len : -1;

    mix(hash, &len, sizeof(len));
    mix(hash, s.ptr ? s.ptr : "", s.len);
}

static void mix_int(uint64_t *hash, int64_t n)
{
    mix(hash, &n, sizeof(n));
}

char *price_digest(const struct price *p, char out[PRICE_DIGEST_SIZE])
{
    uint64_t hash = UINT64_C(14695981039346656037);

    mix_text(&hash, p->display_name);
    for (size_t i = 0; i < p->alias_count; i++)
        mix_text(&hash, p->aliases[i]);
    mix(&hash, &p->rates, sizeof(p->rates));
    mix_int(&hash, p->active);
    mix_int(&hash, p->context_length);
    for (size_t i = 0; i < p->tier_count; i++) {
        const struct price_tier *t = &p->tiers[i];

        mix_int(&hash, t->min);
        mix_int(&hash, t->max);
        mix(&hash, &t->rates, sizeof(t->rates));
        mix_text(&hash, t->label);
        mix_text(&hash, t->source_url);
        mix_text(&hash, t->checked_at);
        mix_text(&hash, t->release_date);
        mix_text(&hash, t->notes);
    }
    for (size_t i = 0; i < p->variant_count; i++) {
        mix_text(&hash, p->variants[i].service_tier);
        mix(&hash, &p->variants[i].rates, sizeof(p->variants[i].rates));
        mix_int(&hash, p->variants[i].multiplier);
    }
    mix_text(&hash, p->source_url);
    mix_text(&hash, p->checked_at);
    mix_text(&hash, p->release_date);
    mix_text(&hash, p->notes);
    snprintf(out, PRICE_DIGEST_SIZE, "%016" PRIx64, hash);
    return out;
}

bool price_edited(const struct price *p)
{
    char now[PRICE_DIGEST_SIZE];
    struct str digest = str_c(price_digest(p, now));

    return !(p->seed_digest.ptr && str_eq(p->seed_digest, digest)) &&
           !(p->sync_digest.ptr && str_eq(p->sync_digest, digest));
}
