/* base/base64.h - RFC 4648: bytes as text. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "buf.h"

/** Append bytes as base64 with padding. ERR_NO_MEMORY, ERR_TOO_LARGE. */
int base64_encode(struct buf *out, struct str bytes, struct err *err);
/** Append the bytes of base64 text, that for URLs too; what is no digit is skipped. The same
 *  errors. */
int base64_decode(struct buf *out, struct str text, struct err *err);

#endif
