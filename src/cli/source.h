/* cli/source.h - where a command gets its rows: a running server, or the database file.
 *
 * Both give the same JSON: a server through its API, a file through the handlers of that API. Which
 * one it is follows from options, environment, the lock of the instance file beside the database,
 * and what answers at the default address, in this order. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "cli.h"
#include "client/api_client.h"
#include "ops/ops.h"
#include "store/store.h"

#define SOURCE_DEFAULT_DATABASE "sqlite:///./llm_observe_proxy.sqlite3"

struct source {
    struct api_client *client; /* NULL: the file is used */
    struct ops *ops;
    struct store *store; /* of ops */
    char *path;          /* of the database in file mode */
    const struct cli *cli;
    /** Set by commands that show it: rows so far, of a change that takes several transactions of
     *  the file. */
    void (*progress)(void *ctx, int64_t rows);
    void *progress_ctx;
    char hint[1024]; /* further lines for an error of source_open() */
};

/** ERR_UNREACHABLE (with a hint), ERR_INVALID, ERR_STORE. Keeps cli. Release with source_close(),
 *  also after an error. */
int source_open(struct source *s, const struct cli *cli, struct err *err);
void source_close(struct source *s);
/** The server's URL or the file's path. */
const char *source_name(const struct source *s);
/** Print a failure of source_open(); the exit status. */
int source_fail(const struct source *s, const struct err *err);

/** GET path ("/api/requests" or "/api/requests/ID") with a query (no "?"). The answer's text goes
 *  to out (emptied before), *value is the JSON value in it. what names the call in messages. An
 *  answer of 400 and above is an error with its code. */
int source_get(struct source *s, const char *what, const char *path, const char *query,
               struct buf *out, struct str *value, struct err *err);

/** Any call: method, path, query (no "?") and a JSON body (json.ptr NULL: none). The answer,
 *  an object or a list, or nothing of a DELETE (*value is STR_NONE), goes to out; one of 400 and
 *  above is an error with its code. timeout_ms 0: API_ANSWER_MS. ERR_UNREACHABLE: a file cannot
 * answer that, or must not be changed while its server is silent. */
int source_send(struct source *s, const char *what, const char *method, const char *path,
                const char *query, struct str json, int64_t timeout_ms, struct buf *out,
                struct str *value, struct err *err);

enum body_side { BODY_REQUEST, BODY_RESPONSE, BODY_UPSTREAM };
/** Hand the stored bytes of one side to bytes(). *truncated: the capture is a part of what was sent
 *  (only where the source knows). ERR_NOT_FOUND when the body was not kept. */
int source_body(struct source *s, int64_t id, enum body_side side, api_bytes_fn *bytes, void *ctx,
                bool *truncated, struct err *err);
extern const char *const body_side_names[3];

/** Read the file at path from now on, or ask the server at url; on failure s is as it was. */
int source_to_file(struct source *s, const char *path, struct err *err);
bool source_to_server(struct source *s, const char *url);

/** True when another process holds the lock of the instance file of this database; *url becomes an
 *  owned copy of the server's URL, or NULL when the file does not tell. */
bool source_instance(const char *database, char **url);

#endif
