/* tui/model.h - what is known about the server: the last answer of /api/live and the finished
 * requests of the answers before it.
 *
 * Values stay JSON and are read where they are shown (cli/row.h); a member that an older server
 * does not send is unknown and shown as "-". Pure; one thread at a time. */
#ifndef TUI_MODEL_H
#define TUI_MODEL_H

#include "base/buf.h"
#include "cli/row.h"

#define MODEL_FINISHED_MAX 1024 /* the server's ring, and what fell out of it just now */

/** One row of a table. */
struct item {
    struct row row;
    int64_t id;         /* of a request or run; for others a number made of the name */
    int64_t rev;        /* of finished requests */
    int64_t created_us; /* of requests and runs */
    char *text;         /* owned, when the row outlives the answer it came in */
};

struct items {
    struct item *rows;
    size_t count, cap;
};

struct model {
    struct buf answer; /* the last one; top and the items without text point into it */
    struct row top;
    bool filled; /* there was an answer */
    int64_t rev;
    int64_t now_us;      /* the server's clock when it answered */
    int64_t answered_us; /* our monotonic clock when it came */
    char instance[32];
    struct items inflight; /* oldest first */
    struct items finished; /* newest first */
    struct items models, upstreams;
    struct buf runs_answer;
    struct items runs;
    struct buf text_answer; /* a "text" object that came alone */
    struct str text;        /* the text of the selected request; STR_NONE */
};

void model_clear(struct model *m);
/** Take an answer of /api/live. ERR_FAILED when it is no such object; m is as it was then. */
int model_take(struct model *m, struct str answer, int64_t monotonic_us, struct err *err);
/** Take an answer of /api/runs. */
int model_take_runs(struct model *m, struct str answer, struct err *err);
/** Take the "text" of an answer that was asked for nothing else. */
void model_take_text(struct model *m, struct str answer);

/** A member of the last answer by path: UNKNOWN, NAN, false when it is not there. */
int64_t model_int(const struct model *m, const char *path);
double model_number(const struct model *m, const char *path);
/** Append its text, not cleaned. */
bool model_text(const struct model *m, const char *path, struct buf *out);

/** The request in flight or finished, or NULL. */
const struct item *model_request(const struct model *m, int64_t id);
/** The same among the finished ones only. */
const struct item *model_finished(const struct model *m, int64_t id);

#endif
