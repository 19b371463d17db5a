#include "daemon/record/queue.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

/* A forming batch of this size is written at once. */
#define HOLD_OPS 128
#define HOLD_BYTES ((size_t)4 << 20)
#define PRESSED_OPS 256
#define PRESSED_BYTES ((size_t)32 << 20)

int queue_init(struct queue *q, size_t limit, size_t limit_bytes, struct err *err)
{
    pthread_condattr_t attr;

    *q = (struct queue){.limit = limit, .limit_bytes = limit_bytes, .ring_size = 1};
    while (q->ring_size < limit)
        q->ring_size *= 2;
    q->ring = calloc(q->ring_size, sizeof(*q->ring));
    if (!q->ring)
        return err_set(err, ERR_NO_MEMORY, "no memory for a queue of %zu operations", limit);
    list_init(&q->jobs);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, &attr);
    pthread_condattr_destroy(&attr);
    return 0;
}

static struct op *op_at(struct queue *q, size_t position)
{
    return &q->ring[position & (q->ring_size - 1)];
}

void queue_clear(struct queue *q)
{
    for (; q->waiting > 0; q->waiting--)
        capture_unref(op_at(q, q->first++)->capture);
    free(q->ring);
    pthread_cond_destroy(&q->wake);
    pthread_mutex_destroy(&q->lock);
    *q = (struct queue){0};
}

/* ---- any thread ---- */

static void update_pressed(struct queue *q)
{
    atomic_store_explicit(&q->pressed, q->waiting > PRESSED_OPS || q->bytes > PRESSED_BYTES,
                          memory_order_relaxed);
}

/* What a sleeping writer waits for has come: sleep is changed so that it is signalled once. */
static bool should_wake(struct queue *q)
{
    bool wake = q->sleep == SLEEP_IDLE ||
                (q->sleep == SLEEP_HOLD && (q->waiting >= HOLD_OPS || q->bytes >= HOLD_BYTES));

    if (wake)
        q->sleep = SLEEP_AWAKE;
    return wake;
}

static bool add(struct queue *q, const struct op *op)
{
    if (q->waiting + q->taken >= q->limit) {
        q->lost++;
        return false;
    }
    op->capture->position = q->first + q->waiting;
    *op_at(q, op->capture->position) = *op;
    q->waiting++;
    q->bytes += op->bytes;
    update_pressed(q);
    return true;
}

void queue_begin(struct queue *q, struct capture *c)
{
    struct op op = {
        .capture = capture_ref(c),
        .kind = OP_BEGIN,
        .is_stream = c->record.is_stream,
        .has_tool_calls = c->record.has_tool_calls,
        .bytes = c->request.len,
        .at_us = clock_now_us(),
    };
    bool added, wake = false;

    pthread_mutex_lock(&q->lock);
    if (q->bytes + op.bytes > q->limit_bytes) {
        op.shed = true; /* the loop still sends the body: it is not ours to release */
        op.bytes = 0;
    }
    added = add(q, &op);
    if (added) {
        c->place = CAPTURE_QUEUED;
        wake = should_wake(q);
    }
    pthread_mutex_unlock(&q->lock);
    if (wake)
        pthread_cond_signal(&q->wake);
    if (!added)
        capture_unref(c);
}

static void shed_bodies(struct op *op)
{
    struct capture *c = op->capture;

    op->shed = true;
    op->bytes = 0;
    blob_clear(&c->response);
    blob_clear(&c->upstream);
    if (c->place != CAPTURE_WRITING) /* else the writer is reading it, and drops it later */
        blob_clear(&c->request);
}

static bool end_locked(struct queue *q, struct op *op)
{
    struct capture *c = op->capture;
    struct op *begun = c->place == CAPTURE_QUEUED ? op_at(q, c->position) : NULL;
    bool completion = c->place == CAPTURE_WRITING || c->place == CAPTURE_WRITTEN;

    if (begun)
        q->bytes -= begun->bytes;
    if (q->bytes + op->bytes > q->limit_bytes)
        shed_bodies(op);
    if (op->shed || (completion && c->begin_shed))
        q->shed++;
    if (begun) {
        op->at_us = begun->at_us;
        *begun = *op;
        q->bytes += op->bytes;
        update_pressed(q);
        return false; /* the reference of the waiting operation is enough */
    }
    if (completion && q->waiting + q->taken >= q->limit - q->limit / 16) {
        q->lost++;
        return false;
    }
    return add(q, op);
}

void queue_end(struct queue *q, struct capture *c)
{
    struct op op = {
        .capture = c,
        .kind = OP_END,
        .bytes = c->request.len + c->response.len + c->upstream.len,
        .at_us = clock_now_us(),
    };
    bool kept, wake;

    pthread_mutex_lock(&q->lock);
    kept = end_locked(q, &op);
    wake = kept && should_wake(q);
    pthread_mutex_unlock(&q->lock);
    if (wake)
        pthread_cond_signal(&q->wake);
    if (!kept)
        capture_unref(c);
}

bool queue_job(struct queue *q, struct recorder_job *job)
{
    bool taken;

    pthread_mutex_lock(&q->lock);
    taken = !q->stopping;
    if (taken) {
        list_add_tail(&q->jobs, &job->node);
        pthread_cond_signal(&q->wake);
    }
    pthread_mutex_unlock(&q->lock);
    return taken;
}

void queue_stop(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->lock);
}

void queue_stats(struct queue *q, struct recorder_stats *out)
{
    int64_t oldest = 0;

    pthread_mutex_lock(&q->lock);
    out->queue_depth = q->waiting + q->taken;
    out->queue_limit = q->limit;
    out->queue_bytes = q->bytes;
    out->queue_limit_bytes = q->limit_bytes;
    out->shed_bodies = q->shed;
    out->lost_events = q->lost;
    if (q->taken > 0)
        oldest = q->taken_at_us;
    else if (q->waiting > 0)
        oldest = op_at(q, q->first)->at_us;
    pthread_mutex_unlock(&q->lock);
    out->lag_ms = oldest ? (clock_now_us() - oldest) / 1000 : 0;
}

void queue_count_lost(struct queue *q, size_t count)
{
    pthread_mutex_lock(&q->lock);
    q->lost += (int64_t)count;
    pthread_mutex_unlock(&q->lock);
}

/* ---- the writer ---- */

static void sleep_until(struct queue *q, int64_t until_us, enum queue_sleep sleep)
{
    struct timespec t = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

    q->sleep = sleep;
    pthread_cond_timedwait(&q->wake, &q->lock, &t);
    q->sleep = SLEEP_AWAKE;
}

static bool batch_is_large(const struct queue *q)
{
    return q->waiting >= HOLD_OPS || q->bytes >= HOLD_BYTES;
}

static size_t take_locked(struct queue *q, struct op *ops, size_t max)
{
    size_t count = q->waiting < max ? q->waiting : max;

    for (size_t i = 0; i < count; i++) {
        ops[i] = *op_at(q, q->first++);
        if (ops[i].kind == OP_BEGIN) {
            ops[i].capture->place = CAPTURE_WRITING;
            ops[i].capture->begin_shed = ops[i].shed;
        }
    }
    q->waiting -= count;
    q->taken = count;
    q->taken_at_us = count > 0 ? ops[0].at_us : 0;
    update_pressed(q);
    return count;
}

size_t queue_take(struct queue *q, struct op *ops, size_t max, int64_t hold_us, int64_t wake_us)
{
    size_t count;

    pthread_mutex_lock(&q->lock);
    while (!q->stopping && list_empty(&q->jobs)) {
        int64_t now = clock_now_us();

        if (q->waiting > 0 && (now >= hold_us || batch_is_large(q)))
            break;
        if (now >= wake_us && q->waiting == 0)
            break;
        if (now < hold_us)
            sleep_until(q, hold_us, SLEEP_HOLD);
        else
            sleep_until(q, wake_us, SLEEP_IDLE);
    }
    count = take_locked(q, ops, max);
    pthread_mutex_unlock(&q->lock);
    return count;
}

void queue_done(struct queue *q, const struct op *ops, size_t count)
{
    pthread_mutex_lock(&q->lock);
    for (size_t i = 0; i < count; i++) {
        q->bytes -= ops[i].bytes;
        if (ops[i].kind == OP_BEGIN)
            ops[i].capture->place = CAPTURE_WRITTEN;
    }
    q->taken = 0;
    update_pressed(q);
    pthread_mutex_unlock(&q->lock);
}

struct recorder_job *queue_next_job(struct queue *q, bool urgent)
{
    struct recorder_job *job = NULL;

    pthread_mutex_lock(&q->lock);
    LIST_EACH (node, &q->jobs) {
        job = LIST_ENTRY(node, struct recorder_job, node);
        if (!urgent || job->urgent)
            break;
        job = NULL;
    }
    if (job)
        list_remove(&job->node);
    pthread_mutex_unlock(&q->lock);
    return job;
}

void queue_wait(struct queue *q, int64_t until_us)
{
    pthread_mutex_lock(&q->lock);
    while (!q->stopping && clock_now_us() < until_us)
        sleep_until(q, until_us, SLEEP_STOP);
    pthread_mutex_unlock(&q->lock);
}

bool queue_stopping(struct queue *q)
{
    bool stopping;

    pthread_mutex_lock(&q->lock);
    stopping = q->stopping;
    pthread_mutex_unlock(&q->lock);
    return stopping;
}
