/* json/json.h - cJSON trees: built with exact numbers and valid UTF-8, read without surprises. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <cjson/cJSON.h>

#include "base/buf.h"

/** Parse with a depth limit of JSON_MAX_DEPTH and strict checks (json_scan first). NULL when text
 *  is not JSON or memory is gone. What a C string cannot hold, a NUL or half of a surrogate pair,
 *  becomes U+FFFD. Returns owned, cJSON_Delete(). */
cJSON *json_parse(struct str text);

/** Members are added in the order of the calls. UNKNOWN becomes null. */
void json_put_int(cJSON *o, const char *key, int64_t value);
void json_put_bool(cJSON *o, const char *key, bool value);
/** STR_NONE becomes null; invalid UTF-8 becomes U+FFFD; a NUL byte is written as \u0000. */
void json_put_str(cJSON *o, const char *key, struct str value);
void json_put_text(cJSON *o, const char *key, const char *value);
void json_put_null(cJSON *o, const char *key);
/** Exact decimal of pico-dollars, no double on the way; UNKNOWN becomes null. */
void json_put_money(cJSON *o, const char *key, int64_t pusd);
/** JSON text that is already made. */
void json_put_raw(cJSON *o, const char *key, const char *text);
/** The same for array elements. */
void json_add_str(cJSON *array, struct str value);
void json_add_int(cJSON *array, int64_t value);
/** Append the compact text of a tree. False without memory, out is as it was then. */
bool json_print(struct buf *out, const cJSON *tree);
/** Append s as a JSON string with quotes, repaired to valid UTF-8, non-ASCII unescaped. False
 *  without memory, out is as it was then. */
bool json_quote(struct buf *out, struct str s);

/* Reading: false, and *out untouched, when absent or of another type; strings are borrowed. 12.0
 * is the integer 12, 12.5 and what a double cannot hold are none. The path names nested members
 * with dots: "usage.prompt_tokens". */
bool json_get_int(const cJSON *o, const char *path, int64_t *out);
bool json_get_str(const cJSON *o, const char *path, const char **out);

#endif
