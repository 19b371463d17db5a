/* daemon/dispatch.h - method and path to whoever answers. */
#ifndef DAEMON_DISPATCH_H
#define DAEMON_DISPATCH_H

#include "daemon/worker.h"

struct call_route;

/** All that is answered outside of /v1. Each table ends with a NULL method, the list with NULL. */
extern const struct call_route *const dispatch_tables[];

/** The head callback of a worker's connections. */
void dispatch_head(void *ctx, struct conn *conn, struct request *r);
/** The malformed callback: what was meant for /v1 leaves a row. */
void dispatch_malformed(void *ctx, struct conn *conn, struct str bytes,
                        const struct refusal *refusal);

#endif
