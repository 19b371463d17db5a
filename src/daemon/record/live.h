/* daemon/record/live.h - the requests in flight and the last finished ones, in memory.
 *
 * Workers write, the API and top read copies. Starting and ending a row takes a lock held for a few
 * instructions; progress is relaxed atomic stores, so a streaming chunk never waits for a reader.
 */
#ifndef RECORD_LIVE_H
#define RECORD_LIVE_H

#include "daemon/record/capture.h"
#include "llm/watch.h"
#include "view/view_live.h"

enum live_state { LIVE_RECEIVING, LIVE_CONNECTING, LIVE_WAITING, LIVE_STREAMING };

struct live;
struct live_slot;

/** Returns owned, live_free(). */
struct live *live_new(void);
void live_free(struct live *live);

/** Any thread. A request whose head has arrived; texts are borrowed. NULL when the table is full;
 *  the calls below then do nothing. */
struct live_slot *live_begin(struct live *live, int64_t id, int64_t created_us, struct str method,
                             struct str endpoint, struct str client);
/** Any thread. The arrival part of c is final now; keeps a reference until live_end(). */
void live_arrived(struct live *live, struct live_slot *slot, struct capture *c);
/** Any thread, lock-free. */
void live_set_state(struct live_slot *slot, enum live_state state);
/** Any thread, lock-free. Bytes of the request body so far. */
void live_received(struct live_slot *slot, int64_t bytes);
/** Any thread, lock-free. watch may be NULL: not a stream. */
void live_progress(struct live_slot *slot, int64_t response_bytes, int64_t chunks,
                   const struct watch *watch);
/** Any thread, lock-free. The status of the answer's head. */
void live_head(struct live_slot *slot, int status);
/** Any thread. Takes slot. */
void live_end(struct live *live, struct live_slot *slot);

/** Writer thread. A request is stored (or given up): it joins the finished ones with a new rev.
 *  Keeps a reference. */
void live_finished(struct live *live, struct capture *c);

/** A copy of one row in flight. */
struct live_row {
    int64_t id, created_us, elapsed_us;
    char method[16], endpoint[128], client[64];
    struct capture *capture; /* a reference, or NULL while the request arrives */
    enum live_state state;
    bool stalled, is_stream;
    int64_t status; /* UNKNOWN before the head */
    int64_t request_bytes, response_bytes, chunks;
    int64_t events, content_events;                  /* UNKNOWN when not a stream */
    int64_t ttft_us, gap_us, gap_avg_us, gap_max_us; /* UNKNOWN before */
};
struct live_done {
    int64_t rev;
    struct capture *capture; /* a reference */
};
struct live_totals {
    int64_t rev, inflight, inflight_peak, stalled, finished, errors, client_gone, cancelled;
};

/** Copy what is in flight, oldest first; returns owned, *count rows, live_rows_free(). */
struct live_row *live_rows(struct live *live, size_t *count);
void live_rows_free(struct live_row *rows, size_t count);
/** Copy the finished ones with a rev above since, newest first, at most max; *missed tells whether
 *  some above since are no longer kept. Returns owned, live_done_free(). */
struct live_done *live_done(struct live *live, int64_t since, size_t max, size_t *count,
                            bool *missed);
void live_done_free(struct live_done *done, size_t count);
void live_totals(struct live *live, struct live_totals *out);
/** Any thread, lock-free. */
int64_t live_rev(struct live *live);

#endif
