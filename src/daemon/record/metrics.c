#include "daemon/record/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "core/budget.h"

#define SERIES_MAX ((size_t)1000)
#define SLOTS ((size_t)2048) /* a power of two above SERIES_MAX */
#define LABEL_MAX ((size_t)160)
#define BUCKETS_MAX 16
#define PUSD_PER_USD INT64_C(1000000000000)

enum status_class { CLASS_NONE, CLASS_1XX, CLASS_2XX, CLASS_3XX, CLASS_4XX, CLASS_5XX, CLASSES };
static const char *const class_names[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

#define TOKENS(X) /* label, field of the record */                                                 \
    X(input, billing_input_tokens)                                                                 \
    X(cached_input, billing_cached_input_tokens)                                                   \
    X(cache_write_input, billing_cache_write_input_tokens)                                         \
    X(output, billing_output_tokens)                                                               \
    X(reasoning, billing_reasoning_tokens)

enum token_kind {
#define X(label, field) TOKENS_##label,
    TOKENS(X)
#undef X
        TOKEN_KINDS
};
static const char *const token_names[] = {
#define X(label, field) #label,
    TOKENS(X)
#undef X
};

struct series {
    char *labels; /* endpoint="…",model="…",provider="…"; NULL: free */
    int64_t requests[CLASSES], tokens[TOKEN_KINDS];
    int64_t cost_pusd, priced, unpriced;
};

struct histogram {
    const char *name, *help;
    const int64_t *limits_us; /* ascending, 0 ends */
    int64_t counts[BUCKETS_MAX + 1];
    int64_t sum_us;
};

struct metrics {
    pthread_mutex_t lock;
    struct series *slots, other;
    size_t used;
    struct buf labels; /* of the request at hand */
    struct histogram ttft, duration, overhead;
};

static const int64_t answer_limits_us[] = {10000,    25000,    50000,     100000,    250000,
                                           500000,   1000000,  2500000,   5000000,   10000000,
                                           30000000, 60000000, 120000000, 300000000, 0};
static const int64_t overhead_limits_us[] = {25,   50,   100,   250,   500,    1000,
                                             2500, 5000, 10000, 50000, 100000, 0};

struct metrics *metrics_new(void)
{
    struct metrics *m = xcalloc(1, sizeof(*m));

    pthread_mutex_init(&m->lock, NULL);
    m->slots = xcalloc(SLOTS, sizeof(*m->slots));
    m->other.labels = xstrdup("endpoint=\"other\",model=\"other\",provider=\"other\"");
    m->ttft = (struct histogram){.name = "llm_observe_time_to_first_token_seconds",
                                 .help = "From sending upstream to the first content of a stream.",
                                 .limits_us = answer_limits_us};
    m->duration = (struct histogram){.name = "llm_observe_request_duration_seconds",
                                     .help = "From sending upstream to the end of the answer.",
                                     .limits_us = answer_limits_us};
    m->overhead = (struct histogram){
        .name = "llm_observe_proxy_overhead_seconds",
        .help = "From the complete request to sending it upstream: the time of the proxy itself.",
        .limits_us = overhead_limits_us};
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(m->slots[i].labels);
    free(m->slots);
    free(m->other.labels);
    buf_clear(&m->labels);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* ---- adding ---- */

/* Labels are kept as C text: what comes with a NUL would end there, and the line with it. */
static void put_label(struct buf *out, const char *name, struct str value)
{
    struct buf valid = {0};
    struct err err;

    buf_printf(out, "%s%s=\"", out->len ? "," : "", name);
    if (utf8_repair(&valid, utf8_cut(value, LABEL_MAX), &err) < 0)
        valid.len = 0;
    for (size_t i = 0; i < valid.len; i++) {
        if (valid.ptr[i] == '\n')
            buf_put(out, STR("\\n"));
        else if (valid.ptr[i] == '"' || valid.ptr[i] == '\\')
            buf_printf(out, "\\%c", valid.ptr[i]);
        else if (valid.ptr[i] == '\0')
            buf_put(out, STR("\xef\xbf\xbd"));
        else
            buf_put(out, (struct str){valid.ptr + i, 1});
    }
    buf_put(out, STR("\""));
    buf_clear(&valid);
}

static size_t hash_of(struct str s)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * 16777619u;
    return hash & (SLOTS - 1);
}

static struct series *find(struct metrics *m, const struct record *r)
{
    size_t at;

    m->labels.len = 0;
    put_label(&m->labels, "endpoint", r->endpoint);
    put_label(&m->labels, "model", r->model.ptr ? r->model : STR("unknown"));
    put_label(&m->labels, "provider",
              r->billing_provider_slug.ptr ? r->billing_provider_slug : r->provider_slug);
    for (at = hash_of(buf_str(&m->labels)); m->slots[at].labels; at = (at + 1) & (SLOTS - 1))
        if (str_eq(str_c(m->slots[at].labels), buf_str(&m->labels)))
            return &m->slots[at];
    if (m->used == SERIES_MAX)
        return &m->other;
    m->used++;
    m->slots[at].labels = xstrdup(m->labels.ptr);
    return &m->slots[at];
}

static enum status_class class_of(int64_t status)
{
    return status < 100 || status > 599 ? CLASS_NONE : (enum status_class)(status / 100);
}

static void observe(struct histogram *h, int64_t us)
{
    size_t i = 0;

    if (us == UNKNOWN)
        return;
    while (h->limits_us[i] && us > h->limits_us[i])
        i++;
    h->counts[i]++;
    h->sum_us += us;
}

static int64_t to_us(int64_t ms)
{
    return ms == UNKNOWN ? UNKNOWN : ms * 1000;
}

static void add_known(int64_t *sum, int64_t value)
{
    if (value != UNKNOWN)
        *sum = budget_sum(*sum, value);
}

void metrics_add(struct metrics *m, const struct capture *c)
{
    const struct record *r = &c->record;
    struct series *s;

    pthread_mutex_lock(&m->lock);
    s = find(m, r);
    s->requests[class_of(r->response_status)]++;
#define X(label, field) add_known(&s->tokens[TOKENS_##label], r->field);
    TOKENS(X)
#undef X
    add_known(&s->cost_pusd, r->billing_total_cost_pusd);
    s->priced += r->billing_total_cost_pusd != UNKNOWN;
    s->unpriced += r->billing_total_cost_pusd == UNKNOWN;
    observe(&m->ttft, to_us(r->ttft_ms));
    observe(&m->duration, to_us(r->duration_ms));
    observe(&m->overhead, c->overhead_us);
    pthread_mutex_unlock(&m->lock);
}

/* ---- writing ---- */

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_put(struct buf *out, const char *name, const char *type, const char *help,
                 int64_t value)
{
    put_head(out, name, type, help);
    buf_printf(out, "%s %" PRId64 "\n", name, value);
}

typedef void series_fn(struct buf *out, const struct series *s);

static void put_requests(struct buf *out, const struct series *s)
{
    for (size_t i = 0; i < CLASSES; i++)
        if (s->requests[i])
            buf_printf(out, "llm_observe_requests_total{%s,status_class=\"%s\"} %" PRId64 "\n",
                       s->labels, class_names[i], s->requests[i]);
}

static void put_tokens(struct buf *out, const struct series *s)
{
    for (size_t i = 0; i < TOKEN_KINDS; i++)
        if (s->tokens[i])
            buf_printf(out, "llm_observe_tokens_total{%s,type=\"%s\"} %" PRId64 "\n", s->labels,
                       token_names[i], s->tokens[i]);
}

static void put_cost(struct buf *out, const struct series *s)
{
    if (s->priced)
        buf_printf(out, "llm_observe_cost_usd_total{%s} %" PRId64 ".%012" PRId64 "\n", s->labels,
                   s->cost_pusd / PUSD_PER_USD, s->cost_pusd % PUSD_PER_USD);
}

static void put_unpriced(struct buf *out, const struct series *s)
{
    if (s->unpriced)
        buf_printf(out, "llm_observe_unpriced_requests_total{%s} %" PRId64 "\n", s->labels,
                   s->unpriced);
}

static void put_series(struct buf *out, const struct metrics *m, const char *name, const char *help,
                       series_fn *put)
{
    put_head(out, name, "counter", help);
    for (size_t i = 0; i < SLOTS; i++)
        if (m->slots[i].labels)
            put(out, &m->slots[i]);
    put(out, &m->other);
}

static void put_seconds(struct buf *out, int64_t us)
{
    buf_printf(out, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

static void put_histogram(struct buf *out, const struct histogram *h)
{
    int64_t count = 0;
    size_t i;

    put_head(out, h->name, "histogram", h->help);
    for (i = 0; h->limits_us[i]; i++) {
        count += h->counts[i];
        buf_printf(out, "%s_bucket{le=\"", h->name);
        put_seconds(out, h->limits_us[i]);
        buf_printf(out, "\"} %" PRId64 "\n", count);
    }
    count += h->counts[i];
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum ", h->name, count, h->name);
    put_seconds(out, h->sum_us);
    buf_printf(out, "\n%s_count %" PRId64 "\n", h->name, count);
}

void metrics_write(struct metrics *m, struct buf *out)
{
    pthread_mutex_lock(&m->lock);
    put_series(out, m, "llm_observe_requests_total", "Requests that were stored.", put_requests);
    put_series(out, m, "llm_observe_tokens_total",
               "Tokens as answers report them; cached and reasoning ones are part of the others.",
               put_tokens);
    put_series(out, m, "llm_observe_cost_usd_total", "Cost of priced requests in US dollars.",
               put_cost);
    put_series(out, m, "llm_observe_unpriced_requests_total", "Requests without a known cost.",
               put_unpriced);
    put_histogram(out, &m->ttft);
    put_histogram(out, &m->duration);
    put_histogram(out, &m->overhead);
    pthread_mutex_unlock(&m->lock);
}
