/* ops/call.h - one call of the API, and what answers it.
 *
 * Handlers know a store, the configuration and this page, nothing of HTTP or threads: a server runs
 * them on its reader and writer threads, a command runs them over the database file (ops.h). So
 * both give the same answers. */
#ifndef OPS_CALL_H
#define OPS_CALL_H

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/headers.h"
#include "config/config.h"
#include "ops/previews.h"
#include "store/store.h"
#include "view/view_record.h"

struct call;
struct operation;
struct worker; /* of the server, as the next two */
struct conn;
struct request;

/** A row of the dispatch table. Exactly one of run, write and open is set. Literal paths win over
 *  those with parameters. */
struct call_route {
    const char *method;
    const char *pattern; /* "/api/requests/{record_id}": a 64-bit integer; {slug}: any text */
    /** Reads: fill call->status and call->body. */
    void (*run)(struct call *call, struct store *store);
    /** Writes, in a transaction that is kept exactly when call->status is below 400. */
    void (*write)(struct call *call, struct store *store);
    /** Loop thread of the server: answer at once, or name a responder of its own. */
    void (*open)(struct worker *w, struct conn *conn, struct request *r);
};

/** One step of what a call writes, in a transaction of its own. */
typedef int call_step_fn(void *arg, struct store *store, struct err *err);

/** What calls need besides a store, from who answers them. */
struct call_env {
    const struct config *config;
    const struct startup *startup; /* what every catalog starts from */
    const char *url;               /* where the server listens; NULL: there is none */
    int port;                      /* of clients' URLs */
    struct previews *previews;
    /** A reference to the catalog in force. */
    struct catalog *(*catalog)(void *ctx);
    /** The global upstream in force, in arena: all that most calls want of the catalog. */
    struct str (*upstream_url)(void *ctx, struct arena *arena);
    /** An id for a run that store, in a transaction, is about to get. */
    int (*next_run_id)(void *ctx, struct store *store, int64_t *id, struct err *err);
    /** For calls that read and then write: run a step, keep what it did when it returns 0. */
    int (*transact)(void *ctx, call_step_fn *step, void *arg, struct err *err);
    void *ctx;
};

struct call {
    const struct call_env *env;
    const struct call_route *route;
    const struct operation *operation; /* NULL: pages and forms */
    struct arena arena;                /* lives as long as the call */
    struct str path, query;            /* as they came */
    struct headers headers;            /* of the request */
    struct str input;                  /* its body */
    int64_t id;                        /* of {..._id} */
    struct str slug;                   /* of {slug}, decoded */
    /* Writing calls set again to be called once more, in a transaction of its own, when others had
     * their turn; and after for what must not be in a transaction. */
    bool again;
    void (*after)(struct call *call, struct store *store);
    int64_t progress; /* theirs: rows so far */
    void *state;      /* theirs, in arena */
    /* the answer */
    int status;
    struct str content_type; /* application/json unless it is set */
    struct headers extra;    /* in arena */
    struct buf body;
};

/** Answer a call of a route that has run. store NULL: it cannot be opened. */
void call_read(struct call *call, struct store *store);
/** One transaction of a call whose route has write. True: it was kept. */
bool call_write(struct call *call, struct store *store);
/** Bytes that the body of a call may have. */
int64_t call_input_max(const struct call_route *route);

/** A reference to the catalog in force. */
struct catalog *call_catalog(const struct call *call);
/** What views know besides the store, with the upstream in force; texts are in call->arena. */
struct view_context call_view_context(struct call *call);
/** Fill the answer {"detail":message}. */
void call_detail(struct call *call, int status, const char *message);
/** Fill the answer with a tree. Takes it. */
void call_json(struct call *call, int status, cJSON *tree);
/** Fill the answer with JSON text. */
void call_text(struct call *call, int status, const char *json);
/** The same from an error. */
void call_error(struct call *call, const struct err *err);
/** Parameters of the query, as the operation of the call declares them: they fit. */
int64_t call_query_int(const struct call *call, const char *name);
/** The text of a parameter, appended to out (owned by it). False when it is absent and nothing is
 *  standard. */
bool call_query_text(const struct call *call, const char *name, struct buf *out);

#endif
