#include "daemon/worker.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/api/api_live.h"
#include "daemon/dispatch.h"
#include "daemon/proxy/exchange.h"

#define SWEEP_MS 100
#define STOP_SWEEP_MS 10
#define BACKLOG 1024
#define ABORT_AFTER_US 1000000 /* after a cut: for what is still being sent */

static void on_sweep(uv_timer_t *timer);

static void keep_sweeping(struct worker *w)
{
    if (!uv_is_active((uv_handle_t *)&w->sweep) && !w->closing)
        uv_timer_start(&w->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

/* Without room the connection stays where it is: libuv polls the listener again only after the
 * next uv_accept(), which on_sweep() tries. */
static void try_accept(struct listener *l)
{
    struct worker *w = l->worker;

    l->blocked = (w->host.count >= w->max_conns && !conn_close_idlest(&w->host)) ||
                 !conn_open(&w->host, (uv_stream_t *)&l->tcp);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct listener *l = server->data;
    struct worker *w = l->worker;
    int64_t now_us = clock_now_us();

    keep_sweeping(w);
    if (status < 0) {
        if (now_us - w->last_accept_error_us > 60000000)
            log_warning("cannot accept connections: %s", uv_strerror(status));
        w->last_accept_error_us = now_us;
        return;
    }
    try_accept(l);
}

static void on_upstreams_closed(void *ctx)
{
    (void)ctx;
}

/* Everything has ended: close what keeps the loop alive. */
static void close_all(struct worker *w)
{
    w->closing = true;
    pthread_mutex_lock(&w->order_lock);
    w->gone = true;
    pthread_mutex_unlock(&w->order_lock);
    uv_close((uv_handle_t *)&w->sweep, NULL);
    uv_close((uv_handle_t *)&w->admit, NULL);
    upstreams_close(w->upstreams, on_upstreams_closed, w);
    inbox_close(w->inbox);
}

static bool idle(const struct worker *w)
{
    return w->host.count == 0 && w->calls == 0 && list_empty(&w->exchanges) &&
           list_empty(&w->viewers);
}

static void on_sweep(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    int64_t now_us = clock_now_us();

    conn_sweep(&w->host, now_us);
    exchange_sweep(w, now_us);
    api_events_sweep(w, now_us);
    if (w->stopping) {
        if (idle(w))
            close_all(w);
        return;
    }
    for (size_t i = 0; i < w->listener_count; i++)
        if (w->listeners[i].blocked)
            try_accept(&w->listeners[i]);
    if (idle(w))
        uv_timer_stop(timer);
}

static void on_admit(uv_timer_t *timer)
{
    exchange_admit(timer->data, clock_now_us());
}

static int open_listener(struct worker *w, size_t i, int fd, struct err *err)
{
    struct listener *l = &w->listeners[i];
    int rc;

    l->worker = w;
    uv_tcp_init(&w->loop, &l->tcp);
    l->tcp.data = l;
    rc = uv_tcp_open(&l->tcp, fd);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
    if (rc < 0)
        return err_set(err, ERR_CONFLICT, "cannot listen: %s", uv_strerror(rc));
    return 0;
}

static void init_host(struct worker *w)
{
    const struct settings *s = &w->app->config->settings;

    w->host = (struct conn_host){
        .loop = &w->loop,
        .read_buffer = w->read_buffer,
        .read_size = sizeof(w->read_buffer),
        .body_budget = &w->app->request_budget,
        .header_timeout_us = s->client_header_timeout_ms * 1000,
        .body_idle_timeout_us = s->client_body_idle_timeout_ms * 1000,
        .idle_timeout_us = s->client_idle_timeout_ms * 1000,
        .send_timeout_us = s->client_send_timeout_ms * 1000,
        .head = dispatch_head,
        .malformed = dispatch_malformed,
        .ctx = w,
    };
    list_init(&w->host.conns);
}

int worker_init(struct worker *w, struct app *app, const int *fds, size_t fd_count, struct err *err)
{
    const struct config *c = app->config;
    struct upstream_limits limits = {
        .connect_timeout_ms = c->settings.upstream_connect_timeout_ms,
        .first_byte_timeout_ms = c->settings.upstream_first_byte_timeout_ms,
        .idle_timeout_ms = c->settings.upstream_idle_timeout_ms,
        .ca_file = c->upstream_ca_file,
        .allow_link_local = c->allow_link_local,
    };

    w->app = app;
    pthread_mutex_init(&w->order_lock, NULL);
    list_init(&w->exchanges);
    list_init(&w->waiting);
    list_init(&w->viewers);
    init_host(w);
    if (uv_loop_init(&w->loop) != 0)
        return err_set(err, ERR_FAILED, "cannot create an event loop");
    uv_timer_init(&w->loop, &w->sweep);
    uv_timer_init(&w->loop, &w->admit);
    w->sweep.data = w->admit.data = w;
    w->admit.timer_cb = on_admit;
    w->inbox = inbox_open(&w->loop, err);
    w->upstreams = w->inbox ? upstreams_open(&w->loop, &limits, err) : NULL;
    if (!w->upstreams)
        return -1;
    w->listeners = xcalloc(fd_count, sizeof(*w->listeners));
    for (; w->listener_count < fd_count; w->listener_count++)
        if (open_listener(w, w->listener_count, fds[w->listener_count], err) < 0)
            return -1;
    return 0;
}

void worker_run(struct worker *w)
{
    uv_run(&w->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&w->loop) != 0)
        log_error("a worker loop still had handles at its end");
    free(w->listeners);
}

struct order {
    struct note note;
    struct worker *worker;
};

static void run_stop(struct note *note)
{
    struct order *order = LIST_ENTRY(note, struct order, note);
    struct worker *w = order->worker;

    free(order);
    if (w->stopping)
        return;
    w->stopping = true;
    for (size_t i = 0; i < w->listener_count; i++)
        uv_close((uv_handle_t *)&w->listeners[i].tcp, NULL);
    api_events_stop(w);
    conn_stop_all(&w->host);
    uv_timer_start(&w->sweep, on_sweep, 0, STOP_SWEEP_MS);
}

static void run_cut(struct note *note)
{
    struct order *order = LIST_ENTRY(note, struct order, note);
    struct worker *w = order->worker;

    free(order);
    if (w->cut || w->closing)
        return;
    w->cut = true;
    exchange_cut_all(w);
    w->host.abort_at_us = clock_now_us() + ABORT_AFTER_US;
}

static void post(struct worker *w, void (*run)(struct note *note))
{
    struct order *order = xcalloc(1, sizeof(*order));

    order->worker = w;
    order->note.run = run;
    pthread_mutex_lock(&w->order_lock);
    if (w->gone)
        free(order);
    else
        inbox_post(w->inbox, &order->note);
    pthread_mutex_unlock(&w->order_lock);
}

void worker_stop(struct worker *w)
{
    post(w, run_stop);
}

void worker_cut(struct worker *w)
{
    post(w, run_cut);
}
