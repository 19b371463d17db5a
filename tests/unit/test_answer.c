#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "llm/answer.h"
#include "llm/signals.h"
#include "llm/watch.h"

/* ---- the cases ---------------------------------------------------------------------------- */

static void same_count(const char *name, const char *what, int64_t got, const cJSON *expect)
{
    int64_t want = cJSON_IsNumber(expect) ? (int64_t)expect->valuedouble : UNKNOWN;

    if (got != want)
        fail_msg("%s: %s is %lld, expected %lld", name, what, (long long)got, (long long)want);
}

static void same_usage(const char *name, const struct usage *got, const cJSON *expect)
{
    const cJSON *reasoning = cases_get(expect, "reasoning_tokens");

    same_count(name, "input", got->input, cases_get(expect, "input_tokens"));
    same_count(name, "cached", got->cached_input, cases_get(expect, "cached_input_tokens"));
    same_count(name, "cache write", got->cache_write_input,
               cases_get(expect, "cache_write_input_tokens"));
    same_count(name, "output", got->output, cases_get(expect, "output_tokens"));
    same_count(name, "total", got->total, cases_get(expect, "total_tokens"));
    same_count(name, "reasoning", got->reasoning, reasoning);
}

static void usage_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct buf body = cases_body(input);
    struct arena arena = {0};
    struct answer a;

    answer_read(buf_str(&body), false, &arena, &a);
    same_usage(name, &a.usage, cases_get(expect, "usage"));
    arena_clear(&arena);
    buf_clear(&body);
}

static void usage_is_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("usage", usage_case);
}

/* What a watcher keeps of a stream, read like the stream. */
static void kept_case(const char *name, struct str body, size_t piece, const cJSON *expect)
{
    struct arena arena = {0};
    struct buf kept = {0};
    struct answer a;
    struct watch w;

    watch_init(&w);
    for (struct str rest = body; rest.len > 0; rest = str_from(rest, piece))
        watch_feed(&w, str_cut(rest, piece), 1);
    watch_finish(&w, 1);
    watch_kept(&w, &kept);
    answer_read(buf_str(&kept), true, &arena, &a);
    same_usage(name, &a.usage, expect);
    buf_clear(&kept);
    watch_clear(&w);
    arena_clear(&arena);
}

static void stream_case(const char *name, const cJSON *input, const cJSON *expect)
{
    const cJSON *usage = cases_get(expect, "usage");
    bool sse = !cases_get(input, "format");
    struct buf body = cases_body(input);
    struct arena arena = {0};
    struct answer a;

    answer_read(buf_str(&body), sse, &arena, &a);
    same_usage(name, &a.usage, usage);
    answer_read(buf_str(&body), true, &arena, &a); /* a type that is not true */
    same_usage(name, &a.usage, usage);
    if (sse) {
        answer_read(buf_str(&body), false, &arena, &a);
        same_usage(name, &a.usage, usage);
        kept_case(name, buf_str(&body), body.len + 1, usage);
        kept_case(name, buf_str(&body), 7, usage);
        kept_case(name, buf_str(&body), 1, usage);
    }
    arena_clear(&arena);
    buf_clear(&body);
}

static void usage_of_streams_is_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("stream", stream_case);
}

static void same_facts(const char *name, const struct answer *a, const cJSON *expect)
{
    cases_same(name, "model", a->model, cases_str(expect, "response_model"));
    cases_same(name, "id", a->id, cases_str(expect, "response_id"));
    cases_same(name, "finish reason", a->finish_reason, cases_str(expect, "finish_reason"));
    same_count(name, "tool calls", a->tool_call_count, cases_get(expect, "tool_call_count"));
}

static void kept_facts(const char *name, struct str body, size_t piece, const cJSON *expect)
{
    struct arena arena = {0};
    struct buf kept = {0};
    struct answer a;
    struct watch w;

    watch_init(&w);
    for (struct str rest = body; rest.len > 0; rest = str_from(rest, piece))
        watch_feed(&w, str_cut(rest, piece), 1);
    watch_finish(&w, 1);
    watch_kept(&w, &kept);
    answer_read(buf_str(&kept), true, &arena, &a);
    a.finish_reason = cases_str(expect, "finish_reason"); /* the watcher has it itself */
    same_facts(name, &a, expect);
    buf_clear(&kept);
    watch_clear(&w);
    arena_clear(&arena);
}

static void facts_case(const char *name, const cJSON *input, const cJSON *expect)
{
    bool sse = str_eq(cases_str(input, "format"), STR("sse"));
    struct buf body = cases_body(input);
    struct arena arena = {0};
    struct answer a;

    answer_read(buf_str(&body), sse, &arena, &a);
    same_facts(name, &a, expect);
    if (sse) {
        kept_facts(name, buf_str(&body), body.len + 1, expect);
        kept_facts(name, buf_str(&body), 7, expect);
        kept_facts(name, buf_str(&body), 1, expect);
    }
    arena_clear(&arena);
    buf_clear(&body);
}

static void facts_are_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("facts", facts_case);
}

static void tools_case(const char *name, const cJSON *input, const cJSON *expect)
{
    bool want = cJSON_IsTrue(cases_get(expect, "has_tool_calls"));
    struct buf body = cases_body(input);
    struct arena arena = {0};
    struct answer a;

    answer_read(buf_str(&body), str_eq(cases_str(input, "format"), STR("sse")), &arena, &a);
    if (a.has_tools != want)
        fail_msg("%s: the signal is wrong", name);
    if (want && !signals_look(buf_str(&body)).tools)
        fail_msg("%s: the quick look says there is none", name);
    arena_clear(&arena);
    buf_clear(&body);
}

static void the_tool_signal_is_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("tools", tools_case);
}

/* ---- more --------------------------------------------------------------------------------- */

static struct answer read_text(const char *text, bool sse, struct arena *arena)
{
    struct answer a;

    answer_read(str_c(text), sse, arena, &a);
    return a;
}

static void all_keys_are_known_by_name_and_with_escapes(void **state)
{
    struct arena arena = {0};
    struct answer a;

    (void)state;
    a = read_text("{\"us\\u0061ge\":{\"prompt_tokens\":3,\"completion_tok\\u0065ns\":4}}", false,
                  &arena);
    assert_int_equal(a.usage.input, 3);
    assert_int_equal(a.usage.output, 4);
    assert_int_equal(a.usage.total, 7);
    arena_clear(&arena);
}

static void usage_is_not_looked_for_too_deep(void **state)
{
    struct arena arena = {0};
    struct buf text = {0};

    (void)state;
    for (int depth = 1; depth < 100; depth++) {
        struct answer a;

        buf_cut(&text, 0);
        for (int i = 0; i < depth; i++)
            buf_put(&text, STR("["));
        buf_put(&text, STR("{\"prompt_n\":5}"));
        for (int i = 0; i < depth; i++)
            buf_put(&text, STR("]"));
        a = read_text(text.ptr, false, &arena);
        assert_true(a.usage.input == (depth < 64 ? 5 : UNKNOWN));
    }
    buf_clear(&text);
    arena_clear(&arena);
}

static void a_report_without_both_counts_completes_the_one_before(void **state)
{
    struct arena arena = {0};
    struct answer a;

    (void)state;
    a = read_text("data: {\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":1}}\n\n"
                  "data: {\"usage\":{\"completion_tokens\":9}}\n\n"
                  "data: {\"usage\":null}\n\n",
                  true, &arena);
    assert_int_equal(a.usage.input, 10);
    assert_int_equal(a.usage.output, 9);
    assert_int_equal(a.usage.total, 19);
    a = read_text("data: {\"usage\":{\"completion_tokens\":9}}\n\n", true, &arena);
    assert_true(a.usage.input == UNKNOWN && a.usage.total == UNKNOWN);
    assert_int_equal(a.usage.output, 9);
    arena_clear(&arena);
}

static void tiers_costs_and_extra_counts_are_read(void **state)
{
    struct arena arena = {0};
    struct answer a;

    (void)state;
    a = read_text("{\"service_tier\":\"flex\",\"usage\":{\"cost\":0.00123456789,\"cache_creation\":"
                  "{\"ephemeral_5m_input_tokens\":7,\"ephemeral_1h_input_tokens\":8},"
                  "\"server_tool_use\":{\"web_search_requests\":2},\"input_tokens\":1}}",
                  false, &arena);
    assert_true(str_eq(a.service_tier, STR("flex")));
    assert_int_equal(a.reported_cost_pusd, 1234567890);
    assert_int_equal(a.cache_write_5m_tokens, 7);
    assert_int_equal(a.cache_write_1h_tokens, 8);
    assert_int_equal(a.web_search_requests, 2);
    a = read_text("data: {\"type\":\"response.created\",\"response\":{\"service_tier\":\"auto\"}}\n"
                  "\ndata: {\"type\":\"response.completed\",\"response\":{\"service_tier\":"
                  "\"default\",\"usage\":{\"cost\":1e-12}}}\n\n",
                  true, &arena);
    assert_true(str_eq(a.service_tier, STR("default")));
    assert_int_equal(a.reported_cost_pusd, 1);
    a = read_text("{\"usage\":{\"cost\":-1}}", false, &arena);
    assert_true(a.reported_cost_pusd == UNKNOWN);
    assert_true(str_eq(answer_asked_tier(STR("{\"service_tier\":\"pri\\u006frity\"}"), &arena),
                       STR("priority")));
    assert_null(answer_asked_tier(STR("{\"a\":{\"service_tier\":\"x\"}}"), &arena).ptr);
    arena_clear(&arena);
}

static void calls_without_numbers_count_by_position(void **state)
{
    struct arena arena = {0};
    struct answer a;

    (void)state;
    a = read_text(
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"a\"},{\"id\":\"b\"}]}},"
        "{\"delta\":{\"function_call\":{\"name\":\"f\"}}}]}\n\n"
        "data: {\"choices\":[{\"index\":1,\"delta\":{\"function_call\":{}}}]}\n\n",
        true, &arena);
    assert_int_equal(a.tool_call_count, 3);
    a = read_text("data: {\"choices\":[{\"index\":1e15,\"delta\":{\"tool_calls\":[{\"index\":-1},"
                  "{\"index\":90071992547}]}}]}\n\n",
                  true, &arena);
    assert_int_equal(a.tool_call_count, 0);
    arena_clear(&arena);
}

static void what_cannot_be_read_says_nothing(void **state)
{
    static const char *const texts[] = {"", "data: x\n\n", "{", "plain", "\x01\xFF"};
    struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct answer a = read_text(texts[i], i % 2, &arena);

        assert_false(usage_known(&a.usage));
        assert_true(a.tool_call_count == UNKNOWN);
        assert_null(a.model.ptr);
        assert_false(a.has_tools);
    }
    arena_clear(&arena);
}

static void only_generating_calls_consume(void **state)
{
    (void)state;
    assert_true(usage_is_consumption(STR("POST"), STR("/v1/chat/completions")));
    assert_true(usage_is_consumption(STR("POST"), STR("/v1/responses")));
    assert_true(usage_is_consumption(STR("POST"), STR("/v1/messages")));
    assert_false(usage_is_consumption(STR("GET"), STR("/v1/responses/resp_1")));
    assert_false(usage_is_consumption(STR("POST"), STR("/v1/responses/resp_1/cancel")));
    assert_false(usage_is_consumption(STR("POST"), STR("/v1/messages/count_tokens")));
    assert_false(usage_is_consumption(STR("POST"), STR("/v1/responses/input_tokens/")));
    assert_false(usage_is_consumption(STR("POST"), STR("/v1/messages/batches")));
    assert_false(usage_is_consumption(STR("POST"), STR("/v1/files")));
}

/* A body that is cut or lost still has what the watcher kept of it. */
static void a_large_last_event_is_kept_whole(void **state)
{
    struct arena arena = {0};
    struct buf body = {0}, kept = {0};
    struct answer a;
    struct watch w;

    (void)state;
    buf_put(&body, STR("data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n"
                       "data: {\"type\":\"response.completed\",\"response\":{\"output\":[\""));
    for (int i = 0; i < 20000; i++)
        buf_put(&body, STR("many words "));
    buf_put(&body, STR("\"],\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}}\n\n"));
    watch_init(&w);
    watch_feed(&w, buf_str(&body), 1);
    watch_finish(&w, 1);
    assert_true(w.done);
    watch_kept(&w, &kept);
    answer_read(buf_str(&kept), true, &arena, &a);
    assert_int_equal(a.usage.total, 11);
    assert_true(str_eq(a.id, STR("r")));
    watch_clear(&w);
    buf_clear(&kept);
    buf_clear(&body);
    arena_clear(&arena);
}

static void what_is_kept_of_a_stream_is_bounded(void **state)
{
    struct buf kept = {0}, event = {0};
    struct watch w;

    (void)state;
    buf_put(&event, STR("data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"name\":\""));
    for (int i = 0; i < 1000; i++)
        buf_put(&event, STR("0123456789"));
    buf_put(&event, STR("\"}]}}],\"usage\":{}}\n\n"));
    watch_init(&w);
    for (int i = 0; i < 2000; i++)
        watch_feed(&w, buf_str(&event), 1);
    watch_finish(&w, 1);
    watch_kept(&w, &kept);
    assert_true(kept.len < 512 * 1024);
    watch_clear(&w);
    buf_clear(&kept);
    buf_clear(&event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_as_the_cases_say),
        cmocka_unit_test(usage_of_streams_is_as_the_cases_say),
        cmocka_unit_test(facts_are_as_the_cases_say),
        cmocka_unit_test(the_tool_signal_is_as_the_cases_say),
        cmocka_unit_test(all_keys_are_known_by_name_and_with_escapes),
        cmocka_unit_test(usage_is_not_looked_for_too_deep),
        cmocka_unit_test(a_report_without_both_counts_completes_the_one_before),
        cmocka_unit_test(tiers_costs_and_extra_counts_are_read),
        cmocka_unit_test(calls_without_numbers_count_by_position),
        cmocka_unit_test(what_cannot_be_read_says_nothing),
        cmocka_unit_test(only_generating_calls_consume),
        cmocka_unit_test(a_large_last_event_is_kept_whole),
        cmocka_unit_test(what_is_kept_of_a_stream_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
