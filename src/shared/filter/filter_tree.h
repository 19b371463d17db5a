/* filter/filter_tree.h - the tree of a filter, for those who walk it: the evaluator, and the store
 * that makes SQL of it. */
#ifndef FILTER_FILTER_TREE_H
#define FILTER_FILTER_TREE_H

#include "filter/filter.h"

/** What the values of a field are. */
enum filter_type {
    FILTER_NUMBER,
    FILTER_STATUS, /* a number or 4xx */
    FILTER_DURATION,
    FILTER_COUNT,
    FILTER_BYTES,
    FILTER_MONEY,
    FILTER_RATE,
    FILTER_TIME,
    FILTER_SINCE,
    FILTER_UNTIL,
    FILTER_TEXT,
    FILTER_PART, /* text of which ":" finds a part */
    FILTER_ENUM, /* text out of a list */
    FILTER_RUN,
    FILTER_FLAG,
};

#define FILTER_FIELD_COLUMNS 3

struct filter_field {
    struct filter_name n;
    enum filter_type type;
    size_t column_count;
    enum filter_column columns[FILTER_FIELD_COLUMNS]; /* a field is all values of these */
};
/** Ends with a NULL name. */
extern const struct filter_field filter_fields[];

enum filter_compare {
    FILTER_MATCH, /* ":" */
    FILTER_EQUAL,
    FILTER_NOT_EQUAL,
    FILTER_LESS,
    FILTER_LESS_EQUAL,
    FILTER_MORE,
    FILTER_MORE_EQUAL,
};

enum filter_flag {
    FILTER_IS_STREAM,
    FILTER_IS_TOOL,
    FILTER_IS_IMAGE,
    FILTER_IS_ERROR,
    FILTER_IS_SLOW,
    FILTER_IS_LARGE,
    FILTER_IS_PENDING,
    FILTER_IS_REWRITTEN,
    FILTER_IS_WARNED,
    FILTER_IS_PRICED,
    FILTER_IS_UNPRICED,
    FILTER_IS_WAITING,
    FILTER_IS_STREAMING,
    FILTER_IS_STALLED,
};

#define FILTER_SLOW_MS 10000
#define FILTER_LARGE_TOKENS 10000

enum filter_value_kind {
    FILTER_IS_UNKNOWN, /* "-" */
    FILTER_IS_KNOWN,   /* "*" */
    FILTER_INTERVAL,   /* from lo to hi, both included */
    FILTER_LITERAL,    /* text */
    FILTER_PATTERN,    /* text with wildcards */
    FILTER_ACTIVE_RUN,
    FILTER_FLAG_VALUE, /* a filter_flag in lo */
};

struct filter_value {
    enum filter_value_kind kind;
    int64_t lo, hi;  /* of a run also when its text is a number, with has_id */
    struct str text; /* in the arena of the tree */
    bool has_id;
};

enum filter_node_kind { FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_TERM, FILTER_WORD };

struct filter_node {
    enum filter_node_kind kind;
    struct filter_node *first, *next; /* children, and the next one among them */
    const struct filter_field *field; /* of a term */
    enum filter_compare compare;
    struct filter_value *values; /* of a term; a word has one */
    size_t value_count;
};

/** NULL for a filter that matches everything. */
const struct filter_node *filter_root(const struct filter *filter);

/** The columns that a word is looked for in, besides the id. */
extern const enum filter_column filter_word_columns[];
extern const size_t filter_word_column_count;

/** Take the next character of a pattern off *rest: the bytes it stands for, or "*" and "?" with
 *  *wild. False at the end. */
bool filter_pattern_next(struct str *rest, struct str *one, bool *wild);

#endif
