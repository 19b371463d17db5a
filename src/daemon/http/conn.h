/* daemon/http/conn.h - one client connection: requests in, answers out, one at a time.
 *
 * Loop thread only. The connection reads a head, asks dispatch who answers it, reads the body, and
 * hands the request over. Answer bytes gather in a buffer until conn_flush(), so that a head and
 * what follows it leave in one segment. Above CONN_HIGH bytes waiting for the client conn_full() is
 * true; drained() comes below CONN_LOW. */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <uv.h>

#include "base/list.h"
#include "daemon/http/request.h"

#define CONN_HIGH ((size_t)1024 * 1024)
#define CONN_LOW ((size_t)256 * 1024)
#define CONN_READ_AHEAD ((size_t)64 * 1024)

struct conn;

/** Who answers the request at hand. Every call may come only while the answer is not complete. */
struct responder {
    /** The body is complete: r is the responder's to move from until it returns. */
    void (*request)(void *ctx, struct request *r);
    /** The body was refused (too large, broken, late); the connection answers by itself, and
     *  sent() or gone() follows. */
    void (*refused)(void *ctx, struct request *r, const struct refusal *refusal);
    /** The client is gone; the connection must not be used any more. how is a text for the row. */
    void (*gone)(void *ctx, const char *how);
    /** Room again after conn_full() was true. May be NULL. */
    void (*drained)(void *ctx);
    /** The answer, ended by conn_end() or conn_cut(), was handed to the socket; the last call. It
     * may come from inside conn_end(), conn_cut() and conn_flush(). */
    void (*sent)(void *ctx);
};

/** How connections reach the rest; one per worker. */
struct conn_host {
    uv_loop_t *loop;
    struct list conns;
    size_t count;
    char *read_buffer; /* shared by all connections of a loop */
    size_t read_size;
    struct blob_budget *body_budget;
    int64_t header_timeout_us, body_idle_timeout_us, idle_timeout_us, send_timeout_us; /* 0: none */
    bool stopping;       /* no keep-alive any more */
    int64_t abort_at_us; /* 0: never; then all connections are closed, whatever they do */
    /** A head is there: call conn_respond_with(), or answer at once with conn_refuse() or
     *  conn_answer(). */
    void (*head)(void *ctx, struct conn *c, struct request *r);
    /** A message whose head is refused: for the record. bytes is what came of it, borrowed. */
    void (*malformed)(void *ctx, struct conn *c, struct str bytes, const struct refusal *refusal);
    void *ctx;
};

/** Take over an accepted connection. False when there is no memory; the stream stays unread. */
bool conn_open(struct conn_host *host, uv_stream_t *server);
/** Close what has waited too long; call every 100 ms or so. */
void conn_sweep(struct conn_host *host, int64_t now_us);
/** Close connections that are between requests; others get "Connection: close". */
void conn_stop_all(struct conn_host *host);
/** Close the connection that has been idle, or inside its head, longest. False: there is none. */
bool conn_close_idlest(struct conn_host *host);

/** Name the responder of the request at hand and the limit of its body. */
void conn_respond_with(struct conn *c, const struct responder *responder, void *ctx,
                       int64_t body_limit);
/** "127.0.0.1:54321", borrowed. */
struct str conn_client(const struct conn *c);

/** Refuse the request at hand with an error body of the shape that its path wants. The connection
 *  closes afterwards when body bytes may follow. */
void conn_refuse(struct conn *c, const struct refusal *refusal, bool close);
/** A complete answer; extra may be NULL: further headers. sent() follows when a responder is named.
 */
void conn_answer(struct conn *c, int status, struct str content_type, const struct headers *extra,
                 struct str body);

/** Start an answer. length: bytes of the body; -1: not known, chunked (close-delimited in
 *  HTTP/1.0); CONN_NO_BODY: none, and no framing header. */
#define CONN_NO_BODY (-2)
void conn_head(struct conn *c, int status, const struct headers *headers, int64_t length);
void conn_bytes(struct conn *c, struct str bytes);
/** End the body; flush; sent() comes when the socket has it all. */
void conn_end(struct conn *c);
/** End in a way that looks broken: no terminating chunk, connection closed; sent() comes as well.
 */
void conn_cut(struct conn *c);
/** Hand what is gathered to the socket. */
void conn_flush(struct conn *c);
bool conn_full(struct conn *c);
/** Bytes that wait for the client. */
size_t conn_unsent(const struct conn *c);

#endif
