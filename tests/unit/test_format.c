#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "text/format.h"

#define IS(expression, expected)                                                                   \
    do {                                                                                           \
        char out[FORMAT_SIZE];                                                                     \
        assert_string_equal(expression, expected);                                                 \
    } while (0)

static void durations_have_three_digits_or_two_units(void **state)
{
    (void)state;
    IS(format_duration(out, FORMAT_NONE), "-");
    IS(format_duration(out, -5), "0ms");
    IS(format_duration(out, 184), "184ms");
    IS(format_duration(out, 999), "999ms");
    IS(format_duration(out, 1210), "1.21s");
    IS(format_duration(out, 9994), "9.99s");
    IS(format_duration(out, 9995), "10.0s");
    IS(format_duration(out, 42100), "42.1s");
    IS(format_duration(out, 59949), "59.9s");
    IS(format_duration(out, 59950), "1m00s");
    IS(format_duration(out, 161000), "2m41s");
    IS(format_duration(out, 3599499), "59m59s");
    IS(format_duration(out, 3599500), "1h00m");
    IS(format_duration(out, 11520000), "3h12m");
    IS(format_duration(out, 273600000), "3d04h");
    IS(format_duration(out, INT64_MAX), "106751991167d07h");
}

static void ages_fit_five_cells(void **state)
{
    (void)state;
    IS(format_age(out, FORMAT_NONE), "-");
    IS(format_age(out, 900), "0.9s");
    IS(format_age(out, 6700), "6.7s");
    IS(format_age(out, 14000), "14.0s");
    IS(format_age(out, 61000), "1m01s");
    IS(format_age(out, 12 * 60000), "12m");
    IS(format_age(out, 11520000), "3h12m");
    IS(format_age(out, 12 * 3600000), "12h");
    IS(format_age(out, INT64_C(4) * 86400000), "4d");
}

static void counts_are_compact_and_promoted(void **state)
{
    (void)state;
    IS(format_count(out, FORMAT_NONE), "-");
    IS(format_count(out, 0), "0");
    IS(format_count(out, 999), "999");
    IS(format_count(out, 1000), "1k");
    IS(format_count(out, 1234), "1.23k");
    IS(format_count(out, 12345), "12.3k");
    IS(format_count(out, 48100), "48.1k");
    IS(format_count(out, 31000), "31k");
    IS(format_count(out, 999999), "1M");
    IS(format_count(out, 4610000), "4.61M");
    IS(format_count(out, 1500000000), "1.5B");
    IS(format_count(out, -1234), "-1.23k");
}

static void rates_have_one_decimal(void **state)
{
    (void)state;
    IS(format_rate(out, (double)NAN), "-");
    IS(format_rate(out, 141.6), "141.6");
    IS(format_rate(out, 0), "0.0");
    IS(format_rate(out, 1234.5), "1.23k");
    IS(format_rate(out, 999.97), "1k");
}

static void bytes_are_powers_of_1024(void **state)
{
    (void)state;
    IS(format_bytes(out, FORMAT_NONE), "-");
    IS(format_bytes(out, 310), "310");
    IS(format_bytes(out, 1023), "1023");
    IS(format_bytes(out, 39014), "38.1K");
    IS(format_bytes(out, 217088), "212K");
    IS(format_bytes(out, 1024 * 1024 - 1), "1.0M");
    IS(format_bytes(out, 1288490188), "1.2G");
    IS(format_bytes_long(out, 310), "310 B");
    IS(format_bytes_long(out, 1288490188), "1.2 GiB");
}

static void percentages_have_at_most_one_decimal(void **state)
{
    (void)state;
    IS(format_percent(out, 46269, 47700), "97%");
    IS(format_percent(out, 1, 3), "33.3%");
    IS(format_percent(out, 0, 3), "0%");
    IS(format_percent(out, 1, 0), "-");
    IS(format_percent(out, FORMAT_NONE, 3), "-");
}

static void money_fits_a_column_and_unknown_is_never_zero(void **state)
{
    (void)state;
    IS(format_money(out, STR_NONE), "-");
    IS(format_money(out, STR("")), "-");
    IS(format_money(out, STR("0")), "$0.0000");
    IS(format_money(out, STR("0.0277737")), "$0.0278");
    IS(format_money(out, STR("0.00009")), "<$.0001");
    IS(format_money(out, STR("0.0001")), "$0.0001");
    IS(format_money(out, STR("0.99999")), "$1.00");
    IS(format_money(out, STR("1.84")), "$1.84");
    IS(format_money(out, STR("999.999")), "$1k");
    IS(format_money(out, STR("1840")), "$1.84k");
    IS(format_money(out, STR("1x")), "-");
}

static void decimals_lose_their_exponent_and_no_digit(void **state)
{
    (void)state;
    IS(format_decimal(out, STR("0.123456789012")), "0.123456789012");
    IS(format_decimal(out, STR("9007199254740993")), "9007199254740993");
    IS(format_decimal(out, STR("2.77737e-05")), "0.0000277737");
    IS(format_decimal(out, STR("-1.5E3")), "-1500");
    IS(format_decimal(out, STR("12e0")), "12");
    IS(format_decimal(out, STR("1.25e1")), "12.5");
}

#define NOW INT64_C(1795442527104000) /* 2026-11-23T14:02:07.104Z */

static void times_are_relative_for_a_day_and_absolute_after_it(void **state)
{
    (void)state;
    IS(format_time(out, NOW - 12000000, NOW, FORMAT_TIME_AUTO), "12s");
    IS(format_time(out, NOW - 192000000, NOW, FORMAT_TIME_AUTO), "3m12s");
    IS(format_time(out, NOW - INT64_C(5) * 3600000000, NOW, FORMAT_TIME_AUTO), "5h");
    IS(format_time(out, NOW - INT64_C(3) * 86400000000, NOW, FORMAT_TIME_AUTO),
       "2026-11-20 16:02");
    IS(format_time(out, NOW - INT64_C(3) * 86400000000, NOW, FORMAT_TIME_RELATIVE), "3d");
    IS(format_time(out, NOW, NOW, FORMAT_TIME_LOCAL), "2026-11-23 16:02");
    IS(format_time(out, NOW, NOW, FORMAT_TIME_UTC), "2026-11-23 14:02");
    IS(format_time(out, NOW, NOW, FORMAT_TIME_ISO), "2026-11-23T14:02:07.104000Z");
    IS(format_time(out, FORMAT_NONE, NOW, FORMAT_TIME_AUTO), "-");
    IS(format_time_long(out, NOW), "2026-11-23 16:02:07");
}

static void time_is(const char *text, const char *expected)
{
    char out[FORMAT_SIZE];
    int64_t us;

    assert_true(format_parse_time(str_c(text), NOW, &us));
    assert_string_equal(format_time(out, us, NOW, FORMAT_TIME_ISO), expected);
}

static void times_are_read_as_people_type_them(void **state)
{
    static const char *const bad[] = {"", "12", "2026-13-01", "2026-06-31", "25:00", "today ",
                                      "2026-11-23T14", "5x", "2026-11-23T14:02+2", "-5m",
                                      "99999999999999999d"};
    int64_t us;

    (void)state;
    time_is("2026-11-23T09:00:00.5Z", "2026-11-23T09:00:00.500000Z");
    time_is("2026-11-23T09:00", "2026-11-23T07:00:00.000000Z");
    time_is("2026-11-23T09:00+05:30", "2026-11-23T03:30:00.000000Z");
    time_is("2026-11-23", "2026-11-22T22:00:00.000000Z");
    time_is("14:02", "2026-11-23T12:02:00.000000Z");
    time_is("today", "2026-11-22T22:00:00.000000Z");
    time_is("yesterday", "2026-11-21T22:00:00.000000Z");
    time_is("15m", "2026-11-23T13:47:07.104000Z");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(format_parse_time(str_c(bad[i]), NOW, &us));
}

static void quantities_are_read_with_their_units(void **state)
{
    int64_t n;

    (void)state;
    assert_true(format_parse_duration(STR("250ms"), &n) && n == 250);
    assert_true(format_parse_duration(STR("1.5h"), &n) && n == 5400000);
    assert_true(format_parse_duration(STR("7d"), &n) && n == 604800000);
    assert_true(format_parse_count(STR("10k"), &n) && n == 10000);
    assert_true(format_parse_count(STR("1M"), &n) && n == 1000000);
    assert_true(format_parse_bytes(STR("64K"), &n) && n == 65536);
    assert_false(format_parse_bytes(STR("64KB"), &n));
    assert_false(format_parse_duration(STR("1.2.3s"), &n));
    assert_false(format_parse_duration(STR("s"), &n));
}

static int start(void **state)
{
    (void)state;
    setenv("TZ", "EET-2", 1); /* two hours east of UTC, all year */
    tzset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_three_digits_or_two_units),
        cmocka_unit_test(ages_fit_five_cells),
        cmocka_unit_test(counts_are_compact_and_promoted),
        cmocka_unit_test(rates_have_one_decimal),
        cmocka_unit_test(bytes_are_powers_of_1024),
        cmocka_unit_test(percentages_have_at_most_one_decimal),
        cmocka_unit_test(money_fits_a_column_and_unknown_is_never_zero),
        cmocka_unit_test(decimals_lose_their_exponent_and_no_digit),
        cmocka_unit_test(times_are_relative_for_a_day_and_absolute_after_it),
        cmocka_unit_test(times_are_read_as_people_type_them),
        cmocka_unit_test(quantities_are_read_with_their_units),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
