#include "store_helpers.h"

#include <stdint.h>
#include <string.h>

#include "ops/ops.h"
#include "store/store_prices.h"
#include "json/json.h"
#include "json/json_scan.h"

#define DAY_US ((int64_t)86400 * 1000000)

static struct ops *open_ops(const struct folder *f)
{
    struct err err = {0};
    struct store *store = open_new(f->db);
    struct ops *ops;

    assert_int_equal(store_seed(store, &err), 0);
    store_close(store);
    ops = ops_open(f->db, &err);
    if (!ops)
        fail_msg("%s", err.msg);
    return ops;
}

/* What is answered; the err of a call that fails is in *err. */
static int ask(struct ops *ops, const char *method, const char *path, const char *json,
               struct ops_answer *out, struct err *err)
{
    struct ops_call call = {.what = "runs start",
                            .method = method,
                            .path = str_c(path),
                            .query = STR(""),
                            .json = str_c(json)};

    return ops_answer(ops, &call, out, err);
}

static int status_of(struct ops *ops, const char *method, const char *path, const char *json)
{
    struct ops_answer out;
    struct err err = {0};
    int status;

    if (ask(ops, method, path, json, &out, &err) < 0)
        fail_msg("%s", err.msg);
    status = out.status;
    buf_clear(&out.body);
    return status;
}

/* The tree of a good answer. Returns owned. */
static cJSON *tree_of(struct ops *ops, const char *method, const char *path, const char *json)
{
    struct ops_answer out;
    struct err err = {0};
    cJSON *tree;

    if (ask(ops, method, path, json, &out, &err) < 0)
        fail_msg("%s", err.msg);
    if (out.status != 200)
        fail_msg("%s %s: %s", method, path, out.body.ptr);
    tree = json_parse(buf_str(&out.body));
    assert_non_null(tree);
    buf_clear(&out.body);
    return tree;
}

static int64_t number_of(struct ops *ops, const char *method, const char *path, const char *json,
                         const char *key)
{
    cJSON *tree = tree_of(ops, method, path, json);
    int64_t number = -1;

    json_get_int(tree, key, &number);
    cJSON_Delete(tree);
    return number;
}

#define ROUTE "{\"model\":\"mine\",\"upstream_url\":\"http://127.0.0.1:9/v1\"}"

static void a_change_is_kept_exactly_when_it_is_answered_well(void **state)
{
    struct folder *f = *state;
    struct ops *ops = open_ops(f);

    assert_int_equal(status_of(ops, "POST", "/admin/api/routes", ROUTE), 200);
    assert_int_equal(status_of(ops, "POST", "/admin/api/routes", ROUTE), 400);
    assert_int_equal(
        status_of(ops, "PATCH", "/api/budgets", "{\"budget_day_usd\":\"5\",\"no_such_setting\":1}"),
        400);
    ops_close(ops);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM model_routes"), 1);
    assert_int_equal(
        query_number(f->db, "SELECT count(*) FROM app_settings WHERE key LIKE 'budget%'"), 0);
}

/* Lists tell the global upstream. */
static void assert_upstream(struct ops *ops, const char *change, const char *expected)
{
    const char *url = "";
    cJSON *tree;

    assert_int_equal(status_of(ops, "POST", "/admin/api/settings/values", change), 200);
    tree = tree_of(ops, "GET", "/api/requests", NULL);
    assert_true(json_get_str(tree, "upstream_url", &url));
    assert_string_equal(url, expected);
    cJSON_Delete(tree);
}

static void what_was_changed_is_in_force_for_the_next_call(void **state)
{
    struct ops *ops = open_ops(*state);
    cJSON *tree = tree_of(ops, "POST", "/admin/api/routes/simulate", "{\"model\":\"mine\"}");
    const char *status = "";

    assert_true(json_get_str(tree, "status", &status));
    assert_string_not_equal(status, "matched");
    cJSON_Delete(tree);
    assert_int_equal(status_of(ops, "POST", "/admin/api/routes", ROUTE), 200);
    tree = tree_of(ops, "POST", "/admin/api/routes/simulate", "{\"model\":\"mine\"}");
    assert_true(json_get_str(tree, "status", &status));
    assert_string_equal(status, "matched");
    cJSON_Delete(tree);
    assert_upstream(ops, "{\"upstream_url\":\"http://127.0.0.1:9/v2\"}", "http://127.0.0.1:9/v2");
    assert_upstream(ops, "{\"upstream_url\":null}", "http://localhost:8000/v1");
    ops_close(ops);
}

struct steps {
    int count;
    int64_t rows;
};

static void on_progress(void *ctx, int64_t rows)
{
    struct steps *s = ctx;

    assert_true(rows >= s->rows);
    s->count++;
    s->rows = rows;
}

static void a_long_change_goes_on_in_steps_and_tells_how_far_it_is(void **state)
{
    struct folder *f = *state;
    struct steps steps = {0};
    struct store *store = open_new(f->db);
    struct ops_call call = {.what = "db trim",
                            .method = "POST",
                            .path = STR("/admin/api/settings/trim"),
                            .json = STR("{\"days\":5,\"confirm\":true}"),
                            .progress = on_progress,
                            .ctx = &steps};
    struct ops_answer out;
    struct ops *ops;
    struct err err = {0};

    assert_int_equal(store_begin(store, &err), 0);
    for (int64_t id = 1; id <= 1203; id++) {
        struct record r = sample(id);

        r.created_us = clock_wall_us() - (id <= 1200 ? 10 : 1) * DAY_US;
        assert_int_equal(store_record_insert(store, &r, &err), 0);
    }
    assert_int_equal(store_commit(store, &err), 0);
    store_close(store);
    ops = ops_open(f->db, &err);
    assert_non_null(ops);
    assert_int_equal(ops_answer(ops, &call, &out, &err), 0);
    assert_int_equal(out.status, 200);
    assert_string_equal(out.body.ptr, "{\"deleted\":1200}");
    assert_true(steps.count >= 3);
    assert_int_equal(steps.rows, 1200);
    buf_clear(&out.body);
    ops_close(ops);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM requests"), 3);
}

static void a_locked_database_is_busy_after_five_seconds(void **state)
{
    struct folder *f = *state;
    struct ops *ops = open_ops(f);
    struct err err = {0};
    struct store *other = store_open(f->db, STORE_WRITE, &err);
    int64_t since_us = clock_now_us();

    assert_int_equal(store_begin(other, &err), 0);
    assert_int_equal(status_of(ops, "POST", "/api/runs/start", "{\"name\":\"r\"}"), 503);
    assert_true(clock_now_us() - since_us >= 4900000);
    assert_int_equal(status_of(ops, "GET", "/api/runs", NULL), 200);
    store_rollback(other);
    store_close(other);
    assert_int_equal(status_of(ops, "POST", "/api/runs/start", "{\"name\":\"r\"}"), 200);
    ops_close(ops);
}

static void what_needs_a_server_says_so(void **state)
{
    static const char *const calls[][2] = {
        {"GET", "/api/status"},
        {"GET", "/api/live"},
        {"POST", "/api/requests/1/cancel"},
        {"POST", "/admin/api/providers/health-checks"},
        {"POST", "/admin/runs/start"},
    };
    struct ops *ops = open_ops(*state);
    struct ops_answer out;
    struct err err;

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        assert_int_equal(ask(ops, calls[i][0], calls[i][1], NULL, &out, &err), -1);
        assert_int_equal(err.code, ERR_UNREACHABLE);
        assert_string_equal(err.msg, "runs start needs a running server");
    }
    ops_close(ops);
}

static void ids_and_queries_are_checked_as_by_a_server(void **state)
{
    struct ops *ops = open_ops(*state);
    struct ops_call call = {.method = "GET", .path = STR("/api/requests"), .query = STR("page=0")};
    struct ops_answer out;
    struct err err;

    assert_int_equal(status_of(ops, "GET", "/api/requests/x", NULL), 422);
    assert_int_equal(status_of(ops, "GET", "/api/requests/99999999999999999999", NULL), 422);
    assert_int_equal(status_of(ops, "GET", "/api/requests/7", NULL), 404);
    assert_int_equal(status_of(ops, "GET", "/admin/api/providers/open%61i", NULL), 200);
    assert_int_equal(ops_answer(ops, &call, &out, &err), 0);
    assert_int_equal(out.status, 422);
    buf_clear(&out.body);
    ops_close(ops);
}

#define LIST                                                                                       \
    "\"source\":\"litellm\",\"document\":{\"brand-new\":{\"litellm_provider\":\"openai\","         \
    "\"mode\":\"chat\",\"input_cost_per_token\":1e-6,\"output_cost_per_token\":2e-6}}"
#define APPLY "/admin/api/pricing/catalog/apply"

static void a_preview_is_applied_by_its_id(void **state)
{
    struct ops *ops = open_ops(*state);
    cJSON *tree = tree_of(ops, "POST", "/admin/api/pricing/catalog/preview", "{" LIST "}");
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "items"), 0);
    const char *id = NULL, *key = NULL;
    char body[256];

    assert_true(json_get_str(tree, "preview_id", &id) && json_get_str(first, "key", &key));
    snprintf(body, sizeof(body), "{\"preview_id\":\"%s\",\"keys\":[\"%s\"]}", id, key);
    assert_int_equal(number_of(ops, "POST", APPLY, body, "created"), 1);
    assert_int_equal(number_of(ops, "POST", APPLY, body, "unchanged"), 1);
    cJSON_Delete(tree);
    ops_close(ops);
}

static void nothing_changes_beside_a_silent_server(void **state)
{
    struct ops *ops = open_ops(*state);
    struct ops_answer out;
    struct err err;

    ops_refuse_changes(ops, "the server does not answer");
    assert_int_equal(status_of(ops, "GET", "/api/runs", NULL), 200);
    assert_int_equal(status_of(ops, "POST", "/admin/api/routes/simulate", "{\"model\":\"m\"}"),
                     200);
    assert_int_equal(ask(ops, "POST", "/admin/api/routes", ROUTE, &out, &err), -1);
    assert_int_equal(err.code, ERR_UNREACHABLE);
    assert_string_equal(err.msg, "the server does not answer");
    assert_int_equal(
        ask(ops, "POST", APPLY, "{" LIST ",\"keys\":[\"openai:brand-new\"]}", &out, &err), -1);
    assert_int_equal(err.code, ERR_UNREACHABLE);
    ops_close(ops);
}

static void a_variable_that_no_server_takes_is_named(void **state)
{
    struct folder *f = *state;
    struct err err = {0};

    ops_close(open_ops(f));
    setenv("LLM_OBSERVE_UPSTREAM_URL", "ftp://x", 1);
    assert_null(ops_open(f->db, &err));
    unsetenv("LLM_OBSERVE_UPSTREAM_URL");
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.msg, "LLM_OBSERVE_UPSTREAM_URL"));
}

static void another_schema_says_what_to_do(void **state)
{
    struct folder *f = *state;
    struct err err = {0};

    ops_close(open_ops(f));
    run_sql(f->db, "PRAGMA user_version = 3");
    assert_null(ops_open(f->db, &err));
    assert_int_equal(err.code, ERR_STORE);
    assert_non_null(strstr(err.msg, "run \"llm-observe-proxy serve\" once"));
    run_sql(f->db, "PRAGMA user_version = 999");
    assert_null(ops_open(f->db, &err));
    assert_int_equal(err.code, ERR_STORE);
    assert_non_null(strstr(err.msg, "written by version "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_is_kept_exactly_when_it_is_answered_well),
        TEST(what_was_changed_is_in_force_for_the_next_call),
        TEST(a_long_change_goes_on_in_steps_and_tells_how_far_it_is),
        TEST(a_locked_database_is_busy_after_five_seconds),
        TEST(what_needs_a_server_says_so),
        TEST(ids_and_queries_are_checked_as_by_a_server),
        TEST(a_preview_is_applied_by_its_id),
        TEST(nothing_changes_beside_a_silent_server),
        TEST(a_variable_that_no_server_takes_is_named),
        TEST(another_schema_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
