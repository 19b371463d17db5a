/* ops/version.h - edits of a row that somebody else has changed in between.
 *
 * A row says when it was changed: updated_at, which is also the ETag of the call that reads it. Who
 * sends that back, as updated_at in the body or in If-Match, changes the row only while it is what
 * was read. Without it the last one wins. */
#ifndef OPS_VERSION_H
#define OPS_VERSION_H

#include "ops/body.h"

/** updated_us of a row that is not there. */
#define VERSION_NONE INT64_MIN

/** Add the ETag of the row that is the answer. */
void version_tell(struct call *call, int64_t updated_us);
/** Whether the call may change the row, what ("Route 5") names it. b may be NULL. False: the call
 *  is answered 409, or 400 for an updated_at that is no text. */
bool version_fits(struct call *call, const struct body *b, const char *what, int64_t updated_us);

#endif
