#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/models_file.h"
#include "fixture.h"

static void same_route(struct str id, const struct route *r, const cJSON *expect)
{
    cJSON *fixes = cJSON_ParseWithLength(r->fixes_json.ptr, r->fixes_json.len);
    struct str upstream = r->upstream_model.ptr ? r->upstream_model : r->incoming_model;

    fixture_same(id, "model", r->incoming_model, fixture_str(expect, "model"));
    fixture_same(id, "upstream_url", r->upstream_url, fixture_str(expect, "upstream_url"));
    fixture_same(id, "upstream_model", upstream, fixture_str(expect, "upstream_model"));
    fixture_same(id, "provider_slug", r->provider_slug, fixture_str(expect, "provider_slug"));
    fixture_same(id, "api_key_env", r->api_key_env, fixture_str(expect, "api_key_env"));
    assert_int_equal(r->key != NULL, cJSON_IsTrue(fixture_get(expect, "has_api_key")));
    assert_true(cJSON_Compare(fixes, fixture_get(expect, "fixes"), true));
    assert_int_equal(r->priority, 0);
    assert_true(r->active);
    cJSON_Delete(fixes);
}

static void same_models(struct str id, const struct models *m, const cJSON *expect)
{
    const cJSON *routes = fixture_get(expect, "model_routes");
    struct str text = m->fixes_json.ptr ? m->fixes_json : STR("[]");
    cJSON *fixes = cJSON_ParseWithLength(text.ptr, text.len);

    assert_int_equal(m->route_count, cJSON_GetArraySize(routes));
    for (size_t i = 0; i < m->route_count; i++)
        same_route(id, &m->routes[i], cJSON_GetArrayItem(routes, (int)i));
    if (!cJSON_Compare(fixes, fixture_get(expect, "default_fixes"), true))
        fail_msg("%.*s: default fixes are %.*s", STR_ARG(id), STR_ARG(text));
    cJSON_Delete(fixes);
}

static void refused_so(struct str id, const struct err *err, const cJSON *error)
{
    struct str code = fixture_str(error, "code");
    const cJSON *mention;
    char wanted[80];

    snprintf(wanted, sizeof(wanted), "[%.*s]", STR_ARG(code));
    assert_int_equal(err->code, ERR_INVALID);
    if (!strstr(err->msg, wanted) || !strstr(err->msg, "models.json"))
        fail_msg("%.*s: says %s, expected %s", STR_ARG(id), err->msg, wanted);
    assert_null(strchr(err->msg, '\n'));
    cJSON_ArrayForEach(mention, fixture_get(error, "mentions"))
    {
        if (!strstr(err->msg, mention->valuestring))
            fail_msg("%.*s: does not mention %s", STR_ARG(id), mention->valuestring);
    }
}

static void configurations_load_as_the_cases_say(void **state)
{
    cJSON *list = fixture_cases("routing/config.json"), *one;

    (void)state;
    cJSON_ArrayForEach(one, list)
    {
        const cJSON *given = fixture_get(one, "given"), *expect = fixture_get(one, "expect");
        struct str id = fixture_str(one, "id");
        struct str fixes = fixture_str(given, "default_fixes_json");
        struct models m = {0};
        struct err err;
        int rc = models_parse(&m, fixture_str(given, "models_json"), "models.json", &err);

        if (rc == 0 && !m.fixes_json.ptr && fixes.ptr)
            rc = models_default_fixes(&m, fixes, "models.json", &err);
        if (fixture_get(expect, "error"))
            refused_so(id, &err, fixture_get(expect, "error"));
        assert_int_equal(rc, fixture_get(expect, "error") ? -1 : 0);
        if (rc == 0)
            same_models(id, &m, expect);
        models_clear(&m);
    }
    cJSON_Delete(list);
}

static void refuses(const char *text, const char *message)
{
    struct models m = {0};
    struct err err;

    assert_int_equal(models_parse(&m, str_c(text), "f", &err), -1);
    if (!strstr(err.msg, message))
        fail_msg("says %s, expected %s", err.msg, message);
    models_clear(&m);
}

static void a_value_of_the_wrong_type_is_refused(void **state)
{
    (void)state;
    refuses("[{\"model\":\"a\",\"upstream_url\":\"http://h/v1\",\"upstream_model\":5}]",
            "upstream_model must be a text");
    refuses("[{\"model\":\"a\",\"upstream_url\":\"http://h/v1\",\"api_key\":{}}]", "api_key");
    refuses("[{\"model\":\"a\",\"upstream_url\":\"http://h/v1\",\"match_type\":\"regex\"}]",
            "bad_match_type");
    refuses("[{\"model\":\"a*b*\",\"upstream_url\":\"http://h/v1\",\"match_type\":\"prefix\"}]",
            "bad_prefix_pattern");
    refuses("null", "not_array_or_object");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct models m = {0};
    struct err err;

    (void)state;
    assert_int_equal(models_load(&m, "/nowhere/models.json", &err), -1);
    assert_non_null(strstr(err.msg, "/nowhere/models.json"));
    assert_non_null(strstr(err.msg, "models_file_unreadable"));
    assert_int_equal(models_load(&m, "/tmp", &err), -1);
    models_clear(&m);
}

static void what_a_message_quotes_stays_on_its_line(void **state)
{
    (void)state;
    refuses("{\"default_fixes\":[\"a\\nb\\u001b[2J\"]}", "Unknown compatibility fix: a\\nb\\e[2J.");
    refuses("[{\"model\":\"a\\nb\",\"upstream_url\":\"http://h/v1\"},"
            "{\"model\":\"a\\nb\",\"upstream_url\":\"http://h/v1\"}]",
            "model \"a\\nb\"");
}

static void no_message_shows_a_key(void **state)
{
    struct models m = {0};
    struct err err;

    (void)state;
    assert_int_equal(models_parse(&m,
                                  STR("[{\"model\":\"a\",\"upstream_url\":\"http://h/v1\","
                                      "\"api_key\":\"sk-hidden\",\"api_key_env\":\"K\"}]"),
                                  "f", &err),
                     -1);
    assert_null(strstr(err.msg, "sk-hidden"));
    models_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_load_as_the_cases_say),
        cmocka_unit_test(a_value_of_the_wrong_type_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(what_a_message_quotes_stays_on_its_line),
        cmocka_unit_test(no_message_shows_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
