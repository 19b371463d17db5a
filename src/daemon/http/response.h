/* daemon/http/response.h - writing a status line and headers. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "base/buf.h"
#include "base/headers.h"

const char *response_reason(int status);
/** Append "HTTP/1.1 200 OK\r\n" and the headers (without the final empty line). */
int response_head(struct buf *out, int status, const struct headers *headers, struct err *err);
/** Append the security headers of answers that the program makes itself, and that they are not to
 * be stored unless extra, which may be NULL, says something about that. */
void response_own_headers(struct buf *out, const struct headers *extra);

#endif
