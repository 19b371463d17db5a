/* daemon/record/queue.h - the bounded hand-off from the loops to the writer.
 *
 * Pushing takes a lock for a few instructions and never waits for the writer; the writer is
 * signalled only when it sleeps. A pending row that still waits when its exchange ends becomes one
 * complete row. Over its limits the queue first sheds bodies, then loses completions, then new
 * rows. */
#ifndef RECORD_QUEUE_H
#define RECORD_QUEUE_H

#include <pthread.h>

#include "daemon/record/capture.h"
#include "daemon/record/recorder.h"

enum op_kind {
    OP_BEGIN, /* insert a pending row */
    OP_END,   /* insert or complete a row */
};

/** One thing to write; owns a reference to the capture. */
struct op {
    struct capture *capture;
    enum op_kind kind;
    bool shed;                      /* without bodies */
    bool is_stream, has_tool_calls; /* OP_BEGIN: as they were, the loop may change them */
    size_t bytes;                   /* of bodies */
    int64_t at_us;                  /* monotonic */
};

enum queue_sleep {
    SLEEP_AWAKE,
    SLEEP_IDLE, /* wake on anything */
    SLEEP_HOLD, /* a batch is forming: wake when it is large */
    SLEEP_STOP, /* wake on stop only */
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct op *ring; /* ring_size is a power of two */
    size_t ring_size, limit, limit_bytes;
    size_t first, waiting; /* position of the oldest operation; how many wait */
    size_t taken;          /* how many the writer has at hand */
    size_t bytes;          /* of bodies, waiting and taken */
    int64_t taken_at_us;   /* at_us of the oldest one taken */
    struct list jobs;
    enum queue_sleep sleep;
    bool stopping;
    int64_t shed, lost;
    _Atomic bool pressed; /* so far behind that new requests should wait */
};

/** ERR_NO_MEMORY. */
int queue_init(struct queue *q, size_t limit, size_t limit_bytes, struct err *err);
/** Releases what still waits. */
void queue_clear(struct queue *q);

/** Any thread. Takes a reference of its own; copies what the loop may change. */
void queue_begin(struct queue *q, struct capture *c);
/** Any thread. Takes the caller's reference. */
void queue_end(struct queue *q, struct capture *c);
/** Any thread. False when stopping. */
bool queue_job(struct queue *q, struct recorder_job *job);
/** Any thread. Later jobs are refused; operations are still taken. */
void queue_stop(struct queue *q);
void queue_stats(struct queue *q, struct recorder_stats *out);
/** Any thread. Count operations that were given up. */
void queue_count_lost(struct queue *q, size_t count);

/** Writer. Wait for work, but until hold_us let a small batch grow, and not past wake_us. Takes up
 *  to max operations; 0 when there is a job, it is stopping or time is up. */
size_t queue_take(struct queue *q, struct op *ops, size_t max, int64_t hold_us, int64_t wake_us);
/** Writer. The operations taken are through. */
void queue_done(struct queue *q, const struct op *ops, size_t count);
/** Writer. The next job, or the next urgent one. NULL: none. */
struct recorder_job *queue_next_job(struct queue *q, bool urgent);
/** Writer. Sleep until then, or until it is stopping. */
void queue_wait(struct queue *q, int64_t until_us);
bool queue_stopping(struct queue *q);

#endif
