#include "daemon/record/live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#define KEPT_BYTES ((size_t)16 * 1024) /* of texts of a finished request */
#define KEPT_TEXT ((size_t)1024)       /* of each when there are more */

struct live_slot {
    struct list node;
    struct live_owner owner;
    int64_t id, created_us, started_us;
    char method[16], endpoint[128], client[64];
    struct capture *capture;
    bool is_stream; /* as it arrived */
    _Atomic int state;
    _Atomic int64_t status, request_bytes, response_bytes, chunks, events, content_events;
    _Atomic int64_t first_content_us, last_content_us, gap_sum_us, gap_count, gap_max_us;
};

struct live {
    pthread_mutex_t lock;
    struct list slots;
    size_t count, peak;
    struct live_done done[LIVE_ROWS_MAX]; /* a ring; done[(first + i) % MAX], oldest first */
    size_t done_first, done_count;
    int64_t finished, errors, client_gone, cancelled;
    _Atomic int64_t rev;
};

struct live *live_new(void)
{
    struct live *live = xcalloc(1, sizeof(*live));

    pthread_mutex_init(&live->lock, NULL);
    list_init(&live->slots);
    return live;
}

void live_free(struct live *live)
{
    if (!live)
        return;
    LIST_EACH_SAFE (node, &live->slots) {
        struct live_slot *slot = LIST_ENTRY(node, struct live_slot, node);

        capture_unref(slot->capture);
        free(slot);
    }
    for (size_t i = 0; i < live->done_count; i++)
        capture_unref(live->done[(live->done_first + i) % LIVE_ROWS_MAX].capture);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

static void copy_text(char *out, size_t size, struct str text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;

    if (len)
        memcpy(out, text.ptr, len);
    out[len] = '\0';
}

static void store(_Atomic int64_t *to, int64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

static int64_t load(_Atomic int64_t *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

struct live_slot *live_begin(struct live *live, const struct record *r,
                             const struct live_owner *owner)
{
    struct live_slot *slot = calloc(1, sizeof(*slot));

    if (!slot)
        return NULL;
    slot->owner = *owner;
    slot->id = r->id;
    slot->created_us = r->created_us;
    slot->started_us = clock_now_us();
    copy_text(slot->method, sizeof(slot->method), r->method);
    copy_text(slot->endpoint, sizeof(slot->endpoint), r->endpoint);
    copy_text(slot->client, sizeof(slot->client), r->client);
    store(&slot->status, UNKNOWN);
    store(&slot->events, UNKNOWN);
    store(&slot->content_events, UNKNOWN);
    pthread_mutex_lock(&live->lock);
    list_add_tail(&live->slots, &slot->node);
    if (++live->count > live->peak)
        live->peak = live->count;
    pthread_mutex_unlock(&live->lock);
    return slot;
}

void live_arrived(struct live *live, struct live_slot *slot, struct capture *c)
{
    if (!slot)
        return;
    pthread_mutex_lock(&live->lock);
    slot->capture = capture_ref(c);
    slot->is_stream = c->record.is_stream;
    pthread_mutex_unlock(&live->lock);
}

void live_set_state(struct live_slot *slot, enum live_state state)
{
    if (slot)
        atomic_store_explicit(&slot->state, (int)state, memory_order_relaxed);
}

void live_received(struct live_slot *slot, int64_t bytes)
{
    if (slot)
        store(&slot->request_bytes, bytes);
}

void live_progress(struct live_slot *slot, int64_t response_bytes, int64_t chunks,
                   const struct watch *watch)
{
    if (!slot)
        return;
    store(&slot->response_bytes, response_bytes);
    store(&slot->chunks, chunks);
    if (!watch)
        return;
    store(&slot->events, watch->event_count);
    store(&slot->content_events, watch->content_count);
    store(&slot->first_content_us, watch->first_content_us);
    store(&slot->last_content_us, watch->last_content_us);
    store(&slot->gap_sum_us, watch->gap_sum_us);
    store(&slot->gap_count, watch->gap_count);
    store(&slot->gap_max_us, watch->gap_max_us);
}

void live_head(struct live_slot *slot, int status)
{
    if (slot)
        store(&slot->status, status);
}

void live_end(struct live *live, struct live_slot *slot)
{
    if (!slot)
        return;
    pthread_mutex_lock(&live->lock);
    list_remove(&slot->node);
    live->count--;
    pthread_mutex_unlock(&live->lock);
    capture_unref(slot->capture);
    free(slot);
}

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
    size_t at;

    if (!kept)
        return;
    pthread_mutex_lock(&live->lock);
    count_finished(live, &c->record);
    if (live->done_count == LIVE_ROWS_MAX) {
        oldest = live->done[live->done_first].capture;
        live->done_first = (live->done_first + 1) % LIVE_ROWS_MAX;
        live->done_count--;
    }
    at = (live->done_first + live->done_count++) % LIVE_ROWS_MAX;
    live->done[at] = (struct live_done){load(&live->rev) + 1, kept};
    store(&live->rev, live->done[at].rev);
    pthread_mutex_unlock(&live->lock);
    capture_unref(oldest);
}

/* Silent for longer than 2 s and than eight times the mean gap so far. */
static bool is_stalled(struct live_slot *slot, int64_t now_us)
{
    int64_t last = load(&slot->last_content_us), gaps = load(&slot->gap_count), limit = 2000000;

    if (gaps && load(&slot->gap_sum_us) / gaps * 8 > limit)
        limit = load(&slot->gap_sum_us) / gaps * 8;
    return last && now_us - last > limit;
}

static void copy_row(struct live_slot *slot, struct live_row *row, int64_t now_us)
{
    int64_t first = load(&slot->first_content_us), last = load(&slot->last_content_us);
    int64_t gaps = load(&slot->gap_count);

    *row = (struct live_row){
        .id = slot->id,
        .created_us = slot->created_us,
        .elapsed_us = now_us - slot->started_us,
        .capture = slot->capture ? capture_ref(slot->capture) : NULL,
        .state = (enum live_state)atomic_load_explicit(&slot->state, memory_order_relaxed),
        .status = load(&slot->status),
        .request_bytes = load(&slot->request_bytes),
        .response_bytes = load(&slot->response_bytes),
        .chunks = load(&slot->chunks),
        .events = load(&slot->events),
        .content_events = load(&slot->content_events),
        .ttft_us = first ? first - slot->started_us : UNKNOWN,
        .gap_us = last ? now_us - last : UNKNOWN,
        .gap_avg_us = gaps ? load(&slot->gap_sum_us) / gaps : UNKNOWN,
        .is_stream = slot->is_stream || load(&slot->events) != UNKNOWN,
        .gap_max_us = gaps ? load(&slot->gap_max_us) : UNKNOWN,
    };
    memcpy(row->method, slot->method, sizeof(row->method));
    memcpy(row->endpoint, slot->endpoint, sizeof(row->endpoint));
    memcpy(row->client, slot->client, sizeof(row->client));
    row->stalled = is_stalled(slot, now_us);
}

/* Under the lock. */
static struct live_slot *find(struct live *live, int64_t id)
{
    LIST_EACH (node, &live->slots) {
        struct live_slot *slot = LIST_ENTRY(node, struct live_slot, node);

        if (slot->id == id)
            return slot;
    }
    return NULL;
}

bool live_row(struct live *live, int64_t id, struct live_row *row)
{
    struct live_slot *slot;

    pthread_mutex_lock(&live->lock);
    slot = find(live, id);
    if (slot)
        copy_row(slot, row, clock_now_us());
    pthread_mutex_unlock(&live->lock);
    return slot;
}

void live_row_clear(struct live_row *row)
{
    capture_unref(row->capture);
}

struct live_row *live_rows(struct live *live, size_t *count)
{
    struct live_row *rows = xcalloc(LIVE_ROWS_MAX, sizeof(*rows));
    int64_t now_us = clock_now_us();
    size_t n = 0;

    pthread_mutex_lock(&live->lock);
    LIST_EACH (node, &live->slots) {
        if (n == LIVE_ROWS_MAX)
            break;
        copy_row(LIST_ENTRY(node, struct live_slot, node), &rows[n++], now_us);
    }
    pthread_mutex_unlock(&live->lock);
    *count = n;
    return rows;
}

void live_rows_free(struct live_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        live_row_clear(&rows[i]);
    free(rows);
}

struct live_done *live_done(struct live *live, int64_t since, size_t max, size_t *count,
                            bool *missed)
{
    struct live_done *out = xcalloc(max, sizeof(*out));
    size_t n = 0;

    pthread_mutex_lock(&live->lock);
    for (size_t i = live->done_count; i > 0 && n < max; i--) {
        struct live_done *d = &live->done[(live->done_first + i - 1) % LIVE_ROWS_MAX];

        if (d->rev <= since)
            break;
        out[n++] = (struct live_done){d->rev, capture_ref(d->capture)};
    }
    *missed = live->done_count > 0 ? live->done[live->done_first].rev > since + 1 : false;
    pthread_mutex_unlock(&live->lock);
    *count = n;
    return out;
}

void live_done_free(struct live_done *done, size_t count)
{
    for (size_t i = 0; i < count; i++)
        capture_unref(done[i].capture);
    free(done);
}

void live_totals(struct live *live, struct live_totals *out)
{
    int64_t now_us = clock_now_us(), stalled = 0;

    pthread_mutex_lock(&live->lock);
    LIST_EACH (node, &live->slots)
        stalled += is_stalled(LIST_ENTRY(node, struct live_slot, node), now_us);
    *out = (struct live_totals){
        .rev = load(&live->rev),
        .inflight = (int64_t)live->count,
        .inflight_peak = (int64_t)live->peak,
        .stalled = stalled,
        .finished = live->finished,
        .errors = live->errors,
        .client_gone = live->client_gone,
        .cancelled = live->cancelled,
    };
    pthread_mutex_unlock(&live->lock);
}

/* ---- cancelling ---- */

static void on_back(struct note *note)
{
    struct live_cancel *order = LIST_ENTRY(note, struct live_cancel, note);

    order->done(order, order->cancelled);
}

/* On the loop that runs the request: if it is listed, it stays until this returns. */
static void on_home(struct note *note)
{
    struct live_cancel *order = LIST_ENTRY(note, struct live_cancel, note);
    struct live_owner owner = {0};
    struct live_slot *slot;

    pthread_mutex_lock(&order->live->lock);
    slot = find(order->live, order->id);
    if (slot)
        owner = slot->owner;
    pthread_mutex_unlock(&order->live->lock);
    order->cancelled = owner.cancel && owner.cancel(owner.ctx, order->reason);
    order->note.run = on_back;
    inbox_post(order->back, &order->note);
}

bool live_cancel(struct live_cancel *order)
{
    struct live_slot *slot;

    pthread_mutex_lock(&order->live->lock);
    slot = find(order->live, order->id);
    if (slot) { /* under the lock: its loop stays */
        order->note.run = on_home;
        inbox_post(slot->owner.home, &order->note);
    }
    pthread_mutex_unlock(&order->live->lock);
    return slot;
}

int64_t live_rev(struct live *live)
{
    return load(&live->rev);
}
