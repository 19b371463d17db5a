/* The text of one request for GET /api/live: copied from its loop while it is in flight, read from
 * the database just after. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "daemon/api/live_views.h"
#include "view/view_live_text.h"

static void in_flight(const struct live_peek *p, int64_t id, struct str user, struct buf *out)
{
    struct view_live_text t = {
        .id = id,
        .endpoint = str_c(p->endpoint),
        .content_type = str_c(p->content_type),
        .answer = buf_str(&p->tail),
        .whole = p->whole,
        .in_flight = true,
        .user = user,
        .gaps_us = p->gaps_us,
        .gap_count = p->gap_count,
    };

    view_live_text(&t, out);
}

static void from_store(struct store *store, int64_t id, struct buf *out)
{
    struct arena arena = {0};
    struct buf user = {0};
    struct record r;
    struct err err;

    if (store_record_get(store, id, &arena, &r, &err) == 0) {
        struct view_live_text t = {
            .id = id,
            .endpoint = r.endpoint,
            .content_type = r.response_content_type,
            .answer = r.response_body,
            .whole = true,
        };

        if (view_live_user(r.endpoint, r.request_body, &user))
            t.user = buf_str(&user);
        view_live_text(&t, out);
    }
    buf_clear(&user);
    arena_clear(&arena);
}

void live_text(struct app *app, struct store *store, int64_t id, struct live_user *known,
               struct buf *out)
{
    struct live_peek peek;

    if (live_peek(app->live, id, known->id != id, &peek)) {
        if (known->id != id) {
            buf_cut(&known->text, 0);
            known->id = 0;
            if (view_live_user(str_c(peek.endpoint), buf_str(&peek.request), &known->text))
                known->id = id;
        }
        in_flight(&peek, id, known->id == id ? buf_str(&known->text) : STR_NONE, out);
        live_peek_clear(&peek);
    } else if (store && live_has_done(app->live, id)) {
        from_store(store, id, out);
    }
}
