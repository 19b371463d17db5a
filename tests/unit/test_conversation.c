#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

#include "cases.h"
#include "llm/conversation.h"
#include "json/json.h"

#define CHAT "/v1/chat/completions"
#define STREAM "text/event-stream"

static cJSON *built(const char *endpoint, struct str request, struct str response, const char *type)
{
    struct conversation_input in = {
        .endpoint = str_c(endpoint),
        .request_body = request,
        .response_body = response,
        .response_content_type = str_c(type),
    };
    struct buf text = {0};
    cJSON *o = conversation_build(&in), *again;

    assert_non_null(o);
    assert_true(json_print(&text, o));
    cJSON_Delete(o);
    again = json_parse(buf_str(&text)); /* raw values are text until then */
    assert_non_null(again);
    buf_clear(&text);
    return again;
}

static int failures;

static void check_case(const char *name, const cJSON *input, const cJSON *expect)
{
    cJSON *o = built(cases_str(input, "endpoint").ptr, cases_str(input, "request"),
                     cases_str(input, "response"), cases_str(input, "content_type").ptr);
    const cJSON *member;

    cJSON_ArrayForEach(member, expect)
    {
        const cJSON *got = cases_get(o, member->string);

        if (!cJSON_Compare(got, member, true)) {
            char *text = cJSON_Print(got);

            print_error("%s: %s is %s\n", name, member->string, text ? text : "missing");
            free(text);
            failures++;
        }
    }
    cJSON_Delete(o);
}

static void conversations_are_read_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("../conversation/cases", check_case);
    assert_int_equal(failures, 0);
}

static void nothing_stored_is_a_conversation_with_a_notice(void **state)
{
    cJSON *o = built(CHAT, STR_NONE, STR_NONE, NULL);

    (void)state;
    assert_string_equal(cases_str(o, "notice").ptr, "There is no request body.");
    assert_int_equal(cJSON_GetArraySize(cases_get(o, "messages")), 0);
    cJSON_Delete(o);
}

static void a_cut_body_is_told(void **state)
{
    struct conversation_input in = {
        .endpoint = STR(CHAT),
        .request_body = STR("{\"messages\":["),
        .request_cut = true,
        .response_body = STR("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"),
        .response_content_type = STR(STREAM),
        .response_cut = true,
    };
    cJSON *o = conversation_build(&in);

    (void)state;
    assert_string_equal(cases_str(o, "notice").ptr, "Only the start of the request was kept.");
    assert_string_equal(cases_str(cases_get(o, "stream"), "state").ptr, "cut");
    cJSON_Delete(o);
}

static void invalid_utf8_is_repaired(void **state)
{
    cJSON *o = built(CHAT, STR("{\"messages\":[{\"role\":\"user\",\"content\":\"a\xFF\"}]}"),
                     STR("data: {\"choices\":[{\"delta\":{\"content\":\"b\xC3\"}}]}\n\n"), STREAM);
    const cJSON *messages = cases_get(o, "messages");

    (void)state;
    for (int i = 0; i < 2; i++) {
        const cJSON *parts = cases_get(cJSON_GetArrayItem(messages, i), "parts");

        assert_string_equal(cases_str(cJSON_GetArrayItem(parts, 0), "text").ptr,
                            i == 0 ? "a\xEF\xBF\xBD" : "b\xEF\xBF\xBD");
    }
    cJSON_Delete(o);
}

static void a_request_goes_on_with_the_messages_of_another(void **state)
{
    struct str one = STR("{\"messages\":[1]}"), two = STR("{\"messages\":[1, {\"a\":2}]}");

    (void)state;
    assert_int_equal(conversation_shared(one, two), 1);
    assert_int_equal(conversation_shared(two, STR("{\"messages\":[1,{\"a\":2},3],\"x\":0}")), 2);
    assert_int_equal(conversation_shared(two, STR("{\"messages\":[1,{\"a\":3},3],\"x\":0}")), 0);
    assert_int_equal(conversation_shared(STR("{\"input\":[1]}"), STR("{\"input\":[1,2]}")), 1);
    assert_int_equal(conversation_shared(two, two), 0);
    assert_int_equal(conversation_shared(STR("{\"messages\":[]}"), two), 0);
    assert_int_equal(conversation_shared(STR("[]"), STR("{\"messages\":7}")), 0);
}

static void repeat(struct buf *out, const char *text, size_t count)
{
    while (count-- > 0)
        buf_put(out, str_c(text));
}

static void deep_values_stay_readable(void **state)
{
    struct buf request = {0};
    cJSON *o;

    (void)state;
    buf_put(&request, STR("{\"x\":"));
    repeat(&request, "[", 505);
    repeat(&request, "]", 505);
    buf_put(&request, STR("}"));
    o = built(CHAT, buf_str(&request), STR_NONE, NULL); /* parses it, with the limit of depth */
    assert_int_equal(cases_str(cases_get(o, "params"), "x").len, 1010);
    cJSON_Delete(o);
    buf_clear(&request);
}

/* What costs a lot when each step looks at all of the steps before. */
static void hostile_bodies_take_linear_time(void **state)
{
    struct buf many = {0}, calls = {0}, choices = {0}, junk = {0};
    clock_t start = clock();
    cJSON *o;

    (void)state;
    buf_put(&many, STR("{\"messages\":[{}"));
    repeat(&many, ",{}", 200000);
    buf_put(&many, STR("]}"));
    for (int i = 0; i < 100000; i++) {
        buf_printf(&calls,
                   "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":%d}]}}]}\n\n", i);
        buf_printf(&choices, "data: {\"choices\":[{\"index\":%d,\"delta\":{}}]}\n\n", i);
        buf_put(&junk, STR("data: junk\n\n"));
    }
    o = built(CHAT, buf_str(&many), buf_str(&calls), STREAM);
    assert_int_equal(cJSON_GetArraySize(cases_get(o, "messages")), 65536);
    assert_true(cases_get(o, "omitted")->valuedouble > 100000);
    cJSON_Delete(o);
    o = built(CHAT, STR("{}"), buf_str(&calls), STREAM);
    cJSON_Delete(o);
    o = built(CHAT, STR("{}"), buf_str(&choices), STREAM);
    assert_int_equal(cJSON_GetArraySize(cases_get(o, "choices")), 512);
    cJSON_Delete(o);
    o = built(CHAT, STR("{}"), buf_str(&junk), STREAM);
    assert_int_equal(cases_get(cases_get(o, "stream"), "unknown")->valueint, 100000);
    cJSON_Delete(o);
    assert_true(clock() - start < 30 * CLOCKS_PER_SEC);
    buf_clear(&many);
    buf_clear(&calls);
    buf_clear(&choices);
    buf_clear(&junk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_are_read_as_the_cases_say),
        cmocka_unit_test(nothing_stored_is_a_conversation_with_a_notice),
        cmocka_unit_test(a_cut_body_is_told),
        cmocka_unit_test(invalid_utf8_is_repaired),
        cmocka_unit_test(a_request_goes_on_with_the_messages_of_another),
        cmocka_unit_test(deep_values_stay_readable),
        cmocka_unit_test(hostile_bodies_take_linear_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
