#include "core/sync.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "core/money.h"
#include "core/price_json.h"

#define ENDPOINTS_MAX 500 /* of one model */

/* ---- reading documents ---- */

static const cJSON *get(const cJSON *o, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* A text that is not blank; STR_NONE. */
static struct str text(const cJSON *o, const char *key)
{
    struct str s = str_c(cJSON_GetStringValue(get(o, key)));

    return str_trim(s).len > 0 ? s : STR_NONE;
}

/* A number as it was written, or as near as a double tells. */
static struct str number_text(const cJSON *item, char digits[32])
{
    if (cJSON_IsString(item))
        return str_c(item->valuestring);
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return STR("");
    snprintf(digits, 32, "%.15g", item->valuedouble);
    return str_c(digits);
}

static int64_t rate(const cJSON *item, bool per_token)
{
    char digits[32];
    struct str s = number_text(item, digits);
    int64_t out = UNKNOWN;

    if (per_token ? money_rate_of_token(s, &out) : money_rate(s, &out))
        return out;
    return UNKNOWN;
}

static int64_t count(const cJSON *item)
{
    int64_t out;

    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 9e15 &&
        item->valuedouble == trunc(item->valuedouble))
        return (int64_t)item->valuedouble;
    if (cJSON_IsString(item) && str_int64(str_trim(str_c(item->valuestring)), &out) && out >= 0)
        return out;
    return UNKNOWN;
}

static bool has(struct str s, struct str needle)
{
    return s.ptr && str_ifind(s, needle) >= 0;
}

static bool matches(const cJSON *model, struct str search)
{
    static const char *const names[] = {"id", "name", "canonical_slug", "owned_by"};
    const cJSON *one;

    if (search.len == 0)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (has(text(model, names[i]), search))
            return true;
    }
    cJSON_ArrayForEach(one, get(model, "providers"))
    {
        if (has(text(one, "provider"), search))
            return true;
    }
    return false;
}

size_t sync_models(const cJSON *list, const struct sync_options *o, const cJSON **out, size_t most)
{
    const cJSON *items = cJSON_IsArray(list) ? list : get(list, "data"), *one;
    size_t n = 0;

    if (!cJSON_IsArray(items))
        return 0;
    cJSON_ArrayForEach(one, items)
    {
        if (n < most && (int64_t)n < o->limit && cJSON_IsObject(one) && text(one, "id").ptr &&
            matches(one, o->search))
            out[n++] = one;
    }
    return n;
}

/* ---- rows ---- */

static struct sync_row *new_row(struct sync_rows *rows, struct err *err)
{
    struct sync_row *row;

    if (rows->count == rows->cap) {
        size_t more = rows->cap ? rows->cap * 2 : 64;
        struct sync_row *bigger = realloc(rows->rows, more * sizeof(*bigger));

        if (!bigger) {
            err_set(err, ERR_NO_MEMORY, "no memory for the rows of a catalogue");
            return NULL;
        }
        rows->rows = bigger;
        rows->cap = more;
    }
    row = &rows->rows[rows->count];
    *row = (struct sync_row){.supports_tools = -1};
    price_init(&row->price);
    return row;
}

static struct str lower(struct arena *arena, struct str s)
{
    struct str out = arena_dup(arena, s);

    for (size_t i = 0; i < out.len; i++)
        ((char *)(uintptr_t)out.ptr)[i] = (char)str_lower(out.ptr[i]);
    return out;
}

static void add_alias(struct price *p, struct str alias)
{
    if (!alias.ptr)
        return;
    for (size_t i = 0; i < p->alias_count; i++) {
        if (str_eq(p->aliases[i], alias))
            return;
    }
    p->aliases[p->alias_count++] = alias;
}

struct sync_row *sync_start(struct sync_rows *rows, struct str provider_slug, struct str model,
                            struct str today, struct err *err)
{
    struct sync_row *row = new_row(rows, err);
    struct arena *a = &rows->arena;

    if (!row)
        return NULL;
    row->price.provider_slug = arena_dup(a, provider_slug);
    row->price.model = arena_dup(a, model);
    row->price.checked_at = today;
    row->key = arena_printf(a, "%.*s:%.*s", STR_ARG(provider_slug), STR_ARG(model));
    row->price.aliases = arena_alloc(a, 4 * sizeof(struct str));
    if (row->price.aliases && row->key.ptr)
        return row;
    err_set(err, ERR_NO_MEMORY, "no memory for the rows of a catalogue");
    return NULL;
}

/* ---- notes: key=value; … ---- */

static void note(struct buf *b, const char *key, struct str value)
{
    if (!value.ptr || value.len > 300)
        return;
    buf_printf(b, "%s%s=%.*s", b->len ? "; " : "", key, STR_ARG(value));
}

static void note_count(struct buf *b, const char *key, int64_t n)
{
    if (n != UNKNOWN)
        buf_printf(b, "%s%s=%" PRId64, b->len ? "; " : "", key, n);
}

/* Prices of other things than tokens, which are not billed. */
static void note_ignored(struct buf *b, const cJSON *pricing)
{
    static const char *const names[] = {"request", "image", "web_search", "internal_reasoning",
                                        "discount"};
    bool first = true;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char digits[32];
        struct str value = number_text(get(pricing, names[i]), digits);
        int64_t zero = 1;

        if (str_trim(value).len == 0 || value.len > 60 || (money_amount(value, &zero) && zero == 0))
            continue;
        buf_printf(b, "%s%s%s:%.*s", first && b->len ? "; " : "", first ? "ignored=" : ",",
                   names[i], STR_ARG(value));
        first = false;
    }
}

static void put_notes(struct sync_rows *rows, struct sync_row *row, const cJSON *item,
                      const char *external, const cJSON *pricing)
{
    struct buf b = {0};

    note(&b, "source", row->price.provider_slug);
    note(&b, "row", row->base ? STR("base") : STR("provider"));
    note(&b, "provider", row->external_provider);
    if (external)
        note(&b, "tag", text(item, external));
    note(&b, "status", text(item, "status"));
    note_count(&b, "context", row->price.context_length);
    note(&b, "quantization", text(item, "quantization"));
    if (row->supports_tools >= 0)
        note(&b, "supports_tools", row->supports_tools ? STR("true") : STR("false"));
    note_ignored(&b, pricing);
    row->price.notes = arena_dup(&rows->arena, buf_str(&b));
    buf_clear(&b);
}

/* ---- Hugging Face ---- */

static bool hf_rates(const cJSON *entry, struct rates *out)
{
    const cJSON *pricing = get(entry, "pricing");

    *out = rates_none();
    out->of[RATE_INPUT] = rate(get(pricing, "input"), false);
    out->of[RATE_OUTPUT] = rate(get(pricing, "output"), false);
    return out->of[RATE_INPUT] != UNKNOWN && out->of[RATE_OUTPUT] != UNKNOWN;
}

static int compare_bytes(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool is_live(const cJSON *entry)
{
    struct str status = text(entry, "status");

    return !status.ptr || str_eq(status, STR("live"));
}

static const cJSON *hf_cheapest(const cJSON *model)
{
    const cJSON *one, *best = NULL;
    int64_t best_sum = 0;

    cJSON_ArrayForEach(one, get(model, "providers"))
    {
        struct rates rates;
        int64_t sum;

        if (!is_live(one) || !hf_rates(one, &rates))
            continue;
        sum = rates.of[RATE_INPUT] + rates.of[RATE_OUTPUT];
        if (!best || sum < best_sum ||
            (sum == best_sum && compare_bytes(text(one, "provider"), text(best, "provider")) < 0)) {
            best = one;
            best_sum = sum;
        }
    }
    return best;
}

/* The URL of a model's page: everything but unreserved characters and slashes encoded. */
static struct str model_url(struct arena *arena, const char *base, struct str id)
{
    struct buf b = {0};
    struct str out;

    buf_printf(&b, "%s/", base);
    for (size_t i = 0; i < id.len && i < 1000; i++) {
        unsigned char c = (unsigned char)id.ptr[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-_.~/", c))
            buf_printf(&b, "%c", c);
        else
            buf_printf(&b, "%%%02X", c);
    }
    out = arena_dup(arena, buf_str(&b));
    buf_clear(&b);
    return out;
}

static int hf_row(struct sync_rows *rows, const cJSON *model, const cJSON *entry, bool base,
                  struct str today, struct err *err)
{
    struct str id = text(model, "id"), provider = text(entry, "provider"), name;
    struct arena *a = &rows->arena;
    struct sync_row *row;
    struct price *p;

    name = base ? id : arena_printf(a, "%.*s:%.*s", STR_ARG(id), STR_ARG(provider));
    row = sync_start(rows, STR("huggingface-router"), name, today, err);
    if (!row)
        return -1;
    p = &row->price;
    row->base = base;
    row->external_provider = arena_dup(a, provider);
    hf_rates(entry, &p->rates);
    p->context_length = count(get(entry, "context_length"));
    if (cJSON_IsBool(get(entry, "supports_tools")))
        row->supports_tools = cJSON_IsTrue(get(entry, "supports_tools"));
    p->display_name =
        arena_printf(a, "%.*s (%.*s)", STR_ARG(id), STR_ARG(base ? STR("HF Router") : provider));
    if (!base)
        add_alias(p, p->model);
    if (!base || !str_eq(lower(a, name), name))
        add_alias(p, lower(a, name));
    p->source_url = model_url(a, SYNC_HUGGINGFACE_URL, id);
    put_notes(rows, row, entry, NULL, NULL);
    rows->count++;
    return 0;
}

int sync_add_huggingface(struct sync_rows *rows, const struct sync_options *o, const cJSON *model,
                         struct str today, struct err *err)
{
    const cJSON *best = o->base_rows ? hf_cheapest(model) : NULL, *one;
    struct rates rates;

    if (best && hf_row(rows, model, best, true, today, err) < 0)
        return -1;
    if (!o->provider_rows)
        return 0;
    cJSON_ArrayForEach(one, get(model, "providers"))
    {
        if (text(one, "provider").ptr && hf_rates(one, &rates) &&
            hf_row(rows, model, one, false, today, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- OpenRouter ---- */

static bool or_rates(const cJSON *item, struct rates *out)
{
    static const char *const cached[] = {"input_cache_read", "cache_read", "prompt_cache_read"};
    const cJSON *pricing = get(item, "pricing");

    *out = rates_none();
    out->of[RATE_INPUT] = rate(get(pricing, "prompt"), true);
    out->of[RATE_OUTPUT] = rate(get(pricing, "completion"), true);
    out->of[RATE_CACHE_WRITE] = rate(get(pricing, "input_cache_write"), true);
    for (size_t i = 0; i < sizeof(cached) / sizeof(*cached); i++) {
        char digits[32];
        const cJSON *value = get(pricing, cached[i]);

        if (str_trim(number_text(value, digits)).len == 0)
            continue;
        out->of[RATE_CACHED_INPUT] = rate(value, true);
        break;
    }
    return out->of[RATE_INPUT] != UNKNOWN && out->of[RATE_OUTPUT] != UNKNOWN;
}

static int or_tools(const cJSON *item)
{
    const cJSON *list = get(item, "supported_parameters"), *one;

    if (!cJSON_IsArray(list))
        return -1;
    cJSON_ArrayForEach(one, list)
    {
        if (cJSON_IsString(one) && strcmp(one->valuestring, "tools") == 0)
            return 1;
    }
    return 0;
}

static void or_facts(struct sync_rows *rows, struct sync_row *row, const cJSON *item, bool base)
{
    row->base = base;
    or_rates(item, &row->price.rates);
    row->price.context_length = count(get(item, "context_length"));
    row->supports_tools = or_tools(item);
    put_notes(rows, row, item, base ? NULL : "tag", get(item, "pricing"));
    rows->count++;
}

static int or_base_row(struct sync_rows *rows, const cJSON *model, struct str today,
                       struct err *err)
{
    struct str id = text(model, "id"), name = text(model, "name");
    struct arena *a = &rows->arena;
    struct sync_row *row = sync_start(rows, STR("openrouter"), id, today, err);

    if (!row)
        return -1;
    row->price.display_name =
        name.ptr ? arena_dup(a, name) : arena_printf(a, "%.*s (OpenRouter)", STR_ARG(id));
    add_alias(&row->price, arena_dup(a, text(model, "canonical_slug")));
    if (!str_eq(lower(a, id), id))
        add_alias(&row->price, lower(a, id));
    row->price.source_url = STR(SYNC_OPENROUTER_URL);
    or_facts(rows, row, model, true);
    return 0;
}

static int or_endpoint_row(struct sync_rows *rows, const cJSON *model, const cJSON *endpoint,
                           struct str url, struct str today, struct err *err)
{
    struct str id = text(model, "id"), name = text(model, "name"), tag = text(endpoint, "tag");
    struct str provider = text(endpoint, "provider_name");
    struct arena *a = &rows->arena;
    struct sync_row *row =
        sync_start(rows, STR("openrouter"), arena_printf(a, "%.*s@%.*s", STR_ARG(id), STR_ARG(tag)),
                   today, err);

    if (!row)
        return -1;
    row->external_provider = arena_dup(a, provider.ptr ? provider : tag);
    row->price.display_name = arena_printf(a, "%.*s (%.*s)", STR_ARG(name.ptr ? name : id),
                                           STR_ARG(row->external_provider));
    add_alias(&row->price, row->price.model);
    add_alias(&row->price, arena_printf(a, "%.*s:%.*s", STR_ARG(id), STR_ARG(tag)));
    row->price.source_url = arena_dup(a, url);
    or_facts(rows, row, endpoint, false);
    return 0;
}

static int64_t or_sum(const cJSON *endpoint)
{
    struct rates r;

    return or_rates(endpoint, &r) ? r.of[RATE_INPUT] + r.of[RATE_OUTPUT] : INT64_MAX;
}

/* Whether another endpoint with the same tag counts instead: a cheaper one, or an earlier equal. */
static bool is_outdone(const cJSON *endpoints, const cJSON *endpoint)
{
    struct str tag = text(endpoint, "tag");
    int64_t sum = or_sum(endpoint);
    bool earlier = true;
    const cJSON *one;

    cJSON_ArrayForEach(one, endpoints)
    {
        if (one == endpoint)
            earlier = false;
        else if (str_eq(text(one, "tag"), tag) &&
                 (or_sum(one) < sum || (earlier && or_sum(one) == sum)))
            return true;
    }
    return false;
}

struct str sync_endpoints_url(const cJSON *model, struct arena *arena)
{
    static const struct str host = {"https://openrouter.ai", 21};
    struct str link = text(get(model, "links"), "details");
    struct str url;

    if (link.ptr && str_starts(link, STR("/")) && !str_starts(link, STR("//")) &&
        str_chr(link, '\\') < 0)
        return arena_printf(arena, "%.*s%.*s", STR_ARG(host), STR_ARG(link));
    if (link.ptr && str_starts(link, STR("https://openrouter.ai/")))
        return arena_dup(arena, link);
    url = model_url(arena, SYNC_OPENROUTER_URL, text(model, "id"));
    return arena_printf(arena, "%.*s/endpoints", STR_ARG(url));
}

int sync_add_openrouter(struct sync_rows *rows, const struct sync_options *o, const cJSON *model,
                        const cJSON *endpoints, struct str endpoints_url, struct str today,
                        struct err *err)
{
    const cJSON *list = get(get(endpoints, "data"), "endpoints"), *one;
    struct rates rates;
    int n = 0;

    if (o->base_rows && or_rates(model, &rates) && or_base_row(rows, model, today, err) < 0)
        return -1;
    if (!o->provider_rows || !cJSON_IsArray(list))
        return 0;
    cJSON_ArrayForEach(one, list)
    {
        if (n++ < ENDPOINTS_MAX && cJSON_IsObject(one) && text(one, "tag").ptr &&
            or_rates(one, &rates) && !is_outdone(list, one) &&
            or_endpoint_row(rows, model, one, endpoints_url, today, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- against what is stored ---- */

static bool same_text(struct str a, struct str b)
{
    return str_eq(a, b) && !a.ptr == !b.ptr;
}

static bool same_tiers(const struct price *a, const struct price *b, bool labels)
{
    if (a->tier_count != b->tier_count)
        return false;
    for (size_t i = 0; i < a->tier_count; i++) {
        const struct price_tier *x = &a->tiers[i], *y = &b->tiers[i];

        if ((x->min == UNKNOWN ? 0 : x->min) != (y->min == UNKNOWN ? 0 : y->min) ||
            x->max != y->max || !rates_equal(&x->rates, &y->rates) ||
            (labels && !same_text(x->label, y->label)))
            return false;
    }
    return true;
}

static bool same_variants(const struct price *a, const struct price *b)
{
    if (a->variant_count != b->variant_count)
        return false;
    for (size_t i = 0; i < a->variant_count; i++) {
        const struct price_variant *x = &a->variants[i], *y = &b->variants[i];

        if (!str_eq(x->service_tier, y->service_tier) || x->multiplier != y->multiplier ||
            !rates_equal(&x->rates, &y->rates))
            return false;
    }
    return true;
}

/* A checked date alone is no difference. */
static bool same_price(const struct price *a, const struct price *b)
{
    if (!same_text(a->display_name, b->display_name) || a->alias_count != b->alias_count ||
        !rates_equal(&a->rates, &b->rates) || !same_text(a->source_url, b->source_url) ||
        !same_text(a->notes, b->notes) || !same_text(a->release_date, b->release_date) ||
        a->context_length != b->context_length || !same_tiers(a, b, true) || !same_variants(a, b))
        return false;
    for (size_t i = 0; i < a->alias_count; i++) {
        if (!str_eq(a->aliases[i], b->aliases[i]))
            return false;
    }
    return true;
}

void sync_compare(struct sync_rows *rows, const struct price_book *book)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct sync_row *row = &rows->rows[i];
        const struct price *stored =
            price_book_get(book, row->price.provider_slug, row->price.model);
        struct price merged = sync_price(row, book, &rows->arena);

        row->price.id = stored ? stored->id : 0;
        row->edited = stored && price_edited(stored);
        row->status = !stored ? SYNC_NEW
                      : stored->active == merged.active && same_price(stored, &merged)
                          ? SYNC_UNCHANGED
                          : SYNC_UPDATE;
    }
}

static struct str either(struct str a, struct str b)
{
    return a.ptr ? a : b;
}

/* The stored aliases, and behind them those of the row that are new. */
static void join_aliases(struct price *p, const struct price *stored, struct arena *arena)
{
    struct str *own = p->aliases, *all;
    size_t count = p->alias_count;

    all = arena_alloc(arena, (stored->alias_count + count + 1) * sizeof(*all));
    if (!all)
        return;
    if (stored->alias_count)
        memcpy(all, stored->aliases, stored->alias_count * sizeof(*all));
    p->aliases = all;
    p->alias_count = stored->alias_count;
    for (size_t i = 0; i < count; i++)
        add_alias(p, own[i]);
}

struct price sync_price(const struct sync_row *row, const struct price_book *book,
                        struct arena *arena)
{
    const struct price *stored = price_book_get(book, row->price.provider_slug, row->price.model);
    struct price p = row->price;
    bool whole = row->depth == SYNC_WHOLE;

    if (!stored)
        return p;
    p.id = stored->id;
    p.seed_digest = stored->seed_digest;
    if (same_tiers(&p, stored, whole) || (!whole && p.tier_count == 0)) {
        p.tiers = stored->tiers;
        p.tier_count = stored->tier_count;
    }
    if (whole)
        return p;
    if (p.variant_count == 0) {
        p.variants = stored->variants;
        p.variant_count = stored->variant_count;
    }
    p.display_name = either(p.display_name, stored->display_name);
    p.release_date = either(p.release_date, stored->release_date);
    if (p.context_length == UNKNOWN)
        p.context_length = stored->context_length;
    if (row->depth == SYNC_FACTS)
        join_aliases(&p, stored, arena);
    for (size_t i = 0; i < RATE_COUNT; i++) { /* rates that routers do not tell */
        if (row->depth == SYNC_RATES && (i == RATE_CACHE_WRITE_1H || i == RATE_REASONING))
            p.rates.of[i] = stored->rates.of[i];
    }
    return p;
}

/* ---- choosing ---- */

static int compare_keys(const void *a, const void *b)
{
    return compare_bytes((*(struct sync_row *const *)a)->key, (*(struct sync_row *const *)b)->key);
}

static struct sync_row *find_row(struct sync_row **sorted, size_t count, struct str key)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_bytes(sorted[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && str_eq(sorted[low]->key, key) ? sorted[low] : NULL;
}

size_t sync_choose(struct sync_rows *rows, struct str *keys, size_t count)
{
    struct sync_row **sorted = xcalloc(rows->count + 1, sizeof(*sorted)), *row;
    size_t missing = 0;

    for (size_t i = 0; i < rows->count; i++) {
        sorted[i] = &rows->rows[i];
        sorted[i]->chosen = false;
    }
    qsort(sorted, rows->count, sizeof(*sorted), compare_keys);
    for (size_t i = 0; i < count; i++) {
        row = find_row(sorted, rows->count, keys[i]);
        if (row)
            row->chosen = true;
        else
            keys[missing++] = keys[i];
    }
    free(sorted);
    return missing;
}

void sync_clear(struct sync_rows *rows)
{
    arena_clear(&rows->arena);
    free(rows->rows);
    *rows = (struct sync_rows){0};
}

void sync_preview_unref(struct sync_preview *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) > 1)
        return;
    sync_clear(&p->rows);
    free(p);
}
