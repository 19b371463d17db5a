/* LiteLLM's model_prices_and_context_window.json: an object of models, prices in USD per token. */
#include <stdio.h>
#include <stdlib.h>

#include "core/price_import_priv.h"
#include "core/price_json.h"
#include "json/json_number.h"

#define RATES_ABOVE 128 /* rates at thresholds, of one entry */
#define KEY_MAX 512

enum { BATCH, FLEX, PRIORITY, VARIANTS };
static const char *const variant_name[VARIANTS] = {"batch", "flex", "priority"};

struct above {
    int64_t threshold;
    enum price_rate rate;
    struct str value;
};

struct entry {
    struct str key, provider, slug, mode, source, deprecated; /* decoded */
    struct str raw_provider, raw_mode, raw_source, raw_deprecated, tiered;
    struct price_import_rates base, variants[VARIANTS];
    struct str cache_hit; /* the other name of the cached input rate */
    struct above above[RATES_ABOVE];
    size_t above_count;
    int64_t max_input, max_tokens;
    int tools, vision; /* -1: not told */
    struct buf ignored;
};

/* ---- keys ---- */

/* Longer names first. */
static const struct {
    const char *name;
    enum price_rate rate;
} rate_names[] = {
    {"input_cost_per_token", RATE_INPUT},
    {"output_cost_per_token", RATE_OUTPUT},
    {"output_cost_per_reasoning_token", RATE_REASONING},
    {"cache_read_input_token_cost", RATE_CACHED_INPUT},
    {"cache_creation_input_token_cost_above_1hr", RATE_CACHE_WRITE_1H},
    {"cache_creation_input_token_cost", RATE_CACHE_WRITE},
};

/* "_above_200k_tokens" */
static bool read_threshold(struct str suffix, int64_t *out)
{
    int64_t n, unit = 1;

    if (!str_starts(suffix, STR("_above_")) || !str_ends(suffix, STR("_tokens")) ||
        suffix.len < sizeof("_above_1_tokens") - 1)
        return false;
    suffix = str_from(suffix, sizeof("_above_") - 1);
    suffix = str_cut(suffix, suffix.len - (sizeof("_tokens") - 1));
    if (suffix.len > 1 && suffix.ptr[suffix.len - 1] == 'k') {
        unit = 1000;
        suffix.len--;
    }
    if (suffix.len > 9 || !str_int64(suffix, &n) || n < 1)
        return false;
    *out = n * unit;
    return true;
}

static void take_rate(struct entry *e, enum price_rate rate, struct str key, struct str suffix,
                      struct str value)
{
    static const char *const suffixes[VARIANTS] = {"_batches", "_flex", "_priority"};
    int64_t threshold;

    if (suffix.len == 0) {
        price_import_rate(&e->base, rate, value, true);
        return;
    }
    for (size_t i = 0; i < VARIANTS; i++) {
        if (str_eq(suffix, str_c(suffixes[i]))) {
            price_import_rate(&e->variants[i], rate, value, true);
            return;
        }
    }
    if (read_threshold(suffix, &threshold) && e->above_count < RATES_ABOVE)
        e->above[e->above_count++] = (struct above){threshold, rate, value};
    else
        price_import_ignored(&e->ignored, str_cut(key, 100));
}

static bool is_rate(struct entry *e, struct str key, struct str value)
{
    if (str_eq(key, STR("input_cost_per_token_cache_hit"))) {
        e->cache_hit = value;
        return true;
    }
    for (size_t i = 0; i < sizeof(rate_names) / sizeof(*rate_names); i++) {
        struct str name = str_c(rate_names[i].name);

        if (!str_starts(key, name) || (key.len > name.len && key.ptr[name.len] != '_'))
            continue;
        take_rate(e, rate_names[i].rate, key, str_from(key, name.len), value);
        return true;
    }
    return false;
}

static int flag(struct str value)
{
    enum json_type type = json_type_of(value);

    return type == JSON_TRUE ? 1 : type == JSON_FALSE ? 0 : -1;
}

static int64_t count(struct str value)
{
    if (json_type_of(value) == JSON_STRING)
        value = (struct str){value.ptr + 1, value.len - 2};
    return json_count(value);
}

static void take_member(struct entry *e, struct str key, struct str value)
{
    if (json_type_of(value) == JSON_NULL)
        return;
    if (str_eq(key, STR("litellm_provider")))
        e->raw_provider = value;
    else if (str_eq(key, STR("mode")))
        e->raw_mode = value;
    else if (str_eq(key, STR("source")))
        e->raw_source = value;
    else if (str_eq(key, STR("deprecation_date")))
        e->raw_deprecated = value;
    else if (str_eq(key, STR("tiered_pricing")))
        e->tiered = value;
    else if (str_eq(key, STR("max_input_tokens")))
        e->max_input = count(value);
    else if (str_eq(key, STR("max_tokens")))
        e->max_tokens = count(value);
    else if (str_eq(key, STR("supports_function_calling")))
        e->tools = flag(value);
    else if (str_eq(key, STR("supports_vision")))
        e->vision = flag(value);
    else if (!is_rate(e, key, value) && str_find(key, STR("cost")) >= 0)
        price_import_ignored(&e->ignored, str_cut(key, 100));
}

/* ---- providers ---- */

static struct str slug_of(struct price_importer *im, struct str provider)
{
    static const char *const renamed[][2] = {
        {"gemini", "google"},
        {"dashscope", "alibaba"},
        {"huggingface", "huggingface-router"},
    };
    char slug[65];
    size_t n = 0;

    for (size_t i = 0; i < sizeof(renamed) / sizeof(*renamed); i++)
        if (str_eq(provider, str_c(renamed[i][0])))
            return str_c(renamed[i][1]);
    for (size_t i = 0; i < provider.len && n < 64; i++) {
        char c = (char)str_lower(provider.ptr[i]);
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (plain || n > 0)
            slug[n++] = plain || c == '_' ? c : '-';
    }
    return n ? arena_dup(&im->rows->arena, (struct str){slug, n}) : STR_NONE;
}

static bool has_mode(const struct entry *e)
{
    static const char *const modes[] = {"chat", "completion", "responses", "embedding", "rerank"};

    if (!e->raw_mode.ptr)
        return true;
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
        if (e->mode.ptr && str_eq(e->mode, str_c(modes[i])))
            return true;
    return false;
}

/* ---- tiers ---- */

static int compare_above(const void *a, const void *b)
{
    const struct above *x = a, *y = b;

    return (x->threshold > y->threshold) - (x->threshold < y->threshold);
}

/* The thresholds that the input rate has, and all rates above each. */
static bool threshold_tiers(struct price_importer *im, struct entry *e, struct price *p)
{
    int64_t above[IMPORT_TIERS_MAX];
    struct rates rates[IMPORT_TIERS_MAX];
    size_t n = 0;

    qsort(e->above, e->above_count, sizeof(*e->above), compare_above);
    for (size_t i = 0; i < e->above_count && n < IMPORT_TIERS_MAX; i++) {
        const struct above *a = &e->above[i];

        if (a->rate == RATE_INPUT && json_type_of(a->value) != JSON_NULL &&
            (n == 0 || above[n - 1] != a->threshold)) {
            rates[n] = p->rates;
            above[n++] = a->threshold;
        }
    }
    for (size_t i = 0, at = 0; i < e->above_count && at < n; i++) {
        const struct above *a = &e->above[i];
        struct price_import_rates one;

        while (at < n && above[at] < a->threshold)
            at++;
        if (at == n || above[at] != a->threshold)
            continue;
        one.rates = rates[at];
        one.bad = false;
        price_import_rate(&one, a->rate, a->value, true);
        rates[at] = one.rates;
        e->base.bad |= one.bad;
    }
    return n == 0 ||
           price_import_tiers(im, p, above, rates, n, str_eq(e->slug, STR("xai")) ? 0 : 1);
}

static bool read_range(struct str value, struct price_tier *t)
{
    struct json_iter it = json_iter(value);
    int64_t bounds[2] = {UNKNOWN, UNKNOWN};

    if (json_type_of(value) != JSON_ARRAY)
        return false;
    for (size_t i = 0; i < 2 && json_next(&it); i++)
        bounds[i] = json_count(it.value);
    if (bounds[0] == UNKNOWN || bounds[1] == UNKNOWN || bounds[0] >= bounds[1])
        return false;
    t->min = bounds[0] ? bounds[0] + 1 : 0;
    t->max = bounds[1] + 1;
    return true;
}

static bool read_tier(struct str value, struct price_import_rates *r, struct price_tier *t)
{
    struct json_iter it = json_iter(value);
    bool ranged = false;

    if (json_type_of(value) != JSON_OBJECT)
        return false;
    while (json_next(&it)) {
        if (str_eq(it.key, STR("range")))
            ranged = read_range(it.value, t);
        if (str_eq(it.key, STR("input_cost_per_token_cache_hit")) &&
            r->rates.of[RATE_CACHED_INPUT] == UNKNOWN)
            price_import_rate(r, RATE_CACHED_INPUT, it.value, true);
        for (size_t i = 0; i < sizeof(rate_names) / sizeof(*rate_names); i++)
            if (str_eq(it.key, str_c(rate_names[i].name)))
                price_import_rate(r, rate_names[i].rate, it.value, true);
    }
    return ranged && !r->bad && r->rates.of[RATE_INPUT] != UNKNOWN;
}

static int compare_tiers(const void *a, const void *b)
{
    const struct price_tier *x = a, *y = b;

    return (x->min > y->min) - (x->min < y->min);
}

/* The list wins over thresholds. False: it is no list of prices. */
static bool listed_tiers(struct price_importer *im, struct entry *e, struct price *p)
{
    struct json_iter it = json_iter(e->tiered);

    if (json_type_of(e->tiered) != JSON_ARRAY)
        return false;
    p->tiers = arena_alloc(&im->rows->arena, IMPORT_TIERS_MAX * sizeof(*p->tiers));
    while (p->tiers && json_next(&it)) {
        struct price_tier *t = &p->tiers[p->tier_count];
        struct price_import_rates r = {.rates = rates_none()};

        *t = (struct price_tier){.min = UNKNOWN, .max = UNKNOWN};
        if (++p->tier_count >= IMPORT_TIERS_MAX || !read_tier(it.value, &r, t))
            return false;
        if (r.rates.of[RATE_OUTPUT] == UNKNOWN)
            r.rates.of[RATE_OUTPUT] = e->base.rates.of[RATE_OUTPUT];
        t->rates = r.rates;
    }
    if (p->tier_count == 0)
        return p->tiers != NULL;
    qsort(p->tiers, p->tier_count, sizeof(*p->tiers), compare_tiers);
    p->tiers[p->tier_count - 1].max = UNKNOWN;
    for (size_t i = 0; i < RATE_COUNT; i++)
        if (p->rates.of[i] == UNKNOWN)
            p->rates.of[i] = p->tiers[0].rates.of[i];
    price_import_labels(im, p);
    return true;
}

/* ---- rows ---- */

static void drop_equal_reasoning(struct rates *r)
{
    if (r->of[RATE_REASONING] == r->of[RATE_OUTPUT])
        r->of[RATE_REASONING] = UNKNOWN;
}

/* The rates of e in p. False: it is counted as left out. */
static bool take_prices(struct price_importer *im, struct entry *e, struct price *p)
{
    bool no_output =
        e->mode.ptr && (str_eq(e->mode, STR("embedding")) || str_eq(e->mode, STR("rerank")));
    bool bad = false;

    if (e->base.rates.of[RATE_CACHED_INPUT] == UNKNOWN && e->cache_hit.ptr)
        price_import_rate(&e->base, RATE_CACHED_INPUT, e->cache_hit, true);
    if (no_output && e->base.rates.of[RATE_OUTPUT] == UNKNOWN && !e->base.bad)
        e->base.rates.of[RATE_OUTPUT] = 0;
    p->rates = e->base.rates;
    if (e->tiered.ptr && json_type_of(e->tiered) != JSON_NULL)
        bad = !listed_tiers(im, e, p);
    bad = bad || e->base.bad;
    for (size_t i = 0; i < VARIANTS; i++)
        bad = bad || e->variants[i].bad;
    if (!bad && (p->rates.of[RATE_INPUT] == UNKNOWN || p->rates.of[RATE_OUTPUT] == UNKNOWN)) {
        price_import_skip(im, SKIP_NO_TOKEN_PRICE);
        return false;
    }
    drop_equal_reasoning(&p->rates);
    if (!bad && p->tier_count == 0)
        bad = !threshold_tiers(im, e, p) || e->base.bad;
    for (size_t i = 0; i < p->tier_count; i++) {
        struct err ignored;

        drop_equal_reasoning(&p->tiers[i].rates);
        bad = bad || price_tier_check(p, &p->tiers[i], &ignored) < 0;
    }
    if (bad)
        price_import_skip(im, SKIP_BAD_PRICE);
    return !bad;
}

static void take_variants(struct price_importer *im, const struct entry *e, struct price *p)
{
    struct rates none = rates_none();

    p->variants = arena_alloc(&im->rows->arena, VARIANTS * sizeof(*p->variants));
    for (size_t i = 0; i < VARIANTS && p->variants; i++) {
        if (rates_equal(&e->variants[i].rates, &none))
            continue;
        p->variants[p->variant_count++] = (struct price_variant){
            .service_tier = str_c(variant_name[i]),
            .rates = e->variants[i].rates,
            .multiplier = 1000000,
        };
    }
}

static struct str notes_of(struct price_importer *im, const struct entry *e)
{
    struct buf notes = {0};
    struct str out;

    price_import_note(&notes, "source", STR("litellm"));
    price_import_note(&notes, "mode", e->mode);
    price_import_note(&notes, "deprecated", e->deprecated);
    if (e->tools >= 0)
        price_import_note(&notes, "supports_tools", e->tools ? STR("true") : STR("false"));
    if (e->vision >= 0)
        price_import_note(&notes, "supports_vision", e->vision ? STR("true") : STR("false"));
    if (e->ignored.len)
        price_import_note(&notes, "ignored", buf_str(&e->ignored));
    out = arena_dup(&im->rows->arena, buf_str(&notes));
    buf_clear(&notes);
    return out;
}

static void add_row(struct price_importer *im, struct entry *e, bool past)
{
    struct str model = e->key;
    struct price p;
    struct sync_row *row;

    if (str_starts(model, e->provider) && model.len > e->provider.len + 1 &&
        model.ptr[e->provider.len] == '/')
        model = str_from(model, e->provider.len + 1);
    price_init(&p);
    if (model.len > PRICE_TEXT_MAX) {
        price_import_skip(im, SKIP_BAD_PRICE);
        return;
    }
    if (!take_prices(im, e, &p))
        return;
    take_variants(im, e, &p);
    row = price_import_start(im, e->slug, model, SYNC_FACTS);
    if (!row)
        return;
    row->supports_tools = e->tools;
    row->price.rates = p.rates;
    row->price.tiers = p.tiers;
    row->price.tier_count = p.tier_count;
    row->price.variants = p.variants;
    row->price.variant_count = p.variant_count;
    row->price.active = !past;
    row->price.context_length = e->max_input != UNKNOWN ? e->max_input : e->max_tokens;
    row->price.source_url = e->source.ptr ? e->source : STR(IMPORT_LITELLM_URL);
    row->price.notes = notes_of(im, e);
    if (model.len != e->key.len && e->key.len <= PRICE_TEXT_MAX)
        row->price.aliases[row->price.alias_count++] = e->key;
    price_import_keep(im);
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

static void decode(struct price_importer *im, struct entry *e, struct str key)
{
    e->key = price_import_key(im, key, KEY_MAX);
    e->provider = price_import_text(im, e->raw_provider, 128);
    e->slug = e->provider.ptr ? slug_of(im, e->provider) : STR_NONE;
    e->mode = price_import_text(im, e->raw_mode, 64);
    e->source = price_import_text(im, e->raw_source, PRICE_URL_MAX);
    if (!is_ascii(e->source))
        e->source = STR_NONE;
    e->deprecated = price_import_text(im, e->raw_deprecated, PRICE_DATE_MAX);
}

static void add_entry(struct price_importer *im, struct entry *e)
{
    const struct provider provider = {
        .slug = e->slug, .name = e->provider, .currency = STR("USD"), .active = true};
    const struct str names[] = {e->key, e->slug, e->provider};
    bool past = price_import_is_past(im, e->deprecated);

    if ((im->o->provider_count && !e->slug.ptr) ||
        (e->slug.ptr && !price_import_wants(im, e->slug)) || !price_import_matches(im, names, 3))
        return;
    if (!e->slug.ptr || !e->key.ptr)
        price_import_skip(im, SKIP_UNKNOWN_PROVIDER);
    else if (!price_book_provider(im->book, e->slug) && !im->o->create_providers)
        price_import_skip(im, SKIP_UNKNOWN_PROVIDER);
    else if (!has_mode(e))
        price_import_skip(im, SKIP_UNSUPPORTED_MODE);
    else if (past && !im->o->include_deprecated)
        price_import_skip(im, SKIP_DEPRECATED);
    else if (!price_import_has_provider(im, &provider))
        price_import_skip(im, SKIP_UNKNOWN_PROVIDER);
    else
        add_row(im, e, past);
}

int price_import_litellm(struct price_importer *im, struct str document)
{
    struct json_iter it = json_iter(document);
    struct entry *e = calloc(1, sizeof(*e));

    if (!e)
        return err_set(im->err, ERR_NO_MEMORY, "no memory for the rows of a catalogue");
    while (!im->full && im->err->code == ERR_NONE && json_next(&it)) {
        struct json_iter members = json_iter(it.value);

        if (str_eq(it.key, STR("sample_spec")) || str_eq(it.key, STR("fallback_generalizations")))
            continue;
        *e = (struct entry){.tools = -1, .vision = -1, .max_input = UNKNOWN, .max_tokens = UNKNOWN};
        e->base.rates = rates_none();
        for (size_t i = 0; i < VARIANTS; i++)
            e->variants[i].rates = rates_none();
        while (json_type_of(it.value) == JSON_OBJECT && json_next(&members))
            take_member(e, members.key, members.value);
        decode(im, e, it.key);
        add_entry(im, e);
        buf_clear(&e->ignored);
    }
    free(e);
    return im->err->code == ERR_NONE ? 0 : -1;
}
