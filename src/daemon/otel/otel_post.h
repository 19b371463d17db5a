/* daemon/otel/otel_post.h - one POST to a collector, on a thread that may wait. */
#ifndef OTEL_OTEL_POST_H
#define OTEL_OTEL_POST_H

#include <stdatomic.h>

#include "otlp/otlp_config.h"

struct otel_post;

/** What came of it. */
struct otel_answer {
    int status;             /* 0: no answer */
    bool retry;             /* it may work later */
    int64_t retry_after_ms; /* what the collector asks for; 0: nothing */
    struct buf body;        /* owned, a bounded part */
    char error[200];        /* "" when the status is 2xx */
};

/** Connections to a target, which is borrowed. Returns owned; NULL without memory. */
struct otel_post *otel_post_new(const struct otlp_target *target);
void otel_post_free(struct otel_post *p);
/** Send json and wait for the answer, at most until the target's timeout, and not beyond *until_us
 *  (of the monotonic clock; it may be set at any time, then otel_post_wake()). */
void otel_post_send(struct otel_post *p, struct str json, const _Atomic int64_t *until_us,
                    struct otel_answer *out);
/** Any thread. */
void otel_post_wake(struct otel_post *p);

#endif
