/* daemon/api/api.h - calls of /api and /admin over HTTP: read on the loop, worked on by a reader or
 * the writer thread, answered on the loop. What they answer is in shared/ops; here are those that
 * need the running server. */
#ifndef API_API_H
#define API_API_H

#include <stdatomic.h>

#include "daemon/worker.h"
#include "ops/call.h"

/** A call while the server works on it. */
struct api_call {
    struct call call; /* what its route sees */
    struct call_env env;
    struct job job;
    struct recorder_job writing;
    struct worker *worker;
    struct conn *conn; /* NULL: gone */
    struct blob input;
    bool running;
    /** Set by run: the call goes on on the loop, where it may ask others; then() calls
     *  api_finish(). NULL: it is answered. */
    void (*then)(struct api_call *call);
    int (*keep)(struct api_call *call, struct store *store, struct err *err);
    _Atomic bool gone; /* nobody waits for the answer */
    size_t unsent;     /* counted in the app's */
};

/** Start a call for a route that has run or write. slug is copied. */
void api_open(struct worker *w, struct conn *conn, struct request *r,
              const struct call_route *route, int64_t id, struct str slug);
/** Of a call that api_open() started. */
struct api_call *api_call_of(struct call *call);
struct app *api_app(const struct call *call);
/** Loop thread: then() is through, the answer is filled. */
void api_finish(struct api_call *call);
/** The same, after keep has written what it has to on the writer thread, as a transaction. That it
 *  cannot is logged and changes nothing about the answer. */
void api_finish_stored(struct api_call *call,
                       int (*keep)(struct api_call *call, struct store *store, struct err *err));

/* The rows of each resource; each ends with a NULL method. */
extern const struct call_route api_live_routes[];
extern const struct call_route api_status_routes[];
extern const struct call_route api_routing_forms_routes[];
extern const struct call_route api_probes_routes[];
extern const struct call_route api_price_forms_routes[];
extern const struct call_route api_run_forms_routes[];
extern const struct call_route api_data_forms_routes[];
extern const struct call_route api_metrics_routes[];
extern const struct call_route api_openapi_routes[];
extern const struct call_route api_health_routes[];

/** {"version":…,"api":…,"pid":…,…}: appended as a JSON object. */
void api_server_json(struct app *app, struct buf *out);
/** {"queue_depth":…,…}: appended as a JSON object. store may be NULL. */
void api_store_json(struct app *app, struct store *store, struct buf *out);

#endif
