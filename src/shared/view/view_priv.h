/* view/view_priv.h - what the files of the view share. */
#ifndef VIEW_VIEW_PRIV_H
#define VIEW_VIEW_PRIV_H

#include "core/run.h"
#include "store/store_search.h"
#include "view/view_record.h"

/* How much of an answer makes the preview of a row. */
#define VIEW_PREVIEW_BYTES ((size_t)65536)
#define VIEW_POLL_MS 1000

/** "2031-04-05T06:07:08.090000Z", or null. */
void view_put_iso(cJSON *o, const char *key, int64_t wall_us);
/** "2031-04-05 06:07:08 UTC", or null. */
void view_put_time(cJSON *o, const char *key, int64_t wall_us);
/** The compact form of a count. */
void view_put_compact(cJSON *o, const char *key, int64_t n);

/** {"count","p50","p95","p99","max"} */
void view_put_percentiles(cJSON *o, const char *key, const struct run_percentiles *p);
/** "rewritten", "warned", "applied" or "none". */
const char *view_compatibility_label(const struct record *r);
/** What the start of an answer says: text, and the names of the tools it calls. Bounded, whatever
 *  is in it. Release with view_said_clear(). */
struct view_said {
    struct buf text, calls;
};
void view_said(const struct record *r, struct view_said *said);
void view_said_clear(struct view_said *said);
/** The "record" of a detail answer: a row with more keys. Returns owned. */
cJSON *view_record_detail_row(const struct record *r, int64_t now_wall_us);
/** "images" of a request; without data only their kind and type. */
int view_put_images(cJSON *o, struct store *store, const struct record *r, bool data,
                    struct err *err);
int view_put_active_run(cJSON *o, struct store *store, const struct view_context *ctx,
                        struct err *err);
/** "snippet": where the words of a search stand in a request. */
int view_put_snippet(cJSON *row, struct store *store, int64_t id, struct marker *marker,
                     struct err *err);
/** "stats" of a run. */
int view_put_run_stats(cJSON *to, struct store *store, const struct run *run,
                       const struct run_sums *sums, int64_t now_wall_us, struct err *err);

/** A page of the requests of one run, as path and query ask for it. Returns owned,
 *  view_page_free(). */
struct view_page;
struct view_page *view_page_of_run(int64_t id, struct str path, struct str query);
void view_page_free(struct view_page *page);
/** True when the query is wrong; then append the answer. */
bool view_page_refused(const struct view_page *page);
int view_page_refusal(const struct view_page *page, struct buf *out, struct err *err);
/** "items" and "pagination". */
int view_page_build(struct view_page *page, cJSON *o, struct store *store,
                    const struct view_context *ctx, struct err *err);
/** Call each for the rows that a query of the list of requests chooses, oldest first, *limit of them
 *  at most. *status becomes 200, or 422 with the answer in place of what is in out. */
int view_record_oldest(struct store *store, struct str query, store_record_fn *each, void *ctx,
                       int64_t *limit, int *status, struct buf *out, struct err *err);
/** "upstream_url" and "poll_interval_ms". */
int view_put_upstream(cJSON *o, struct store *store, const struct view_context *ctx,
                      struct err *err);
/** Append the text of tree. Takes tree. */
int view_answer(cJSON *tree, struct buf *out, struct err *err);
/** Append {"detail": text}. */
int view_answer_text(const char *text, struct buf *out, struct err *err);

#endif
