/* core/run.h - a named span of traffic, and what its requests come to. */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "base/err.h"
#include "core/budget.h"
#include "core/record.h"

#define RUN_NAME_MAX ((size_t)256) /* characters */

/** Text is borrowed from the arena of whoever loaded the run. */
struct run {
    int64_t id;
    struct str name, notes; /* notes: STR_NONE when there are none */
    int64_t started_us;
    int64_t ended_us;      /* UNKNOWN while open */
    int64_t paused_us;     /* UNKNOWN unless paused */
    int64_t request_count; /* UNKNOWN: not counted */
    struct budget budget;
    struct budget_spent spent; /* what the budget is compared with */
};

enum run_state { RUN_ACTIVE, RUN_PAUSED, RUN_COMPLETE };
enum run_state run_state(const struct run *run);
/** "active", "paused", "complete". */
const char *run_state_name(const struct run *run);
/** Started to ended, or to now while it is open; never negative. */
int64_t run_open_ms(const struct run *run, int64_t now_wall_us);

/** Name and notes as they are kept: trimmed, blank notes are none. ERR_INVALID. */
int run_check(struct str *name, struct str *notes, struct err *err);

/* Sums over all requests of a run. *_known, durations, ttfts and costs count the requests that have
 * a value. */
#define RUN_COUNTED(X)                                                                             \
    X(requests)                                                                                    \
    X(successes)                                                                                   \
    X(errors)                                                                                      \
    X(pending)                                                                                     \
    X(streams)                                                                                     \
    X(images)                                                                                      \
    X(tools)                                                                                       \
    X(unpriced)                                                                                    \
    X(durations)                                                                                   \
    X(duration_ms)                                                                                 \
    X(ttfts)                                                                                       \
    X(input_known)                                                                                 \
    X(input_tokens)                                                                                \
    X(cached_input_known)                                                                          \
    X(cached_input_tokens)                                                                         \
    X(output_known)                                                                                \
    X(output_tokens)                                                                               \
    X(reasoning_known)                                                                             \
    X(reasoning_tokens)                                                                            \
    X(total_known)                                                                                 \
    X(total_tokens)                                                                                \
    X(costs)                                                                                       \
    X(cost_pusd)                                                                                   \
    X(reported_costs)                                                                              \
    X(reported_cost_pusd)
#define RUN_SUMS(X)                                                                                \
    RUN_COUNTED(X)                                                                                 \
    X(completed_us)     /* of the request that ended last; UNKNOWN */                              \
    X(first_created_us) /* of the earliest request; UNKNOWN */                                     \
    X(last_created_us)

struct run_sums {
#define X(name) int64_t name;
    RUN_SUMS(X)
#undef X
};

/** Earliest arrival to latest end of its requests; UNKNOWN while nothing has ended. */
int64_t run_wall_ms(const struct run_sums *sums);
/** sum, or UNKNOWN when no request has a value. */
int64_t run_known(int64_t sum, int64_t known);
/** Sums stop here: what they are of is more than can be counted. */
#define RUN_SUM_MAX INT64_C(9200000000000000000)
/** What it cost; UNKNOWN when no request has a cost, or all together too much. */
int64_t run_cost(const struct run_sums *sums);
/** The same of what providers reported. */
int64_t run_reported_cost(const struct run_sums *sums);

/** Where the value of a percentile stands among count sorted ones, from 0: by nearest rank. */
int64_t run_rank(int64_t count, int64_t percent);
/** Of ttft_ms or duration_ms; all but count are UNKNOWN where there are too few values. */
struct run_percentiles {
    int64_t count, p50, p95, p99, max;
};

#endif
