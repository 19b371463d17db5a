#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "llm/facts.h"
#include "utf8.h"

static void same(struct str got, const char *expect)
{
    if (!got.ptr != !expect || !str_eq(got, str_c(expect)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got), expect ? expect : "(none)");
}

static void read_json(const char *json, const char *type, const char *code, const char *message)
{
    struct upstream_error error = {0};
    struct arena arena = {0};

    assert_int_equal(facts_error_in_json(str_c(json), &arena, &error), message != NULL);
    same(error.type, type);
    same(error.code, code);
    same(error.message, message);
    arena_clear(&arena);
}

static void errors_of_every_provider_are_read(void **state)
{
    (void)state;
    read_json("{\"error\":{\"message\":\"m\\u00e9\",\"type\":\"t\",\"code\":\"c\"}}", "t", "c",
              "m\xC3\xA9");
    read_json("{\"error\":{\"message\":\"m\",\"type\":null,\"status\":\"S\",\"code\":400}}", "S",
              "400", "m");
    read_json("[{\"error\":{\"message\":\"m\"}},{\"error\":{\"message\":\"n\"}}]", NULL, NULL, "m");
    read_json("{\"error\":\"plain\"}", NULL, NULL, "plain");
    read_json(
        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
        "overloaded_error", NULL, "Overloaded");
    read_json("{\"type\":\"error\",\"code\":\"c\",\"message\":\"m\"}", "error", "c", "m");
    read_json("{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\","
              "\"message\":\"m\"}}}",
              NULL, "server_error", "m");
    read_json(" \xEF\xBB\xBF", NULL, NULL, NULL);
}

static void an_error_without_message_says_what_it_has(void **state)
{
    (void)state;
    read_json("{\"error\":{\"code\":502}}", NULL, "502", "502");
    read_json("{\"error\":{\"type\":\"t\",\"message\":\"\"}}", "t", NULL, "t");
}

static void no_error_is_made_up(void **state)
{
    (void)state;
    read_json("", NULL, NULL, NULL);
    read_json("{}", NULL, NULL, NULL);
    read_json("[]", NULL, NULL, NULL);
    read_json("{\"error\":null}", NULL, NULL, NULL);
    read_json("{\"error\":\"\"}", NULL, NULL, NULL);
    read_json("{\"error\":{}}", NULL, NULL, NULL);
    read_json("{\"error\":false,\"message\":\"m\"}", NULL, NULL, NULL);
    read_json("{\"data\":{\"error\":\"x\"}}", NULL, NULL, NULL);
    read_json("{\"type\":\"response.completed\",\"response\":{\"error\":{\"message\":\"m\"}}}",
              NULL, NULL, NULL);
    read_json("error", NULL, NULL, NULL);
}

static void a_text_that_was_cut_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    read_json("{\"error\":{\"code\":7,\"message\":\"half a mess", NULL, "7", "half a mess");
    read_json("{\"error\":{\"code\":\"c\",\"mess", NULL, "c", "c");
    read_json("{\"error\":", NULL, NULL, NULL);
}

static void read_body(struct str body, const char *content_type, int64_t status,
                      const char *message)
{
    struct upstream_error error = {0};
    struct arena arena = {0};

    assert_int_equal(facts_error_in_body(body, str_c(content_type), status, &arena, &error),
                     message != NULL);
    same(error.message, message);
    arena_clear(&arena);
}

static void a_failed_answer_without_error_object_still_says_why(void **state)
{
    (void)state;
    read_body(STR("{\"detail\":\"d\",\"message\":\"m\"}"), "application/json", 404, "d");
    read_body(STR("{\"detail\":[1],\"message\":\"m\"}"), "application/json", 404, "m");
    read_body(STR("{\"detail\":[1]}"), "application/json", 422, "{\"detail\":[1]}");
    read_body(STR(" <h1>Bad gateway</h1>\n"), "text/html", 502, "<h1>Bad gateway</h1>");
    read_body(STR("bro\xFFken"), NULL, 500, "bro\xEF\xBF\xBDken");
    read_body(STR("{\"detail\":\"d\"}"), "application/json", 200, NULL);
    read_body(STR("{\"error\":{\"message\":\"m\"}}"), "application/json", 200, "m");
    read_body(STR(""), "text/plain", 500, NULL);
    read_body(STR_NONE, NULL, 500, NULL);
    read_body(STR("\x89PNG"), "image/png", 500, NULL);
    read_body(STR("a\0b"), "text/plain", 500, NULL);
}

static void an_excerpt_has_two_hundred_characters(void **state)
{
    struct upstream_error error;
    struct arena arena = {0};
    struct buf body = {0};
    size_t chars = 0, len;

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_put(&body, i % 3 ? STR("\xF0\x9F\x98\x80") : STR("x"));
    assert_true(facts_error_in_body(buf_str(&body), STR("text/plain"), 500, &arena, &error));
    for (struct str rest = error.message; rest.len > 0; rest = str_from(rest, len), chars++)
        assert_true(utf8_next(rest, &len) >= 0);
    assert_int_equal(chars, 200);
    assert_true(str_starts(buf_str(&body), error.message));
    buf_clear(&body);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_every_provider_are_read),
        cmocka_unit_test(an_error_without_message_says_what_it_has),
        cmocka_unit_test(no_error_is_made_up),
        cmocka_unit_test(a_text_that_was_cut_is_read_as_far_as_it_goes),
        cmocka_unit_test(a_failed_answer_without_error_object_still_says_why),
        cmocka_unit_test(an_excerpt_has_two_hundred_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
