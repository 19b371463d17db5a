#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/catalog.h"
#include "core/money.h"
#include "fixture.h"
#include "store/store_default_routes.h"
#include "store/store_prices.h"
#include "store/store_routing.h"
#include "json/json.h"

static bool flag(const cJSON *o, const char *key)
{
    const cJSON *item = fixture_get(o, key);

    return !item || cJSON_IsTrue(item);
}

static int64_t rate(const cJSON *o, const char *key)
{
    struct str text = fixture_str(o, key);
    int64_t out = UNKNOWN;

    if (text.ptr)
        assert_true(money_rate(text, &out));
    return out;
}

static struct store *open_empty(void)
{
    struct err err;
    struct store *store = store_open(":memory:", STORE_WRITE, &err);

    if (!store)
        fail_msg("%s", err.msg);
    return store;
}

static void put_providers(struct store *store, const cJSON *one)
{
    const cJSON *o;
    struct err err;

    cJSON_ArrayForEach(o, fixture_get(one, "providers"))
    {
        struct provider p = {
            .slug = fixture_str(o, "slug"),
            .name = fixture_str(o, "name"),
            .base_url = fixture_str(o, "base_url"),
            .currency = STR("USD"),
            .api_key_env = fixture_str(o, "api_key_env"),
            .active = flag(o, "active"),
        };

        if (store_provider_put(store, &p, &err) < 0)
            fail_msg("%s", err.msg);
    }
}

static void put_prices(struct store *store, const cJSON *one)
{
    const cJSON *o;
    struct err err;

    cJSON_ArrayForEach(o, fixture_get(one, "prices"))
    {
        const cJSON *aliases = fixture_get(o, "aliases"), *alias;
        struct str names[16];
        struct price p;

        price_init(&p);
        p.provider_slug = fixture_str(o, "provider");
        p.model = fixture_str(o, "model");
        p.rates.of[RATE_INPUT] = rate(o, "input_usd_per_million");
        p.rates.of[RATE_OUTPUT] = rate(o, "output_usd_per_million");
        p.rates.of[RATE_CACHED_INPUT] = rate(o, "cached_input_usd_per_million");
        p.active = flag(o, "active");
        p.aliases = names;
        cJSON_ArrayForEach(alias, aliases) names[p.alias_count++] = str_c(alias->valuestring);
        if (store_price_put(store, &p, false, &err) < 0)
            fail_msg("%s", err.msg);
    }
}

static void put_routes(struct store *store, const cJSON *one)
{
    const cJSON *o;
    struct err err;

    cJSON_ArrayForEach(o, fixture_get(one, "routes"))
    {
        struct route r = {
            .incoming_model = fixture_str(o, "incoming_model"),
            .prefix = str_eq(fixture_str(o, "match_type"), STR("prefix")),
            .upstream_url = fixture_str(o, "upstream_url"),
            .upstream_model = fixture_str(o, "upstream_model"),
            .provider_slug = fixture_str(o, "provider_slug"),
            .api_key_env = fixture_str(o, "api_key_env"),
            .managed_by = fixture_str(o, "managed_by"),
            .priority = (int64_t)fixture_get(o, "priority")->valuedouble,
            .active = flag(o, "active"),
        };

        if (store_route_put(store, &r, &err) < 0)
            fail_msg("%s", err.msg);
    }
}

static void check_items(struct str id, const struct seeding *s, const cJSON *items)
{
    assert_int_equal(s->count, cJSON_GetArraySize(items));
    for (size_t i = 0; i < s->count; i++) {
        const cJSON *o = cJSON_GetArrayItem(items, (int)i);
        const struct candidate *c = &s->candidates[i];

        fixture_same(id, "incoming_model", c->incoming_model, fixture_str(o, "incoming_model"));
        fixture_same(id, "upstream_url", c->upstream_url, fixture_str(o, "upstream_url"));
        fixture_same(id, "upstream_model", c->upstream_model, fixture_str(o, "upstream_model"));
        fixture_same(id, "provider_slug", c->provider_slug, fixture_str(o, "provider_slug"));
        fixture_same(id, "source_model", c->source_model, fixture_str(o, "source_model"));
        fixture_same(id, "source_alias", c->source_alias, fixture_str(o, "source_alias"));
        fixture_same(id, "status", str_c(seed_status_name(s->status[i])), fixture_str(o, "status"));
    }
}

static void check_count(struct str id, const cJSON *summary, const char *key, size_t got)
{
    if ((size_t)fixture_get(summary, key)->valuedouble != got)
        fail_msg("%.*s: %s is %zu", STR_ARG(id), key, got);
}

static void settle(struct store *store, const cJSON *one, bool apply)
{
    const cJSON *summary = fixture_get(fixture_get(one, "expect"), "summary");
    struct seeding s = {.provider_slug = fixture_str(one, "provider_slug"), .apply = apply};
    struct str id = fixture_str(one, "id");
    struct arena arena = {0};
    struct err err;

    assert_int_equal(seed_mode_parse(fixture_str(one, "mode"), &s.mode, &err), 0);
    if (store_default_routes(store, &s, &arena, &err) < 0)
        fail_msg("%s", err.msg);
    check_count(id, summary, "total_candidates", s.count);
    check_count(id, summary, "inserted", s.counts[SEED_INSERT]);
    check_count(id, summary, "updated", s.counts[SEED_UPDATE]);
    check_count(id, summary, "skipped_existing", s.counts[SEED_SKIP_SEEDED]);
    check_count(id, summary, "skipped_user", s.counts[SEED_SKIP_USER]);
    if (fixture_get(summary, "items"))
        check_items(id, &s, fixture_get(summary, "items"));
    arena_clear(&arena);
}

static void check_stored(struct store *store, const cJSON *one)
{
    const cJSON *stored = fixture_get(fixture_get(one, "expect"), "stored"), *o;
    struct str id = fixture_str(one, "id");
    struct arena arena = {0};
    struct route *all, r;
    size_t count;
    struct err err;

    assert_int_equal(store_routes(store, &arena, &all, &count, &err), 0);
    assert_int_equal(count, cJSON_GetArraySize(stored));
    cJSON_ArrayForEach(o, stored)
    {
        bool prefix = str_eq(fixture_str(o, "match_type"), STR("prefix"));

        if (store_route_find(store, fixture_str(o, "incoming_model"), prefix, &arena, &r, &err) < 0)
            fail_msg("%.*s: %s", STR_ARG(id), err.msg);
        fixture_same(id, "upstream_url", r.upstream_url, fixture_str(o, "upstream_url"));
        fixture_same(id, "upstream_model",
                     r.upstream_model.ptr ? r.upstream_model : r.incoming_model,
                     fixture_str(o, "upstream_model"));
        fixture_same(id, "provider_slug", r.provider_slug, fixture_str(o, "provider_slug"));
        fixture_same(id, "managed_by", r.managed_by, fixture_str(o, "managed_by"));
        assert_int_equal(r.priority, fixture_get(o, "priority")->valuedouble);
    }
    arena_clear(&arena);
}

static void default_routes_come_as_the_cases_say(void **state)
{
    cJSON *list = fixture_cases("routing/seed.json"), *one;

    (void)state;
    cJSON_ArrayForEach(one, list)
    {
        struct store *store = open_empty();

        put_providers(store, one);
        put_prices(store, one);
        put_routes(store, one);
        settle(store, one, false);
        settle(store, one, true);
        check_stored(store, one);
        store_close(store);
    }
    cJSON_Delete(list);
}

static void the_first_start_makes_routes_and_later_ones_do_not(void **state)
{
    struct store *store = open_empty();
    struct arena arena = {0};
    struct route *routes;
    size_t count, made;
    struct err err;

    (void)state;
    assert_int_equal(store_seed(store, &err), 0);
    assert_int_equal(store_default_routes_once(store, &made, &err), 0);
    assert_int_equal(made, 120);
    assert_int_equal(store_routes(store, &arena, &routes, &count, &err), 0);
    assert_int_equal(count, 120);
    assert_int_equal(store_route_delete(store, routes[0].id, &err), 0);
    assert_int_equal(store_default_routes_once(store, &made, &err), 0);
    assert_int_equal(made, 0);
    assert_int_equal(store_routes(store, &arena, &routes, &count, &err), 0);
    assert_int_equal(count, 119);
    arena_clear(&arena);
    store_close(store);
}

static void seeded_models_go_where_the_cases_say(void **state)
{
    cJSON *list = fixture_cases("routing/resolve.json"), *one;
    struct startup startup = {.base_url = STR("http://localhost:8000/v1")};
    struct store *store = open_empty();
    struct catalog *c;
    struct err err;
    size_t made;
    int checked = 0;

    (void)state;
    assert_int_equal(store_seed(store, &err), 0);
    assert_int_equal(store_default_routes_once(store, &made, &err), 0);
    assert_int_equal(store_catalog(store, &startup, &c, &err), 0);
    cJSON_ArrayForEach(one, list)
    {
        const cJSON *e = fixture_get(one, "expect");
        struct str id = fixture_str(one, "id");
        struct arena arena = {0};
        struct decision d;

        if (!str_eq(fixture_str(one, "catalog"), STR("seeded")) || fixture_get(one, "routes") ||
            fixture_get(one, "settings"))
            continue;
        catalog_decide(c, fixture_str(fixture_get(fixture_get(one, "request"), "body"), "model"),
                       &arena, &d);
        fixture_same(id, "base", d.base_url, fixture_str(e, "upstream_base_url"));
        fixture_same(id, "route", d.model_route, fixture_str(e, "route"));
        fixture_same(id, "model", d.upstream_model, fixture_str(e, "upstream_model"));
        fixture_same(id, "provider", d.provider_slug, fixture_str(e, "provider_slug"));
        arena_clear(&arena);
        checked++;
    }
    assert_true(checked >= 7);
    catalog_unref(c);
    store_close(store);
    cJSON_Delete(list);
}

static void what_is_stale_can_be_pruned(void **state)
{
    struct store *store = open_empty();
    struct route r = {.incoming_model = STR("gone"),
                      .upstream_url = STR("http://h/v1"),
                      .managed_by = STR(ROUTE_SEED),
                      .priority = 90,
                      .active = true};
    struct seeding s = {0};
    struct arena arena = {0};
    struct err err;

    (void)state;
    assert_int_equal(store_route_put(store, &r, &err), 0);
    assert_int_equal(store_default_routes(store, &s, &arena, &err), 0);
    assert_int_equal(s.stale_count, 1);
    s = (struct seeding){.apply = true, .prune = true};
    assert_int_equal(store_default_routes(store, &s, &arena, &err), 0);
    assert_int_equal(s.pruned, 1);
    assert_int_equal(store_route_get(store, r.id, &arena, &r, &err), -1);
    arena_clear(&arena);
    store_close(store);
}

static void the_fallback_flag_and_the_setting_agree(void **state)
{
    struct store *store = open_empty();
    struct provider a = {.slug = STR("a"),
                         .name = STR("A"),
                         .currency = STR("USD"),
                         .base_url = STR("http://a/v1"),
                         .active = true,
                         .is_default_fallback = true};
    struct provider b = a, got;
    struct arena arena = {0};
    char *saved;
    struct err err;

    (void)state;
    b.slug = STR("b");
    assert_int_equal(store_provider_put(store, &a, &err), 0);
    assert_int_equal(store_provider_put(store, &b, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    b.base_url = STR("http://b/v1");
    assert_int_equal(store_provider_put(store, &b, &err), 0);
    assert_int_equal(store_provider_get(store, STR("a"), &arena, &got, &err), 0);
    assert_false(got.is_default_fallback);
    assert_int_equal(store_setting_get(store, STR("default_provider_slug"), &saved, &err), 0);
    assert_string_equal(saved, "b");
    free(saved);
    assert_int_equal(store_provider_delete(store, STR("b"), &err), 0);
    assert_int_equal(store_setting_get(store, STR("default_provider_slug"), &saved, &err), 0);
    assert_string_equal(saved, "");
    free(saved);
    arena_clear(&arena);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_routes_come_as_the_cases_say),
        cmocka_unit_test(the_first_start_makes_routes_and_later_ones_do_not),
        cmocka_unit_test(seeded_models_go_where_the_cases_say),
        cmocka_unit_test(what_is_stale_can_be_pruned),
        cmocka_unit_test(the_fallback_flag_and_the_setting_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
