/* daemon/record/recorder.h - the writer thread: owns the only writing store, commits in batches.
 *
 * A batch is what arrived while the last commit ran, so batches grow with the load. Nothing here
 * makes a loop wait. When the disk stalls the queue fills: bodies are shed first, then completions,
 * then new rows are given up, and all of it is counted. */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include "base/err.h"
#include "base/list.h"
#include "daemon/record/capture.h"
#include "store/store.h"

struct recorder;

struct recorder_limits {
    size_t queue_limit;       /* operations, default 16384 */
    size_t queue_limit_bytes; /* bodies, default 256 MiB */
    bool full_sync;           /* synchronous=FULL */
    int64_t check_ms;         /* how often file and log are looked after, default 10000 */
    bool search;              /* keep the full-text index; false removes it */
};

/** Numbers for /api/status and /api/live. */
struct recorder_stats {
    size_t queue_depth, queue_limit, queue_bytes, queue_limit_bytes;
    int64_t lag_ms;       /* age of the oldest waiting operation */
    int64_t shed_bodies;  /* rows stored without their bodies */
    int64_t lost_events;  /* operations given up */
    int64_t rows;         /* stored by this process */
    bool degraded;        /* writing fails, or failed within the last minute */
    char last_error[200]; /* "" none */
};

/** What the recorder tells others; all on the writer thread. */
struct recorder_events {
    /** A complete capture was committed or given up by the writer: borrowed; its bodies go right
     *  after. Not called for what the full queue refused. May be NULL. */
    void (*stored)(void *ctx, struct capture *c, bool committed);
    /** A batch was committed. May be NULL. */
    void (*committed)(void *ctx, struct store *store);
    void *ctx;
};

/** Open path for writing, close rows that another process left pending, and start the thread.
 *  Zero limits mean the defaults; events may be NULL. Returns owned, recorder_stop(). */
struct recorder *recorder_start(const char *path, const struct recorder_limits *limits,
                                const struct recorder_events *events, struct err *err);
/** Any thread, never waits. Store a pending row. Takes a reference of its own. */
void recorder_begin(struct recorder *r, struct capture *c);
/** Any thread, never waits. Store the outcome (and the row, when recorder_begin() was not called).
 *  Takes the caller's reference. */
void recorder_end(struct recorder *r, struct capture *c);
/** Run a job with the writing store on the writer thread, between batches; an urgent one before the
 *  operations that came after it. False: stopping. */
struct recorder_job {
    struct list node;
    bool urgent;
    /** store is NULL while the database cannot be opened. */
    void (*run)(struct recorder_job *job, struct store *store);
};
bool recorder_submit(struct recorder *r, struct recorder_job *job);
/** A reference to the prices of the last batch, price_book_unref(); NULL: not read yet. */
struct price_book *recorder_prices(struct recorder *r);
void recorder_stats(struct recorder *r, struct recorder_stats *out);
/** Any thread, lock-free: true while the writer makes progress but is behind by so much that new
 *  requests should wait a few milliseconds for it. Never true while the database is stuck. */
bool recorder_pressed(struct recorder *r);
/** Write what is queued (for at most drain_ms when the database is busy), checkpoint, close, end
 *  the thread, free. Returns the number of operations that were given up in all. */
int64_t recorder_stop(struct recorder *r, int64_t drain_ms);

#endif
