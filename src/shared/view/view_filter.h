/* view/view_filter.h - where= of the API: the filter language in a query, and its refusal. */
#ifndef VIEW_VIEW_FILTER_H
#define VIEW_VIEW_FILTER_H

#include "filter/filter.h"
#include "store/store.h"
#include "view/params.h"

/** The parameter, for tables of those. */
#define PARAM_WHERE                                                                                \
    {                                                                                              \
        "where", PARAM_TEXT,                                                                       \
            .about = "A filter: model:qwen* status>=400. A wrong one gives 400 with detail, "      \
                     "position and length of the wrong part"                                       \
    }

/** Read the last where of query; relative times count from now_us. NULL when there is none, or when
 *  it is wrong: then refusal holds the answer, for status 400. Returns owned, filter_free(). */
struct filter *view_filter_read(struct str query, enum filter_scope scope, int64_t now_us,
                                struct buf *refusal);
/** Whether a row of the API is wanted. store tells the active run; NULL: there is none. */
bool view_filter_wants(const struct filter *filter, const struct cJSON *row, struct store *store);

#endif
