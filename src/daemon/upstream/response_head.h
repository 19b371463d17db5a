/* daemon/upstream/response_head.h - the head of an upstream's answer: what is let in, for both
 * engines. Pure: bytes in, fields or a refusal out.
 *
 * Refused are: anything but HTTP/1.0, HTTP/1.1 and (from curl) HTTP/2, a status outside 200-599,
 * 101, more than 64 interim answers, more than 256 KiB or 1024 fields, lines that do not end with
 * CRLF, folded lines, names that are no token, control characters in values, more than one
 * Content-Length or an invalid one, and every Transfer-Encoding but a single "chunked". */
#ifndef UPSTREAM_RESPONSE_HEAD_H
#define UPSTREAM_RESPONSE_HEAD_H

#include "base/headers.h"

#define RESPONSE_HEAD_MAX ((size_t)256 * 1024)
#define RESPONSE_FIELDS_MAX 1024
#define RESPONSE_INTERIM_MAX 64

/** {0} is empty. */
struct response_head {
    int status;  /* 0: no status line yet */
    int version; /* 10, 11, 20 */
    bool chunked;
    int64_t content_length; /* -1: none; set with the status line */
    struct headers headers; /* in arena */
    struct arena arena;
    size_t bytes;     /* of the head at hand */
    unsigned interim; /* 1xx answers seen and dropped */
};

/** Copy one line in, with its CRLF. 1: the final head is complete; 0: more is needed (also after an
 *  interim head, which is dropped); -1: ERR_INVALID, ERR_TOO_LARGE, ERR_NO_MEMORY. */
int response_head_line(struct response_head *h, struct str line, struct err *err);
/** The same for one whole head, which ends with the first blank line. */
int response_head_all(struct response_head *h, struct str head, struct err *err);
void response_head_clear(struct response_head *h);

/** Find the end of a head of HTTP/1.x in bytes, of which the first *scanned were looked at by
 *  earlier calls: the length of the head, 0 when it is not complete yet, -1 when this can be no
 * head (ERR_INVALID, ERR_TOO_LARGE). */
ptrdiff_t response_head_end(struct str bytes, size_t *scanned, struct err *err);

#endif
