/* base/opt.h - options as tables: one table parses the command line, prints --help and is what the
 * man page is checked against.
 *
 * Grammar: --name value, --name=value, -n value, bundled short flags, "--" ends options, options
 * and arguments mix freely, names are never abbreviated, an option with a value given twice is an
 * error unless it is repeatable. */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "buf.h"

enum opt_kind {
    OPT_FLAG,     /* no value */
    OPT_TEXT,     /* any text; an empty one counts as given */
    OPT_OPTIONAL, /* a value only after "=", e.g. --json or --json=id,model */
    OPT_LIST,     /* as OPT_TEXT, repeatable */
};

struct opt {
    const char *name; /* without dashes */
    char short_name;  /* or 0 */
    enum opt_kind kind;
    const char *value; /* the placeholder in help: "URL" */
    const char *help;
    /* What follows may be left out. */
    const char *fallback; /* what counts when it is not given, as help shows it */
    const char *values;   /* "a|b|c": what there is; else another word than value for its kind */
};

/** A key of a screen, for its help; a list ends with NULL keys. */
struct key_help {
    const char *keys; /* "j, Down" */
    const char *help;
};

/** What was given for one option, at the same index as in the table. */
struct opt_given {
    bool given;
    const char *value; /* borrowed from argv; NULL for flags and a bare OPT_OPTIONAL */
    const char **list; /* OPT_LIST: all values, count of them; owned by the opts */
    size_t count;
};

struct opts {
    const struct opt *table; /* borrowed, ends with a NULL name */
    struct opt_given *given; /* one per table row */
    const char **args;       /* what is no option, in order; borrowed texts */
    size_t arg_count;
};

/** Parse argv[0..argc) (no program name). ERR_INVALID names the option and suggests near names.
 *  Release with opts_clear(), also after an error. */
int opts_parse(struct opts *o, const struct opt *table, int argc, char **argv, struct err *err);
/** The same, but the first argument ends the options: all behind it are arguments too. */
int opts_parse_leading(struct opts *o, const struct opt *table, int argc, char **argv,
                       struct err *err);
/** The value of an option by name: NULL when not given (or given without a value). */
const char *opts_text(const struct opts *o, const char *name);
bool opts_flag(const struct opts *o, const char *name);
const struct opt_given *opts_find(const struct opts *o, const char *name);
void opts_clear(struct opts *o);
/** Append the help lines of a table, at most 80 columns wide. */
void opts_help(struct buf *out, const struct opt *table);
/** Append ", did you mean "x"?" when a candidate is near word; n candidates. */
void opts_suggest(struct buf *out, struct str word, const char *const *candidates, size_t n);

#endif
