/* daemon/record/live_priv.h - what the files of the live table share: live.c is written by loops,
 * live_done.c keeps what finished or changed, live_rows.c copies for readers, live_orders.c goes to
 * the loop of a request. */
#ifndef RECORD_LIVE_PRIV_H
#define RECORD_LIVE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "daemon/record/live.h"

#define MARK_US 200000
#define MARKS 16 /* more than fit into the time that speed is measured over */

struct live_slot {
    struct list node;
    struct live_owner owner;
    int64_t id, created_us, started_us;
    char method[16], endpoint[128], client[64];
    struct capture *capture;
    struct live_arrival arrival;
    bool is_stream; /* as it arrived */
    _Atomic int state;
    _Atomic int64_t status, request_bytes, response_bytes, chunks, events, content_events;
    _Atomic int64_t sent_us, first_content_us, last_content_us, gap_sum_us, gap_count, gap_max_us;
    _Atomic int64_t reported_output;
    _Atomic uint64_t marks[MARKS]; /* a time in MARK_US, and content events by then: a ring */
    size_t mark;                   /* of its loop */
    int64_t moved_events, moved_bytes;
};

struct live {
    pthread_mutex_t lock;
    struct list slots;
    size_t count, peak;
    struct live_done done[LIVE_ROWS_MAX]; /* a ring; done[(first + i) % MAX], oldest first */
    size_t done_first, done_count;
    int64_t gone_rev;                         /* of the last one that is no longer kept */
    struct live_change changes[LIVE_CHANGES]; /* a ring */
    size_t change_count;                      /* since the start */
    struct traffic_pulse pulse;
    int64_t finished, errors, client_gone, cancelled;
    _Atomic int64_t rev;

    pthread_mutex_t traffic_lock; /* of traffic; behind the other lock */
    struct traffic *traffic;
    int64_t lost, shed; /* that are among the problems already */
    char store_error[200];
};

static inline void live_store(_Atomic int64_t *to, int64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

static inline int64_t live_load(_Atomic int64_t *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

/** Under the lock; NULL. */
struct live_slot *live_find(struct live *live, int64_t id);

#endif
