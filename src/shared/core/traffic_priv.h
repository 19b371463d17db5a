/* core/traffic_priv.h - what traffic.c and traffic_groups.c share. */
#ifndef CORE_TRAFFIC_PRIV_H
#define CORE_TRAFFIC_PRIV_H

#include "core/traffic.h"

#define RING (TRAFFIC_SECONDS + 4)
#define GROUP_SAMPLES 128 /* of percentiles of a group */
#define MODELS_KNOWN 512  /* with a mean of tokens an event; a power of two */
#define SECOND_US INT64_C(1000000)

/* Upstreams may report what they like: sums stop at the largest number. */
static inline void traffic_add(int64_t *sum, int64_t value)
{
    if (__builtin_add_overflow(*sum, value, sum))
        *sum = INT64_MAX;
}

struct second {
    int64_t second;
    int64_t finished, errors, client_gone, unpriced, cost_pusd;
    int64_t input_tokens, cached_tokens, cached_of, output_milli, bytes;
};

struct stream_sample {
    int64_t ended_us, ttft, gap_avg, gap_p95, gap_max;
};
struct duration_sample {
    int64_t ended_us, duration;
};

struct minute {
    int64_t minute;
    int64_t requests, errors, rate_limited, unpriced, priced, cost_pusd;
    int64_t input_tokens, input_known, cached_tokens, cached_known, output_tokens, output_known;
};
struct group_sample {
    int64_t ended_us, ttft, generation_milli, connect;
};
struct group {
    char name[128], provider_slug[64];
    struct minute minutes[TRAFFIC_MINUTES];
    struct group_sample samples[GROUP_SAMPLES]; /* a ring */
    size_t sample_count;                        /* since the start */
    struct {
        int64_t second, milli;
    } moved[TRAFFIC_RATE_SECONDS + 2];
    unsigned ended, bad; /* the last ten, and bits of those that failed */
    int64_t last_us, limited_us, last_error_us;
    char last_error[160];
};
struct groups {
    struct group *list[TRAFFIC_GROUPS + 1]; /* made when needed; the last one: all others */
    size_t count;                           /* without that */
};

struct event_mean {
    uint64_t hash; /* of the upstream model; 0: free */
    int64_t tokens, events;
};

struct traffic {
    struct second seconds[RING];
    struct stream_sample streams[TRAFFIC_SAMPLES];
    struct duration_sample durations[TRAFFIC_SAMPLES];
    size_t stream_count, duration_count; /* since the start */
    struct groups groups[2];
    struct event_mean means[MODELS_KNOWN];
    struct traffic_problem problems[TRAFFIC_PROBLEMS];
    size_t problem_count; /* since the start */
};

uint64_t traffic_hash(struct str a, struct str b);
void traffic_groups_ended(struct traffic *t, const struct record *r);
void traffic_groups_moved(struct traffic *t, int64_t at_us, const struct record *r, int64_t milli);
void traffic_groups_free(struct traffic *t);

#endif
