#include "daemon/record/recorder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/record/analyze.h"
#include "daemon/record/queue.h"
#include "store/store_prices.h"
#include "store/store_search.h"

#define BATCH_MAX 500
#define COUNTED_BYTES ((size_t)8 << 10) /* of requests in a batch, and one more of any size */
/* After a batch the next one may gather for this long, unless it grows large: a lone operation is
 * written at once, a steady stream in batches. */
#define HOLD_US 10000
#define BUSY_FIRST_US 10000
#define BUSY_MAX_US 250000
#define BUSY_PATIENCE_US 1000000 /* then it is a state worth a line in the log */
#define RETRY_US 1000000         /* between attempts on a database that fails */
#define MINUTE_US ((int64_t)60000000)
#define PRESSED_US 100000
#define BLOCKS_ROWS 512   /* after so many, some may have come to rest */
#define BLOCKS_US 1000000 /* after a job, which may have changed any */
#define START_WAIT_MS 5000
/* Requests go into the full-text index together, some time after they were stored. While others
 * arrive, the writer spends at most one part in SEARCH_SHARE of its time on that. */
#define SEARCH_DELAY_US 500000
#define SEARCH_STEP_US 15000
#define SEARCH_SHARE 20
#define WAL_WARNING_BYTES ((int64_t)256 << 20)

struct recorder {
    struct queue queue;
    pthread_t thread;
    char *path;
    bool full_sync, search;
    int64_t check_us;
    struct recorder_events events;
    _Atomic int64_t drain_until_us; /* set before the queue is stopped */
    _Atomic int64_t last_commit_us, rows;

    pthread_mutex_t lock; /* of these three */
    bool failing;
    int64_t failed_us; /* last time it failed; 0: never */
    char last_error[200];

    /* writer thread only */
    struct store *store;
    struct price_book *prices; /* of the store's generation at the last batch; NULL: not read yet;
                                  replaced under the lock */
    bool reopen;               /* before the next use */
    bool dirty;                /* committed since the last checkpoint */
    bool wal_is_large;
    int64_t retry_us; /* not before then */
    int64_t next_check_us, next_counts_us;
    int64_t next_search_us; /* INT64_MAX: nothing to put into the index */
    size_t rows_since_search;
    int64_t next_blocks_us; /* INT64_MAX: nothing to sum up */
    size_t rows_to_sum;
    int64_t logged_shed, logged_lost;
};

/* ---- state ---- */

static void note_failure(struct recorder *r, const struct err *err)
{
    bool first;

    pthread_mutex_lock(&r->lock);
    first = !r->failing;
    r->failing = true;
    r->failed_us = clock_now_us();
    snprintf(r->last_error, sizeof(r->last_error), "%.190s", err->msg);
    pthread_mutex_unlock(&r->lock);
    if (first)
        log_error("cannot store captures: %s; requests go on, see lost_events", err->msg);
}

static void note_success(struct recorder *r)
{
    bool first;

    pthread_mutex_lock(&r->lock);
    first = r->failing;
    r->failing = false;
    pthread_mutex_unlock(&r->lock);
    if (first)
        log_info("captures are stored again");
}

/* The file, the disk or the memory is the trouble, not the row. */
static bool is_database_trouble(const struct err *err)
{
    return err->code == ERR_FULL || err->code == ERR_CORRUPT || err->code == ERR_STORE ||
           err->code == ERR_NO_MEMORY;
}

static void fail(struct recorder *r, const struct err *err)
{
    note_failure(r, err);
    r->retry_us = clock_now_us() + RETRY_US;
    r->reopen = r->reopen || err->code == ERR_CORRUPT;
}

/* ---- the store ---- */

static struct store *open_store(struct recorder *r, struct err *err)
{
    struct store *store = store_open(r->path, STORE_WRITE, err);

    if (store && r->full_sync && store_set_full_sync(store, true, err) < 0) {
        store_close(store);
        store = NULL;
    }
    return store;
}

/* Takes book. */
static void set_prices(struct recorder *r, struct price_book *book)
{
    struct price_book *old;

    pthread_mutex_lock(&r->lock);
    old = r->prices;
    r->prices = book;
    pthread_mutex_unlock(&r->lock);
    price_book_unref(old);
}

struct price_book *recorder_prices(struct recorder *r)
{
    struct price_book *book;

    pthread_mutex_lock(&r->lock);
    book = r->prices ? price_book_ref(r->prices) : NULL;
    pthread_mutex_unlock(&r->lock);
    return book;
}

/* Open again after damage, or anew when the file is gone. */
static int reopen(struct recorder *r, struct err *err)
{
    store_close(r->store);
    r->store = NULL;
    set_prices(r, NULL); /* another file may have other prices */
    if (store_prepare(r->path, true, err) < 0)
        return -1;
    r->store = open_store(r, err);
    if (!r->store)
        return -1;
    r->reopen = false;
    return 0;
}

static int ready(struct recorder *r, struct err *err)
{
    return r->store && !r->reopen ? 0 : reopen(r, err);
}

/* Prices that changed since the last batch. Without them captures are stored without a cost. */
static void refresh_prices(struct recorder *r)
{
    struct price_book *book;
    int64_t generation;
    struct err err;

    if (!r->store || r->reopen || store_generation(r->store, &generation, &err) < 0 ||
        (r->prices && price_book_generation(r->prices) == generation))
        return;
    if (store_price_book(r->store, &book, &err) < 0) {
        log_warning("cannot read the prices: %s", err.msg);
        return;
    }
    set_prices(r, book);
}

/* ---- one operation ---- */

static void copy_arrival(struct record *to, const struct record *from)
{
    record_init(to);
    to->id = from->id;
#define X(kind, name) to->name = from->name;
    RECORD_ARRIVAL_FIELDS(X)
#undef X
    to->request_headers_json = from->request_headers_json;
}

/* The loop may be changing the outcome part at this moment: it is not looked at. */
static int write_begin(struct recorder *r, const struct op *op, struct err *err)
{
    struct capture *c = op->capture;
    struct record record;

    copy_arrival(&record, &c->record);
    record.is_stream = op->is_stream;
    record.has_tool_calls = op->has_tool_calls;
    if (op->shed)
        record.request_body_truncated = true;
    else
        record.request_body = str_cut(blob_str(&c->request), c->request_keep);
    return store_record_insert(r->store, &record, err);
}

static int write_row(struct recorder *r, struct capture *c, const struct record *record,
                     struct err *err)
{
    if (c->inserted) {
        if (store_record_complete(r->store, record, err) == 0)
            return 0;
        if (err->code != ERR_NOT_FOUND) /* the database was replaced meanwhile */
            return -1;
    }
    return store_record_insert(r->store, record, err);
}

static int write_end(struct recorder *r, const struct op *op, struct err *err)
{
    struct capture *c = op->capture;
    struct record record = c->record;
    bool has_body = !op->shed && !c->begin_shed && !record.request_body_truncated;
    bool answered = record.response_status != UNKNOWN || c->response.len > 0;

    if (op->shed) {
        record.request_body_truncated = record.response_body_truncated = true;
    } else {
        record.request_body = str_cut(blob_str(&c->request), c->request_keep);
        record.response_body =
            answered ? str_cut(blob_str(&c->response), c->response_keep) : STR_NONE;
        record.upstream_response_body = c->upstream.len ? blob_str(&c->upstream) : STR_NONE;
    }
    if (write_row(r, c, &record, err) < 0)
        return -1;
    if (c->attempt_count > 0 &&
        store_attempts_put(r->store, &record, c->attempts, c->attempt_count, err) < 0)
        return -1;
    if (c->images.count == 0)
        return 0;
    return store_images_put(r->store, record.id, &c->images, has_body, err);
}

static int write_op(struct recorder *r, const struct op *op, struct err *err)
{
    if (op->capture->dropped)
        return 0;
    return op->kind == OP_BEGIN ? write_begin(r, op, err) : write_end(r, op, err);
}

/* ---- batches ---- */

static int commit(struct recorder *r, const struct op *ops, size_t count, struct err *err)
{
    if (ready(r, err) < 0)
        return -1;
    if (store_begin(r->store, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (write_op(r, &ops[i], err) < 0)
            goto failed;
    }
    if (store_commit(r->store, err) < 0)
        goto failed;
    return 0;
failed:
    store_rollback(r->store);
    return -1;
}

static void finish_op(struct recorder *r, const struct op *op, bool committed)
{
    struct capture *c = op->capture;

    if (committed && !c->inserted) {
        c->inserted = true;
        atomic_fetch_add_explicit(&r->rows, 1, memory_order_relaxed);
    }
    if (op->kind == OP_END && r->events.stored)
        r->events.stored(r->events.ctx, c, committed);
}

static void finish_batch(struct recorder *r, const struct op *ops, size_t count)
{
    r->dirty = true;
    r->rows_since_search += count;
    if (r->next_search_us == INT64_MAX)
        r->next_search_us = clock_now_us() + SEARCH_DELAY_US;
    r->rows_to_sum += count;
    atomic_store_explicit(&r->last_commit_us, clock_now_us(), memory_order_relaxed);
    note_success(r);
    for (size_t i = 0; i < count; i++) {
        if (ops[i].capture->dropped) /* write_op() passed it over */
            queue_count_lost(&r->queue, 1);
        finish_op(r, &ops[i], !ops[i].capture->dropped);
    }
    if (r->events.committed)
        r->events.committed(r->events.ctx, r->store);
}

static void lose_batch(struct recorder *r, const struct op *ops, size_t count)
{
    queue_count_lost(&r->queue, count);
    for (size_t i = 0; i < count; i++)
        finish_op(r, &ops[i], false);
}

static void lose_poison(struct recorder *r, const struct op *op, const struct err *err)
{
    log_error("request %" PRId64 " cannot be stored: %s", op->capture->record.id, err->msg);
    op->capture->dropped = true;
    queue_count_lost(&r->queue, 1);
    finish_op(r, op, false);
}

/* The database is locked: keep the batch. False when stopping and out of time. */
static bool wait_for_lock(struct recorder *r, int64_t since_us, int64_t *delay_us,
                          const struct err *err)
{
    int64_t now = clock_now_us();

    if (now - since_us > BUSY_PATIENCE_US)
        note_failure(r, err);
    if (queue_stopping(&r->queue)) {
        struct timespec pause = {.tv_nsec = BUSY_FIRST_US * 1000};

        if (now >= atomic_load(&r->drain_until_us))
            return false;
        nanosleep(&pause, NULL);
        return true;
    }
    queue_wait(&r->queue, now + *delay_us);
    *delay_us = *delay_us * 2 < BUSY_MAX_US ? *delay_us * 2 : BUSY_MAX_US;
    return true;
}

/* Write some operations in one transaction. False when one of them is refused by the database:
 * nothing is written then. */
static bool write_together(struct recorder *r, const struct op *ops, size_t count, struct err *err)
{
    int64_t since_us = clock_now_us(), delay_us = BUSY_FIRST_US;

    while (commit(r, ops, count, err) < 0) {
        if (err->code == ERR_BUSY && wait_for_lock(r, since_us, &delay_us, err))
            continue;
        if (err->code != ERR_BUSY && !is_database_trouble(err))
            return false;
        fail(r, err);
        lose_batch(r, ops, count);
        return true;
    }
    finish_batch(r, ops, count);
    return true;
}

/* Counting tokens takes longer than storing: in a large batch the rest is only estimated, and not
 * even that when the answer is there already and has told. */
static void analyze_batch(struct recorder *r, const struct op *ops, size_t count)
{
    size_t counted = 0;

    for (size_t i = 0; i < count; i++) {
        struct capture *c = ops[i].capture;
        bool quick = counted > COUNTED_BYTES;

        if (c->dropped)
            continue;
        if (ops[i].kind == OP_END)
            analyze(c, r->prices);
        if (!c->inserted && !(quick && c->record.billing_input_tokens != UNKNOWN)) {
            analyze_request(c, quick);
            counted += c->request.len;
        }
    }
}

/* After a refusal each operation is tried alone: a bad row costs one row. */
static void write_batch(struct recorder *r, const struct op *ops, size_t count)
{
    struct err err;

    if (r->retry_us > clock_now_us())
        queue_wait(&r->queue, r->retry_us);
    refresh_prices(r);
    analyze_batch(r, ops, count);
    if (write_together(r, ops, count, &err))
        return;
    for (size_t i = 0; i < count; i++) {
        if (!write_together(r, &ops[i], 1, &err))
            lose_poison(r, &ops[i], &err);
    }
}

static void release_batch(struct recorder *r, const struct op *ops, size_t count)
{
    queue_done(&r->queue, ops, count);
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind == OP_END)
            capture_drop_bodies(ops[i].capture); /* others may hold on to its texts */
        capture_unref(ops[i].capture);
    }
}

/* ---- looking after things ---- */

/* Urgent ones all, of the others one each turn: a job that comes back lets operations pass. */
static bool run_jobs(struct recorder *r, bool urgent)
{
    struct recorder_job *job;
    struct err err;

    while ((job = queue_next_job(&r->queue, urgent))) {
        if (ready(r, &err) < 0)
            fail(r, &err);
        job->run(job, r->store);
        r->dirty = true;
        if (r->next_search_us == INT64_MAX)
            r->next_search_us = clock_now_us() + SEARCH_DELAY_US;
        if (r->next_blocks_us == INT64_MAX)
            r->next_blocks_us = clock_now_us() + BLOCKS_US;
        if (!urgent)
            return true;
    }
    return false;
}

/* A step of the index, so that operations pass in between. */
static void index_texts(struct recorder *r)
{
    int64_t begun_us = clock_now_us(), took_us;
    bool busy = r->rows_since_search > 0, more = false;
    struct err err;

    if (begun_us < r->next_search_us || !r->store || r->reopen)
        return;
    r->rows_since_search = 0;
    r->next_search_us = begun_us + SEARCH_DELAY_US;
    if (store_search_step(r->store, r->search, SEARCH_STEP_US, &more, &err) < 0) {
        if (err.code != ERR_BUSY)
            log_warning("cannot index texts: %s", err.msg);
        if (err.code != ERR_BUSY)
            r->next_search_us = begun_us + MINUTE_US;
        return;
    }
    took_us = clock_now_us() - begun_us;
    r->dirty = true;
    if (!more)
        r->next_search_us = INT64_MAX;
    else
        r->next_search_us = begun_us + (busy ? took_us * SEARCH_SHARE : 0);
}

/* One block, so that operations pass in between. */
static void sum_up(struct recorder *r)
{
    bool more = false;
    struct err err;

    if (r->rows_to_sum >= BLOCKS_ROWS)
        r->next_blocks_us = 0;
    if (clock_now_us() < r->next_blocks_us || !r->store || r->reopen)
        return;
    r->rows_to_sum = 0;
    if (store_blocks_build(r->store, clock_wall_us(), &more, &err) < 0) {
        if (err.code != ERR_BUSY)
            log_warning("cannot sum up requests: %s", err.msg);
        r->next_blocks_us = clock_now_us() + BLOCKS_US;
        return;
    }
    r->dirty = r->dirty || more;
    r->next_blocks_us = more ? 0 : INT64_MAX;
}

static void watch_log_size(struct recorder *r)
{
    char name[4200];
    struct stat st;
    bool large;

    snprintf(name, sizeof(name), "%s-wal", r->path);
    large = stat(name, &st) == 0 && st.st_size > WAL_WARNING_BYTES;
    if (large && !r->wal_is_large)
        log_warning("the log of the database is large: a reader keeps it from being copied back "
                    "path=%s bytes=%" PRId64,
                    name, (int64_t)st.st_size);
    r->wal_is_large = large;
}

static void check_file(struct recorder *r)
{
    struct err err;

    if (r->store && !store_current(r->store)) {
        log_warning("the database file was removed or replaced path=%s; opening it anew", r->path);
        r->reopen = true;
    }
    if (ready(r, &err) < 0) {
        fail(r, &err);
        return;
    }
    if (r->dirty && store_checkpoint(r->store, &err) < 0 && err.code != ERR_BUSY)
        fail(r, &err);
    r->dirty = false;
    watch_log_size(r);
}

static void log_counts(struct recorder *r)
{
    struct recorder_stats stats;

    recorder_stats(r, &stats);
    if (!stats.degraded && stats.shed_bodies == r->logged_shed &&
        stats.lost_events == r->logged_lost)
        return;
    log_warning("captures are incomplete shed_bodies=%" PRId64 " lost_events=%" PRId64
                " queue_depth=%zu",
                stats.shed_bodies, stats.lost_events, stats.queue_depth);
    r->logged_shed = stats.shed_bodies;
    r->logged_lost = stats.lost_events;
}

static void look_after(struct recorder *r)
{
    int64_t now = clock_now_us();

    if (now >= r->next_check_us) {
        check_file(r);
        r->next_check_us = now + r->check_us;
        if (r->next_search_us == INT64_MAX) /* others may have changed the index */
            r->next_search_us = now;
    }
    if (now >= r->next_counts_us) {
        log_counts(r);
        r->next_counts_us = now + MINUTE_US;
    }
    sum_up(r);
    index_texts(r);
}

static int64_t next_turn_us(const struct recorder *r)
{
    int64_t next_us = r->next_check_us;

    next_us = r->next_blocks_us < next_us ? r->next_blocks_us : next_us;
    return r->next_search_us < next_us ? r->next_search_us : next_us;
}

static void finish(struct recorder *r)
{
    struct err err;

    if (r->store && r->dirty && store_checkpoint(r->store, &err) < 0 && err.code != ERR_BUSY)
        note_failure(r, &err);
    store_close(r->store);
    r->store = NULL;
    price_book_unref(r->prices);
}

static void *recorder_main(void *arg)
{
    struct recorder *r = arg;
    static _Thread_local struct op ops[BATCH_MAX];
    int64_t hold_us = 0;
    size_t count;
    bool ran;

    for (;;) {
        count = queue_take(&r->queue, ops, BATCH_MAX, hold_us, next_turn_us(r));
        hold_us = clock_now_us() + HOLD_US;
        run_jobs(r, true);
        if (count > 0) {
            write_batch(r, ops, count);
            release_batch(r, ops, count);
        }
        ran = run_jobs(r, false);
        if (queue_stopping(&r->queue)) {
            if (count == 0 && !ran)
                break;
            continue;
        }
        look_after(r);
    }
    finish(r);
    return NULL;
}

/* ---- the public calls ---- */

static void close_pending(struct recorder *r)
{
    int64_t count = 0;
    struct err err;

    store_set_busy_wait(r->store, START_WAIT_MS);
    if (store_close_pending(r->store, clock_wall_us(), &count, &err) < 0)
        log_warning("cannot close the requests an earlier process left pending: %s", err.msg);
    else if (count > 0)
        log_info("requests of an earlier process were interrupted count=%" PRId64, count);
    store_set_busy_wait(r->store, 0);
}

struct recorder *recorder_start(const char *path, const struct recorder_limits *limits,
                                const struct recorder_events *events, struct err *err)
{
    struct recorder *r = xcalloc(1, sizeof(*r));
    size_t ops = limits->queue_limit ? limits->queue_limit : 16384;
    size_t bytes = limits->queue_limit_bytes ? limits->queue_limit_bytes : (size_t)256 << 20;
    int rc;

    r->path = xstrdup(path);
    r->full_sync = limits->full_sync;
    r->check_us = (limits->check_ms ? limits->check_ms : 10000) * 1000;
    r->next_check_us = clock_now_us() + r->check_us;
    r->next_counts_us = clock_now_us() + MINUTE_US;
    r->search = limits->search;
    r->next_search_us = clock_now_us() + SEARCH_DELAY_US;
    r->next_blocks_us = clock_now_us() + BLOCKS_US;
    if (events)
        r->events = *events;
    if (queue_init(&r->queue, ops, bytes, err) < 0)
        goto no_queue;
    pthread_mutex_init(&r->lock, NULL);
    r->store = open_store(r, err);
    if (!r->store)
        goto failed;
    close_pending(r);
    rc = pthread_create(&r->thread, NULL, recorder_main, r);
    if (rc != 0) {
        err_set(err, ERR_FAILED, "cannot start the writer thread: %s", strerror(rc));
        goto failed;
    }
    return r;
failed:
    store_close(r->store);
    pthread_mutex_destroy(&r->lock);
    queue_clear(&r->queue);
no_queue:
    free(r->path);
    free(r);
    return NULL;
}

void recorder_begin(struct recorder *r, struct capture *c)
{
    queue_begin(&r->queue, c);
}

void recorder_end(struct recorder *r, struct capture *c)
{
    queue_end(&r->queue, c);
}

bool recorder_submit(struct recorder *r, struct recorder_job *job)
{
    return queue_job(&r->queue, job);
}

void recorder_stats(struct recorder *r, struct recorder_stats *out)
{
    *out = (struct recorder_stats){0};
    queue_stats(&r->queue, out);
    out->rows = atomic_load_explicit(&r->rows, memory_order_relaxed);
    pthread_mutex_lock(&r->lock);
    out->degraded = r->failing || (r->failed_us && clock_now_us() - r->failed_us < MINUTE_US);
    if (out->degraded)
        memcpy(out->last_error, r->last_error, sizeof(out->last_error));
    pthread_mutex_unlock(&r->lock);
}

bool recorder_pressed(struct recorder *r)
{
    if (!atomic_load_explicit(&r->queue.pressed, memory_order_relaxed))
        return false;
    return clock_now_us() - atomic_load_explicit(&r->last_commit_us, memory_order_relaxed) <
           PRESSED_US;
}

int64_t recorder_stop(struct recorder *r, int64_t drain_ms)
{
    struct recorder_stats stats;

    atomic_store(&r->drain_until_us, clock_now_us() + drain_ms * 1000);
    queue_stop(&r->queue);
    pthread_join(r->thread, NULL);
    queue_stats(&r->queue, &stats);
    queue_clear(&r->queue);
    pthread_mutex_destroy(&r->lock);
    free(r->path);
    free(r);
    return stats.lost_events;
}
