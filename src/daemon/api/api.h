/* daemon/api/api.h - one call of /api or /admin: read on the loop, worked on by a reader thread,
 * answered on the loop. */
#ifndef API_API_H
#define API_API_H

#include <cjson/cJSON.h>
#include <stdatomic.h>

#include "daemon/worker.h"
#include "view/view_record.h"

struct api_call;
struct api_operation;

/** A row of the dispatch table. Exactly one of run, write and open is set. Literal paths win over
 *  those with parameters. */
struct api_route {
    const char *method;
    const char *pattern; /* "/api/requests/{record_id}": a 64-bit integer; {slug}: any text */
    /** Reader thread: fill call->status and call->body. store is NULL when it cannot be opened. */
    void (*run)(struct api_call *call, struct store *store);
    /** Writer thread, in a transaction that is kept exactly when call->status is below 400. What it
     *  changes is in force on all workers before the client has the answer. */
    void (*write)(struct api_call *call, struct store *store);
    /** Loop thread: answer at once, or name a responder of its own. */
    void (*open)(struct worker *w, struct conn *conn, struct request *r);
};

struct api_call {
    struct job job;
    struct recorder_job writing;
    struct worker *worker;
    struct conn *conn; /* NULL: gone */
    const struct api_route *route;
    const struct api_operation *operation; /* NULL: pages and forms */
    struct request request;                /* moved out of the connection */
    struct str path, query;
    int64_t id;      /* of {..._id} */
    struct str slug; /* of {slug}, decoded, in request.arena */
    bool running;
    /* Writing calls set again to be called once more, in a transaction of its own, when the writer
     * has looked after others; and after for what must not be in a transaction. */
    bool again;
    void (*after)(struct api_call *call, struct store *store);
    int64_t progress; /* theirs */
    /** Set by run: the call goes on on the loop, where it may ask others; then() calls
     *  api_finish(). NULL: it is answered. */
    void (*then)(struct api_call *call);
    int (*keep)(struct api_call *call, struct store *store, struct err *err);
    void *state;       /* of run and then; of write: in request.arena */
    _Atomic bool gone; /* nobody waits for the answer */
    /* the answer */
    int status;
    struct str content_type; /* application/json unless run sets it */
    struct headers extra;    /* in request.arena */
    struct buf body;
    size_t unsent; /* counted in the app's */
};

/** Start a call for a route that has run or write. slug is copied. */
void api_open(struct worker *w, struct conn *conn, struct request *r, const struct api_route *route,
              int64_t id, struct str slug);
/** Loop thread: then() is through, the answer is filled. */
void api_finish(struct api_call *call);
/** The same, after keep has written what it has to on the writer thread, as a transaction. That it
 *  cannot is logged and changes nothing about the answer. */
void api_finish_stored(struct api_call *call,
                       int (*keep)(struct api_call *call, struct store *store, struct err *err));
/** What views know besides the store, with the upstream in force; texts are in request.arena. */
struct view_context api_view_context(struct api_call *call);
/** Fill the answer {"detail":message}. */
void api_detail(struct api_call *call, int status, const char *message);
/** Fill the answer with a tree. Takes it. */
void api_json(struct api_call *call, int status, cJSON *tree);
/** Fill the answer with JSON text. */
void api_text(struct api_call *call, int status, const char *json);
/** The same from an error. */
void api_error(struct api_call *call, const struct err *err);
/** Parameters of the query, as the operation of the call declares them: they fit. */
int64_t api_query_int(const struct api_call *call, const char *name);
/** The text of a parameter, appended to out (owned by it). False when it is absent and nothing is
 *  standard. */
bool api_query_text(const struct api_call *call, const char *name, struct buf *out);

/** Calls with this prefix may have a price file in their body. */
#define API_PRICE_FILES "/admin/api/pricing/catalog/"

/* The rows of each resource; each ends with a NULL method. */
extern const struct api_route api_records_routes[];
extern const struct api_route api_live_routes[];
extern const struct api_route api_status_routes[];
extern const struct api_route api_routes_routes[];
extern const struct api_route api_providers_routes[];
extern const struct api_route api_simulate_routes[];
extern const struct api_route api_default_routes_routes[];
extern const struct api_route api_settings_routes[];
extern const struct api_route api_routing_forms_routes[];
extern const struct api_route api_probes_routes[];
extern const struct api_route api_prices_routes[];
extern const struct api_route api_price_forms_routes[];
extern const struct api_route api_costs_routes[];
extern const struct api_route api_catalog_routes[];
extern const struct api_route api_runs_routes[];
extern const struct api_route api_budgets_routes[];
extern const struct api_route api_storage_routes[];
extern const struct api_route api_metrics_routes[];
extern const struct api_route api_models_routes[];
extern const struct api_route api_openapi_routes[];
extern const struct api_route api_usage_routes[];
extern const struct api_route api_health_routes[];

/** Bytes of the file path + suffix; UNKNOWN when there is none. */
int64_t api_file_size(const char *path, const char *suffix);
/** Bytes that are free where path is; UNKNOWN. */
int64_t api_disk_free(const char *path);
/** {"version":…,"api":…,"pid":…,…}: appended as a JSON object. */
void api_server_json(struct app *app, struct buf *out);
/** {"queue_depth":…,…}: appended as a JSON object. store may be NULL. */
void api_store_json(struct app *app, struct store *store, struct buf *out);

#endif
