/* Models and upstreams: minutes of an hour, and the newest samples of each. */
#include <stdlib.h>

#include "core/traffic_priv.h"
#include "utf8.h"

#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define LAST_ENDED 10u
#define FAILING 5
#define SLOW_OF 20 /* newest samples */

static void copy_text(char *out, size_t size, struct str text)
{
    text = utf8_cut(text, size - 1);
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

static struct str name_of(const struct record *r, enum traffic_by by)
{
    struct str name = by == TRAFFIC_BY_MODEL ? r->model : record_upstream_base(r);

    return utf8_cut(name, sizeof(((struct group *)NULL)->name) - 1);
}

static bool is_of(const char *name, const char *provider, struct str wanted, struct str slug)
{
    return str_eq(str_c(name), wanted) && str_eq(str_c(provider), slug);
}

static struct str slug_of(const struct record *r)
{
    return utf8_cut(r->provider_slug, sizeof(((struct group *)NULL)->provider_slug) - 1);
}

/* One that nothing ended of for an hour gives its place away. */
static size_t place_for_new(const struct groups *g, int64_t now_us)
{
    if (g->count < TRAFFIC_GROUPS)
        return g->count;
    for (size_t i = 0; i < TRAFFIC_GROUPS; i++)
        if (now_us - g->list[i]->last_us > HOUR_US)
            return i;
    return TRAFFIC_GROUPS;
}

/* NULL without memory, or without a name. */
static struct group *group_of(struct groups *g, enum traffic_by by, const struct record *r,
                              int64_t now_us)
{
    struct str name = name_of(r, by), slug = slug_of(r);
    size_t at;

    if (by == TRAFFIC_BY_UPSTREAM && name.len == 0)
        return NULL;
    for (size_t i = 0; i < g->count; i++)
        if (is_of(g->list[i]->name, g->list[i]->provider_slug, name, slug))
            return g->list[i];
    at = place_for_new(g, now_us);
    if (at == TRAFFIC_GROUPS && g->list[at])
        return g->list[at];
    free(g->list[at]);
    g->list[at] = calloc(1, sizeof(struct group));
    if (!g->list[at]) {
        if (at < g->count)
            g->list[at] = g->list[--g->count];
        return NULL;
    }
    g->list[at]->last_us = now_us;
    if (at == TRAFFIC_GROUPS)
        return g->list[at];
    copy_text(g->list[at]->name, sizeof(g->list[at]->name), name);
    copy_text(g->list[at]->provider_slug, sizeof(g->list[at]->provider_slug), slug);
    if (at == g->count)
        g->count++;
    return g->list[at];
}

/* ---- what happens ---- */

static void count_minute(struct group *g, const struct record *r)
{
    int64_t minute = r->completed_us / MINUTE_US;
    struct minute *m = &g->minutes[minute % TRAFFIC_MINUTES];

    if (m->minute > minute)
        return;
    if (m->minute < minute)
        *m = (struct minute){.minute = minute};
    m->requests++;
    m->errors += record_failed(r);
    m->rate_limited += r->response_status == 429;
#define ADD(field, known, value)                                                                   \
    if ((value) != UNKNOWN) {                                                                      \
        traffic_add(&m->field, (value));                                                           \
        m->known++;                                                                                \
    }
    ADD(cost_pusd, priced, r->billing_total_cost_pusd)
    ADD(input_tokens, input_known, r->billing_input_tokens)
    ADD(cached_tokens, cached_known, r->billing_cached_input_tokens)
    ADD(output_tokens, output_known, r->billing_output_tokens)
#undef ADD
    m->unpriced += r->billing_total_cost_pusd == UNKNOWN;
}

static bool is_bad(const struct record *r)
{
    const char *outcome = record_outcome(r);

    return r->response_status >= 500 ||
           (outcome && (strcmp(outcome, "failed") == 0 || strcmp(outcome, "timeout") == 0));
}

static void note_end(struct group *g, const struct record *r)
{
    int64_t tokens = r->billing_output_tokens, ms = record_generation_ms(r);
    bool has_rate = tokens > 0 && tokens < INT32_MAX && ms > 0;

    count_minute(g, r);
    g->samples[g->sample_count++ % GROUP_SAMPLES] =
        (struct group_sample){r->completed_us, r->ttft_ms,
                              has_rate ? tokens * 1000000 / ms : UNKNOWN, r->upstream_connect_ms};
    g->bad = (g->bad << 1 | is_bad(r)) & ((1u << LAST_ENDED) - 1);
    if (r->completed_us > g->last_us)
        g->last_us = r->completed_us;
    if (r->response_status == 429)
        g->limited_us = r->completed_us;
    if (!record_failed(r))
        return;
    g->last_error_us = r->completed_us;
    copy_text(g->last_error, sizeof(g->last_error),
              r->error.ptr                    ? r->error
              : r->upstream_error_message.ptr ? r->upstream_error_message
                                              : STR("failed"));
}

void traffic_groups_ended(struct traffic *t, const struct record *r)
{
    for (unsigned by = 0; by < 2; by++) {
        struct group *g = group_of(&t->groups[by], (enum traffic_by)by, r, r->completed_us);

        if (g)
            note_end(g, r);
    }
}

void traffic_groups_moved(struct traffic *t, int64_t at_us, const struct record *r, int64_t milli)
{
    struct group *g = group_of(&t->groups[TRAFFIC_BY_MODEL], TRAFFIC_BY_MODEL, r, at_us);
    int64_t second = at_us / SECOND_US;
    size_t at = (size_t)(second % (TRAFFIC_RATE_SECONDS + 2));

    if (!g || g->moved[at].second > second)
        return;
    if (g->moved[at].second < second) {
        g->moved[at].second = second;
        g->moved[at].milli = 0;
    }
    traffic_add(&g->moved[at].milli, milli);
}

void traffic_groups_free(struct traffic *t)
{
    for (size_t by = 0; by < 2; by++)
        for (size_t i = 0; i <= TRAFFIC_GROUPS; i++)
            free(t->groups[by].list[i]);
}

/* ---- what it comes to ---- */

static void add_minutes(const struct group *g, int64_t now_us, struct traffic_group *out)
{
    int64_t now = now_us / MINUTE_US;

    for (size_t i = 0; i < TRAFFIC_MINUTES; i++) {
        const struct minute *m = &g->minutes[i];

        if (m->minute <= now - TRAFFIC_MINUTES || m->minute > now)
            continue;
        out->requests += m->requests;
        out->errors += m->errors;
        out->rate_limited += m->rate_limited;
        out->unpriced += m->unpriced;
        out->priced += m->priced;
        traffic_add(&out->cost_pusd, m->cost_pusd);
        traffic_add(&out->input_tokens, m->input_tokens);
        out->input_known += m->input_known;
        traffic_add(&out->cached_tokens, m->cached_tokens);
        out->cached_known += m->cached_known;
        traffic_add(&out->output_tokens, m->output_tokens);
        out->output_known += m->output_known;
    }
}

static void add_rate(const struct group *g, int64_t now_us, struct traffic_group *out)
{
    int64_t now = now_us / SECOND_US, milli = 0;

    for (size_t i = 0; i < TRAFFIC_RATE_SECONDS + 2; i++)
        if (g->moved[i].second < now && g->moved[i].second >= now - TRAFFIC_RATE_SECONDS)
            milli += g->moved[i].milli;
    out->rate_milli = milli / TRAFFIC_RATE_SECONDS;
}

/* However few there are. */
static int64_t median(int64_t *values, size_t count)
{
    if (count == 0)
        return UNKNOWN;
    traffic_percentiles(values, count);
    return values[run_rank((int64_t)count, 50)];
}

/* The newest come first. */
static void add_samples(const struct group *g, int64_t now_us, struct traffic_group *out)
{
    int64_t ttft[GROUP_SAMPLES], late[SLOW_OF], rate[GROUP_SAMPLES], connect[GROUP_SAMPLES];
    size_t count = g->sample_count < GROUP_SAMPLES ? g->sample_count : GROUP_SAMPLES;
    size_t ttfts = 0, rates = 0, connects = 0, lates;
    int64_t late_p50;

    for (size_t i = 1; i <= count; i++) {
        const struct group_sample *s = &g->samples[(g->sample_count - i) % GROUP_SAMPLES];

        if (now_us - s->ended_us > HOUR_US)
            continue;
        if (s->ttft != UNKNOWN)
            ttft[ttfts++] = s->ttft;
        if (s->generation_milli != UNKNOWN)
            rate[rates++] = s->generation_milli;
        if (s->connect != UNKNOWN)
            connect[connects++] = s->connect;
    }
    lates = ttfts < SLOW_OF ? ttfts : SLOW_OF;
    memcpy(late, ttft, lates * sizeof(*late));
    late_p50 = median(late, lates);
    out->ttft_p50 = median(ttft, ttfts);
    out->ttft_p95 = ttfts ? ttft[run_rank((int64_t)ttfts, 95)] : UNKNOWN;
    out->generation_milli_p50 = median(rate, rates);
    out->connect_p50 = median(connect, connects);
    if (late_p50 != UNKNOWN && out->ttft_p50 != UNKNOWN && late_p50 > 3 * out->ttft_p50)
        out->state = "slow";
}

static void judge(const struct group *g, int64_t now_us, struct traffic_group *out)
{
    if (__builtin_popcount(g->bad) >= FAILING)
        out->state = "failing";
    else if (g->limited_us && now_us - g->limited_us <= MINUTE_US)
        out->state = "limited";
    if (out->requests == 0)
        out->state = "idle";
}

static void fill(const struct group *g, int64_t now_us, struct traffic_group *out)
{
    *out = (struct traffic_group){.state = "ok"};
    memcpy(out->name, g->name, sizeof(out->name));
    memcpy(out->provider_slug, g->provider_slug, sizeof(out->provider_slug));
    memcpy(out->last_error, g->last_error, sizeof(out->last_error));
    out->last_error_us = g->last_error[0] ? g->last_error_us : UNKNOWN;
    add_minutes(g, now_us, out);
    add_rate(g, now_us, out);
    add_samples(g, now_us, out);
    judge(g, now_us, out);
}

struct traffic_group *traffic_groups(const struct traffic *t, enum traffic_by by, int64_t now_us,
                                     size_t *count)
{
    const struct groups *g = &t->groups[by];
    struct traffic_group *out = calloc(TRAFFIC_GROUPS + 1, sizeof(*out));
    size_t n = 0;

    *count = 0;
    if (!out)
        return NULL;
    for (size_t i = 0; i <= TRAFFIC_GROUPS; i++) {
        if (!g->list[i] || (i >= g->count && i < TRAFFIC_GROUPS))
            continue;
        fill(g->list[i], now_us, &out[n]);
        out[n].other = i == TRAFFIC_GROUPS;
        if (out[n].requests > 0 || out[n].rate_milli > 0)
            n++;
    }
    *count = n;
    traffic_groups_sort(out, n);
    return out;
}

void traffic_groups_inflight(struct traffic_group *const *groups, size_t *count, enum traffic_by by,
                             const struct record *r)
{
    struct str name = name_of(r, by), slug = slug_of(r);
    struct traffic_group *g;

    if (!*groups || (by == TRAFFIC_BY_UPSTREAM && name.len == 0))
        return;
    for (size_t i = 0; i < *count; i++) {
        g = &(*groups)[i];
        if (g->other ? i == TRAFFIC_GROUPS : is_of(g->name, g->provider_slug, name, slug)) {
            g->inflight++;
            return;
        }
    }
    if (*count > TRAFFIC_GROUPS)
        return;
    g = &(*groups)[(*count)++];
    *g = (struct traffic_group){.inflight = 1,
                                .other = *count > TRAFFIC_GROUPS,
                                .generation_milli_p50 = UNKNOWN,
                                .ttft_p50 = UNKNOWN,
                                .ttft_p95 = UNKNOWN,
                                .connect_p50 = UNKNOWN,
                                .last_error_us = UNKNOWN,
                                .state = "ok"};
    if (g->other)
        return;
    copy_text(g->name, sizeof(g->name), name);
    copy_text(g->provider_slug, sizeof(g->provider_slug), slug);
}

static int busier(const void *a, const void *b)
{
    const struct traffic_group *x = a, *y = b;
    int64_t of_x = x->requests + x->inflight, of_y = y->requests + y->inflight;

    if (x->other != y->other)
        return x->other - y->other;
    if (of_x != of_y)
        return of_x < of_y ? 1 : -1;
    return strcmp(x->name, y->name);
}

void traffic_groups_sort(struct traffic_group *groups, size_t count)
{
    if (count > 1)
        qsort(groups, count, sizeof(*groups), busier);
}
