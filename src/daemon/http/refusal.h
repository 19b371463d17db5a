/* daemon/http/refusal.h - why a request is not served: the status, type and code of the answer. */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

#include "base/buf.h"

struct refusal {
    int status;       /* 0: not refused */
    const char *code; /* "malformed_request", ... */
    char message[200];
};

/** Fill r; returns false, so that a failing check is one line. */
bool refuse(struct refusal *r, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** "invalid_request_error", "forbidden", ...: the type that goes with a status. */
const char *refusal_type(int status);
/** Append the JSON body of an error answer: OpenAI's shape, Anthropic's under /v1/messages, and
 *  {"detail":…} for paths outside /v1 (a path that is not known counts as /v1). */
void error_body(struct buf *out, struct str path, const char *type, const char *code,
                struct str message);

#endif
