/* view/params.h - query parameters of the API: declared once, for those who read them and for the
 * OpenAPI document.
 *
 * A table of them ends with a NULL name. What is not declared cannot be read: the readers below
 * assert it. */
#ifndef VIEW_PARAMS_H
#define VIEW_PARAMS_H

#include "base/buf.h"

enum param_type {
    PARAM_TEXT,
    PARAM_INT,    /* within its bounds, else 422 */
    PARAM_FILTER, /* an integer or nothing, judged by who reads it */
    PARAM_TIME,   /* "2031-04-05T00:00:00Z" or a part of it; blank is absent, else 422 */
    PARAM_FLAG,   /* on for "1"; anything else is off */
};

struct param {
    const char *name;
    enum param_type type;
    int64_t fallback, least, most; /* of PARAM_INT */
    bool required;                 /* and not blank */
    bool repeats;                  /* every value counts, not only the last one */
    const char *standard;          /* of PARAM_TEXT: what counts when it is absent; may be NULL */
    const char *choices;           /* of PARAM_TEXT: "auto|json"; anything else is the first */
    const char *about;
};

/** Parameters that many calls take. */
#define PARAM_PAGES(size, largest)                                                                 \
    {"page", PARAM_INT, .fallback = 1, .least = 1, .most = INT64_MAX, .about = "Counted from 1"},  \
    {                                                                                              \
        "per_page", PARAM_INT, .fallback = (size), .least = 1, .most = (largest),                  \
                               .about = "Rows on a page"                                           \
    }

/** True when query fits the table. Else false, and {"detail":[issues]} is appended to out. */
bool params_check(const struct param *table, struct str query, struct buf *out);
/** The value of a query that fits. */
int64_t param_int(const struct param *table, struct str query, const char *name);
/** The time of a query that fits, in microseconds since 1970; fallback when it is absent. */
int64_t param_time(const struct param *table, struct str query, const char *name, int64_t fallback);
/** On: the last value is "1". */
bool param_flag(const struct param *table, struct str query, const char *name);
/** The last value, appended to out (owned by it); what is standard when it is absent. False when
 *  there is neither. */
bool param_text(const struct param *table, struct str query, const char *name, struct buf *out);

#endif
