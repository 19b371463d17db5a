/* daemon/api/api_live.h - the event stream of what happens. */
#ifndef API_API_LIVE_H
#define API_API_LIVE_H

#include "daemon/worker.h"

/** Send what is new to the event streams of a worker; call every 100 ms or so. */
void api_events_sweep(struct worker *w, int64_t now_us);
/** Say "bye" and end all event streams of a worker. */
void api_events_stop(struct worker *w);
/** Open the event stream of GET /api/events. */
void api_events_open(struct worker *w, struct conn *conn, struct request *r);

#endif
