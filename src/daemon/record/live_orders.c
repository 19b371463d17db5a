/* Orders to the loop that runs a request: cancel it, or let others look at its answer. */
#include "daemon/record/live_priv.h"

/* ---- cancelling ---- */

static void on_back(struct note *note)
{
    struct live_cancel *order = LIST_ENTRY(note, struct live_cancel, note);

    order->done(order, order->cancelled);
}

/* On the loop that runs the request: if it is listed, it stays until the caller is done. */
static struct live_owner owner_of(struct live *live, int64_t id)
{
    struct live_owner owner = {0};
    struct live_slot *slot;

    pthread_mutex_lock(&live->lock);
    slot = live_find(live, id);
    if (slot)
        owner = slot->owner;
    pthread_mutex_unlock(&live->lock);
    return owner;
}

/* False: the request is not in flight. */
static bool post_home(struct live *live, int64_t id, struct note *note)
{
    struct live_slot *slot;

    pthread_mutex_lock(&live->lock);
    slot = live_find(live, id);
    if (slot) /* under the lock: its loop stays */
        inbox_post(slot->owner.home, note);
    pthread_mutex_unlock(&live->lock);
    return slot;
}

static void on_home(struct note *note)
{
    struct live_cancel *order = LIST_ENTRY(note, struct live_cancel, note);
    struct live_owner owner = owner_of(order->live, order->id);

    order->cancelled = owner.cancel && owner.cancel(owner.ctx, order->reason);
    order->note.run = on_back;
    inbox_post(order->back, &order->note);
}

bool live_cancel(struct live_cancel *order)
{
    order->note.run = on_home;
    return post_home(order->live, order->id, &order->note);
}

/* ---- a look at the answer ---- */

struct peek {
    struct note note;
    struct live *live;
    int64_t id;
    bool with_request, found, done;
    struct live_peek *out;
    pthread_mutex_t lock; /* of done */
    pthread_cond_t changed;
};

static void on_peek(struct note *note)
{
    struct peek *p = LIST_ENTRY(note, struct peek, note);
    struct live_owner owner = owner_of(p->live, p->id);

    if (owner.peek)
        owner.peek(owner.ctx, p->out, p->with_request);
    p->found = owner.peek;
    pthread_mutex_lock(&p->lock);
    p->done = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

bool live_peek(struct live *live, int64_t id, bool with_request, struct live_peek *out)
{
    struct peek p = {
        .note = {.run = on_peek}, .live = live, .id = id, .with_request = with_request, .out = out};

    *out = (struct live_peek){0};
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.changed, NULL);
    if (post_home(live, id, &p.note)) { /* a loop runs its notes before it ends */
        pthread_mutex_lock(&p.lock);
        while (!p.done)
            pthread_cond_wait(&p.changed, &p.lock);
        pthread_mutex_unlock(&p.lock);
    }
    pthread_cond_destroy(&p.changed);
    pthread_mutex_destroy(&p.lock);
    if (!p.found)
        live_peek_clear(out);
    return p.found;
}

void live_peek_clear(struct live_peek *p)
{
    buf_clear(&p->tail);
    buf_clear(&p->request);
}
