/* cli/row.h - one JSON object of an answer, read by member names without a tree.
 *
 * Values stay ranges of the text they came in, so that numbers pass through digit by digit. */
#ifndef CLI_ROW_H
#define CLI_ROW_H

#include "base/buf.h"

/** Unknown, as in core/record.h. */
#define ROW_UNKNOWN INT64_MIN

struct row_member {
    struct str key, value;
};

/** {0} is empty; can be read again and again. Borrows the text. */
struct row {
    struct str text;
    struct row_member *members;
    size_t count, cap;
};

/** text is a validated JSON value; false when it is no object. */
bool row_read(struct row *row, struct str text);
void row_clear(struct row *row);

/** The range of a value by path ("tokens.output"). False when absent or null. */
bool row_get(const struct row *row, const char *path, struct str *value);
/** A whole number, or the whole part of one; ROW_UNKNOWN when it is none. */
int64_t row_int(const struct row *row, const char *path);
/** A number, or a string that holds one; NAN when it is none. */
double row_number(const struct row *row, const char *path);
/** True only for true. */
bool row_true(const struct row *row, const char *path);
/** Append the text of a string; other values as they are written. False when absent or null. */
bool row_text(const struct row *row, const char *path, struct buf *out);
/** The same for a value range. */
bool value_text(struct str value, struct buf *out);
/** An ISO time as microseconds since the epoch; ROW_UNKNOWN when it is none. */
int64_t row_time(const struct row *row, const char *path);

/** Append a JSON value re-spaced: compact with indent -1, else indented by two blanks a level,
 *  starting at that level. Code points that a terminal would obey are written as \uXXXX; digits and
 *  everything else stay as they are. json is validated text. */
int json_respace(struct buf *out, struct str json, int indent, struct err *err);

#endif
