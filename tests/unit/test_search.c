#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "core/search.h"

static void queries(const char *typed, enum search_join join, const char *expected)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(search_query(str_c(typed), join, &out, &err), expected ? 0 : -1);
    if (expected)
        assert_string_equal(out.ptr, expected);
    else
        assert_int_equal(err.code, ERR_INVALID);
    buf_clear(&out);
}

static void typed_words_become_an_expression_that_is_always_valid(void **state)
{
    (void)state;
    queries("one two", SEARCH_ALL, "(\"one\" AND \"two\")");
    queries("one two", SEARCH_ANY, "(\"one\" OR \"two\")");
    queries("\"one two\"", SEARCH_ALL, "(\"one two\")");
    queries("\"one two", SEARCH_ALL, "(\"one two\")");
    queries("on* \"two th\"*", SEARCH_ALL, "(\"on*\" * AND \"two th\" *)");
    queries("one -two -\"x y\"", SEARCH_ALL, "(\"one\") NOT (\"two\" OR \"x y\")");
    queries("one -two", SEARCH_ANY, "(\"one\")");
    queries("a\"b", SEARCH_ALL, "(\"a\"\"b\")");
    queries("OR NEAR(a", SEARCH_ALL, "(\"OR\" AND \"NEAR(a\")");
    queries("one ??? - *", SEARCH_ALL, "(\"one\")");
    queries("\xe6\x9d\xb1\xe4\xba\xac", SEARCH_ALL, "(\"\xe6\x9d\xb1\x1f\xe4\xba\xac\x1f\")");
    queries("\x01\xff one\r\n", SEARCH_ALL, "(\"one\")");
    queries("", SEARCH_ALL, NULL);
    queries("? \"\" -one", SEARCH_ALL, NULL);
}

static void texts(bool answer, const char *body, const char *type, const char *expected)
{
    struct buf out = {0};
    struct err err;
    int rc = answer ? search_answer_text(str_c(body), str_c(type), &out, &err)
                    : search_request_text(str_c(body), str_c(type), &out, &err);

    assert_int_equal(rc, 0);
    assert_string_equal(out.ptr ? out.ptr : "", expected);
    buf_clear(&out);
}
#define ASKED(body, expected) texts(false, body, "application/json", expected)
#define ANSWERED(body, expected) texts(true, body, "application/json", expected)

static void requests_give_what_was_said_and_nothing_else(void **state)
{
    (void)state;
    ASKED("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},"
          "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"there\"},"
          "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.test/a.png\"}}]}],"
          "\"tools\":[{\"function\":{\"name\":\"f\",\"description\":\"d\"}}]}",
          "Hi\n\nthere");
    ASKED("{\"input\":\"one\",\"instructions\":\"two\"}", "one\n\ntwo");
    ASKED("{\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"42\"},"
          "{\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"add\","
          "\"arguments\":\"{\\\"a\\\":1}\"}}]}]}",
          "42\n\nadd\n\n{\"a\":1}");
    ASKED("{\"odd\":{\"deep\":[\"text\"]},\"id\":\"no\"}", "text");
    ASKED("\"alone\"", "alone");
    ASKED("not json", "not json");
    ASKED("{\"input\":\"a\\u0000b\\ud800c\"}", "a");
    ASKED("", "");
    texts(false, "--x\r\n", "multipart/form-data; boundary=x", "");
}

static void base64_is_no_text_and_a_long_word_is(void **state)
{
    char body[700], word[301];

    (void)state;
    for (size_t i = 0; i < 300; i++)
        word[i] = "QWxhZGRpbjpvcGVuIHNlc2FtZQ8"[i % 27];
    word[300] = '\0';
    snprintf(body, sizeof(body), "{\"input\":\"%s\"}", word);
    ASKED(body, "");
    memset(word, 'w', 300);
    snprintf(body, sizeof(body), "{\"input\":\"%s\"}", word);
    ASKED(body, word);
    ASKED("{\"input\":[\"data:image/png;base64,AAAA\",\"x\"]}", "x");
}

static void answers_are_put_together_from_their_pieces(void **state)
{
    (void)state;
    ANSWERED("{\"id\":\"a\",\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"Yes\"},"
             "\"finish_reason\":\"stop\"}]}",
             "Yes");
    ANSWERED("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n"
             "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"}}]}\n\n"
             "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n"
             "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
             "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"ci\"}}]}}]}\n\n"
             "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
             "\"function\":{\"arguments\":\"ty\\\":1}\"}}]}}]}\n\ndata: [DONE]\n\n",
             "Hello\n\nf {\"city\":1}\n\nother");
    ANSWERED("event: content_block_start\n"
             "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
             "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"look\",\"input\":{}}}\n\n"
             "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
             "{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n"
             "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":"
             "{\"type\":\"text_delta\",\"text\":\"Done\"}}\n\n",
             "look {}\n\nDone");
    ANSWERED(
        "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"a \"}\n\n"
        "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"b\"}\n\n"
        "data: {\"type\":\"response.output_text.done\",\"text\":\"a b\"}\n\n",
        "a b");
    ANSWERED("{\"message\":{\"role\":\"assistant\",\"content\":\"li\"},\"done\":false}\n"
             "{\"message\":{\"content\":\"nes\"},\"done\":true}\n",
             "lines");
    ANSWERED("{\"response\":\"pie\"}\n{\"response\":\"ces\"}\n", "pieces");
    ANSWERED("{\"message\":{\"thinking\":\"ho\"}}\n{\"message\":{\"thinking\":\"w\"}}\n"
             "{\"message\":{\"content\":\"so\",\"tool_calls\":[{\"function\":{\"name\":\"f\","
             "\"arguments\":{\"a\":1}}}]}}\n",
             "how\n\nso\n\nf {\"a\":1}");
    ANSWERED("data: {\"type\":\"transcript.text.delta\",\"delta\":\"spo\"}\n\n"
             "data: {\"type\":\"transcript.text.delta\",\"delta\":\"ken\"}\n\n"
             "data: {\"type\":\"transcript.text.done\",\"text\":\"spoken\"}\n\n",
             "spoken");
    ANSWERED("data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":"
             "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"\"}}\n\n"
             "data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,"
             "\"delta\":\"{\\\"ci\"}\n\n"
             "data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,"
             "\"delta\":\"ty\\\":1}\"}\n\n",
             "f {\"city\":1}");
    ANSWERED("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
             "data: {\"error\":{\"message\":\"too slow\"}}\n\n",
             "a\n\ntoo slow");
    ANSWERED("{\"error\":{\"message\":\"too long\",\"type\":\"invalid\"}}", "too long");
    ANSWERED("data: {broken\n\ndata: 5\n\ndata: {\"choices\":5}\n\n", "");
}

static void cleaned_text_is_one_line_of_valid_utf8(void **state)
{
    struct buf out = {0}, large = {0};
    struct err err;

    (void)state;
    assert_int_equal(search_clean((struct str){"a\0b\n\x1b\xff\xe2\x80\xae", 9}, &out, &err), 0);
    assert_string_equal(out.ptr, "a b    ");
    buf_cut(&out, 0);
    assert_int_equal(search_clean(STR("x\xf0\x9f\x8e\x89y"), &out, &err), 0);
    assert_string_equal(out.ptr, "x\x1f\xf0\x9f\x8e\x89\x1fy");
    buf_cut(&out, 0);
    for (size_t i = 0; i < SEARCH_TEXT_MAX; i++)
        buf_put(&large, STR("\xc3\xa9"));
    assert_int_equal(search_clean(buf_str(&large), &out, &err), 0);
    assert_true(out.len <= SEARCH_TEXT_MAX + 5);
    assert_true(utf8_valid(buf_str(&out)));
    buf_clear(&out);
    buf_clear(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typed_words_become_an_expression_that_is_always_valid),
        cmocka_unit_test(requests_give_what_was_said_and_nothing_else),
        cmocka_unit_test(base64_is_no_text_and_a_long_word_is),
        cmocka_unit_test(answers_are_put_together_from_their_pieces),
        cmocka_unit_test(cleaned_text_is_one_line_of_valid_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
