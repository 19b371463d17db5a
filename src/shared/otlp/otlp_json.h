/* otlp/otlp_json.h - the pieces that OTLP/JSON is made of: attributes and numbers.
 *
 * 64-bit integers are strings there, enums are numbers, keys are lowerCamelCase. A text is cut at
 * OTLP_TEXT_MAX bytes, so what a peer sends stays small. */
#ifndef OTLP_OTLP_JSON_H
#define OTLP_OTLP_JSON_H

#include "base/buf.h"

#define OTLP_TEXT_MAX ((size_t)256)

/** A comma, unless this is the first element of its list. */
void otlp_next(struct buf *out);
/** Append text, cut and repaired to valid UTF-8, as a JSON string. */
void otlp_quote(struct buf *out, struct str text);
/** Append value / 10^decimals (0 to 12), exactly. */
void otlp_decimal(struct buf *out, int64_t value, int decimals);

/* Append an attribute to a list; absent text and UNKNOWN append nothing. */
void otlp_put_text(struct buf *out, const char *key, struct str value);
void otlp_put_int(struct buf *out, const char *key, int64_t value);
void otlp_put_decimal(struct buf *out, const char *key, int64_t value, int decimals);
void otlp_put_true(struct buf *out, const char *key);
/** An array that holds value alone. */
void otlp_put_list(struct buf *out, const char *key, struct str value);

#endif
