/* The reader threads and the inbox that brings their answers back to a loop. */
#include <pthread.h>

#include "daemon/record/reader.h"
#include "store_helpers.h"

struct test_loop {
    uv_loop_t loop;
    uv_timer_t guard;
    struct inbox *inbox;
};

static void on_guard(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("the loop waits for what never comes");
}

static void loop_open(struct test_loop *t)
{
    struct err err;

    assert_int_equal(uv_loop_init(&t->loop), 0);
    t->inbox = inbox_open(&t->loop, &err);
    assert_non_null(t->inbox);
    uv_timer_init(&t->loop, &t->guard);
    uv_timer_start(&t->guard, on_guard, 30000, 0);
    uv_unref((uv_handle_t *)&t->guard);
}

/* With the inbox closed too, nothing may be left. */
static void loop_close(struct test_loop *t)
{
    uv_close((uv_handle_t *)&t->guard, NULL);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t->loop), 0);
}

/* ---- inbox ---- */

struct number {
    struct note note;
    struct poster *from;
    int n;
};

struct poster {
    struct test_loop *loop;
    struct number notes[500];
    int expected;
    int *left;
    pthread_t thread;
};

static void on_number(struct note *note)
{
    struct number *number = LIST_ENTRY(note, struct number, note);
    struct poster *p = number->from;

    assert_int_equal(number->n, p->expected++);
    if (--*p->left == 0)
        inbox_close(p->loop->inbox);
}

static void *post_all(void *arg)
{
    struct poster *p = arg;

    for (int i = 0; i < 500; i++) {
        p->notes[i] = (struct number){{.run = on_number}, p, i};
        inbox_post(p->loop->inbox, &p->notes[i].note);
    }
    return NULL;
}

static void notes_of_many_threads_run_on_the_loop_in_order(void **state)
{
    struct test_loop t;
    static struct poster posters[3];
    int left = 3 * 500;

    (void)state;
    loop_open(&t);
    for (int i = 0; i < 3; i++) {
        posters[i] = (struct poster){.loop = &t, .left = &left};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    uv_run(&t.loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 3; i++)
        pthread_join(posters[i].thread, NULL);
    assert_int_equal(left, 0);
    loop_close(&t);
}

static void count_note(struct note *note)
{
    struct number *number = LIST_ENTRY(note, struct number, note);

    number->n++;
    if (number->n == 1)
        inbox_post(number->from->loop->inbox, note); /* a note may post itself again */
    else
        inbox_close(number->from->loop->inbox);
}

static void a_note_posted_by_a_note_runs_too(void **state)
{
    struct test_loop t;
    struct poster p = {.loop = &t};
    struct number number = {{.run = count_note}, &p, 0};

    (void)state;
    loop_open(&t);
    inbox_post(t.inbox, &number.note);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(number.n, 2);
    loop_close(&t);
}

static void add_one(struct note *note)
{
    LIST_ENTRY(note, struct number, note)->n++;
}

static void closing_runs_what_was_posted(void **state)
{
    struct test_loop t;
    struct number a = {{.run = add_one}, NULL, 0}, b = a;

    (void)state;
    loop_open(&t);
    inbox_post(t.inbox, &a.note);
    inbox_post(t.inbox, &b.note);
    inbox_close(t.inbox);
    assert_int_equal(a.n + b.n, 2);
    loop_close(&t);
}

/* ---- readers ---- */

struct last_job {
    struct job job;
    struct test_loop *loop;
    int64_t last;
    bool had_store;
    int *left;
    pthread_t ran_on, done_on;
};

static void run_last(struct job *job, struct store *store)
{
    struct last_job *j = LIST_ENTRY(job, struct last_job, job);
    struct err err;

    j->had_store = store != NULL;
    j->ran_on = pthread_self();
    if (store && store_last_id(store, &j->last, &err) < 0)
        j->last = -1;
}

static void done_last(struct job *job)
{
    struct last_job *j = LIST_ENTRY(job, struct last_job, job);

    j->done_on = pthread_self();
    if (--*j->left == 0)
        uv_stop(&j->loop->loop);
}

static struct last_job make_job(struct test_loop *t, int *left)
{
    return (struct last_job){
        .job = {.home = t->inbox, .run = run_last, .done = done_last}, .loop = t, .left = left};
}

static void ask(struct test_loop *t, struct readers *readers, struct last_job *job)
{
    int left = 1;

    *job = make_job(t, &left);
    assert_true(readers_submit(readers, &job->job));
    uv_run(&t->loop, UV_RUN_DEFAULT);
    assert_int_equal(left, 0);
}

static void jobs_run_elsewhere_and_are_done_at_home(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = sample(12);
    struct readers *readers;
    struct last_job job;
    struct test_loop t;
    struct err err;

    loop_open(&t);
    OK(store_record_insert(store, &r, &err));
    readers = readers_start(f->db, 2, &err);
    assert_non_null(readers);
    ask(&t, readers, &job);
    assert_true(job.had_store);
    assert_int_equal(job.last, 12);
    assert_true(pthread_equal(job.done_on, pthread_self()));
    assert_false(pthread_equal(job.ran_on, pthread_self()));
    r.id = 13;
    OK(store_record_insert(store, &r, &err));
    ask(&t, readers, &job);
    assert_int_equal(job.last, 13);
    readers_stop(readers);
    inbox_close(t.inbox);
    loop_close(&t);
    store_close(store);
}

static void a_database_that_is_missing_or_replaced_is_noticed(void **state)
{
    const struct folder *f = *state;
    struct readers *readers;
    struct last_job job;
    struct test_loop t;
    struct store *store;
    struct record r = sample(5);
    struct err err;

    loop_open(&t);
    readers = readers_start(f->db, 1, &err);
    assert_non_null(readers);
    ask(&t, readers, &job);
    assert_false(job.had_store);
    store = open_new(f->db);
    OK(store_record_insert(store, &r, &err));
    ask(&t, readers, &job);
    assert_int_equal(job.last, 5);
    store_close(store);
    unlink(f->db);
    store = open_new(f->db);
    ask(&t, readers, &job);
    assert_int_equal(job.last, 0);
    store_close(store);
    readers_stop(readers);
    inbox_close(t.inbox);
    loop_close(&t);
}

struct gate {
    struct last_job base;
    pthread_mutex_t lock;
};

static void run_behind_gate(struct job *job, struct store *store)
{
    struct gate *gate = LIST_ENTRY(job, struct gate, base.job);

    (void)store;
    pthread_mutex_lock(&gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void too_many_jobs_are_refused_and_a_stop_sends_the_rest_home(void **state)
{
    const struct folder *f = *state;
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static struct last_job jobs[200];
    struct readers *readers;
    struct test_loop t;
    struct err err;
    int left = 1, taken = 0;

    loop_open(&t);
    store_close(open_new(f->db));
    readers = readers_start(f->db, 1, &err);
    assert_non_null(readers);
    gate.base = make_job(&t, &left);
    gate.base.job.run = run_behind_gate;
    pthread_mutex_lock(&gate.lock);
    assert_true(readers_submit(readers, &gate.base.job));
    for (; taken < 200; taken++) {
        jobs[taken] = make_job(&t, &left);
        if (!readers_submit(readers, &jobs[taken].job))
            break;
        left++;
    }
    assert_true(taken >= 32 && taken < 200);
    pthread_mutex_unlock(&gate.lock);
    readers_stop(readers);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(left, 0);
    inbox_close(t.inbox);
    loop_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_of_many_threads_run_on_the_loop_in_order),
        cmocka_unit_test(a_note_posted_by_a_note_runs_too),
        cmocka_unit_test(closing_runs_what_was_posted),
        TEST(jobs_run_elsewhere_and_are_done_at_home),
        TEST(a_database_that_is_missing_or_replaced_is_noticed),
        TEST(too_many_jobs_are_refused_and_a_stop_sends_the_rest_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
