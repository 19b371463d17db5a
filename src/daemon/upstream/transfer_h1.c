/* The engine for plain http:// upstreams: HTTP/1.1 over libuv. The head is checked by
 * response_head.c, then llhttp reads it too and from there on the framing of the body. */
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "daemon/upstream/h1_pool.h"
#include "daemon/upstream/response_head.h"
#include "daemon/upstream/transfer_priv.h"

#define READ_MAX ((size_t)64 * 1024)
/* Bytes of framing (chunk extensions, trailers) in a row without one byte of the body. */
#define OVERHEAD_MAX RESPONSE_HEAD_MAX

struct h1 {
    struct transfer *t;
    struct h1_conn *conn; /* NULL while resolving and after the end */
    struct resolve_wait lookup;
    struct addresses *addresses; /* in the transfer's arena, from the first connect on */
    size_t next_address;
    int64_t connect_by_ms; /* of all addresses together; 0: no limit */
    bool link_local;       /* an address was left out */
    int connect_error;
    struct str out;     /* the request's head */
    size_t unsent;      /* bytes that waited for the socket when the deadline was set */
    struct buf partial; /* a response head that came in pieces */
    size_t scanned;     /* of partial */
    struct response_head head;
    llhttp_t parser;
    bool answered; /* a byte has come on this connection */
    bool retried;
    bool head_done, message_done, keep_alive;
    int64_t body_bytes;
    size_t overhead;
    struct str refused; /* the span the sink did not take, in the bytes at hand */
    char *kept;         /* bytes that were read and wait for the sink: [kept_at, kept_len) */
    size_t kept_at, kept_len;
};

static void connect_next(struct h1 *h);
static void begin(struct h1 *h);

static void send_request(struct h1 *h)
{
    transfer_phase(h->t, PHASE_FIRST_BYTE);
    h1_conn_write(h->conn, h->out, h->t->request.body);
    h->unsent = uv_stream_get_write_queue_size((uv_stream_t *)&h->conn->tcp);
}

static void drop_conn(struct h1 *h)
{
    if (h->conn)
        h1_conn_close(h->conn);
    h->conn = NULL;
}

/* The message is complete; in is what came behind it. */
static void finish(struct h1 *h, size_t left)
{
    if (h->keep_alive && left == 0)
        h1_pool_put(h->conn);
    else
        h1_conn_close(h->conn);
    h->conn = NULL;
    transfer_complete(h->t);
}

static void stop(struct transfer *t)
{
    struct h1 *h = t->state;

    resolver_cancel(&h->lookup);
    drop_conn(h);
    transfer_released(t);
}

static void release(struct transfer *t)
{
    struct h1 *h = t->state;

    response_head_clear(&h->head);
    buf_clear(&h->partial);
    free(h->kept);
}

static int on_headers_complete(llhttp_t *parser)
{
    struct h1 *h = parser->data;

    return transfer_has_no_body(h->t, h->head.status) ? 1 : 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct h1 *h = parser->data;

    if (len == 0)
        return 0;
    h->overhead = 0;
    switch (transfer_on_bytes(h->t, (struct str){at, len})) {
    case TOOK_ALL:
        h->body_bytes += (int64_t)len;
        return 0;
    case TOOK_NOTHING:
        h->refused = (struct str){at, len};
        return HPE_PAUSED;
    case TOOK_STOPPED:
        break;
    }
    return HPE_USER;
}

static int on_message_complete(llhttp_t *parser)
{
    struct h1 *h = parser->data;

    h->message_done = true;
    h->keep_alive = llhttp_should_keep_alive(parser) != 0;
    if (h->head.chunked && h->head.version == 10)
        h->keep_alive = false;
    return HPE_PAUSED;
}

static const llhttp_settings_t parser_settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* The sink is full: what was read stays, from its refused span on, and reading stops. */
static void keep(struct h1 *h, struct str in)
{
    size_t len = (size_t)(in.ptr + in.len - h->refused.ptr);

    if (!h->kept) {
        h1_conn_read_stop(h->conn);
        h->kept = malloc(len);
        if (!h->kept) {
            transfer_fail(h->t, TRANSFER_CONNECTION_LOST, "no memory to keep %zu bytes", len);
            return;
        }
        memcpy(h->kept, h->refused.ptr, len);
        h->kept_len = len;
    }
    h->kept_at = h->kept_len - len;
    transfer_on_pause(h->t);
}

/* All that was read has been delivered. */
static void read_on(struct h1 *h)
{
    int rc = 0;

    if (h->kept) {
        free(h->kept);
        h->kept = NULL;
        rc = h1_conn_read_start(h->conn);
    }
    if (rc < 0)
        transfer_fail(h->t, TRANSFER_CONNECTION_LOST, "cannot read: %s", uv_strerror(rc));
    else
        transfer_on_pause(h->t);
}

/* Feed body bytes to the parser, and see where that leads. */
static void parse_body(struct h1 *h, struct str in)
{
    llhttp_errno_t rc;

    h->overhead += in.len;
    h->refused = STR_NONE;
    rc = llhttp_execute(&h->parser, in.ptr, in.len);
    if (h->t->stopped)
        return;
    if (h->message_done)
        finish(h, (size_t)(in.ptr + in.len - llhttp_get_error_pos(&h->parser)));
    else if (rc == HPE_PAUSED)
        keep(h, in);
    else if (rc != HPE_OK)
        transfer_fail(h->t, TRANSFER_BAD_RESPONSE, "invalid chunked body (%s)",
                      llhttp_errno_name(rc));
    else if (h->overhead > OVERHEAD_MAX)
        transfer_fail(h->t, TRANSFER_BAD_RESPONSE, "endless chunk extensions or trailers");
    else
        read_on(h);
}

static void resume(struct transfer *t)
{
    struct h1 *h = t->state;
    struct str in = {h->kept + h->kept_at, h->kept_len - h->kept_at};
    struct str span = str_cut(in, h->refused.len);

    enum transfer_took took = transfer_on_bytes(t, span);

    if (took == TOOK_NOTHING)
        transfer_on_pause(t); /* kept as it is, but some of it may have been decoded and given */
    if (took != TOOK_ALL)
        return;
    h->body_bytes += (int64_t)span.len;
    llhttp_resume(&h->parser);
    parse_body(h, str_from(in, span.len));
}

/* Two readers of one head must agree, or one of them is wrong about where the body ends. */
static bool parser_agrees(struct h1 *h, struct str head)
{
    llhttp_errno_t rc;

    llhttp_init(&h->parser, HTTP_RESPONSE, &parser_settings);
    h->parser.data = h;
    rc = llhttp_execute(&h->parser, head.ptr, head.len);
    if (rc != HPE_OK && !(rc == HPE_PAUSED && h->message_done))
        return false;
    if (h->parser.status_code != h->head.status || h->head.version == 20)
        return false;
    return h->message_done || h->head.chunked == ((h->parser.flags & F_CHUNKED) != 0);
}

/* One complete head. False: stop here. */
static bool take_head(struct h1 *h, struct str head)
{
    struct err err;
    int rc = response_head_all(&h->head, head, &err);

    if (rc < 0) {
        transfer_fail(h->t, TRANSFER_BAD_RESPONSE, "%s", err.msg);
        return false;
    }
    if (rc == 0)
        return true; /* interim */
    if (!parser_agrees(h, head)) {
        transfer_fail(h->t, TRANSFER_BAD_RESPONSE, "the head of the answer is malformed (%s)",
                      llhttp_errno_name(llhttp_get_errno(&h->parser)));
        return false;
    }
    h->head_done = true;
    return transfer_on_head(h->t, h->head.status, &h->head.headers, h->head.content_length);
}

/* A head that lies in *in as a whole is read where it is; pieces are gathered first. */
static bool read_head(struct h1 *h, struct str *in)
{
    struct err err;

    while (!h->head_done && in->len > 0) {
        size_t before = h->partial.len, used;
        struct str bytes = *in;
        ptrdiff_t len;

        if (before > 0) {
            if (buf_add(&h->partial, *in, &err) < 0)
                goto refuse;
            bytes = buf_str(&h->partial);
        }
        len = response_head_end(bytes, &h->scanned, &err);
        if (len < 0)
            goto refuse;
        if (len == 0 && before == 0 && buf_add(&h->partial, *in, &err) < 0)
            goto refuse;
        used = len == 0 ? in->len : (size_t)len - before;
        *in = str_from(*in, used);
        if (len == 0)
            return false;
        if (!take_head(h, str_cut(bytes, (size_t)len)))
            return false;
        h->partial.len = 0;
        h->scanned = 0;
    }
    return h->head_done;
refuse:
    transfer_fail(h->t, TRANSFER_BAD_RESPONSE, "%s", err.msg);
    return false;
}

static void on_bytes(struct h1 *h, struct str in)
{
    bool body = h->head_done;

    h->answered = true;
    if (body)
        transfer_touch(h->t);
    else if (!read_head(h, &in))
        return;
    if (h->message_done) {
        finish(h, in.len);
        return;
    }
    if (in.len > 0) {
        if (!body)
            h->t->reads++;
        parse_body(h, in);
    } else {
        transfer_on_pause(h->t);
    }
}

/* A kept-alive connection was closed before it could carry the request: once more, on a new one. */
static bool retry(struct h1 *h)
{
    if (!h->conn->reused || h->answered || h->retried)
        return false;
    h->retried = true;
    h->t->connected_us = -1;
    drop_conn(h);
    begin(h);
    return true;
}

static void fail_lost(struct h1 *h, int rc)
{
    char why[80] = "connection closed";
    const char *where = "before the response head";

    if (rc != UV_EOF)
        snprintf(why, sizeof(why), "%s", uv_strerror(rc));
    if (h->head_done && h->head.content_length >= 0) {
        transfer_fail(h->t, TRANSFER_CONNECTION_LOST, "%s after %lld of %lld bytes", why,
                      (long long)h->body_bytes, (long long)h->head.content_length);
        return;
    }
    if (h->head_done)
        where = h->head.chunked ? "inside a chunked body" : "inside the body";
    else if (h->partial.len > 0)
        where = "inside the response head";
    transfer_fail(h->t, TRANSFER_CONNECTION_LOST, "%s %s", why, where);
}

static void on_gone(struct h1 *h, int rc)
{
    if (retry(h))
        return;
    if (rc == UV_EOF && h->head_done && llhttp_message_needs_eof(&h->parser)) {
        h->keep_alive = false;
        finish(h, 0);
        return;
    }
    fail_lost(h, rc);
}

static void on_read(void *ctx, ssize_t n, const char *bytes)
{
    struct h1 *h = ctx;

    if (n < 0)
        on_gone(h, (int)n);
    else
        on_bytes(h, (struct str){bytes, (size_t)n});
}

/* The wait for an answer begins when the whole request is out. */
static void on_written(void *ctx)
{
    struct h1 *h = ctx;

    if (!h->head_done)
        transfer_phase(h->t, PHASE_FIRST_BYTE);
}

static void on_connected(void *ctx, int status)
{
    struct h1 *h = ctx;

    if (status == 0)
        status = h1_conn_read_start(h->conn);
    if (status < 0) {
        h->connect_error = status;
        drop_conn(h);
        connect_next(h);
        return;
    }
    send_request(h);
}

static const struct h1_conn_events conn_events = {on_connected, on_read, on_written};

static void fail_connect(struct h1 *h)
{
    if (h->connect_error == 0 && h->link_local) {
        transfer_fail(h->t, TRANSFER_REFUSED, "link-local addresses are not allowed");
        return;
    }
    resolver_forget(h1_pool_resolver(h->t->upstreams->h1), h->t->url.host);
    transfer_fail(h->t, TRANSFER_CONNECT_FAILED, "cannot connect: %s",
                  uv_strerror(h->connect_error ? h->connect_error : UV_EADDRNOTAVAIL));
}

/* An address that swallows everything must not eat the time of those behind it. */
static void share_time(struct h1 *h)
{
    int64_t now = (int64_t)uv_now(h->t->upstreams->loop);
    int64_t tries = (int64_t)(h->addresses->count - h->next_address + 1);

    if (h->connect_by_ms)
        transfer_deadline(h->t, now + (h->connect_by_ms - now) / tries);
}

static void set_port(union address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->in6.sin6_port = htons(port);
    else
        address->in.sin_port = htons(port);
}

static void connect_next(struct h1 *h)
{
    struct upstreams *u = h->t->upstreams;

    while (h->next_address < h->addresses->count) {
        union address *address = &h->addresses->items[h->next_address++];

        if (!u->limits.allow_link_local && address_is_link_local(&address->any)) {
            h->link_local = true;
            continue;
        }
        set_port(address, h->t->url.port);
        h->conn = h1_pool_connect(u->h1, h->t->url.host, h->t->url.port, address, &conn_events, h,
                                  &h->connect_error);
        if (h->conn) {
            share_time(h);
            return;
        }
    }
    fail_connect(h);
}

static void on_found(struct resolve_wait *wait, const struct addresses *found, const char *message)
{
    struct h1 *h = LIST_ENTRY(wait, struct h1, lookup);

    if (!found) {
        transfer_fail(h->t, TRANSFER_CONNECT_FAILED, "cannot resolve the name: %s", message);
        return;
    }
    *h->addresses = *found;
    connect_next(h);
}

/* Resolve and connect. */
static void begin(struct h1 *h)
{
    struct transfer *t = h->t;
    struct err err;
    int rc = -1;

    transfer_phase(t, PHASE_CONNECT);
    h->connect_by_ms = t->deadline_ms;
    h->next_address = 0;
    h->connect_error = 0;
    h->addresses = arena_alloc(&t->arena, sizeof(*h->addresses));
    if (!h->addresses) {
        transfer_fail(t, TRANSFER_CONNECT_FAILED, "no memory to connect");
        return;
    }
    h->lookup.done = on_found;
    rc = resolver_find(h1_pool_resolver(t->upstreams->h1), t->url.host, h->addresses, &h->lookup,
                       &err);
    if (rc < 0)
        transfer_fail(t, TRANSFER_CONNECT_FAILED, "cannot resolve the name: %s", err.msg);
    else if (rc == 1)
        connect_next(h);
}

static int start(struct transfer *t, struct err *err)
{
    struct h1 *h = arena_alloc(&t->arena, sizeof(*h));

    if (!h)
        return err_set(err, ERR_NO_MEMORY, "no memory for a transfer");
    *h = (struct h1){.t = t, .partial.limit = RESPONSE_HEAD_MAX + READ_MAX};
    t->state = h;
    h->out = h1_request_head(t);
    if (!h->out.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request head");
    h->conn = h1_pool_take(t->upstreams->h1, t->url.host, t->url.port, &conn_events, h);
    if (!h->conn) {
        begin(h);
        return 0;
    }
    t->connected_us = t->started_us;
    send_request(h);
    return 0;
}

/* The next address while connecting; more time while the request still moves. */
static bool expired(struct transfer *t)
{
    struct h1 *h = t->state;
    size_t unsent;

    if (t->phase == PHASE_CONNECT && h->conn && h->next_address < h->addresses->count) {
        h->connect_error = UV_ETIMEDOUT;
        drop_conn(h);
        connect_next(h);
        return true;
    }
    if (t->phase != PHASE_FIRST_BYTE || !h->conn->writing)
        return false;
    unsent = uv_stream_get_write_queue_size((uv_stream_t *)&h->conn->tcp);
    if (unsent >= h->unsent)
        return false;
    h->unsent = unsent;
    transfer_phase(t, PHASE_FIRST_BYTE);
    return true;
}

const struct transfer_engine transfer_engine_h1 = {"h1", start, stop, resume, expired, release};
