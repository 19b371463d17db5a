/* view/view_metrics.h - requests over time, in buckets. */
#ifndef VIEW_VIEW_METRICS_H
#define VIEW_VIEW_METRICS_H

#include "base/buf.h"
#include "store/store.h"
#include "view/params.h"

extern const struct param view_metrics_params[];
/** GET …/metrics/timeseries: append the answer to out. ERR_INVALID: the range is none;
 *  ERR_NOT_FOUND: there is no such run. */
int view_metrics(struct store *store, struct str query, int64_t now_wall_us, struct buf *out,
                 struct err *err);

#endif
