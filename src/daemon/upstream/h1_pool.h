/* daemon/upstream/h1_pool.h - plain TCP connections to upstreams: opened, used by one transfer at
 * a time, kept alive while idle.
 *
 * At most 128 idle ones per host and port, 256 in all, for 60 s; the one that was idle for the
 * shortest time is used first. An idle connection on which anything arrives is closed. */
#ifndef UPSTREAM_H1_POOL_H
#define UPSTREAM_H1_POOL_H

#include <uv.h>

#include "base/list.h"
#include "daemon/upstream/resolve.h"

struct h1_pool;
struct h1_host;

/** Only while a transfer uses the connection; never after h1_conn_close(). */
struct h1_conn_events {
    void (*connected)(void *ctx, int status);
    /** n > 0: bytes, borrowed for the call; n < 0: end of file or an error of libuv. */
    void (*read)(void *ctx, ssize_t n, const char *bytes);
    /** The rest of a request is out, or failed; reading tells what became of it. */
    void (*written)(void *ctx);
};

struct h1_conn {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    struct h1_pool *pool;
    struct h1_host *host;
    struct list node;                    /* among the idle ones of host */
    const struct h1_conn_events *events; /* NULL: idle or closing */
    void *ctx;
    int64_t idle_since_ms;
    bool reused, reading;
    bool writing; /* the rest of a request waits for the socket */
    bool broken;  /* a write failed: never again */
};

/** Returns owned, h1_pool_close(). */
struct h1_pool *h1_pool_open(uv_loop_t *loop);
/** Close all idle connections and keep none from now on. */
void h1_pool_drain(struct h1_pool *pool);
/** Drain and close; closed() comes on a later turn, once the used ones are closed too. */
void h1_pool_close(struct h1_pool *pool, void (*closed)(void *ctx), void *ctx);
struct resolver *h1_pool_resolver(struct h1_pool *pool);

/** An idle connection on which nothing has arrived, or NULL. */
struct h1_conn *h1_pool_take(struct h1_pool *pool, struct str host, uint16_t port,
                             const struct h1_conn_events *events, void *ctx);
/** Connect to address, whose port is set. connected() comes on a later turn. NULL: *rc is why. */
struct h1_conn *h1_pool_connect(struct h1_pool *pool, struct str host, uint16_t port,
                                const union address *address, const struct h1_conn_events *events,
                                void *ctx, int *rc);
/** Take conn back. Nothing of its last answer may be unread. */
void h1_pool_put(struct h1_conn *conn);
/** Close conn within this call; frees on a later turn. */
void h1_conn_close(struct h1_conn *conn);
/** Send head and body, which are borrowed until written() or h1_conn_close(). */
void h1_conn_write(struct h1_conn *conn, struct str head, struct str body);
int h1_conn_read_start(struct h1_conn *conn);
void h1_conn_read_stop(struct h1_conn *conn);

#endif
