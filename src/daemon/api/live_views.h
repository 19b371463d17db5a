/* daemon/api/live_views.h - the answers of GET /api/live: made at most every 100 ms for a set of
 * parameters, and shared by all who ask.
 *
 * What is in flight, what finished and what it sums up to is in memory. What only the database
 * knows (rows, the active run, budgets) is read at most every 100 ms for all together; while it
 * cannot be read, the last known is shown. */
#ifndef API_LIVE_VIEWS_H
#define API_LIVE_VIEWS_H

#include "daemon/api/api_live.h"

struct live_views;

/** Returns owned. */
struct live_views *live_views_new(void);
void live_views_free(struct live_views *v);

struct live_query {
    int64_t since;
    size_t rows, series;
    unsigned parts;              /* bits */
    int64_t text_id;             /* 0: none */
    struct str where;            /* the text of filter */
    const struct filter *filter; /* NULL: all rows */
};
/** What the database knows, as JSON; empty when it is not known. */
struct live_stored {
    int64_t rows; /* UNKNOWN */
    struct buf store, active_run, budgets, alerts;
};

/** Reader thread. Append the answer; store may be NULL. */
void live_views_answer(struct app *app, struct store *store, const struct live_query *query,
                       struct buf *out);
/** What the user of a request said last; 0: of none. */
struct live_user {
    int64_t id;
    struct buf text;
};
/** Reader thread. Append the text of a request that is in flight or finished lately; nothing when
 *  there is none. */
void live_text(struct app *app, struct store *store, int64_t id, struct live_user *known,
               struct buf *out);
/** The answer made anew. */
void api_live_build(struct app *app, struct store *store, const struct live_query *q,
                    const struct live_stored *stored, const struct traffic_figures *figures,
                    struct live_user *user, struct buf *out);

#endif
