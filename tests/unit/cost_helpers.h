/* tests/unit/cost_helpers.h - the cases of tests/fixtures/cost and the price books they ask for.
 * Include after cmocka.h. */
#ifndef TESTS_UNIT_COST_HELPERS_H
#define TESTS_UNIT_COST_HELPERS_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "core/billing.h"
#include "core/money.h"
#include "core/price_json.h"
#include "json/json.h"

/** path is below tests/fixtures. Returns owned, cJSON_Delete(). */
static inline cJSON *cost_load(const char *path)
{
    char name[1024], part[4096];
    struct buf text = {0};
    cJSON *tree;
    size_t got;
    FILE *file;

    snprintf(name, sizeof(name), "%s/%s", FIXTURES, path);
    file = fopen(name, "rb");
    if (!file)
        fail_msg("cannot open %s", name);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        buf_put(&text, (struct str){part, got});
    fclose(file);
    tree = json_parse(buf_str(&text));
    if (!tree)
        fail_msg("%s is no JSON", name);
    buf_clear(&text);
    return tree;
}

static inline const cJSON *cost_get(const cJSON *o, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

static inline struct str cost_text(const cJSON *o, const char *key)
{
    return str_c(cJSON_GetStringValue(cost_get(o, key)));
}

static inline int64_t cost_int(const cJSON *o, const char *key)
{
    int64_t n = UNKNOWN;

    json_get_int(o, key, &n);
    return n;
}

/* What a book is made of while it is put together: a later price replaces an earlier one. */
struct cost_catalog {
    struct arena arena;
    struct price prices[400];
    size_t price_count;
    struct price_provider providers[100];
    size_t provider_count;
};

static inline void cost_add_provider(struct cost_catalog *c, const cJSON *o)
{
    struct str slug = cost_text(o, "slug"), currency = cost_text(o, "currency");
    size_t i = 0;

    while (i < c->provider_count && !str_eq(c->providers[i].slug, slug))
        i++;
    if (i == c->provider_count)
        c->provider_count++;
    c->providers[i] = (struct price_provider){
        .slug = slug,
        .name = cost_text(o, "name"),
        .currency = currency.ptr ? currency : STR("USD"),
        .base_url = cost_text(o, "base_url"),
    };
}

static inline void cost_add_price(struct cost_catalog *c, const cJSON *o)
{
    struct price p;
    struct err err;
    size_t i = 0;

    price_init(&p);
    if (price_read(o, &c->arena, &p, &err) < 0 || price_check(&p, &err) < 0)
        fail_msg("%s", err.msg);
    while (i < c->price_count && !(str_eq(c->prices[i].provider_slug, p.provider_slug) &&
                                   str_eq(c->prices[i].model, p.model)))
        i++;
    if (i == c->price_count)
        c->price_count++;
    p.id = (int64_t)i + 1;
    for (size_t t = 0; t < p.tier_count; t++)
        p.tiers[t].id = p.id * 100 + (int64_t)t;
    c->prices[i] = p;
}

/** The book of one case. seed_providers and seed_prices: what the program comes with. */
static inline struct price_book *cost_book(const cJSON *one, const cJSON *seed_providers,
                                           const cJSON *seed_prices)
{
    static struct cost_catalog c;
    struct price_book *book = price_book_new(1);
    const cJSON *item;
    struct err err;

    c = (struct cost_catalog){0};
    if (str_eq(cost_text(one, "catalog"), STR("seeded"))) {
        cJSON_ArrayForEach(item, cost_get(seed_providers, "providers")) cost_add_provider(&c, item);
        cJSON_ArrayForEach(item, cost_get(seed_prices, "models")) cost_add_price(&c, item);
    }
    cJSON_ArrayForEach(item, cost_get(one, "providers")) cost_add_provider(&c, item);
    cJSON_ArrayForEach(item, cost_get(one, "prices")) cost_add_price(&c, item);
    for (size_t i = 0; i < c.provider_count; i++)
        assert_int_equal(price_book_add_provider(book, &c.providers[i], &err), 0);
    for (size_t i = 0; i < c.price_count; i++)
        assert_int_equal(price_book_add(book, &c.prices[i], &err), 0);
    assert_int_equal(price_book_seal(book, &err), 0);
    arena_clear(&c.arena);
    return book;
}

static inline struct cost_tokens cost_usage(const cJSON *u)
{
    return (struct cost_tokens){
        .usage = {.input = cost_int(u, "input_tokens"),
                  .cached_input = cost_int(u, "cached_input_tokens"),
                  .cache_write_input = cost_int(u, "cache_write_input_tokens"),
                  .output = cost_int(u, "output_tokens"),
                  .reasoning = cost_int(u, "reasoning_tokens"),
                  .total = cost_int(u, "total_tokens")},
        .cache_write_1h = cost_int(u, "cache_write_1h_input_tokens"),
    };
}

static inline void cost_same_money(const char *id, const char *what, int64_t got, struct str expect)
{
    char text[MONEY_SIZE];

    money_print(got, text);
    if (!str_eq(str_c(text), expect.ptr ? expect : STR("")))
        fail_msg("%s: %s is \"%s\", expected \"%.*s\"", id, what, text, STR_ARG(expect));
}

/** Every member of expect is in the JSON text got, with the same value. */
static inline void cost_same_members(const char *id, struct str got, const cJSON *expect)
{
    cJSON *tree = got.ptr ? json_parse(got) : cJSON_CreateNull();
    const cJSON *item;

    if (cJSON_IsNull(expect) != cJSON_IsNull(tree))
        fail_msg("%s: the snapshot is %.*s", id, STR_ARG(got));
    cJSON_ArrayForEach(item, expect)
    {
        const cJSON *have = cost_get(tree, item->string);

        if (!have || !cJSON_Compare(have, item, true))
            fail_msg("%s: %s differs in %.*s", id, item->string, STR_ARG(got));
    }
    cJSON_Delete(tree);
}

#endif
