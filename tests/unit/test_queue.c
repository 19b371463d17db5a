#include "capture_helpers.h"

static void make(struct queue *q, size_t limit, size_t limit_bytes)
{
    struct err err;

    OK(queue_init(q, limit, limit_bytes, &err));
}

static struct recorder_stats stats_of(struct queue *q)
{
    struct recorder_stats stats = {0};

    queue_stats(q, &stats);
    return stats;
}

static size_t take(struct queue *q, struct op *ops, size_t max)
{
    return queue_take(q, ops, max, 0, 0);
}

static void release(struct queue *q, struct op *ops, size_t count)
{
    queue_done(q, ops, count);
    for (size_t i = 0; i < count; i++)
        capture_unref(ops[i].capture);
}

/* recorder_end() of a capture whose texts the test wants to see afterwards. */
static void end(struct queue *q, struct capture *c)
{
    complete(c, 10);
    queue_end(q, c);
}

static void operations_come_in_order_and_keep_it_around_the_ring(void **state)
{
    struct queue q;
    struct op ops[8];
    int64_t pushed = 0, taken = 0;

    (void)state;
    make(&q, 5, 1 << 20);
    while (taken < 40) {
        size_t n;

        while (stats_of(&q).queue_depth < 5)
            end(&q, arrived(++pushed, 10));
        n = take(&q, ops, 3);
        assert_int_equal(n, 3);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(ops[i].capture->record.id, ++taken);
            assert_int_equal(ops[i].kind, OP_END);
        }
        release(&q, ops, n);
    }
    assert_int_equal(stats_of(&q).lost_events, 0);
    queue_clear(&q);
}

static void a_waiting_row_becomes_complete_in_its_place(void **state)
{
    struct queue q;
    struct capture *a = arrived(1, 10), *b = arrived(2, 10);
    struct op ops[4];

    (void)state;
    make(&q, 16, 1 << 20);
    queue_begin(&q, a);
    queue_begin(&q, b);
    assert_int_equal(stats_of(&q).queue_bytes, 20);
    end(&q, a);
    assert_int_equal(stats_of(&q).queue_depth, 2);
    assert_int_equal(stats_of(&q).queue_bytes, 30);
    assert_int_equal(take(&q, ops, 4), 2);
    assert_int_equal(ops[0].kind, OP_END);
    assert_int_equal(ops[0].capture->record.id, 1);
    assert_int_equal(ops[1].kind, OP_BEGIN);
    end(&q, b); /* too late for that: an operation of its own */
    assert_int_equal(stats_of(&q).queue_depth, 3);
    release(&q, ops, 2);
    assert_int_equal(take(&q, ops, 4), 1);
    assert_int_equal(ops[0].kind, OP_END);
    release(&q, ops, 1);
    assert_int_equal(stats_of(&q).queue_bytes, 0);
    assert_int_equal(stats_of(&q).queue_depth, 0);
    queue_clear(&q);
}

static void bodies_are_shed_before_anything_is_lost(void **state)
{
    struct queue q;
    struct op ops[64];
    struct recorder_stats stats;
    size_t n;

    (void)state;
    make(&q, 64, 1000);
    for (int64_t id = 1; id <= 20; id++)
        end(&q, arrived(id, 90)); /* 100 bytes each */
    stats = stats_of(&q);
    assert_int_equal(stats.queue_bytes, 1000);
    assert_int_equal(stats.shed_bodies, 10);
    assert_int_equal(stats.lost_events, 0);
    n = take(&q, ops, 64);
    assert_int_equal(n, 20);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ops[i].shed, i >= 10);
        assert_int_equal(ops[i].capture->request.len, i >= 10 ? 0 : 90);
    }
    release(&q, ops, n);
    queue_clear(&q);
}

static void the_body_a_loop_still_sends_is_not_released(void **state)
{
    struct queue q;
    struct capture *c = arrived(1, 90);
    struct op ops[4];

    (void)state;
    make(&q, 64, 50);
    queue_begin(&q, c);
    assert_int_equal(c->request.len, 90);
    assert_int_equal(take(&q, ops, 4), 1);
    assert_true(ops[0].shed);
    complete(c, 10);
    queue_end(&q, capture_ref(c));
    assert_int_equal(c->request.len, 90); /* the writer has it at hand */
    assert_int_equal(c->response.len, 0);
    release(&q, ops, 1);
    assert_int_equal(take(&q, ops, 4), 1);
    assert_true(ops[0].shed);
    release(&q, ops, 1);
    capture_unref(c);
    assert_int_equal(stats_of(&q).shed_bodies, 1);
    queue_clear(&q);
}

static void completions_are_lost_before_new_rows(void **state)
{
    struct queue q;
    struct capture *begun = arrived(1, 1);
    struct op ops[64];
    size_t n;

    (void)state;
    make(&q, 32, 1 << 20);
    queue_begin(&q, begun);
    n = take(&q, ops, 64);
    release(&q, ops, n);
    for (int64_t id = 2; id <= 31; id++)
        end(&q, arrived(id, 1));
    assert_int_equal(stats_of(&q).queue_depth, 30);
    end(&q, begun);
    assert_int_equal(stats_of(&q).lost_events, 1);
    end(&q, arrived(40, 1));
    queue_begin(&q, begun = arrived(41, 1));
    assert_int_equal(stats_of(&q).lost_events, 1);
    assert_int_equal(stats_of(&q).queue_depth, 32);
    end(&q, begun); /* needs no room */
    assert_int_equal(stats_of(&q).lost_events, 1);
    end(&q, arrived(42, 1));
    begun = arrived(43, 1);
    queue_begin(&q, begun);
    assert_int_equal(begun->place, CAPTURE_NOWHERE);
    capture_unref(begun);
    assert_int_equal(stats_of(&q).lost_events, 3);
    assert_int_equal(stats_of(&q).queue_depth, 32);
    queue_clear(&q);
}

static void a_row_whose_begin_was_lost_can_still_come_complete(void **state)
{
    struct queue q;
    struct capture *c = arrived(2, 1);
    struct op ops[2];

    (void)state;
    make(&q, 1, 1 << 20);
    end(&q, arrived(1, 1));
    queue_begin(&q, c);
    assert_int_equal(stats_of(&q).lost_events, 1);
    assert_int_equal(take(&q, ops, 2), 1);
    release(&q, ops, 1);
    end(&q, c);
    assert_int_equal(take(&q, ops, 2), 1);
    assert_int_equal(ops[0].capture->record.id, 2);
    release(&q, ops, 1);
    queue_clear(&q);
}

static void pressure_shows_when_many_wait(void **state)
{
    struct queue q;
    static struct op ops[1024];
    size_t n;

    (void)state;
    make(&q, 1024, (size_t)1 << 30);
    for (int64_t id = 1; id <= 256; id++)
        end(&q, arrived(id, 1));
    assert_false(atomic_load(&q.pressed));
    end(&q, arrived(257, 1));
    assert_true(atomic_load(&q.pressed));
    n = take(&q, ops, 1024);
    assert_false(atomic_load(&q.pressed));
    release(&q, ops, n);
    end(&q, arrived(1, (size_t)33 << 20));
    assert_true(atomic_load(&q.pressed));
    n = take(&q, ops, 1024);
    release(&q, ops, n);
    assert_false(atomic_load(&q.pressed));
    queue_clear(&q);
}

static void waiting_ends_at_its_time_and_the_lag_is_seen(void **state)
{
    struct queue q;
    struct op ops[4];
    int64_t before = clock_now_us();

    (void)state;
    make(&q, 4, 1 << 20);
    assert_int_equal(queue_take(&q, ops, 4, 0, before + 30000), 0);
    assert_true(clock_now_us() - before >= 30000);
    before = clock_now_us();
    end(&q, arrived(1, 1));
    assert_int_equal(queue_take(&q, ops, 4, before + 30000, before + 60000), 1);
    assert_true(clock_now_us() - before >= 30000);
    assert_true(stats_of(&q).lag_ms >= 15); /* it was queued a moment after before */
    release(&q, ops, 1);
    assert_int_equal(stats_of(&q).lag_ms, 0);
    queue_clear(&q);
}

static void run_job(struct recorder_job *job, struct store *store)
{
    (void)job;
    (void)store;
}

static void stopping_refuses_jobs_and_hands_out_the_rest(void **state)
{
    struct queue q;
    struct recorder_job job = {.run = run_job}, late = job;
    struct op ops[4];

    (void)state;
    make(&q, 4, 1 << 20);
    end(&q, arrived(1, 1));
    assert_true(queue_job(&q, &job));
    queue_stop(&q);
    assert_false(queue_job(&q, &late));
    assert_int_equal(queue_take(&q, ops, 4, INT64_MAX / 2, INT64_MAX / 2), 1);
    release(&q, ops, 1);
    assert_null(queue_next_job(&q, true));
    assert_ptr_equal(queue_next_job(&q, false), &job);
    assert_null(queue_next_job(&q, false));
    assert_int_equal(queue_take(&q, ops, 4, INT64_MAX / 2, INT64_MAX / 2), 0);
    queue_clear(&q);
}

#define PUSHERS 4
#define EACH 3000

static void *push_many(void *arg)
{
    struct queue *q = arg;

    for (int64_t id = 1; id <= EACH; id++) {
        struct capture *c = arrived(id, 8);

        if (id % 2)
            queue_begin(q, c);
        c->record.has_tool_calls = true; /* as a loop may do at any moment */
        complete(c, 8);
        queue_end(q, c);
    }
    return NULL;
}

static void many_threads_push_while_one_takes(void **state)
{
    struct queue q;
    pthread_t threads[PUSHERS];
    static struct op ops[500];
    int64_t ends = 0;

    (void)state;
    make(&q, 65536, (size_t)1 << 30);
    for (int i = 0; i < PUSHERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, &q), 0);
    while (ends < PUSHERS * EACH) {
        size_t n = queue_take(&q, ops, 500, 0, clock_now_us() + 20000000);

        assert_true(n > 0);
        for (size_t i = 0; i < n; i++)
            ends += ops[i].kind == OP_END;
        release(&q, ops, n);
    }
    for (int i = 0; i < PUSHERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(stats_of(&q).queue_bytes, 0);
    assert_int_equal(stats_of(&q).queue_depth, 0);
    queue_clear(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_come_in_order_and_keep_it_around_the_ring),
        cmocka_unit_test(a_waiting_row_becomes_complete_in_its_place),
        cmocka_unit_test(bodies_are_shed_before_anything_is_lost),
        cmocka_unit_test(the_body_a_loop_still_sends_is_not_released),
        cmocka_unit_test(completions_are_lost_before_new_rows),
        cmocka_unit_test(a_row_whose_begin_was_lost_can_still_come_complete),
        cmocka_unit_test(pressure_shows_when_many_wait),
        cmocka_unit_test(waiting_ends_at_its_time_and_the_lag_is_seen),
        cmocka_unit_test(stopping_refuses_jobs_and_hands_out_the_rest),
        cmocka_unit_test(many_threads_push_while_one_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
