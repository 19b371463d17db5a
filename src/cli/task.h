/* cli/task.h - what a verb that asks the API needs: output, source, and the last answer. */
#ifndef CLI_TASK_H
#define CLI_TASK_H

#include "out.h"
#include "source.h"

#define ASK_MS 60000                   /* checks, tests and catalogues take their time */
#define JOB_MS (INT64_C(86400) * 1000) /* so does work on the whole database */

/** {"deleted":true} */
extern const struct out_spec deleted_object;

struct task {
    struct cli *cli;
    struct out out;
    struct source source;
    struct buf text; /* of the last answer */
    struct err err;
    int status; /* exit status once something was said */
};

/** Open output and source. False when the task is over: return task_end(). */
bool task_start(struct task *t, struct cli *cli, const struct out_spec *spec);
/** End the output unless rc is -1 (then t->err is printed), close all, return the exit status:
 *  rc itself when it is above 0. */
int task_end(struct task *t, int rc);

/** One call; *answer is in t->text, until the next one. json.ptr NULL: no body. */
int task_ask(struct task *t, const char *what, const char *method, const char *path,
             struct str json, int64_t timeout_ms, struct str *answer);
int task_get(struct task *t, const char *what, const char *path, const char *query,
             struct str *answer);
/** json is borrowed for the call; row reads it. 0 to go on, 1 to stop, -1 with t->err filled. */
typedef int task_row_fn(struct task *t, void *ctx, struct str json, const struct row *row);
/** Call each for all rows of a list that comes in pages; query is empty or ends in "&". */
int task_each(struct task *t, const char *what, const char *path, const char *query,
              task_row_fn *each, void *ctx);
/** The same for the elements of an array that is part of an answer. */
int task_each_of(struct task *t, struct str array, task_row_fn *each, void *ctx);
/** Print the row. */
int task_print_row(struct task *t, void *ctx, struct str json, const struct row *row);
/** Print an object in the JSON form, else text (NULL: nothing). */
int task_print(struct task *t, struct str json, const struct buf *text);

/** Call one for each of count things and say how many were deleted; one failure among several does
 *  not keep the others. Prints {"deleted":true}. Returns the exit status: ERR_PARTIAL when some
 * were and others not. */
int task_delete(struct task *t, const char *one_name, size_t count,
                int (*one)(struct task *t, void *ctx, size_t i), void *ctx);

/** Add "name=value&" in the form of a query. */
void query_add(struct buf *query, const char *name, const char *value);
/** Those of the named options (ends with NULL) that were given. */
void query_options(struct buf *query, const struct cli *cli, const char *const *names);

/** Add "label  text" as a line, text made harmless; nothing for an empty text. */
void line_add(const struct task *t, struct buf *out, const char *label, struct str text);
/** The same with the value of a member; nothing when it is null. */
void line_member(const struct task *t, struct buf *out, const char *label, const struct row *row,
                 const char *path);
/** The text of a member as an owned copy; NULL when it is null. */
char *row_copy(const struct row *row, const char *path);
bool row_is(const struct row *row, const char *path, const char *text);

#endif
