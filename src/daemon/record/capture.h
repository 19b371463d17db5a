/* daemon/record/capture.h - what is kept of one exchange on its way to the writer.
 *
 * The exchange fills it, the writer stores it, the live table may hold on to its texts. Shared by
 * count. Before recorder_begin() everything in the arrival part (RECORD_ARRIVAL_FIELDS, the request
 * headers and body) is final; the outcome part belongs to the loop until recorder_end(). */
#ifndef RECORD_CAPTURE_H
#define RECORD_CAPTURE_H

#include "base/arena.h"
#include "base/blob.h"
#include "core/record.h"
#include "llm/images.h"

/** Where the pending row of a capture is. */
enum capture_place {
    CAPTURE_NOWHERE, /* recorder_begin() was not called, or refused */
    CAPTURE_QUEUED,  /* waits: recorder_end() makes the same operation a complete one */
    CAPTURE_WRITING, /* the writer reads the arrival part and the request body */
    CAPTURE_WRITTEN, /* the writer is through with it */
};

struct capture {
    _Atomic int refs;
    struct arena arena;   /* the texts of record; loop thread until recorder_end(), then writer */
    struct record record; /* body members are unset: the bodies are the blobs below */
    struct blob request;  /* as received and decoded */
    struct blob response; /* as the client got it, up to the capture limit */
    struct blob upstream; /* raw, only when a fix changed or warned */
    size_t request_keep;  /* how much of the bodies is stored; set by capture_new() to all */
    size_t response_keep;
    int64_t overhead_us;      /* from the complete request to sending it upstream; UNKNOWN */
    size_t inspect_max;       /* a larger answer is not read for usage and facts */
    struct attempt *attempts; /* of a route with several upstreams, in arena */
    size_t attempt_count;
    const struct attempt *served; /* the one whose answer the client got; NULL without attempts */
    int64_t content_events;       /* of a stream that was watched; UNKNOWN */
    int64_t moved_events, moved_bytes; /* that the live table has counted already */
    _Atomic int64_t input_estimate;    /* tokens, once the writer has counted them; UNKNOWN */
    struct str error_event; /* an event or body that reports an error, for the writer to read */
    struct str kept_events; /* what counts of a stream, in case its body is not kept whole */
    struct images images;   /* of the request; writer thread, go with the bodies */
    struct arena image_arena;
    /* under the lock of the recorder's queue */
    enum capture_place place;
    size_t position; /* in the queue */
    bool begin_shed; /* its pending row was stored without the request body */
    /* writer thread only */
    bool inserted; /* the pending row is in the database */
    bool dropped;  /* it could not be stored: later parts are dropped too */
};

/** Returns owned, one reference, record_init() done; NULL without memory. */
struct capture *capture_new(struct blob_budget *budget);
struct capture *capture_ref(struct capture *c);
/** Accepts NULL. */
void capture_unref(struct capture *c);
/** Release the bodies, keep the texts. */
void capture_drop_bodies(struct capture *c);

#endif
