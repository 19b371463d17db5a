/* json/json_number.h - numbers of a JSON text as integers, without floating point. */
#ifndef JSON_JSON_NUMBER_H
#define JSON_JSON_NUMBER_H

#include "base/str.h"

/** The largest integer that every JSON reader represents exactly: 2^53 - 1. */
#define JSON_MAX_EXACT INT64_C(9007199254740991)

/** A count: a number value that is an integer (also written 12.0 or 1e3) from 0 to JSON_MAX_EXACT.
 *  UNKNOWN for every other value. */
int64_t json_count(struct str value);
/** A number value that is not negative, times ten to the power of places, rounded to the nearest
 *  integer (a half goes up). UNKNOWN for every other value, and above INT64_MAX. */
int64_t json_scaled(struct str value, int places);

#endif
