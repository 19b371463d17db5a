#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "llm/render.h"
#include "json/json.h"

static void same_kinds(const char *name, const cJSON *blocks, const cJSON *kinds)
{
    int count = cJSON_GetArraySize(kinds);

    if (cJSON_GetArraySize(blocks) != count)
        fail_msg("%s: %d blocks, expected %d", name, cJSON_GetArraySize(blocks), count);
    for (int i = 0; i < count; i++) {
        const cJSON *block = cJSON_GetArrayItem(blocks, i);

        cases_same(name, "kind", cases_str(block, "kind"),
                   str_c(cJSON_GetArrayItem(kinds, i)->valuestring));
        assert_non_null(cases_get(block, "payload"));
    }
}

static void check_html(const char *name, struct str html, const cJSON *expect)
{
    const cJSON *part;

    if (!html.ptr != !str_eq(cases_str(expect, "mode"), STR("markdown")))
        fail_msg("%s: html is \"%.*s\"", name, STR_ARG(html));
    cJSON_ArrayForEach(part, cases_get(expect, "html_contains"))
    {
        if (str_find(html, str_c(part->valuestring)) < 0)
            fail_msg("%s: no %s in \"%.*s\"", name, part->valuestring, STR_ARG(html));
    }
    cJSON_ArrayForEach(part, cases_get(expect, "html_excludes"))
    {
        if (str_find(html, str_c(part->valuestring)) >= 0)
            fail_msg("%s: %s in \"%.*s\"", name, part->valuestring, STR_ARG(html));
    }
}

static void render_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct buf body = cases_body(input);
    cJSON *o = render_body(buf_str(&body), cases_str(input, "content_type"),
                           render_mode_parse(cases_str(input, "mode")));

    cases_same(name, "mode", cases_str(o, "mode"), cases_str(expect, "mode"));
    cases_same(name, "title", cases_str(o, "title"), cases_str(expect, "title"));
    if (cases_get(expect, "text"))
        cases_same(name, "text", cases_str(o, "text"), cases_str(expect, "text"));
    same_kinds(name, cases_get(o, "tool_blocks"), cases_get(expect, "tool_kinds"));
    check_html(name, cases_str(o, "html"), expect);
    cJSON_Delete(o);
    buf_clear(&body);
}

static void bodies_are_rendered_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("render", render_case);
}

static cJSON *rendered(struct str body, const char *content_type, enum render_mode mode,
                       const char *expect_mode, const char *expect_text)
{
    cJSON *o = render_body(body, str_c(content_type), mode);

    assert_string_equal(cases_str(o, "mode").ptr, expect_mode);
    if (expect_text)
        assert_string_equal(cases_str(o, "text").ptr, expect_text);
    return o;
}

static void renders(const char *body, const char *content_type, enum render_mode mode,
                    const char *expect_mode, const char *expect_text)
{
    cJSON_Delete(rendered(str_c(body), content_type, mode, expect_mode, expect_text));
}

static void json_is_sorted_and_keeps_its_digits(void **state)
{
    (void)state;
    renders("{\"b\":18446744073709551615,\"a\":[1.10,{}],\"\\u0063\":\"\\u00e9\"}",
            "application/json", RENDER_JSON, "json",
            "{\n  \"a\": [\n    1.10,\n    {}\n  ],\n  \"b\": 18446744073709551615,\n  \"c\": "
            "\"\xC3\xA9\"\n}");
    renders("5", NULL, RENDER_JSON, "json", "5");
    renders("null", "application/json", RENDER_JSON, "text", "null");
    renders("null", "application/json", RENDER_AUTO, "text", "null");
    renders("{\"a\":\"\xFF\"}", "application/json", RENDER_JSON, "text",
            "{\"a\":\"\xEF\xBF\xBD\"}");
}

static void tool_blocks_are_printed_sorted_and_kept_in_order(void **state)
{
    struct buf text = {0};
    cJSON *o;

    (void)state;
    o = rendered(STR("{\"z\":{\"tool_calls\":[{\"id\":\"1\",\"a\":12345678901234567890}]},"
                     "\"function_call\":\"auto\"}"),
                 "application/json", RENDER_AUTO, "tool",
                 "[\n  {\n    \"kind\": \"chat.tool_call\",\n    \"payload\": {\n"
                 "      \"a\": 12345678901234567890,\n      \"id\": \"1\"\n    }\n  }\n]");
    assert_true(json_print(&text, cases_get(o, "tool_blocks")));
    assert_string_equal(text.ptr, "[{\"kind\":\"chat.tool_call\",\"payload\":{\"id\":\"1\","
                                  "\"a\":12345678901234567890}}]");
    buf_clear(&text);
    cJSON_Delete(o);
}

static void blocks_of_every_api_are_found(void **state)
{
    static const char *const bodies[] = {
        "{\"content\":[{\"type\":\"tool_use\",\"id\":\"t\"}]}",
        "{\"messages\":[{\"content\":[{\"type\":\"tool_result\"}]}]}",
        "{\"output\":[{\"type\":\"web_search_call\"}]}",
        "[{\"type\":\"tool\\u005fcall\"}]",
        "{\"function_call\":{\"name\":\"x\"}}",
        "{\"role\":\"tool\",\"tool_call_id\":\"c\"}",
    };
    static const char *const none[] = {
        "{\"type\":{\"type\":7},\"tool_calls\":[],\"function_call\":null}",
        "{\"tool_calls\":\"x\",\"function_call\":\"none\"}",
        "{\"role\":\"user\",\"tool_call_id\":\"c\"}",
        "{\"role\":\"tool\",\"tool_call_id\":0.0}",
        "{\"text\":\"type tool_use\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
        renders(bodies[i], "application/json", RENDER_AUTO, "tool", NULL);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        renders(none[i], "application/json", RENDER_TOOL, "text", none[i]);
}

static void streams_are_known_by_type_and_by_their_first_line(void **state)
{
    (void)state;
    renders(": hi\n\ndata: 1\n\n", NULL, RENDER_AUTO, "sse", ": hi\n\ndata: 1\n\n");
    renders("\xEF\xBB\xBFid: 1\r\ndata: 1\r\n\r\n", NULL, RENDER_AUTO, "sse", NULL);
    renders(": no stream", NULL, RENDER_AUTO, "text", ": no stream");
    renders("data: [DONE]\n\n", NULL, RENDER_AUTO, "markdown", NULL);
    renders("", "text/event-stream", RENDER_AUTO, "sse", "");
    renders("{\"tool_calls\":[{}]}", "text/event-stream", RENDER_AUTO, "tool", NULL);
    renders("data: {\"type\":\"tool_use\",\"t\":\"\xFF\"}\n\n", NULL, RENDER_AUTO, "tool", NULL);
}

static void text_is_extracted_where_there_is_any(void **state)
{
    (void)state;
    renders("{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"message\":{},\"delta\":{\"content\":"
            "\"b\"}},"
            "{\"message\":{\"content\":null}},{\"message\":null}]}",
            NULL, RENDER_TEXT, "text", "a\n\nb");
    renders("{\"output_text\":7,\"content\":[{\"text\":\"a\"},{\"text\":null},{\"text\":\"b\"},5]}",
            NULL, RENDER_TEXT, "text", "a\n\nb");
    renders("{\"choices\":[{\"message\":{\"content\":\"\"}}]}", NULL, RENDER_TEXT, "text",
            "{\"choices\":[{\"message\":{\"content\":\"\"}}]}");
    renders("[1]", NULL, RENDER_TEXT, "text", "[1]");
    renders("{\"output_text\":\"x\"}", NULL, RENDER_MARKDOWN, "markdown", "x");
}

static void what_is_no_text_is_summed_up(void **state)
{
    (void)state;
    renders("\x89PNG", "image/png", RENDER_AUTO, "text", "4 bytes, image/png");
    cJSON_Delete(rendered(STR("a\0b"), NULL, RENDER_SSE, "text", "3 bytes, unknown type"));
    renders(
        "--b\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--b\r\nContent-Disposition: "
        "form-data; name=f; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nxyz\r\n--b--",
        "multipart/form-data; boundary=b", RENDER_JSON, "text",
        "154 bytes, multipart/form-data; boundary=b\n\nmodel: 1 byte\nf: a.wav, audio/wav, 3 "
        "bytes");
    renders("broken", "multipart/form-data; boundary=b", RENDER_AUTO, "text",
            "6 bytes, multipart/form-data; boundary=b");
    renders("", "image/png", RENDER_AUTO, "text", "");
}

static void render_text_is_the_text_of_mode_text(void **state)
{
    struct buf out = {0};

    (void)state;
    render_text(STR("{\"output_text\":\"\\u00e9\"}"), STR("application/json"), &out);
    buf_put(&out, STR("|"));
    render_text(STR("a\xFF"), STR_NONE, &out);
    buf_put(&out, STR("|"));
    render_text(STR_NONE, STR_NONE, &out);
    assert_string_equal(out.ptr, "\xC3\xA9|a\xEF\xBF\xBD|");
    buf_clear(&out);
}

/* Blocks in blocks 500 deep, each with the rest of the body as payload, and a list of numbers in
 * the innermost list: text that would grow with the square stays bounded. */
static void nesting_does_not_blow_up_the_text(void **state)
{
    struct buf body = {0};
    cJSON *o;

    (void)state;
    for (int i = 0; i < 500; i++)
        buf_put(&body, STR("{\"type\":\"tool_use\",\"a\":"));
    buf_put(&body, STR("[0"));
    for (int i = 0; i < 20000; i++)
        buf_put(&body, STR(",1"));
    buf_put(&body, STR("]"));
    for (int i = 0; i < 500; i++)
        buf_put(&body, STR("}"));
    o = rendered(buf_str(&body), NULL, RENDER_AUTO, "tool", NULL);
    assert_true(cases_str(o, "text").len < (32 << 20));
    cJSON_Delete(o);
    o = rendered(buf_str(&body), NULL, RENDER_JSON, "json", body.ptr);
    cJSON_Delete(o);
    buf_clear(&body);
}

static void modes_have_names(void **state)
{
    (void)state;
    for (int i = RENDER_AUTO; i <= RENDER_SSE; i++)
        assert_int_equal(render_mode_parse(str_c(render_mode_name((enum render_mode)i))), i);
    assert_int_equal(render_mode_parse(STR("JSON")), RENDER_AUTO);
    assert_int_equal(render_mode_parse(STR_NONE), RENDER_AUTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_rendered_as_the_cases_say),
        cmocka_unit_test(json_is_sorted_and_keeps_its_digits),
        cmocka_unit_test(tool_blocks_are_printed_sorted_and_kept_in_order),
        cmocka_unit_test(blocks_of_every_api_are_found),
        cmocka_unit_test(streams_are_known_by_type_and_by_their_first_line),
        cmocka_unit_test(text_is_extracted_where_there_is_any),
        cmocka_unit_test(what_is_no_text_is_summed_up),
        cmocka_unit_test(render_text_is_the_text_of_mode_text),
        cmocka_unit_test(nesting_does_not_blow_up_the_text),
        cmocka_unit_test(modes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
