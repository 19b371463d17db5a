/* daemon/api/api_live.h - what is in flight, and the event stream of what happens. */
#ifndef API_API_LIVE_H
#define API_API_LIVE_H

#include "daemon/api/api.h"

/** POST /api/requests/{record_id}/cancel. */
void api_cancel_run(struct call *call, struct store *store);
/** A row in flight as JSON; prices may be NULL. Returns owned. */
cJSON *api_live_flight(const struct live_row *row, int64_t rev, const struct price_book *prices);

/** Send what is new to the event streams of a worker; call every 100 ms or so. */
void api_events_sweep(struct worker *w, int64_t now_us);
/** Say "bye" and end all event streams of a worker. */
void api_events_stop(struct worker *w);
/** Open the event stream of GET /api/events. */
void api_events_open(struct worker *w, struct conn *conn, struct request *r);

#endif
