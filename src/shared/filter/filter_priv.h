/* filter/filter_priv.h - what the files of the parser share. */
#ifndef FILTER_FILTER_PRIV_H
#define FILTER_FILTER_PRIV_H

#include "base/arena.h"
#include "filter/filter_tree.h"

struct filter {
    struct arena arena;
    struct filter_node *root; /* NULL: everything */
    bool wants_run;
};

/** Where in the text something is wrong. */
struct filter_place {
    size_t at, len; /* bytes */
};

struct filter_parser {
    struct filter *filter;
    struct str text;
    size_t at;
    enum filter_scope scope;
    int64_t now_us;
    size_t terms, depth;
    struct filter_error *error;
};

/** Fill the error and return false. */
bool filter_fail(struct filter_parser *p, struct filter_place place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** For messages: text cut to a length that fits. */
struct str filter_shown(struct str text);
/** Append to a message which of the names are near; a list that ends with a NULL name. */
void filter_suggest(const struct filter_parser *p, struct buf *out, struct str word,
                    const struct filter_name *names);

/** A part of a value as it was typed. */
struct filter_atom {
    struct str text; /* ptr NULL: missing */
    bool quoted;
    struct filter_place place;
};

/** Read a value of a term: b.text.ptr NULL and !range for a single atom a. */
bool filter_read_value(struct filter_parser *p, const struct filter_node *term,
                       const struct filter_atom *a, const struct filter_atom *b, bool range,
                       struct filter_value *out);

#endif
