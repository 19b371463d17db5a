/* view/view_record.h - captured exchanges as JSON: the same objects answer the API and --json.
 *
 * Keys never vanish: what is unknown is null. Text from outside is repaired to valid UTF-8. */
#ifndef VIEW_VIEW_RECORD_H
#define VIEW_VIEW_RECORD_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "core/record.h"
#include "store/store.h"
#include "view/params.h"

/** The request row of a list. response_body may be a prefix; it makes the preview. now_wall_us
 *  gives elapsed times of pending rows. Returns owned. */
cJSON *view_record_row(const struct record *r, int64_t now_wall_us);
/** Replace "task_run" of a row; what is not found stays null. */
int view_put_task_run(cJSON *row, struct store *store, const struct record *r, int64_t now_wall_us,
                      struct err *err);

/** What the process knows besides the store; borrowed. */
struct view_context {
    struct str upstream_url;
    int64_t now_wall_us;
};

/** What GET /api/requests and GET /api/requests/{id} take. */
extern const struct param view_record_params[];
extern const struct param view_record_detail_params[];
/** Answer GET /api/requests: path is the path being served, query the raw query string. *status
 *  becomes 200 or 422 and the JSON text is appended to out. Fails only when the store does. */
int view_record_list(struct store *store, struct str path, struct str query,
                     const struct view_context *ctx, int *status, struct buf *out, struct err *err);
/** Answer GET /api/requests/{id}: *status becomes 200 or 404. */
int view_record_detail(struct store *store, int64_t id, struct str query,
                       const struct view_context *ctx, int *status, struct buf *out,
                       struct err *err);
/** Answer GET /admin/api/export: *status becomes 200 or 422. */
int view_record_export(struct store *store, struct str query, const struct view_context *ctx,
                       int *status, struct buf *out, struct err *err);
/** Answer GET /api/requests/{id}/conversation: *status becomes 200 or 404. */
int view_record_conversation(struct store *store, int64_t id, int *status, struct buf *out,
                             struct err *err);

#endif
