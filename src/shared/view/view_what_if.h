/* view/view_what_if.h - the comparison of a run with other prices. */
#ifndef VIEW_VIEW_WHAT_IF_H
#define VIEW_VIEW_WHAT_IF_H

#include "base/buf.h"
#include "store/store.h"
#include "view/params.h"

extern const struct param view_what_if_params[];
/** GET …/what-if: append the answer to out. query: its key parameters, and service_tier to price
 *  all requests by. ERR_NOT_FOUND when there is no such run. */
int view_what_if(struct store *store, int64_t run_id, struct str query, struct buf *out,
                 struct err *err);

#endif
