/* daemon/record/metrics.h - counters and histograms since the start, for GET /metrics.
 *
 * The writer adds what it stored; a scrape formats a copy of the numbers. Clients choose endpoints
 * and models, so the number of series is bounded: what comes after is counted as "other". */
#ifndef RECORD_METRICS_H
#define RECORD_METRICS_H

#include "base/buf.h"
#include "daemon/record/capture.h"

struct metrics;

/** Returns owned, metrics_free(). */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
/** Writer thread. A request is stored or given up. */
void metrics_add(struct metrics *m, const struct capture *c);
/** Any thread. Append the Prometheus text format of what was added. */
void metrics_write(struct metrics *m, struct buf *out);

/** Append one metric without labels. */
void metrics_put(struct buf *out, const char *name, const char *type, const char *help,
                 int64_t value);

#endif
