#include "otlp/otlp_metrics.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "otlp/otlp_json.h"

#define SLOTS ((size_t)2048) /* a power of two above OTLP_POINTS_MAX */
#define BUCKETS_MAX 17
#define CUMULATIVE 2

/* The limits of buckets are prescribed by the conventions. Values are integers: tokens,
 * milliseconds, pico-dollars; decimals is how many of their digits are behind the point. */
static const int64_t token_limits[] = {
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864, 0};
static const int64_t duration_limits[] = {10,   20,   40,    80,    160,   320,   640, 1280,
                                          2560, 5120, 10240, 20480, 40960, 81920, 0};
static const int64_t first_token_limits[] = {1,   5,   10,   20,   40,   60,   80,    100, 250,
                                             500, 750, 1000, 2500, 5000, 7500, 10000, 0};

enum { TOKENS, DURATION, FIRST_CHUNK, FIRST_TOKEN, COST, METRICS };

static const struct kind {
    const char *name, *unit, *help;
    const int64_t *limits; /* ascending, 0 ends; NULL: a sum */
    int decimals;
} kinds[METRICS] = {
    [TOKENS] = {"gen_ai.client.token.usage", "{token}", "Number of input and output tokens used.",
                token_limits, 0},
    [DURATION] = {"gen_ai.client.operation.duration", "s", "GenAI operation duration.",
                  duration_limits, 3},
    [FIRST_CHUNK] = {"gen_ai.client.operation.time_to_first_chunk", "s",
                     "Time from the request to the first bytes of a stream.", duration_limits, 3},
    [FIRST_TOKEN] = {"gen_ai.server.time_to_first_token", "s",
                     "Time from the request to the first content of a stream that went well.",
                     first_token_limits, 3},
    [COST] = {"llm_observe_proxy.cost", "{USD}", "Cost of priced requests in US dollars.", NULL,
              12},
};

struct point {
    char *attributes; /* the elements of the JSON list; NULL: free */
    int64_t count, sum, least, most;
    int64_t buckets[BUCKETS_MAX];
};

struct metric {
    struct point *slots[SLOTS];
    struct point overflow;
    size_t used;
};

struct otlp_metrics {
    struct metric metrics[METRICS];
    struct buf attributes; /* of the record at hand */
};

struct otlp_metrics *otlp_metrics_new(void)
{
    struct otlp_metrics *m = xcalloc(1, sizeof(*m));
    struct buf all = {0};

    otlp_put_true(&all, "otel.metric.overflow");
    for (size_t i = 0; i < METRICS; i++)
        m->metrics[i].overflow.attributes = xstrdup(all.ptr);
    buf_clear(&all);
    return m;
}

static void free_metric(struct metric *m)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (m->slots[i])
            free(m->slots[i]->attributes);
        free(m->slots[i]);
    }
    free(m->overflow.attributes);
}

void otlp_metrics_free(struct otlp_metrics *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < METRICS; i++)
        free_metric(&m->metrics[i]);
    buf_clear(&m->attributes);
    free(m);
}

/* ---- adding ---- */

static size_t hash_of(struct str s)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * 16777619u;
    return hash & (SLOTS - 1);
}

static struct point *find(struct metric *m, struct str attributes)
{
    size_t at = hash_of(attributes);

    for (; m->slots[at]; at = (at + 1) & (SLOTS - 1))
        if (str_eq(str_c(m->slots[at]->attributes), attributes))
            return m->slots[at];
    if (m->used == OTLP_POINTS_MAX)
        return &m->overflow;
    m->used++;
    m->slots[at] = xcalloc(1, sizeof(*m->slots[at]));
    m->slots[at]->attributes = str_dup(attributes);
    return m->slots[at];
}

static void observe(struct otlp_metrics *m, size_t kind, int64_t value)
{
    const int64_t *limits = kinds[kind].limits;
    struct point *p;
    size_t i = 0;

    if (value == UNKNOWN || value < 0)
        return;
    p = find(&m->metrics[kind], buf_str(&m->attributes));
    p->least = p->count == 0 || value < p->least ? value : p->least;
    p->most = value > p->most ? value : p->most;
    p->count++;
    if (__builtin_add_overflow(p->sum, value, &p->sum))
        p->sum = INT64_MAX;
    while (limits && limits[i] && value > limits[i])
        i++;
    p->buckets[i]++;
}

/* The same with one more attribute. */
static void observe_as(struct otlp_metrics *m, size_t kind, int64_t value, const char *key,
                       struct str name)
{
    size_t before = m->attributes.len;

    otlp_put_text(&m->attributes, key, name);
    observe(m, kind, value);
    buf_cut(&m->attributes, before);
}

void otlp_metrics_add(struct otlp_metrics *m, const struct record *r, const struct otlp_call *call)
{
    if (!call->operation)
        return;
    m->attributes.len = 0;
    otlp_put_call(&m->attributes, call, r);
    observe_as(m, DURATION, r->duration_ms, "error.type", call->error_type);
    observe_as(m, TOKENS, r->billing_input_tokens, "gen_ai.token.type", STR("input"));
    observe_as(m, TOKENS, r->billing_output_tokens, "gen_ai.token.type", STR("output"));
    observe(m, COST, r->billing_total_cost_pusd);
    if (!r->is_stream)
        return;
    observe(m, FIRST_CHUNK, r->first_byte_ms);
    if (!call->error_type.ptr)
        observe(m, FIRST_TOKEN, r->ttft_ms);
}

/* ---- writing ---- */

struct span_of_time {
    int64_t start_us, now_us;
};

static void put_buckets(struct buf *out, const struct kind *kind, const struct point *p)
{
    size_t count = 0;

    buf_put(out, STR(",\"bucketCounts\":["));
    do {
        otlp_next(out);
        buf_printf(out, "\"%" PRId64 "\"", p->buckets[count]);
    } while (kind->limits[count++]);
    buf_put(out, STR("],\"explicitBounds\":["));
    for (size_t i = 0; kind->limits[i]; i++) {
        otlp_next(out);
        otlp_decimal(out, kind->limits[i], kind->decimals);
    }
    buf_put(out, STR("]"));
}

static void put_number(struct buf *out, const char *key, int64_t value, int decimals)
{
    buf_printf(out, ",\"%s\":", key);
    otlp_decimal(out, value, decimals);
}

static void put_point(struct buf *out, const struct kind *kind, const struct point *p,
                      struct span_of_time time)
{
    if (p->count == 0)
        return;
    otlp_next(out);
    buf_printf(out,
               "{\"attributes\":[%s],\"startTimeUnixNano\":\"%" PRId64
               "000\",\"timeUnixNano\":\"%" PRId64 "000\"",
               p->attributes, time.start_us, time.now_us);
    if (kind->limits) {
        buf_printf(out, ",\"count\":\"%" PRId64 "\"", p->count);
        put_number(out, "sum", p->sum, kind->decimals);
        put_number(out, "min", p->least, kind->decimals);
        put_number(out, "max", p->most, kind->decimals);
        put_buckets(out, kind, p);
    } else {
        put_number(out, "asDouble", p->sum, kind->decimals);
    }
    buf_put(out, STR("}"));
}

static void put_metric(struct buf *out, const struct kind *kind, const struct metric *m,
                       struct span_of_time time)
{
    if (m->used == 0)
        return;
    otlp_next(out);
    buf_printf(out, "{\"name\":\"%s\",\"description\":\"%s\",\"unit\":\"%s\",\"%s\":{", kind->name,
               kind->help, kind->unit, kind->limits ? "histogram" : "sum");
    buf_printf(out, "\"aggregationTemporality\":%d,%s\"dataPoints\":[", CUMULATIVE,
               kind->limits ? "" : "\"isMonotonic\":true,");
    for (size_t i = 0; i < SLOTS; i++)
        if (m->slots[i])
            put_point(out, kind, m->slots[i], time);
    put_point(out, kind, &m->overflow, time);
    buf_put(out, STR("]}}"));
}

bool otlp_metrics_write(const struct otlp_metrics *m, struct buf *out, int64_t start_us,
                        int64_t now_us)
{
    size_t before = out->len;

    buf_put(out, STR("["));
    for (size_t i = 0; i < METRICS; i++)
        put_metric(out, &kinds[i], &m->metrics[i], (struct span_of_time){start_us, now_us});
    buf_put(out, STR("]"));
    if (out->len > before + 2)
        return true;
    buf_cut(out, before);
    return false;
}
