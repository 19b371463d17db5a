/* daemon/upstream/decode.h - undo a content coding in pieces of bounded size: gzip, deflate (with
 * and without zlib wrapper), zstd, and lists of them.
 *
 * A body that decodes to more than 1 GiB, or to more than 1000 times its size beyond 64 MiB, is
 * taken for corrupt. */
#ifndef UPSTREAM_DECODE_H
#define UPSTREAM_DECODE_H

#include "base/err.h"
#include "base/str.h"

struct decode;

/** For the value of a Content-Encoding header. Returns owned, decode_free(). *out is NULL for
 *  identity. ERR_INVALID for a coding that is not known. */
int decode_new(struct str content_encoding, struct decode **out, struct err *err);
/** Decode some of *in (advancing it) into at most 64 KiB at *out, borrowed until the next call.
 *  0: done, and out->len 0 means that more input is needed; 1: nothing came out of much work yet,
 *  call again; -1: ERR_INVALID, corrupt. */
int decode_step(struct decode *d, struct str *in, struct str *out, struct err *err);
/** True when the coding's end marker was reached (or nothing was fed): a body may end here. */
bool decode_at_end(const struct decode *d);
void decode_free(struct decode *d);

/** Decode all of in into memory up to limit bytes; for request bodies. The result is appended to
 *  out. ERR_INVALID, ERR_TOO_LARGE. */
struct blob;
int decode_all(struct str content_encoding, struct str in, size_t limit, struct blob *out,
               struct err *err);

#endif
