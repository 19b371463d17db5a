#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/traffic.h"

#define S INT64_C(1000000)
#define START (INT64_C(1800000000) * S)

static struct record ended(int64_t at_us, const char *model)
{
    struct record r;

    record_init(&r);
    r.id = 1;
    r.created_us = at_us;
    r.completed_us = at_us;
    r.method = STR("POST");
    r.endpoint = STR("/v1/chat/completions");
    r.model = r.upstream_model = str_c(model);
    r.upstream_url = STR("http://lab:80/v1/chat/completions");
    r.response_status = 200;
    r.upstream_headers_ms = 1;
    r.duration_ms = 100;
    r.terminated_by = STR("upstream_eof");
    return r;
}

static const struct traffic_end plain = {.content_events = UNKNOWN};

static void end_at(struct traffic *t, int64_t at_us, const char *model, int64_t output)
{
    struct record r = ended(at_us, model);

    r.billing_output_tokens = output;
    traffic_ended(t, &r, &plain);
}

static void test_percentiles_are_values_by_nearest_rank(void **state)
{
    int64_t few[] = {4, 1, 3, 2}, ten[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    struct run_percentiles p = traffic_percentiles(few, 4);

    (void)state;
    assert_int_equal(p.count, 4);
    assert_int_equal(p.p50, UNKNOWN);
    assert_int_equal(p.max, 4);
    p = traffic_percentiles(ten, 10);
    assert_int_equal(p.p50, 5);
    assert_int_equal(p.p95, 10);
    assert_int_equal(p.p99, 10);
    p = traffic_percentiles(NULL, 0);
    assert_int_equal(p.count, 0);
    assert_int_equal(p.max, UNKNOWN);
}

static void test_rates_are_of_the_last_ten_full_seconds(void **state)
{
    struct traffic *t = traffic_new();
    struct traffic_pulse pulse = {0};
    struct traffic_rates rates;

    (void)state;
    for (int64_t i = 0; i < 12; i++) {
        traffic_pulse_begin(&pulse, START + i * S);
        traffic_pulse_end(&pulse, START + i * S);
        end_at(t, START + i * S, "m", 100);
    }
    traffic_rates(t, &pulse, START + 11 * S + 500000, &rates);
    assert_int_equal(rates.requests, 10);
    assert_int_equal(rates.output_milli, 10 * 100 * 1000);
    traffic_rates(t, &pulse, START + 100 * S, &rates);
    assert_int_equal(rates.requests, 0);
    traffic_free(t);
}

static void test_the_series_carries_what_is_in_flight(void **state)
{
    struct traffic *t = traffic_new();
    struct traffic_pulse pulse = {0};
    struct traffic_second seconds[6];

    (void)state;
    traffic_pulse_begin(&pulse, START);
    traffic_pulse_begin(&pulse, START + 2 * S);
    traffic_pulse_end(&pulse, START + 3 * S);
    assert_int_equal(traffic_series(t, &pulse, START + 5 * S + 1, seconds, 6), START + 5 * S);
    assert_int_equal(seconds[0].inflight, 0);
    assert_int_equal(seconds[1].inflight, 1);
    assert_int_equal(seconds[2].inflight, 1);
    assert_int_equal(seconds[3].inflight, 2);
    assert_int_equal(seconds[4].inflight, 2);
    assert_int_equal(seconds[5].inflight, 1);
    assert_int_equal(seconds[3].requests, 1);
    traffic_free(t);
}

static void test_what_is_older_than_the_window_does_not_count(void **state)
{
    struct traffic *t = traffic_new();
    struct traffic_recent recent;
    struct traffic_minute minute;
    size_t count;

    (void)state;
    end_at(t, START, "old", 1);
    end_at(t, START + 299 * S, "new", 1);
    traffic_recent(t, START + 299 * S, &recent);
    assert_int_equal(recent.finished, 2);
    traffic_recent(t, START + 300 * S, &recent);
    assert_int_equal(recent.finished, 1);
    assert_int_equal(recent.duration.count, 1);
    traffic_minute(t, START + 300 * S, &minute);
    assert_int_equal(minute.finished, 1);
    assert_int_equal(minute.unpriced, 1);
    free(traffic_groups(t, TRAFFIC_BY_MODEL, START + 300 * S, &count));
    assert_int_equal(count, 2);
    free(traffic_groups(t, TRAFFIC_BY_MODEL, START + 3900 * S, &count));
    assert_int_equal(count, 0);
    traffic_free(t);
}

static void test_an_event_is_worth_the_mean_of_its_model(void **state)
{
    struct traffic *t = traffic_new();
    struct record r = ended(START, "m");
    struct traffic_end end = {.content_events = 4};

    (void)state;
    assert_int_equal(traffic_event_milli(t, STR("m")), 1000);
    r.billing_output_tokens = 10;
    traffic_ended(t, &r, &end);
    assert_int_equal(traffic_event_milli(t, STR("m")), 2500);
    assert_int_equal(traffic_event_milli(t, STR("other")), 1000);
    r.terminated_by = STR(TERMINATED_CLIENT); /* its usage is not that of its events */
    r.billing_output_tokens = 1000;
    traffic_ended(t, &r, &end);
    assert_int_equal(traffic_event_milli(t, STR("m")), 2500);
    traffic_free(t);
}

static void test_models_beyond_the_limit_are_one(void **state)
{
    struct traffic *t = traffic_new();
    struct traffic_group *groups;
    char model[16];
    size_t count;

    (void)state;
    for (int i = 0; i < TRAFFIC_GROUPS + 50; i++) {
        snprintf(model, sizeof(model), "m%d", i);
        end_at(t, START, model, 1);
    }
    groups = traffic_groups(t, TRAFFIC_BY_MODEL, START, &count);
    assert_int_equal(count, TRAFFIC_GROUPS + 1);
    assert_true(groups[TRAFFIC_GROUPS].other);
    assert_int_equal(groups[TRAFFIC_GROUPS].requests, 50);
    free(groups);
    end_at(t, START + 2 * 3600 * S, "later", 1); /* the others have been quiet for long */
    groups = traffic_groups(t, TRAFFIC_BY_MODEL, START + 2 * 3600 * S, &count);
    assert_int_equal(count, 1);
    assert_string_equal(groups[0].name, "later");
    free(groups);
    traffic_free(t);
}

static const char *state_of(struct traffic *t, int64_t now_us)
{
    size_t count;
    struct traffic_group *groups = traffic_groups(t, TRAFFIC_BY_UPSTREAM, now_us, &count);
    const char *state = count ? groups[0].state : "none";

    free(groups);
    return state;
}

static void stream_at(struct traffic *t, int64_t at_us, int64_t ttft_ms, int64_t status)
{
    struct record r = ended(at_us, "m");
    struct traffic_end end = {.content_events = 1};

    r.is_stream = true;
    r.ttft_ms = ttft_ms;
    r.response_status = status;
    traffic_ended(t, &r, &end);
}

static void test_upstreams_are_limited_slow_failing_or_ok(void **state)
{
    struct traffic *t = traffic_new();
    int64_t at = START;

    (void)state;
    for (int i = 0; i < 60; i++)
        stream_at(t, at, 100, 200);
    assert_string_equal(state_of(t, at), "ok");
    for (int i = 0; i < 20; i++)
        stream_at(t, at, 301, 200);
    assert_string_equal(state_of(t, at), "slow");
    stream_at(t, at, UNKNOWN, 429);
    assert_string_equal(state_of(t, at), "limited");
    assert_string_equal(state_of(t, at + 61 * S), "slow");
    for (int i = 0; i < 5; i++)
        stream_at(t, at, UNKNOWN, 500);
    assert_string_equal(state_of(t, at), "failing");
    traffic_free(t);
}

static void test_a_clock_that_jumps_does_no_harm(void **state)
{
    struct traffic *t = traffic_new();
    struct traffic_pulse pulse = {0};
    struct traffic_figures f;

    (void)state;
    traffic_pulse_begin(&pulse, START + 5000 * S);
    end_at(t, START + 5000 * S, "m", 1);
    traffic_pulse_end(&pulse, START);
    end_at(t, START, "m", 1);
    traffic_figures(t, &pulse, START, &f);
    assert_int_equal(f.recent.finished, 1);
    traffic_figures_clear(&f);
    traffic_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentiles_are_values_by_nearest_rank),
        cmocka_unit_test(test_rates_are_of_the_last_ten_full_seconds),
        cmocka_unit_test(test_the_series_carries_what_is_in_flight),
        cmocka_unit_test(test_what_is_older_than_the_window_does_not_count),
        cmocka_unit_test(test_an_event_is_worth_the_mean_of_its_model),
        cmocka_unit_test(test_models_beyond_the_limit_are_one),
        cmocka_unit_test(test_upstreams_are_limited_slow_failing_or_ok),
        cmocka_unit_test(test_a_clock_that_jumps_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
