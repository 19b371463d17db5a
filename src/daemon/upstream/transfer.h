/* daemon/upstream/transfer.h - one request to an upstream and its answer.
 *
 * The seam: the exchange knows this page and nothing of what is behind it. Two engines are: "h1"
 * (llhttp over libuv, plain http:// without a proxy) and "curl" (libcurl: TLS, HTTP/2, proxies).
 * Both deliver the same events and obey the same limits; the answer's content coding is undone
 * here.
 *
 * Events come on the loop's thread, never before transfer_start() has returned, in this order:
 * head once, bytes any number of times, done once, released once. After transfer_cancel() only
 * released comes. The object is gone when released returns. */
#ifndef UPSTREAM_TRANSFER_H
#define UPSTREAM_TRANSFER_H

#include <uv.h>

#include "base/headers.h"

struct transfer;
struct upstreams; /* the connections of one loop */

struct upstream_limits {
    int64_t connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms; /* 0: none */
    const char *ca_file; /* PEM bundle, NULL: the system's */
    bool allow_link_local;
};

/** Borrowed until released. */
struct transfer_request {
    struct str method;
    struct str url;                /* absolute, http or https */
    const struct headers *headers; /* all but Host, Content-Length, Accept-Encoding, Connection */
    struct str body;
    bool has_body;           /* Content-Length is sent, also 0 */
    int64_t head_timeout_ms; /* from the start to the head of the answer; 0: none */
    bool identity;           /* ask for no content coding: the client wants a stream */
};

struct transfer_head {
    int status;
    const struct headers *headers; /* as received, in order; borrowed for the call */
    int64_t content_length;        /* of the decoded body; -1 when unknown or decoded */
    bool no_body;                  /* HEAD, 204, 304 */
};

/** Why a transfer failed; the codes of the error answers. */
enum transfer_error {
    TRANSFER_OK,
    TRANSFER_CONNECT_FAILED,
    TRANSFER_TLS_FAILED,
    TRANSFER_BAD_RESPONSE,
    TRANSFER_CONNECTION_LOST,
    TRANSFER_DECODE_FAILED,
    TRANSFER_CONNECT_TIMEOUT,
    TRANSFER_FIRST_BYTE_TIMEOUT,
    TRANSFER_IDLE_TIMEOUT,
    TRANSFER_REFUSED, /* not allowed: link-local, bad URL */
};
/** "connect_failed", ... as in error bodies. */
const char *transfer_error_code(enum transfer_error e);
/** HTTP status the client gets when no head came: 502 or 504. */
int transfer_error_status(enum transfer_error e);

struct transfer_events {
    void (*head)(void *ctx, const struct transfer_head *head);
    /** False: not now; nothing was kept, the same bytes come again after transfer_resume(). */
    bool (*bytes)(void *ctx, struct str bytes);
    /** What was read from the socket in one go has been delivered, or refused by bytes(): time to
     *  flush. Does not come when done follows at once. */
    void (*pause)(void *ctx);
    /** The answer is complete, or failed: message says how, with host and port; borrowed. */
    void (*done)(void *ctx, enum transfer_error error, const char *message);
    void (*released)(void *ctx);
};

/** Phases so far, in microseconds since the start; -1 when not reached. */
struct transfer_times {
    int64_t connect_us; /* 0 when a kept-alive connection was used */
    int64_t head_us, first_byte_us;
    int64_t reads; /* body reads */
};

/** Returns owned, upstreams_close(). The process has to ignore SIGPIPE. The environment (proxies,
 *  SSL_CERT_FILE) is read here. */
struct upstreams *upstreams_open(uv_loop_t *loop, const struct upstream_limits *limits,
                                 struct err *err);
/** Close idle connections; closed() comes on a later turn, when all transfers are released. */
void upstreams_close(struct upstreams *u, void (*closed)(void *ctx), void *ctx);

/** Start. NULL (ERR_INVALID, ERR_NO_MEMORY, ERR_BUSY after upstreams_close()) when it cannot even
 *  begin: no event comes then. */
struct transfer *transfer_start(struct upstreams *u, const struct transfer_request *request,
                                const struct transfer_events *events, void *ctx, struct err *err);
/** Stop it: the upstream's connection is closed within this loop turn. Safe from any event. */
void transfer_cancel(struct transfer *t);
/** After bytes() returned false: deliver again, on a later turn. Safe from any event but bytes();
 *  does nothing when no bytes wait. */
void transfer_resume(struct transfer *t);
void transfer_times(const struct transfer *t, struct transfer_times *out);

#endif
