#include "daemon/upstream/h1_pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/xalloc.h"

#define IDLE_PER_HOST 128
#define IDLE_ALL 256
/* A few connections to a host stay for a minute; those that a crowd left behind go soon. */
#define KEEP_PER_HOST 8
#define IDLE_MS 60000
#define SURPLUS_MS 2000
#define KEEPALIVE_S 60
#define READ_SIZE ((size_t)64 * 1024)

/* One host and port; goes with its last connection. */
struct h1_host {
    struct list node;
    struct list idle; /* the one used last is at the end */
    size_t idle_count, conns;
    uint16_t port;
    size_t len;
    char name[256];
};

struct h1_pool {
    uv_loop_t *loop;
    struct resolver *resolver;
    struct list hosts;
    size_t idle_count;
    size_t open;      /* connections, the timer, the resolver: what close has to wait for */
    uv_timer_t sweep; /* closes what was idle too long; runs only while something is idle */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    char read_buf[READ_SIZE]; /* a read is used up, or its rest copied, before the next one */
};

struct h1_pool *h1_pool_open(uv_loop_t *loop)
{
    struct h1_pool *pool = xcalloc(1, sizeof(*pool));

    pool->loop = loop;
    pool->resolver = resolver_open(loop);
    list_init(&pool->hosts);
    uv_timer_init(loop, &pool->sweep);
    pool->sweep.data = pool;
    pool->open = 2;
    return pool;
}

struct resolver *h1_pool_resolver(struct h1_pool *pool)
{
    return pool->resolver;
}

static void close_one(struct h1_pool *pool)
{
    if (--pool->open > 0)
        return;
    pool->closed(pool->closed_ctx);
    free(pool);
}

static void on_part_closed(void *ctx)
{
    close_one(ctx);
}

static void on_sweep_closed(uv_handle_t *handle)
{
    close_one(handle->data);
}

static struct h1_host *find_host(struct h1_pool *pool, struct str name, uint16_t port)
{
    LIST_EACH (node, &pool->hosts) {
        struct h1_host *host = LIST_ENTRY(node, struct h1_host, node);

        if (host->port == port && str_eq((struct str){host->name, host->len}, name))
            return host;
    }
    return NULL;
}

static struct h1_host *add_host(struct h1_pool *pool, struct str name, uint16_t port)
{
    struct h1_host *host = xcalloc(1, sizeof(*host));

    assert(name.len < sizeof(host->name));
    host->port = port;
    host->len = name.len;
    memcpy(host->name, name.ptr, name.len);
    list_init(&host->idle);
    list_add_tail(&pool->hosts, &host->node);
    return host;
}

static void leave_host(struct h1_host *host)
{
    if (--host->conns > 0)
        return;
    list_remove(&host->node);
    free(host);
}

static void on_conn_closed(uv_handle_t *handle)
{
    struct h1_conn *conn = handle->data;
    struct h1_pool *pool = conn->pool;

    leave_host(conn->host);
    free(conn);
    close_one(pool);
}

static void leave_idle(struct h1_conn *conn)
{
    if (!list_linked(&conn->node))
        return;
    list_remove(&conn->node);
    conn->host->idle_count--;
    conn->pool->idle_count--;
}

void h1_conn_close(struct h1_conn *conn)
{
    leave_idle(conn);
    conn->events = NULL;
    if (!uv_is_closing((uv_handle_t *)&conn->tcp))
        uv_close((uv_handle_t *)&conn->tcp, on_conn_closed);
}

/* Close those whose time is up; returns when the next one's is, 0 when nothing is idle. */
static int64_t close_old(struct h1_pool *pool, int64_t now)
{
    int64_t next = 0;

    LIST_EACH (host_node, &pool->hosts) {
        struct h1_host *host = LIST_ENTRY(host_node, struct h1_host, node);

        while (!list_empty(&host->idle)) {
            struct h1_conn *conn = LIST_ENTRY(host->idle.next, struct h1_conn, node);
            int64_t until_ms =
                conn->idle_since_ms + (host->idle_count > KEEP_PER_HOST ? SURPLUS_MS : IDLE_MS);

            if (until_ms > now) {
                next = next && next < until_ms ? next : until_ms;
                break;
            }
            h1_conn_close(conn); /* the host goes on a later turn */
        }
    }
    return next;
}

static void on_sweep(uv_timer_t *timer)
{
    struct h1_pool *pool = timer->data;
    int64_t now = (int64_t)uv_now(pool->loop), next = close_old(pool, now);

    if (next)
        uv_timer_start(timer, on_sweep, (uint64_t)(next - now), 0);
}

void h1_pool_drain(struct h1_pool *pool)
{
    pool->closing = true;
    close_old(pool, INT64_MAX);
}

void h1_pool_close(struct h1_pool *pool, void (*closed)(void *ctx), void *ctx)
{
    h1_pool_drain(pool);
    pool->closed = closed;
    pool->closed_ctx = ctx;
    uv_close((uv_handle_t *)&pool->sweep, on_sweep_closed);
    resolver_close(pool->resolver, on_part_closed, pool);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *out)
{
    struct h1_conn *conn = handle->data;

    (void)hint;
    *out = uv_buf_init(conn->pool->read_buf, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct h1_conn *conn = stream->data;

    if (n == 0)
        return;
    if (n < 0)
        conn->reading = false;
    if (conn->events)
        conn->events->read(conn->ctx, n, bytes->base);
    else
        h1_conn_close(conn); /* an idle connection is silent */
}

int h1_conn_read_start(struct h1_conn *conn)
{
    int rc = conn->reading ? 0 : uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);

    conn->reading = rc == 0;
    return rc;
}

void h1_conn_read_stop(struct h1_conn *conn)
{
    uv_read_stop((uv_stream_t *)&conn->tcp);
    conn->reading = false;
}

/* What waits in the socket of an idle connection belongs to nobody; end of file is news as well. */
static bool is_silent(struct h1_conn *conn)
{
    uv_os_fd_t fd;
    char byte;

    if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0)
        return false;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

struct h1_conn *h1_pool_take(struct h1_pool *pool, struct str name, uint16_t port,
                             const struct h1_conn_events *events, void *ctx)
{
    struct h1_host *host = find_host(pool, name, port);

    while (host && !list_empty(&host->idle)) {
        struct h1_conn *conn = LIST_ENTRY(host->idle.prev, struct h1_conn, node);

        if (!is_silent(conn)) {
            h1_conn_close(conn);
            continue;
        }
        leave_idle(conn);
        conn->events = events;
        conn->ctx = ctx;
        conn->reused = true;
        return conn;
    }
    return NULL;
}

static void on_connect(uv_connect_t *req, int status)
{
    struct h1_conn *conn = req->data;

    if (conn->events)
        conn->events->connected(conn->ctx, status);
}

struct h1_conn *h1_pool_connect(struct h1_pool *pool, struct str name, uint16_t port,
                                const union address *address, const struct h1_conn_events *events,
                                void *ctx, int *rc)
{
    struct h1_conn *conn = xcalloc(1, sizeof(*conn));
    struct h1_host *host = find_host(pool, name, port);

    *rc = uv_tcp_init(pool->loop, &conn->tcp);
    if (*rc != 0) {
        free(conn);
        return NULL;
    }
    conn->tcp.data = conn->connect.data = conn->write.data = conn;
    conn->pool = pool;
    conn->host = host ? host : add_host(pool, name, port);
    conn->host->conns++;
    pool->open++;
    *rc = uv_tcp_connect(&conn->connect, &conn->tcp, &address->any, on_connect);
    if (*rc != 0) {
        h1_conn_close(conn);
        return NULL;
    }
    uv_tcp_nodelay(&conn->tcp, 1);
    uv_tcp_keepalive(&conn->tcp, 1, KEEPALIVE_S);
    conn->events = events;
    conn->ctx = ctx;
    return conn;
}

void h1_pool_put(struct h1_conn *conn)
{
    struct h1_pool *pool = conn->pool;

    conn->events = NULL;
    if (pool->closing || conn->writing || conn->broken || conn->host->idle_count >= IDLE_PER_HOST ||
        pool->idle_count >= IDLE_ALL || h1_conn_read_start(conn) != 0) {
        h1_conn_close(conn);
        return;
    }
    conn->idle_since_ms = (int64_t)uv_now(pool->loop);
    list_add_tail(&conn->host->idle, &conn->node);
    conn->host->idle_count++;
    pool->idle_count++;
    if (!uv_is_active((uv_handle_t *)&pool->sweep) || conn->host->idle_count == KEEP_PER_HOST + 1)
        uv_timer_start(&pool->sweep, on_sweep, SURPLUS_MS, 0);
}

static void on_written(uv_write_t *req, int status)
{
    struct h1_conn *conn = req->data;

    conn->writing = false;
    conn->broken |= status < 0;
    if (conn->events)
        conn->events->written(conn->ctx);
}

void h1_conn_write(struct h1_conn *conn, struct str head, struct str body)
{
    uv_buf_t bufs[2] = {{(char *)(uintptr_t)head.ptr, head.len},
                        {(char *)(uintptr_t)body.ptr, body.len}};
    unsigned first = 0, count = body.len ? 2 : 1;
    int rc = uv_try_write((uv_stream_t *)&conn->tcp, bufs, count);
    size_t sent = rc > 0 ? (size_t)rc : 0;

    if (rc < 0 && rc != UV_EAGAIN) {
        conn->broken = true; /* reading says why, or brings an early answer */
        return;
    }
    while (first < count && sent >= bufs[first].len)
        sent -= bufs[first++].len;
    if (first == count)
        return;
    bufs[first].base += sent;
    bufs[first].len -= sent;
    rc = uv_write(&conn->write, (uv_stream_t *)&conn->tcp, bufs + first, count - first, on_written);
    conn->writing = rc == 0;
    conn->broken = rc != 0;
}
