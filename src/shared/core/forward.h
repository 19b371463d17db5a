/* core/forward.h - what goes upstream and what goes back: URL, headers, flags. Pure functions. */
#ifndef CORE_FORWARD_H
#define CORE_FORWARD_H

#include "base/buf.h"
#include "base/headers.h"
#include "base/secret.h"

struct route;

/** Where a request goes and with which key. Borrowed texts. */
struct decision {
    struct str base_url;      /* as configured */
    struct str provider_slug; /* STR_NONE: none */
    struct str provider_name;
    struct str upstream_model;  /* STR_NONE: as requested */
    struct str model_route;     /* the pattern that matched */
    const char *match_type;     /* "exact", "prefix"; NULL: no route */
    const char *route_decision; /* "route", "fallback", "passthrough" */
    const char *route_source;   /* "startup", "db", "fallback", "none" */
    struct str auth_style;      /* "bearer", "x-api-key", "api-key", "none"; STR_NONE: by rule */
    struct str fixes_json;      /* array of the compatibility fixes for the answer */
    struct str api_key_env;     /* variable that holds the key; STR_NONE: none is named */
    bool key_configured;        /* also when no key was found: then no credentials are sent */
    const struct secret *key;   /* NULL: none found */
    const struct route
        *several; /* this is one of the upstreams of that route; NULL: the only one */
};

/** The target of a request under /v1: path and query as received, and what they mean. */
struct target {
    struct str rest;  /* after "/v1/", raw */
    struct str query; /* raw, without "?"; STR_NONE when there is none */
};

/** Split a request target whose path is /v1 or below. False when it is not under /v1. */
bool forward_target(struct str raw, struct target *out);
/** False when a once-decoded segment is . or .. (also with ;parameter), or the decoded path holds a
 *  backslash, NUL or control character. */
bool forward_path_ok(struct str path);
/** Append "/v1/" and the percent-decoded rest. */
int forward_endpoint(struct buf *out, struct str rest, struct err *err);
/** Append base + "/" + rest [+ "?" + query]; base loses its trailing slashes. */
int forward_url(struct buf *out, struct str base, const struct target *t, struct err *err);
/** The host of an absolute URL, without user information, port and a final dot. */
struct str forward_host(struct str url);
/** Equal, one trailing slash ignored. */
bool forward_endpoint_is(struct str endpoint, struct str name);

/** Fill out with what is sent upstream for received, except Host, Content-Length and
 *  Accept-Encoding, which the transfer adds. Texts are borrowed from received and the decision or
 *  kept in arena. */
int forward_request_headers(struct headers *out, struct arena *arena,
                            const struct headers *received, const struct decision *d,
                            struct str endpoint, struct err *err);
/** Fill out with what the client gets of the upstream's headers, except framing. */
int forward_response_headers(struct headers *out, struct arena *arena,
                             const struct headers *received, struct err *err);

/** Content-Type contains text/event-stream, any case. */
bool forward_is_sse(struct str content_type);

/** Check an upstream base URL (rules of routes): absolute http or https, a host, no user info,
 *  query or fragment, a version segment. ERR_INVALID says which rule. *out is the part without
 *  blanks around and trailing slashes. */
int forward_check_base_url(struct str url, struct str *out, struct err *err);
/** The same without the version segment: the rules of providers. */
int forward_check_provider_url(struct str url, struct str *out, struct err *err);

#endif
