#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/money.h"

static int64_t rate(const char *text)
{
    int64_t out = UNKNOWN;

    return money_rate(str_c(text), &out) ? out : UNKNOWN;
}

static void rates_are_read_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t rate;
    } cases[] = {
        {"0", 0},
        {"30", 30000000},
        {"0.003625", 3625},
        {" +1.25\t", 1250000},
        {".5", 500000},
        {"5.", 5000000},
        {"1.25e-06", 1},
        {"1e3", 1000000000},
        {"1E+3", 1000000000},
        {"0.1e1", 1000000},
        {"1000000", MONEY_RATE_MAX},
        {"1000000.0000004", MONEY_RATE_MAX},
        {"0e999999999999999999999", 0},
        {"1e-999999999999999999999", 0},
        {"00000000000000000000000000000000001", 1000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (rate(cases[i].text) != cases[i].rate)
            fail_msg("%s gave %lld", cases[i].text, (long long)rate(cases[i].text));
    }
}

static void the_seventh_decimal_is_rounded_half_to_even(void **state)
{
    (void)state;
    assert_int_equal(rate("0.0000005"), 0);
    assert_int_equal(rate("0.0000015"), 2);
    assert_int_equal(rate("0.0000025"), 2);
    assert_int_equal(rate("0.00000250000000000000000000000001"), 3);
    assert_int_equal(rate("0.0000024999999999999999999999999999"), 2);
    assert_int_equal(rate("0.00000050"), 0);
    assert_int_equal(rate("0.00000051"), 1);
    assert_int_equal(rate("9.9999995"), 10000000);
    assert_int_equal(rate("0.5e-6"), 0);
    assert_int_equal(rate("0.05e-6"), 0);
}

static void what_is_no_price_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "-1",
                                      "-0",
                                      "NaN",
                                      "Infinity",
                                      "inf",
                                      "1_0",
                                      "0x10",
                                      "1,5",
                                      "1 2",
                                      ".",
                                      "e5",
                                      "1e",
                                      "1e+",
                                      "1.2.3",
                                      "++1",
                                      "$1",
                                      "1USD",
                                      "1e1.5",
                                      "1e7",
                                      "1000000.000001",
                                      "99999999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (rate(bad[i]) != UNKNOWN)
            fail_msg("\"%s\" was read", bad[i]);
    }
}

static void a_rate_per_token_is_scaled_exactly(void **state)
{
    int64_t out = 0;

    (void)state;
    assert_true(money_rate_of_token(STR("1.25e-06"), &out));
    assert_int_equal(out, 1250000);
    assert_true(money_rate_of_token(STR("0.000000125"), &out));
    assert_int_equal(out, 125000);
    assert_false(money_rate_of_token(STR("-1"), &out));
}

static void amounts_are_printed_without_exponent_and_trailing_zeros(void **state)
{
    char text[MONEY_SIZE];

    (void)state;
    assert_string_equal(money_print(0, text), "0");
    assert_string_equal(money_print(1, text), "0.000000000001");
    assert_string_equal(money_print(INT64_C(3000000000), text), "0.003");
    assert_string_equal(money_print(INT64_C(12000000000000), text), "12");
    assert_string_equal(money_print(-500000000000, text), "-0.5");
    assert_string_equal(money_print(INT64_MAX, text), "9223372.036854775807");
    assert_string_equal(money_print(UNKNOWN, text), "");
    assert_string_equal(money_print_least(1050000000, 8, text), "0.00105000");
    assert_string_equal(money_print_least(1050000001, 8, text), "0.001050000001");
    assert_string_equal(money_rate_print(750000, text), "0.75");
    assert_string_equal(money_rate_fixed(750000, text), "0.750000");
    assert_string_equal(money_rate_fixed(MONEY_RATE_MAX, text), "1000000.000000");
}

static void sums_that_do_not_fit_are_refused(void **state)
{
    int64_t sum = INT64_MAX - 1;

    (void)state;
    assert_true(money_add(&sum, 1));
    assert_false(money_add(&sum, 1));
    assert_int_equal(sum, INT64_MAX);
    sum = 0;
    assert_false(money_add_tokens(&sum, INT64_C(1) << 53, MONEY_RATE_MAX));
    assert_int_equal(sum, 0);
    assert_true(money_add_tokens(&sum, 9223372, MONEY_RATE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_read_exactly),
        cmocka_unit_test(the_seventh_decimal_is_rounded_half_to_even),
        cmocka_unit_test(what_is_no_price_is_refused),
        cmocka_unit_test(a_rate_per_token_is_scaled_exactly),
        cmocka_unit_test(amounts_are_printed_without_exponent_and_trailing_zeros),
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
