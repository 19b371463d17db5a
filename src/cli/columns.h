/* cli/columns.h - the columns and JSON fields of captured requests: the one list of both, from
 * which tables, --columns, --sort and --json=FIELDS are made. */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "row.h"
#include "text/format.h"

/** How a value is shown to people; --json, TSV and CSV show it as it is. */
enum column_kind {
    KIND_TEXT,
    KIND_FLAG,  /* "y" */
    KIND_INT,   /* all digits */
    KIND_COUNT, /* compact */
    KIND_RATE,
    KIND_BYTES,
    KIND_DURATION,
    KIND_MONEY,
    KIND_AGE,
    KIND_TIME,
    KIND_STATE,
    KIND_ENDPOINT,
    KIND_CACHED, /* cached of input tokens, percent */
    KIND_ROUTE,
    KIND_HOST,
    KIND_KEY,      /* the name of a variable, and whether it is unset */
    KIND_UPSTREAM, /* a URL, or how many upstreams there are */
    KIND_LENGTH,   /* of an array */
    KIND_NEW,      /* a number, and behind an arrow the one that it replaces */
};

struct column {
    const char *id; /* for --columns and --sort */
    const char *title;
    size_t min, max; /* cells */
    bool right, flex;
    int drop; /* the highest goes first when the table is too wide; 0 stays longest */
    enum column_kind kind;
    const char *path;      /* where the value is */
    const char *live;      /* where it is while the request runs (KIND_NEW: the old one), or NULL */
    const char *estimated; /* a flag that it is an estimate, or NULL */
};

/** Ends with a NULL id. */
extern const struct column request_columns[];
/** Names of all members of a request row, with dots; ends with NULL. */
extern const char *const request_fields[];
/** Default columns, comma-separated: by width for people, and for TSV and CSV. */
const char *request_columns_for(size_t width);
extern const char request_columns_machine[];

/** NULL when there is none. */
const struct column *column_find(const struct column *columns, struct str id);

/** What a cell means, for its colour. */
enum role { ROLE_NONE, ROLE_LIVE, ROLE_STREAM, ROLE_WARN, ROLE_ERROR, ROLE_ODD, ROLE_DIM };

struct column_context {
    int64_t now_us;
    enum format_time_form time;
};
/** Append the text of a cell for people (not cleaned). */
void column_text(const struct column *column, const struct row *row,
                 const struct column_context *ctx, struct buf *out, enum role *role);
/** Append its raw value (not cleaned); nothing when it is unknown. */
void column_value(const struct column *column, const struct row *row,
                  const struct column_context *ctx, struct buf *out);

/** What column ST shows: "ok", "429", "cxl". Returns out. */
const char *request_state(const struct row *row, char out[8], enum role *role);
/** True when the request has ended. */
bool request_finished(const struct row *row);

/** Order of two rows by a column: below 0 when a comes first. Numbers and times: largest first;
 *  text: A to Z; unknown last, also reversed; ties: newest first. */
struct sort_key {
    bool known, numeric;
    double number;
    char text[64];
    int64_t id;
};
void sort_key_read(struct sort_key *key, const struct column *column, const struct row *row);
int sort_key_compare(const struct sort_key *a, const struct sort_key *b, bool reverse);

#endif
