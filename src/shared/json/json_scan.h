/* json/json_scan.h - JSON without a tree: values as byte ranges of the text, validated on the way.
 *
 * Strict RFC 8259 over valid UTF-8; nesting deeper than JSON_MAX_DEPTH is an error; linear time, no
 * recursion, no allocation. Safe for the event loop on small inputs. */
#ifndef JSON_JSON_SCAN_H
#define JSON_JSON_SCAN_H

#include "base/buf.h"

#define JSON_MAX_DEPTH 512

/** What a value is, by its first byte. */
enum json_type {
    JSON_INVALID,
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

/** Trim blanks and a byte order mark, and check the whole text. *value is the range of the one
 *  value in it. JSON_INVALID when it is not JSON. */
enum json_type json_scan(struct str text, struct str *value);
/** For text that is not JSON: at which byte the part starts that is at fault. */
size_t json_scan_error(struct str text);
/** The type of a value range that json_scan() or an iterator gave. */
enum json_type json_type_of(struct str value);

/** Walk the members of an object or the elements of an array whose text was validated before.
 *  Usage: struct json_iter it = json_iter(value); while (json_next(&it)) { it.key, it.value } */
struct json_iter {
    struct str rest;
    struct str key;   /* raw, with escapes, without quotes; empty for arrays */
    struct str value; /* range of the value */
    bool object;
};
struct json_iter json_iter(struct str value);
bool json_next(struct json_iter *it);

/** json_next() over text that was not validated (a prefix of an event): false as soon as the text
 *  ends early or is broken; the last value may be cut off. */
bool json_next_lax(struct json_iter *it);

/** The value of a top-level member; the last one when the key repeats. Keys with escapes compare
 *  decoded. False when value is no object or has no such member. */
bool json_member(struct str value, struct str key, struct str *out);
/** Append the decoded text of a string value (with its quotes); lone surrogates become U+FFFD. */
int json_string(struct str value, struct buf *out, struct err *err);
/** True when a string value decodes to text. */
bool json_string_is(struct str value, struct str text);
/** True for a string value that is not "". */
bool json_string_filled(struct str value);

/** Behind the closing quote of the string whose opening quote is at p; end when it has none. */
const char *json_string_end(const char *p, const char *end);

/** True when a raw key of an iterator decodes to text. Most keys differ in the first byte. */
bool json_key_decodes_to(struct str raw, struct str text);
static inline bool json_key_is(struct str raw, struct str text)
{
    if (raw.len > 0 && raw.ptr[0] != '\\' && (text.len == 0 || raw.ptr[0] != text.ptr[0]))
        return false;
    return json_key_decodes_to(raw, text);
}
/** Order of two raw keys by the code points they decode to: below, at or above 0. */
int json_key_compare(struct str a, struct str b);
/** The code point of the escape that s starts with (s[0] is the backslash), a surrogate pair taken
 *  as one, or -1 when it stands for none. *len is how many bytes it takes. */
int32_t json_unescape(struct str s, size_t *len);

#endif
