#include <signal.h>
#include <sys/resource.h>

#include "capture_helpers.h"
#include "daemon/record/analyze.h"
#include "db/db.h"

static struct recorder *start(const char *path, struct recorder_limits limits,
                              const struct recorder_events *events)
{
    struct recorder *r;
    struct err err;

    OK(store_prepare(path, false, &err));
    r = recorder_start(path, &limits, events, &err);
    if (!r)
        fail_msg("%s", err.msg);
    return r;
}

static void record(struct recorder *r, int64_t id, size_t bytes)
{
    struct capture *c = arrived(id, bytes);

    complete(c, bytes);
    recorder_end(r, c);
}

static struct recorder_stats stats_of(struct recorder *r)
{
    struct recorder_stats stats;

    recorder_stats(r, &stats);
    return stats;
}

static int64_t rows_in(const char *path)
{
    return query_number(path, "SELECT count(*) FROM requests");
}

/* ---- the quiet life ---- */

static void a_lone_row_is_there_at_once_and_all_are_after_the_stop(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);

    record(r, 1, 100);
    UNTIL(stats_of(r).rows == 1);
    assert_int_equal(rows_in(f->db), 1);
    for (int64_t id = 2; id <= 2000; id++)
        record(r, id, 100);
    assert_int_equal(recorder_stop(r, 5000), 0);
    assert_int_equal(rows_in(f->db), 2000);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM request_bodies WHERE "
                                         "length(request_body) = 100 AND response_length = 100"),
                     2000);
    assert_int_equal(query_number(f->db, "SELECT count FROM counters WHERE name = 'total'"), 2000);
}

static void a_long_exchange_is_pending_and_then_complete(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    struct capture *c = arrived(9, 50);

    c->record.is_stream = true;
    recorder_begin(r, c);
    UNTIL(stats_of(r).rows == 1);
    assert_int_equal(query_number(f->db, "SELECT completed_us IS NULL AND is_stream FROM requests"),
                     1);
    assert_int_equal(query_number(f->db, "SELECT length(request_body) FROM request_bodies"), 50);
    complete(c, 70);
    recorder_end(r, c);
    assert_int_equal(recorder_stop(r, 5000), 0);
    assert_int_equal(rows_in(f->db), 1);
    assert_int_equal(query_number(f->db, "SELECT response_status FROM requests"), 200);
    assert_int_equal(query_number(f->db, "SELECT length(request_body) FROM request_bodies"), 50);
    assert_int_equal(query_number(f->db, "SELECT length(response_body) FROM request_bodies"), 70);
}

static void rows_of_a_killed_process_are_closed_at_the_start(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record pending = sample(3);
    struct err err;

    pending.completed_us = pending.response_status = UNKNOWN;
    OK(store_record_insert(store, &pending, &err));
    store_close(store);
    recorder_stop(start(f->db, (struct recorder_limits){0}, NULL), 5000);
    assert_int_equal(query_number(f->db, "SELECT completed_us IS NOT NULL AND error LIKE "
                                         "'interrupted: %' FROM requests"),
                     1);
}

struct heard {
    _Atomic int committed, given_up;
};

static void on_stored(void *ctx, struct capture *c, bool committed)
{
    struct heard *heard = ctx;

    assert_int_equal(c->record.response_status, 200);
    atomic_fetch_add(committed ? &heard->committed : &heard->given_up, 1);
}

static void listeners_hear_of_each_complete_row_and_bodies_go(void **state)
{
    const struct folder *f = *state;
    struct heard heard = {0};
    struct recorder *r = start(f->db, (struct recorder_limits){0},
                               &(struct recorder_events){.stored = on_stored, .ctx = &heard});
    struct capture *c = arrived(1, 5000);

    complete(c, 5000);
    recorder_end(r, capture_ref(c));
    record(r, 2, 10);
    recorder_stop(r, 5000);
    assert_int_equal(atomic_load(&heard.committed), 2);
    assert_int_equal(c->request.len, 0);
    assert_true(str_eq(c->record.method, STR("POST")));
    capture_unref(c);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void a_memory_database_is_shared_with_readers(void **state)
{
    struct err err;
    struct recorder *r;
    struct store *reader;
    char *path;
    int64_t last;

    (void)state;
    OK(store_path(STR(":memory:"), &path, &err));
    r = start(path, (struct recorder_limits){.check_ms = 10}, NULL);
    reader = store_open(path, STORE_READ, &err);
    assert_non_null(reader);
    record(r, 5, 3000);
    UNTIL(stats_of(r).rows == 1);
    OK(store_last_id(reader, &last, &err));
    assert_int_equal(last, 5);
    store_close(reader);
    assert_int_equal(recorder_stop(r, 1000), 0);
    free(path);
}

/* ---- trouble ---- */

static void a_locked_database_costs_nothing_once_the_lock_is_gone(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    struct err err;
    struct db *other = db_open(f->db, DB_WRITE, &err);
    int64_t slowest = 0;

    OK(db_begin(other, &err));
    for (int64_t id = 1; id <= 1500; id++) {
        int64_t before = clock_now_us();

        record(r, id, 200);
        slowest = clock_now_us() - before > slowest ? clock_now_us() - before : slowest;
    }
    UNTIL(stats_of(r).lag_ms >= 1200);
    assert_int_equal(stats_of(r).queue_depth, 1500);
    assert_true(stats_of(r).degraded);
    assert_false(recorder_pressed(r)); /* a stuck database slows nobody */
    assert_true(slowest < 1000000);
    db_rollback(other);
    UNTIL(stats_of(r).rows == 1500);
    assert_int_equal(recorder_stop(r, 5000), 0);
    assert_int_equal(rows_in(f->db), 1500);
    db_close(other);
}

static void stopping_gives_up_on_a_locked_database_after_the_drain_time(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    struct err err;
    struct db *other = db_open(f->db, DB_WRITE, &err);
    int64_t before;

    OK(db_begin(other, &err));
    for (int64_t id = 1; id <= 700; id++)
        record(r, id, 10);
    before = clock_now_us();
    assert_int_equal(recorder_stop(r, 200), 700);
    assert_true(clock_now_us() - before >= 200000);
    assert_true(clock_now_us() - before < 5000000);
    db_rollback(other);
    db_close(other);
}

static void a_full_queue_sheds_and_loses_and_counts(void **state)
{
    const struct folder *f = *state;
    struct recorder_limits limits = {.queue_limit = 64, .queue_limit_bytes = 10000};
    struct recorder *r = start(f->db, limits, NULL);
    struct err err;
    struct db *other = db_open(f->db, DB_WRITE, &err);
    struct recorder_stats stats;

    OK(db_begin(other, &err));
    for (int64_t id = 1; id <= 100; id++)
        record(r, id, 200); /* 400 bytes */
    stats = stats_of(r);
    assert_int_equal(stats.queue_depth, 64);
    assert_true(stats.queue_bytes <= 10000);
    assert_int_equal(stats.lost_events, 36);
    db_rollback(other);
    db_close(other);
    UNTIL(stats_of(r).rows == 64);
    assert_int_equal(recorder_stop(r, 5000), 36);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM request_bodies WHERE request_body "
                                         "IS NOT NULL"),
                     25);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM requests WHERE "
                                         "request_body_truncated AND response_body_truncated"),
                     39);
}

static void a_poison_row_costs_one_row(void **state)
{
    const struct folder *f = *state;
    struct heard heard = {0};
    struct recorder *r = start(f->db, (struct recorder_limits){0},
                               &(struct recorder_events){.stored = on_stored, .ctx = &heard});
    struct err err;
    struct db *other = db_open(f->db, DB_WRITE, &err);

    OK(db_begin(other, &err)); /* so that all of them are one batch */
    for (int64_t id = 1; id <= 100; id++)
        record(r, id == 50 ? 49 : id, 20); /* an id that exists is refused */
    db_rollback(other);
    db_close(other);
    UNTIL(stats_of(r).rows == 99);
    assert_int_equal(recorder_stop(r, 5000), 1);
    assert_int_equal(rows_in(f->db), 99);
    assert_int_equal(atomic_load(&heard.committed), 99);
    assert_int_equal(atomic_load(&heard.given_up), 1);
    assert_int_equal(query_number(f->db, "SELECT count FROM counters WHERE name = 'total'"), 99);
}

static void a_poison_row_loses_its_completion_too(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    struct capture *c = arrived(1, 20);

    record(r, 1, 10);
    UNTIL(stats_of(r).rows == 1);
    recorder_begin(r, c);
    UNTIL(stats_of(r).lost_events == 1);
    complete(c, 20);
    recorder_end(r, c);
    assert_int_equal(recorder_stop(r, 5000), 2);
    assert_int_equal(query_number(f->db, "SELECT response_length FROM request_bodies"), 10);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_loses_and_counts_and_heals_by_itself(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    struct recorder_stats stats;
    int64_t id = 0, stored;

    signal(SIGXFSZ, SIG_IGN);
    record(r, ++id, 100);
    UNTIL(stats_of(r).rows == 1);
    limit_file_size(200000);
    while (stats_of(r).lost_events == 0) {
        record(r, ++id, 20000);
        nap();
    }
    stats = stats_of(r);
    assert_true(stats.degraded);
    assert_true(stats.last_error[0]);
    limit_file_size(RLIM_INFINITY);
    stored = stats_of(r).rows;
    record(r, ++id, 100);
    UNTIL(stats_of(r).rows > stored);
    UNTIL(stats_of(r).queue_depth == 0);
    stats = stats_of(r);
    assert_int_equal(stats.rows + stats.lost_events, id);
    assert_true(stats.degraded); /* for a minute after */
    assert_int_equal(recorder_stop(r, 5000), stats.lost_events);
    assert_int_equal(rows_in(f->db), stats.rows);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM pragma_integrity_check "
                                         "WHERE integrity_check = 'ok'"),
                     1);
}

static void a_row_that_began_on_a_full_disk_is_stored_when_it_ends(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    struct capture *c = arrived(1, 100);

    signal(SIGXFSZ, SIG_IGN);
    record(r, 7, 10);
    UNTIL(stats_of(r).rows == 1);
    limit_file_size(4096);
    recorder_begin(r, c);
    UNTIL(stats_of(r).lost_events == 1);
    limit_file_size(RLIM_INFINITY);
    complete(c, 100);
    recorder_end(r, c);
    assert_int_equal(recorder_stop(r, 5000), 1);
    assert_int_equal(query_number(f->db, "SELECT response_status FROM requests WHERE id = 1"), 200);
}

static void a_deleted_file_is_made_anew(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){.check_ms = 20}, NULL);
    struct capture *c = arrived(500, 10);
    struct stat st;
    int64_t id = 0;

    for (int i = 0; i < 300; i++)
        record(r, ++id, 3000);
    recorder_begin(r, c);
    UNTIL(stats_of(r).rows == 301);
    assert_int_equal(unlink(f->db), 0);
    UNTIL(stat(f->db, &st) == 0 && query_number(f->db, "PRAGMA user_version") > 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    complete(c, 10);
    recorder_end(r, c); /* its pending row went with the file */
    UNTIL(stats_of(r).queue_depth == 0);
    assert_int_equal(recorder_stop(r, 5000), 0);
    assert_int_equal(rows_in(f->db), 1);
    assert_int_equal(query_number(f->db, "SELECT id FROM requests WHERE response_status = 200"),
                     500);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM pragma_integrity_check "
                                         "WHERE integrity_check = 'ok'"),
                     1);
}

static void a_folder_that_is_gone_degrades_and_comes_back(void **state)
{
    const struct folder *f = *state;
    char folder[128], path[160], gone[160];
    struct recorder *r;
    int64_t rows;

    snprintf(folder, sizeof(folder), "%s/sub", f->path);
    snprintf(gone, sizeof(gone), "%s/file", f->path);
    snprintf(path, sizeof(path), "%s/x.db", folder);
    r = start(path, (struct recorder_limits){.check_ms = 20}, NULL);
    record(r, 1, 10);
    UNTIL(stats_of(r).rows == 1);
    assert_int_equal(rename(folder, gone), 0);
    fclose(fopen(folder, "w")); /* a file in its place: it cannot be made anew */
    UNTIL(stats_of(r).degraded);
    record(r, 2, 10);
    UNTIL(stats_of(r).lost_events == 1);
    assert_int_equal(unlink(folder), 0);
    rows = stats_of(r).rows;
    record(r, 3, 10);
    UNTIL(stats_of(r).rows == rows + 1);
    assert_int_equal(recorder_stop(r, 5000), 1);
    assert_int_equal(query_number(path, "SELECT id FROM requests"), 3);
}

static void the_log_is_copied_back_while_idle(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){.check_ms = 20}, NULL);
    struct stat before, now;

    assert_int_equal(stat(f->db, &before), 0);
    for (int64_t id = 1; id <= 200; id++)
        record(r, id, 2000);
    UNTIL(stats_of(r).rows == 200);
    UNTIL(stat(f->db, &now) == 0 && now.st_size > before.st_size + 200000);
    recorder_stop(r, 5000);
}

/* ---- jobs, pressure, threads ---- */

struct counting_job {
    struct recorder_job job;
    _Atomic int64_t last;
};

static void read_last(struct recorder_job *job, struct store *store)
{
    struct counting_job *j = LIST_ENTRY(&job->node, struct counting_job, job.node);
    struct err err;
    int64_t last = -1;

    if (store)
        OK(store_last_id(store, &last, &err));
    atomic_store(&j->last, last);
}

static void jobs_run_on_the_writer_between_batches(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    struct counting_job job = {.job = {.run = read_last}, .last = -7};

    record(r, 77, 10);
    UNTIL(stats_of(r).rows == 1);
    assert_true(recorder_submit(r, &job.job));
    UNTIL(atomic_load(&job.last) == 77);
    recorder_stop(r, 1000);
}

static void pressure_shows_while_the_writer_is_behind(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    bool pressed = false;

    assert_false(recorder_pressed(r));
    for (int64_t id = 1; id <= 8000 && !pressed; id++) {
        record(r, id, 2000);
        pressed = recorder_pressed(r);
    }
    assert_true(pressed);
    UNTIL(!recorder_pressed(r));
    assert_int_equal(recorder_stop(r, 10000), 0);
}

struct loop {
    struct recorder *recorder;
    int64_t first;
};

#define LOOP_ROWS 400

static void *loop_main(void *arg)
{
    struct loop *loop = arg;

    for (int64_t i = 0; i < LOOP_ROWS; i++) {
        struct capture *c = arrived(loop->first + i, 100);

        if (i % 3)
            recorder_begin(loop->recorder, c);
        if (i % 16 == 0)
            nap();
        c->record.has_tool_calls = true;
        complete(c, 3000);
        recorder_end(loop->recorder, c);
    }
    return NULL;
}

static void several_loops_record_at_once(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){.check_ms = 5}, NULL);
    struct loop loops[3];
    pthread_t threads[3];

    for (int i = 0; i < 3; i++) {
        loops[i] = (struct loop){r, 1 + i * 1000};
        assert_int_equal(pthread_create(&threads[i], NULL, loop_main, &loops[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(recorder_stop(r, 10000), 0);
    assert_int_equal(rows_in(f->db), 3 * LOOP_ROWS);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM requests WHERE completed_us IS NULL "
                                         "OR NOT has_tool_calls"),
                     0);
}

static void starting_on_what_is_no_database_fails_with_a_reason(void **state)
{
    const struct folder *f = *state;
    struct err err;

    assert_null(recorder_start(f->db, &(struct recorder_limits){0}, NULL, &err));
    assert_non_null(strstr(err.msg, f->db));
}

/* ---- analyze ---- */

static struct capture *answered(int64_t status, const char *type, struct str body)
{
    struct capture *c = arrived(1, 10);
    struct err err;

    complete(c, 0);
    c->record.response_status = status;
    c->record.response_content_type = str_c(type);
    OK(blob_add(&c->response, body, &err));
    return c;
}

static void finds(struct capture *c, const char *type, const char *message)
{
    analyze(c, NULL);
    if (!str_eq(c->record.upstream_error_type, str_c(type)) ||
        !str_eq(c->record.upstream_error_message, str_c(message)))
        fail_msg("%.*s: %.*s", STR_ARG(c->record.upstream_error_type),
                 STR_ARG(c->record.upstream_error_message));
    capture_unref(c);
}

static void errors_in_answers_become_columns(void **state)
{
    static const char json[] = "application/json";
    const struct str limit = STR("{\"error\":{\"type\":\"rate_limit\",\"message\":\"slow down\"}}");
    struct capture *c;

    (void)state;
    finds(answered(429, json, limit), "rate_limit", "slow down");
    finds(answered(200, json, limit), "rate_limit", "slow down");
    finds(answered(200, json, STR("{\"error\":null,\"id\":\"x\"}")), NULL, NULL);
    finds(answered(500, "text/plain", STR("upstream is down")), NULL, "upstream is down");
    finds(answered(200, "text/plain", STR("the \"error\" is fine")), NULL, NULL);
    finds(answered(200, json, STR("{\"ok\":1}")), NULL, NULL);
    c = answered(200, "text/event-stream", STR("data: {\"error\":1}\n\n"));
    c->error_event = limit;
    finds(c, "rate_limit", "slow down");
    c = answered(502, json, limit); /* an answer of our own */
    c->record.error = STR("connection refused");
    finds(c, NULL, NULL);
    c = arrived(1, 1);
    finds(c, NULL, NULL);
}

static void answers_become_columns(void **state)
{
    static const char body[] = "{\"id\":\"i\",\"model\":\"n\",\"usage\":{\"prompt_tokens\":3,"
                               "\"completion_tokens\":4,\"total_tokens\":9}}";
    struct capture *c = answered(200, "application/json", STR(body));

    (void)state;
    c->record.upstream_headers_ms = 1;
    c->record.response_bytes = (int64_t)sizeof(body) - 1;
    analyze(c, NULL);
    assert_int_equal(c->record.billing_input_tokens, 3);
    assert_int_equal(c->record.billing_total_tokens, 9);
    assert_true(c->record.billing_reasoning_tokens == UNKNOWN);
    assert_true(str_eq(c->record.response_model, STR("n")));
    assert_int_equal(c->record.tool_call_count, 0);
    capture_unref(c);
    c = answered(200, "application/json", STR(body)); /* Google counts thinking in the total */
    c->record.upstream_headers_ms = 1;
    c->record.response_bytes = (int64_t)sizeof(body) - 1;
    c->record.upstream_url = STR("https://generativelanguage.googleapis.com/v1beta/openai/chat");
    analyze(c, NULL);
    assert_int_equal(c->record.billing_reasoning_tokens, 2);
    capture_unref(c);
}

static void answers_that_are_not_read_leave_columns_unknown(void **state)
{
    static const char body[] = "{\"usage\":{\"prompt_tokens\":3}}";

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct capture *c = answered(200, "application/json", STR(body));

        c->record.upstream_headers_ms = i == 0 ? UNKNOWN : 1;            /* an answer of our own */
        c->record.response_bytes = (int64_t)sizeof(body) - 1 + (i == 1); /* not all of it */
        if (i == 2)
            c->inspect_max = 10;
        if (i == 3)
            c->record.method = STR("GET");
        analyze(c, NULL);
        assert_true(c->record.billing_input_tokens == UNKNOWN);
        capture_unref(c);
    }
}

static void images_are_stored_with_the_row(void **state)
{
    const struct folder *f = *state;
    struct recorder *r = start(f->db, (struct recorder_limits){0}, NULL);
    struct capture *c;
    struct err err;

    for (int64_t id = 1; id <= 2; id++) {
        c = arrived(id, 0);
        OK(blob_add(&c->request, STR("{\"image_url\":\"data:image/png;base64,AAAA\"}"), &err));
        c->record.has_images = true;
        c->record.request_body_truncated = id == 2;
        if (id == 1)
            recorder_begin(r, c);
        complete(c, 10);
        recorder_end(r, c);
    }
    assert_int_equal(recorder_stop(r, 5000), 0);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM image_assets WHERE source = "
                                         "'data:image/png;base64,' AND mime_type = 'image/png'"),
                     2);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM image_assets WHERE request_id = 2 "
                                         "AND data_base64 = 'AAAA'"),
                     1);
    assert_int_equal(query_number(f->db, "SELECT count(data_base64) FROM image_assets"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lone_row_is_there_at_once_and_all_are_after_the_stop),
        TEST(a_long_exchange_is_pending_and_then_complete),
        TEST(rows_of_a_killed_process_are_closed_at_the_start),
        TEST(listeners_hear_of_each_complete_row_and_bodies_go),
        TEST(a_memory_database_is_shared_with_readers),
        TEST(a_locked_database_costs_nothing_once_the_lock_is_gone),
        TEST(stopping_gives_up_on_a_locked_database_after_the_drain_time),
        TEST(a_full_queue_sheds_and_loses_and_counts),
        TEST(a_poison_row_costs_one_row),
        TEST(a_poison_row_loses_its_completion_too),
        TEST(a_full_disk_loses_and_counts_and_heals_by_itself),
        TEST(a_row_that_began_on_a_full_disk_is_stored_when_it_ends),
        TEST(a_deleted_file_is_made_anew),
        TEST(a_folder_that_is_gone_degrades_and_comes_back),
        TEST(the_log_is_copied_back_while_idle),
        TEST(jobs_run_on_the_writer_between_batches),
        TEST(pressure_shows_while_the_writer_is_behind),
        TEST(several_loops_record_at_once),
        TEST(starting_on_what_is_no_database_fails_with_a_reason),
        TEST(errors_in_answers_become_columns),
        TEST(answers_become_columns),
        TEST(answers_that_are_not_read_leave_columns_unknown),
        TEST(images_are_stored_with_the_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
