/* store/store_metrics.h - what charts are made of. */
#ifndef STORE_STORE_METRICS_H
#define STORE_STORE_METRICS_H

#include "store/store.h"

/** One request, as far as charts count it; what is not known is UNKNOWN or STR_NONE. Texts are
 *  borrowed for the call. */
struct metrics_row {
    int64_t created_us;
    bool failed;
    int64_t duration_ms, ttft_ms;
    int64_t input_tokens, cached_input_tokens, output_tokens, cost_pusd;
    struct str model, provider, route;
};
typedef void store_metrics_fn(void *ctx, const struct metrics_row *row);

/** Call each for the requests that came from since_us up to before until_us, the newest first, at
 *  most limit. run: those of a run alone, UNKNOWN: all. */
int store_metrics(struct store *store, int64_t run, int64_t since_us, int64_t until_us,
                  int64_t limit, store_metrics_fn *each, void *ctx, struct err *err);
/** When the first and the last request of a run came; UNKNOWN without requests. */
int store_metrics_range(struct store *store, int64_t run, int64_t *first_us, int64_t *last_us,
                        struct err *err);

#endif
