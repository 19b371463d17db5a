#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp/otlp_config.h"
#include "otlp/otlp_json.h"
#include "otlp/otlp_metrics.h"
#include "otlp/otlp_span.h"
#include "json/json.h"

static const unsigned char zeros_and_one[OTLP_RANDOM] = {[15] = 1, [16] = 0xab, [23] = 0xcd};

/* A chat that went well. */
static struct record chat(void)
{
    struct record r;

    record_init(&r);
    r.id = 7;
    r.method = STR("POST");
    r.endpoint = STR("/v1/chat/completions");
    r.model = STR("m");
    r.upstream_url = STR("http://10.0.0.1:8000/v1/chat/completions");
    r.created_us = 1000000;
    r.completed_us = 3500000;
    r.duration_ms = 2500;
    r.response_status = 200;
    r.upstream_headers_ms = 1;
    return r;
}

static cJSON *span_of(const struct record *r, struct str headers)
{
    struct buf out = {0};
    struct otlp_context context;
    struct otlp_call call;
    cJSON *tree;

    otlp_call_read(r, &call);
    otlp_context_read(headers, &context);
    otlp_span(&out, r, &call, &context, zeros_and_one, STR_NONE);
    tree = json_parse(buf_str(&out));
    assert_non_null(tree);
    buf_clear(&out);
    return tree;
}

static const char *text_at(const cJSON *o, const char *path)
{
    const char *text = NULL;

    return json_get_str(o, path, &text) ? text : NULL;
}

/* The value object of an attribute, or NULL. */
static const cJSON *attribute(const cJSON *span, const char *key)
{
    const cJSON *each;

    cJSON_ArrayForEach(each, cJSON_GetObjectItemCaseSensitive(span, "attributes"))
    {
        if (strcmp(text_at(each, "key"), key) == 0)
            return cJSON_GetObjectItemCaseSensitive(each, "value");
    }
    return NULL;
}

static void numbers_are_written_exactly(void **state)
{
    static const struct {
        int64_t value;
        int decimals;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {5, 3, "0.005"},
        {-1500, 3, "-1.500"},
        {INT64_MAX, 12, "9223372.036854775807"},
        {INT64_MIN, 0, "-9223372036854775808"},
    };
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        out.len = 0;
        otlp_decimal(&out, cases[i].value, cases[i].decimals);
        assert_string_equal(out.ptr, cases[i].text);
    }
    buf_clear(&out);
}

static void attributes_follow_the_rules_of_otlp_json(void **state)
{
    struct buf out = {0};

    (void)state;
    otlp_put_text(&out, "a", STR("x\"\n"));
    otlp_put_text(&out, "absent", STR_NONE);
    otlp_put_int(&out, "b", 12);
    otlp_put_int(&out, "absent", UNKNOWN);
    otlp_put_decimal(&out, "c", 1500, 3);
    otlp_put_true(&out, "d");
    otlp_put_list(&out, "e", STR("stop"));
    assert_string_equal(
        out.ptr,
        "{\"key\":\"a\",\"value\":{\"stringValue\":\"x\\\"\\n\"}},"
        "{\"key\":\"b\",\"value\":{\"intValue\":\"12\"}},"
        "{\"key\":\"c\",\"value\":{\"doubleValue\":1.500}},"
        "{\"key\":\"d\",\"value\":{\"boolValue\":true}},"
        "{\"key\":\"e\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"stop\"}]}}}");
    buf_clear(&out);
}

static void texts_are_cut_and_repaired(void **state)
{
    struct buf out = {0};
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + OTLP_TEXT_MAX - 1, "\xc3\xa4", 2); /* would be split */
    otlp_quote(&out, (struct str){text, sizeof(text)});
    assert_int_equal(out.len, OTLP_TEXT_MAX - 1 + 2);
    out.len = 0;
    otlp_quote(&out, STR("a\xff"));
    assert_string_equal(out.ptr, "\"a\xef\xbf\xbd\"");
    buf_clear(&out);
}

static void addresses_come_from_the_upstream_url(void **state)
{
    static const struct {
        const char *url, *address;
        int64_t port;
    } cases[] = {
        {"http://10.0.0.1:8000/v1/x", "10.0.0.1", 8000},
        {"http://localhost/v1", "localhost", 80},
        {"HTTPS://api.openai.com/v1?x=:1", "api.openai.com", 443},
        {"https://[::1]:99/v1", "::1", 99},
        {"https://[::1]/v1", "::1", 443},
        {"http://h", "h", 80},
        {"", NULL, UNKNOWN},
        {"http:///x", NULL, UNKNOWN},
    };
    struct record r = chat();
    struct otlp_call call;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        r.upstream_url = str_c(cases[i].url);
        otlp_call_read(&r, &call);
        assert_true(str_eq(call.address, str_c(cases[i].address)));
        assert_int_equal(call.port, cases[i].port);
    }
}

static void providers_have_their_well_known_names(void **state)
{
    static const struct {
        const char *url, *slug, *endpoint, *provider;
    } cases[] = {
        {"https://api.anthropic.com/v1", "claude", "/v1/messages", "anthropic"},
        {"https://my.openai.azure.com/v1", NULL, "/v1/embeddings", "azure.ai.openai"},
        {"https://us-central1-aiplatform.googleapis.com/v1", "", "/v1/x", "gcp.vertex_ai"},
        {"https://notapi.x.ai.example/v1", "lab", "/v1/x", "lab"},
        {"https://evilapi.x.ai/v1", NULL, "/v1/x", "openai"},
        {"http://localhost:1/v1", NULL, "/v1/messages", "anthropic"},
        {"http://localhost:1/v1", NULL, "/v1/chat/completions", "openai"},
    };
    struct record r = chat();
    struct otlp_call call;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        r.upstream_url = str_c(cases[i].url);
        r.provider_slug = str_c(cases[i].slug);
        r.endpoint = str_c(cases[i].endpoint);
        otlp_call_read(&r, &call);
        assert_true(str_eq(call.provider, str_c(cases[i].provider)));
    }
}

static void only_what_generates_is_an_operation(void **state)
{
    static const struct {
        const char *method, *endpoint, *operation;
    } cases[] = {
        {"POST", "/v1/chat/completions", "chat"},
        {"POST", "/v1/messages/", "chat"},
        {"POST", "/v1/responses", "chat"},
        {"POST", "/v1/completions", "text_completion"},
        {"POST", "/v1/embeddings", "embeddings"},
        {"POST", "/v1/audio/speech", "generate_content"},
        {"GET", "/v1/responses", NULL},
        {"POST", "/v1/responses/r1/cancel", NULL},
        {"POST", "/v1/messages/count_tokens", NULL},
        {"GET", "/v1/models", NULL},
    };
    struct record r = chat();
    struct otlp_call call;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        r.method = str_c(cases[i].method);
        r.endpoint = str_c(cases[i].endpoint);
        otlp_call_read(&r, &call);
        assert_true(str_eq(str_c(call.operation), str_c(cases[i].operation)));
    }
}

static void errors_have_a_type_of_few_values(void **state)
{
    struct record r = chat();
    struct otlp_call call;

    (void)state;
    otlp_call_read(&r, &call);
    assert_null(call.error_type.ptr);
    r.response_status = 429;
    otlp_call_read(&r, &call);
    assert_true(str_eq(call.error_type, STR("429")));
    r.error = STR("it broke: SECRET");
    otlp_call_read(&r, &call);
    assert_true(str_eq(call.error_type, STR("cut")));
    r.upstream_headers_ms = UNKNOWN;
    r.response_status = 504;
    otlp_call_read(&r, &call);
    assert_true(str_eq(call.error_type, STR("timeout")));
    r.response_status = 413;
    r.terminated_by = STR(TERMINATED_REFUSED);
    otlp_call_read(&r, &call);
    assert_true(str_eq(call.error_type, STR("413")));
}

static void a_span_has_its_ids_name_and_times(void **state)
{
    struct record r = chat();
    cJSON *span;

    (void)state;
    r.upstream_model = STR("real");
    span = span_of(&r, STR("{}"));
    assert_string_equal(text_at(span, "traceId"), "00000000000000000000000000000001");
    assert_string_equal(text_at(span, "spanId"), "ab000000000000cd");
    assert_null(text_at(span, "parentSpanId"));
    assert_string_equal(text_at(span, "name"), "chat real");
    assert_string_equal(text_at(span, "startTimeUnixNano"), "1000000000");
    assert_string_equal(text_at(span, "endTimeUnixNano"), "3500000000");
    assert_string_equal(text_at(attribute(span, "gen_ai.request.model"), "stringValue"), "real");
    assert_string_equal(text_at(attribute(span, "llm_observe_proxy.request.model"), "stringValue"),
                        "m");
    assert_null(attribute(span, "gen_ai.usage.input_tokens"));
    assert_null(attribute(span, "llm_observe_proxy.cost.usd"));
    cJSON_Delete(span);
}

static void nothing_that_was_said_is_in_a_span(void **state)
{
    struct record r = chat();
    struct otlp_context context;
    struct otlp_call call;
    struct buf out = {0};

    (void)state;
    r.error = r.upstream_error_message = r.query_string = r.client = STR("SECRET");
    r.request_body = r.response_body = r.upstream_response_body = STR("SECRET");
    r.request_headers_json = r.response_headers_json = STR("{\"x\":\"SECRET\"}");
    r.request_parts_json = r.pricing_snapshot_json = STR("SECRET");
    otlp_call_read(&r, &call);
    otlp_context_read(r.request_headers_json, &context);
    otlp_span(&out, &r, &call, &context, zeros_and_one, STR("run"));
    assert_int_equal(str_find(buf_str(&out), STR("SECRET")), -1);
    buf_clear(&out);
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void a_trace_context_is_read_strictly(void **state)
{
    static const struct {
        const char *value;
        bool valid, sampled;
    } cases[] = {
        {"00-" TRACE "-" PARENT "-01", true, true},
        {"00-" TRACE "-" PARENT "-00", true, false},
        {"00-" TRACE "-" PARENT "-fe", true, false},
        {"cc-" TRACE "-" PARENT "-01-what-comes-later", true, true},
        {"cc-" TRACE "-" PARENT "-01x", false, true},
        {"00-" TRACE "-" PARENT "-01-", false, true},
        {"ff-" TRACE "-" PARENT "-01", false, true},
        {"00-" TRACE "-" PARENT "-0", false, true},
        {"00-" TRACE "-" PARENT "-0x", false, true},
        {"00-00000000000000000000000000000000-" PARENT "-01", false, true},
        {"00-" TRACE "-0000000000000000-01", false, true},
        {"00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", false, true},
        {"00_" TRACE "-" PARENT "-01", false, true},
        {"", false, true},
    };
    struct otlp_context c;
    struct buf json = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json.len = 0;
        buf_printf(&json, "{\"tracestate\":\"a=b\",\"traceparent\":\"%s\"}", cases[i].value);
        otlp_context_read(buf_str(&json), &c);
        assert_int_equal(c.trace_id.ptr != NULL, cases[i].valid);
        assert_int_equal(c.span_id.ptr != NULL, cases[i].valid);
        assert_int_equal(c.state.ptr != NULL, cases[i].valid);
        assert_int_equal(c.sampled, cases[i].sampled);
    }
    otlp_context_read(STR_NONE, &c);
    assert_null(c.trace_id.ptr);
    otlp_context_read(STR("{\"traceparent\":1}"), &c);
    assert_null(c.trace_id.ptr);
    buf_clear(&json);
}

/* ---- metrics ---- */

static cJSON *metrics_of(struct otlp_metrics *m)
{
    struct buf out = {0};
    cJSON *tree;

    assert_true(otlp_metrics_write(m, &out, 1, 2));
    tree = json_parse(buf_str(&out));
    assert_non_null(tree);
    buf_clear(&out);
    return tree;
}

static void count(struct otlp_metrics *m, const struct record *r)
{
    struct otlp_call call;

    otlp_call_read(r, &call);
    otlp_metrics_add(m, r, &call);
}

static void what_does_not_generate_makes_no_metric(void **state)
{
    struct otlp_metrics *m = otlp_metrics_new();
    struct record r = chat();
    struct buf out = {0};

    (void)state;
    r.method = STR("GET");
    count(m, &r);
    assert_false(otlp_metrics_write(m, &out, 1, 2));
    assert_int_equal(out.len, 0);
    buf_clear(&out);
    otlp_metrics_free(m);
}

static void a_limit_belongs_to_the_bucket_below_it(void **state)
{
    struct otlp_metrics *m = otlp_metrics_new();
    struct record r = chat();
    const cJSON *point, *buckets;
    cJSON *tree;

    (void)state;
    r.duration_ms = 10;
    count(m, &r);
    r.duration_ms = 11;
    count(m, &r);
    r.duration_ms = 81921;
    count(m, &r);
    tree = metrics_of(m);
    assert_string_equal(text_at(cJSON_GetArrayItem(tree, 0), "name"),
                        "gen_ai.client.operation.duration");
    point = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(tree, 0), "histogram"), "dataPoints");
    assert_int_equal(cJSON_GetArraySize(point), 1);
    point = cJSON_GetArrayItem(point, 0);
    buckets = cJSON_GetObjectItemCaseSensitive(point, "bucketCounts");
    assert_int_equal(cJSON_GetArraySize(buckets), 15);
    assert_string_equal(cJSON_GetArrayItem(buckets, 0)->valuestring, "1");
    assert_string_equal(cJSON_GetArrayItem(buckets, 1)->valuestring, "1");
    assert_string_equal(cJSON_GetArrayItem(buckets, 14)->valuestring, "1");
    assert_string_equal(text_at(point, "count"), "3");
    cJSON_Delete(tree);
    otlp_metrics_free(m);
}

static void a_sum_stays_at_its_end_instead_of_wrapping(void **state)
{
    struct otlp_metrics *m = otlp_metrics_new();
    struct record r = chat();
    struct buf out = {0};

    (void)state;
    r.billing_total_cost_pusd = INT64_MAX;
    count(m, &r);
    count(m, &r);
    assert_true(otlp_metrics_write(m, &out, 1, 2));
    assert_true(str_find(buf_str(&out), STR("\"asDouble\":9223372.036854775807")) > 0);
    assert_true(str_find(buf_str(&out), STR("\"isMonotonic\":true")) > 0);
    buf_clear(&out);
    otlp_metrics_free(m);
}

/* ---- the environment ---- */

static int clean_environment(void **state)
{
    static const char *const names[] = {
        "OTEL_EXPORTER_OTLP_ENDPOINT",      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",       "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_OTLP_TIMEOUT",       "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_COMPRESSION",   "OTEL_SERVICE_NAME",
        "OTEL_RESOURCE_ATTRIBUTES",         "OTEL_SDK_DISABLED",
        "OTEL_BSP_MAX_QUEUE_SIZE",          "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        unsetenv(names[i]);
    return 0;
}

static void without_variables_nothing_is_exported(void **state)
{
    struct otlp_config c;

    (void)state;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "", 1);
    assert_false(otlp_config_read(&c, STR("i")));
    otlp_config_clear(&c);
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318", 1);
    setenv("OTEL_SDK_DISABLED", "TRUE", 1);
    assert_false(otlp_config_read(&c, STR("i")));
    otlp_config_clear(&c);
}

static void variables_of_a_signal_are_stronger(void **state)
{
    struct otlp_config c;

    (void)state;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", " http://h:4318/base/ ", 1);
    setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://other/x/", 1);
    setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "7", 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=1,b=%32", 1);
    setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "c=x%0d%0ay,d==", 1);
    assert_true(otlp_config_read(&c, STR("i")));
    assert_string_equal(c.metrics.url, "http://h:4318/base/v1/metrics");
    assert_string_equal(c.traces.url, "https://other/x/");
    assert_int_equal(c.traces.timeout_ms, 7);
    assert_int_equal(c.metrics.timeout_ms, 10000);
    assert_int_equal(c.metrics.header_count, 2);
    assert_string_equal(c.metrics.headers[1], "b: 2");
    assert_int_equal(c.traces.header_count, 1); /* no line breaks in headers */
    assert_string_equal(c.traces.headers[0], "d: =");
    otlp_config_clear(&c);
}

static void a_batch_is_no_larger_than_the_queue(void **state)
{
    struct otlp_config c;

    (void)state;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318", 1);
    setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10", 1);
    setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99999999999999999999", 1);
    assert_true(otlp_config_read(&c, STR("i")));
    assert_int_equal(c.queue_max, 10);
    assert_int_equal(c.batch_max, 10);
    otlp_config_clear(&c);
}

static void the_resource_names_the_service(void **state)
{
    struct otlp_config c;

    (void)state;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318", 1);
    setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=a%20b,team=\"x\",service.version=9,=", 1);
    assert_true(otlp_config_read(&c, STR("i1")));
    assert_string_equal(
        c.resource, "{\"attributes\":["
                    "{\"key\":\"team\",\"value\":{\"stringValue\":\"\\\"x\\\"\"}},"
                    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"a b\"}},"
                    "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"" LOP_VERSION "\"}},"
                    "{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"i1\"}}]}");
    otlp_config_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_exactly),
        cmocka_unit_test(attributes_follow_the_rules_of_otlp_json),
        cmocka_unit_test(texts_are_cut_and_repaired),
        cmocka_unit_test(addresses_come_from_the_upstream_url),
        cmocka_unit_test(providers_have_their_well_known_names),
        cmocka_unit_test(only_what_generates_is_an_operation),
        cmocka_unit_test(errors_have_a_type_of_few_values),
        cmocka_unit_test(a_span_has_its_ids_name_and_times),
        cmocka_unit_test(nothing_that_was_said_is_in_a_span),
        cmocka_unit_test(a_trace_context_is_read_strictly),
        cmocka_unit_test(what_does_not_generate_makes_no_metric),
        cmocka_unit_test(a_limit_belongs_to_the_bucket_below_it),
        cmocka_unit_test(a_sum_stays_at_its_end_instead_of_wrapping),
        cmocka_unit_test_setup(without_variables_nothing_is_exported, clean_environment),
        cmocka_unit_test_setup(variables_of_a_signal_are_stronger, clean_environment),
        cmocka_unit_test_setup(a_batch_is_no_larger_than_the_queue, clean_environment),
        cmocka_unit_test_setup(the_resource_names_the_service, clean_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
