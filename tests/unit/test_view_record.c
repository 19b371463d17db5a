#include "store_helpers.h"
#include "view/view_record.h"
#include "view/view_run.h"
#include "json/json.h"

#define NOW (INT64_C(1900000000000000) + 60000000)

static const struct view_context context = {{"http://localhost:8000/v1", 24}, NOW};

/* ---- asking ---- */

static cJSON *parse(struct buf *text)
{
    cJSON *tree = json_parse(buf_str(text));

    if (!tree)
        fail_msg("no JSON: %.300s", text->ptr);
    buf_clear(text);
    return tree;
}

static cJSON *list(struct store *store, const char *query, int expect)
{
    struct buf out = {0};
    struct err err;
    int status = 0;

    OK(view_record_list(store, STR("/api/requests"), str_c(query), &context, &status, &out, &err));
    if (status != expect)
        fail_msg("%s: status %d, %s", query, status, out.ptr);
    return parse(&out);
}

static cJSON *detail(struct store *store, int64_t id, const char *query, int expect)
{
    struct buf out = {0};
    struct err err;
    int status = 0;

    OK(view_record_detail(store, id, str_c(query), &context, &status, &out, &err));
    assert_int_equal(status, expect);
    return parse(&out);
}

/* What is at a dotted path, as JSON text; "(absent)" when it is not there. Path parts that are
 * numbers are array indexes. */
static const char *at(const cJSON *tree, const char *path)
{
    static char text[4096];
    char part[64];
    char *printed;

    while (tree && *path) {
        size_t len = strcspn(path, ".");

        snprintf(part, sizeof(part), "%.*s", (int)len, path);
        tree = cJSON_IsArray(tree) ? cJSON_GetArrayItem(tree, (int)strtol(part, NULL, 10))
                                   : cJSON_GetObjectItemCaseSensitive(tree, part);
        path += path[len] ? len + 1 : len;
    }
    if (!tree)
        return "(absent)";
    printed = cJSON_PrintUnformatted(tree);
    snprintf(text, sizeof(text), "%s", printed);
    cJSON_free(printed);
    return text;
}

#define IS(tree, path, expect) assert_string_equal(at(tree, path), expect)

static void keys_are(const cJSON *o, const char *expect)
{
    struct buf keys = {0};

    for (const cJSON *m = o->child; m; m = m->next)
        buf_printf(&keys, "%s ", m->string);
    assert_string_equal(keys.ptr, expect);
    buf_clear(&keys);
}

#define ROW_KEYS                                                                                   \
    "id created_at created_at_fallback created_at_table_fallback method endpoint model "           \
    "upstream_model model_route upstream_url status status_label duration_ms "                     \
    "duration_display_ms duration_display duration_is_elapsed is_stream has_images "               \
    "has_tool_calls task_run tokens tokens_per_second tokens_per_second_display cost_usd "         \
    "cost_display billing_provider provider_name billing_model route_name "                        \
    "response_was_rewritten compat_fixes_json compat_fix_errors_json compatibility_label error "   \
    "signals preview semantic_summary "                                                            \
    "ttft_ms first_byte_ms upstream_connect_ms upstream_headers_ms chunk_count event_count "       \
    "chunk_gap_avg_ms chunk_gap_p95_ms chunk_gap_max_ms client_lag_max_ms request_bytes "          \
    "response_bytes response_model finish_reason tool_call_count reasoning_tokens "                \
    "cache_write_input_tokens reported_cost_usd upstream_error_message stream_done "               \
    "terminated_by completed_at provider_slug generation_tps generation_tps_estimated outcome "    \
    "rev "

/* ---- rows ---- */

static void a_row_has_all_keys_in_order_and_nulls_for_what_is_unknown(void **state)
{
    struct record r;
    cJSON *row;

    (void)state;
    record_init(&r);
    r.id = 3;
    r.created_us = INT64_C(1900000000000000);
    r.method = STR("POST");
    r.endpoint = STR("/v1/x");
    row = view_record_row(&r, NOW);
    keys_are(row, ROW_KEYS);
    IS(row, "created_at", "\"2030-03-17T17:46:40.000000Z\"");
    IS(row, "created_at_fallback", "\"2030-03-17 17:46:40 UTC\"");
    IS(row, "model", "\"unknown\"");
    IS(row, "status", "null");
    IS(row, "status_label", "\"pending\"");
    IS(row, "duration_ms", "null");
    IS(row, "duration_display_ms", "60000");
    IS(row, "duration_display", "\"1m\"");
    IS(row, "duration_is_elapsed", "true");
    IS(row, "task_run", "null");
    IS(row, "tokens.total", "null");
    IS(row, "tokens.total_display", "\"-\"");
    IS(row, "tokens_per_second", "null");
    IS(row, "tokens_per_second_display", "\"-\"");
    IS(row, "cost_usd", "null");
    IS(row, "cost_display", "\"-\"");
    IS(row, "route_name", "\"global fallback\"");
    IS(row, "compatibility_label", "\"none\"");
    IS(row, "signals",
       "{\"stream\":false,\"image\":false,\"tool\":false,\"error\":false,"
       "\"slow\":false,\"large\":false}");
    IS(row, "preview", "\"\"");
    IS(row, "outcome", "null");
    IS(row, "stream_done", "null");
    IS(row, "rev", "null");
    cJSON_Delete(row);
}

static void numbers_are_exact_and_shown(void **state)
{
    struct record r = sample(1);
    cJSON *row;

    (void)state;
    r.is_stream = true;
    r.duration_ms = 12000;
    r.ttft_ms = 2000;
    r.stream_done = 1;
    r.billing_input_tokens = 1234;
    r.billing_cached_input_tokens = 0;
    r.billing_output_tokens = 500;
    r.billing_total_tokens = 1734;
    r.billing_total_cost_pusd = INT64_C(123456789012);
    r.billing_provider_slug = STR("lab");
    r.reported_cost_pusd = 1;
    r.provider_slug = STR("lab");
    row = view_record_row(&r, NOW);
    IS(row, "tokens",
       "{\"input\":1234,\"cached_input\":0,\"output\":500,\"total\":1734,"
       "\"input_display\":\"1.23k\",\"cached_input_display\":\"0\","
       "\"output_display\":\"500\",\"total_display\":\"1.73k\","
       "\"input_estimated\":false}");
    IS(row, "tokens_per_second", "\"41.67\"");
    IS(row, "generation_tps", "\"50.00\"");
    IS(row, "billing_provider", "\"lab\"");
    IS(row, "signals.slow", "true");
    IS(row, "stream_done", "true");
    IS(row, "outcome", "\"ok\"");
    IS(row, "duration_is_elapsed", "false");
    cJSON_Delete(row);
}

static void speed_is_estimated_where_no_tokens_are_reported(void **state)
{
    struct record r = sample(1);
    cJSON *row;

    (void)state;
    r.is_stream = true;
    r.duration_ms = 12000;
    r.ttft_ms = 2000;
    r.content_event_count = 700;
    row = view_record_row(&r, NOW);
    IS(row, "generation_tps", "\"70.00\"");
    IS(row, "generation_tps_estimated", "true");
    IS(row, "tokens.output", "null");
    IS(row, "tokens_per_second", "null");
    cJSON_Delete(row);
    r.billing_output_tokens = 500;
    row = view_record_row(&r, NOW);
    IS(row, "generation_tps", "\"50.00\"");
    IS(row, "generation_tps_estimated", "false");
    cJSON_Delete(row);
    r.billing_output_tokens = UNKNOWN;
    r.content_event_count = 1; /* all at once: that is no speed */
    row = view_record_row(&r, NOW);
    IS(row, "generation_tps", "null");
    IS(row, "generation_tps_estimated", "false");
    cJSON_Delete(row);
}

static void money_is_written_without_a_double_in_between(void **state)
{
    struct record r = sample(1);
    struct buf out = {0};
    cJSON *row;

    (void)state;
    r.billing_total_cost_pusd = INT64_C(9007199254740993);
    r.reported_cost_pusd = 1;
    row = view_record_row(&r, NOW);
    assert_true(json_print(&out, row));
    assert_non_null(strstr(out.ptr, "\"cost_usd\":9007.199254740993,"));
    assert_non_null(strstr(out.ptr, "\"reported_cost_usd\":0.000000000001,"));
    buf_clear(&out);
    cJSON_Delete(row);
}

static void an_estimate_stands_in_while_pending_only(void **state)
{
    struct record r = sample(1);
    cJSON *row;

    (void)state;
    r.estimated_input_tokens = 20000;
    row = view_record_row(&r, NOW);
    IS(row, "tokens.input", "null");
    IS(row, "signals.large", "true");
    cJSON_Delete(row);
    r.completed_us = r.response_status = UNKNOWN;
    row = view_record_row(&r, NOW);
    IS(row, "tokens.input", "20000");
    IS(row, "tokens.input_estimated", "true");
    cJSON_Delete(row);
}

static void summary_is(struct record r, const char *expect)
{
    cJSON *row = view_record_row(&r, NOW);
    struct buf wanted = {0};

    assert_true(json_quote(&wanted, str_c(expect)));
    IS(row, "semantic_summary", wanted.ptr);
    buf_clear(&wanted);
    cJSON_Delete(row);
}

static void the_summary_says_what_matters_first(void **state)
{
    struct record r = sample(1);

    (void)state;
    r.response_content_type = STR("text/plain");
    r.response_body = STR(" Hello\n\tthere ");
    summary_is(r, "Hello there");
    r.estimated_input_tokens = 12345;
    summary_is(r, "Long response \xC2\xB7 12.3k tokens \xC2\xB7 Hello there");
    r.is_stream = true;
    r.response_body = STR_NONE;
    summary_is(r, "Streaming response");
    r.has_tool_calls = true;
    summary_is(r, "Streaming response \xC2\xB7 Tool call detected");
    r.is_stream = false;
    summary_is(r, "Response \xC2\xB7 Tool call detected");
    r.response_status = 503;
    summary_is(r, "Server error 503");
    r.response_status = 404;
    r.response_body = STR("no such\nmodel");
    summary_is(r, "HTTP 404 \xC2\xB7 no such model");
    r.error = STR("connection\nlost");
    summary_is(r, "HTTP 404 \xC2\xB7 connection lost");
    r.response_status = UNKNOWN;
    summary_is(r, "Request error \xC2\xB7 connection lost");
    r.response_status = 429;
    r.error = STR_NONE;
    r.response_body = STR("{\"error\":{\"message\":\"slow down\"}}");
    r.upstream_error_message = STR("slow down");
    summary_is(r, "HTTP 429 \xC2\xB7 slow down");
}

static void the_summary_of_a_stream_is_what_it_says_and_not_its_events(void **state)
{
    struct record r = sample(1);

    (void)state;
    r.is_stream = true;
    r.endpoint = STR("/v1/messages");
    r.response_content_type = STR("text/event-stream");
    r.response_body =
        STR("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"role\":"
            "\"assistant\",\"content\":[]}}\n\n"
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
            "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
            "\"delta\":{\"type\":\"text_delta\",\"text\":\"Otters \"}}\n\n"
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
            "\"delta\":{\"type\":\"text_delta\",\"text\":\"swim.\"}}\n\n"
            "event: content_block_delta\ndata: {\"type\":\"content_blo");
    summary_is(r, "Otters swim.");
    r.has_tool_calls = true; /* tools were offered, none is called */
    summary_is(r, "Otters swim.");
    r.response_body =
        STR("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
            "\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"bash\"}}\n\n");
    summary_is(r, "Tool call \xC2\xB7 bash");
    r.has_tool_calls = r.is_stream = false;
    r.endpoint = STR("/v1/embeddings");
    r.response_content_type = STR("application/json");
    r.response_body = STR("{\"object\":\"list\",\"data\":[]}");
    summary_is(r, "JSON response");
}

static void a_long_preview_is_cut_by_code_points(void **state)
{
    struct record r = sample(1);
    char body[1000] = "", expect[1000] = "";
    cJSON *row;

    (void)state;
    for (int i = 0; i < 200; i++)
        memcpy(body + i * 2, "\xC3\xA9", 3);
    for (int i = 0; i < 159; i++)
        memcpy(expect + i * 2, "\xC3\xA9", 3);
    r.response_content_type = STR("text/plain");
    r.response_body = str_c(body);
    r.response_bytes = 400;
    row = view_record_row(&r, NOW);
    assert_int_equal(strlen(cJSON_GetObjectItem(row, "preview")->valuestring), 159 * 2 + 3);
    assert_memory_equal(cJSON_GetObjectItem(row, "preview")->valuestring, expect, 318);
    cJSON_Delete(row);
    body[320] = '\0'; /* 160 code points stay */
    r.response_body = str_c(body);
    r.response_bytes = 320;
    row = view_record_row(&r, NOW);
    assert_string_equal(cJSON_GetObjectItem(row, "preview")->valuestring, body);
    cJSON_Delete(row);
}

static void hostile_text_becomes_valid_json(void **state)
{
    struct record r = sample(1);
    struct buf out = {0};
    cJSON *row;

    (void)state;
    r.model = (struct str){"a\0b\xFF\"\x1b", 6};
    r.response_content_type = STR("text/plain");
    r.response_body = (struct str){"\xC3\xFF\0x", 4};
    row = view_record_row(&r, NOW);
    assert_true(json_print(&out, row));
    cJSON_Delete(row);
    cJSON_Delete(parse(&out));
}

/* ---- lists ---- */

static struct store *filled(const char *path, int64_t rows)
{
    struct store *store = open_new(path);
    struct err err;

    run_sql(path, "INSERT INTO task_runs (id, name, started_us) VALUES "
                  "(1, 'nightly', 1899999970000000); "
                  "INSERT INTO task_runs (id, name, started_us, ended_us) VALUES "
                  "(2, 'done', 1800000000000000, 1800000001000000)");
    for (int64_t id = 1; id <= rows; id++) {
        struct record r = sample(id);

        r.model = id % 2 ? STR("tiny/one") : STR("big");
        r.task_run_id = id == rows ? 1 : UNKNOWN;
        r.response_status = id % 9 ? 200 : 500;
        r.billing_provider_slug = id % 3 ? STR("lab") : STR_NONE;
        r.billing_provider_name = id % 3 ? STR("Lab GPU") : STR_NONE;
        r.model_route = STR("tiny-*");
        OK(store_record_insert(store, &r, &err));
    }
    return store;
}

static void a_list_answers_everything_the_page_needs(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 20);
    cJSON *o = list(store, "", 200);

    keys_are(o, "items models endpoints filters provider_options route_options run_options "
                "active_run stats pagination upstream_url poll_interval_ms ");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "items")), 20);
    keys_are(cJSON_GetObjectItem(o, "items")->child, ROW_KEYS);
    IS(o, "items.0.id", "20");
    IS(o, "items.0.task_run.name", "\"nightly\"");
    IS(o, "items.0.task_run.request_count", "null");
    IS(o, "items.0.preview", "\"{\\\"ok\\\":true}\"");
    IS(o, "items.1.task_run", "null");
    IS(o, "models", "[\"big\",\"tiny/one\"]");
    IS(o, "endpoints", "[\"/v1/chat/completions\"]");
    IS(o, "provider_options", "[{\"value\":\"lab\",\"label\":\"Lab GPU\"}]");
    IS(o, "route_options", "[\"tiny-*\"]");
    IS(o, "run_options.0.id", "1");
    IS(o, "run_options.1.status", "\"complete\"");
    IS(o, "active_run.request_count", "1");
    IS(o, "active_run.open_duration_display", "\"1m 30s\"");
    IS(o, "stats.total", "{\"value\":20,\"display\":\"20\"}");
    IS(o, "stats.errors.value", "2");
    IS(o, "filters",
       "{\"q\":\"\",\"where\":\"\",\"endpoint\":\"\",\"model\":\"\",\"provider\":\"\",\"route\":"
       "\"\","
       "\"status\":\"\",\"run\":\"\",\"stream\":false,\"image\":false,"
       "\"tool\":false,\"error\":false,\"slow\":false,\"large\":false,\"page\":1,"
       "\"per_page\":50}");
    IS(o, "upstream_url", "\"http://localhost:8000/v1\"");
    IS(o, "poll_interval_ms", "1000");
    cJSON_Delete(o);
    store_close(store);
}

static void facets_can_be_left_out(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 2);
    cJSON *o = list(store, "facets=0", 200);

    keys_are(o, "items filters active_run pagination upstream_url poll_interval_ms ");
    cJSON_Delete(o);
    store_close(store);
}

static void links_keep_what_was_asked(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 90);
    cJSON *o = list(store, "page=2&model=tiny%2Fone&x=&per_page=20&y=a+b", 200);

    IS(o, "pagination.page", "2");
    IS(o, "pagination.total", "45");
    IS(o, "pagination.total_pages", "3");
    IS(o, "pagination.start", "21");
    IS(o, "pagination.end", "40");
    IS(o, "pagination.has_previous", "true");
    IS(o, "pagination.previous_url",
       "\"/api/requests?model=tiny%2Fone&x=&y=a+b&per_page=20&page=1\"");
    IS(o, "pagination.next_url", "\"/api/requests?model=tiny%2Fone&x=&y=a+b&per_page=20&page=3\"");
    IS(o, "pagination.pages.1",
       "{\"number\":2,\"url\":\"/api/requests?model=tiny%2Fone&x=&y=a+b&per_page=20&page=2\","
       "\"current\":true}");
    IS(o, "pagination.display", "{\"start\":\"21\",\"end\":\"40\",\"total\":\"45\"}");
    IS(o, "items.0.id", "49");
    cJSON_Delete(o);
    o = list(store, "page=99&per_page=7", 200);
    IS(o, "pagination.page", "13");
    IS(o, "filters.page", "13");
    IS(o, "pagination.end", "90");
    IS(o, "items.0.id", "6");
    IS(o, "items.5.id", "1");
    IS(o, "pagination.next_url", "null");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "items")), 6);
    assert_int_equal(
        cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetObjectItem(o, "pagination"), "pages")), 3);
    cJSON_Delete(o);
    store_close(store);
}

static void an_empty_list_has_one_page(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 0);
    cJSON *o = list(store, "error=1&run=7", 200);

    IS(o, "pagination",
       "{\"page\":1,\"per_page\":50,\"total\":0,\"total_pages\":1,\"start\":0,\"end\":0,"
       "\"has_previous\":false,\"has_next\":false,\"previous_url\":null,\"next_url\":null,"
       "\"pages\":[{\"number\":1,\"url\":\"/api/requests?error=1&run=7&per_page=50&page=1\","
       "\"current\":true}],\"display\":{\"start\":\"0\",\"end\":\"0\",\"total\":\"0\"}}");
    IS(o, "filters.run", "7");
    IS(o, "filters.error", "true");
    cJSON_Delete(o);
    store_close(store);
}

static void ids_page_a_list_that_grows(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 30);
    cJSON *o = list(store, "before=21&per_page=5", 200);

    IS(o, "items.0.id", "20");
    IS(o, "pagination.total", "20");
    IS(o, "pagination.next_url", "null");
    IS(o, "pagination.has_next", "true");
    cJSON_Delete(o);
    o = list(store, "after=28", 200);
    IS(o, "items.0.id", "30");
    IS(o, "items.1.id", "29");
    IS(o, "pagination.total", "2");
    cJSON_Delete(o);
    store_close(store);
}

static void the_last_of_repeated_parameters_counts_and_odd_flags_are_off(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 10);
    cJSON *o = list(store, "model=big&model=&stream=true&error=0&status=+200+&status=", 200);

    IS(o, "pagination.total", "10");
    IS(o, "filters.stream", "false");
    IS(o, "filters.status", "\"\"");
    cJSON_Delete(o);
    o = list(store, "status=%20500%20&page=+1", 200);
    IS(o, "pagination.total", "1");
    IS(o, "filters.status", "500");
    cJSON_Delete(o);
    store_close(store);
}

static void wrong_numbers_are_all_named(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 1);
    cJSON *o = list(store, "per_page=900&page=", 422);

    IS(o, "detail",
       "[{\"type\":\"int_parsing\",\"loc\":[\"query\",\"page\"],"
       "\"msg\":\"must be an integer\",\"input\":\"\"},"
       "{\"type\":\"less_than_equal\",\"loc\":[\"query\",\"per_page\"],"
       "\"msg\":\"must be at most 200\",\"input\":\"900\",\"ctx\":{\"le\":200}}]");
    cJSON_Delete(o);
    o = list(store, "page=0", 422);
    IS(o, "detail.0.type", "\"greater_than_equal\"");
    IS(o, "detail.0.ctx", "{\"ge\":1}");
    cJSON_Delete(o);
    o = list(store, "status=abc", 422);
    IS(o, "detail", "\"status must be an integer\"");
    cJSON_Delete(o);
    o = list(store, "run=9223372036854775808", 422);
    IS(o, "detail", "\"run must be an integer\"");
    cJSON_Delete(o);
    o = list(store, "page=99999999999999999999", 422);
    IS(o, "detail.0.type", "\"int_parsing\"");
    cJSON_Delete(o);
    store_close(store);
}

static void a_saved_upstream_wins(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 0);
    struct err err;
    cJSON *o;

    OK(store_setting_put(store, STR("upstream_url"), STR("http://other/v1"), &err));
    o = list(store, "", 200);
    IS(o, "upstream_url", "\"http://other/v1\"");
    cJSON_Delete(o);
    store_close(store);
}

/* ---- detail ---- */

static void a_detail_has_the_record_and_its_bodies(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 0);
    struct record r = sample(4);
    struct err err;
    cJSON *o;

    r.model = STR_NONE;
    r.estimated_input_tokens = 77;
    r.query_string = STR_NONE;
    r.request_headers_json = STR("{\"authorization\":\"Bearer sk-secret\",\"x\":\"1\"}");
    r.billing_total_cost_pusd = INT64_C(6200000000);
    OK(store_record_insert(store, &r, &err));
    o = detail(store, 4, "mode=json", 200);
    keys_are(o, "record images request_render response_render raw_response_render mode active_run "
                "upstream_url poll_interval_ms ");
    keys_are(cJSON_GetObjectItem(o, "record"), ROW_KEYS
             "path query_string completed_at_fallback request_headers_json "
             "request_content_type response_headers_json response_content_type "
             "billing_provider_slug billing_provider_name billing_input_tokens "
             "billing_cached_input_tokens billing_output_tokens billing_total_tokens "
             "billing_input_cost_usd billing_cached_input_cost_usd "
             "billing_output_cost_usd billing_total_cost_usd "
             "billing_total_cost_display reported_cost_difference_usd pricing_snapshot_json "
             "estimated_input_tokens "
             "estimated_input_tokens_display estimated_input_tokenizer "
             "estimated_input_model display_input_tokens display_cached_input_tokens "
             "display_output_tokens display_total_tokens display_input_tokens_display "
             "display_cached_input_tokens_display display_output_tokens_display "
             "display_total_tokens_display request_parts_json response_id "
             "upstream_error_type upstream_error_code upstream_request_id service_tier "
             "attempt_count attempts ");
    IS(o, "record.model", "null");
    IS(o, "record.query_string", "\"\"");
    IS(o, "record.request_headers_json",
       "\"{\\\"authorization\\\":\\\"Bearer ***\\\",\\\"x\\\":\\\"1\\\"}\"");
    IS(o, "record.billing_total_cost_display", "\"$0.006200\"");
    IS(o, "record.tokens.input", "null");
    IS(o, "record.estimated_input_tokens", "77");
    IS(o, "record.preview", "\"{\\\"ok\\\":true}\"");
    IS(o, "images", "[]");
    IS(o, "request_render.mode", "\"json\"");
    IS(o, "response_render.text", "\"{\\n  \\\"ok\\\": true\\n}\"");
    IS(o, "raw_response_render", "null");
    IS(o, "mode", "\"json\"");
    cJSON_Delete(o);
    o = detail(store, 4, "mode=nonsense", 200);
    IS(o, "mode", "\"json\"");
    cJSON_Delete(o);
    store_close(store);
}

static void a_raw_body_is_rendered_when_it_was_kept(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 0);
    struct record r = sample(4);
    struct err err;
    cJSON *o;

    r.upstream_response_body = STR("{\"ok\":false}");
    OK(store_record_insert(store, &r, &err));
    r.id = 5;
    r.upstream_response_body = STR("");
    r.completed_us = r.response_status = r.duration_ms = UNKNOWN;
    r.response_body = r.response_headers_json = STR_NONE;
    OK(store_record_insert(store, &r, &err));
    o = detail(store, 4, "", 200);
    IS(o, "raw_response_render.mode", "\"json\"");
    cJSON_Delete(o);
    o = detail(store, 5, "", 200);
    IS(o, "raw_response_render", "null");
    IS(o, "response_render.text", "\"\"");
    IS(o, "record.response_headers_json", "null");
    IS(o, "record.completed_at", "null");
    cJSON_Delete(o);
    store_close(store);
}

static void an_unknown_id_is_not_found(void **state)
{
    const struct folder *f = *state;
    struct store *store = filled(f->db, 1);
    cJSON *o = detail(store, 99, "", 404);

    IS(o, "detail", "\"Request not found.\"");
    cJSON_Delete(o);
    store_close(store);
}

static void a_run_summary_tells_its_state(void **state)
{
    struct run run = {.id = 12,
                      .name = STR("nightly eval"),
                      .started_us = NOW - 93000000,
                      .ended_us = UNKNOWN,
                      .paused_us = UNKNOWN,
                      .request_count = 4};
    cJSON *o = view_run_summary(&run, NOW);

    (void)state;
    keys_are(o, "id name notes started_at started_at_fallback started_at_table_fallback ended_at "
                "ended_at_fallback paused_at paused_at_fallback is_active is_paused status "
                "status_label open_duration_ms open_duration_display request_count "
                "request_count_display budget_usd budget_tokens budget_action budget_thresholds "
                "budget ");
    IS(o, "status", "\"active\"");
    IS(o, "open_duration_display", "\"1m 33s\"");
    IS(o, "notes", "null");
    cJSON_Delete(o);
    run.paused_us = NOW;
    o = view_run_summary(&run, NOW);
    IS(o, "is_paused", "true");
    IS(o, "status_label", "\"paused\"");
    cJSON_Delete(o);
    run.ended_us = NOW - 94000000;
    run.request_count = UNKNOWN;
    o = view_run_summary(&run, NOW);
    IS(o, "status", "\"complete\"");
    IS(o, "is_paused", "false");
    IS(o, "open_duration_ms", "0");
    IS(o, "request_count_display", "\"-\"");
    cJSON_Delete(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_all_keys_in_order_and_nulls_for_what_is_unknown),
        cmocka_unit_test(numbers_are_exact_and_shown),
        cmocka_unit_test(speed_is_estimated_where_no_tokens_are_reported),
        cmocka_unit_test(money_is_written_without_a_double_in_between),
        cmocka_unit_test(an_estimate_stands_in_while_pending_only),
        cmocka_unit_test(the_summary_says_what_matters_first),
        cmocka_unit_test(the_summary_of_a_stream_is_what_it_says_and_not_its_events),
        cmocka_unit_test(a_long_preview_is_cut_by_code_points),
        cmocka_unit_test(hostile_text_becomes_valid_json),
        TEST(a_list_answers_everything_the_page_needs),
        TEST(facets_can_be_left_out),
        TEST(links_keep_what_was_asked),
        TEST(an_empty_list_has_one_page),
        TEST(ids_page_a_list_that_grows),
        TEST(the_last_of_repeated_parameters_counts_and_odd_flags_are_off),
        TEST(wrong_numbers_are_all_named),
        TEST(a_saved_upstream_wins),
        TEST(a_detail_has_the_record_and_its_bodies),
        TEST(a_raw_body_is_rendered_when_it_was_kept),
        TEST(an_unknown_id_is_not_found),
        cmocka_unit_test(a_run_summary_tells_its_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
