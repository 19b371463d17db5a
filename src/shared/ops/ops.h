/* ops/ops.h - the calls of the API over a database file, without a server: same handlers, same
 * rules, same answers. A server may use the file at the same time; it sees what changes.
 *
 * One thread. The configuration is that of the environment and of saved settings: flags of a server
 * are not known here. */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include "base/buf.h"
#include "base/err.h"

struct ops;
struct store;

/** Open the database at path, which exists. ERR_STORE; ERR_INVALID names a variable. Returns owned,
 *  ops_close(). */
struct ops *ops_open(const char *path, struct err *err);
void ops_close(struct ops *ops);
/** The handle that reads; borrowed. */
struct store *ops_store(struct ops *ops);
/** From now on calls that change something fail with ERR_UNREACHABLE and this text, copied. */
void ops_refuse_changes(struct ops *ops, const char *why);

struct ops_call {
    const char *what; /* who asks, for errors: "requests cancel" */
    const char *method;
    struct str path, query; /* as a client would send them, without "?" */
    struct str json;        /* the body; STR_NONE: none */
    /** Told after each of several transactions, with the rows so far; may be NULL. */
    void (*progress)(void *ctx, int64_t rows);
    void *ctx;
};

struct ops_answer {
    int status;
    char content_type[64];
    struct buf body; /* owned by who asked; emptied before */
};

/** Answer a call. Any status is success. ERR_UNREACHABLE: a server is needed for that; ERR_STORE,
 *  ERR_BUSY: the file cannot be used; ERR_TOO_LARGE: the body. */
int ops_answer(struct ops *ops, const struct ops_call *in, struct ops_answer *out, struct err *err);

#endif
