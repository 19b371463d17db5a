#include "store_helpers.h"

#include "cost_helpers.h"
#include "store/store_prices.h"

static struct price_book *load(struct store *store)
{
    struct price_book *book;
    struct err err;

    OK(store_price_book(store, &book, &err));
    return book;
}

static struct store *open_seeded(const char *path)
{
    struct store *store = open_new(path);
    struct err err;

    OK(store_seed(store, &err));
    return store;
}

static void a_new_database_gets_the_catalogue(void **state)
{
    struct folder *f = *state;
    struct store *store = open_seeded(f->db);
    struct price_book *book = load(store);
    const struct price *p = price_book_get(book, STR("google"), STR("gemini-2.5-pro"));

    assert_int_equal(price_book_count(book), 59);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM model_providers"), 12);
    assert_non_null(p);
    assert_true(str_eq(p->aliases[0], STR("google/gemini-2.5-pro")));
    assert_int_equal(p->tier_count, 2);
    assert_int_equal(p->tiers[1].min, 200001);
    assert_int_equal(p->tiers[1].max, UNKNOWN);
    assert_int_equal(p->tiers[1].rates.of[RATE_OUTPUT], 15000000);
    assert_true(str_eq(p->tiers[1].source_url, p->source_url));
    assert_true(str_eq(price_book_provider(book, STR("openai"))->base_url,
                       STR("https://api.openai.com/v1")));
    price_book_unref(book);
    store_close(store);
}

static void a_second_start_changes_nothing(void **state)
{
    struct folder *f = *state;
    struct store *store = open_seeded(f->db);
    int64_t before, after;
    struct err err;

    OK(store_generation(store, &before, &err));
    OK(store_seed(store, &err));
    OK(store_generation(store, &after, &err));
    assert_int_equal(before, after);
    store_close(store);
}

static void what_was_deleted_or_edited_stays_so(void **state)
{
    struct folder *f = *state;
    struct store *store = open_seeded(f->db);
    struct err err;

    run_sql(f->db, "PRAGMA foreign_keys = ON;"
                   "DELETE FROM model_prices WHERE model = 'gpt-5.5';"
                   "DELETE FROM model_providers WHERE slug = 'xai';"
                   "UPDATE model_prices SET input_rate = 7 WHERE model = 'gpt-5.4'");
    OK(store_seed(store, &err));
    assert_int_equal(
        query_number(f->db, "SELECT count(*) FROM model_prices WHERE model = 'gpt-5.5'"), 0);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM model_prices "
                                         "WHERE provider_slug = 'xai'"),
                     0);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM model_providers WHERE slug = 'xai'"),
                     0);
    assert_int_equal(
        query_number(f->db, "SELECT input_rate FROM model_prices WHERE model = 'gpt-5.4'"), 7);
    store_close(store);
}

static void a_newer_catalogue_refreshes_what_nobody_touched(void **state)
{
    static const char providers[] =
        "{\"providers\":[{\"slug\":\"a\",\"name\":\"A\",\"base_url\":\"http://a/v1\","
        "\"currency\":\"USD\",\"api_key_env\":\"A_KEY\",\"capabilities\":{\"text\":true}}]}";
    static const char first[] =
        "{\"models\":[{\"provider\":\"a\",\"model\":\"m\",\"input_usd_per_million\":\"1\","
        "\"output_usd_per_million\":\"2\",\"tiers\":[{\"max_input_tokens\":10,"
        "\"input_usd_per_million\":\"1\",\"output_usd_per_million\":\"2\"}]},"
        "{\"provider\":\"a\",\"model\":\"n\",\"input_usd_per_million\":\"1\","
        "\"output_usd_per_million\":\"2\"}]}";
    static const char second[] =
        "{\"models\":[{\"provider\":\"a\",\"model\":\"m\",\"input_usd_per_million\":\"3\","
        "\"output_usd_per_million\":\"2\"},{\"provider\":\"a\",\"model\":\"n\","
        "\"input_usd_per_million\":\"3\",\"output_usd_per_million\":\"2\"}]}";
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct err err;

    OK(store_seed_from(store, STR(providers), STR(first), &err));
    run_sql(f->db, "UPDATE model_prices SET notes = 'mine' WHERE model = 'n'");
    OK(store_seed_from(store, STR(providers), STR(second), &err));
    assert_int_equal(query_number(f->db, "SELECT input_rate FROM model_prices WHERE model = 'm'"),
                     3000000);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM model_price_tiers"), 0);
    assert_int_equal(query_number(f->db, "SELECT input_rate FROM model_prices WHERE model = 'n'"),
                     1000000);
    store_close(store);
}

static void an_occupied_base_url_does_not_stop_seeding(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct err err;

    run_sql(f->db, "INSERT INTO model_providers (slug, name, base_url, created_us, updated_us) "
                   "VALUES ('mine', 'Mine', 'https://api.openai.com/v1', 1, 1)");
    OK(store_seed(store, &err));
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM model_providers "
                                         "WHERE slug = 'openai' AND base_url IS NULL"),
                     1);
    store_close(store);
}

static void prices_come_back_as_they_were_put(void **state)
{
    struct folder *f = *state;
    struct store *store = open_seeded(f->db);
    struct arena arena = {0};
    cJSON *o =
        json_parse(STR("{\"provider_slug\":\"openai\",\"model\":\"x\",\"aliases\":[\"b\",\"a\"],"
                       "\"input_usd_per_million\":\"0.5\",\"output_usd_per_million\":2,"
                       "\"cache_write_1h_usd_per_million\":3,\"reasoning_usd_per_million\":4,"
                       "\"context_length\":1000,\"active\":false,\"notes\":\"n\",\"tiers\":[{"
                       "\"min_input_tokens\":5,\"label\":\"l\",\"input_usd_per_million\":1,"
                       "\"output_usd_per_million\":1,\"cached_input_usd_per_million\":0}],"
                       "\"variants\":[{\"service_tier\":\"batch\",\"multiplier\":\"0.5\"}]}"));
    struct price_book *book;
    const struct price *got;
    int64_t before, after;
    struct price p;
    struct err err;

    price_init(&p);
    OK(price_read(o, &arena, &p, &err));
    OK(store_generation(store, &before, &err));
    OK(store_price_put(store, &p, true, &err));
    OK(store_generation(store, &after, &err));
    assert_true(after > before);
    book = load(store);
    got = price_book_get(book, STR("openai"), STR("x"));
    assert_int_equal(got->id, p.id);
    assert_true(rates_equal(&got->rates, &p.rates));
    assert_int_equal(got->alias_count, 2);
    assert_true(str_eq(got->aliases[0], STR("b")));
    assert_false(got->active);
    assert_int_equal(got->context_length, 1000);
    assert_int_equal(got->tiers[0].min, 5);
    assert_int_equal(got->tiers[0].max, UNKNOWN);
    assert_int_equal(got->tiers[0].rates.of[RATE_CACHED_INPUT], 0);
    assert_int_equal(got->tiers[0].rates.of[RATE_REASONING], UNKNOWN);
    assert_int_equal(got->variants[0].multiplier, 500000);
    OK(store_price_tier_delete(store, got->tiers[0].id, &err));
    assert_int_equal(store_price_tier_delete(store, got->tiers[0].id, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    OK(store_price_delete(store, p.id, &err));
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM model_price_variants"), 0);
    assert_int_equal(store_price_delete(store, p.id, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    price_book_unref(book);
    cJSON_Delete(o);
    arena_clear(&arena);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_database_gets_the_catalogue),
        TEST(a_second_start_changes_nothing),
        TEST(what_was_deleted_or_edited_stays_so),
        TEST(a_newer_catalogue_refreshes_what_nobody_touched),
        TEST(an_occupied_base_url_does_not_stop_seeding),
        TEST(prices_come_back_as_they_were_put),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
