#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "core/mask.h"

static void stored(const char *name, const cJSON *input, const cJSON *expect)
{
    struct headers headers = {0};
    struct arena arena = {0};
    struct buf out = {0};
    struct err err;

    cases_headers(input, &headers, &arena);
    assert_int_equal(mask_headers_json(&out, &headers, false, &err), 0);
    cases_same(name, "stored JSON", buf_str(&out), cases_str(expect, "stored_json"));
    buf_clear(&out);
    arena_clear(&arena);
}

static void headers_are_stored_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("stored-headers", stored);
}

static void add(struct headers *h, struct arena *arena, const char *name, const char *value)
{
    struct err err;

    assert_int_equal(headers_add(h, arena, str_c(name), str_c(value), &err), 0);
}

static void repeats_are_joined_in_order_and_bytes_read_as_latin1(void **state)
{
    struct headers h = {0};
    struct arena arena = {0};
    struct buf out = {0};
    struct err err;

    (void)state;
    add(&h, &arena, "X-Tag", "two\"");
    add(&h, &arena, "a", "caf\xE9");
    add(&h, &arena, "x-tag", "one");
    add(&h, &arena, "Authorization", "Bearer key");
    assert_int_equal(mask_headers_json(&out, &h, true, &err), 0);
    assert_string_equal(out.ptr, "{\"a\":\"caf\xC3\xA9\",\"authorization\":\"Bearer key\","
                                 "\"x-tag\":\"two\\\", one\"}");
    buf_clear(&out);
    h.count = 0;
    assert_int_equal(mask_headers_json(&out, &h, false, &err), 0);
    assert_string_equal(out.ptr, "{}");
    buf_clear(&out);
    arena_clear(&arena);
}

static void secret_names_are_known_by_list_and_by_last_word(void **state)
{
    static const char *const secret[] = {
        "Authorization",  "PROXY-AUTHORIZATION",
        "x-api-key",      "API-Key",
        "x-goog-api-key", "cookie",
        "Set-Cookie",     "x-amz-security-token",
        "token",          "x_token",
        "My-Secret",      "password",
        "db_password",    "apikey",
        "openai-apikey",  "openai_api_key",
        "azure-api-key",  "api_key",
    };
    static const char *const open[] = {
        "idempotency-key",
        "x-ratelimit-remaining-tokens",
        "tokens",
        "secretive",
        "content-type",
        "xtoken",
        "key",
        "x-token-type",
        "",
        "-",
        "cookies",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
        if (!mask_is_secret_header(str_c(secret[i])))
            fail_msg("%s is a secret", secret[i]);
    for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++)
        if (mask_is_secret_header(str_c(open[i])))
            fail_msg("%s is no secret", open[i]);
}

static void masked(const char *name, const char *value, const char *expect)
{
    struct buf out = {0};

    mask_header_value(&out, str_c(name), str_c(value));
    assert_string_equal(out.ptr, expect);
    buf_clear(&out);
}

static void only_a_known_scheme_with_a_value_stays(void **state)
{
    (void)state;
    masked("Authorization", "Bearer sk-1", "Bearer ***");
    masked("authorization", "basic dXNlcg==", "basic ***");
    masked("proxy-authorization", "Digest a=\"b\", c=d", "Digest ***");
    masked("authorization", "Token x", "Token ***");
    masked("authorization", "Bearer", "***");
    masked("authorization", "Bearer ", "***");
    masked("authorization", "sk-secret with blank", "***");
    masked("x-api-key", "Bearer abc", "***");
    masked("authorization", "", "***");
}

static void restored(const char *text, const char *expect)
{
    struct buf out = {0};

    assert_true(mask_stored_json(&out, str_c(text)));
    assert_string_equal(out.ptr, expect);
    buf_clear(&out);
}

static void rows_written_in_clear_are_masked_when_served(void **state)
{
    struct buf out = {0};

    (void)state;
    restored("{\"accept\":\"*/*\",\"authorization\":\"Bearer sk-1\",\"cookie\":\"a=1; b\"}",
             "{\"accept\":\"*/*\",\"authorization\":\"Bearer ***\",\"cookie\":\"***\"}");
    restored("{\"author\\u0069zation\":\"Bearer x\"}", "{\"author\\u0069zation\":\"Bearer ***\"}");
    restored("{\"x-token\":[\"a\",\"b\"],\"n\":[1]}", "{\"x-token\":\"***\",\"n\":[1]}");
    restored("{}", "{}");
    restored("not json sk-1", "{}");
    assert_true(mask_stored_json(&out, STR_NONE));
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void masking_twice_changes_nothing(void **state)
{
    static const char text[] = "{\"authorization\":\"Bearer ***\",\"set-cookie\":\"***, ***\"}";

    (void)state;
    restored(text, text);
    restored("{\"set-cookie\":\"***, a=1\"}", "{\"set-cookie\":\"***\"}");
}

static void query(const char *text, const char *expect)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(mask_query(&out, str_c(text), &err), 0);
    assert_true(str_eq(buf_str(&out), str_c(expect)));
    buf_clear(&out);
}

static void keys_in_queries_are_masked(void **state)
{
    (void)state;
    query("a=1&key=sk&b=%20", "a=1&key=***&b=%20");
    query("KEY=x&api_key=y&apikey=z&access_token=&token=t=u",
          "KEY=***&api_key=***&apikey=***&access_token=***&token=***");
    query("%6bey=x", "%6bey=***");
    query("key&keys=1&monkey=2&=3&%6=4", "key&keys=1&monkey=2&=3&%6=4");
    query("", "");
    query(NULL, "");
}

static void url(const char *text, const char *expect)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(mask_url(&out, str_c(text), &err), 0);
    if (!str_eq(buf_str(&out), str_c(expect)))
        fail_msg("%s gives %s", text, out.ptr);
    buf_clear(&out);
}

static void urls_lose_user_information_and_keys(void **state)
{
    (void)state;
    url("https://user:pass@host:1/v1/x?key=k&a=b#f", "https://host:1/v1/x?key=***&a=b#f");
    url("https://u@ser:p@host/v1", "https://host/v1");
    url("https://host/v1/a@b", "https://host/v1/a@b");
    url("http://host?token=x", "http://host?token=***");
    url("/v1/http://u:p@h/x?key=1", "/v1/http://u:p@h/x?key=***");
    url("https://h/x#a?key=1", "https://h/x#a?key=1");
    url("https://h/x?", "https://h/x?");
    url("", "");
}

static void a_full_buffer_fails_and_is_left_as_it_was(void **state)
{
    struct buf out = {.limit = 12};
    struct headers h = {0};
    struct arena arena = {0};
    struct err err;

    (void)state;
    buf_put(&out, STR("kept"));
    add(&h, &arena, "content-type", "text/plain");
    assert_int_equal(mask_headers_json(&out, &h, false, &err), -1);
    assert_int_equal(err.code, ERR_NO_MEMORY);
    assert_int_equal(mask_query(&out, STR("a=0123456789"), &err), -1);
    assert_int_equal(mask_url(&out, STR("http://a/0123456789"), &err), -1);
    assert_false(mask_stored_json(&out, STR("{\"a\":\"0123456789\"}")));
    assert_string_equal(out.ptr, "kept");
    buf_clear(&out);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_stored_as_the_cases_say),
        cmocka_unit_test(repeats_are_joined_in_order_and_bytes_read_as_latin1),
        cmocka_unit_test(secret_names_are_known_by_list_and_by_last_word),
        cmocka_unit_test(only_a_known_scheme_with_a_value_stays),
        cmocka_unit_test(rows_written_in_clear_are_masked_when_served),
        cmocka_unit_test(masking_twice_changes_nothing),
        cmocka_unit_test(keys_in_queries_are_masked),
        cmocka_unit_test(urls_lose_user_information_and_keys),
        cmocka_unit_test(a_full_buffer_fails_and_is_left_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
