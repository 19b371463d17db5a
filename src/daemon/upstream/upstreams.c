#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/upstream/curl_loop.h"
#include "daemon/upstream/h1_pool.h"
#include "daemon/upstream/transfer_priv.h"

#define SWEEP_GAP_MS 100
#define STOPPED_PROCESS_MS 1000
#define DECODE_PER_TURN ((size_t)512 * 1024)

static void on_later(uv_idle_t *idle);

static void add_to(struct list *queue, struct transfer *t)
{
    if (list_linked(&t->later))
        return;
    uv_idle_start(&t->upstreams->idle, on_later);
    list_add_tail(queue, &t->later);
}

void upstreams_later(struct transfer *t)
{
    add_to(&t->upstreams->later, t);
}

void upstreams_queue(struct transfer *t)
{
    add_to(&t->upstreams->decoding, t);
}

/* A turn of the loop is told from the next one by the clock: turns that share a millisecond are
 * short, and share this too. */
size_t upstreams_decode_left(struct upstreams *u)
{
    int64_t now = (int64_t)uv_now(u->loop);

    if (now != u->decode_ms) {
        u->decode_ms = now;
        u->decode_left = DECODE_PER_TURN;
    }
    return u->decode_left;
}

void upstreams_decoded(struct upstreams *u, size_t bytes)
{
    u->decode_left -= bytes < u->decode_left ? bytes : u->decode_left;
}

static void on_closed_part(void *ctx)
{
    struct upstreams *u = ctx;

    if (--u->open_parts > 0)
        return;
    u->closed(u->closed_ctx);
    free(u->ca_file);
    free(u);
}

static void on_closed_handle(uv_handle_t *handle)
{
    on_closed_part(handle->data);
}

static void close_parts(struct upstreams *u)
{
    u->open_parts = u->curl ? 4 : 3;
    uv_close((uv_handle_t *)&u->sweep, on_closed_handle);
    uv_close((uv_handle_t *)&u->idle, on_closed_handle);
    h1_pool_close(u->h1, on_closed_part, u);
    if (u->curl)
        curl_loop_close(u->curl, on_closed_part, u);
}

void upstreams_left(struct upstreams *u)
{
    if (--u->transfers > 0)
        return;
    uv_timer_stop(&u->sweep);
    u->sweep_at_ms = 0;
    if (u->closing)
        close_parts(u);
}

static void run_first(struct list *queue)
{
    struct transfer *t = LIST_ENTRY(queue->next, struct transfer, later);

    list_remove(&t->later);
    transfer_turn(t);
}

static void on_later(uv_idle_t *idle)
{
    struct upstreams *u = idle->data;
    struct list batch; /* what is added meanwhile has to wait, or a loop could last forever */

    list_init(&batch);
    while (!list_empty(&u->later)) {
        struct list *node = u->later.next;

        list_remove(node);
        list_add_tail(&batch, node);
    }
    while (!list_empty(&batch))
        run_first(&batch);
    while (!list_empty(&u->decoding) && upstreams_decode_left(u) > 0)
        run_first(&u->decoding);
    if (list_empty(&u->later) && list_empty(&u->decoding))
        uv_idle_stop(idle);
}

static void on_sweep(uv_timer_t *timer);

static void sweep_at(struct upstreams *u, int64_t at_ms)
{
    int64_t now = (int64_t)uv_now(u->loop);

    u->sweep_at_ms = at_ms;
    uv_timer_start(&u->sweep, on_sweep, at_ms > now ? (uint64_t)(at_ms - now) : 0, 0);
}

void transfer_deadline(struct transfer *t, int64_t deadline_ms)
{
    struct upstreams *u = t->upstreams;

    t->deadline_ms = deadline_ms;
    if (deadline_ms && (!u->sweep_at_ms || deadline_ms < u->sweep_at_ms))
        sweep_at(u, deadline_ms);
}

/* Nothing leaves the list of the running meanwhile: transfers are released on a later turn. */
static void on_sweep(uv_timer_t *timer)
{
    struct upstreams *u = timer->data;
    int64_t now = (int64_t)uv_now(u->loop), late = now - u->sweep_at_ms, next = 0;

    LIST_EACH (node, &u->running) {
        struct transfer *t = LIST_ENTRY(node, struct transfer, running);

        if (t->deadline_ms && late > STOPPED_PROCESS_MS) {
            t->deadline_ms += late; /* the process was stopped, not the upstream */
            t->head_by_ms += t->head_by_ms ? late : 0;
        }
        if (t->deadline_ms && t->deadline_ms <= now && !t->stopped &&
            (transfer_head_is_late(t, now) || !t->engine->expired(t)))
            transfer_fail_late(t);
        if (t->deadline_ms && !t->stopped && (!next || t->deadline_ms < next))
            next = t->deadline_ms;
    }
    u->sweep_at_ms = 0;
    if (next)
        sweep_at(u, next > now + u->sweep_gap_ms ? next : now + u->sweep_gap_ms);
}

/* Many deadlines close to each other share a sweep, but short timeouts stay exact. */
static int64_t sweep_gap(const struct upstream_limits *limits)
{
    const int64_t all[] = {limits->connect_timeout_ms, limits->first_byte_timeout_ms,
                           limits->idle_timeout_ms};
    int64_t gap = SWEEP_GAP_MS;

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (all[i] > 0 && all[i] / 10 < gap)
            gap = all[i] / 10;
    return gap > 0 ? gap : 1;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/* curl knows more variables, but these are the ones it heeds for http:// URLs. */
static bool http_proxy_set(void)
{
    return is_set("http_proxy") || is_set("ALL_PROXY") || is_set("all_proxy");
}

struct upstreams *upstreams_open(uv_loop_t *loop, const struct upstream_limits *limits,
                                 struct err *err)
{
    struct upstreams *u = xcalloc(1, sizeof(*u));

    (void)err;
    u->loop = loop;
    u->limits = *limits;
    u->ca_file = xstrdup(limits->ca_file || !is_set("SSL_CERT_FILE") ? limits->ca_file
                                                                     : getenv("SSL_CERT_FILE"));
    u->limits.ca_file = u->ca_file;
    u->http_proxy = http_proxy_set();
    u->sweep_gap_ms = sweep_gap(limits);
    list_init(&u->later);
    list_init(&u->decoding);
    list_init(&u->running);
    uv_timer_init(loop, &u->sweep);
    uv_idle_init(loop, &u->idle);
    u->sweep.data = u->idle.data = u;
    u->h1 = h1_pool_open(loop);
    return u;
}

void upstreams_close(struct upstreams *u, void (*closed)(void *ctx), void *ctx)
{
    assert(!u->closing);
    u->closing = true;
    u->closed = closed;
    u->closed_ctx = ctx;
    h1_pool_drain(u->h1);
    if (u->transfers == 0)
        close_parts(u);
}
