#include <stdio.h>
#include <stdlib.h>

#include "core/traffic_priv.h"
#include "utf8.h"
#include "xalloc.h"

/* ---- seconds ---- */

void traffic_pulse_begin(struct traffic_pulse *p, int64_t at_us)
{
    int64_t second = at_us / SECOND_US;

    if (p->seconds[second % RING].second != second) {
        p->seconds[second % RING].second = second;
        p->seconds[second % RING].arrivals = 0;
        p->seconds[second % RING].before = p->seconds[second % RING].most = p->now;
    }
    p->seconds[second % RING].arrivals++;
    p->now++;
    if (p->now > p->seconds[second % RING].most)
        p->seconds[second % RING].most = p->now;
}

void traffic_pulse_end(struct traffic_pulse *p, int64_t at_us)
{
    int64_t second = at_us / SECOND_US;

    if (p->seconds[second % RING].second != second) {
        p->seconds[second % RING].second = second;
        p->seconds[second % RING].arrivals = 0;
        p->seconds[second % RING].before = p->seconds[second % RING].most = p->now;
    }
    p->now--;
}

/* The second to count in; NULL when it is too long ago. */
static struct second *second_at(struct traffic *t, int64_t at_us)
{
    int64_t second = at_us / SECOND_US;
    struct second *s = &t->seconds[second % RING];

    if (s->second > second)
        return NULL;
    if (s->second < second)
        *s = (struct second){.second = second};
    return s;
}

static const struct second *second_of(const struct traffic *t, int64_t second)
{
    static const struct second none;
    const struct second *s = &t->seconds[second % RING];

    return s->second == second ? s : &none;
}

/* ---- what happens ---- */

struct traffic *traffic_new(void)
{
    return xcalloc(1, sizeof(struct traffic));
}

void traffic_free(struct traffic *t)
{
    if (!t)
        return;
    traffic_groups_free(t);
    free(t);
}

uint64_t traffic_hash(struct str a, struct str b)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < a.len; i++)
        hash = (hash ^ (unsigned char)a.ptr[i]) * UINT64_C(1099511628211);
    hash = (hash ^ 0x100) * UINT64_C(1099511628211);
    for (size_t i = 0; i < b.len; i++)
        hash = (hash ^ (unsigned char)b.ptr[i]) * UINT64_C(1099511628211);
    return hash | 1;
}

void traffic_moved(struct traffic *t, int64_t at_us, const struct record *r, int64_t bytes,
                   int64_t output_milli)
{
    struct second *s = second_at(t, at_us);

    if (s) {
        traffic_add(&s->bytes, bytes);
        traffic_add(&s->output_milli, output_milli);
    }
    if (output_milli > 0)
        traffic_groups_moved(t, at_us, r, output_milli);
}

static struct event_mean *mean_of(const struct traffic *t, struct str model)
{
    uint64_t hash = traffic_hash(model, STR(""));
    size_t at = hash % MODELS_KNOWN;

    for (size_t i = 0; i < 16; i++, at = (at + 1) % MODELS_KNOWN) {
        const struct event_mean *m = &t->means[at];

        if (m->hash == hash || m->hash == 0)
            return (struct event_mean *)m;
    }
    return NULL;
}

int64_t traffic_event_milli(const struct traffic *t, struct str upstream_model)
{
    const struct event_mean *m = mean_of(t, upstream_model);

    return m && m->events > 0 ? (m->tokens * 1000 + m->events / 2) / m->events : 1000;
}

static void learn_mean(struct traffic *t, const struct record *r, int64_t content_events)
{
    struct event_mean *m;

    if (content_events <= 0 || r->billing_output_tokens <= 0 ||
        r->billing_output_tokens > INT32_MAX || !str_eq(r->terminated_by, STR("upstream_eof")))
        return;
    m = mean_of(t, r->upstream_model);
    if (!m)
        return;
    m->hash = traffic_hash(r->upstream_model, STR(""));
    traffic_add(&m->tokens, r->billing_output_tokens);
    m->events += content_events;
}

static void count_second(struct second *s, const struct record *r)
{
    s->finished++;
    s->errors += record_failed(r);
    s->client_gone += str_eq(r->terminated_by, STR(TERMINATED_CLIENT));
    if (r->billing_total_cost_pusd == UNKNOWN)
        s->unpriced++;
    else
        traffic_add(&s->cost_pusd, r->billing_total_cost_pusd);
    if (r->billing_input_tokens == UNKNOWN)
        return;
    traffic_add(&s->input_tokens, r->billing_input_tokens);
    if (r->billing_cached_input_tokens == UNKNOWN)
        return;
    traffic_add(&s->cached_tokens, r->billing_cached_input_tokens);
    traffic_add(&s->cached_of, r->billing_input_tokens);
}

static void add_samples(struct traffic *t, const struct record *r)
{
    if (r->is_stream)
        t->streams[t->stream_count++ % TRAFFIC_SAMPLES] = (struct stream_sample){
            r->completed_us,     r->ttft_ms,          r->chunk_gap_avg_ms,
            r->chunk_gap_p95_ms, r->chunk_gap_max_ms,
        };
    if (r->duration_ms != UNKNOWN)
        t->durations[t->duration_count++ % TRAFFIC_SAMPLES] =
            (struct duration_sample){r->completed_us, r->duration_ms};
}

/* "glm-4.7: connection refused, client got 502" */
static void note_error(struct traffic *t, const struct record *r)
{
    struct str model = r->model.ptr ? r->model : r->endpoint;
    char text[200];
    int n;

    if (r->error.ptr || r->upstream_error_message.ptr)
        n = snprintf(text, sizeof(text), "%.*s: %.*s", STR_ARG(utf8_cut(model, 60)),
                     STR_ARG(utf8_cut(r->error.ptr ? r->error : r->upstream_error_message, 100)));
    else
        n = snprintf(text, sizeof(text), "%.*s: failed", STR_ARG(utf8_cut(model, 60)));
    if (n > 0 && r->response_status != UNKNOWN && r->response_status >= 400)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ", client got %d",
                      (int)r->response_status);
    traffic_problem(t, r->completed_us, r->id, (struct str){text, n > 0 ? (size_t)n : 0});
}

/* What came since the last look; of other answers all of it. */
static int64_t rest_milli(const struct traffic *t, const struct record *r,
                          const struct traffic_end *end)
{
    int64_t tokens = r->billing_output_tokens;

    if (end->content_events != UNKNOWN)
        return (end->content_events - end->moved_events) *
               traffic_event_milli(t, r->upstream_model);
    return tokens > 0 && tokens < INT32_MAX ? tokens * 1000 : 0;
}

void traffic_ended(struct traffic *t, const struct record *r, const struct traffic_end *end)
{
    struct second *s = second_at(t, r->completed_us);
    int64_t bytes = r->response_bytes == UNKNOWN ? 0 : r->response_bytes - end->moved_bytes;

    if (s)
        count_second(s, r);
    traffic_moved(t, r->completed_us, r, bytes > 0 ? bytes : 0, rest_milli(t, r, end));
    add_samples(t, r);
    learn_mean(t, r, end->content_events);
    traffic_groups_ended(t, r);
    if (record_failed(r))
        note_error(t, r);
}

void traffic_problem(struct traffic *t, int64_t at_us, int64_t id, struct str text)
{
    struct traffic_problem *p = &t->problems[t->problem_count++ % TRAFFIC_PROBLEMS];

    p->at_us = at_us;
    p->id = id;
    snprintf(p->text, sizeof(p->text), "%.*s", STR_ARG(utf8_cut(text, sizeof(p->text) - 1)));
}

/* ---- what it comes to ---- */

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

struct run_percentiles traffic_percentiles(int64_t *values, size_t count)
{
    int64_t n = (int64_t)count;
    struct run_percentiles p = {n, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};

    if (count == 0)
        return p;
    qsort(values, count, sizeof(*values), compare);
    p.max = values[count - 1];
    if (count < 5)
        return p;
    p.p50 = values[run_rank(n, 50)];
    p.p95 = values[run_rank(n, 95)];
    p.p99 = values[run_rank(n, 99)];
    return p;
}

/* The first and the last of the full seconds of a window. */
static int64_t last_full(int64_t now_us)
{
    return now_us / SECOND_US - 1;
}

void traffic_rates(const struct traffic *t, const struct traffic_pulse *p, int64_t now_us,
                   struct traffic_rates *out)
{
    int64_t last = last_full(now_us);

    *out = (struct traffic_rates){0};
    for (int64_t at = last - TRAFFIC_RATE_SECONDS + 1; at <= last; at++) {
        const struct second *s = second_of(t, at);

        if (p->seconds[at % RING].second == at)
            out->requests += p->seconds[at % RING].arrivals;
        traffic_add(&out->output_milli, s->output_milli);
        traffic_add(&out->input_tokens, s->input_tokens);
        traffic_add(&out->response_bytes, s->bytes);
    }
}

void traffic_minute(const struct traffic *t, int64_t now_us, struct traffic_minute *out)
{
    int64_t now = now_us / SECOND_US;

    *out = (struct traffic_minute){0};
    for (int64_t at = now - 59; at <= now; at++) {
        const struct second *s = second_of(t, at);

        traffic_add(&out->cost_pusd, s->cost_pusd);
        out->finished += s->finished;
        out->unpriced += s->unpriced;
    }
}

static size_t newest(size_t count)
{
    return count < TRAFFIC_SAMPLES ? count : TRAFFIC_SAMPLES;
}

static void stream_percentiles(const struct traffic *t, int64_t since_us,
                               struct traffic_recent *out)
{
    int64_t ttft[TRAFFIC_SAMPLES], mean[TRAFFIC_SAMPLES], p95[TRAFFIC_SAMPLES], most = UNKNOWN;
    size_t ttfts = 0, gaps = 0;

    for (size_t i = 0; i < newest(t->stream_count); i++) {
        const struct stream_sample *s = &t->streams[i];

        if (s->ended_us < since_us)
            continue;
        if (s->ttft != UNKNOWN)
            ttft[ttfts++] = s->ttft;
        if (s->gap_avg == UNKNOWN)
            continue;
        mean[gaps] = s->gap_avg;
        p95[gaps++] = s->gap_p95;
        if (most == UNKNOWN || s->gap_max > most)
            most = s->gap_max;
    }
    out->ttft = traffic_percentiles(ttft, ttfts);
    out->gap = traffic_percentiles(mean, gaps);
    out->gap.p95 = traffic_percentiles(p95, gaps).p95;
    out->gap.p99 = UNKNOWN;
    out->gap.max = most;
}

void traffic_recent(const struct traffic *t, int64_t now_us, struct traffic_recent *out)
{
    int64_t now = now_us / SECOND_US, since_us = (now - TRAFFIC_SECONDS + 1) * SECOND_US;
    int64_t durations[TRAFFIC_SAMPLES];
    size_t count = 0;

    *out = (struct traffic_recent){0};
    for (int64_t at = now - TRAFFIC_SECONDS + 1; at <= now; at++) {
        const struct second *s = second_of(t, at);

        out->finished += s->finished;
        out->errors += s->errors;
        out->client_gone += s->client_gone;
        out->unpriced += s->unpriced;
        traffic_add(&out->cached_tokens, s->cached_tokens);
        traffic_add(&out->cached_of, s->cached_of);
    }
    stream_percentiles(t, since_us, out);
    for (size_t i = 0; i < newest(t->duration_count); i++)
        if (t->durations[i].ended_us >= since_us)
            durations[count++] = t->durations[i].duration;
    out->duration = traffic_percentiles(durations, count);
}

int64_t traffic_series(const struct traffic *t, const struct traffic_pulse *p, int64_t now_us,
                       struct traffic_second *out, size_t count)
{
    int64_t last = last_full(now_us), inflight = p->now, now = last + 1;

    if (p->seconds[now % RING].second == now)
        inflight = p->seconds[now % RING].before;
    for (size_t i = count; i > 0; i--) {
        int64_t at = last - (int64_t)(count - i);
        const struct second *s = second_of(t, at);
        bool known = p->seconds[at % RING].second == at;

        out[i - 1] = (struct traffic_second){
            .requests = known ? p->seconds[at % RING].arrivals : 0,
            .errors = s->errors,
            .inflight = known ? p->seconds[at % RING].most : inflight,
            .output_tokens = (s->output_milli + 500) / 1000,
            .input_tokens = s->input_tokens,
            .response_bytes = s->bytes,
            .cost_pusd = s->cost_pusd,
        };
        if (known)
            inflight = p->seconds[at % RING].before;
    }
    return now * SECOND_US;
}

size_t traffic_problems(const struct traffic *t, struct traffic_problem out[TRAFFIC_PROBLEMS])
{
    size_t count = t->problem_count < TRAFFIC_PROBLEMS ? t->problem_count : TRAFFIC_PROBLEMS;

    for (size_t i = 0; i < count; i++)
        out[i] = t->problems[(t->problem_count - count + i) % TRAFFIC_PROBLEMS];
    return count;
}

void traffic_figures(const struct traffic *t, const struct traffic_pulse *p, int64_t now_us,
                     struct traffic_figures *out)
{
    *out = (struct traffic_figures){.now_us = now_us};
    traffic_rates(t, p, now_us, &out->rates);
    traffic_minute(t, now_us, &out->minute);
    traffic_recent(t, now_us, &out->recent);
    out->series_end_us = traffic_series(t, p, now_us, out->seconds, TRAFFIC_SECONDS);
    for (unsigned by = 0; by < 2; by++)
        out->groups[by] = traffic_groups(t, (enum traffic_by)by, now_us, &out->group_counts[by]);
    out->problem_count = traffic_problems(t, out->problems);
}

void traffic_figures_clear(struct traffic_figures *f)
{
    free(f->groups[0]);
    free(f->groups[1]);
    f->groups[0] = f->groups[1] = NULL;
}

void traffic_figures_inflight(struct traffic_figures *f, const struct record *r)
{
    for (unsigned by = 0; by < 2; by++)
        traffic_groups_inflight(&f->groups[by], &f->group_counts[by], (enum traffic_by)by, r);
}
