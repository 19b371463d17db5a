#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cost_helpers.h"

static cJSON *seed_providers, *seed_prices;

static int load_seeds(void **state)
{
    (void)state;
    seed_providers = cost_load("../../schema/seed/providers.json");
    seed_prices = cost_load("../../schema/seed/prices.json");
    return 0;
}

static int drop_seeds(void **state)
{
    (void)state;
    cJSON_Delete(seed_providers);
    cJSON_Delete(seed_prices);
    return 0;
}

static void same_text(const char *id, const char *what, struct str got, struct str expect)
{
    if (!str_eq(got, expect) || !got.ptr != !expect.ptr)
        fail_msg("%s: %s is \"%.*s\", expected \"%.*s\"", id, what, STR_ARG(got), STR_ARG(expect));
}

static void check_costs(const char *id, const struct record *r, const cJSON *expect)
{
    same_text(id, "provider", r->billing_provider_slug, cost_text(expect, "provider_slug"));
    same_text(id, "provider name", r->billing_provider_name, cost_text(expect, "provider_name"));
    same_text(id, "model", r->billing_model, cost_text(expect, "billing_model"));
    cost_same_money(id, "input cost", r->billing_input_cost_pusd,
                    cost_text(expect, "input_cost_usd"));
    cost_same_money(id, "cached cost", r->billing_cached_input_cost_pusd,
                    cost_text(expect, "cached_input_cost_usd"));
    cost_same_money(id, "output cost", r->billing_output_cost_pusd,
                    cost_text(expect, "output_cost_usd"));
    cost_same_money(id, "total cost", r->billing_total_cost_pusd,
                    cost_text(expect, "total_cost_usd"));
    cost_same_members(id, r->pricing_snapshot_json, cost_get(expect, "snapshot"));
}

/* A record as it is after the exchange and before it is priced. */
static struct record exchange(const cJSON *given, struct arena *arena)
{
    struct str base = str_trim(cost_text(given, "upstream_base_url"));
    struct record r;

    while (base.len > 0 && base.ptr[base.len - 1] == '/')
        base.len--;
    record_init(&r);
    r.endpoint = STR("/v1/chat/completions");
    r.upstream_url = arena_printf(arena, "%.*s/chat/completions?x=1", STR_ARG(base));
    r.provider_slug = cost_text(given, "provider_slug");
    r.upstream_headers_ms = 1;
    return r;
}

static void check_request(const cJSON *one)
{
    const char *id = cost_get(one, "id")->valuestring;
    const cJSON *given = cost_get(one, "given"), *expect = cost_get(one, "expect");
    struct price_book *book = cost_book(one, seed_providers, seed_prices);
    struct cost_tokens tokens = cost_usage(cost_get(given, "usage"));
    struct billing_facts facts = {.cache_write_1h = tokens.cache_write_1h,
                                  .upstream_cost = UNKNOWN};
    struct arena arena = {0};
    struct record r = exchange(given, &arena);

    r.upstream_model = cost_text(given, "billing_model");
    r.service_tier = cost_text(given, "service_tier");
    r.billing_input_tokens = tokens.usage.input;
    r.billing_cached_input_tokens = tokens.usage.cached_input;
    r.billing_cache_write_input_tokens = tokens.usage.cache_write_input;
    r.billing_output_tokens = tokens.usage.output;
    r.billing_reasoning_tokens = tokens.usage.reasoning;
    r.billing_total_tokens = tokens.usage.total;
    billing_price(book, &r, STR("{}"), &facts, &arena);
    check_costs(id, &r, expect);
    price_book_unref(book);
    arena_clear(&arena);
}

static void every_request_costs_what_its_tokens_and_price_say(void **state)
{
    cJSON *cases = cost_load("cost/request.json"), *one;

    (void)state;
    assert_int_equal(cJSON_GetArraySize(cases), 98);
    cJSON_ArrayForEach(one, cases) check_request(one);
    cJSON_Delete(cases);
}

static void the_billed_model_is_the_one_that_served(void **state)
{
    cJSON *cases = cost_load("cost/identity.json"), *one;

    (void)state;
    assert_int_equal(cJSON_GetArraySize(cases), 23);
    cJSON_ArrayForEach(one, cases)
    {
        const cJSON *given = cost_get(one, "given");
        struct arena arena = {0};
        struct buf body = {0};

        json_print(&body, cost_get(given, "request_payload"));
        same_text(cost_get(one, "id")->valuestring, "model",
                  billing_model(cost_text(given, "provider_slug"),
                                cost_text(given, "upstream_model"),
                                cost_text(given, "response_model"),
                                cost_text(given, "record_model"), buf_str(&body), &arena),
                  cost_text(cost_get(one, "expect"), "billing_model"));
        buf_clear(&body);
        arena_clear(&arena);
    }
    cJSON_Delete(cases);
}

static void a_request_without_an_answer_is_not_billed(void **state)
{
    cJSON *seeded = json_parse(STR("{\"catalog\":\"seeded\"}"));
    struct price_book *book = cost_book(seeded, seed_providers, seed_prices);
    struct billing_facts facts = {.cache_write_1h = UNKNOWN, .upstream_cost = 250000000000};
    struct arena arena = {0};
    struct record r;

    (void)state;
    record_init(&r);
    r.endpoint = STR("/v1/chat/completions");
    r.upstream_url = STR("https://api.openai.com/v1/chat/completions");
    r.model = STR("gpt-5.4");
    r.response_status = 502;
    r.billing_input_tokens = r.billing_output_tokens = 5;
    billing_price(book, &r, STR("{}"), &facts, &arena);
    assert_null(r.billing_provider_slug.ptr);
    assert_null(r.billing_model.ptr);
    assert_int_equal(r.billing_total_cost_pusd, UNKNOWN);
    r.upstream_headers_ms = 3;
    billing_price(book, &r, STR("{}"), &facts, &arena);
    assert_true(str_eq(r.billing_provider_slug, STR("openai")));
    assert_int_equal(r.billing_total_cost_pusd, 5 * 2500000 + 5 * 15000000);
    assert_true(str_find(r.pricing_snapshot_json, STR("\"reported_upstream_cost_usd\":\"0.25\"")) >=
                0);
    price_book_unref(book);
    cJSON_Delete(seeded);
    arena_clear(&arena);
}

static void a_service_tier_has_rates_of_its_own(void **state)
{
    struct price_variant variants[] = {
        {.service_tier = STR("batch"), .rates = rates_none(), .multiplier = 500000},
        {.service_tier = STR("priority"), .rates = rates_none(), .multiplier = 1000000},
    };
    struct cost_tokens t = {.usage = {.input = 1000,
                                      .cached_input = UNKNOWN,
                                      .cache_write_input = UNKNOWN,
                                      .output = 10,
                                      .reasoning = UNKNOWN,
                                      .total = UNKNOWN},
                            .cache_write_1h = UNKNOWN,
                            .service_tier = STR("batch")};
    struct price p;
    struct cost c;

    (void)state;
    price_init(&p);
    p.rates.of[RATE_INPUT] = 3;
    p.rates.of[RATE_OUTPUT] = 5000000;
    p.variants = variants;
    p.variant_count = 2;
    variants[1].rates.of[RATE_OUTPUT] = 9000000;
    cost_of(&p, &t, &c);
    assert_int_equal(c.rates.of[RATE_INPUT], 2); /* 1.5, half to even */
    assert_int_equal(c.output, 10 * 2500000);
    assert_int_equal(c.rates.of[RATE_CACHED_INPUT], UNKNOWN);
    t.service_tier = STR("fast");
    cost_of(&p, &t, &c);
    assert_int_equal(c.input, 3000);
    assert_int_equal(c.output, 10 * 9000000);
    t.service_tier = STR("default");
    cost_of(&p, &t, &c);
    assert_null(c.variant);
    assert_int_equal(c.output, 10 * 5000000);
}

static void a_tier_without_a_rate_does_not_borrow_it_from_the_price(void **state)
{
    struct price_tier tiers[] = {
        {.min = 100, .max = 200, .rates = rates_none()},
        {.min = UNKNOWN, .max = 100, .rates = rates_none()},
    };
    struct price p;
    bool gap;

    (void)state;
    price_init(&p);
    p.tiers = tiers;
    p.tier_count = 2;
    assert_ptr_equal(price_tier_for(&p, 0, &gap), &tiers[1]);
    assert_ptr_equal(price_tier_for(&p, 99, &gap), &tiers[1]);
    assert_ptr_equal(price_tier_for(&p, 100, &gap), &tiers[0]);
    assert_false(gap);
    assert_null(price_tier_for(&p, 200, &gap));
    assert_true(gap);
}

static void an_inactive_price_does_not_hide_an_active_one(void **state)
{
    cJSON *one =
        json_parse(STR("{\"providers\":[{\"slug\":\"a\",\"name\":\"A\"}],\"prices\":["
                       "{\"provider\":\"a\",\"model\":\"m\",\"active\":false,\"aliases\":[\"x\"],"
                       "\"input_usd_per_million\":1,\"output_usd_per_million\":1},"
                       "{\"provider\":\"a\",\"model\":\"n\",\"aliases\":\"x, M\\nx\","
                       "\"input_usd_per_million\":2,\"output_usd_per_million\":2}]}"));
    struct price_book *book = cost_book(one, NULL, NULL);
    enum price_match match;

    (void)state;
    assert_int_equal(price_book_find(book, STR("a"), STR("x"), &match)->id, 2);
    assert_int_equal(match, MATCH_ALIAS);
    assert_int_equal(price_book_find(book, STR("a"), STR("m"), &match)->id, 2);
    assert_int_equal(match, MATCH_NORMALIZED);
    assert_int_equal(price_book_get(book, STR("a"), STR("m"))->id, 1);
    assert_int_equal(price_book_get(book, STR("a"), STR("n"))->alias_count, 2);
    assert_null(price_book_find(book, STR("b"), STR("x"), &match));
    assert_null(price_book_find(book, STR("a"), STR(" "), &match));
    assert_int_equal(match, MATCH_NONE);
    price_book_unref(book);
    cJSON_Delete(one);
}

static void a_bad_price_is_refused_with_the_member_at_fault(void **state)
{
    static const struct {
        const char *json, *names;
    } cases[] = {
        {"{}", "provider_slug"},
        {"{\"provider\":\"a\"}", "model"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"output_usd_per_million\":1}",
         "input_usd_per_million"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"input_usd_per_million\":\"NaN\"}",
         "input_usd_per_million"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"input_usd_per_million\":-1}",
         "input_usd_per_million"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"input_usd_per_million\":1e400}",
         "input_usd_per_million"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"input_usd_per_million\":[]}",
         "input_usd_per_million"},
        {"{\"provider\":\"a\",\"model\":{}}", "model"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"aliases\":[1]}", "aliases"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"context_length\":1.5}", "context_length"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"checked_at\":\"\\u00e9\"}", "checked_at"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"input_usd_per_million\":1,"
         "\"output_usd_per_million\":1,\"tiers\":[{\"min_input_tokens\":5,"
         "\"max_input_tokens\":5,\"input_usd_per_million\":1,\"output_usd_per_million\":1}]}",
         "max_input_tokens"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"input_usd_per_million\":1,"
         "\"output_usd_per_million\":1,\"tiers\":[{\"max_input_tokens\":5,"
         "\"input_usd_per_million\":1,\"output_usd_per_million\":1},{\"min_input_tokens\":4,"
         "\"input_usd_per_million\":1,\"output_usd_per_million\":1}]}",
         "overlaps"},
        {"{\"provider\":\"a\",\"model\":\"m\",\"variants\":[{\"service_tier\":\"cheap\"}]}",
         "service_tier"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cJSON *o = json_parse(str_c(cases[i].json));
        struct arena arena = {0};
        struct price p;
        struct err err = {0};

        price_init(&p);
        assert_non_null(o);
        if (price_read(o, &arena, &p, &err) == 0 && price_check(&p, &err) == 0)
            fail_msg("%s was taken", cases[i].json);
        if (str_find(str_c(err.msg), str_c(cases[i].names)) < 0)
            fail_msg("%s: %s", cases[i].json, err.msg);
        assert_int_equal(err.code, ERR_INVALID);
        arena_clear(&arena);
        cJSON_Delete(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_costs_what_its_tokens_and_price_say),
        cmocka_unit_test(the_billed_model_is_the_one_that_served),
        cmocka_unit_test(a_request_without_an_answer_is_not_billed),
        cmocka_unit_test(a_service_tier_has_rates_of_its_own),
        cmocka_unit_test(a_tier_without_a_rate_does_not_borrow_it_from_the_price),
        cmocka_unit_test(an_inactive_price_does_not_hide_an_active_one),
        cmocka_unit_test(a_bad_price_is_refused_with_the_member_at_fault),
    };

    return cmocka_run_group_tests(tests, load_seeds, drop_seeds);
}
