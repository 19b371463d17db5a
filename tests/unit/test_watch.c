#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "llm/facts.h"
#include "llm/watch.h"

/* ---- the cases ---------------------------------------------------------------------------- */

static void same_error(const char *name, const struct upstream_error *got, const cJSON *expect)
{
    cases_same(name, "error type", got->type, cases_str(expect, "type"));
    cases_same(name, "error code", got->code, cases_str(expect, "code"));
    cases_same(name, "error message", got->message, cases_str(expect, "message"));
}

/* Feeds the bytes one event after the other, so that the first content event shows as a time. */
static void watch_events(struct watch *w, struct str body, size_t piece)
{
    int64_t seen = 0;

    while (body.len > 0) {
        watch_feed(w, str_cut(body, piece), w->event_count + 1);
        assert_true(w->event_count >= seen);
        seen = w->event_count;
        body = str_from(body, piece);
    }
    watch_finish(w, w->event_count + 1);
}

static void stream_case(const char *name, const cJSON *expect, struct str body, size_t piece)
{
    const cJSON *first = cases_get(expect, "first_token_event");
    struct upstream_error error = {0};
    struct arena arena = {0};
    struct watch w;

    watch_init(&w);
    watch_events(&w, body, piece);
    if (piece == 1 && w.first_content_us != (cJSON_IsNull(first) ? 0 : first->valueint + 1))
        fail_msg("%s: first content at %d", name, (int)w.first_content_us - 1);
    assert_int_equal(w.first_content_us != 0, !cJSON_IsNull(first));
    assert_int_equal(w.done, cJSON_IsTrue(cases_get(expect, "stream_done")));
    cases_same(name, "finish reason", w.finish_reason[0] ? str_c(w.finish_reason) : STR_NONE,
               cases_str(expect, "finish_reason"));
    if (w.error_event.len > 0)
        assert_true(facts_error_in_json(buf_str(&w.error_event), &arena, &error));
    same_error(name, &error, cases_get(expect, "upstream_error"));
    arena_clear(&arena);
    watch_clear(&w);
}

static void facts_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct buf body = cases_body(input);
    struct upstream_error error = {0};
    struct arena arena = {0};

    if (str_eq(cases_str(input, "format"), STR("sse"))) {
        stream_case(name, expect, buf_str(&body), body.len);
        stream_case(name, expect, buf_str(&body), 7);
        stream_case(name, expect, buf_str(&body), 1);
    } else {
        facts_error_in_body(buf_str(&body), STR("application/json"), 200, &arena, &error);
        same_error(name, &error, cases_get(expect, "upstream_error"));
    }
    arena_clear(&arena);
    buf_clear(&body);
}

static void facts_are_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("facts", facts_case);
}

/* ---- content ------------------------------------------------------------------------------ */

static void content_is_generated_output(void **state)
{
    static const char *const content[] = {
        "{\"choices\":[{\"delta\":{\"content\":\"x\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\"}]}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"\"}},{\"delta\":{\"reasoning_content\":\"x\"}}]}",
        "{\"choices\":[{\"delta\":{\"reasoning\":\"x\"}}]}",
        "{\"choices\":[{\"delta\":{\"refusal\":\"x\"}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{}]}}]}",
        "{\"choices\":[{\"delta\":{\"function_call\":{\"name\":\"x\"}}}]}",
        "{\"choices\":[{\"delta\":{\"audio\":{\"data\":\"x\"}}}]}",
        "{\"choices\":[{\"text\":\"x\"}]}",
        "{\"type\":\"response.output_text.delta\",\"delta\":\"x\"}",
        "{\"type\":\"response.function_call_arguments.delta\",\"delta\":\"{\"}",
        "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}",
        "{\"type\":\"content_block_delta\",\"delta\":{\"thinking\":\"x\"}}",
        "{\"type\":\"content_block_delta\",\"delta\":{\"partial_json\":\"{\"}}",
        "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\"}}",
        "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"server_tool_use\"}}",
    };
    static const char *const other[] = {
        "{}",
        "5",
        "[]",
        "\"choices\"",
        "null",
        "{\"choices\":[]}",
        "{\"choices\":{}}",
        "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}",
        "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[]}}]}",
        "{\"choices\":[{\"delta\":{\"function_call\":{}}}]}",
        "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"x\"}}]}",
        "{\"choices\":[{\"text\":\"\"}]}",
        "{\"choices\":[],\"usage\":{\"completion_tokens\":2}}",
        "{\"type\":\"ping\"}",
        "{\"type\":\"response.output_text.delta\",\"delta\":\"\"}",
        "{\"type\":\"response.output_text.done\",\"delta\":\"x\"}",
        "{\"type\":\"response.created\",\"response\":{\"delta\":\"x\"}}",
        "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"\"}}",
        "{\"type\":\"content_block_delta\",\"delta\":{\"signature\":\"x\"}}",
        "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
        "{\"type\":\"message_start\",\"message\":{\"content\":[]}}",
        "{\"type\":7,\"delta\":\"x\"}",
        "[{\"choices\":[{\"text\":\"x\"}]}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(content) / sizeof(*content); i++)
        if (!watch_is_content(str_c(content[i])))
            fail_msg("content: %s", content[i]);
    for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
        if (watch_is_content(str_c(other[i])))
            fail_msg("no content: %s", other[i]);
}

#define CONTENT STR("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n")

static void gaps_are_measured_between_content_events(void **state)
{
    struct watch w;
    int64_t now = 1000000;

    (void)state;
    watch_init(&w);
    assert_true(watch_gap_p95_us(&w) == UNKNOWN);
    watch_feed(&w, CONTENT, now);
    assert_true(watch_gap_p95_us(&w) == UNKNOWN);
    for (int i = 0; i < 99; i++) {
        watch_feed(&w, STR(": ping\n\ndata: {\"choices\":[]}\n\n"), now + 5000);
        now += 10000;
        watch_feed(&w, CONTENT, now);
    }
    now += 900000;
    watch_feed(&w, CONTENT, now);
    watch_finish(&w, now);
    assert_int_equal(w.first_content_us, 1000000);
    assert_int_equal(w.last_content_us, now);
    assert_int_equal(w.content_count, 101);
    assert_int_equal(w.event_count, 200);
    assert_int_equal(w.gap_count, 100);
    assert_int_equal(w.gap_sum_us, 990000 + 900000);
    assert_int_equal(w.gap_max_us, 900000);
    assert_true(watch_gap_p95_us(&w) >= 8192 && watch_gap_p95_us(&w) < 12288);
    watch_clear(&w);
}

static void the_percentile_is_near_the_exact_one(void **state)
{
    struct watch w;
    int64_t now = 1, p95;

    (void)state;
    watch_init(&w);
    watch_feed(&w, CONTENT, now);
    for (int i = 1; i <= 1000; i++) {
        now += i * 100;
        watch_feed(&w, CONTENT, now);
    }
    p95 = watch_gap_p95_us(&w);
    assert_true(p95 > 85000 && p95 < 105000); /* exactly: 95000 */
    watch_clear(&w);
    watch_init(&w);
    watch_feed(&w, CONTENT, 1);
    watch_feed(&w, CONTENT, 1);
    assert_int_equal(watch_gap_p95_us(&w), 0);
    watch_feed(&w, CONTENT, INT64_C(1) << 60);
    assert_true(watch_gap_p95_us(&w) <= w.gap_max_us);
    watch_clear(&w);
}

/* ---- ends, errors, sizes ------------------------------------------------------------------ */

static void fed(struct watch *w, const char *text)
{
    watch_init(w);
    watch_feed(w, str_c(text), 1);
    watch_finish(w, 2);
}

static void finish_reasons_of_all_kinds_are_read(void **state)
{
    static const char *const cases[][2] = {
        {"data: {\"choices\":[{\"finish_reason\":\"stop\"},{\"finish_reason\":\"length\"}]}",
         "stop"},
        {"data: {\"choices\":[{\"finish_reason\":\"a\"}]}\n\n"
         "data: {\"choices\":[{\"finish_reason\":null}]}",
         "a"},
        {"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}", "end_turn"},
        {"data: {\"type\":\"response.incomplete\",\"response\":{\"incomplete_details\":"
         "{\"reason\":\"max_output_tokens\"}}}",
         "max_output_tokens"},
        {"data: {\"type\":\"response.incomplete\"}", "incomplete"},
        {"data: {\"type\":\"response.failed\",\"response\":{}}", "failed"},
        {"data: {\"type\":\"response.completed\",\"response\":{}}", "completed"},
        {"data: {\"choices\":[{\"finish_reason\":7}]}", ""},
        {"data: {\"choices\":[{\"finish_reason\":\"sto", ""},
        {"data: {\"choices\":[{\"finish_reason\":\"0123456789012345678901234567890123456789"
         "012345678901234567890123456789\"}]}",
         "012345678901234567890123456789012345678901234567890123456789012"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct watch w;

        fed(&w, cases[i][0]);
        assert_string_equal(w.finish_reason, cases[i][1]);
        watch_clear(&w);
    }
}

static void the_first_error_is_kept(void **state)
{
    static const char *const errors[] = {
        "{\"error\":{\"message\":\"m\"}}",
        "{\"error\":\"text\"}",
        "{\"type\":\"error\",\"message\":\"m\"}",
        "{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"c\"}}}",
    };
    static const char *const none[] = {
        "{\"error\":null}",
        "{\"error\":\"\"}",
        "{\"choices\":[{\"error\":\"x\"}]}",
        "{\"type\":\"response.failed\",\"response\":{\"error\":null}}",
        "[{\"error\":\"x\"}]",
        "{\"type\":\"response.completed\",\"response\":{\"error\":{\"code\":\"c\"}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        struct buf text = {0};
        struct watch w;

        buf_printf(&text, "data: {}\n\ndata: %s\n\ndata: {\"error\":\"later\"}\n\n", errors[i]);
        fed(&w, text.ptr);
        assert_true(str_eq(buf_str(&w.error_event), str_c(errors[i])));
        watch_clear(&w);
        buf_clear(&text);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        struct buf text = {0};
        struct watch w;

        buf_printf(&text, "data: %s\n\n", none[i]);
        fed(&w, text.ptr);
        assert_int_equal(w.error_event.len, 0);
        watch_clear(&w);
        buf_clear(&text);
    }
}

static void broken_and_foreign_events_are_counted_only(void **state)
{
    struct watch w;

    (void)state;
    fed(&w, "data: hello\n\ndata: {\"choices\":[{\"text\":\"x\"}]\n\ndata: [DONE]\n\n: c\n\nevent: "
            "e\n\n");
    assert_int_equal(w.event_count, 2);
    assert_int_equal(w.content_count, 0);
    assert_true(w.done);
    watch_clear(&w);
    fed(&w, "data: {\"choices\":[{\"text\":\"\xFF\"}]}\n\n"); /* repaired, then JSON */
    assert_int_equal(w.content_count, 1);
    watch_clear(&w);
}

/* An event of several megabytes, in pieces: judged by its start, in bounded memory. */
static void a_large_event_is_judged_by_its_start(void **state)
{
    struct buf text = {0};
    struct watch w;

    (void)state;
    watch_init(&w);
    buf_put(&text, STR("data: {\"type\":\"response.completed\",\"response\":{\"output\":\""));
    while (text.len < 4 << 20)
        buf_put(&text, STR("0123456789\xC3\xA9"
                           "0123456789012345678901234567890123456789"));
    buf_put(&text, STR("\"}}\n\n"));
    for (struct str rest = buf_str(&text); rest.len > 0; rest = str_from(rest, 16384))
        watch_feed(&w, str_cut(rest, 16384), 1);
    assert_int_equal(w.event_count, 1);
    assert_true(w.done);
    assert_string_equal(w.finish_reason, "completed");
    assert_true(w.sse.line.cap + w.sse.data.cap <= 256 << 10);
    watch_feed(&w, CONTENT, 2);
    assert_int_equal(w.content_count, 1);
    buf_clear(&text);
    watch_clear(&w);
}

static void a_large_error_is_kept_in_part_and_still_read(void **state)
{
    struct upstream_error error;
    struct arena arena = {0};
    struct buf text = {0};
    struct watch w;

    (void)state;
    buf_put(&text, STR("data: {\"error\":{\"type\":\"t\",\"code\":7,\"message\":\"begin "));
    for (int i = 0; i < 20000; i++)
        buf_put(&text, STR("\\u00e9"));
    buf_put(&text, STR("\"}}\n\n"));
    fed(&w, text.ptr);
    assert_int_equal(w.error_event.len, 16 << 10);
    assert_true(facts_error_in_json(buf_str(&w.error_event), &arena, &error));
    assert_true(str_eq(error.type, STR("t")) && str_eq(error.code, STR("7")));
    assert_true(str_starts(error.message, STR("begin \xC3\xA9\xC3\xA9")));
    arena_clear(&arena);
    buf_clear(&text);
    watch_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_as_the_cases_say),
        cmocka_unit_test(content_is_generated_output),
        cmocka_unit_test(gaps_are_measured_between_content_events),
        cmocka_unit_test(the_percentile_is_near_the_exact_one),
        cmocka_unit_test(finish_reasons_of_all_kinds_are_read),
        cmocka_unit_test(the_first_error_is_kept),
        cmocka_unit_test(broken_and_foreign_events_are_counted_only),
        cmocka_unit_test(a_large_event_is_judged_by_its_start),
        cmocka_unit_test(a_large_error_is_kept_in_part_and_still_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
