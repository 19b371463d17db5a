#include "daemon/otel/otel.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/otel/otel_post.h"
#include "otlp/otlp_config.h"
#include "otlp/otlp_metrics.h"
#include "otlp/otlp_span.h"
#include "json/json.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 8000
#define HOLD_MAX_MS 300000 /* the longest pause a collector may ask for */

/* One signal on its way; exporting thread only. */
struct pipe {
    const struct otlp_target *target;
    struct otel_post *post; /* NULL: the signal is off */
    int64_t hold_us;        /* the collector asked for silence until then */
    bool failing;
};

struct otel {
    struct otlp_config config;
    struct open_runs *runs;
    pthread_t thread;
    int64_t started_wall_us;
    struct pipe traces, metrics;
    _Atomic int64_t until_us; /* when all must end; 0: not stopping */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    struct str *spans; /* a ring of JSON texts, owned */
    size_t first, count;
    int64_t spans_due_us; /* of what is queued */
    struct otlp_metrics *sums;
    struct otel_stats stats;
};

/* ---- the writer's side ---- */

static bool is_full(struct otel *o)
{
    bool full;

    pthread_mutex_lock(&o->lock);
    full = o->count == o->config.queue_max;
    o->stats.dropped_spans += full;
    pthread_mutex_unlock(&o->lock);
    return full;
}

static void push(struct otel *o, struct str span)
{
    bool ring;

    pthread_mutex_lock(&o->lock);
    o->spans[(o->first + o->count++) % o->config.queue_max] = span;
    if (o->count == 1)
        o->spans_due_us = clock_now_us() + o->config.schedule_ms * 1000;
    ring = o->count == 1 || o->count == o->config.batch_max;
    pthread_mutex_unlock(&o->lock);
    if (ring)
        pthread_cond_signal(&o->wake);
}

/* Only the writer adds, so what has room keeps it. */
static void add_span(struct otel *o, const struct record *r, const struct otlp_call *call)
{
    unsigned char random[OTLP_RANDOM];
    struct otlp_context context;
    struct buf json = {0}, run = {0};

    otlp_context_read(r->request_headers_json, &context);
    if (!context.sampled || is_full(o))
        return;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return;
    open_runs_name(o->runs, r->task_run_id, &run);
    otlp_span(&json, r, call, &context, random, run.ptr ? buf_str(&run) : STR_NONE);
    push(o, buf_str(&json));
    buf_clear(&run);
}

void otel_add(struct otel *o, const struct capture *c)
{
    struct otlp_call call;

    if (!o)
        return;
    otlp_call_read(&c->record, &call);
    if (o->metrics.post) {
        pthread_mutex_lock(&o->lock);
        otlp_metrics_add(o->sums, &c->record, &call);
        pthread_mutex_unlock(&o->lock);
    }
    if (o->traces.post)
        add_span(o, &c->record, &call);
}

/* ---- waiting ---- */

static bool is_stopping(struct otel *o)
{
    return atomic_load(&o->until_us) != 0;
}

/* With the lock. Wait for news, until due_us at most. */
static void doze(struct otel *o, int64_t due_us)
{
    struct timespec at = {.tv_sec = due_us / 1000000, .tv_nsec = due_us % 1000000 * 1000};

    pthread_cond_timedwait(&o->wake, &o->lock, &at);
}

/* False when stopping. */
static bool rest(struct otel *o, int64_t ms)
{
    int64_t due = clock_now_us() + ms * 1000;

    pthread_mutex_lock(&o->lock);
    while (!is_stopping(o) && clock_now_us() < due)
        doze(o, due);
    pthread_mutex_unlock(&o->lock);
    return !is_stopping(o);
}

/* ---- delivering ---- */

static void note_failure(struct otel *o, struct pipe *p, const char *error)
{
    pthread_mutex_lock(&o->lock);
    o->stats.failed_exports++;
    snprintf(o->stats.last_error, sizeof(o->stats.last_error), "%s: %.180s", p->target->what,
             error);
    pthread_mutex_unlock(&o->lock);
    if (!p->failing)
        log_warning("cannot export %s: %s url=%s; requests go on", p->target->what, error,
                    p->target->url);
    p->failing = true;
}

static void note_success(struct otel *o, struct pipe *p)
{
    if (!p->failing)
        return;
    pthread_mutex_lock(&o->lock);
    o->stats.last_error[0] = '\0';
    pthread_mutex_unlock(&o->lock);
    log_info("%s are exported again", p->target->what);
    p->failing = false;
}

/* What the collector refused of a batch that it took. */
static int64_t rejected(const struct otel_answer *answer)
{
    cJSON *tree = json_parse(buf_str(&answer->body));
    const char *text;
    int64_t n = 0;

    if (json_get_str(tree, "partialSuccess.rejectedSpans", &text))
        str_int64(str_c(text), &n);
    else
        json_get_int(tree, "partialSuccess.rejectedSpans", &n);
    cJSON_Delete(tree);
    return n > 0 ? n : 0;
}

static int64_t jitter(int64_t ms)
{
    uint16_t dice = 0;

    if (getrandom(&dice, sizeof(dice), 0) < 0)
        dice = 0;
    return ms / 2 + ms * dice / 131072;
}

/* Try again while there is time. False: given up. */
static bool deliver(struct otel *o, struct pipe *p, struct str body, int64_t *refused)
{
    int64_t end = clock_now_us() + p->target->export_ms * 1000, backoff = RETRY_FIRST_MS, pause;
    struct otel_answer answer;
    bool last;

    for (;;) {
        last = is_stopping(o);
        otel_post_send(p->post, body, &o->until_us, &answer);
        if (!answer.error[0])
            *refused = rejected(&answer);
        buf_clear(&answer.body);
        if (!answer.error[0]) {
            note_success(o, p);
            return true;
        }
        pause = answer.retry_after_ms ? answer.retry_after_ms : jitter(backoff);
        if (answer.retry_after_ms)
            p->hold_us = clock_now_us() + (pause < HOLD_MAX_MS ? pause : HOLD_MAX_MS) * 1000;
        backoff = backoff * 2 < RETRY_MAX_MS ? backoff * 2 : RETRY_MAX_MS;
        if (!answer.retry || last || clock_now_us() + pause * 1000 > end)
            break;
        if (!rest(o, pause) && p->hold_us > clock_now_us())
            break;
    }
    note_failure(o, p, answer.error);
    return false;
}

/* ---- spans ---- */

static const char scope[] =
    "\"scope\":{\"name\":\"llm-observe-proxy\",\"version\":\"" LOP_VERSION "\"}";

/* Move up to a batch out of the queue. Returns how many. */
static size_t take(struct otel *o, struct buf *body)
{
    size_t count = 0;

    buf_printf(body, "{\"resourceSpans\":[{\"resource\":%s,\"scopeSpans\":[{%s,\"spans\":[",
               o->config.resource, scope);
    pthread_mutex_lock(&o->lock);
    for (; o->count > 0 && count < o->config.batch_max; count++, o->count--) {
        struct str span = o->spans[o->first];

        if (count > 0)
            buf_put(body, STR(","));
        buf_put(body, span);
        free((char *)(uintptr_t)span.ptr);
        o->first = (o->first + 1) % o->config.queue_max;
    }
    o->spans_due_us = clock_now_us() + o->config.schedule_ms * 1000;
    pthread_mutex_unlock(&o->lock);
    buf_put(body, STR("]}]}]}"));
    return count;
}

static bool send_spans(struct otel *o)
{
    struct buf body = {0};
    int64_t refused = 0;
    size_t count = take(o, &body);
    bool sent = count > 0 && deliver(o, &o->traces, buf_str(&body), &refused);

    buf_clear(&body);
    if (!sent)
        refused = (int64_t)count;
    else if (refused > (int64_t)count)
        refused = (int64_t)count;
    pthread_mutex_lock(&o->lock);
    o->stats.dropped_spans += refused;
    o->stats.exported_spans += (int64_t)count - refused;
    pthread_mutex_unlock(&o->lock);
    return sent;
}

/* ---- metrics ---- */

/* They are sums: what is not taken now comes with the next ones. */
static void send_metrics(struct otel *o)
{
    struct buf body = {0};
    int64_t refused;
    bool any;

    buf_printf(&body, "{\"resourceMetrics\":[{\"resource\":%s,\"scopeMetrics\":[{%s,\"metrics\":",
               o->config.resource, scope);
    pthread_mutex_lock(&o->lock);
    any = otlp_metrics_write(o->sums, &body, o->started_wall_us, clock_wall_us());
    pthread_mutex_unlock(&o->lock);
    buf_put(&body, STR("}]}]}"));
    if (any)
        deliver(o, &o->metrics, buf_str(&body), &refused);
    buf_clear(&body);
}

/* ---- the thread ---- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* With the lock. When spans should go; 0: there are none. */
static int64_t spans_due(struct otel *o)
{
    if (o->count == 0)
        return 0;
    return later(o->count >= o->config.batch_max ? 1 : o->spans_due_us, o->traces.hold_us);
}

/* Sleep until there is something to do. */
static void wait_for_work(struct otel *o, int64_t metrics_due, bool *spans, bool *metrics)
{
    int64_t now, due;

    pthread_mutex_lock(&o->lock);
    for (;;) {
        now = clock_now_us();
        due = spans_due(o);
        *spans = due && now >= due;
        *metrics = metrics_due && now >= metrics_due;
        if (*spans || *metrics || is_stopping(o))
            break;
        if (!due || (metrics_due && metrics_due < due))
            due = metrics_due;
        if (due)
            doze(o, due);
        else
            pthread_cond_wait(&o->wake, &o->lock);
    }
    pthread_mutex_unlock(&o->lock);
}

/* A collector that does not take one batch now does not get the others either. */
static void drain(struct otel *o)
{
    size_t left;

    if (o->traces.post) {
        while (o->count > 0 && o->traces.hold_us <= clock_now_us() && send_spans(o))
            ;
    }
    if (o->metrics.post && o->metrics.hold_us <= clock_now_us())
        send_metrics(o);
    pthread_mutex_lock(&o->lock);
    left = o->count;
    o->stats.dropped_spans += (int64_t)left;
    pthread_mutex_unlock(&o->lock);
    if (o->stats.dropped_spans > 0)
        log_warning("spans that were not exported count=%" PRId64, o->stats.dropped_spans);
}

static void *otel_main(void *arg)
{
    struct otel *o = arg;
    int64_t interval = o->config.interval_ms * 1000;
    int64_t metrics_due = o->metrics.post ? clock_now_us() + interval : 0;
    bool spans, metrics;

    while (!is_stopping(o)) {
        wait_for_work(o, metrics_due, &spans, &metrics);
        if (is_stopping(o))
            break;
        if (spans)
            send_spans(o);
        if (metrics) {
            send_metrics(o);
            metrics_due = later(clock_now_us() + interval, o->metrics.hold_us);
        }
    }
    drain(o);
    return NULL;
}

/* ---- start and stop ---- */

static void release(struct otel *o)
{
    otel_post_free(o->traces.post);
    otel_post_free(o->metrics.post);
    for (; o->spans && o->count > 0; o->count--) {
        free((char *)(uintptr_t)o->spans[o->first].ptr);
        o->first = (o->first + 1) % o->config.queue_max;
    }
    free(o->spans);
    otlp_metrics_free(o->sums);
    otlp_config_clear(&o->config);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

static int open_pipe(struct pipe *p, const struct otlp_target *target, struct err *err)
{
    p->target = target;
    if (!target->url)
        return 0;
    p->post = otel_post_new(target);
    if (!p->post)
        return err_set(err, ERR_NO_MEMORY, "no memory to export %s", target->what);
    log_info("exporting %s url=%s", target->what, target->url);
    return 0;
}

static void init_wake(struct otel *o)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&o->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&o->lock, NULL);
}

int otel_start(struct otel **out, struct str instance, struct open_runs *runs, struct err *err)
{
    struct otel *o = xcalloc(1, sizeof(*o));

    init_wake(o);
    *out = NULL;
    if (!otlp_config_read(&o->config, instance)) {
        release(o);
        return 0;
    }
    o->runs = runs;
    o->started_wall_us = clock_wall_us();
    o->stats.queue_limit = o->config.queue_max;
    o->spans = xcalloc(o->config.queue_max, sizeof(*o->spans));
    o->sums = otlp_metrics_new();
    if (open_pipe(&o->traces, &o->config.traces, err) < 0 ||
        open_pipe(&o->metrics, &o->config.metrics, err) < 0)
        goto failed;
    if (pthread_create(&o->thread, NULL, otel_main, o) != 0) {
        err_set(err, ERR_NO_MEMORY, "cannot start the thread that exports telemetry");
        goto failed;
    }
    *out = o;
    return 0;
failed:
    release(o);
    return -1;
}

void otel_stats(struct otel *o, struct otel_stats *out)
{
    pthread_mutex_lock(&o->lock);
    *out = o->stats;
    out->queue_depth = o->count;
    pthread_mutex_unlock(&o->lock);
}

void otel_stop(struct otel *o, int64_t drain_ms)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    atomic_store(&o->until_us, clock_now_us() + drain_ms * 1000);
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
    if (o->traces.post)
        otel_post_wake(o->traces.post);
    if (o->metrics.post)
        otel_post_wake(o->metrics.post);
    pthread_join(o->thread, NULL);
    release(o);
}
