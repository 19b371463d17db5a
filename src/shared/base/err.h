/* base/err.h - what failed, on what, why; and which exit status or HTTP status that makes. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_CODES(X) /* name, HTTP status, exit status */                                          \
    X(NONE, 200, 0)                                                                                \
    X(FAILED, 500, 1)                                                                              \
    X(INVALID, 400, 2)                                                                             \
    X(NOT_FOUND, 404, 3)                                                                           \
    X(DENIED, 403, 4)                                                                              \
    X(UNREACHABLE, 502, 5)                                                                         \
    X(TIMEOUT, 504, 5)                                                                             \
    X(STORE, 500, 6)                                                                               \
    X(CORRUPT, 500, 6)                                                                             \
    X(FULL, 507, 6)                                                                                \
    X(CONFLICT, 409, 7)                                                                            \
    X(PARTIAL, 500, 8)                                                                             \
    X(TOO_LARGE, 413, 2)                                                                           \
    X(NO_MEMORY, 503, 1)                                                                           \
    X(BUSY, 503, 75)

enum err_code {
#define X(name, http, exit) ERR_##name,
    ERR_CODES(X)
#undef X
};

/** Filled by a function exactly when it fails. */
struct err {
    enum err_code code;
    char msg[512]; /* one line: what failed, on what, why */
};

/** Fill *err and return -1, so that a failing branch is one line. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Put what the caller was doing in front, "open store: disk full", and return -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The process exit status of a code. */
int err_exit_status(enum err_code code);
/** The HTTP status of a code. */
int err_http_status(enum err_code code);

#endif
