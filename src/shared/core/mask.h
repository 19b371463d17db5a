/* core/mask.h - secrets leave headers, queries and URLs before anything is stored or shown. */
#ifndef CORE_MASK_H
#define CORE_MASK_H

#include "base/buf.h"
#include "base/headers.h"

/** True for authorization, x-api-key, cookie, names whose last word is token, secret, ... */
bool mask_is_secret_header(struct str name);
/** Append what is stored for the value of a secret header: "***", or "Bearer ***" when an
 *  authorization value has a scheme word and a value. */
void mask_header_value(struct buf *out, struct str name, struct str value);
/** Append the stored form of headers: compact JSON object, lower-case names sorted, repeats joined
 *  with ", ", values decoded as ISO-8859-1, secrets masked unless store_secrets. */
int mask_headers_json(struct buf *out, const struct headers *headers, bool store_secrets,
                      struct err *err);
/** Mask again what was stored in clear before: headers_json text in, masked text appended; "{}" for
 *  what is no JSON object, nothing for STR_NONE. False without memory, out is as it was then. */
bool mask_stored_json(struct buf *out, struct str headers_json);
/** Append a raw query (STR_NONE: nothing) with the values of key, api_key, apikey, access_token and
 *  token as "***". */
int mask_query(struct buf *out, struct str query, struct err *err);
/** Append a URL without user information and with its query masked. */
int mask_url(struct buf *out, struct str url, struct err *err);

#endif
