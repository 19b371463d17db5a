#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json/json_scan.h"

static enum json_type scan(const char *text)
{
    struct str value;

    return json_scan(str_c(text), &value);
}

static void accepts_every_kind_of_value(void **state)
{
    (void)state;
    assert_int_equal(scan("{}"), JSON_OBJECT);
    assert_int_equal(scan(" [ ] "), JSON_ARRAY);
    assert_int_equal(scan("\"\""), JSON_STRING);
    assert_int_equal(scan("-0.5e+10"), JSON_NUMBER);
    assert_int_equal(scan("0"), JSON_NUMBER);
    assert_int_equal(scan("1E9"), JSON_NUMBER);
    assert_int_equal(scan("true"), JSON_TRUE);
    assert_int_equal(scan("false"), JSON_FALSE);
    assert_int_equal(scan("\r\n\tnull\n"), JSON_NULL);
    assert_int_equal(scan("{\"a\":[1,{\"b\":null}, \"c\" ] , \"d\" : {} }"), JSON_OBJECT);
    assert_int_equal(scan("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\udd1e \\ud800\""),
                     JSON_STRING);
    assert_int_equal(
        scan("\"\x7f\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF\xF0\x90\x80\x80"
             "\xF4\x8F\xBF\xBF\""),
        JSON_STRING);
}

static void refuses_what_is_not_json(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[",
        "}",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{]",
        "[}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{1:2}",
        "{\"a\":1}}",
        "[]]",
        "[][]",
        "nul",
        "nulll",
        "True",
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "\"",
        "\"a",
        "'a'",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "\"\n\"",
        "\"\x1f\"",
        "\"\x80\"",
        "\"\xC0\xAF\"",
        "\"\xC3\"",
        "\"\xE0\x80\x80\"",
        "\"\xED\xA0\x80\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xF5\x80\x80\x80\"",
        "\"\xE2\x82\"",
        "1 2",
        "// c\n1",
        "[1]/**/",
        "\v1",
        "\xC2\xA0"
        "1",
        "\xEF\xBB\xBF",
        "\xEF\xBB\xBF\xEF\xBB\xBF"
        "1",
        "\xFF\xFE"
        "1",
        "{\"a\":1,\"b\"",
        "[\"a\":1]",
        ":",
        ",",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (scan(bad[i]) != JSON_INVALID)
            fail_msg("accepted: %s", bad[i]);
}

static void finds_a_bad_byte_at_every_position_of_a_string(void **state)
{
    static const char bad[] = {'\x01', '\x1f', '\n', '\x80', '\xff', '\xC3'};
    char text[64];

    (void)state;
    for (size_t len = 3; len < 40; len++) {
        for (size_t at = 1; at + 1 < len; at++) {
            struct str value;

            memset(text, 'x', sizeof(text));
            text[0] = text[len - 1] = '"';
            assert_int_equal(json_scan((struct str){text, len}, &value), JSON_STRING);
            for (size_t i = 0; i < sizeof(bad); i++) {
                text[at] = bad[i];
                assert_int_equal(json_scan((struct str){text, len}, &value), JSON_INVALID);
            }
            text[at] = '\0';
            assert_int_equal(json_scan((struct str){text, len}, &value), JSON_INVALID);
        }
    }
}

static void the_value_is_the_range_without_blanks_and_byte_order_mark(void **state)
{
    struct str value;

    (void)state;
    assert_int_equal(json_scan(STR("\xEF\xBB\xBF\n {\"a\": 1} \n"), &value), JSON_OBJECT);
    assert_true(str_eq(value, STR("{\"a\": 1}")));
}

static char *nested(char open, char close, size_t depth)
{
    char *text = malloc(depth * 2 + 1);

    memset(text, open, depth);
    memset(text + depth, close, depth);
    text[depth * 2] = '\0';
    return text;
}

static void nesting_ends_at_the_limit(void **state)
{
    char *deep = nested('[', ']', JSON_MAX_DEPTH), *deeper = nested('[', ']', JSON_MAX_DEPTH + 1);
    char *open = nested('[', '[', 100000);

    (void)state;
    assert_int_equal(scan(deep), JSON_ARRAY);
    assert_int_equal(scan(deeper), JSON_INVALID);
    assert_int_equal(scan(open), JSON_INVALID);
    free(deep);
    free(deeper);
    free(open);
}

static void walks_members_and_elements(void **state)
{
    struct json_iter it =
        json_iter(STR("{ \"a\" : 1 , \"b\\\"\" : [ \"]\", {} ] ,\"c\":\"}\\\\\"}"));

    (void)state;
    assert_true(json_next(&it));
    assert_true(str_eq(it.key, STR("a")) && str_eq(it.value, STR("1")));
    assert_true(json_next(&it));
    assert_true(str_eq(it.key, STR("b\\\"")) && str_eq(it.value, STR("[ \"]\", {} ]")));
    assert_true(json_next(&it));
    assert_true(str_eq(it.key, STR("c")) && str_eq(it.value, STR("\"}\\\\\"")));
    assert_false(json_next(&it));
    it = json_iter(STR("[ true,-1 ]"));
    assert_true(json_next(&it) && str_eq(it.value, STR("true")) && it.key.len == 0);
    assert_true(json_next(&it) && str_eq(it.value, STR("-1")));
    assert_false(json_next(&it));
    it = json_iter(STR("7"));
    assert_false(json_next(&it));
    it = json_iter(STR("{}"));
    assert_false(json_next(&it));
}

static void walks_a_text_that_was_cut_up_to_the_cut(void **state)
{
    struct json_iter it = json_iter(STR("{\"type\":\"x\",\"r\":{\"id\":\"abc"));
    struct json_iter inner;

    (void)state;
    assert_true(json_next_lax(&it) && str_eq(it.value, STR("\"x\"")));
    assert_true(json_next_lax(&it) && str_eq(it.value, STR("{\"id\":\"abc")));
    inner = json_iter(it.value);
    assert_true(json_next_lax(&inner) && str_eq(inner.value, STR("\"abc")));
    assert_false(json_next_lax(&inner));
    assert_false(json_next_lax(&it));
    it = json_iter(STR("{\"a\":1,\"b"));
    assert_true(json_next_lax(&it));
    assert_false(json_next_lax(&it));
    it = json_iter(STR("{\"a\":"));
    assert_false(json_next_lax(&it));
}

static void never_reads_past_a_cut_at_any_place(void **state)
{
    static const char text[] =
        "{\"a\\\\\":[1,{\"b\":\"c\\\"d\"}],\"e\\u00e9\":\"\\ud83d\\ude00\",\"f\":-1.5e3}";

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        char *copy = malloc(len ? len : 1);
        struct json_iter it;
        struct buf out = {0};
        struct err err;

        memcpy(copy, text, len);
        it = json_iter((struct str){copy, len});
        while (json_next_lax(&it)) {
            json_key_is(it.key, STR("e\xC3\xA9"));
            json_string_filled(it.value);
            if (json_type_of(it.value) == JSON_STRING)
                assert_int_equal(json_string(it.value, &out, &err), 0);
        }
        buf_clear(&out);
        free(copy);
    }
}

static void the_last_of_repeated_members_counts(void **state)
{
    struct str value;

    (void)state;
    assert_true(json_member(STR("{\"a\":1,\"b\":2,\"\\u0061\":3}"), STR("a"), &value));
    assert_true(str_eq(value, STR("3")));
    assert_false(json_member(STR("{\"a\":1}"), STR("aa"), &value));
    assert_false(json_member(STR("[\"a\"]"), STR("a"), &value));
}

static void decodes(const char *value, struct str expect)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(json_string(str_c(value), &out, &err), 0);
    if (!str_eq(buf_str(&out), expect))
        fail_msg("%s gives %s", value, out.ptr ? out.ptr : "");
    assert_true(json_string_is(str_c(value), expect));
    assert_int_equal(json_string_filled(str_c(value)), expect.len > 0);
    buf_clear(&out);
}

static void strings_are_decoded(void **state)
{
    (void)state;
    decodes("\"\"", STR(""));
    decodes("\"plain\"", STR("plain"));
    decodes("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", STR("\"\\/\b\f\n\r\t"));
    decodes("\"\\u0041\\u00e9\\u20AC\"", STR("A\xC3\xA9\xE2\x82\xAC"));
    decodes("\"\\uD83D\\uDE00\"", STR("\xF0\x9F\x98\x80"));
    decodes("\"\\ud83dx\"", STR("\xEF\xBF\xBDx"));
    decodes("\"\\ude00\"", STR("\xEF\xBF\xBD"));
    decodes("\"\\ud83d\\u0041\"", STR("\xEF\xBF\xBD"
                                      "A"));
    decodes("\"a\\u0000b\"", STR("a\0b"));
    assert_false(json_string_is(STR("\"abc\""), STR("ab")));
    assert_false(json_string_is(STR("\"ab\""), STR("abc")));
    assert_false(json_string_is(STR("7"), STR("7")));
}

static void keys_are_ordered_by_code_point(void **state)
{
    (void)state;
    assert_true(json_key_compare(STR("a"), STR("b")) < 0);
    assert_true(json_key_compare(STR("ab"), STR("a")) > 0);
    assert_true(json_key_compare(STR("a"), STR("\\u0061")) == 0);
    assert_true(json_key_compare(STR("\\u00e9a"), STR("\xC3\xA9"
                                                      "b")) < 0);
    assert_true(json_key_compare(STR(""), STR("")) == 0);
    assert_true(json_key_compare(STR("Z"), STR("a")) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_kind_of_value),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(finds_a_bad_byte_at_every_position_of_a_string),
        cmocka_unit_test(the_value_is_the_range_without_blanks_and_byte_order_mark),
        cmocka_unit_test(nesting_ends_at_the_limit),
        cmocka_unit_test(walks_members_and_elements),
        cmocka_unit_test(walks_a_text_that_was_cut_up_to_the_cut),
        cmocka_unit_test(never_reads_past_a_cut_at_any_place),
        cmocka_unit_test(the_last_of_repeated_members_counts),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(keys_are_ordered_by_code_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
