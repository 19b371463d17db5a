/* file_call DATABASE METHOD TARGET [JSON] - a call of the API over a database file, without a
 * server: prints the status in a line, then the answer. For file-mode.test.mjs. */
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"

static int call(struct ops *ops, char **argv, struct ops_answer *out, struct err *err)
{
    struct str path = str_c(argv[2]), query = STR("");
    ptrdiff_t mark = str_chr(path, '?');
    struct ops_call in = {
        .what = "file_call",
        .method = argv[1],
        .json = argv[3] ? str_c(argv[3]) : STR_NONE,
    };

    if (mark >= 0) {
        query = str_from(path, (size_t)mark + 1);
        path = str_cut(path, (size_t)mark);
    }
    in.path = path;
    in.query = query;
    return ops_answer(ops, &in, out, err);
}

int main(int argc, char **argv)
{
    struct ops_answer answer = {0};
    struct ops *ops;
    struct err err;
    int rc;

    if (argc < 4)
        return 2;
    ops = ops_open(argv[1], &err);
    rc = ops ? call(ops, argv + 1, &answer, &err) : -1;
    if (rc == 0) {
        printf("%d\n", answer.status);
        fwrite(answer.body.ptr, 1, answer.body.len, stdout);
    } else {
        fprintf(stderr, "%s\n", err.msg);
    }
    buf_clear(&answer.body);
    ops_close(ops);
    return rc == 0 ? 0 : err_exit_status(err.code);
}
