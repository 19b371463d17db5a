/* cli/join.h - rows of one call with members of another: a list and what its rows did today. */
#ifndef CLI_JOIN_H
#define CLI_JOIN_H

#include "task.h"

struct join {
    const char *key, *other_key;  /* of the rows, and of the others */
    const char *const *members;   /* taken over; ends with NULL */
    const char *const *fallbacks; /* JSON values of those without a counterpart */
    struct buf text, out;
    struct join_row {
        struct str key, json;
    } * others;
    size_t count;
};

/** Ask for the others, a bare array. Release with join_clear(), also after an error. */
int join_read(struct join *j, struct task *t, const char *what, const char *path);
void join_clear(struct join *j);
/** Print a row with its further members; a task_row_fn whose ctx is the join. */
int join_print_row(struct task *t, void *ctx, struct str json, const struct row *row);

#endif
