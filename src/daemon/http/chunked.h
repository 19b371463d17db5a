/* daemon/http/chunked.h - strict decoder of Transfer-Encoding: chunked. Trailers are checked and
 * dropped. Any split of the bytes gives the same result. */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "base/str.h"

#define CHUNKED_EXTENSION_MAX 16384 /* bytes of extensions in one body */
#define CHUNKED_TRAILER_MAX 65536   /* bytes of the trailer section */
#define CHUNKED_TRAILER_FIELDS 256

enum chunked_result {
    CHUNKED_MORE, /* all input is used, more is needed */
    CHUNKED_DATA, /* *data holds some body bytes, borrowed from the input */
    CHUNKED_END,  /* the body is complete; *in starts with what follows it */
    CHUNKED_BAD,
    CHUNKED_TRAILER_TOO_LARGE,
};

/** {0} is the start. */
struct chunked {
    int state;
    uint64_t left;
    unsigned digits, zeros;
    size_t extension, trailer, fields;
    bool line_empty, colon;
};

/** Take bytes off *in until there is something to say. */
enum chunked_result chunked_next(struct chunked *c, struct str *in, struct str *data);

#endif
