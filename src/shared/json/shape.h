/* json/shape.h - shapes of JSON values in a short notation, and as JSON Schema.
 *
 *     # a comment
 *     Run                           a name at the start of a line begins a shape
 *         id           int          a key, its type, and what it means to people
 *         notes        text?        may be null
 *         budget?      number       may be left out
 *         tokens.in    int          an object inside of the object
 *         models       [text]       a list; {text} is an object with any keys
 *         state        open|closed  one of these texts; one alone is written open|
 *     RunItem = Run                 all of Run, and more
 *         cost         number
 *
 * Types are any, bool, int, key (text or int), number, object, text, time, or the name of a
 * shape. */
#ifndef JSON_SHAPE_H
#define JSON_SHAPE_H

#include <cjson/cJSON.h>

#include "base/err.h"
#include "base/str.h"

/** The schema of a type: "[Run]". Names refer to #/components/schemas/. Returns owned, NULL when
 *  it is no type. */
cJSON *shape_schema(struct str type);
/** Add the shapes of text to schemas, by name. ERR_INVALID names the line at fault. */
int shapes_add(cJSON *schemas, struct str text, struct err *err);

#endif
