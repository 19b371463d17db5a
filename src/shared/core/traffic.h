/* core/traffic.h - what happened lately: rates, percentiles, series, models, upstreams, problems.
 *
 * For the running proxy, which tells it what happens, and for stored rows, which can be told in the
 * same way. Times are microseconds since the epoch; nothing here looks at a clock or takes a lock.
 * The memory is fixed: seconds of five minutes, minutes of an hour, the newest samples, so many
 * models and upstreams. */
#ifndef CORE_TRAFFIC_H
#define CORE_TRAFFIC_H

#include "core/record.h"
#include "core/run.h"

#define TRAFFIC_SECONDS 300  /* of series, and what "recent" means */
#define TRAFFIC_MINUTES 60   /* of models and upstreams */
#define TRAFFIC_SAMPLES 1024 /* of percentiles */
#define TRAFFIC_GROUPS 200   /* models, and as many upstreams; what comes after is one more */
#define TRAFFIC_PROBLEMS 20
#define TRAFFIC_RATE_SECONDS 10

/* ---- requests that arrive and are in flight ---- */

/** {0} is empty. Apart from the rest, so that a loop may count while others read. */
struct traffic_pulse {
    struct {
        int64_t second, arrivals, most, before;
    } seconds[TRAFFIC_SECONDS + 4];
    int64_t now; /* in flight */
};
void traffic_pulse_begin(struct traffic_pulse *p, int64_t at_us);
void traffic_pulse_end(struct traffic_pulse *p, int64_t at_us);

/* ---- what ended ---- */

struct traffic;

/** Returns owned, traffic_free(). */
struct traffic *traffic_new(void);
void traffic_free(struct traffic *t);

/** Part of an answer arrived: bytes, and thousandths of output tokens, of a client's model. */
void traffic_moved(struct traffic *t, int64_t at_us, const struct record *r, int64_t bytes,
                   int64_t output_milli);
/** What is known of the end of a request besides its record. */
struct traffic_end {
    int64_t content_events;            /* UNKNOWN: not a stream that was watched */
    int64_t moved_events, moved_bytes; /* traffic_moved() was told of them */
};
/** A request ended: r is complete. */
void traffic_ended(struct traffic *t, const struct record *r, const struct traffic_end *end);
/** A line for the list of problems; id is UNKNOWN when it is not about a request. */
void traffic_problem(struct traffic *t, int64_t at_us, int64_t id, struct str text);

/** Output tokens of a content event of an upstream model, in thousandths: the mean of its finished
 *  requests, 1000 until one is known. */
int64_t traffic_event_milli(const struct traffic *t, struct str upstream_model);

/* ---- what it comes to ---- */

struct traffic_rates { /* sums of the last ten full seconds */
    int64_t requests, output_milli, input_tokens, response_bytes;
};
struct traffic_minute {
    int64_t cost_pusd, finished, unpriced;
};
struct traffic_recent { /* five minutes */
    int64_t finished, errors, client_gone, unpriced;
    int64_t cached_tokens, cached_of; /* where both are known: cached, and of how much input */
    struct run_percentiles ttft, gap, duration; /* gap: p50 of means, p95 of p95s, no p99 */
};
void traffic_rates(const struct traffic *t, const struct traffic_pulse *p, int64_t now_us,
                   struct traffic_rates *out);
void traffic_minute(const struct traffic *t, int64_t now_us, struct traffic_minute *out);
void traffic_recent(const struct traffic *t, int64_t now_us, struct traffic_recent *out);

#define TRAFFIC_SERIES(X)                                                                          \
    X(requests)                                                                                    \
    X(errors)                                                                                      \
    X(inflight)                                                                                    \
    X(output_tokens)                                                                               \
    X(input_tokens)                                                                                \
    X(response_bytes)                                                                              \
    X(cost_pusd)
/** One full second. */
struct traffic_second {
#define X(name) int64_t name;
    TRAFFIC_SERIES(X)
#undef X
};
/** The last count full seconds, oldest first; the newest ended at the returned time. */
int64_t traffic_series(const struct traffic *t, const struct traffic_pulse *p, int64_t now_us,
                       struct traffic_second *out, size_t count);

enum traffic_by { TRAFFIC_BY_MODEL, TRAFFIC_BY_UPSTREAM };

/** What a model of a provider, or an upstream, did in the last hour. */
struct traffic_group {
    bool other;     /* of all that there was no room for */
    char name[128]; /* the client's model, or the base URL; "" unknown */
    char provider_slug[64];
    int64_t inflight; /* counted by traffic_groups_inflight() */
    int64_t requests, errors, rate_limited, unpriced, priced, cost_pusd;
    int64_t input_tokens, input_known, cached_tokens, cached_known, output_tokens, output_known;
    int64_t rate_milli;           /* output of the last ten full seconds */
    int64_t generation_milli_p50; /* tokens a second, in thousandths */
    int64_t ttft_p50, ttft_p95, connect_p50;
    char last_error[160];
    int64_t last_error_us; /* UNKNOWN */
    const char *state;     /* ok, limited, failing, slow, idle; of an upstream */
};
/** At most TRAFFIC_GROUPS + 1, busiest first. Returns owned, free(); NULL when there is none. */
struct traffic_group *traffic_groups(const struct traffic *t, enum traffic_by by, int64_t now_us,
                                     size_t *count);
/** A request in flight belongs to one of these; the list grows by those that have not ended yet. */
void traffic_groups_inflight(struct traffic_group *const *groups, size_t *count, enum traffic_by by,
                             const struct record *r);
/** In order again after that. */
void traffic_groups_sort(struct traffic_group *groups, size_t count);

struct traffic_problem {
    int64_t at_us, id;
    char text[200];
};
/** Newest last; returns how many, at most TRAFFIC_PROBLEMS. */
size_t traffic_problems(const struct traffic *t, struct traffic_problem out[TRAFFIC_PROBLEMS]);

/** All of it at one moment. */
struct traffic_figures {
    int64_t now_us;
    struct traffic_rates rates;
    struct traffic_minute minute;
    struct traffic_recent recent;
    int64_t series_end_us;
    struct traffic_second seconds[TRAFFIC_SECONDS]; /* oldest first */
    struct traffic_group *groups[2];                /* by enum traffic_by; owned */
    size_t group_counts[2];
    struct traffic_problem problems[TRAFFIC_PROBLEMS];
    size_t problem_count;
};
/** Release with traffic_figures_clear(). */
void traffic_figures(const struct traffic *t, const struct traffic_pulse *p, int64_t now_us,
                     struct traffic_figures *out);
void traffic_figures_clear(struct traffic_figures *f);
/** Count a request in flight to its model and its upstream. */
void traffic_figures_inflight(struct traffic_figures *f, const struct record *r);

/** Percentiles of values by nearest rank; sorts them. p50, p95 and p99 are UNKNOWN below five. */
struct run_percentiles traffic_percentiles(int64_t *values, size_t count);

#endif
