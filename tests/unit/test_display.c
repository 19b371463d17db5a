#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "view/display.h"

static char text[DISPLAY_SIZE];

static void counts_are_compact(void **state)
{
    (void)state;
    assert_string_equal(display_compact(UNKNOWN, text), "-");
    assert_string_equal(display_compact(0, text), "0");
    assert_string_equal(display_compact(999, text), "999");
    assert_string_equal(display_compact(1000, text), "1k");
    assert_string_equal(display_compact(1234, text), "1.23k");
    assert_string_equal(display_compact(12345, text), "12.3k");
    assert_string_equal(display_compact(999999, text), "1000k");
    assert_string_equal(display_compact(1500000000, text), "1.5B");
    assert_string_equal(display_compact(-1234, text), "-1.23k");
    assert_true(strlen(display_compact(INT64_MAX, text)) < DISPLAY_SIZE - 1);
}

static void rates_have_two_decimals_below_a_thousand(void **state)
{
    (void)state;
    assert_string_equal(display_rate(NAN, text), "-");
    assert_string_equal(display_rate(41.666, text), "41.67");
    assert_string_equal(display_rate(1234.5, text), "1.23k");
}

static void money_has_as_many_digits_as_it_needs(void **state)
{
    (void)state;
    assert_string_equal(display_usd(UNKNOWN, text), "-");
    assert_string_equal(display_usd(0, text), "$0.00");
    assert_string_equal(display_usd(INT64_C(6200000000), text), "$0.006200");
    assert_string_equal(display_usd(INT64_C(250000000000), text), "$0.2500");
    assert_string_equal(display_usd(-INT64_C(500000000000), text), "$-0.5000");
    assert_string_equal(display_usd(INT64_C(12500000000000), text), "$12.50");
    assert_string_equal(display_usd(INT64_C(12345) * 1000000000000, text), "$12.3k");
}

static void durations_are_rounded_as_they_grow(void **state)
{
    (void)state;
    assert_string_equal(display_duration(UNKNOWN, text), "-");
    assert_string_equal(display_duration(-5, text), "0 ms");
    assert_string_equal(display_duration(999, text), "999 ms");
    assert_string_equal(display_duration(1500, text), "1.5 s");
    assert_string_equal(display_duration(59999, text), "60 s");
    assert_string_equal(display_duration(60000, text), "1m");
    assert_string_equal(display_duration(93000, text), "1m 33s");
    assert_string_equal(display_duration(60500, text), "1m"); /* ties go to even */
    assert_string_equal(display_duration(61500, text), "1m 2s");
    assert_string_equal(display_duration(3600000, text), "1h");
    assert_string_equal(display_duration(7500000, text), "2h 5m");
    assert_string_equal(display_duration(86400000, text), "1 day");
    assert_string_equal(display_duration(90000000, text), "1 day 1h");
    assert_string_equal(display_duration(INT64_C(3) * 86400000, text), "3 days");
}

static void throughput_needs_tokens_and_time(void **state)
{
    double rate;

    (void)state;
    assert_false(display_throughput(UNKNOWN, 1000, text, &rate));
    assert_false(display_throughput(10, UNKNOWN, text, &rate));
    assert_false(display_throughput(10, 0, text, &rate));
    assert_true(display_throughput(125, 3000, text, &rate));
    assert_string_equal(text, "41.67");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_compact),
        cmocka_unit_test(rates_have_two_decimals_below_a_thousand),
        cmocka_unit_test(money_has_as_many_digits_as_it_needs),
        cmocka_unit_test(durations_are_rounded_as_they_grow),
        cmocka_unit_test(throughput_needs_tokens_and_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
