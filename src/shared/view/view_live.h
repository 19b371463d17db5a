/* view/view_live.h - the rows of /api/live: a request in flight or just finished, as JSON. */
#ifndef VIEW_VIEW_LIVE_H
#define VIEW_VIEW_LIVE_H

#include <cjson/cJSON.h>

#include "core/record.h"

#define LIVE_ROWS_MAX 1000 /* listed in flight, and kept finished */

/** What is known of a request in flight; -1 or UNKNOWN when it is not. */
struct view_flight {
    const char *state; /* receiving, connecting, waiting, streaming, stalled */
    int64_t elapsed_ms, gap_ms, ttft_ms, gap_avg_ms, gap_max_ms;
    int64_t input, output, cost_pusd, output_milli_per_second; /* estimates */
    bool output_reported;
    int64_t status, request_bytes, response_bytes, chunks, events;
    bool is_stream;
};

/** A finished (or database) row. Returns owned. */
cJSON *view_live_done(const struct record *r, int64_t rev);
/** A row in flight: only the arrival part of r is read. Returns owned. */
cJSON *view_live_flight(const struct record *r, int64_t rev, const struct view_flight *flight);

#endif
