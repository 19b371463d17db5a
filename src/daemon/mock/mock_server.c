/* The mock's listener, its loop and their end. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "daemon/listen.h"
#include "daemon/mock/mock_priv.h"

#define BACKLOG 1024
#define SWEEP_MS 100
#define READ_SIZE ((size_t)64 * 1024)
#define MIB ((size_t)1024 * 1024)

struct listener {
    uv_tcp_t tcp;
    struct mock *mock;
    bool blocked; /* a connection waits that could not be accepted */
};

struct mock {
    struct mock_shared shared;
    uv_loop_t loop;
    uv_async_t stop;
    uv_timer_t sweep;
    struct listener listeners[LISTEN_MAX];
    unsigned listener_count;
    struct blob_budget budget;
    bool stopping;
    int port;
    char read_buffer[READ_SIZE];
};

static void on_sweep(uv_timer_t *timer)
{
    struct mock *m = timer->data;

    conn_sweep(&m->shared.host, clock_now_us());
    for (unsigned i = 0; i < m->listener_count; i++) {
        struct listener *l = &m->listeners[i];

        l->blocked = l->blocked && !conn_open(&m->shared.host, (uv_stream_t *)&l->tcp);
    }
    if (m->shared.host.count == 0)
        uv_timer_stop(timer);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct listener *l = server->data;
    struct mock *m = l->mock;

    if (!uv_is_active((uv_handle_t *)&m->sweep))
        uv_timer_start(&m->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    if (status == 0)
        l->blocked = !conn_open(&m->shared.host, server);
}

/* Whatever is being answered is cut: nobody waits for a mock to end. */
static void close_all(struct mock *m)
{
    if (m->stopping)
        return;
    m->stopping = true;
    m->shared.host.abort_at_us = 1;
    conn_sweep(&m->shared.host, clock_now_us());
    for (unsigned i = 0; i < m->listener_count; i++)
        uv_close((uv_handle_t *)&m->listeners[i].tcp, NULL);
    uv_close((uv_handle_t *)&m->sweep, NULL);
    uv_close((uv_handle_t *)&m->stop, NULL);
}

static void on_stop(uv_async_t *handle)
{
    close_all(handle->data);
}

static void on_malformed(void *ctx, struct conn *c, struct str bytes, const struct refusal *refusal)
{
    (void)ctx;
    (void)c;
    (void)bytes;
    (void)refusal;
}

static void init_host(struct mock *m)
{
    m->budget = (struct blob_budget){.limit = 128 * MIB, .each = 8 * MIB};
    m->budget.spool_dirs[0] = getenv("TMPDIR");
    m->budget.spool_dirs[1] = "/tmp";
    m->shared.host = (struct conn_host){
        .loop = &m->loop,
        .read_buffer = m->read_buffer,
        .read_size = sizeof(m->read_buffer),
        .body_budget = &m->budget,
        .header_timeout_us = 15000000,
        .body_idle_timeout_us = 60000000,
        .idle_timeout_us = 300000000,
        .send_timeout_us = 300000000,
        .head = mock_call_head,
        .malformed = on_malformed,
        .ctx = &m->shared,
    };
    list_init(&m->shared.host.conns);
}

static int open_listener(struct mock *m, int *fd, struct err *err)
{
    struct listener *l = &m->listeners[m->listener_count];
    int rc;

    l->mock = m;
    uv_tcp_init(&m->loop, &l->tcp);
    l->tcp.data = l;
    m->listener_count++;
    rc = uv_tcp_open(&l->tcp, *fd);
    if (rc == 0) {
        *fd = -1; /* the handle's now */
        rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
    }
    return rc == 0 ? 0 : err_set(err, ERR_CONFLICT, "cannot listen: %s", uv_strerror(rc));
}

static int open_loop(struct mock *m, struct err *err)
{
    if (uv_loop_init(&m->loop) != 0)
        return err_set(err, ERR_FAILED, "cannot create an event loop");
    if (uv_async_init(&m->loop, &m->stop, on_stop) != 0) {
        uv_loop_close(&m->loop);
        return err_set(err, ERR_FAILED, "cannot create an event loop");
    }
    m->stop.data = m;
    uv_timer_init(&m->loop, &m->sweep);
    m->sweep.data = m;
    return 0;
}

static void init_text(struct mock_shared *s)
{
    s->text = mock_sentences;
    if (s->config.text.ptr) {
        s->file = s->config.text;
        s->text = (struct mock_text){&s->file, 1, true};
    }
}

struct mock *mock_open(const struct mock_config *config, struct err *err)
{
    struct mock *m = xcalloc(1, sizeof(*m));
    struct listen_set listen;
    int rc = 0;

    m->shared.config = *config;
    init_text(&m->shared);
    init_host(m);
    if (listen_bind(&listen, config->host, config->port, 1, err) < 0) {
        free(m);
        return NULL;
    }
    m->port = listen.port;
    if (open_loop(m, err) < 0) {
        listen_close(&listen);
        free(m);
        return NULL;
    }
    for (unsigned i = 0; rc == 0 && i < listen.count; i++)
        rc = open_listener(m, &listen.fds[0][i], err);
    listen_close(&listen);
    if (rc == 0)
        return m;
    mock_close(m);
    return NULL;
}

int mock_port(const struct mock *m)
{
    return m->port;
}

void mock_run(struct mock *m)
{
    uv_run(&m->loop, UV_RUN_DEFAULT);
}

void mock_stop(struct mock *m)
{
    uv_async_send(&m->stop);
}

void mock_close(struct mock *m)
{
    if (!m)
        return;
    close_all(m);
    uv_run(&m->loop, UV_RUN_DEFAULT);
    uv_loop_close(&m->loop);
    free(m);
}
