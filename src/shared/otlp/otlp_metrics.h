/* otlp/otlp_metrics.h - the metrics of the GenAI semantic conventions, summed up since the start
 * (cumulative temporality) and written as OTLP/JSON.
 *
 * Clients choose models, so the number of points of a metric is bounded: what comes after is
 * counted at one point that says otel.metric.overflow. Not safe for several threads. */
#ifndef OTLP_OTLP_METRICS_H
#define OTLP_OTLP_METRICS_H

#include "otlp/otlp_call.h"

#define OTLP_POINTS_MAX ((size_t)1000) /* of a metric */

struct otlp_metrics;

/** Returns owned, otlp_metrics_free(). */
struct otlp_metrics *otlp_metrics_new(void);
void otlp_metrics_free(struct otlp_metrics *m);
/** Count a finished record; one that is nothing generative changes nothing. */
void otlp_metrics_add(struct otlp_metrics *m, const struct record *r, const struct otlp_call *call);
/** Append the list of metrics that have points, for the time from start_us to now_us (since the
 *  epoch). False, and nothing is appended, when there are none. */
bool otlp_metrics_write(const struct otlp_metrics *m, struct buf *out, int64_t start_us,
                        int64_t now_us);

#endif
