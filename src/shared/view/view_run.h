/* view/view_run.h - runs as JSON. */
#ifndef VIEW_VIEW_RUN_H
#define VIEW_VIEW_RUN_H

#include <cjson/cJSON.h>

#include "view/view_record.h"

/** The run summary. now_wall_us ends the open duration of a run that is open. Returns owned. */
cJSON *view_run_summary(const struct run *run, int64_t now_wall_us);
/** An item of the list of runs. Returns owned. */
cJSON *view_run_item(const struct run *run, const struct run_sums *sums, int64_t now_wall_us);
/** The active run as the live table shows it. Returns owned. */
cJSON *view_run_live(const struct run *run, const struct run_sums *sums, int64_t now_wall_us);

/** Answer POST /api/runs/...: {"run": summary with count}, null for id UNKNOWN. */
int view_run_answer(struct store *store, int64_t id, int64_t now_wall_us, struct buf *out,
                    struct err *err);
/** Answer GET /api/runs. */
int view_run_list(struct store *store, const struct view_context *ctx, struct buf *out,
                  struct err *err);
/** What an answer about one run holds besides the run. */
enum view_run_parts { VIEW_RUN_PAGE = 1, VIEW_RUN_STATS = 2 };
/** The page of the requests of a run. */
extern const struct param view_run_page_params[];
/** Answer GET /api/runs/{id} and what is below it: parts says which. *status becomes 200, 404 or
 *  422. path and query are those being served. */
int view_run_detail(struct store *store, int64_t id, unsigned parts, struct str path,
                    struct str query, const struct view_context *ctx, int *status, struct buf *out,
                    struct err *err);

#endif
