#include "core/billing.h"

#include "json/json_scan.h"

static struct str filled(struct str s)
{
    s = str_trim(s);
    return s.len > 0 ? s : STR_NONE;
}

/* ---- what the request says ---- */

/* A string value as text in arena, trimmed; STR_NONE when it is none or blank. */
static struct str text_of(struct str value, struct arena *arena)
{
    struct buf text = {0};
    struct err err;
    struct str out = STR_NONE;

    if (json_type_of(value) == JSON_STRING && json_string(value, &text, &err) == 0)
        out = filled(buf_str(&text));
    if (out.ptr)
        out = arena_dup(arena, out);
    buf_clear(&text);
    return out;
}

static struct str text_member(struct str object, struct str key, struct arena *arena)
{
    struct str value;

    return json_member(object, key, &value) ? text_of(value, arena) : STR_NONE;
}

/* Whether fallbacks to other endpoints are switched off. */
static bool fallbacks_off(struct str provider, struct arena *arena)
{
    static const char *const off[] = {"0", "false", "no", "off"};
    struct str value, text;

    if (!json_member(provider, STR("allow_fallbacks"), &value) &&
        !json_member(provider, STR("allowFallbacks"), &value))
        return false;
    if (json_type_of(value) == JSON_FALSE)
        return true;
    text = text_of(value, arena);
    for (size_t i = 0; text.ptr && i < sizeof(off) / sizeof(*off); i++) {
        if (str_ieq(text, str_c(off[i])))
            return true;
    }
    return false;
}

/* The one distinct tag that a member names, a string or a list; STR_NONE. */
static struct str single_tag(struct str provider, struct str key, struct arena *arena)
{
    struct str value, tag = STR_NONE;
    struct json_iter it;

    if (!json_member(provider, key, &value))
        return STR_NONE;
    if (json_type_of(value) == JSON_STRING)
        return text_of(value, arena);
    if (json_type_of(value) != JSON_ARRAY)
        return STR_NONE;
    it = json_iter(value);
    while (json_next(&it)) {
        struct str one = text_of(it.value, arena);

        if (one.ptr && tag.ptr && !str_eq(one, tag))
            return STR_NONE;
        if (one.ptr)
            tag = one;
    }
    return tag;
}

static struct str pinned_tag(struct str request, struct arena *arena)
{
    struct str provider, tag;

    if (!json_member(request, STR("provider"), &provider) ||
        json_type_of(provider) != JSON_OBJECT || !fallbacks_off(provider, arena))
        return STR_NONE;
    tag = single_tag(provider, STR("order"), arena);
    return tag.ptr ? tag : single_tag(provider, STR("only"), arena);
}

/* ---- the model ---- */

static struct str openrouter_model(struct str base, struct str request, struct arena *arena)
{
    struct str tag, model;

    if (str_chr(base, '@') >= 0)
        return base;
    tag = pinned_tag(request, arena);
    if (!tag.ptr)
        return base;
    model = arena_printf(arena, "%.*s@%.*s", STR_ARG(base), STR_ARG(tag));
    return model.ptr ? model : base;
}

/* The model as asked for, with its provider, if the answer does not speak of another one. */
static struct str huggingface_model(struct str base, struct str want, struct str response_model)
{
    size_t colon = want.len;

    while (colon > 0 && want.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2 || colon == want.len)
        return base;
    if (!response_model.ptr || str_eq(response_model, want) ||
        str_eq(response_model, str_cut(want, colon - 1)))
        return want;
    return base;
}

struct str billing_model(struct str provider_slug, struct str upstream_model,
                         struct str response_model, struct str record_model,
                         struct str request_body, struct arena *arena)
{
    bool openrouter = str_eq(provider_slug, STR("openrouter"));
    bool huggingface = str_eq(provider_slug, STR("huggingface-router"));
    struct str request = STR("{}"), asked = STR_NONE, base;

    upstream_model = filled(upstream_model);
    response_model = filled(response_model);
    base = upstream_model.ptr ? upstream_model : response_model;
    if (!base.ptr)
        base = filled(record_model);
    if (base.ptr && !openrouter && !huggingface)
        return base;
    if (json_scan(request_body, &request) == JSON_OBJECT)
        asked = text_member(request, STR("model"), arena);
    else
        request = STR("{}");
    if (!base.ptr)
        base = asked;
    if (!base.ptr)
        return STR_NONE;
    if (openrouter)
        return openrouter_model(base, request, arena);
    return huggingface ? huggingface_model(base, upstream_model.ptr ? upstream_model : asked,
                                           response_model)
                       : base;
}

/* ---- the provider ---- */

const struct price_provider *billing_provider(const struct price_book *book, const struct record *r)
{
    const struct price_provider *p = price_book_provider(book, r->provider_slug);

    return p ? p : price_book_provider_at(book, record_upstream_base(r));
}

/* ---- the cost ---- */

struct cost_tokens billing_tokens(const struct record *r)
{
    return (struct cost_tokens){
        .usage =
            {
                .input = r->billing_input_tokens,
                .cached_input = r->billing_cached_input_tokens,
                .cache_write_input = r->billing_cache_write_input_tokens,
                .output = r->billing_output_tokens,
                .reasoning = r->billing_reasoning_tokens,
                .total = r->billing_total_tokens,
            },
        .cache_write_1h = UNKNOWN,
        .service_tier = r->service_tier,
    };
}

bool billing_apply(const struct price_book *book, struct record *r,
                   const struct cost_tokens *tokens, struct cost_notes *notes, struct arena *arena)
{
    const struct price *p;
    struct buf snapshot = {0};
    struct str text = STR_NONE;
    struct cost cost;

    notes->billing_model = r->billing_model;
    p = price_book_find(book, notes->provider->slug, r->billing_model, &notes->match);
    if (!p)
        return false;
    cost_of(p, tokens, &cost);
    if (cost.state != COST_UNKNOWN && cost_snapshot(&snapshot, p, tokens, &cost, notes))
        text = arena_dup(arena, buf_str(&snapshot));
    buf_clear(&snapshot);
    if (!text.ptr)
        return false;
    r->billing_input_cost_pusd = cost.input;
    r->billing_cached_input_cost_pusd = cost.cached_input;
    r->billing_output_cost_pusd = cost.output;
    r->billing_total_cost_pusd = cost.total;
    r->pricing_snapshot_json = text;
    return true;
}

void billing_price(const struct price_book *book, struct record *r, struct str request_body,
                   const struct billing_facts *facts, struct arena *arena)
{
    struct cost_notes notes = {.upstream_cost = facts->upstream_cost, .previous_total = UNKNOWN};
    struct cost_tokens tokens = billing_tokens(r);

    if (r->upstream_headers_ms == UNKNOWN)
        return;
    notes.provider = billing_provider(book, r);
    if (notes.provider) {
        r->billing_provider_slug = arena_dup(arena, notes.provider->slug);
        r->billing_provider_name = arena_dup(arena, notes.provider->name);
    }
    r->billing_model =
        arena_dup(arena, billing_model(r->billing_provider_slug, r->upstream_model,
                                       r->response_model, r->model, request_body, arena));
    tokens.cache_write_1h = facts->cache_write_1h;
    if (notes.provider && r->billing_model.ptr)
        billing_apply(book, r, &tokens, &notes, arena);
}

int64_t billing_estimate(const struct price_book *book, const struct record *r, int64_t input,
                         int64_t output)
{
    struct cost_tokens tokens = {.usage = {.input = input,
                                           .cached_input = UNKNOWN,
                                           .cache_write_input = UNKNOWN,
                                           .output = output,
                                           .reasoning = UNKNOWN,
                                           .total = UNKNOWN},
                                 .cache_write_1h = UNKNOWN};
    const struct price_provider *provider = billing_provider(book, r);
    struct arena arena = {0};
    struct str model = STR_NONE;
    const struct price *p = NULL;
    enum price_match match;
    struct cost cost = {.state = COST_UNKNOWN};

    if (provider)
        model =
            billing_model(provider->slug, r->upstream_model, STR_NONE, r->model, STR_NONE, &arena);
    if (model.ptr)
        p = price_book_find(book, provider->slug, model, &match);
    if (p)
        cost_of(p, &tokens, &cost);
    arena_clear(&arena);
    return cost.state == COST_KNOWN ? cost.total : UNKNOWN;
}
