#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "json/json.h"
#include "json/json_index.h"

static void prints_as(cJSON *tree, const char *expect)
{
    struct buf out = {0};

    assert_true(json_print(&out, tree));
    assert_string_equal(out.ptr, expect);
    buf_clear(&out);
    cJSON_Delete(tree);
}

static void numbers_keep_their_digits(void **state)
{
    cJSON *o = cJSON_CreateObject();

    (void)state;
    json_put_int(o, "small", -7);
    json_put_int(o, "time", INT64_C(1000000000000000));
    json_put_int(o, "max", INT64_MAX);
    json_put_int(o, "none", UNKNOWN);
    json_put_money(o, "dollar", INT64_C(1000000000000));
    json_put_money(o, "pico", 1);
    json_put_money(o, "cents", INT64_C(-12340000000000));
    json_put_money(o, "zero", 0);
    json_put_money(o, "max_money", INT64_MAX);
    json_put_money(o, "free", UNKNOWN);
    prints_as(o,
              "{\"small\":-7,\"time\":1000000000000000,\"max\":9223372036854775807,\"none\":null,"
              "\"dollar\":1,\"pico\":0.000000000001,\"cents\":-12.34,\"zero\":0,"
              "\"max_money\":9223372.036854775807,\"free\":null}");
}

static void text_from_outside_becomes_valid_json(void **state)
{
    cJSON *o = cJSON_CreateObject(), *list = cJSON_CreateArray();

    (void)state;
    json_put_str(o, "broken", STR("a\xFFz"));
    json_put_str(o, "nul", STR("a\0b"));
    json_put_str(o, "none", STR_NONE);
    json_put_str(o, "empty", STR(""));
    json_put_text(o, "text", "\xC3\xA9\"\\\n");
    json_put_bool(o, "yes", true);
    json_put_null(o, "null");
    json_put_raw(o, "raw", "[1,2]");
    json_add_str(list, STR("x"));
    json_add_int(list, 5);
    cJSON_AddItemToObject(o, "list", list);
    prints_as(o,
              "{\"broken\":\"a\xEF\xBF\xBDz\",\"nul\":\"a\\u0000b\",\"none\":null,\"empty\":\"\","
              "\"text\":\"\xC3\xA9\\\"\\\\\\n\",\"yes\":true,\"null\":null,\"raw\":[1,2],"
              "\"list\":[\"x\",5]}");
}

static void quoting_escapes_what_json_forbids(void **state)
{
    struct buf out = {0};

    (void)state;
    assert_true(json_quote(&out, STR("a\"b\\c\n\x01\x1f\x7f\xC3\xA9\xED\xA0\x80/\0")));
    assert_string_equal(out.ptr,
                        "\"a\\\"b\\\\c\\n\\u0001\\u001f\x7f\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD"
                        "\xEF\xBF\xBD/\\u0000\"");
    buf_clear(&out);
    assert_true(json_quote(&out, STR("")));
    assert_string_equal(out.ptr, "\"\"");
    buf_clear(&out);
}

static void quoting_into_a_full_buffer_leaves_it_as_it_was(void **state)
{
    struct buf out = {.limit = 6};

    (void)state;
    buf_put(&out, STR("ab"));
    assert_false(json_quote(&out, STR("too long")));
    assert_string_equal(out.ptr, "ab");
    assert_int_equal(out.len, 2);
    buf_clear(&out);
}

static void reads_what_is_there_and_of_the_right_type(void **state)
{
    cJSON *o =
        json_parse(STR("\xEF\xBB\xBF{\"usage\":{\"tokens\":12.0,\"half\":0.5,\"huge\":1e300},"
                       "\"s\":\"x\",\"b\":true,\"n\":1,\"n\":2,\"big\":9007199254740992}"));
    const char *text = "before";
    int64_t value = -1;

    (void)state;
    assert_non_null(o);
    assert_true(json_get_int(o, "usage.tokens", &value));
    assert_int_equal(value, 12);
    assert_true(json_get_int(o, "n", &value));
    assert_int_equal(value, 2);
    assert_true(json_get_int(o, "big", &value));
    assert_true(value == INT64_C(9007199254740992));
    assert_false(json_get_int(o, "usage.half", &value));
    assert_false(json_get_int(o, "usage.huge", &value));
    assert_false(json_get_int(o, "usage", &value));
    assert_false(json_get_int(o, "s", &value));
    assert_false(json_get_int(o, "usage.none.deeper", &value));
    assert_true(value == INT64_C(9007199254740992));
    assert_false(json_get_str(o, "n", &text));
    assert_string_equal(text, "before");
    assert_true(json_get_str(o, "s", &text));
    assert_string_equal(text, "x");
    assert_false(json_get_int(NULL, "n", &value));
    cJSON_Delete(o);
}

static void large_integers_of_a_built_tree_are_read_back(void **state)
{
    cJSON *o = cJSON_CreateObject();
    int64_t value = 0;

    (void)state;
    json_put_int(o, "at", INT64_C(1900000000123456));
    assert_true(json_get_int(o, "at", &value));
    assert_true(value == INT64_C(1900000000123456));
    cJSON_Delete(o);
}

static void parses_what_other_parsers_stumble_over(void **state)
{
    (void)state;
    assert_null(json_parse(STR("{\"a\":1,}")));
    assert_null(json_parse(STR("")));
    prints_as(json_parse(STR("{\"a\":\"\\ud800\",\"b\":\"x\\u0000y\"}")),
              "{\"a\":\"\xEF\xBF\xBD\",\"b\":\"x\xEF\xBF\xBDy\"}");
    prints_as(json_parse(STR("[[],{},[1,[2]],{\"a\":{\"b\":[]}},\"\"]")),
              "[[],{},[1,[2]],{\"a\":{\"b\":[]}},\"\"]");
    prints_as(json_parse(STR("[0.00000000000000000000000000000000000000000000000000000000000000"
                             "000000000000]")),
              "[0]");
}

static void indexed(struct str text, size_t count)
{
    struct json_index index = {0};
    struct err err;

    assert_int_equal(json_index(&index, text, &err), 0);
    assert_int_equal(index.count, count);
    for (size_t i = 0; i < count; i++) {
        struct str value = json_index_value(&index, i);
        struct json_iter it = json_iter(value);
        size_t child = i + 1;

        while (json_next(&it)) {
            assert_true(child < index.nodes[i].next);
            assert_true(str_eq(it.value, json_index_value(&index, child)));
            assert_true(str_eq(it.key, json_index_key(&index, child)));
            child = index.nodes[child].next;
        }
        assert_int_equal(child, index.nodes[i].next);
    }
    json_index_clear(&index);
}

static void the_index_agrees_with_the_iterator(void **state)
{
    (void)state;
    indexed(STR("7"), 1);
    indexed(STR(" [ ] "), 1);
    indexed(STR("{\"a\":[1,\"}\",{\"b\\\"\":null,\"c\":{}}],\"\":\"\\\\\",\"d\":-1.5e3 , \"a\" : "
                "true}"),
            10);
    indexed(STR("[[[[]]],[{\"x\":[{}]}]]"), 8);
}

static void pretty(struct str text, const char *expect)
{
    struct json_index index = {0};
    struct buf out = {0};
    struct err err;

    assert_int_equal(json_index(&index, text, &err), 0);
    assert_int_equal(json_pretty(&out, &index, 0, 0, &err), 0);
    assert_string_equal(out.ptr, expect);
    buf_clear(&out);
    json_index_clear(&index);
}

static void pretty_printing_sorts_and_keeps_digits(void **state)
{
    (void)state;
    pretty(STR("{\"z\":1.50,\"a\":18446744073709551615,\"m\":[],\"b\":{},\"c\":[1,{\"y\":2,\"x\":-"
               "0.0}]}"),
           "{\n  \"a\": 18446744073709551615,\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n"
           "      \"x\": -0.0,\n      \"y\": 2\n    }\n  ],\n  \"m\": [],\n  \"z\": 1.50\n}");
    pretty(STR(" \"x\" "), "\"x\"");
    pretty(STR("[[],[ ],{ }]"), "[\n  [],\n  [],\n  {}\n]");
}

static void pretty_printing_unescapes_what_may_stand_as_it_is(void **state)
{
    (void)state;
    pretty(
        STR("[\"\\u00e9\\/\\ud83d\\ude00\\u0041\\n\\u000a\\u0022\\u005c\\u0001\\ud800\\u0000\"]"),
        "[\n  \"\xC3\xA9/\xF0\x9F\x98\x80"
        "A\\n\\n\\\"\\\\\\u0001\\ud800\\u0000\"\n]");
    pretty(STR("{\"\\u0062\":1,\"a\":2}"), "{\n  \"a\": 2,\n  \"b\": 1\n}");
}

static void pretty_printing_keeps_the_last_of_equal_keys(void **state)
{
    (void)state;
    pretty(STR("{\"b\":1,\"a\":2,\"\\u0062\":3,\"a\":4}"), "{\n  \"a\": 4,\n  \"b\": 3\n}");
}

static void pretty_printing_stops_at_the_limit_of_the_buffer(void **state)
{
    struct json_index index = {0};
    struct buf out = {.limit = 10};
    struct err err;

    (void)state;
    assert_int_equal(json_index(&index, STR("[[1],[2],[3]]"), &err), 0);
    assert_int_equal(json_pretty(&out, &index, 0, 0, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_clear(&out);
    json_index_clear(&index);
}

static void the_deepest_nesting_is_printed(void **state)
{
    struct buf text = {0}, out = {0};
    struct json_index index = {0};
    struct err err;

    (void)state;
    for (int i = 0; i < JSON_MAX_DEPTH; i++)
        buf_put(&text, i % 2 ? STR("{\"a\":") : STR("["));
    buf_put(&text, STR("1"));
    for (int i = JSON_MAX_DEPTH - 1; i >= 0; i--)
        buf_put(&text, i % 2 ? STR("}") : STR("]"));
    assert_int_equal(json_index(&index, buf_str(&text), &err), 0);
    assert_int_equal(json_pretty(&out, &index, 0, 0, &err), 0);
    assert_true(str_find(buf_str(&out), STR("\"a\": 1\n")) > 0);
    cJSON_Delete(json_parse(buf_str(&text)));
    buf_clear(&text);
    buf_clear(&out);
    json_index_clear(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_their_digits),
        cmocka_unit_test(text_from_outside_becomes_valid_json),
        cmocka_unit_test(quoting_escapes_what_json_forbids),
        cmocka_unit_test(quoting_into_a_full_buffer_leaves_it_as_it_was),
        cmocka_unit_test(reads_what_is_there_and_of_the_right_type),
        cmocka_unit_test(large_integers_of_a_built_tree_are_read_back),
        cmocka_unit_test(parses_what_other_parsers_stumble_over),
        cmocka_unit_test(the_index_agrees_with_the_iterator),
        cmocka_unit_test(pretty_printing_sorts_and_keeps_digits),
        cmocka_unit_test(pretty_printing_unescapes_what_may_stand_as_it_is),
        cmocka_unit_test(pretty_printing_keeps_the_last_of_equal_keys),
        cmocka_unit_test(pretty_printing_stops_at_the_limit_of_the_buffer),
        cmocka_unit_test(the_deepest_nesting_is_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
