/* store/store_search.h - the full-text index of what requests and answers say.
 *
 * Triggers note each request that completes; the writer puts noted ones into the index when it has
 * time, the newest first. Deleting a request takes its words out. The index holds no texts: they
 * are made from the bodies again. */
#ifndef STORE_STORE_SEARCH_H
#define STORE_STORE_SEARCH_H

#include "store/store.h"

/** Bring the index up to date, or with on false remove it: one transaction, which takes max_us or a
 *  little more. *more: there is more to do. */
int store_search_step(struct store *store, bool on, int64_t max_us, bool *more, struct err *err);
/** Have the index made anew by the next steps; until then nothing is found. */
int store_search_rebuild(struct store *store, struct err *err);

struct store_search {
    bool on;
    int64_t pending; /* complete requests that are not in the index yet */
};
int store_search_state(struct store *store, struct store_search *out, struct err *err);

/** The texts of one request as the index has them (search_clean()), appended. ERR_NOT_FOUND. */
int store_search_texts(struct store *store, int64_t id, struct buf *request, struct buf *answer,
                       struct err *err);

/** Finds where words stand. */
struct marker;
#define MARK_START '\1'
#define MARK_END '\2'
/** expression: of search_query() with SEARCH_ANY. Returns owned, marker_close(). */
struct marker *marker_open(struct str expression, struct err *err);
void marker_close(struct marker *m);
/** Append the texts with MARK_START and MARK_END around the words; nothing when there are none. */
int marker_mark(struct marker *m, struct str request, struct str answer, struct buf *marked_request,
                struct buf *marked_answer, struct err *err);

#endif
