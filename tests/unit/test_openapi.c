#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/dispatch.h"
#include "ops/operations.h"
#include "shapes.h"
#include "json/json.h"
#include "json/shape.h"

/* Pages, forms and what is no JSON has no description. */
static bool is_undescribed(const char *pattern)
{
    struct str path = str_c(pattern);

    if (str_starts(path, STR("/api/docs")) || str_eq(path, STR("/")))
        return true;
    return str_eq(path, STR("/admin")) ||
           (str_starts(path, STR("/admin/")) && !str_starts(path, STR("/admin/api/")));
}

static void every_call_is_described(void **state)
{
    (void)state;
    for (size_t t = 0; dispatch_tables[t]; t++) {
        for (const struct call_route *route = dispatch_tables[t]; route->method; route++) {
            const struct operation *op = operation_of(route);

            if (is_undescribed(route->pattern))
                assert_null(op);
            else if (!op)
                fail_msg("operations.c does not describe %s %s", route->method, route->pattern);
        }
    }
}

static bool is_answered(const struct operation *op)
{
    for (size_t t = 0; dispatch_tables[t]; t++)
        for (const struct call_route *route = dispatch_tables[t]; route->method; route++)
            if (operation_of(route) == op)
                return true;
    return false;
}

static void every_description_is_of_a_call(void **state)
{
    (void)state;
    for (const struct operation *op = operations; op->method; op++)
        if (!is_answered(op))
            fail_msg("nothing answers %s %s", op->method, op->pattern);
}

static void check_type(const cJSON *schemas, const char *type)
{
    cJSON *schema = type ? shape_schema(str_c(type)) : NULL;
    struct buf text = {0};
    struct str rest, name;

    if (!type)
        return;
    assert_non_null(schema);
    assert_true(json_print(&text, schema));
    rest = buf_str(&text);
    while (str_split(&rest, '"', &name)) {
        char *key;

        if (!str_starts(name, STR("#/components/schemas/")))
            continue;
        key = str_dup(str_from(name, strlen("#/components/schemas/")));
        if (!cJSON_GetObjectItemCaseSensitive(schemas, key))
            fail_msg("there is no shape %s", key);
        free(key);
    }
    buf_clear(&text);
    cJSON_Delete(schema);
}

static void shapes_of_calls_exist(void **state)
{
    cJSON *schemas = cJSON_CreateObject();
    struct err err;

    (void)state;
    if (shapes_add(schemas, str_c(api_shapes), &err) < 0)
        fail_msg("%s", err.msg);
    for (size_t t = 0; dispatch_tables[t]; t++) {
        for (const struct call_route *route = dispatch_tables[t]; route->method; route++) {
            const struct operation *op = operation_of(route);

            if (!op)
                continue;
            check_type(schemas, op->answer);
            check_type(schemas, op->body);
        }
    }
    cJSON_Delete(schemas);
}

static void assert_schema(const char *type, const char *expected)
{
    cJSON *schema = shape_schema(str_c(type));
    struct buf text = {0};

    assert_true(json_print(&text, schema));
    assert_string_equal(text.ptr, expected);
    buf_clear(&text);
    cJSON_Delete(schema);
}

static void types_become_schemas(void **state)
{
    (void)state;
    assert_schema("any", "{}");
    assert_schema("text?", "{\"type\":[\"string\",\"null\"]}");
    assert_schema("time", "{\"type\":\"string\",\"format\":\"date-time\"}");
    assert_schema("key", "{\"type\":[\"string\",\"integer\"]}");
    assert_schema("[int]", "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}");
    assert_schema("{bool}",
                  "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"boolean\"}}");
    assert_schema("Run", "{\"$ref\":\"#/components/schemas/Run\"}");
    assert_schema("Run?", "{\"anyOf\":[{\"$ref\":\"#/components/schemas/Run\"},"
                          "{\"type\":\"null\"}]}");
    assert_schema("a|b?", "{\"type\":[\"string\",\"null\"],\"enum\":[\"a\",\"b\",null]}");
    assert_schema("a|", "{\"type\":\"string\",\"enum\":[\"a\"]}");
    assert_null(shape_schema(STR("")));
    assert_null(shape_schema(STR("strange")));
    assert_null(shape_schema(STR("[strange]")));
}

static void shapes_become_schemas(void **state)
{
    static const char text[] =
        "# comment\n\nOne\n    id int the number\n    a.b.c? text\n    a.d int\n"
        "Two = One\n    more [One]\n";
    static const char expected[] =
        "{\"One\":{\"type\":\"object\",\"properties\":{"
        "\"id\":{\"type\":\"integer\",\"description\":\"the number\"},"
        "\"a\":{\"type\":\"object\",\"properties\":{"
        "\"b\":{\"type\":\"object\",\"properties\":{\"c\":{\"type\":\"string\"}},\"required\":[]},"
        "\"d\":{\"type\":\"integer\"}},\"required\":[\"b\",\"d\"]}},\"required\":[\"id\",\"a\"]},"
        "\"Two\":{\"allOf\":[{\"$ref\":\"#/components/schemas/One\"},"
        "{\"type\":\"object\",\"properties\":{\"more\":{\"type\":\"array\","
        "\"items\":{\"$ref\":\"#/components/schemas/One\"}}},\"required\":[\"more\"]}]}}";
    cJSON *schemas = cJSON_CreateObject();
    struct buf out = {0};
    struct err err;

    (void)state;
    assert_int_equal(shapes_add(schemas, STR(text), &err), 0);
    assert_true(json_print(&out, schemas));
    assert_string_equal(out.ptr, expected);
    assert_int_equal(shapes_add(schemas, STR("One\n"), &err), -1); /* twice */
    assert_int_equal(shapes_add(schemas, STR("    id int\n"), &err), -1);
    assert_int_equal(shapes_add(schemas, STR("Three\n    id strange\n"), &err), -1);
    assert_string_equal(err.msg, "no shape: id strange");
    buf_clear(&out);
    cJSON_Delete(schemas);
}

/* ---- parameters ---- */

static const struct param table[] = {
    {"name", PARAM_TEXT, .required = true},
    {"kind", PARAM_TEXT, .standard = "plain"},
    {"only", PARAM_FLAG, .about = "1: on"},
    {"status", PARAM_FILTER, .about = "a number"},
    PARAM_PAGES(25, 100),
    {0},
};

static void assert_issues(const char *query, const char *expected)
{
    struct buf out = {0};

    assert_int_equal(params_check(table, str_c(query), &out), expected == NULL);
    assert_string_equal(out.ptr ? out.ptr : "", expected ? expected : "");
    buf_clear(&out);
}

static void queries_are_held_against_their_declaration(void **state)
{
    (void)state;
    assert_issues("name=x&page=%202&status=y&other=z", NULL);
    assert_issues("per_page=0&page=",
                  "{\"detail\":["
                  "{\"type\":\"missing\",\"loc\":[\"query\",\"name\"],\"msg\":\"is required\","
                  "\"input\":null},"
                  "{\"type\":\"int_parsing\",\"loc\":[\"query\",\"page\"],"
                  "\"msg\":\"must be an integer\",\"input\":\"\"},"
                  "{\"type\":\"greater_than_equal\",\"loc\":[\"query\",\"per_page\"],"
                  "\"msg\":\"must be at least 1\",\"input\":\"0\",\"ctx\":{\"ge\":1}}]}");
    assert_issues("name=+&per_page=101",
                  "{\"detail\":["
                  "{\"type\":\"string_too_short\",\"loc\":[\"query\",\"name\"],"
                  "\"msg\":\"must not be empty\",\"input\":\" \",\"ctx\":{\"min_length\":1}},"
                  "{\"type\":\"less_than_equal\",\"loc\":[\"query\",\"per_page\"],"
                  "\"msg\":\"must be at most 100\",\"input\":\"101\",\"ctx\":{\"le\":100}}]}");
    assert_issues("name=x&page=0&page=1", NULL); /* the last one counts */
    assert_issues("name=x&page=9223372036854775808",
                  "{\"detail\":["
                  "{\"type\":\"int_parsing\",\"loc\":[\"query\",\"page\"],"
                  "\"msg\":\"must be an integer\",\"input\":\"9223372036854775808\"}]}");
}

static void parameters_have_defaults(void **state)
{
    struct buf text = {0};

    (void)state;
    assert_int_equal(param_int(table, STR(""), "per_page"), 25);
    assert_int_equal(param_int(table, STR("per_page=+7"), "per_page"), 7);
    assert_true(param_text(table, STR(""), "kind", &text));
    assert_string_equal(text.ptr, "plain");
    assert_false(param_text(table, STR(""), "name", &text));
    assert_true(param_flag(table, STR("only=1"), "only"));
    assert_false(param_flag(table, STR("only=true"), "only"));
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_described),
        cmocka_unit_test(every_description_is_of_a_call),
        cmocka_unit_test(shapes_of_calls_exist),
        cmocka_unit_test(types_become_schemas),
        cmocka_unit_test(shapes_become_schemas),
        cmocka_unit_test(queries_are_held_against_their_declaration),
        cmocka_unit_test(parameters_have_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
