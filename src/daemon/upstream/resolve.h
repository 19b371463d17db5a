/* daemon/upstream/resolve.h - names to addresses without blocking the loop, remembered for a
 * while. Literal addresses need no lookup. Loop thread only. */
#ifndef UPSTREAM_RESOLVE_H
#define UPSTREAM_RESOLVE_H

#include <netinet/in.h>
#include <uv.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

#define RESOLVE_ADDRESSES_MAX 16

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

struct addresses {
    union address items[RESOLVE_ADDRESSES_MAX]; /* without a port */
    size_t count;
};

struct resolver;

/** Embedded in who waits; {0} is not waiting. */
struct resolve_wait {
    struct list node;
    /** Once, on a later turn. found is borrowed for the call, NULL on failure, with message why. */
    void (*done)(struct resolve_wait *wait, const struct addresses *found, const char *message);
};

/** Returns owned; close with resolver_close(). */
struct resolver *resolver_open(uv_loop_t *loop);
/** closed() comes on a later turn, when no lookup runs any more. Nobody may be waiting. */
void resolver_close(struct resolver *r, void (*closed)(void *ctx), void *ctx);
/** 1: *found is filled at once; 0: wait->done() will come; -1: ERR_INVALID, ERR_NO_MEMORY. */
int resolver_find(struct resolver *r, struct str host, struct addresses *found,
                  struct resolve_wait *wait, struct err *err);
/** done() will not come. Accepts one that does not wait. */
void resolver_cancel(struct resolve_wait *wait);
/** What is remembered for host did not work: ask again next time. */
void resolver_forget(struct resolver *r, struct str host);

#endif
