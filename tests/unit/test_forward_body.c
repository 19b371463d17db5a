#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/forward_body.h"
#include "fixture.h"
#include "json/json_scan.h"

static struct blob_budget budget = {.limit = SIZE_MAX, .each = SIZE_MAX};

static struct decision decision_of(const cJSON *o)
{
    struct str route = fixture_str(o, "model_route");

    return (struct decision){
        .base_url = fixture_str(o, "upstream_base"),
        .provider_slug = fixture_str(o, "provider_slug"),
        .upstream_model = fixture_str(o, "upstream_model"),
        .model_route = route,
        .match_type = !route.ptr                  ? NULL
                      : str_ends(route, STR("*")) ? "prefix"
                                                  : "exact",
        .route_decision = route.ptr ? "route" : "passthrough",
    };
}

static void check(const cJSON *one)
{
    const cJSON *input = fixture_get(one, "input"), *d = fixture_get(input, "decision");
    struct str name = fixture_str(one, "name"), file = fixture_str(input, "body");
    struct buf body = fixture_read(file.ptr), wanted = {0};
    struct blob out = {.budget = &budget};
    struct decision decision = decision_of(d);
    struct forward_body in = {
        .body = buf_str(&body),
        .endpoint = fixture_str(input, "endpoint"),
        .model = fixture_str(d, "requested_model"),
    };
    struct err err;
    int rc = forward_body(&out, &in, &decision, &err);

    if (cJSON_IsTrue(fixture_get(fixture_get(one, "expect"), "unchanged"))) {
        if (rc != 0)
            fail_msg("%.*s: was changed to %.*s", STR_ARG(name), STR_ARG(blob_str(&out)));
    } else {
        wanted = fixture_read(fixture_str(fixture_get(one, "expect"), "body").ptr);
        if (rc != 1)
            fail_msg("%.*s: was not changed", STR_ARG(name));
        {
            cJSON *got = cJSON_ParseWithLength(out.ptr, out.len);
            cJSON *expect = cJSON_ParseWithLength(wanted.ptr, wanted.len);

            /* a body that cJSON cannot read is compared as it stands */
            if (expect && !cJSON_Compare(got, expect, true))
                fail_msg("%.*s: got %.*s", STR_ARG(name), STR_ARG(blob_str(&out)));
            if (!expect)
                fixture_same(name, "body", blob_str(&out), str_trim(buf_str(&wanted)));
            cJSON_Delete(got);
            cJSON_Delete(expect);
        }
    }
    buf_clear(&body);
    buf_clear(&wanted);
    blob_clear(&out);
}

static void bodies_are_changed_as_the_cases_say(void **state)
{
    cJSON *list = fixture_cases("forward/cases.json"), *one;

    (void)state;
    cJSON_ArrayForEach(one, list) check(one);
    cJSON_Delete(list);
}

/* The text that goes upstream for body; "" when it stays. Returns owned. */
static struct buf sent(struct str body, struct str type, struct str model, const struct decision *d)
{
    struct blob out = {.budget = &budget};
    struct forward_body in = {body, type, STR("/v1/chat/completions"), model};
    struct buf text = {0};
    struct err err;

    assert_true(forward_body(&out, &in, d, &err) >= 0);
    buf_put(&text, blob_str(&out));
    blob_clear(&out);
    return text;
}

#define ROUTE(slug, to)                                                                            \
    (struct decision)                                                                              \
    {                                                                                              \
        .base_url = STR("http://one.test/v1"), .provider_slug = STR(slug),                         \
        .upstream_model = STR(to), .model_route = STR("a"), .match_type = "exact",                 \
        .route_decision = "route",                                                                 \
    }

#define SENT(body, model, d, expected)                                                             \
    do {                                                                                           \
        struct buf got = sent(STR(body), STR_NONE, STR(model), d);                                 \
        assert_string_equal(got.ptr ? got.ptr : "", expected);                                     \
        buf_clear(&got);                                                                           \
    } while (0)

static void only_the_bytes_of_the_member_change(void **state)
{
    struct decision d = ROUTE("local", "b");

    (void)state;
    SENT("{ \"n\": 18446744073709551615,\n\"model\" : \"a\" , \"x\": 1.50e+3 }", "a", &d,
         "{ \"n\": 18446744073709551615,\n\"model\" : \"b\" , \"x\": 1.50e+3 }");
    SENT("{\"x\":\"\\ud800\",\"model\":\"a\"}", "a", &d, "{\"x\":\"\\ud800\",\"model\":\"b\"}");
    SENT("{\"model\":1,\"mod\\u0065l\":\"a\"}", "a", &d, "{\"model\":\"b\",\"mod\\u0065l\":\"b\"}");
    SENT("{\"messages\":[{\"model\":\"a\"}],\"model\":\"a\"}", "a", &d,
         "{\"messages\":[{\"model\":\"a\"}],\"model\":\"b\"}");
    SENT("[{\"model\":\"a\"}]", "a", &d, "");
    SENT("{\"model\":\"a\"", "a", &d, "");
}

static void a_name_with_quotes_stays_one_string(void **state)
{
    struct decision d = ROUTE("local", "b\",\"stream\":true,\"x\":\"");

    (void)state;
    SENT("{\"model\":\"a\"}", "a", &d, "{\"model\":\"b\\\",\\\"stream\\\":true,\\\"x\\\":\\\"\"}");
}

static void a_pin_is_set_in_every_provider_object(void **state)
{
    struct decision d = ROUTE("openrouter", "v/m@azure");

    (void)state;
    SENT("{\"model\":\"a\",\"provider\":{\"order\":[\"x\"],\"order\":1,\"sort\":\"price\"}}", "a",
         &d,
         "{\"model\":\"v/m\",\"provider\":{\"order\":[\"azure\"],\"order\":[\"azure\"],"
         "\"sort\":\"price\",\"allow_fallbacks\":false}}");
    SENT("{\"provider\":{},\"model\":\"a\",\"provider\":null}", "a", &d,
         "{\"provider\":{\"order\":[\"azure\"],\"allow_fallbacks\":false},\"model\":\"v/m\","
         "\"provider\":{\"order\":[\"azure\"],\"allow_fallbacks\":false}}");
}

static void usage_is_asked_for_where_the_client_did_not_decide(void **state)
{
    struct decision d = ROUTE("openai", "a");

    (void)state;
    SENT("{\"model\":\"a\",\"stream\":true}", "a", &d,
         "{\"model\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    SENT("{\"stream\":true,\"stream_options\":{}}", "a", &d,
         "{\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    SENT("{\"stream\":true,\"stream_options\":{\"include_usage\":null}}", "a", &d, "");
    SENT("{\"stream\":1}", "a", &d, "");
}

static void a_multipart_model_is_replaced_and_nothing_else(void **state)
{
    struct decision d = ROUTE("openrouter", "b@x");
    struct buf got = sent(STR("--q\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n"
                              "--q\r\nContent-Disposition: form-data; name=\"file\"; "
                              "filename=\"f\"\r\n\r\n\"model\":\"a\"\r\n--q--\r\n"),
                          STR("multipart/form-data; boundary=q"), STR("a"), &d);

    (void)state;
    assert_string_equal(got.ptr,
                        "--q\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nb@x\r\n"
                        "--q\r\nContent-Disposition: form-data; name=\"file\"; "
                        "filename=\"f\"\r\n\r\n\"model\":\"a\"\r\n--q--\r\n");
    buf_clear(&got);
}

static void many_equal_keys_take_linear_time(void **state)
{
    struct decision d = ROUTE("local", "b");
    struct buf body = {0}, got;

    (void)state;
    buf_put(&body, STR("{"));
    for (int i = 0; i < 200000; i++)
        buf_put(&body, STR("\"model\":1,"));
    buf_put(&body, STR("\"model\":\"a\"}"));
    got = sent(buf_str(&body), STR_NONE, STR("a"), &d);
    assert_int_equal(got.len, 200000 * sizeof("\"model\":\"b\",") - 200000 +
                                  sizeof("{\"model\":\"b\"}") - 1);
    buf_clear(&got);
    buf_clear(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_changed_as_the_cases_say),
        cmocka_unit_test(only_the_bytes_of_the_member_change),
        cmocka_unit_test(a_name_with_quotes_stays_one_string),
        cmocka_unit_test(a_pin_is_set_in_every_provider_object),
        cmocka_unit_test(usage_is_asked_for_where_the_client_did_not_decide),
        cmocka_unit_test(a_multipart_model_is_replaced_and_nothing_else),
        cmocka_unit_test(many_equal_keys_take_linear_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
