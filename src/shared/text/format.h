/* text/format.h - numbers and times as people read them in a terminal, and as they type them.
 *
 * The API's own display strings are another thing; these fit table columns. What is unknown
 * (FORMAT_NONE, or an empty text) prints "-", never 0. Pure functions; any thread. */
#ifndef TEXT_FORMAT_H
#define TEXT_FORMAT_H

#include "base/err.h"
#include "base/str.h"

#define FORMAT_NONE INT64_MIN
#define FORMAT_SIZE 48

/** "184ms" "1.21s" "42.1s" "2m41s" "3h12m" "3d04h". Negative counts as 0. Return out, as all do. */
char *format_duration(char out[FORMAT_SIZE], int64_t ms);
/** The time since something: "6.7s" below a minute, then "1m01s" "12m" "3h12m" "12h" "4d". */
char *format_age(char out[FORMAT_SIZE], int64_t ms);
/** Compact count: "402" "1.23k" "12.3k" "1M" "1.5B"; what rounds up to 1000 is promoted. */
char *format_count(char out[FORMAT_SIZE], int64_t n);
/** One decimal below 1000, then compact. NAN is unknown. */
char *format_rate(char out[FORMAT_SIZE], double rate);
/** 1024-based, one decimal below 100: "310" "38.1K" "1.2G". */
char *format_bytes(char out[FORMAT_SIZE], int64_t bytes);
/** The same for sentences: "310 B" "1.2 GiB". */
char *format_bytes_long(char out[FORMAT_SIZE], int64_t bytes);
/** part of whole: "71%", at most one decimal; unknown when either is, or whole is 0. */
char *format_percent(char out[FORMAT_SIZE], int64_t part, int64_t whole);
/** Money given as decimal text in dollars: "$1.84" "$0.0278" "<$.0001" "$0.0000" "$1.84k". */
char *format_money(char out[FORMAT_SIZE], struct str decimal);
/** A JSON number without exponent, at most 12 decimal places; other text as it is, cut. */
char *format_decimal(char out[FORMAT_SIZE], struct str number);

enum format_time_form {
    FORMAT_TIME_AUTO,
    FORMAT_TIME_RELATIVE,
    FORMAT_TIME_LOCAL,
    FORMAT_TIME_UTC,
    FORMAT_TIME_ISO,
};
/** False when name is none of auto, relative, local, utc, iso. */
bool format_time_form(struct str name, enum format_time_form *out);
/** A time for people: "12s" "3m12s" "5h" or "2026-11-20 14:02". */
char *format_time(char out[FORMAT_SIZE], int64_t wall_us, int64_t now_us,
                  enum format_time_form form);
/** "2026-11-20 14:02:07" in the local zone. */
char *format_time_long(char out[FORMAT_SIZE], int64_t wall_us);

/** An ISO 8601 time with Z or an offset, or in the local zone without; a date alone is midnight. */
bool format_parse_iso(struct str text, int64_t *wall_us);
/** What people type for a time: ISO 8601, "14:02", "today", "yesterday", or a duration meaning
 *  that long before now_us. */
bool format_parse_time(struct str text, int64_t now_us, int64_t *wall_us);
/** "250ms" "10s" "1.5h" "7d" in milliseconds; a number alone is milliseconds. */
bool format_parse_duration(struct str text, int64_t *ms);
/** "10k" "1M" "2B" (1000) */
bool format_parse_count(struct str text, int64_t *n);
/** "64K" "10M" "2G" (1024) */
bool format_parse_bytes(struct str text, int64_t *bytes);

#endif
