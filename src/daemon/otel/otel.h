/* daemon/otel/otel.h - sends spans and metrics to an OpenTelemetry collector, when the environment
 * names one.
 *
 * The writer thread makes a span of each finished exchange and puts it into a bounded queue; a
 * thread of its own sends them in batches. When the collector is slow or gone the queue fills, and
 * what comes then is dropped and counted: nothing waits for a collector but this thread. */
#ifndef OTEL_OTEL_H
#define OTEL_OTEL_H

#include "base/err.h"
#include "daemon/record/capture.h"
#include "daemon/record/open_runs.h"

struct otel;

/** Numbers for /api/status and /metrics. */
struct otel_stats {
    size_t queue_depth, queue_limit; /* spans */
    int64_t exported_spans;
    int64_t dropped_spans;  /* the queue was full, or the collector did not take them */
    int64_t failed_exports; /* batches of spans or metrics that were given up */
    char last_error[200];   /* "" none, or it works again */
};

/** Read the environment and start the thread. *out is NULL when nothing is to be exported; else
 *  owned, otel_stop(). runs must outlive it. */
int otel_start(struct otel **out, struct str instance, struct open_runs *runs, struct err *err);
/** Writer thread, never waits for the network. Accepts NULL. */
void otel_add(struct otel *o, const struct capture *c);
/** Any thread. */
void otel_stats(struct otel *o, struct otel_stats *out);
/** Send what is queued, for at most drain_ms, end the thread, free. Accepts NULL. */
void otel_stop(struct otel *o, int64_t drain_ms);

#endif
