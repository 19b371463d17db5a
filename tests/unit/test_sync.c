#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/sync.h"
#include "cost_helpers.h"

static bool flag(const cJSON *o, const char *key)
{
    return !cJSON_IsFalse(cost_get(o, key));
}

static struct sync_rows rows_of(const cJSON *given)
{
    struct str search = cost_text(given, "search");
    struct sync_options o = {
        .source = cost_text(given, "source"),
        .search = search.ptr ? search : STR(""),
        .limit = cost_get(given, "limit") ? cost_int(given, "limit") : 25,
        .base_rows = flag(given, "include_base_rows"),
        .provider_rows = flag(given, "include_provider_rows"),
    };
    struct sync_rows rows = {0};
    const cJSON *models[100];
    size_t n = sync_models(cost_get(given, "models"), &o, models, 100);
    struct err err;

    for (size_t i = 0; i < n; i++) {
        const char *id = cost_get(models[i], "id")->valuestring;

        if (str_eq(o.source, STR("openrouter")))
            assert_int_equal(sync_add_openrouter(&rows, &o, models[i],
                                                 cost_get(cost_get(given, "endpoints"), id),
                                                 sync_endpoints_url(models[i], &rows.arena),
                                                 STR("2031-04-05"), &err),
                             0);
        else
            assert_int_equal(sync_add_huggingface(&rows, &o, models[i], STR("2031-04-05"), &err),
                             0);
    }
    return rows;
}

static void same(const char *id, const char *what, struct str got, struct str expect)
{
    if (!str_eq(got, expect) || !got.ptr != !expect.ptr)
        fail_msg("%s: %s is \"%.*s\", expected \"%.*s\"", id, what, STR_ARG(got), STR_ARG(expect));
}

static void check_row(const char *id, const struct sync_row *row, const cJSON *e)
{
    static const enum price_rate shown[] = {RATE_INPUT, RATE_CACHED_INPUT, RATE_OUTPUT};
    const cJSON *aliases = cost_get(e, "aliases"), *tools = cost_get(e, "supports_tools");
    char text[MONEY_SIZE];

    same(id, "key", row->key, cost_text(e, "key"));
    same(id, "display name", row->price.display_name, cost_text(e, "display_name"));
    same(id, "source", row->price.source_url, cost_text(e, "source_url"));
    same(id, "provider", row->external_provider, cost_text(e, "external_provider"));
    assert_int_equal(row->base, str_eq(cost_text(e, "row_kind"), STR("base")));
    assert_int_equal(row->price.context_length, cost_int(e, "context_length"));
    assert_int_equal(row->supports_tools, cJSON_IsNull(tools) ? -1 : cJSON_IsTrue(tools));
    assert_int_equal((int)row->price.alias_count, cJSON_GetArraySize(aliases));
    for (size_t i = 0; i < row->price.alias_count; i++)
        same(id, "alias", row->price.aliases[i],
             str_c(cJSON_GetArrayItem(aliases, (int)i)->valuestring));
    for (size_t i = 0; i < 3; i++) {
        int64_t rate = row->price.rates.of[shown[i]];

        same(id, rate_key[shown[i]],
             rate == UNKNOWN ? STR_NONE : str_c(money_rate_print(rate, text)),
             cost_text(e, rate_key[shown[i]]));
    }
}

static void router_lists_become_prices(void **state)
{
    cJSON *cases = cost_load("cost/catalog.json"), *one;

    (void)state;
    assert_int_equal(cJSON_GetArraySize(cases), 6);
    cJSON_ArrayForEach(one, cases)
    {
        const char *id = cost_get(one, "id")->valuestring;
        const cJSON *expect = cost_get(cost_get(one, "expect"), "rows");
        struct sync_rows rows = rows_of(cost_get(one, "given"));

        if ((int)rows.count != cJSON_GetArraySize(expect))
            fail_msg("%s: %zu rows", id, rows.count);
        for (size_t i = 0; i < rows.count; i++)
            check_row(id, &rows.rows[i], cJSON_GetArrayItem(expect, (int)i));
        sync_clear(&rows);
    }
    cJSON_Delete(cases);
}

static void a_link_to_another_host_is_not_followed(void **state)
{
    static const char *const links[] = {"https://evil.example/x", "//evil.example/x",
                                        "https://openrouter.ai.evil.example/x",
                                        "https://openrouter.ai@evil.example/x", "/\\evil.example"};

    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
        cJSON *model = cJSON_CreateObject();
        struct arena arena = {0};

        json_put_text(model, "id", "a b/c");
        json_put_text(cJSON_AddObjectToObject(model, "links"), "details", links[i]);
        same(links[i], "URL", sync_endpoints_url(model, &arena),
             STR("https://openrouter.ai/api/v1/models/a%20b/c/endpoints"));
        arena_clear(&arena);
        cJSON_Delete(model);
    }
}

static void the_cheaper_of_two_endpoints_with_one_tag_counts(void **state)
{
    cJSON *given = json_parse(STR(
        "{\"source\":\"openrouter\",\"models\":[{\"id\":\"m\"}],\"endpoints\":{\"m\":{\"data\":{"
        "\"endpoints\":[{\"tag\":\"t\",\"pricing\":{\"prompt\":\"2e-6\",\"completion\":\"0\"}},"
        "{\"tag\":\"t\",\"quantization\":\"fp8\",\"pricing\":{\"prompt\":\"1e-6\","
        "\"completion\":\"0\",\"input_cache_write\":\"3e-6\",\"image\":\"0.01\","
        "\"discount\":0}}]}}}}"));
    struct sync_rows rows = rows_of(given);

    (void)state;
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].price.rates.of[RATE_INPUT], 1000000);
    assert_int_equal(rows.rows[0].price.rates.of[RATE_CACHE_WRITE], 3000000);
    same("t", "notes", rows.rows[0].price.notes,
         STR("source=openrouter; row=provider; provider=t; tag=t; quantization=fp8; "
             "ignored=image:0.01"));
    sync_clear(&rows);
    cJSON_Delete(given);
}

static void rows_are_compared_with_what_is_stored(void **state)
{
    cJSON *given = json_parse(
        STR("{\"source\":\"huggingface-router\",\"include_provider_rows\":false,\"models\":["
            "{\"id\":\"m\",\"providers\":[{\"provider\":\"p\",\"pricing\":{\"input\":1,"
            "\"output\":2}}]}]}"));
    struct sync_rows rows = rows_of(given);
    struct price_book *book = price_book_new(1);
    struct price p = rows.rows[0].price;
    char digest[PRICE_DIGEST_SIZE];
    struct err err;

    (void)state;
    assert_int_equal(price_book_seal(book, &err), 0);
    sync_compare(&rows, book);
    assert_int_equal(rows.rows[0].status, SYNC_NEW);
    price_book_unref(book);

    p.id = 9;
    p.sync_digest = str_c(price_digest(&p, digest));
    p.checked_at = STR("2020-01-01");
    book = price_book_new(1);
    assert_int_equal(price_book_add(book, &p, &err), 0);
    assert_int_equal(price_book_seal(book, &err), 0);
    sync_compare(&rows, book);
    assert_int_equal(rows.rows[0].status, SYNC_UNCHANGED); /* another date alone is no change */
    price_book_unref(book);

    p.rates.of[RATE_INPUT]++;
    book = price_book_new(1);
    assert_int_equal(price_book_add(book, &p, &err), 0);
    assert_int_equal(price_book_seal(book, &err), 0);
    sync_compare(&rows, book);
    assert_int_equal(rows.rows[0].status, SYNC_UPDATE);
    assert_true(rows.rows[0].edited);
    assert_int_equal(sync_price(&rows.rows[0], book, &rows.arena).id, 9);
    price_book_unref(book);
    sync_clear(&rows);
    cJSON_Delete(given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(router_lists_become_prices),
        cmocka_unit_test(a_link_to_another_host_is_not_followed),
        cmocka_unit_test(the_cheaper_of_two_endpoints_with_one_tag_counts),
        cmocka_unit_test(rows_are_compared_with_what_is_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
