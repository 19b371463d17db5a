/* What finished or changed: a ring of each, with a rev for everything. */
#include "daemon/record/live_priv.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "base/xalloc.h"

#define KEPT_BYTES ((size_t)16 * 1024) /* of texts of a finished request */
#define KEPT_TEXT ((size_t)1024)       /* of each when there are more */

static void count_finished(struct live *live, const struct record *r)
{
    live->finished++;
    live->errors += record_failed(r);
    live->client_gone += str_eq(r->terminated_by, str_c(TERMINATED_CLIENT));
    live->cancelled += str_eq(r->terminated_by, str_c(TERMINATED_CANCELLED));
}

/* What the ring keeps of c: itself, or a copy without its header texts when these are large. */
static struct capture *to_keep(struct capture *c)
{
    struct capture *copy;
    struct record *r;

    if (c->arena.used <= KEPT_BYTES)
        return capture_ref(c);
    copy = capture_new(c->request.budget);
    if (!copy)
        return NULL;
    r = &copy->record;
    *r = c->record;
    r->request_headers_json = r->response_headers_json = STR_NONE;
#define COPY_INT(name)
#define COPY_BOOL(name)
#define COPY_TEXT(name) r->name = arena_dup(&copy->arena, utf8_cut(r->name, KEPT_TEXT));
#define X(kind, name) COPY_##kind(name)
    RECORD_ARRIVAL_FIELDS(X)
    RECORD_OUTCOME_FIELDS(X)
#undef X
    return copy;
}

void live_finished(struct live *live, struct capture *c)
{
    struct capture *oldest = NULL, *kept = to_keep(c);
    struct traffic_end end = {c->content_events, c->moved_events, c->moved_bytes};
    size_t at;

    pthread_mutex_lock(&live->traffic_lock);
    traffic_ended(live->traffic, &c->record, &end);
    pthread_mutex_unlock(&live->traffic_lock);
    if (!kept)
        return;
    pthread_mutex_lock(&live->lock);
    count_finished(live, &c->record);
    if (live->done_count == LIVE_ROWS_MAX) {
        oldest = live->done[live->done_first].capture;
        live->gone_rev = live->done[live->done_first].rev;
        live->done_first = (live->done_first + 1) % LIVE_ROWS_MAX;
        live->done_count--;
    }
    at = (live->done_first + live->done_count++) % LIVE_ROWS_MAX;
    live->done[at] = (struct live_done){live_load(&live->rev) + 1, kept};
    live_store(&live->rev, live->done[at].rev);
    pthread_mutex_unlock(&live->lock);
    capture_unref(oldest);
}

void live_changed(struct live *live, unsigned kinds, int64_t run_id, int64_t request_id)
{
    pthread_mutex_lock(&live->lock);
    live_store(&live->rev, live_load(&live->rev) + 1);
    live->changes[live->change_count++ % LIVE_CHANGES] =
        (struct live_change){live_load(&live->rev), kinds, run_id, request_id};
    pthread_mutex_unlock(&live->lock);
}

size_t live_changes(struct live *live, int64_t since, struct live_change out[LIVE_CHANGES],
                    bool *missed)
{
    size_t n = 0, kept;

    pthread_mutex_lock(&live->lock);
    kept = live->change_count < LIVE_CHANGES ? live->change_count : LIVE_CHANGES;
    for (size_t i = live->change_count - kept; i < live->change_count; i++)
        if (live->changes[i % LIVE_CHANGES].rev > since)
            out[n++] = live->changes[i % LIVE_CHANGES];
    *missed = n == LIVE_CHANGES && live->change_count > LIVE_CHANGES;
    pthread_mutex_unlock(&live->lock);
    return n;
}

struct live_done *live_done(struct live *live, int64_t since, size_t max, size_t *count,
                            size_t *total, bool *missed)
{
    struct live_done *out = xcalloc(max ? max : 1, sizeof(*out));
    size_t n = 0, all = 0;

    pthread_mutex_lock(&live->lock);
    for (size_t i = live->done_count; i > 0; i--) {
        struct live_done *d = &live->done[(live->done_first + i - 1) % LIVE_ROWS_MAX];

        if (d->rev <= since)
            break;
        all++;
        if (n < max)
            out[n++] = (struct live_done){d->rev, capture_ref(d->capture)};
    }
    *missed = all == LIVE_ROWS_MAX && live->gone_rev > since;
    pthread_mutex_unlock(&live->lock);
    *count = n;
    *total = all;
    return out;
}

void live_done_free(struct live_done *done, size_t count)
{
    for (size_t i = 0; i < count; i++)
        capture_unref(done[i].capture);
    free(done);
}

bool live_has_done(struct live *live, int64_t id)
{
    bool found = false;

    pthread_mutex_lock(&live->lock);
    for (size_t i = 0; i < live->done_count && !found; i++)
        found = live->done[(live->done_first + i) % LIVE_ROWS_MAX].capture->record.id == id;
    pthread_mutex_unlock(&live->lock);
    return found;
}

int64_t live_rev(struct live *live)
{
    return live_load(&live->rev);
}
