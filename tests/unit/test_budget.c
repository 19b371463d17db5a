/* Budgets: what they are, what counts, and when they raise alerts. */
#include "store_helpers.h"

#include "core/budget.h"
#include "db/db.h"
#include "store/store_budgets.h"
#include "json/json.h"

#define DAY_US ((int64_t)86400 * 1000000)

/* ---- what a budget is ---- */

static int set_json(struct budget *b, const char *json)
{
    cJSON *fields = json_parse(str_c(json));
    struct err err;
    int rc = budget_set_all(b, fields, &err);

    cJSON_Delete(fields);
    return rc;
}

static void fields_are_read_exactly(void **state)
{
    struct budget b;

    (void)state;
    budget_init(&b);
    assert_false(budget_is_set(&b));
    assert_int_equal(set_json(&b, "{\"budget_usd\":\"9223372.036854775807\",\"budget_tokens\":1e3,"
                                  "\"budget_action\":\"block\",\"budget_thresholds\":[100,5,100]}"),
                     0);
    assert_int_equal(b.limit[BUDGET_USD], INT64_MAX);
    assert_int_equal(b.limit[BUDGET_TOKENS], 1000);
    assert_true(b.blocks);
    assert_int_equal(b.count, 2);
    assert_int_equal(b.thresholds[0], 5);
    assert_int_equal(set_json(&b, "{\"budget_usd\":\"\",\"budget_thresholds\":null,\"other\":[]}"),
                     0);
    assert_int_equal(b.limit[BUDGET_USD], 0);
    assert_int_equal(b.count, 3);
    assert_int_equal(set_json(&b, "{\"budget_usd\":\"9223372.036854775808\"}"), -1);
    assert_int_equal(set_json(&b, "{\"budget_usd\":1e400}"), -1);
    assert_int_equal(set_json(&b, "{\"budget_usd\":\"nan\"}"), -1);
    assert_int_equal(set_json(&b, "{\"budget_usd\":{\"budget_usd\":1}}"), -1);
    assert_int_equal(b.limit[BUDGET_USD], 0);
}

static void products_beyond_64_bits_are_compared_right(void **state)
{
    struct budget b = {.limit = {INT64_MAX}, .blocks = true};
    struct budget_spent spent = {.amount = {INT64_MAX - 1}};

    (void)state;
    assert_false(budget_reached(INT64_MAX - 1, INT64_MAX, 100));
    assert_true(budget_reached(INT64_MAX, INT64_MAX, 100));
    assert_true(budget_reached(INT64_MAX, INT64_MAX / 2, 200));
    assert_false(budget_reached(INT64_MAX / 2, INT64_MAX, 50));
    assert_true(budget_reached(INT64_MAX / 2 + 1, INT64_MAX, 50));
    assert_false(budget_reached(INT64_MAX, 0, 1));
    assert_false(budget_closed(&b, &spent));
    assert_int_equal(budget_percent(&b, &spent), 99);
    spent.amount[BUDGET_USD]++;
    assert_true(budget_closed(&b, &spent));
    b.limit[BUDGET_USD] = 1;
    assert_true(budget_percent(&b, &spent) > 1000000);
    assert_int_equal(budget_sum(INT64_MAX, 1), INT64_MAX);
}

static void days_are_those_of_utc(void **state)
{
    char day[BUDGET_DAY_SIZE];

    (void)state;
    assert_string_equal(budget_day(INT64_C(1900022399999999), day), "2030-03-17");
    assert_string_equal(budget_day(INT64_C(1900022400000000), day), "2030-03-18");
    assert_string_equal(budget_day(INT64_C(951868799999999), day), "2000-02-29");
}

/* ---- what counts ---- */

static struct record priced(int64_t id, int64_t created_us, int64_t cost, int64_t tokens)
{
    struct record r = sample(id);

    r.created_us = created_us;
    r.completed_us = created_us + 1;
    r.billing_provider_slug = STR("lab");
    r.billing_total_cost_pusd = cost;
    r.billing_total_tokens = tokens;
    return r;
}

static void put(struct store *store, const struct record *r)
{
    struct err err;

    OK(store_record_insert(store, r, &err));
}

static int64_t spent(const char *path, const char *what, const char *scope, const char *key)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "SELECT %s FROM budget_sums WHERE scope = '%s' AND scope_key = '%s'",
             what, scope, key);
    return query_number(path, sql);
}

static int64_t alert_count(const char *path)
{
    return query_number(path, "SELECT count(*) FROM budget_alerts");
}

static void a_request_counts_for_the_day_it_arrived_in(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    int64_t midnight = INT64_C(1900022400000000);
    struct record late = priced(1, midnight - 1, 5, 10), early = priced(2, midnight, 7, 20), open;
    struct err err;

    late.completed_us = midnight + 5000000;
    open = late;
    open.completed_us = open.response_status = open.billing_total_cost_pusd =
        open.billing_total_tokens = UNKNOWN;
    put(store, &open);
    assert_int_equal(spent(f->db, "spent_pusd", "day", "2030-03-17"), -1);
    OK(store_record_complete(store, &late, &err));
    put(store, &early);
    assert_int_equal(spent(f->db, "spent_pusd", "day", "2030-03-17"), 5);
    assert_int_equal(spent(f->db, "spent_tokens", "day", "2030-03-18"), 20);
    assert_int_equal(spent(f->db, "spent_pusd", "month", "2030-03"), 12);
    assert_int_equal(spent(f->db, "spent_tokens", "provider", "lab"), 30);
    store_close(store);
}

static void refused_and_other_calls_are_no_unpriced_requests(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = priced(1, INT64_C(1900000000000000), UNKNOWN, UNKNOWN);

    put(store, &r);
    r.id = 2;
    r.response_status = 402;
    put(store, &r);
    r.id = 3;
    r.response_status = 200;
    r.method = STR("GET");
    r.endpoint = STR("/v1/models");
    put(store, &r);
    assert_int_equal(spent(f->db, "unpriced", "provider", "lab"), 1);
    store_close(store);
}

static void sums_stop_at_the_largest_number(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = priced(1, INT64_C(1900000000000000), INT64_MAX - 5, 1);
    struct err err;

    put(store, &r);
    OK(store_begin(store, &err));
    for (r.id = 2; r.id < 5; r.id++)
        put(store, &r);
    OK(store_commit(store, &err));
    assert_int_equal(spent(f->db, "spent_pusd", "provider", "lab"), INT64_MAX);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM requests"), 4);
    store_close(store);
}

static void what_is_undone_leaves_no_sum_and_no_alert(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct budget b = {.limit = {10}, .count = 1, .thresholds = {50}};
    struct record r = priced(1, clock_wall_us(), 9, 1);
    struct err err;
    size_t count;

    OK(store_budget_put(store, BUDGET_DAY, STR_NONE, &b, &err));
    OK(store_begin(store, &err));
    put(store, &r);
    store_rollback(store);
    store_new_alerts(store, &count);
    assert_int_equal(count, 0);
    OK(store_begin(store, &err));
    OK(store_commit(store, &err));
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM budget_sums"), 0);
    put(store, &r);
    assert_int_equal(store_new_alerts(store, &count)->percent, 50);
    assert_int_equal(count, 1);
    store_forget_alerts(store);
    assert_int_equal(alert_count(f->db), 1);
    store_close(store);
}

static void days_that_are_long_over_raise_no_alerts(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct budget b = {.limit = {1}, .count = 1, .thresholds = {100}};
    int64_t now_us = clock_wall_us();
    struct record r = priced(1, now_us - 3 * DAY_US, 9, 1);
    struct err err;

    OK(store_budget_put(store, BUDGET_DAY, STR_NONE, &b, &err));
    put(store, &r);
    assert_int_equal(alert_count(f->db), 0);
    r = priced(2, now_us - DAY_US, 9, 1);
    put(store, &r);
    assert_int_equal(alert_count(f->db), 1);
    r = priced(3, now_us, 9, 1);
    put(store, &r);
    assert_int_equal(alert_count(f->db), 2);
    store_close(store);
}

static void a_budget_that_closes_is_noticed_by_others(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct budget b = {.limit = {10}, .blocks = true};
    struct record r = priced(1, clock_wall_us(), 5, 1);
    int64_t before, after;
    struct err err;

    OK(store_budget_put(store, BUDGET_PROVIDER, STR("lab"), &b, &err));
    OK(store_generation(store, &before, &err));
    put(store, &r);
    OK(store_generation(store, &after, &err));
    assert_int_equal(after, before);
    r.id = 2;
    put(store, &r);
    OK(store_generation(store, &after, &err));
    assert_true(after > before);
    before = after;
    r.id = 3;
    put(store, &r);
    OK(store_generation(store, &after, &err));
    assert_int_equal(after, before);
    store_close(store);
}

/* The migration that makes the table of sums. */
static const char *migration(void)
{
    for (int i = 0; i < SQL_SCHEMA_VERSION; i++)
        if (strstr(sql_migrations[i], "CREATE TABLE budget_sums"))
            return sql_migrations[i];
    fail_msg("no migration makes the sums");
    return NULL;
}

static void a_migration_counts_what_was_spent_before(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r;
    struct run run = {
        .id = 1, .name = STR("r"), .started_us = 1, .ended_us = UNKNOWN, .paused_us = UNKNOWN};
    struct err err;

    OK(store_run_insert(store, &run, &err));
    for (int64_t id = 1; id <= 300; id++) {
        r = priced(id, INT64_C(1900000000000000) + id * DAY_US / 50,
                   id % 7 ? id * 1000001 : UNKNOWN, id);
        r.task_run_id = id % 2 ? 1 : UNKNOWN;
        r.billing_provider_slug = id % 3 ? STR("lab") : STR_NONE;
        put(store, &r);
    }
    store_close(store);
    run_sql(f->db, "CREATE TABLE kept AS SELECT * FROM budget_sums; DROP TABLE budget_sums;"
                   "DROP TABLE budget_passed; DROP INDEX budget_alerts_open;"
                   "DROP INDEX task_runs_budget; DROP TRIGGER task_runs_budget_inserted;"
                   "DROP TRIGGER task_runs_budget_updated;");
    for (int i = 0; i < 3; i++) { /* what the migration drops */
        char sql[200];

        snprintf(sql, sizeof(sql),
                 "CREATE TRIGGER requests_run_%s AFTER DELETE ON requests BEGIN SELECT 1; END",
                 (const char *const[]){"inserted", "deleted", "updated"}[i]);
        run_sql(f->db, sql);
    }
    run_sql(f->db, migration());
    assert_true(query_number(f->db, "SELECT count(*) FROM budget_sums") > 8);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM (SELECT * FROM kept EXCEPT "
                                         "SELECT * FROM budget_sums)"),
                     0);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM (SELECT * FROM budget_sums EXCEPT "
                                         "SELECT * FROM kept)"),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_exactly),
        cmocka_unit_test(products_beyond_64_bits_are_compared_right),
        cmocka_unit_test(days_are_those_of_utc),
        TEST(a_request_counts_for_the_day_it_arrived_in),
        TEST(refused_and_other_calls_are_no_unpriced_requests),
        TEST(sums_stop_at_the_largest_number),
        TEST(what_is_undone_leaves_no_sum_and_no_alert),
        TEST(days_that_are_long_over_raise_no_alerts),
        TEST(a_budget_that_closes_is_noticed_by_others),
        TEST(a_migration_counts_what_was_spent_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
