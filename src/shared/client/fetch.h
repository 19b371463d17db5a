/* client/fetch.h - documents from the web, on a thread that may wait: GET, no redirects. */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define FETCH_PARALLEL 4

/** One document; url is given, the rest is filled in. {0} and url is empty. */
struct fetch {
    struct str url;  /* borrowed, http or https */
    struct buf body; /* owned, buf_clear() */
    int status;      /* 0: none came */
    char error[200]; /* "" when the body is there in full */
};

struct fetch_options {
    const struct secret *key; /* sent as a bearer token; NULL: none */
    const char *ca_file;      /* NULL: the system's */
    int64_t timeout_ms;       /* of each */
    size_t limit;             /* of each body */
};

/** Get count documents, at most FETCH_PARALLEL at a time, and wait for all of them. */
void fetch_all(struct fetch *list, size_t count, const struct fetch_options *o);

#endif
