#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "llm/multipart.h"

static struct multipart form; /* large; each test fills it anew */

static void multipart_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct str boundary = multipart_boundary(cases_str(input, "content_type")), model = STR_NONE,
               stream;
    struct buf body = cases_body(input), json = {0}, wanted = {0};
    char *text;
    bool streams;

    assert_true(multipart_parse(buf_str(&body), boundary, &form));
    multipart_json(&form, &json);
    text = cJSON_PrintUnformatted(cases_get(expect, "parts"));
    buf_put(&wanted, str_c(text));
    assert_string_equal(json.ptr, wanted.ptr);
    multipart_field(&form, STR("model"), &model);
    cases_same(name, "model", model, cases_str(expect, "model"));
    streams = multipart_field(&form, STR("stream"), &stream) && str_eq(stream, STR("true"));
    assert_int_equal(streams, cJSON_IsTrue(cases_get(expect, "is_stream")));
    free(text);
    buf_clear(&json);
    buf_clear(&wanted);
    buf_clear(&body);
}

static void forms_are_read_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("multipart", multipart_case);
}

static void boundary(const char *content_type, const char *expect)
{
    cases_same(content_type, "boundary", multipart_boundary(str_c(content_type)), str_c(expect));
}

static void the_boundary_is_found_quoted_or_not(void **state)
{
    (void)state;
    boundary("multipart/form-data; boundary=abc", "abc");
    boundary("Multipart/Form-Data;BOUNDARY=\"a b;c\"; charset=utf-8", "a b;c");
    boundary("multipart/form-data; x=\"; boundary=no\"; boundary = yes ", "yes");
    boundary("multipart/form-data", NULL);
    boundary("multipart/form-data; boundary=", NULL);
    boundary("multipart/form-data; boundary=\"\"", NULL);
    boundary("multipart/mixed; boundary=abc", NULL);
    boundary("application/json", NULL);
    boundary("", NULL);
    boundary("multipart/form-data; a=\"\\", NULL);
}

static bool parse(const char *body)
{
    return multipart_parse(str_c(body), STR("b"), &form);
}

static void content_may_look_like_a_delimiter(void **state)
{
    (void)state;
    assert_true(parse("--b\r\nContent-Disposition: form-data; name=x\r\n\r\n--b\n--bb\r\n--bx\r\n"
                      "\r\n--c\r\n--b--"));
    assert_int_equal(form.count, 1);
    assert_true(str_eq(form.parts[0].content, STR("--b\n--bb\r\n--bx\r\n\r\n--c")));
}

static void preamble_epilogue_and_padding_are_allowed(void **state)
{
    (void)state;
    assert_true(
        parse("pre\r\n--bad\r\n--b \t\r\n\r\nx\r\n--b\t\r\n\r\n\r\n--b-- \r\nepilogue\r\n--b\r\n"));
    assert_int_equal(form.count, 2);
    assert_true(str_eq(form.parts[0].content, STR("x")));
    assert_null(form.parts[0].name.ptr);
    assert_int_equal(form.parts[1].content.len, 0);
    assert_true(parse("--b--"));
    assert_int_equal(form.count, 0);
}

static void malformed_bodies_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "--b",
        "--b\r\n",
        "--b\r\n\r\nx",
        "--b\r\n\r\nx\r\n--b",
        "--b\r\n\r\nx\r\n--b\r\n",
        "--b\r\nno colon\r\n\r\nx\r\n--b--",
        "--b\r\nA: b\r\nx\r\n--b--",
        "--b\n\nx\n--b--",
        "--b x\r\n\r\nx\r\n--b--",
        "--b\r\n: v\r\n\r\n\r\n--b--",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (parse(bad[i]))
            fail_msg("accepted: %s", bad[i]);
    assert_false(multipart_parse(STR("--\r\n\r\n\r\n----"), STR(""), &form));
}

static void a_part_with_a_file_name_is_no_field(void **state)
{
    struct str value;

    (void)state;
    assert_true(parse(
        "--b\r\ncontent-DISPOSITION : form-data ; filename=\"\" ; name=\"model\"\r\n\r\nfile\r\n"
        "--b\r\nContent-Disposition: form-data; name=other; filename*=UTF-8''a%20b\r\n\r\n1\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nfield\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"a\\\";b\"\r\n\r\n\r\n--b--\r\n"));
    assert_true(multipart_field(&form, STR("model"), &value));
    assert_true(str_eq(value, STR("field")));
    assert_false(multipart_field(&form, STR("other"), &value));
    assert_true(str_eq(form.parts[1].filename, STR("a%20b")));
    assert_true(str_eq(form.parts[3].name, STR("a\\\";b")));
}

static void more_parts_than_are_listed_are_no_error(void **state)
{
    struct buf body = {0}, json = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        buf_printf(&body, "--b\r\nContent-Disposition: form-data; name=\"n%d\"\r\n\r\nv\r\n", i);
    buf_put(&body, STR("--b--\r\n"));
    assert_true(multipart_parse(buf_str(&body), STR("b"), &form));
    assert_int_equal(form.count, MULTIPART_MAX_PARTS);
    assert_true(str_eq(form.parts[63].name, STR("n63")));
    multipart_json(&form, &json);
    assert_true(
        str_ends(buf_str(&json), STR("{\"name\":\"n63\",\"filename\":null,\"content_type\":null,"
                                     "\"size\":1}]")));
    buf_clear(&body);
    buf_clear(&json);
}

/* So many near-delimiters: linear or never. ThreadSanitizer looks at all of what memmem() may read
 * and makes it quadratic by itself. */
#ifdef __SANITIZE_THREAD__
#define NEAR_DELIMITERS 5000
#else
#define NEAR_DELIMITERS 500000
#endif

static void many_near_delimiters_are_no_trap(void **state)
{
    struct buf body = {0};

    (void)state;
    buf_put(&body, STR("--b\r\n\r\n"));
    for (int i = 0; i < NEAR_DELIMITERS; i++)
        buf_put(&body, STR("\r\n--bb"));
    buf_put(&body, STR("\r\n--b--"));
    assert_true(multipart_parse(buf_str(&body), STR("b"), &form));
    assert_int_equal(form.parts[0].content.len, NEAR_DELIMITERS * 6);
    buf_clear(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_read_as_the_cases_say),
        cmocka_unit_test(the_boundary_is_found_quoted_or_not),
        cmocka_unit_test(content_may_look_like_a_delimiter),
        cmocka_unit_test(preamble_epilogue_and_padding_are_allowed),
        cmocka_unit_test(malformed_bodies_are_refused),
        cmocka_unit_test(a_part_with_a_file_name_is_no_field),
        cmocka_unit_test(more_parts_than_are_listed_are_no_error),
        cmocka_unit_test(many_near_delimiters_are_no_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
