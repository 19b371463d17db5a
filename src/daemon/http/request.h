/* daemon/http/request.h - one request head, checked, and its body as it arrives.
 *
 * A head passes three gates: a scan of the raw bytes for what no parser should have to judge, the
 * llhttp parser in strict mode, and our own rules of framing, Host and target. Only what passes
 * all three becomes a request, so that one client request can never be two upstream requests. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/arena.h"
#include "base/blob.h"
#include "base/headers.h"
#include "daemon/http/chunked.h"
#include "daemon/http/refusal.h"

/** {0} is empty. Texts live in arena. */
struct request {
    struct arena arena;
    struct str method;
    struct str target;    /* as received */
    struct str path;      /* of the target, raw, without query */
    struct str query;     /* raw, without "?"; STR_NONE when there is none */
    struct str authority; /* of an absolute target, else Host; STR_NONE in HTTP/1.0 without */
    struct headers headers;
    bool http10;
    bool keep_alive;
    bool expects_continue;
    bool asterisk;          /* OPTIONS * */
    int64_t content_length; /* -1: chunked; 0 without a body */
    bool has_length;        /* Content-Length was given */
    int64_t body_limit;     /* bytes; set before the body is read */
    struct blob body;
    struct chunked chunked;
    int64_t body_seen; /* bytes of the body that arrived */
};

/** Parse a complete head, passed by head_scan(), into *r (empty before). False and *refusal when it
 * is refused; r->path may be known then, for the shape of the answer. */
bool request_parse(struct request *r, struct str head, struct refusal *refusal);
/** Take body bytes off *bytes. 1: the body is complete, 0: more is needed, -1: *refusal. */
int request_body(struct request *r, struct str *bytes, struct refusal *refusal);
/** True when the request has no body bytes to wait for. */
bool request_body_empty(const struct request *r);
void request_clear(struct request *r);

#endif
