#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/retry_after.h"
#include "core/upstream_order.h"

#define ROUTES 1000
#define ROUNDS 21
#define EACH 1000

/* Sanitizers make everything many times slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
#define LIMIT_NS (5000 * 20)
#else
#define LIMIT_NS 5000
#endif

static const char weighted[] =
    "{\"strategy\":\"weighted\",\"upstreams\":["
    "{\"upstream_url\":\"http://a/v1\",\"weight\":3},{\"upstream_url\":\"http://b/v1\"},"
    "{\"upstream_url\":\"http://c/v1\",\"weight\":0}]}";

static struct route one_route(const char *json)
{
    return (struct route){
        .id = 7,
        .incoming_model = STR("m"),
        .upstream_url = STR(""),
        .failover_json = str_c(json),
        .priority = 50,
        .active = true,
    };
}

static struct catalog *made(const struct route *route, struct upstream_states *states)
{
    struct catalog_source source = {
        .base_url = STR("http://h/v1"), .routes = route, .route_count = 1, .states = states};

    return catalog_new(&source);
}

/* The order as letters of the upstreams. */
static void order_is(struct catalog *c, int64_t now_us, bool peek, const char *expect)
{
    struct choice order[CHOICES_MAX];
    char got[CHOICES_MAX + 1] = "";
    size_t count, all;

    all = upstream_order(c, catalog_match(c, STR("m")), STR("m"), now_us, peek, order, &count);
    for (size_t i = 0; i < all; i++)
        got[i] = (char)('a' + order[i].index);
    got[all] = '\0';
    assert_string_equal(got, expect);
}

static void weights_are_smooth_and_a_look_changes_nothing(void **state)
{
    static const char *const expect[] = {"abc", "abc", "bac", "abc"};
    struct upstream_states *states = upstream_states_new();
    struct route route = one_route(weighted);
    struct catalog *c = made(&route, states);

    (void)state;
    for (int i = 0; i < 12; i++) {
        order_is(c, 0, true, expect[i % 4]);
        order_is(c, 0, false, expect[i % 4]);
    }
    catalog_unref(c);
    upstream_states_free(states);
}

static void what_is_known_of_an_upstream_outlives_its_catalog(void **state)
{
    static const char less[] = "{\"upstreams\":[{\"upstream_url\":\"http://b/v1\",\"weight\":9},"
                               "{\"upstream_url\":\"http://a/v1\"}]}";
    struct upstream_states *states = upstream_states_new();
    struct route route = one_route(weighted);
    struct catalog *first = made(&route, states), *second;
    const struct route *r = catalog_match(first, STR("m"));

    (void)state;
    upstream_state_failed(r->states[0], 1, 1000, 0);
    route = one_route(less);
    second = made(&route, states);
    catalog_unref(first);
    r = catalog_match(second, STR("m"));
    assert_int_equal(upstream_cooling_us(r, 1, 0), 1000000);
    assert_int_equal(upstream_cooling_us(r, 0, 0), 0);
    assert_int_equal(r->states[1]->failures, 1);
    order_is(second, 0, true, "ab");
    catalog_unref(second);

    second = made(&route, states); /* nobody named them meanwhile: they start empty */
    assert_int_equal(upstream_cooling_us(catalog_match(second, STR("m")), 1, 0), 0);
    catalog_unref(second);
    upstream_states_free(states);
}

static void an_upstream_that_is_listed_twice_has_two_states(void **state)
{
    static const char twice[] = "{\"strategy\":\"round_robin\",\"upstreams\":["
                                "{\"upstream_url\":\"http://a/v1\"},"
                                "{\"upstream_url\":\"http://a/v1\"}]}";
    struct upstream_states *states = upstream_states_new();
    struct route route = one_route(twice);
    struct catalog *c = made(&route, states);
    const struct route *r = catalog_match(c, STR("m"));

    (void)state;
    assert_ptr_not_equal(r->states[0], r->states[1]);
    order_is(c, 0, false, "ab");
    order_is(c, 0, false, "ba");
    order_is(c, 0, false, "ab");
    catalog_unref(c);
    upstream_states_free(states);
}

static void stored_text_that_cannot_be_read_is_no_list(void **state)
{
    struct route route = one_route("{\"upstreams\":[7]}");
    struct catalog *c = made(&route, NULL);

    (void)state;
    assert_null(catalog_match(c, STR("m")));
    catalog_unref(c);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    static const struct {
        const char *value;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {" 7 ", 7000},
        {"599", 599000},
        {"600", 600000},
        {"99999999999999999999", 600000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 37000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 600000},
        {"Sun Nov  6 08:49:37 1994", 37000},
        {"Sun, 06 Nov 1994 08:00:00 GMT", 0},
        {"Sun, 06 Nov 1994 10:00:00 GMT", 600000},
        {"", -1},
        {"-1", -1},
        {"1.5", -1},
        {"soon", -1},
        {"Sun, 06 Foo 1994 08:49:37 GMT", -1},
    };
    const int64_t now_us = INT64_C(784111740) * 1000000; /* 08:49:00 */

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t ms = -1;

        if (!retry_after_ms(str_c(cases[i].value), now_us, &ms))
            ms = -1;
        if (ms != cases[i].ms)
            fail_msg("%s is %lld", cases[i].value, (long long)ms);
    }
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The median of some rounds, in nanoseconds for one request. */
static int64_t cost_of(const struct catalog *c, const char *before, int kind, const char *after)
{
    int64_t rounds[ROUNDS];

    for (int round = 0; round < ROUNDS; round++) {
        struct arena arena = {0};
        int64_t from = clock_now_us();

        for (int i = 0; i < EACH; i++) {
            char name[64];
            struct decision d;
            struct choice order[CHOICES_MAX];
            size_t count;

            snprintf(name, sizeof(name), "%s-%d%s", before, i % (ROUTES - 1) / 3 * 3 + kind, after);
            catalog_decide(c, str_c(name), &arena, &d);
            if (d.several)
                upstream_order(c, d.several, str_c(name), from, false, order, &count);
        }
        rounds[round] = clock_now_us() - from;
        arena_clear(&arena);
    }
    qsort(rounds, ROUNDS, sizeof(*rounds), by_size);
    return rounds[ROUNDS / 2] * 1000 / EACH;
}

static void routing_takes_less_than_5_us_with_1000_routes(void **state)
{
    static struct route routes[ROUTES];
    struct upstream_states *states = upstream_states_new();
    struct catalog_source source = {
        .base_url = STR("http://h/v1"), .routes = routes, .route_count = ROUTES, .states = states};
    struct arena arena = {0};
    struct catalog *c;
    int64_t exact, prefix, several, none;

    (void)state;
    for (int i = 0; i < ROUTES; i++) {
        int kind = i % 3;

        routes[i] = one_route(weighted);
        routes[i].id = i + 1;
        routes[i].prefix = kind == 1;
        routes[i].incoming_model = arena_printf(&arena, "%s-%d%s", kind == 2 ? "several" : "vendor",
                                                i, kind == 1 ? "-*" : "");
        if (kind == 2)
            continue;
        routes[i].upstream_url = STR("http://h/v1");
        routes[i].failover_json = STR_NONE;
    }
    c = catalog_new(&source);
    exact = cost_of(c, "vendor", 0, "");
    prefix = cost_of(c, "vendor", 1, "-turbo");
    several = cost_of(c, "several", 2, "");
    none = cost_of(c, "nobody", 0, "");
    print_message("one of %d routes: exact %lld ns, prefix %lld ns, three weighted upstreams %lld "
                  "ns, none %lld ns\n",
                  ROUTES, (long long)exact, (long long)prefix, (long long)several, (long long)none);
    assert_true(exact < LIMIT_NS && prefix < LIMIT_NS && several < LIMIT_NS && none < LIMIT_NS);
    catalog_unref(c);
    upstream_states_free(states);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_smooth_and_a_look_changes_nothing),
        cmocka_unit_test(what_is_known_of_an_upstream_outlives_its_catalog),
        cmocka_unit_test(an_upstream_that_is_listed_twice_has_two_states),
        cmocka_unit_test(stored_text_that_cannot_be_read_is_no_list),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(routing_takes_less_than_5_us_with_1000_routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
