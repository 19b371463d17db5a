/* daemon/jobs/probe.h - one request of our own to an upstream, within a time limit: health checks
 * and tests. Nothing of it is captured. Loop thread. */
#ifndef JOBS_PROBE_H
#define JOBS_PROBE_H

#include "daemon/worker.h"

/** Embed it. The texts are borrowed until done. */
struct probe {
    /* set before the start */
    struct worker *worker;
    struct str method, url, body;
    struct headers headers; /* Accept and Content-Type and the like */
    int64_t timeout_ms;
    size_t keep; /* how much of the answer's body is kept */
    void (*done)(struct probe *p);
    /* the result */
    int status; /* 0: no answer */
    struct buf content_type, answer;
    char error[300]; /* "" none */
    int64_t duration_ms;
    /* its own */
    struct transfer *transfer;
    struct transfer_request request;
    uv_timer_t timer;
    int64_t started_us;
};

/** Start; done comes on a later turn, in any case once. */
void probe_start(struct probe *p);
/** Release the result. */
void probe_clear(struct probe *p);

#endif
