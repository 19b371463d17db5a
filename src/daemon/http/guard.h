/* daemon/http/guard.h - no web page may use or read the proxy: Host and Origin rules. Pure. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "base/headers.h"
#include "daemon/http/refusal.h"

struct guard {
    const char *const *allowed_hosts; /* further names, "*" for all */
    size_t allowed_host_count;
    const char *const *allowed_origins;
    size_t allowed_origin_count;
    const char *own_name;    /* the machine's host name */
    const char *listen_host; /* --host */
};

/** authority is host[:port], checked for syntax before; STR_NONE is allowed (HTTP/1.0). */
bool guard_host(const struct guard *g, struct str authority, struct refusal *refusal);
/** Under /v1 every method counts, elsewhere those that may change something. */
bool guard_origin(const struct guard *g, struct str method, struct str path, struct str authority,
                  const struct headers *headers, struct refusal *refusal);

#endif
