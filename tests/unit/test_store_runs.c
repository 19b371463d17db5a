/* Runs: their life and what their requests come to. */
#include "store_helpers.h"

#include "core/run.h"

static struct run named(int64_t id, const char *name, int64_t at_us)
{
    return (struct run){.id = id,
                        .name = str_c(name),
                        .started_us = at_us,
                        .ended_us = UNKNOWN,
                        .paused_us = UNKNOWN};
}

static void start_run(struct store *store, int64_t id, int64_t at_us)
{
    struct run run = named(id, "bench", at_us);
    struct err err;

    OK(store_run_start(store, &run, &err));
}

static enum run_state state_of(struct store *store, int64_t id)
{
    struct arena arena = {0};
    struct run run = {0};
    struct err err;

    OK(store_run_get(store, id, &arena, &run, &err));
    arena_clear(&arena);
    return run_state(&run);
}

static void a_new_run_ends_the_active_one_and_leaves_paused_ones(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct err err;
    int64_t id;

    start_run(store, 1, 1000);
    OK(store_run_pause_active(store, 2000, &id, &err));
    assert_int_equal(id, 1);
    start_run(store, 2, 3000);
    start_run(store, 3, 4000);
    assert_int_equal(state_of(store, 1), RUN_PAUSED);
    assert_int_equal(state_of(store, 2), RUN_COMPLETE);
    assert_int_equal(state_of(store, 3), RUN_ACTIVE);
    assert_int_equal(query_number(f->db, "SELECT ended_us FROM task_runs WHERE id = 2"), 4000);
    store_close(store);
}

static void resuming_pauses_the_active_run(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct err err;
    int64_t id;

    start_run(store, 1, 1000);
    OK(store_run_pause_active(store, 2000, &id, &err));
    start_run(store, 2, 3000);
    OK(store_run_resume(store, 1, 4000, &err));
    assert_int_equal(state_of(store, 1), RUN_ACTIVE);
    assert_int_equal(state_of(store, 2), RUN_PAUSED);
    OK(store_run_resume(store, 1, 5000, &err)); /* no effect */
    assert_int_equal(state_of(store, 1), RUN_ACTIVE);
    store_close(store);
}

static void what_cannot_be_done_to_a_run_says_why(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct err err;
    int64_t id = 7;

    OK(store_run_end_active(store, 1000, &id, &err));
    assert_int_equal(id, UNKNOWN);
    assert_int_equal(store_run_resume(store, 5, 1000, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.msg, "Run not found.");
    start_run(store, 1, 1000);
    OK(store_run_end(store, 1, 2000, &err));
    assert_int_equal(store_run_resume(store, 1, 3000, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(store_run_end(store, 1, 3000, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(query_number(f->db, "SELECT ended_us FROM task_runs"), 2000);
    store_close(store);
}

static void a_paused_run_can_be_ended(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct err err;
    int64_t id;

    start_run(store, 1, 1000);
    OK(store_run_pause_active(store, 2000, &id, &err));
    OK(store_run_end(store, 1, 3000, &err));
    assert_int_equal(state_of(store, 1), RUN_COMPLETE);
    store_close(store);
}

static void a_run_without_requests_knows_nothing(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct arena arena = {0};
    struct run_sums sums = {0};
    struct run run = {0};
    struct err err;

    start_run(store, 1, 1000);
    OK(store_run_sums(store, 1, &arena, &run, &sums, &err));
    assert_int_equal(run.request_count, 0);
    assert_int_equal(run_wall_ms(&sums), UNKNOWN);
    assert_int_equal(run_known(sums.total_tokens, sums.total_known), UNKNOWN);
    assert_int_equal(sums.last_created_us, UNKNOWN);
    assert_int_equal(store_run_sums(store, 2, &arena, &run, &sums, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    arena_clear(&arena);
    store_close(store);
}

/* ---- sums and groups against what the table says ---- */

static struct record varied(int64_t id, unsigned seed)
{
    static const char *const models[] = {"a", "b", "c"};
    struct record r = sample(id);

    r.task_run_id = seed % 4 == 0 ? UNKNOWN : (int64_t)(1 + seed % 3);
    r.model = seed % 7 == 0 ? STR_NONE : str_c(models[seed % 3]);
    r.is_stream = seed % 2;
    r.has_images = seed % 5 == 0;
    r.has_tool_calls = seed % 6 == 0;
    r.duration_ms = seed % 11 == 0 ? UNKNOWN : (int64_t)(seed % 997);
    r.ttft_ms = r.is_stream ? (int64_t)(seed % 89) : UNKNOWN;
    r.response_status = seed % 8 == 0 ? 500 : seed % 9 == 0 ? UNKNOWN : 200;
    r.error = seed % 13 == 0 ? STR("broken") : STR_NONE;
    r.upstream_error_message = seed % 17 == 0 ? STR("busy") : STR_NONE;
    r.completed_us = r.created_us + (int64_t)(seed % 5000000);
    r.billing_input_tokens = seed % 3 ? (int64_t)(seed % 1000) : UNKNOWN;
    r.billing_output_tokens = seed % 3 ? (int64_t)(seed % 100) : UNKNOWN;
    r.billing_total_tokens = seed % 3 ? (int64_t)(seed % 1100) : UNKNOWN;
    r.billing_total_cost_pusd = seed % 10 < 4 ? (int64_t)seed * 1000 : UNKNOWN;
    return r;
}

static void write_some(struct store *store, int64_t count)
{
    unsigned seed = 1;
    struct err err;

    OK(store_begin(store, &err));
    for (int64_t id = 1; id <= count; id++) {
        struct record r;

        seed = seed * 1103515245u + 12345u;
        r = varied(id, seed >> 8);
        if (seed % 2) { /* as a pending row first */
            struct record pending = sample(id);

            pending.task_run_id = r.task_run_id;
            pending.model = r.model;
            pending.has_images = r.has_images;
            pending.completed_us = pending.duration_ms = pending.response_status = UNKNOWN;
            OK(store_record_insert(store, &pending, &err));
            OK(store_record_complete(store, &r, &err));
        } else {
            OK(store_record_insert(store, &r, &err));
        }
    }
    OK(store_commit(store, &err));
}

#define DIFFERS(column, expression)                                                                \
    "SELECT count(*) FROM run_sums s WHERE s." column " IS NOT (SELECT " expression                \
    " FROM requests r WHERE r.task_run_id = s.run_id)"

static void check_sums(const char *path)
{
    static const char *const differences[] = {
        DIFFERS("requests", "count(*)"),
        DIFFERS("successes", "count(*) FILTER (WHERE response_status BETWEEN 200 AND 399)"),
        DIFFERS("errors", "count(*) FILTER (WHERE error IS NOT NULL OR response_status < 200 "
                          "OR response_status >= 400 OR upstream_error_message IS NOT NULL)"),
        DIFFERS("pending", "count(*) - count(response_status)"),
        DIFFERS("streams", "total(is_stream)"),
        DIFFERS("images", "total(has_images)"),
        DIFFERS("tools", "total(has_tool_calls)"),
        DIFFERS("unpriced", "count(completed_us) FILTER (WHERE billing_total_cost_pusd IS NULL)"),
        DIFFERS("durations", "count(duration_ms)"),
        DIFFERS("duration_ms", "coalesce(sum(duration_ms), 0)"),
        DIFFERS("ttfts", "count(ttft_ms)"),
        DIFFERS("input_known", "count(billing_input_tokens)"),
        DIFFERS("input_tokens", "coalesce(sum(billing_input_tokens), 0)"),
        DIFFERS("output_tokens", "coalesce(sum(billing_output_tokens), 0)"),
        DIFFERS("total_tokens", "coalesce(sum(billing_total_tokens), 0)"),
        DIFFERS("costs", "count(billing_total_cost_pusd)"),
        DIFFERS("cost_pusd", "coalesce(sum(billing_total_cost_pusd), 0)"),
        DIFFERS("completed_us", "max(completed_us)"),
    };

    for (size_t i = 0; i < sizeof(differences) / sizeof(*differences); i++) {
        if (query_number(path, differences[i]) != 0)
            fail_msg("a sum is wrong: %s", differences[i]);
    }
}

#define GROUPS_DIFFER(kind, expression)                                                            \
    "SELECT count(*) FROM (SELECT task_run_id run, " expression " label, count(*) n "              \
    "FROM requests WHERE task_run_id IS NOT NULL GROUP BY 1, 2) t LEFT JOIN facets f "             \
    "ON f.kind = '" kind "' AND f.value = t.run AND f.label = t.label WHERE f.count IS NOT t.n"
#define GROUPS_TOTAL(kind)                                                                         \
    "SELECT (SELECT total(count) FROM facets WHERE kind = '" kind                                  \
    "') - (SELECT count(task_run_id) FROM requests)"

static void check_groups(const char *path)
{
    assert_int_equal(query_number(path, GROUPS_DIFFER("run_model", "coalesce(model, '')")), 0);
    assert_int_equal(query_number(path, GROUPS_DIFFER("run_endpoint", "endpoint")), 0);
    assert_int_equal(
        query_number(path, GROUPS_DIFFER("run_status", "coalesce(response_status, '')")), 0);
    assert_int_equal(query_number(path, GROUPS_TOTAL("run_model")), 0);
    assert_int_equal(query_number(path, GROUPS_TOTAL("run_status")), 0);
}

static void sums_and_groups_are_what_the_requests_come_to(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct err err;

    start_run(store, 1, 1000);
    start_run(store, 2, 2000);
    start_run(store, 3, 3000);
    write_some(store, 2000);
    assert_true(query_number(f->db, "SELECT min(requests) FROM run_sums") > 300);
    check_sums(f->db);
    check_groups(f->db);
    for (int round = 0; round < 5; round++) { /* the last one takes what is left */
        int64_t deleted;

        OK(store_trim(store, round < 4 ? sample(300 * (round + 1)).created_us : INT64_MAX, 5000,
                      INT64_MAX / 2, &deleted, &err));
        assert_true(deleted >= 299);
        check_sums(f->db);
        check_groups(f->db);
    }
    assert_int_equal(query_number(f->db, "SELECT total(requests) FROM run_sums"), 0);
    store_close(store);
}

static void rows_that_a_dead_process_left_are_closed_in_the_sums_too(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    int64_t closed;
    struct err err;

    start_run(store, 1, 1000);
    for (int64_t id = 1; id <= 9; id++) {
        struct record r = sample(id);

        r.task_run_id = id % 2 ? 1 : UNKNOWN;
        r.is_stream = id % 3 == 0;
        r.completed_us = r.duration_ms = r.response_status = UNKNOWN;
        OK(store_record_insert(store, &r, &err));
    }
    check_sums(f->db);
    OK(store_close_pending(store, INT64_C(1900000001000000), &closed, &err));
    assert_int_equal(closed, 9);
    check_sums(f->db);
    assert_int_equal(query_number(f->db, "SELECT errors FROM run_sums"), 5);
    store_close(store);
}

static void a_sum_that_is_too_large_costs_no_row(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct arena arena = {0};
    struct run_sums sums;
    struct run run;
    struct err err;

    start_run(store, 1, 1000);
    for (int64_t id = 1; id <= 3; id++) {
        struct record r = sample(id);

        r.task_run_id = 1;
        r.billing_total_cost_pusd = INT64_MAX;
        r.billing_total_tokens = INT64_MAX;
        OK(store_record_insert(store, &r, &err));
    }
    OK(store_run_sums(store, 1, &arena, &run, &sums, &err));
    assert_int_equal(sums.requests, 3);
    assert_int_equal(run_cost(&sums), UNKNOWN);
    arena_clear(&arena);
    store_close(store);
}

static void what_is_undone_changes_no_sum(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = sample(1);
    struct err err;

    start_run(store, 1, 1000);
    r.task_run_id = 1;
    OK(store_begin(store, &err));
    OK(store_record_insert(store, &r, &err));
    store_rollback(store);
    OK(store_record_insert(store, &r, &err));
    check_sums(f->db);
    store_close(store);
}

static void percentiles_are_of_the_nearest_rank(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct run_percentiles p;
    struct err err;

    start_run(store, 1, 1000);
    for (int64_t id = 1; id <= 200; id++) {
        struct record r = sample(id);

        r.task_run_id = 1;
        r.duration_ms = 201 - id; /* 1..200 */
        OK(store_record_insert(store, &r, &err));
    }
    OK(store_run_percentiles(store, 1, RUN_DURATION, 200, &p, &err));
    assert_int_equal(p.p50, 100);
    assert_int_equal(p.p95, 190);
    assert_int_equal(p.p99, 198);
    assert_int_equal(p.max, 200);
    OK(store_run_percentiles(store, 1, RUN_TTFT, 0, &p, &err));
    assert_int_equal(p.p50, UNKNOWN);
    store_close(store);
}

static void a_request_of_a_run_that_is_not_there_is_stored_without_it(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = sample(1);
    struct err err;

    r.task_run_id = 99;
    OK(store_record_insert(store, &r, &err));
    assert_int_equal(query_number(f->db, "SELECT task_run_id IS NULL FROM requests"), 1);
    store_close(store);
}

static void a_name_is_trimmed_and_must_not_be_blank(void **state)
{
    struct str name = STR("  a b \n"), notes = STR(" \t "), blank = STR("  ");
    char text[300], wide[RUN_NAME_MAX * 4 + 1];
    struct str longer = {text, RUN_NAME_MAX + 1};
    struct err err;

    (void)state;
    memset(text, 'x', sizeof(text));
    OK(run_check(&name, &notes, &err));
    assert_true(str_eq(name, STR("a b")));
    assert_null(notes.ptr);
    assert_int_equal(run_check(&blank, &notes, &err), -1);
    assert_string_equal(err.msg, "Run name is required.");
    assert_int_equal(run_check(&longer, &notes, &err), -1);
    longer.len--;
    OK(run_check(&longer, &notes, &err));
    for (size_t i = 0; i < RUN_NAME_MAX; i++)
        memcpy(wide + i * 2, "\xc3\xa9", 2);
    longer = (struct str){wide, RUN_NAME_MAX * 2};
    OK(run_check(&longer, &notes, &err));
    memset(wide, '\x80', sizeof(wide));
    longer = (struct str){wide, sizeof(wide)};
    assert_int_equal(run_check(&longer, &notes, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_run_ends_the_active_one_and_leaves_paused_ones),
        TEST(resuming_pauses_the_active_run),
        TEST(what_cannot_be_done_to_a_run_says_why),
        TEST(a_paused_run_can_be_ended),
        TEST(a_run_without_requests_knows_nothing),
        TEST(sums_and_groups_are_what_the_requests_come_to),
        TEST(rows_that_a_dead_process_left_are_closed_in_the_sums_too),
        TEST(a_sum_that_is_too_large_costs_no_row),
        TEST(what_is_undone_changes_no_sum),
        TEST(percentiles_are_of_the_nearest_rank),
        TEST(a_request_of_a_run_that_is_not_there_is_stored_without_it),
        cmocka_unit_test(a_name_is_trimmed_and_must_not_be_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
