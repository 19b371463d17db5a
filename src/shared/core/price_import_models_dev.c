/* models.dev's api.json: an object of providers with their models, prices in USD per million
 * tokens. */
#include <stdlib.h>

#include "core/forward.h"
#include "core/price_import_priv.h"
#include "core/price_json.h"
#include "json/json_number.h"

struct source {
    struct provider provider;
    struct str models; /* an object */
    bool known;        /* it exists, or is to be created */
};

struct model {
    struct str id, cost, status, modes;
    struct str display_name, release_date, last_updated;
    int64_t context;
    int tools;
};

struct cost {
    struct price_import_rates base;
    struct str tiers, over_200k;
    struct buf ignored;
};

static struct str member(struct str value, struct str key)
{
    struct str out;

    return json_type_of(value) == JSON_OBJECT && json_member(value, key, &out) &&
                   json_type_of(out) != JSON_NULL
               ? out
               : STR_NONE;
}

/* ---- providers ---- */

static struct str slug_of(struct price_importer *im, struct str id)
{
    struct str slug = price_import_key(im, id, 64);

    if (str_eq(slug, STR("moonshotai")))
        return STR("moonshot");
    if (str_eq(slug, STR("huggingface")))
        return STR("huggingface-router");
    return slug;
}

static struct str key_env(struct price_importer *im, struct str list)
{
    struct json_iter it = json_iter(list);
    struct str name = STR_NONE;

    if (json_type_of(list) == JSON_ARRAY && json_next(&it))
        name = price_import_text(im, it.value, 128);
    return name.ptr && provider_env_ok(name) ? name : STR_NONE;
}

static struct str base_url(struct price_importer *im, struct str value)
{
    struct str url = price_import_text(im, value, PRICE_URL_MAX), clean;
    struct err ignored;

    if (!url.ptr || forward_check_provider_url(url, &clean, &ignored) < 0)
        return STR_NONE;
    return arena_dup(&im->rows->arena, clean);
}

static struct source read_source(struct price_importer *im, struct str id, struct str value)
{
    struct source s = {.provider = {.slug = slug_of(im, id), .currency = STR("USD")}};
    struct json_iter it = json_iter(value);

    s.provider.active = true;
    s.provider.name = s.provider.slug;
    if (json_type_of(value) != JSON_OBJECT)
        return s;
    while (json_next(&it)) {
        struct str name = STR_NONE;

        if (str_eq(it.key, STR("name")))
            name = price_import_text(im, it.value, 128);
        else if (str_eq(it.key, STR("env")))
            s.provider.api_key_env = key_env(im, it.value);
        else if (str_eq(it.key, STR("api")))
            s.provider.base_url = base_url(im, it.value);
        else if (str_eq(it.key, STR("models")) && json_type_of(it.value) == JSON_OBJECT)
            s.models = it.value;
        if (name.ptr)
            s.provider.name = name;
    }
    return s;
}

/* ---- costs ---- */

static bool take_rate(struct price_import_rates *r, struct str key, struct str value)
{
    static const struct {
        const char *name;
        enum price_rate rate;
    } names[] = {
        {"input", RATE_INPUT},
        {"output", RATE_OUTPUT},
        {"cache_read", RATE_CACHED_INPUT},
        {"cache_write", RATE_CACHE_WRITE},
        {"reasoning", RATE_REASONING},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!str_eq(key, str_c(names[i].name)))
            continue;
        price_import_rate(r, names[i].rate, value, false);
        return true;
    }
    return false;
}

static struct price_import_rates read_rates(struct str value)
{
    struct price_import_rates r = {.rates = rates_none()};
    struct json_iter it = json_iter(value);

    r.bad = json_type_of(value) != JSON_OBJECT;
    while (!r.bad && json_next(&it))
        take_rate(&r, it.key, it.value);
    if (r.rates.of[RATE_REASONING] == r.rates.of[RATE_OUTPUT])
        r.rates.of[RATE_REASONING] = UNKNOWN;
    return r;
}

static void read_cost(struct cost *c, struct str value)
{
    static const char *const other[] = {"input_audio", "output_audio", "per_minute"};
    struct json_iter it = json_iter(value);

    c->base = read_rates(value);
    while (!c->base.bad && json_next(&it)) {
        if (json_type_of(it.value) == JSON_NULL)
            continue;
        if (str_eq(it.key, STR("tiers")))
            c->tiers = it.value;
        else if (str_eq(it.key, STR("context_over_200k")))
            c->over_200k = it.value;
        for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
            if (str_eq(it.key, str_c(other[i])))
                price_import_ignored(&c->ignored, it.key);
    }
}

struct step {
    int64_t above;
    struct rates rates;
};

static int compare_steps(const void *a, const void *b)
{
    const struct step *x = a, *y = b;

    return (x->above > y->above) - (x->above < y->above);
}

static bool has_prices(const struct price_import_rates *r)
{
    return !r->bad && r->rates.of[RATE_INPUT] != UNKNOWN && r->rates.of[RATE_OUTPUT] != UNKNOWN;
}

/* One element of cost.tiers. False: it is wrong. */
static bool take_step(struct cost *c, struct str value, struct step *steps, size_t *count)
{
    struct str tier = member(value, STR("tier")), type = member(tier, STR("type"));
    struct price_import_rates r = read_rates(value);
    int64_t size;

    if (!type.ptr || !json_string_is(type, STR("context"))) {
        price_import_ignored(&c->ignored, STR("tiers"));
        return true;
    }
    size = json_count(member(tier, STR("size")));
    if (size == UNKNOWN || size < 1 || !has_prices(&r) || *count == IMPORT_TIERS_MAX)
        return false;
    for (size_t i = 0; i < *count; i++)
        if (steps[i].above == size)
            return false;
    steps[(*count)++] = (struct step){size, r.rates};
    return true;
}

static bool take_tiers(struct price_importer *im, struct cost *c, struct price *p)
{
    struct step steps[IMPORT_TIERS_MAX];
    int64_t above[IMPORT_TIERS_MAX];
    struct rates rates[IMPORT_TIERS_MAX];
    size_t count = 0;

    if (c->tiers.ptr) {
        struct json_iter it = json_iter(c->tiers);

        if (json_type_of(c->tiers) != JSON_ARRAY)
            return false;
        while (json_next(&it))
            if (!take_step(c, it.value, steps, &count))
                return false;
    } else if (c->over_200k.ptr) {
        struct price_import_rates r = read_rates(c->over_200k);

        if (!has_prices(&r))
            return false;
        steps[count++] = (struct step){200000, r.rates};
    }
    if (count == 0)
        return true;
    qsort(steps, count, sizeof(*steps), compare_steps);
    for (size_t i = 0; i < count; i++) {
        above[i] = steps[i].above;
        rates[i] = steps[i].rates;
    }
    return price_import_tiers(im, p, above, rates, count, 1);
}

/* experimental.modes: those that a request asks for by its service tier. */
static bool take_variants(struct price_importer *im, struct str modes, struct price *p)
{
    static const char *const names[] = {"flex", "priority"};
    struct rates found[2] = {rates_none(), rates_none()}, none = rates_none();
    struct json_iter it = json_iter(modes);

    if (json_type_of(modes) != JSON_OBJECT)
        return true;
    while (json_next(&it)) {
        struct str provider = member(it.value, STR("provider"));
        struct str body = member(provider, STR("body")), tier, cost = member(it.value, STR("cost"));

        if (!body.ptr)
            body = member(it.value, STR("body"));
        tier = member(body, STR("service_tier"));
        for (size_t i = 0; i < 2 && cost.ptr && tier.ptr; i++) {
            struct price_import_rates r;

            if (!json_string_is(tier, str_c(names[i])))
                continue;
            r = read_rates(cost);
            if (r.bad)
                return false;
            found[i] = r.rates;
        }
    }
    p->variants = arena_alloc(&im->rows->arena, 2 * sizeof(*p->variants));
    for (size_t i = 0; i < 2 && p->variants; i++)
        if (!rates_equal(&found[i], &none))
            p->variants[p->variant_count++] =
                (struct price_variant){str_c(names[i]), found[i], 1000000};
    return true;
}

/* ---- models ---- */

static struct model read_model(struct price_importer *im, struct str id, struct str value)
{
    struct model m = {
        .id = price_import_key(im, id, PRICE_TEXT_MAX), .context = UNKNOWN, .tools = -1};
    struct json_iter it = json_iter(value);

    if (json_type_of(value) != JSON_OBJECT)
        return m;
    while (json_next(&it)) {
        if (json_type_of(it.value) == JSON_NULL)
            continue;
        if (str_eq(it.key, STR("name")))
            m.display_name = price_import_text(im, it.value, PRICE_TEXT_MAX);
        else if (str_eq(it.key, STR("cost")))
            m.cost = it.value;
        else if (str_eq(it.key, STR("limit")) && member(it.value, STR("context")).ptr)
            m.context = json_count(member(it.value, STR("context")));
        else if (str_eq(it.key, STR("status")))
            m.status = it.value;
        else if (str_eq(it.key, STR("release_date")))
            m.release_date = price_import_text(im, it.value, 10);
        else if (str_eq(it.key, STR("last_updated")))
            m.last_updated = price_import_text(im, it.value, 10);
        else if (str_eq(it.key, STR("experimental")))
            m.modes = member(it.value, STR("modes"));
        else if (str_eq(it.key, STR("tool_call")))
            m.tools = json_type_of(it.value) == JSON_TRUE;
    }
    return m;
}

/* YYYY-MM or YYYY-MM-DD */
static struct str date(struct str s)
{
    if (s.len != 7 && s.len != 10)
        return STR_NONE;
    for (size_t i = 0; i < s.len; i++)
        if (i == 4 || i == 7 ? s.ptr[i] != '-' : s.ptr[i] < '0' || s.ptr[i] > '9')
            return STR_NONE;
    return s;
}

static void put_notes(struct price_importer *im, struct price *p, const struct cost *c, bool past,
                      int tools)
{
    struct buf notes = {0};

    price_import_note(&notes, "source", STR("models.dev"));
    if (past)
        price_import_note(&notes, "status", STR("deprecated"));
    if (tools >= 0)
        price_import_note(&notes, "supports_tools", tools ? STR("true") : STR("false"));
    if (c->ignored.len)
        price_import_note(&notes, "ignored", buf_str(&c->ignored));
    p->notes = arena_dup(&im->rows->arena, buf_str(&notes));
    buf_clear(&notes);
}

static void add_row(struct price_importer *im, const struct source *s, const struct model *m,
                    struct cost *c, bool past)
{
    struct price p;
    struct sync_row *row;

    price_init(&p);
    p.rates = c->base.rates;
    if (c->base.bad || !take_tiers(im, c, &p) || !take_variants(im, m->modes, &p)) {
        price_import_skip(im, SKIP_BAD_PRICE);
        return;
    }
    if (!has_prices(&c->base)) {
        price_import_skip(im, SKIP_NO_TOKEN_PRICE);
        return;
    }
    row = price_import_start(im, s->provider.slug, m->id, SYNC_FACTS);
    if (!row)
        return;
    row->supports_tools = m->tools;
    row->price.rates = p.rates;
    row->price.tiers = p.tiers;
    row->price.tier_count = p.tier_count;
    row->price.variants = p.variants;
    row->price.variant_count = p.variant_count;
    row->price.active = !past;
    row->price.context_length = m->context;
    row->price.display_name = m->display_name;
    row->price.release_date = date(m->release_date);
    if (date(m->last_updated).ptr)
        row->price.checked_at = m->last_updated;
    row->price.source_url = STR(IMPORT_MODELS_DEV_URL);
    put_notes(im, &row->price, c, past, m->tools);
    price_import_keep(im);
}

static void add_model(struct price_importer *im, const struct source *s, const struct model *m)
{
    const struct str names[] = {m->id, m->display_name, s->provider.slug, s->provider.name};
    bool past = m->status.ptr && json_string_is(m->status, STR("deprecated"));
    struct cost c = {0};

    if (!price_import_matches(im, names, 4))
        return;
    if (!s->known) {
        price_import_skip(im, SKIP_UNKNOWN_PROVIDER);
    } else if (past && !im->o->include_deprecated) {
        price_import_skip(im, SKIP_DEPRECATED);
    } else if (!m->cost.ptr) {
        price_import_skip(im, SKIP_NO_TOKEN_PRICE);
    } else if (!m->id.ptr) {
        price_import_skip(im, SKIP_BAD_PRICE);
    } else {
        read_cost(&c, m->cost);
        add_row(im, s, m, &c, past);
    }
    buf_clear(&c.ignored);
}

int price_import_models_dev(struct price_importer *im, struct str document)
{
    struct json_iter it = json_iter(document);

    while (!im->full && im->err->code == ERR_NONE && json_next(&it)) {
        struct source s = read_source(im, it.key, it.value);
        struct json_iter models;

        if (!s.models.ptr || (s.provider.slug.ptr ? !price_import_wants(im, s.provider.slug)
                                                  : im->o->provider_count > 0))
            continue;
        s.known = s.provider.slug.ptr && price_import_has_provider(im, &s.provider);
        models = json_iter(s.models);
        while (!im->full && im->err->code == ERR_NONE && json_next(&models)) {
            struct model m = read_model(im, models.key, models.value);

            add_model(im, &s, &m);
        }
    }
    return im->err->code == ERR_NONE ? 0 : -1;
}
