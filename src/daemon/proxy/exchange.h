/* daemon/proxy/exchange.h - one request under /v1 and its answer. */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "daemon/worker.h"

/** A head under /v1 has arrived and passed Host and Origin: answer it, sooner or later. */
void exchange_open(struct worker *w, struct conn *conn, struct request *r);
/** Announce pending rows that run for a while; call every 100 ms or so. */
void exchange_sweep(struct worker *w, int64_t now_us);
/** Start exchanges that waited for the writer, when it has caught up or they waited long enough. */
void exchange_admit(struct worker *w, int64_t now_us);
/** Cut everything under way: the program stops. */
void exchange_cut_all(struct worker *w);

#endif
