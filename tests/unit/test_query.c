#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "query.h"

static void pairs_are_taken_in_order_and_empty_ones_are_skipped(void **state)
{
    struct str rest = STR("a=1&&b&=x&c=d=e&"), name, value;

    (void)state;
    assert_true(query_next(&rest, &name, &value));
    assert_true(str_eq(name, STR("a")) && str_eq(value, STR("1")));
    assert_true(query_next(&rest, &name, &value));
    assert_true(str_eq(name, STR("b")) && value.len == 0);
    assert_true(query_next(&rest, &name, &value));
    assert_true(name.len == 0 && str_eq(value, STR("x")));
    assert_true(query_next(&rest, &name, &value));
    assert_true(str_eq(name, STR("c")) && str_eq(value, STR("d=e")));
    assert_false(query_next(&rest, &name, &value));
    rest = STR_NONE;
    assert_false(query_next(&rest, &name, &value));
}

static void decode_to(const char *raw, bool form, const char *text)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(query_decode(&out, str_c(raw), form, &err), 0);
    assert_string_equal(buf_str(&out).ptr, text);
    buf_clear(&out);
}

static void decoding_leaves_broken_escapes_alone(void **state)
{
    (void)state;
    decode_to("a%20b+c", true, "a b c");
    decode_to("a%20b+c", false, "a b+c");
    decode_to("%c3%A9%", true, "\xC3\xA9%");
    decode_to("%4", true, "%4");
    decode_to("%zz%41", true, "%zzA");
    decode_to("", true, "");
}

static void decoding_keeps_the_limit_of_the_buffer(void **state)
{
    struct buf out = {.limit = 3};
    struct err err;

    (void)state;
    assert_int_equal(query_decode(&out, STR("abcd"), true, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void the_last_value_of_a_name_counts(void **state)
{
    struct buf out = {0};
    struct err err;

    (void)state;
    assert_int_equal(buf_add(&out, STR("> "), &err), 0);
    assert_true(query_get(STR("p=1&%70=two+2&q=3"), "p", &out));
    assert_string_equal(out.ptr, "> two 2");
    assert_false(query_get(STR("P=1"), "p", &out));
    assert_string_equal(out.ptr, "> two 2");
    assert_true(query_get(STR("x"), "x", &out));
    assert_string_equal(out.ptr, "> two 2");
    buf_clear(&out);
}

static void encoding_is_that_of_forms(void **state)
{
    struct buf out = {0};

    (void)state;
    query_encode(&out, STR("aZ0_.-~ /\xC3\xA9+&="));
    assert_string_equal(out.ptr, "aZ0_.-~+%2F%C3%A9%2B%26%3D");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_taken_in_order_and_empty_ones_are_skipped),
        cmocka_unit_test(decoding_leaves_broken_escapes_alone),
        cmocka_unit_test(decoding_keeps_the_limit_of_the_buffer),
        cmocka_unit_test(the_last_value_of_a_name_counts),
        cmocka_unit_test(encoding_is_that_of_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
