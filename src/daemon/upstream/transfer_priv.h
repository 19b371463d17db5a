/* daemon/upstream/transfer_priv.h - what the files of this folder share. */
#ifndef UPSTREAM_TRANSFER_PRIV_H
#define UPSTREAM_TRANSFER_PRIV_H

#include "base/buf.h"
#include "daemon/upstream/decode.h"
#include "daemon/upstream/transfer.h"

/** One engine. start() returns 0 or fills err; everything else as in transfer.h. The engine calls
 *  transfer_on_*() below, and is told to stop by cancel(); it answers with transfer_on_released()
 *  on a later turn. */
struct transfer_engine {
    const char *name;
    int (*start)(struct transfer *t, struct err *err);
    void (*cancel)(struct transfer *t);
    void (*resume)(struct transfer *t);
};
extern const struct transfer_engine transfer_engine_curl;
extern const struct transfer_engine transfer_engine_h1;

struct url_parts {
    bool tls;
    struct str host; /* without brackets */
    struct str authority; /* as written: host[:port] */
    uint16_t port;
    struct str target; /* path and query, starts with "/" */
};
/** Borrowed parts of an absolute http(s) URL without user info. ERR_INVALID. */
int url_split(struct str url, struct url_parts *out, struct err *err);

struct upstreams {
    uv_loop_t *loop;
    struct upstream_limits limits;
    struct curl_loop *curl; /* NULL until the first https transfer */
    struct h1_pool *h1;
    size_t transfers; /* not yet released */
    unsigned closing_parts;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct transfer {
    struct upstreams *upstreams;
    const struct transfer_engine *engine;
    struct transfer_request request;
    struct url_parts url;
    const struct transfer_events *events;
    void *ctx;
    void *state; /* the engine's own */
    struct decode *decode;    /* NULL: identity */
    struct str undelivered;   /* encoded bytes that wait for the sink, in held */
    struct buf held;
    int64_t started_us, connected_us, head_us, first_byte_us, reads;
    bool head_sent, cancelled, finished, blocked, end_pending;
    enum transfer_error end_error;
    char end_message[300];
};

/** The engine has a complete, checked head. False: it is refused (the transfer is failed with
 *  *error and message filled): the engine must stop and call transfer_on_done() with them. */
bool transfer_on_head(struct transfer *t, int status, const struct headers *headers,
                      int64_t content_length, enum transfer_error *error, char message[300]);
/** Body bytes as on the wire, decoded here. False: the sink is full; pass the same bytes again
 *  after resume(). *error is set when the body cannot be decoded. */
bool transfer_on_bytes(struct transfer *t, struct str bytes, enum transfer_error *error);
void transfer_on_pause(struct transfer *t);
void transfer_on_done(struct transfer *t, enum transfer_error error, const char *message);
/** Last call for t: frees it. */
void transfer_on_released(struct transfer *t);

/** True when a response field may be passed on: token name, no CR, LF or NUL in the value. */
bool response_field_ok(struct str name, struct str value);

#endif
