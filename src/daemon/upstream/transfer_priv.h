/* daemon/upstream/transfer_priv.h - what the files of this folder share.
 *
 * transfer.c owns a transfer from start to release: decoding, back-pressure, timeouts, the order of
 * events. An engine moves bytes. It is told to stop() at most once, by the client, a timeout or an
 * error, also from inside any transfer_on_*() call; then t->stopped is set and it must touch the
 * transfer no more than it needs to let go. Either stop() or transfer_complete() ends a transfer.
 */
#ifndef UPSTREAM_TRANSFER_PRIV_H
#define UPSTREAM_TRANSFER_PRIV_H

#include "base/list.h"
#include "daemon/upstream/decode.h"
#include "daemon/upstream/transfer.h"

struct transfer_engine {
    const char *name;
    /** Begin; -1 leaves nothing behind. May call transfer_fail(): the event is put off. */
    int (*start)(struct transfer *t, struct err *err);
    /** Let go of the connection, then call transfer_released(), at once or later. */
    void (*stop)(struct transfer *t);
    /** The sink takes bytes again. On a turn of its own, never inside a callback of the engine. */
    void (*resume)(struct transfer *t);
    /** The deadline has passed. True: the engine has moved it; false: the transfer fails. */
    bool (*expired)(struct transfer *t);
    /** Free t->state. Last call. */
    void (*release)(struct transfer *t);
};
extern const struct transfer_engine transfer_engine_curl;
extern const struct transfer_engine transfer_engine_h1;

struct url_parts {
    bool tls;
    struct str host;      /* without brackets */
    struct str authority; /* as written: host[:port] */
    uint16_t port;
    struct str target; /* path and query, starts with "/" */
};
/** Borrowed parts of an absolute http(s) URL without user info and fragment. ERR_INVALID. */
int url_split(struct str url, struct url_parts *out, struct err *err);

struct sockaddr;
/** 169.254.0.0/16 (also mapped into IPv6) and fe80::/10. */
bool address_is_link_local(const struct sockaddr *addr);

struct upstreams {
    uv_loop_t *loop;
    struct upstream_limits limits;
    char *ca_file;          /* owned; limits.ca_file, else $SSL_CERT_FILE, else NULL */
    bool http_proxy;        /* the environment names a proxy for http:// */
    struct curl_loop *curl; /* NULL until the first transfer that needs it */
    struct h1_pool *h1;
    uv_timer_t sweep; /* the one timer of all deadlines; stopped while nothing runs */
    int64_t sweep_at_ms, sweep_gap_ms;
    uv_idle_t idle;       /* runs only while later has entries */
    struct list later;    /* transfers with something to do on the next turn */
    struct list decoding; /* transfers that wait for their share of decode_left */
    size_t decode_left;   /* bytes that may still be decoded at decode_ms */
    int64_t decode_ms;
    struct list running; /* all transfers, until released */
    size_t transfers;
    unsigned open_parts;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

enum transfer_phase { PHASE_CONNECT, PHASE_FIRST_BYTE, PHASE_BODY };

struct transfer {
    struct upstreams *upstreams;
    const struct transfer_engine *engine;
    void *state; /* the engine's own */
    struct transfer_request request;
    struct url_parts url;
    const struct transfer_events *events;
    void *ctx;
    struct arena arena;
    struct list running, later;
    struct decode *decode; /* NULL: identity */
    struct str decoded;    /* what decode made and the sink refused, borrowed from decode */
    size_t fed;            /* bytes of what the engine offers that went into decode already */
    enum transfer_phase phase;
    int64_t head_by_ms;  /* the head has to be there then; like deadline_ms */
    int64_t deadline_ms; /* on uv_now()'s scale; 0: none */
    int64_t started_us, connected_us, head_us, first_byte_us, reads; /* -1: not yet */
    bool starting;  /* inside transfer_start(): no events yet */
    bool stopped;   /* the engine has let go or was told to; only done and released may follow */
    bool cancelled; /* done must not come either */
    bool blocked;   /* the sink refused bytes */
    bool resume_pending, done_pending, release_pending; /* work for the next turn */
    enum transfer_error error;
    char message[300];
};

enum transfer_took { TOOK_ALL, TOOK_NOTHING, TOOK_STOPPED };

/** transfer_turn(t) is called on the next turn. */
void upstreams_later(struct transfer *t);
/** The same, but only when there are bytes left to decode; the one who has waited longest is first.
 */
void upstreams_queue(struct transfer *t);
/** How many bytes may be decoded on this turn, which all transfers share. */
size_t upstreams_decode_left(struct upstreams *u);
/** So many of them were used; more than there are is all. */
void upstreams_decoded(struct upstreams *u, size_t bytes);
/** A transfer was released. */
void upstreams_left(struct upstreams *u);
/** Do what is pending: done, resume, release. */
void transfer_turn(struct transfer *t);
/** The time for the head is over, whatever moves. */
bool transfer_head_is_late(const struct transfer *t, int64_t now_ms);
/** The deadline has passed. */
void transfer_fail_late(struct transfer *t);

/** A new phase begins: set the deadline that belongs to it. */
void transfer_phase(struct transfer *t, enum transfer_phase phase);
/** Set another deadline; 0: none. */
void transfer_deadline(struct transfer *t, int64_t deadline_ms);
/** Bytes of the body have arrived in one read from the socket. */
void transfer_touch(struct transfer *t);
/** A complete, checked head. content_length is the wire's, -1 when there is none. False: stopped
 *  meanwhile. */
bool transfer_on_head(struct transfer *t, int status, const struct headers *headers,
                      int64_t content_length);
/** Body bytes as on the wire. TOOK_NOTHING: stop reading and offer bytes that start with the same
 *  ones after resume(). */
enum transfer_took transfer_on_bytes(struct transfer *t, struct str bytes);
/** One read has been delivered and the transfer goes on. */
void transfer_on_pause(struct transfer *t);
/** The answer has ended as it should. The engine has let go of t already. */
void transfer_complete(struct transfer *t);
/** Stop the engine and report done with this message; nothing when stopped already. */
void transfer_fail(struct transfer *t, enum transfer_error error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Nothing of the engine refers to t any more, save state. */
void transfer_released(struct transfer *t);
/** True when status or method say that no body follows the head. */
bool transfer_has_no_body(const struct transfer *t, int status);
/** The Accept-Encoding that is sent. */
struct str transfer_accept_encoding(const struct transfer *t);
/** False for the fields that the engines write themselves (Host, framing, Accept-Encoding). */
bool transfer_field_passes(struct str name);

/** The request's head as it goes over HTTP/1.1, in t's arena. STR_NONE: no memory. */
struct str h1_request_head(struct transfer *t);

/** True when a field may be passed on: token name, no CR, LF or NUL in the value. */
bool response_field_ok(struct str name, struct str value);

#endif
