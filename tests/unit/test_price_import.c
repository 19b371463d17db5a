#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "clock.h"
#include "core/money.h"
#include "core/price_import.h"
#include "fixture.h"

#define TODAY STR("2026-11-24")

static struct price_book *providers_of(const char *const *slugs)
{
    struct price_book *book = price_book_new(1);
    struct err err;

    for (; *slugs; slugs++) {
        struct price_provider p = {.slug = str_c(*slugs), .name = str_c(*slugs)};

        assert_int_equal(price_book_add_provider(book, &p, &err), 0);
    }
    return book;
}

static struct price_book *usual_book(void)
{
    static const char *const slugs[] = {"openai", "anthropic", "google",   "alibaba",
                                        "xai",    "deepseek",  "moonshot", "huggingface-router",
                                        NULL};
    struct price_book *book = providers_of(slugs);
    struct err err;

    assert_int_equal(price_book_seal(book, &err), 0);
    return book;
}

static struct sync_rows import_file(const char *file, struct sync_options o)
{
    struct buf text = fixture_read(file);
    struct price_book *book = usual_book();
    struct sync_rows rows = {0};
    struct err err;

    if (price_import_rows(&rows, &o, book, buf_str(&text), TODAY, &err) < 0)
        fail_msg("%s", err.msg);
    price_book_unref(book);
    buf_clear(&text);
    return rows;
}

static const struct sync_row *find(const struct sync_rows *rows, const char *key)
{
    for (size_t i = 0; i < rows->count; i++)
        if (str_eq(rows->rows[i].key, str_c(key)))
            return &rows->rows[i];
    return NULL;
}

static const struct price *price_of(const struct sync_rows *rows, const char *key)
{
    const struct sync_row *row = find(rows, key);

    if (!row)
        fail_msg("there is no %s", key);
    return &row->price;
}

/* "1.25 0.125 10 - - -": input, cached, output, write, write 1h, reasoning. */
static void same_rates(const char *what, const struct rates *rates, const char *expect)
{
    struct buf got = {0};
    char text[MONEY_SIZE];

    for (size_t i = 0; i < RATE_COUNT; i++)
        buf_printf(&got, "%s%s", i ? " " : "",
                   rates->of[i] == UNKNOWN ? "-" : money_rate_print(rates->of[i], text));
    fixture_same(str_c(what), "rates", buf_str(&got), str_c(expect));
    buf_clear(&got);
}

static void same_tier(const struct price *p, size_t at, int64_t min, int64_t max, const char *rates)
{
    assert_in_range(at, 0, p->tier_count - 1);
    assert_int_equal(p->tiers[at].min, min);
    assert_int_equal(p->tiers[at].max, max);
    same_rates(p->model.ptr, &p->tiers[at].rates, rates);
}

static void same_variant(const struct price *p, size_t at, const char *tier, const char *rates)
{
    assert_in_range(at, 0, p->variant_count - 1);
    fixture_same(p->model, "service tier", p->variants[at].service_tier, str_c(tier));
    assert_int_equal(p->variants[at].multiplier, 1000000);
    same_rates(p->model.ptr, &p->variants[at].rates, rates);
}

/* ---- LiteLLM ---- */

static void litellm_thresholds_become_tiers(void **state)
{
    struct sync_rows rows =
        import_file("import/litellm.json", (struct sync_options){.source = STR("litellm")});
    const struct price *p = price_of(&rows, "google:gemini-2.5-pro");

    (void)state;
    same_rates("gemini", &p->rates, "1.25 0.125 10 - - -");
    assert_int_equal(p->tier_count, 2);
    same_tier(p, 0, 0, 200001, "1.25 0.125 10 - - -");
    same_tier(p, 1, 200001, UNKNOWN, "2.5 0.25 15 - - -");
    fixture_same(p->model, "label", p->tiers[0].label, STR("<=200K"));
    fixture_same(p->model, "label", p->tiers[1].label, STR(">200K"));
    assert_int_equal(p->alias_count, 1);
    fixture_same(p->model, "alias", p->aliases[0], STR("gemini/gemini-2.5-pro"));
    assert_int_equal(p->context_length, 1048576);
    fixture_same(p->model, "notes", p->notes,
                 STR("source=litellm; mode=chat; supports_tools=true; supports_vision=true"));
    fixture_same(p->model, "source", p->source_url,
                 STR("https://cloud.google.com/vertex-ai/generative-ai/pricing"));

    p = price_of(&rows, "anthropic:claude-sonnet-4");
    same_rates("claude", &p->rates, "3 0.3 15 3.75 6 -");
    same_tier(p, 1, 200001, UNKNOWN, "6 0.3 22.5 7.5 12 -");
    p = price_of(&rows, "xai:grok-4");
    same_tier(p, 0, 0, 128000, "3 - 15 - - -");
    same_tier(p, 1, 128000, UNKNOWN, "6 - 30 - - -");
    sync_clear(&rows);
}

static void litellm_service_tiers_become_variants(void **state)
{
    struct sync_rows rows =
        import_file("import/litellm.json", (struct sync_options){.source = STR("litellm")});
    const struct price *p = price_of(&rows, "openai:o4-mini");

    (void)state;
    assert_int_equal(p->tier_count, 0);
    assert_int_equal(p->alias_count, 0);
    assert_int_equal(p->variant_count, 3);
    same_variant(p, 0, "batch", "0.55 - 2.2 - - -");
    same_variant(p, 1, "flex", "0.55 0.1375 2.2 - - -");
    same_variant(p, 2, "priority", "2 0.5 8 - - -");
    fixture_same(p->model, "notes", p->notes,
                 STR("source=litellm; mode=chat; supports_vision=false; "
                     "ignored=input_cost_per_token_above_200k_tokens_priority,"
                     "search_context_cost_per_query"));
    p = price_of(&rows, "openai:text-embedding-3-small");
    same_rates("embedding", &p->rates, "0.02 - 0 - - -");
    same_variant(p, 0, "batch", "0.01 - - - - -");
    sync_clear(&rows);
}

static void litellm_tiered_pricing_wins_over_thresholds(void **state)
{
    struct sync_rows rows =
        import_file("import/litellm.json", (struct sync_options){.source = STR("litellm")});
    const struct price *p = price_of(&rows, "alibaba:qwen3-max");

    (void)state;
    assert_int_equal(p->tier_count, 3);
    same_rates("qwen3-max", &p->rates, "1.2 0.24 6 - - -");
    same_tier(p, 0, 0, 32001, "1.2 0.24 6 - - -");
    same_tier(p, 1, 32001, 128001, "2.4 - 12 - - -");
    same_tier(p, 2, 128001, UNKNOWN, "3 - 15 - - -");
    p = price_of(&rows, "alibaba:qwen-turbo");
    same_rates("qwen-turbo", &p->rates, "0.05 - 0.2 - - 0.5");
    assert_int_equal(p->context_length, 16384);
    p = price_of(&rows, "deepseek:deepseek-chat");
    same_rates("deepseek", &p->rates, "0.27 0.07 1.1 - - -");
    assert_non_null(find(&rows, "huggingface-router:meta-llama/Llama-3.3-70B"));
    sync_clear(&rows);
}

static void litellm_entries_are_left_out_for_a_reason(void **state)
{
    struct sync_rows rows =
        import_file("import/litellm.json", (struct sync_options){.source = STR("litellm")});

    (void)state;
    assert_int_equal(rows.count, 11);
    assert_int_equal(rows.skipped[SKIP_UNKNOWN_PROVIDER], 4);
    assert_int_equal(rows.skipped[SKIP_UNSUPPORTED_MODE], 2);
    assert_int_equal(rows.skipped[SKIP_NO_TOKEN_PRICE], 1);
    assert_int_equal(rows.skipped[SKIP_BAD_PRICE], 5);
    assert_int_equal(rows.skipped[SKIP_DEPRECATED], 1);
    assert_int_equal(rows.skipped[SKIP_DUPLICATE], 1);
    assert_int_equal(rows.provider_count, 0);
    sync_clear(&rows);
}

static void options_select_entries(void **state)
{
    const struct str openai = STR("openai");
    struct sync_rows rows = import_file(
        "import/litellm.json",
        (struct sync_options){
            .source = STR("litellm"), .providers = &openai, .provider_count = 1, .limit = 2});

    (void)state;
    assert_int_equal(rows.count, 2);
    assert_non_null(find(&rows, "openai:o4-mini"));
    sync_clear(&rows);
    rows = import_file("import/litellm.json", (struct sync_options){.source = STR("litellm"),
                                                                    .search = STR("GPT-4"),
                                                                    .include_deprecated = true});
    assert_int_equal(rows.count, 2);
    assert_false(price_of(&rows, "openai:gpt-4-32k")->active);
    assert_true(price_of(&rows, "openai:gpt-4o-audio")->active);
    sync_clear(&rows);
    rows = import_file("import/litellm.json",
                       (struct sync_options){.source = STR("litellm"), .create_providers = true});
    assert_int_equal(rows.count, 13);
    assert_int_equal(rows.provider_count, 2);
    fixture_same(STR("provider"), "slug", rows.providers[1].slug, STR("vertex-ai"));
    fixture_same(STR("provider"), "name", rows.providers[1].name, STR("Vertex.AI"));
    assert_non_null(find(&rows, "fireworks_ai:deepseek-v3"));
    sync_clear(&rows);
}

/* ---- models.dev ---- */

static void models_dev_tiers_and_modes_are_read(void **state)
{
    struct sync_rows rows =
        import_file("import/models-dev.json", (struct sync_options){.source = STR("models.dev")});
    const struct price *p = price_of(&rows, "openai:gpt-5.4");

    (void)state;
    same_rates("gpt-5.4", &p->rates, "2.5 0.25 15 - - -");
    assert_int_equal(p->tier_count, 2);
    same_tier(p, 0, 0, 272001, "2.5 0.25 15 - - -");
    same_tier(p, 1, 272001, UNKNOWN, "5 0.5 22.5 - - -");
    assert_int_equal(p->variant_count, 2);
    same_variant(p, 0, "flex", "1.25 - 7.5 - - -");
    same_variant(p, 1, "priority", "5 0.5 30 - - -");
    fixture_same(p->model, "name", p->display_name, STR("GPT-5.4"));
    fixture_same(p->model, "release", p->release_date, STR("2026-03-05"));
    fixture_same(p->model, "checked", p->checked_at, STR("2026-03-06"));
    fixture_same(p->model, "notes", p->notes,
                 STR("source=models.dev; supports_tools=true; ignored=input_audio,tiers"));
    p = price_of(&rows, "google:gemini-2.5-pro");
    same_tier(p, 1, 200001, UNKNOWN, "2.5 0.25 15 - - -");
    same_rates("gemini", &p->rates, "1.25 0.125 10 - - -");
    p = price_of(&rows, "moonshot:kimi-k2");
    same_rates("kimi", &p->rates, "0.6 - 2.5 - - 3");
    fixture_same(p->model, "release", p->release_date, STR("2025-07"));
    fixture_same(p->model, "checked", p->checked_at, TODAY);
    assert_int_equal(rows.count, 3);
    assert_int_equal(rows.skipped[SKIP_UNKNOWN_PROVIDER], 2);
    assert_int_equal(rows.skipped[SKIP_DEPRECATED], 1);
    assert_int_equal(rows.skipped[SKIP_NO_TOKEN_PRICE], 2);
    assert_int_equal(rows.skipped[SKIP_BAD_PRICE], 1);
    sync_clear(&rows);
}

static void models_dev_providers_are_created_when_asked(void **state)
{
    struct sync_rows rows =
        import_file("import/models-dev.json",
                    (struct sync_options){.source = STR("models.dev"), .create_providers = true});
    const struct provider *p;

    (void)state;
    assert_int_equal(rows.provider_count, 2);
    p = &rows.providers[0];
    fixture_same(p->slug, "name", p->name, STR("Groq"));
    fixture_same(p->slug, "base", p->base_url, STR("https://api.groq.com/openai/v1"));
    fixture_same(p->slug, "key", p->api_key_env, STR("GROQ_API_KEY"));
    p = &rows.providers[1];
    fixture_same(p->slug, "base", p->base_url, STR_NONE);
    fixture_same(p->slug, "key", p->api_key_env, STR_NONE);
    sync_clear(&rows);
}

/* ---- what is stored ---- */

static void what_a_file_does_not_tell_stays(void **state)
{
    struct sync_rows rows =
        import_file("import/litellm.json", (struct sync_options){.source = STR("litellm")});
    struct price_book *book = usual_book();
    struct price_book *full = price_book_new(2);
    struct price stored = *price_of(&rows, "google:gemini-2.5-pro");
    struct str aliases[] = {STR("google/gemini-2.5-pro"), STR("gemini/gemini-2.5-pro")};
    struct price merged;
    struct err err;

    (void)state;
    stored.id = 7;
    stored.aliases = aliases;
    stored.alias_count = 1;
    stored.display_name = STR("Gemini");
    stored.release_date = STR("2025-06-17");
    assert_int_equal(price_book_add(full, &stored, &err), 0);
    assert_int_equal(price_book_seal(full, &err), 0);
    sync_compare(&rows, full);
    assert_int_equal(find(&rows, "google:gemini-2.5-pro")->status, SYNC_UPDATE);
    assert_true(find(&rows, "google:gemini-2.5-pro")->edited);
    assert_int_equal(find(&rows, "xai:grok-4")->status, SYNC_NEW);
    merged = sync_price(find(&rows, "google:gemini-2.5-pro"), full, &rows.arena);
    assert_int_equal(merged.alias_count, 2);
    fixture_same(merged.model, "name", merged.display_name, STR("Gemini"));
    fixture_same(merged.model, "release", merged.release_date, STR("2025-06-17"));
    price_book_unref(full);

    full = price_book_new(3);
    stored.alias_count = 2;
    assert_int_equal(price_book_add(full, &stored, &err), 0);
    assert_int_equal(price_book_seal(full, &err), 0);
    sync_compare(&rows, full);
    assert_int_equal(find(&rows, "google:gemini-2.5-pro")->status, SYNC_UNCHANGED);
    price_book_unref(full);
    price_book_unref(book);
    sync_clear(&rows);
}

static void keys_choose_rows(void **state)
{
    struct sync_rows rows =
        import_file("import/litellm.json", (struct sync_options){.source = STR("litellm")});
    struct str keys[] = {STR("xai:grok-4"), STR("nope"), STR("xai:grok-4"), STR("openai:o4-mini")};

    (void)state;
    assert_int_equal(sync_choose(&rows, keys, 4), 1);
    fixture_same(STR("missing"), "key", keys[0], STR("nope"));
    assert_true(find(&rows, "xai:grok-4")->chosen);
    assert_false(find(&rows, "openai:gpt-future")->chosen);
    sync_clear(&rows);
}

/* ---- hostile documents ---- */

static void refuses(const char *format, struct str document, enum err_code code)
{
    struct sync_options o = {.source = str_c(format), .create_providers = true};
    struct price_book *book = usual_book();
    struct sync_rows rows = {0};
    struct err err;

    if (price_import_rows(&rows, &o, book, document, TODAY, &err) == 0)
        fail_msg("%s took %.*s", format, STR_ARG(str_cut(document, 60)));
    assert_int_equal(err.code, code);
    price_book_unref(book);
    sync_clear(&rows);
}

static void documents_of_another_kind_are_refused(void **state)
{
    static const char *const formats[] = {"catalog", "litellm", "models.dev"};
    struct buf deep = {0}, large = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_put(&deep, STR("{\"a\":"));
    buf_put(&large, STR("{\"a\":\""));
    for (int i = 0; i < 320; i++) {
        static const char part[65536 + 1] = {0};
        struct buf filler = {0};

        buf_put(&filler, (struct str){part, 65536});
        for (size_t k = 0; k < filler.len; k++)
            filler.ptr[k] = 'x';
        buf_put(&large, buf_str(&filler));
        buf_clear(&filler);
    }
    buf_put(&large, STR("\"}"));
    for (size_t i = 0; i < 3; i++) {
        refuses(formats[i], STR(""), ERR_INVALID);
        refuses(formats[i], STR("[]"), ERR_INVALID);
        refuses(formats[i], STR("{\"a\":NaN}"), ERR_INVALID);
        refuses(formats[i], STR("{\"a\":{}"), ERR_INVALID);
        refuses(formats[i], buf_str(&deep), ERR_INVALID);
        refuses(formats[i], buf_str(&large), ERR_TOO_LARGE);
    }
    refuses("catalog", STR("{\"models\":{}}"), ERR_INVALID);
    refuses("toml", STR("{}"), ERR_INVALID);
    buf_clear(&deep);
    buf_clear(&large);
}

static void a_document_with_too_many_prices_is_refused(void **state)
{
    struct buf text = {0};

    (void)state;
    buf_put(&text, STR("{"));
    for (int i = 0; i < 20001; i++)
        buf_printf(&text,
                   "%s\"m%d\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":0,"
                   "\"output_cost_per_token\":0}",
                   i ? "," : "", i);
    buf_put(&text, STR("}"));
    refuses("litellm", buf_str(&text), ERR_INVALID);
    buf_clear(&text);
}

static void wrong_types_anywhere_cost_their_entry_only(void **state)
{
    static const char *const documents[][2] = {
        {"models.dev",
         "{\"openai\":7,\"google\":{\"models\":[]},\"xai\":{\"models\":{\"a\":1,\"b\":{\"cost\":[]}"
         ","
         "\"c\":{\"cost\":{\"input\":1,\"output\":1,\"tiers\":{}}},"
         "\"d\":{\"cost\":{\"input\":1,\"output\":1,\"tiers\":[7,{\"tier\":{\"type\":\"context\","
         "\"size\":-1},\"input\":1,\"output\":1}]}},"
         "\"e\":{\"cost\":{\"input\":1,\"output\":1},\"limit\":7,\"experimental\":[],\"name\":{},"
         "\"release_date\":7,\"status\":[]},\"\\u0000\":{\"cost\":{\"input\":1,\"output\":1}}}}}"},
        {"litellm",
         "{\"a\":[],\"b\":{\"litellm_provider\":7},\"c\":{\"litellm_provider\":\"openai\","
         "\"mode\":[]},\"e\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":1e-6,"
         "\"output_cost_per_token\":1e-6,\"source\":{},\"max_input_tokens\":-5,"
         "\"deprecation_date\":7,\"input_cost_per_token_above_99999999999999999999_tokens\":1,"
         "\"input_cost_per_token_above__tokens\":1,\"supports_vision\":\"yes\"},"
         "\"f\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":1e-6,"
         "\"output_cost_per_token\":1e-6,\"tiered_pricing\":{}}}"},
        {"catalog",
         "{\"providers\":7,\"models\":[7,{},{\"provider\":\"openai\"},{\"provider\":\"openai\","
         "\"model\":\"e\",\"input_usd_per_million\":\"1\",\"output_usd_per_million\":2},"
         "{\"provider\":\"openai\",\"model\":\"f\",\"input_usd_per_million\":\"-1\","
         "\"output_usd_per_million\":2}]}"},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sync_options o = {.source = str_c(documents[i][0])};
        struct price_book *book = usual_book();
        struct sync_rows rows = {0};
        struct err err;

        if (price_import_rows(&rows, &o, book, str_c(documents[i][1]), TODAY, &err) < 0)
            fail_msg("%s: %s", documents[i][0], err.msg);
        assert_int_equal(rows.count, 1);
        fixture_same(o.source, "model", rows.rows[0].price.model, STR("e"));
        price_book_unref(book);
        sync_clear(&rows);
    }
}

static void thousands_of_entries_are_read_at_once(void **state)
{
    struct buf text = {0};
    struct sync_options o = {.source = STR("litellm")};
    struct price_book *book = usual_book();
    struct sync_rows rows = {0};
    int64_t started_us;
    struct err err;

    (void)state;
    buf_put(&text, STR("{"));
    for (int i = 0; i < 10000; i++)
        buf_printf(&text,
                   "%s\"openai/model-%d\":{\"litellm_provider\":\"openai\",\"mode\":\"chat\","
                   "\"input_cost_per_token\":1.25e-06,\"output_cost_per_token\":1e-05,"
                   "\"input_cost_per_token_above_200k_tokens\":2.5e-06,"
                   "\"output_cost_per_token_above_200k_tokens\":1.5e-05,"
                   "\"supports_vision\":true,\"max_input_tokens\":1048576}",
                   i ? "," : "", i);
    buf_put(&text, STR("}"));
    started_us = clock_now_us();
    assert_int_equal(price_import_rows(&rows, &o, book, buf_str(&text), TODAY, &err), 0);
    assert_int_equal(rows.count, 10000);
    sync_compare(&rows, book);
    print_message("%zu bytes, %zu rows: %lld us\n", text.len, rows.count,
                  (long long)(clock_now_us() - started_us));
    assert_in_range(clock_now_us() - started_us, 0, 5000000);
    price_book_unref(book);
    sync_clear(&rows);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(litellm_thresholds_become_tiers),
        cmocka_unit_test(litellm_service_tiers_become_variants),
        cmocka_unit_test(litellm_tiered_pricing_wins_over_thresholds),
        cmocka_unit_test(litellm_entries_are_left_out_for_a_reason),
        cmocka_unit_test(options_select_entries),
        cmocka_unit_test(models_dev_tiers_and_modes_are_read),
        cmocka_unit_test(models_dev_providers_are_created_when_asked),
        cmocka_unit_test(what_a_file_does_not_tell_stays),
        cmocka_unit_test(keys_choose_rows),
        cmocka_unit_test(documents_of_another_kind_are_refused),
        cmocka_unit_test(a_document_with_too_many_prices_is_refused),
        cmocka_unit_test(wrong_types_anywhere_cost_their_entry_only),
        cmocka_unit_test(thousands_of_entries_are_read_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
