/* base/query.h - application/x-www-form-urlencoded pairs and percent-encoding. */
#ifndef BASE_QUERY_H
#define BASE_QUERY_H

#include "buf.h"

/** Take the next pair off *rest, raw. False when there is none. */
bool query_next(struct str *rest, struct str *name, struct str *value);
/** Append the decoded text ("+" is a blank in forms). */
int query_decode(struct buf *out, struct str raw, bool form, struct err *err);
/** The last value of name, decoded and appended to out (owned by it). False when absent. */
bool query_get(struct str query, const char *name, struct buf *out);
/** Append s in form encoding: unreserved A-Z a-z 0-9 _ . - ~ as is, space as +, else %XX. */
void query_encode(struct buf *out, struct str s);

#endif
