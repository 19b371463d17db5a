#include "daemon/http/conn.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/http/head.h"
#include "daemon/http/response.h"

/*  state    event                        next     action
 *  IDLE     first byte of a head         HEAD
 *  HEAD     head complete                BODY     ask the host who answers
 *  HEAD     refused, late                ANSWER   answer 4xx, close
 *  BODY     body complete                ANSWER   hand the request over
 *  BODY     refused, late                ANSWER   tell the responder, answer 4xx, close
 *  ANSWER   answer ended and flushed     IDLE     next request, maybe read ahead already
 *  ANSWER   the same, no keep-alive      LINGER   shutdown, discard what still comes
 *  any      client gone                  CLOSED
 *  LINGER   end of file, 16 MiB, 2 s     CLOSED                                                  */
enum state { IDLE, HEAD, BODY, ANSWER, LINGER, CLOSED };

#define BLANK_LINES_MAX 1024
#define LINGER_US 2000000
#define LINGER_BYTES ((size_t)16 * 1024 * 1024)
#define PIECE ((size_t)128 * 1024) /* of one uv_write, so that progress shows */
#define KEEP_CAPACITY ((size_t)16 * 1024)

struct conn {
    struct list node;
    struct conn_host *host;
    uv_tcp_t tcp;
    enum state state;
    int64_t since_us; /* when the state began or last moved on */
    struct buf in;    /* read, not yet parsed */
    size_t blank, lingered;
    struct head_scan scan;
    struct request request;
    const struct responder *responder;
    void *ctx;
    struct buf out;     /* gathered */
    struct buf sending; /* being written, from send_off on */
    size_t send_off;
    uv_write_t write;
    size_t last_queue; /* bytes in libuv at the last sweep: shows whether the client reads */
    bool writing, flushing, full, eof, reading;
    bool served; /* a request was answered on this connection */
    bool processing;
    bool chunked, close_delimited, ended, cut, close, no_body;
    char client[64];
};

static void process(struct conn *c);
static void watch_reading(struct conn *c);

static void set_state(struct conn *c, enum state state)
{
    c->state = state;
    c->since_us = clock_now_us();
}

static void on_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;

    request_clear(&c->request);
    buf_clear(&c->in);
    buf_clear(&c->out);
    buf_clear(&c->sending);
    free(c);
}

static void close_conn(struct conn *c)
{
    if (c->state == CLOSED)
        return;
    set_state(c, CLOSED);
    list_remove(&c->node);
    c->host->count--;
    if (c->cut && c->close_delimited) { /* its end must not look like the end of the body */
        if (uv_tcp_close_reset(&c->tcp, on_closed) == 0)
            return;
    }
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void client_gone(struct conn *c, const char *how)
{
    const struct responder *responder = c->responder;
    void *ctx = c->ctx;

    c->responder = NULL;
    close_conn(c);
    if (responder)
        responder->gone(ctx, how);
}

static void trim(struct buf *b)
{
    b->len = 0;
    if (b->cap > KEEP_CAPACITY)
        buf_clear(b);
}

static void start_linger(struct conn *c)
{
    bool unread = c->in.len > 0 || (c->request.method.ptr && !request_body_empty(&c->request) &&
                                    c->request.body_seen != c->request.content_length);
    uv_os_fd_t fd;

    if (!unread || c->cut || uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0) {
        close_conn(c);
        return;
    }
    /* Closing now would reset the connection and may destroy the answer on its way. */
    c->in.len = 0;
    shutdown(fd, SHUT_WR);
    set_state(c, LINGER);
    watch_reading(c);
}

static void answer_done(struct conn *c)
{
    const struct responder *responder = c->responder;
    void *ctx = c->ctx;

    c->responder = NULL;
    c->served = true;
    c->full = false;
    if (c->close || c->cut || c->host->stopping) {
        start_linger(c);
    } else {
        request_clear(&c->request);
        trim(&c->out);
        trim(&c->sending);
        c->ended = c->chunked = c->no_body = false;
        c->blank = 0;
        c->scan = (struct head_scan){0};
        set_state(c, IDLE);
    }
    if (responder)
        responder->sent(ctx);
    if (c->state == IDLE)
        process(c);
}

size_t conn_unsent(const struct conn *c)
{
    return c->sending.len - c->send_off + c->out.len;
}

/* What the responder writes from inside drained() is flushed by the caller. */
static void tell_drained(struct conn *c)
{
    if (!c->full || conn_unsent(c) > CONN_LOW)
        return;
    c->full = false;
    if (c->responder && c->responder->drained)
        c->responder->drained(c->ctx);
}

static void write_piece(struct conn *c);

static void on_written(uv_write_t *req, int status)
{
    struct conn *c = req->data;

    c->writing = false;
    if (c->state == CLOSED)
        return;
    if (status < 0) {
        client_gone(c, "client disconnected");
        return;
    }
    write_piece(c);
    if (c->state != CLOSED && c->writing)
        tell_drained(c);
}

/* Give the next piece of sending to libuv; when there is none, flush what gathered meanwhile. */
static void write_piece(struct conn *c)
{
    size_t len = c->sending.len - c->send_off;
    uv_buf_t piece;

    if (len == 0) {
        trim(&c->sending);
        c->send_off = 0;
        tell_drained(c);
        conn_flush(c);
        return;
    }
    piece = uv_buf_init(c->sending.ptr + c->send_off, (unsigned)(len < PIECE ? len : PIECE));
    c->send_off += piece.len;
    c->write.data = c;
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &piece, 1, on_written) < 0) {
        client_gone(c, "client disconnected");
        return;
    }
    c->writing = true;
}

/* One attempt to write all that has gathered. */
static void flush_once(struct conn *c)
{
    struct buf swap = c->sending;
    uv_buf_t all;
    int n;

    c->sending = c->out;
    c->out = swap;
    c->out.len = 0;
    c->send_off = 0;
    all = uv_buf_init(c->sending.ptr, (unsigned)c->sending.len);
    n = uv_try_write((uv_stream_t *)&c->tcp, &all, 1);
    if (n < 0 && n != UV_EAGAIN) {
        client_gone(c, "client disconnected");
        return;
    }
    c->send_off = n < 0 ? 0 : (size_t)n;
    if (c->send_off < c->sending.len) {
        write_piece(c);
        return;
    }
    trim(&c->sending);
    c->send_off = 0;
}

void conn_flush(struct conn *c)
{
    if (c->flushing) /* from inside drained(): the loop below goes on */
        return;
    c->flushing = true;
    while (c->state != CLOSED && !c->writing && c->out.len > 0) {
        flush_once(c);
        if (c->state != CLOSED)
            tell_drained(c);
    }
    c->flushing = false;
    if (c->state == ANSWER && c->ended && !c->writing && c->out.len == 0)
        answer_done(c);
}

bool conn_full(struct conn *c)
{
    if (conn_unsent(c) <= CONN_HIGH)
        return false;
    c->full = true;
    return true;
}

static bool is_head_request(const struct conn *c)
{
    return str_eq(c->request.method, STR("HEAD"));
}

static void out_failed(struct conn *c, const struct err *err)
{
    log_warning("no memory for an answer: %s", err->msg);
    c->close = true;
    c->cut = true;
}

static void put_framing(struct conn *c, int64_t length)
{
    c->no_body = length == CONN_NO_BODY || is_head_request(c);
    c->chunked = length == -1 && !c->request.http10 && !c->no_body;
    c->close_delimited = length == -1 && c->request.http10 && !c->no_body;
    if (c->close_delimited)
        c->close = true;
    if (length >= 0)
        buf_printf(&c->out, "Content-Length: %lld\r\n", (long long)length);
    else if (c->chunked)
        buf_put(&c->out, STR("Transfer-Encoding: chunked\r\n"));
    if (!c->request.keep_alive || c->host->stopping)
        c->close = true;
    if (c->close)
        buf_put(&c->out, STR("Connection: close\r\n"));
    else if (c->request.http10)
        buf_put(&c->out, STR("Connection: keep-alive\r\n"));
}

void conn_head(struct conn *c, int status, const struct headers *headers, int64_t length)
{
    struct err err;

    if (response_head(&c->out, status, headers, &err) < 0) {
        out_failed(c, &err);
        return;
    }
    put_framing(c, length);
    buf_put(&c->out, STR("\r\n"));
}

void conn_bytes(struct conn *c, struct str bytes)
{
    char size[24];
    struct err err;
    int n;

    if (bytes.len == 0 || c->no_body || c->cut)
        return;
    if (buf_reserve(&c->out, bytes.len + sizeof(size) + 2, &err) < 0) {
        out_failed(c, &err);
        return;
    }
    if (c->chunked) {
        n = snprintf(size, sizeof(size), "%zx\r\n", bytes.len);
        buf_add(&c->out, (struct str){size, (size_t)n}, &err);
    }
    buf_add(&c->out, bytes, &err);
    if (c->chunked)
        buf_add(&c->out, STR("\r\n"), &err);
}

void conn_end(struct conn *c)
{
    if (c->chunked && !c->cut)
        buf_put(&c->out, STR("0\r\n\r\n"));
    c->ended = true;
    conn_flush(c);
}

void conn_cut(struct conn *c)
{
    c->cut = true;
    c->close = true;
    c->ended = true;
    conn_flush(c);
}

void conn_answer(struct conn *c, int status, struct str content_type, const struct headers *extra,
                 struct str body)
{
    struct err err;

    if (c->state != ANSWER) { /* decided before the body was read */
        if (!request_body_empty(&c->request))
            c->close = true;
        set_state(c, ANSWER);
    }
    if (response_head(&c->out, status, extra, &err) < 0) {
        out_failed(c, &err);
    } else {
        response_own_headers(&c->out, extra);
        if (content_type.ptr)
            buf_printf(&c->out, "Content-Type: %.*s\r\n", STR_ARG(content_type));
        put_framing(c, status == 204 || status == 304 ? CONN_NO_BODY : (int64_t)body.len);
        buf_put(&c->out, STR("\r\n"));
        c->chunked = false;
        conn_bytes(c, body);
    }
    c->ended = true;
    if (!c->processing)
        conn_flush(c);
}

void conn_refuse(struct conn *c, const struct refusal *refusal, bool close)
{
    struct buf body = {0};

    c->close = c->close || close;
    error_body(&body, c->request.path, refusal_type(refusal->status), refusal->code,
               str_c(refusal->message));
    conn_answer(c, refusal->status, STR("application/json"), NULL, buf_str(&body));
    buf_clear(&body);
}

void conn_respond_with(struct conn *c, const struct responder *responder, void *ctx,
                       int64_t body_limit)
{
    c->responder = responder;
    c->ctx = ctx;
    c->request.body_limit = body_limit;
}

struct str conn_client(const struct conn *c)
{
    return str_c(c->client);
}

static void refuse_broken(struct conn *c, const struct refusal *refusal)
{
    struct str method, target;

    if (!c->request.path.ptr && head_guess(buf_str(&c->in), &method, &target) &&
        str_starts(target, STR("/v1/messages")))
        c->request.path = STR("/v1/messages"); /* for the shape of the answer */
    if (c->responder)
        c->responder->refused(c->ctx, &c->request, refusal);
    else
        c->host->malformed(c->host->ctx, c, buf_str(&c->in), refusal);
    conn_refuse(c, refusal, true);
}

/* Blank lines may stand before a request line. False when there is nothing else yet. */
static bool skip_blank_lines(struct conn *c)
{
    size_t n = 0;

    while (n + 1 < c->in.len && c->in.ptr[n] == '\r' && c->in.ptr[n + 1] == '\n')
        n += 2;
    buf_drop(&c->in, n);
    c->blank += n;
    return c->in.len > 0 && !(c->in.len == 1 && c->in.ptr[0] == '\r');
}

static bool read_head(struct conn *c)
{
    struct refusal refusal = {0};
    size_t len = head_scan(&c->scan, buf_str(&c->in), &refusal);

    if (len == 0 && refusal.status == 0)
        return false;
    if (len > 0)
        request_parse(&c->request, str_cut(buf_str(&c->in), len), &refusal);
    if (refusal.status != 0) {
        refuse_broken(c, &refusal);
        return true;
    }
    buf_drop(&c->in, len);
    set_state(c, BODY);
    c->request.body.budget = c->host->body_budget;
    c->host->head(c->host->ctx, c, &c->request);
    if (c->state == BODY && !c->responder) { /* nobody had the memory to answer */
        close_conn(c);
        return false;
    }
    if (c->state == BODY && c->request.expects_continue && !request_body_empty(&c->request) &&
        c->in.len == 0 && c->request.content_length <= c->request.body_limit) {
        buf_put(&c->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
        conn_flush(c);
    }
    return true;
}

static bool read_body(struct conn *c)
{
    struct str bytes = buf_str(&c->in);
    struct refusal refusal = {0};
    int rc = request_body_empty(&c->request) ? 1 : request_body(&c->request, &bytes, &refusal);

    buf_drop(&c->in, c->in.len - bytes.len);
    c->since_us = clock_now_us();
    if (rc < 0) {
        refuse_broken(c, &refusal);
        return true;
    }
    if (rc == 0)
        return false;
    set_state(c, ANSWER);
    c->responder->request(c->ctx, &c->request);
    return true;
}

/* One step of parsing; false when more bytes (or the answer) are needed first. */
static bool step(struct conn *c)
{
    switch (c->state) {
    case IDLE:
        if (!skip_blank_lines(c)) {
            if (c->blank <= BLANK_LINES_MAX)
                return false;
        }
        set_state(c, HEAD);
        if (c->blank > BLANK_LINES_MAX) {
            struct refusal refusal = {0};

            refuse(&refusal, 400, "malformed_request", "Too many blank lines before a request.");
            refuse_broken(c, &refusal);
        }
        return true;
    case HEAD:
        return read_head(c);
    case BODY:
        return read_body(c);
    case ANSWER: /* answered from inside this very call? */
        if (c->ended && !c->writing)
            conn_flush(c);
        return c->state == IDLE;
    case LINGER:
    case CLOSED:
        return false;
    }
    return false;
}

static void process(struct conn *c)
{
    if (c->processing)
        return;
    c->processing = true;
    while (step(c))
        ;
    c->processing = false;
    if (c->state == CLOSED)
        return;
    if (c->eof && c->state != LINGER && (c->in.len == 0 || c->state != ANSWER)) {
        client_gone(c, "client disconnected");
        return;
    }
    watch_reading(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct conn *c = handle->data;

    (void)suggested;
    *out = uv_buf_init(c->host->read_buffer, (unsigned)c->host->read_size);
}

static void on_linger(struct conn *c, ssize_t n)
{
    c->lingered += n > 0 ? (size_t)n : 0;
    if (n < 0 || c->lingered > LINGER_BYTES)
        close_conn(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct conn *c = stream->data;
    struct err err;

    if (n == 0 || c->state == CLOSED)
        return;
    if (c->state == LINGER) {
        on_linger(c, n);
        return;
    }
    if (n == UV_EOF) {
        c->eof = true;
        process(c);
        return;
    }
    if (n < 0) {
        client_gone(c, "client disconnected");
        return;
    }
    if (buf_add(&c->in, (struct str){buffer->base, (size_t)n}, &err) < 0) {
        client_gone(c, "no memory");
        return;
    }
    process(c);
}

/* While a request is answered reading goes on, to notice that the client leaves, but not far. */
static void watch_reading(struct conn *c)
{
    bool want = !c->eof && !(c->state == ANSWER && c->in.len >= CONN_READ_AHEAD);

    if (want == c->reading)
        return;
    c->reading = want;
    if (want)
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    else
        uv_read_stop((uv_stream_t *)&c->tcp);
}

static void name_client(struct conn *c)
{
    struct sockaddr_storage addr;
    int len = sizeof(addr);
    char ip[48] = "";

    if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&addr, &len) != 0)
        return;
    if (addr.ss_family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&addr;

        uv_ip6_name(v6, ip, sizeof(ip));
        snprintf(c->client, sizeof(c->client), "[%s]:%d", ip, ntohs(v6->sin6_port));
    } else {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&addr;

        uv_ip4_name(v4, ip, sizeof(ip));
        snprintf(c->client, sizeof(c->client), "%s:%d", ip, ntohs(v4->sin_port));
    }
}

static void on_unused_closed(uv_handle_t *handle)
{
    free(handle->data);
}

bool conn_open(struct conn_host *host, uv_stream_t *server)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (!c)
        return false;
    c->host = host;
    uv_tcp_init(host->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(server, (uv_stream_t *)&c->tcp) != 0) {
        uv_close((uv_handle_t *)&c->tcp, on_unused_closed);
        return false;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    name_client(c);
    list_add_tail(&host->conns, &c->node);
    host->count++;
    c->request.body.budget = host->body_budget;
    set_state(c, IDLE);
    watch_reading(c);
    return true;
}

static bool late(int64_t since_us, int64_t limit_us, int64_t now_us)
{
    return limit_us > 0 && now_us - since_us >= limit_us;
}

static void refuse_late(struct conn *c, const char *what)
{
    struct refusal refusal = {0};

    refuse(&refusal, 408, "request_timeout", "The request %s did not arrive in time.", what);
    refuse_broken(c, &refusal);
}

static void sweep_sending(struct conn *c, int64_t now_us)
{
    size_t queue = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) + conn_unsent(c);

    if (queue == 0 || queue != c->last_queue) {
        c->last_queue = queue;
        c->since_us = now_us;
    } else if (late(c->since_us, c->host->send_timeout_us, now_us)) {
        c->cut = true;
        client_gone(c, "client stopped reading");
    }
}

static void sweep_one(struct conn *c, int64_t now_us)
{
    const struct conn_host *host = c->host;

    switch (c->state) {
    case IDLE:
        if (late(c->since_us, c->served ? host->idle_timeout_us : host->header_timeout_us, now_us))
            close_conn(c);
        break;
    case HEAD:
        if (late(c->since_us, host->header_timeout_us, now_us))
            refuse_late(c, "header");
        break;
    case BODY:
        if (late(c->since_us, host->body_idle_timeout_us, now_us))
            refuse_late(c, "body");
        break;
    case ANSWER:
        sweep_sending(c, now_us);
        break;
    case LINGER:
        if (late(c->since_us, LINGER_US, now_us))
            close_conn(c);
        break;
    case CLOSED:
        break;
    }
}

void conn_sweep(struct conn_host *host, int64_t now_us)
{
    while (host->abort_at_us && now_us >= host->abort_at_us && !list_empty(&host->conns))
        client_gone(LIST_ENTRY(host->conns.next, struct conn, node), "proxy stopped");
    LIST_EACH_SAFE (node, &host->conns)
        sweep_one(LIST_ENTRY(node, struct conn, node), now_us);
}

void conn_stop_all(struct conn_host *host)
{
    host->stopping = true;
    LIST_EACH_SAFE (node, &host->conns) {
        struct conn *c = LIST_ENTRY(node, struct conn, node);

        if (c->state == IDLE)
            close_conn(c);
    }
}

bool conn_close_idlest(struct conn_host *host)
{
    struct conn *found = NULL;

    LIST_EACH (node, &host->conns) {
        struct conn *c = LIST_ENTRY(node, struct conn, node);

        if ((c->state == IDLE || c->state == HEAD) && (!found || c->since_us < found->since_us))
            found = c;
    }
    if (found)
        close_conn(found);
    return found != NULL;
}
