/* ops/body.h - the fields of a request body, JSON or form, and how loosely they are
 * read.
 *
 * A body is read in one of the ways that http calls name: lenient JSON (anything unusable is an
 * empty object), JSON or form, form, strict JSON. Afterwards all look the same. */
#ifndef OPS_BODY_H
#define OPS_BODY_H

#include "ops/call.h"
#include "json/json.h"

/** {0} is empty. Texts handed out live as long as the body. */
struct body {
    cJSON *fields; /* an object; a field may repeat */
    struct arena arena;
};

/** J: JSON whatever the content type; what is no object behaves like {}. */
void body_json(struct body *b, const struct call *call);
/** JF: as above with content type application/json, else a form. */
void body_json_or_form(struct body *b, const struct call *call);
/** F: application/x-www-form-urlencoded or multipart/form-data. */
void body_form(struct body *b, const struct call *call);
/** S: false when the body is refused; the call is answered 422 then. */
bool body_strict(struct body *b, struct call *call);
void body_clear(struct body *b);

/** The last field of that name as it came; NULL when it is missing. */
const cJSON *body_get(const struct body *b, const char *key);
/** The first of the two (other may be NULL) that is truthy, as text: numbers as their digits, true
 *  as True; "" when none is. */
struct str body_text(struct body *b, const char *key, const char *other);
/** A flag; fallback only when the key is missing. */
bool body_flag(const struct body *b, const char *key, bool fallback);
/** 1 a number, 0 the key is missing, -1 anything else. Fractions are cut off. */
int body_int(const struct body *b, const char *key, int64_t *out);
/** What cJSON value is as an integer, by the same rule. */
bool body_value_int(const cJSON *value, int64_t *out);

/** A field of a form; STR_NONE when it is missing or empty. */
struct str form_text(const struct body *b, const char *key);
/** A checkbox: true when any occurrence is "yes", fallback without one. */
bool form_checkbox(const struct body *b, const char *key, bool fallback);
/** A field that must be there. Missing: an issue is noted on the call. */
struct str form_required(const struct body *b, struct call *call, const char *key);
/** An integer field; absent gives fallback. False: an issue is noted on the call. */
bool form_int(const struct body *b, struct call *call, const char *key, int64_t fallback,
              int64_t *out);

#endif
