#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "daemon/proxy/inspect.h"

static struct blob_budget budget = {.limit = SIZE_MAX, .each = SIZE_MAX};

/* What is known of a body. Returns owned, capture_unref(). */
static struct capture *inspected(struct str body, struct str accept)
{
    struct capture *c = capture_new(&budget);
    struct inspect_input in = {.body = body, .accept = accept, .decoded_limit = SIZE_MAX};

    assert_non_null(c);
    inspect_request(c, &in);
    return c;
}

static void stream_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct capture *c = inspected(cases_str(input, "body_text"), cases_str(input, "accept"));

    if (c->record.is_stream != cJSON_IsTrue(cases_get(expect, "is_stream")))
        fail_msg("%s: stream is %d", name, c->record.is_stream);
    capture_unref(c);
}

static void the_stream_flag_is_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("stream-flag", stream_case);
}

static void model_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct buf body = cases_body(input);
    struct capture *c = inspected(buf_str(&body), STR_NONE);

    cases_same(name, "model", c->record.model, cases_str(expect, "model"));
    capture_unref(c);
    buf_clear(&body);
}

static void the_model_is_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("model", model_case);
}

static void model_is(struct str body, struct str expect)
{
    struct capture *c = inspected(body, STR_NONE);

    cases_same("a body", "model", c->record.model, expect);
    capture_unref(c);
}

static void only_a_top_level_text_is_a_model(void **state)
{
    struct buf body = {0};
    struct capture *c;

    (void)state;
    model_is(STR("{\"model\":\"a\",\"x\":{\"model\":\"b\"},\"m\\u006fdel\":\"c\\u00e9\"}"),
             STR("c\xC3\xA9"));
    model_is(STR("{\"model\":\"\"}"), STR(""));
    model_is(STR("{\"model\":null}"), STR_NONE);
    model_is(STR(""), STR_NONE);
    buf_put(&body, STR("{\"model\":\""));
    for (int i = 0; i < 5000; i++)
        buf_put(&body, STR("\\u00e9"));
    buf_put(&body, STR("\"}"));
    c = inspected(buf_str(&body), STR_NONE);
    assert_int_equal(c->record.model.len, 1024);
    capture_unref(c);
    buf_clear(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_flag_is_as_the_cases_say),
        cmocka_unit_test(the_model_is_as_the_cases_say),
        cmocka_unit_test(only_a_top_level_text_is_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
