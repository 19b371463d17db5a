/* daemon/record/live.h - the requests in flight and the last finished ones, in memory.
 *
 * Workers write, the API and top read copies. Starting and ending a row takes a lock held for a few
 * instructions; progress is relaxed atomic stores, so a streaming chunk never waits for a reader.
 */
#ifndef RECORD_LIVE_H
#define RECORD_LIVE_H

#include "core/traffic.h"
#include "daemon/inbox.h"
#include "daemon/record/capture.h"
#include "daemon/record/recorder.h"
#include "llm/watch.h"
#include "view/view_live.h"

enum live_state { LIVE_RECEIVING, LIVE_CONNECTING, LIVE_WAITING, LIVE_STREAMING };

/** What a change is of; bits. */
enum live_kind {
    LIVE_REQUESTS = 1,
    LIVE_RUNS = 2,
    LIVE_ROUTES = 4,
    LIVE_PROVIDERS = 8,
    LIVE_PRICES = 16,
    LIVE_SETTINGS = 32,
    LIVE_CONFIG = LIVE_ROUTES | LIVE_PROVIDERS | LIVE_PRICES | LIVE_SETTINGS,
};
#define LIVE_CHANGES 256 /* kept */

struct live;
struct live_slot;

/** Returns owned, live_free(). */
struct live *live_new(void);
void live_free(struct live *live);

/** The text of an answer so far, as it is copied from a loop. */
struct live_peek {
    struct buf tail;    /* the last bytes that the client got */
    bool whole;         /* nothing is before them */
    struct buf request; /* its body, when it was asked for and is not too large */
    char endpoint[128], content_type[128];
    int64_t gaps_us[WATCH_RECENT_GAPS]; /* oldest first */
    size_t gap_count;
};

/** Who runs a request. */
struct live_owner {
    struct inbox *home; /* its loop; open while the request is in flight */
    /** On that loop: end it. False: it is over already. */
    bool (*cancel)(void *ctx, struct str reason);
    /** On that loop: copy what there is of the answer, and the request if that is wanted. */
    void (*peek)(void *ctx, struct live_peek *out, bool with_request);
    void *ctx;
};

/** Any thread. A request whose head has arrived, with the arrival part of r as far as it is known;
 *  all is copied. NULL without memory; the calls below then do nothing. */
struct live_slot *live_begin(struct live *live, const struct record *r,
                             const struct live_owner *owner);
/** Any thread. The arrival part of c is final now; keeps a reference until live_end(). */
void live_arrived(struct live *live, struct live_slot *slot, struct capture *c);
/** Any thread, lock-free. */
void live_set_state(struct live_slot *slot, enum live_state state);
/** Any thread, lock-free. The request went upstream, for the first time, at that time. */
void live_sent(struct live_slot *slot, int64_t sent_us);
/** Any thread, lock-free. Bytes of the request body so far. */
void live_received(struct live_slot *slot, int64_t bytes);
/** Any thread, lock-free. watch may be NULL: not a stream. */
void live_progress(struct live_slot *slot, int64_t response_bytes, int64_t chunks,
                   const struct watch *watch);
/** Any thread, lock-free. The status of the answer's head. */
void live_head(struct live_slot *slot, int status);
/** Loop of the request. Count what its answer brought since the last call, for what happened
 *  lately; between live_count_begin() and _end(). */
void live_count(struct live *live, struct live_slot *slot, int64_t now_wall_us);
/** False: others are at it, try later. Never waits. */
bool live_count_begin(struct live *live);
void live_count_end(struct live *live);
/** Any thread. Takes slot. */
void live_end(struct live *live, struct live_slot *slot);

/** Writer thread. A request is stored (or given up): it joins the finished ones with a new rev.
 *  Keeps a reference. */
void live_finished(struct live *live, struct capture *c);

/** What is final of a request once it has arrived. */
struct live_arrival {
    struct str model, upstream_model, model_route, upstream_url, provider_slug;
    int64_t task_run_id;
    bool has_images;
};

/** Something else than a request in flight: rev grows. The ids are UNKNOWN when it is not about
 *  one. */
struct live_change {
    int64_t rev;
    unsigned kinds;
    int64_t run_id, request_id;
};
/** Any thread. */
void live_changed(struct live *live, unsigned kinds, int64_t run_id, int64_t request_id);
/** Any thread. Copy the changes above since, oldest first; returns how many. *missed tells whether
 *  some are no longer kept. */
size_t live_changes(struct live *live, int64_t since, struct live_change out[LIVE_CHANGES],
                    bool *missed);

/** A copy of one row in flight. */
struct live_row {
    int64_t id, created_us, elapsed_us;
    char method[16], endpoint[128], client[64];
    struct capture *capture; /* a reference, or NULL while the request arrives; only what
                                arrival points to may be read of it */
    struct live_arrival arrival;
    enum live_state state;
    bool stalled, is_stream;
    int64_t status; /* UNKNOWN before the head */
    int64_t request_bytes, response_bytes, chunks;
    int64_t events, content_events;                    /* UNKNOWN when not a stream */
    int64_t ttft_us, gap_us, gap_avg_us, gap_max_us;   /* UNKNOWN before */
    int64_t input_tokens;                              /* estimated; UNKNOWN */
    int64_t output_tokens;                             /* reported so far, or estimated; UNKNOWN */
    int64_t output_milli_per_second;                   /* of the last two seconds; UNKNOWN */
    int64_t reported_output, recent_events, recent_us; /* what these are made of */
};
struct live_done {
    int64_t rev;
    struct capture *capture; /* a reference */
};
/** Rows as records of their arrival. */
void live_row_record(const struct live_row *row, struct record *r);

struct live_totals {
    int64_t rev, inflight, inflight_peak, stalled, finished, errors, client_gone, cancelled;
};

/** Any thread. Copy the row of a request in flight, live_row_clear(). False: it is not. */
bool live_row(struct live *live, int64_t id, struct live_row *row);
void live_row_clear(struct live_row *row);
/** Copy what is in flight, oldest first; returns owned, *count rows, live_rows_free(). */
struct live_row *live_rows(struct live *live, size_t *count);
void live_rows_free(struct live_row *rows, size_t count);
/** Copy the finished ones with a rev above since, newest first, at most max; *missed tells whether
 *  some above since are no longer kept, *total how many above since there are. Returns owned,
 * live_done_free(). */
struct live_done *live_done(struct live *live, int64_t since, size_t max, size_t *count,
                            size_t *total, bool *missed);
void live_done_free(struct live_done *done, size_t count);
void live_totals(struct live *live, struct live_totals *out);
/** Any thread but loops. What happened lately, with what is in flight; traffic_figures_clear(). */
void live_figures(struct live *live, int64_t now_wall_us, struct traffic_figures *out);
/** Any thread but loops. Lost or shed captures and failed writes are problems worth a line. */
void live_watch_store(struct live *live, const struct recorder_stats *stats);

/** A thread that may wait, no loop. False: the request is not in flight, or not any more. Release
 *  with live_peek_clear(). */
bool live_peek(struct live *live, int64_t id, bool with_request, struct live_peek *out);
void live_peek_clear(struct live_peek *p);
/** Whether a request is among those that finished lately. */
bool live_has_done(struct live *live, int64_t id);

/** An order to cancel a request in flight; embed it. */
struct live_cancel {
    struct note note;
    struct live *live;
    int64_t id;
    struct str reason;  /* borrowed until done */
    struct inbox *back; /* of the loop that asks; stays open */
    /** On that loop. */
    void (*done)(struct live_cancel *order, bool cancelled);
    bool cancelled;
};
/** Any thread. False: the request is not in flight, done is not called. */
bool live_cancel(struct live_cancel *order);

/** Any thread, lock-free. */
int64_t live_rev(struct live *live);

#endif
