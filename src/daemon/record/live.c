#include "daemon/record/live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#define KEPT_BYTES ((size_t)16 * 1024) /* of texts of a finished request */
#define KEPT_TEXT ((size_t)1024)       /* of each when there are more */
#define MARK_US 200000
#define MARKS 16 /* more than fit into SPEED_US */
#define SPEED_US 2000000
#define SPEED_LEAST_US 500000

struct live_slot {
    struct list node;
    struct live_owner owner;
    int64_t id, created_us, started_us;
    char method[16], endpoint[128], client[64];
    struct capture *capture;
    struct live_arrival arrival;
    bool is_stream; /* as it arrived */
    _Atomic int state;
    _Atomic int64_t status, request_bytes, response_bytes, chunks, events, content_events;
    _Atomic int64_t sent_us, first_content_us, last_content_us, gap_sum_us, gap_count, gap_max_us;
    _Atomic int64_t reported_output;
    _Atomic uint64_t marks[MARKS]; /* a time in MARK_US, and content events by then: a ring */
    size_t mark;                   /* of its loop */
    int64_t moved_events, moved_bytes;
};

struct live {
    pthread_mutex_t lock;
    struct list slots;
    size_t count, peak;
    struct live_done done[LIVE_ROWS_MAX]; /* a ring; done[(first + i) % MAX], oldest first */
    size_t done_first, done_count;
    int64_t gone_rev;                         /* of the last one that is no longer kept */
    struct live_change changes[LIVE_CHANGES]; /* a ring */
    size_t change_count;                      /* since the start */
    struct traffic_pulse pulse;
    int64_t finished, errors, client_gone, cancelled;
    _Atomic int64_t rev;

    pthread_mutex_t traffic_lock; /* of traffic; behind the other lock */
    struct traffic *traffic;
    int64_t lost, shed; /* that are among the problems already */
    char store_error[200];
};

struct live *live_new(void)
{
    struct live *live = xcalloc(1, sizeof(*live));

    pthread_mutex_init(&live->lock, NULL);
    pthread_mutex_init(&live->traffic_lock, NULL);
    list_init(&live->slots);
    live->traffic = traffic_new();
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
    traffic_free(live->traffic);
    pthread_mutex_destroy(&live->traffic_lock);
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
    traffic_pulse_begin(&live->pulse, r->created_us);
    pthread_mutex_unlock(&live->lock);
    return slot;
}

void live_arrived(struct live *live, struct live_slot *slot, struct capture *c)
{
    const struct record *r = &c->record;

    if (!slot)
        return;
    pthread_mutex_lock(&live->lock);
    slot->capture = capture_ref(c);
    slot->is_stream = r->is_stream;
    slot->arrival = (struct live_arrival){
        .model = r->model,
        .upstream_model = r->upstream_model,
        .model_route = r->model_route,
        .upstream_url = r->upstream_url,
        .provider_slug = r->provider_slug,
        .task_run_id = r->task_run_id,
        .has_images = r->has_images,
    };
    pthread_mutex_unlock(&live->lock);
}

void live_set_state(struct live_slot *slot, enum live_state state)
{
    if (slot)
        atomic_store_explicit(&slot->state, (int)state, memory_order_relaxed);
}

void live_sent(struct live_slot *slot, int64_t sent_us)
{
    if (slot)
        store(&slot->sent_us, sent_us);
}

void live_received(struct live_slot *slot, int64_t bytes)
{
    if (slot)
        store(&slot->request_bytes, bytes);
}

/* How many content events there were by when, for the speed of the last seconds. */
static void mark(struct live_slot *slot, int64_t at_us, int64_t content_events)
{
    uint64_t time = (uint64_t)(at_us / MARK_US);

    if (atomic_load_explicit(&slot->marks[slot->mark], memory_order_relaxed) >> 32 != time)
        slot->mark = (slot->mark + 1) % MARKS;
    atomic_store_explicit(&slot->marks[slot->mark], time << 32 | (uint32_t)content_events,
                          memory_order_relaxed);
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
    store(&slot->reported_output, watch->output_tokens);
    mark(slot, watch->last_content_us, watch->content_count);
}

void live_head(struct live_slot *slot, int status)
{
    if (slot)
        store(&slot->status, status);
}

bool live_count_begin(struct live *live)
{
    return pthread_mutex_trylock(&live->traffic_lock) == 0;
}

void live_count_end(struct live *live)
{
    pthread_mutex_unlock(&live->traffic_lock);
}

void live_count(struct live *live, struct live_slot *slot, int64_t now_wall_us)
{
    int64_t bytes, events;

    if (!slot || !slot->capture)
        return;
    bytes = load(&slot->response_bytes) - slot->moved_bytes;
    events = load(&slot->content_events);
    events = events == UNKNOWN ? 0 : events - slot->moved_events;
    if (bytes == 0 && events == 0)
        return;
    traffic_moved(live->traffic, now_wall_us, &slot->capture->record, bytes,
                  events * traffic_event_milli(live->traffic, slot->arrival.upstream_model));
    slot->moved_bytes += bytes;
    slot->moved_events += events;
}

void live_end(struct live *live, struct live_slot *slot)
{
    if (!slot)
        return;
    if (slot->capture) {
        slot->capture->moved_events = slot->moved_events;
        slot->capture->moved_bytes = slot->moved_bytes;
    }
    pthread_mutex_lock(&live->lock);
    list_remove(&slot->node);
    live->count--;
    traffic_pulse_end(&live->pulse, clock_wall_us());
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
    live->done[at] = (struct live_done){load(&live->rev) + 1, kept};
    store(&live->rev, live->done[at].rev);
    pthread_mutex_unlock(&live->lock);
    capture_unref(oldest);
}

void live_changed(struct live *live, unsigned kinds, int64_t run_id, int64_t request_id)
{
    pthread_mutex_lock(&live->lock);
    store(&live->rev, load(&live->rev) + 1);
    live->changes[live->change_count++ % LIVE_CHANGES] =
        (struct live_change){load(&live->rev), kinds, run_id, request_id};
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

/* Silent for longer than 2 s and than eight times the mean gap so far. */
static bool is_stalled(struct live_slot *slot, int64_t now_us)
{
    int64_t last = load(&slot->last_content_us), gaps = load(&slot->gap_count), limit = 2000000;

    if (gaps && load(&slot->gap_sum_us) / gaps * 8 > limit)
        limit = load(&slot->gap_sum_us) / gaps * 8;
    return last && now_us - last > limit;
}

/* Content events of the last two seconds, or since the first one. */
static void copy_speed(struct live_slot *slot, struct live_row *row, int64_t now_us)
{
    int64_t since = (now_us - SPEED_US) / MARK_US, first = load(&slot->first_content_us);
    int64_t before = 0, us = now_us - first;

    if (!first)
        return;
    for (size_t i = 0; i < MARKS; i++) {
        uint64_t m = atomic_load_explicit(&slot->marks[i], memory_order_relaxed);
        int64_t events = (int64_t)(m & UINT32_MAX);

        if ((int64_t)(m >> 32) <= since && events > before)
            before = events;
    }
    row->recent_events = row->content_events - before;
    row->recent_us = us > SPEED_US ? SPEED_US : us < SPEED_LEAST_US ? SPEED_LEAST_US : us;
}

static void copy_row(struct live_slot *slot, struct live_row *row, int64_t now_us)
{
    int64_t first = load(&slot->first_content_us), last = load(&slot->last_content_us);
    int64_t gaps = load(&slot->gap_count), sent = load(&slot->sent_us);

    *row = (struct live_row){
        .id = slot->id,
        .created_us = slot->created_us,
        .elapsed_us = now_us - slot->started_us,
        .capture = slot->capture ? capture_ref(slot->capture) : NULL,
        .arrival = slot->arrival,
        .state = (enum live_state)atomic_load_explicit(&slot->state, memory_order_relaxed),
        .status = load(&slot->status),
        .request_bytes = load(&slot->request_bytes),
        .response_bytes = load(&slot->response_bytes),
        .chunks = load(&slot->chunks),
        .events = load(&slot->events),
        .content_events = load(&slot->content_events),
        .ttft_us = first && sent ? first - sent : UNKNOWN,
        .gap_us = last ? now_us - last : UNKNOWN,
        .gap_avg_us = gaps ? load(&slot->gap_sum_us) / gaps : UNKNOWN,
        .is_stream = slot->is_stream || load(&slot->events) != UNKNOWN,
        .gap_max_us = gaps ? load(&slot->gap_max_us) : UNKNOWN,
    };
    memcpy(row->method, slot->method, sizeof(row->method));
    memcpy(row->endpoint, slot->endpoint, sizeof(row->endpoint));
    memcpy(row->client, slot->client, sizeof(row->client));
    row->stalled = is_stalled(slot, now_us);
    row->input_tokens = slot->capture ? load(&slot->capture->input_estimate) : UNKNOWN;
    row->reported_output = load(&slot->reported_output);
    copy_speed(slot, row, now_us);
}

/* Events as tokens; not under the lock that loops need. */
static void estimate(struct live *live, struct live_row *rows, size_t count)
{
    pthread_mutex_lock(&live->traffic_lock);
    for (size_t i = 0; i < count; i++) {
        struct live_row *row = &rows[i];
        int64_t milli = traffic_event_milli(live->traffic, row->arrival.upstream_model);

        row->output_tokens = row->output_milli_per_second = UNKNOWN;
        if (row->reported_output > 0)
            row->output_tokens = row->reported_output;
        else if (row->content_events != UNKNOWN)
            row->output_tokens = (row->content_events * milli + 500) / 1000;
        if (row->recent_us > 0)
            row->output_milli_per_second =
                row->recent_events * milli * 1000 / (row->recent_us / 1000);
    }
    pthread_mutex_unlock(&live->traffic_lock);
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
    if (slot)
        estimate(live, row, 1);
    return slot;
}

void live_row_clear(struct live_row *row)
{
    capture_unref(row->capture);
}

struct live_row *live_rows(struct live *live, size_t *count)
{
    int64_t now_us = clock_now_us();
    struct live_row *rows;
    size_t room, n = 0;

    pthread_mutex_lock(&live->lock);
    room = live->count + 16 < LIVE_ROWS_MAX ? live->count + 16 : LIVE_ROWS_MAX;
    pthread_mutex_unlock(&live->lock);
    rows = xcalloc(room, sizeof(*rows));
    pthread_mutex_lock(&live->lock);
    LIST_EACH (node, &live->slots) {
        if (n == room)
            break;
        copy_row(LIST_ENTRY(node, struct live_slot, node), &rows[n++], now_us);
    }
    pthread_mutex_unlock(&live->lock);
    estimate(live, rows, n);
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

void live_row_record(const struct live_row *row, struct record *r)
{
    const struct live_arrival *a = &row->arrival;

    record_init(r);
    r->id = row->id;
    r->created_us = row->created_us;
    r->method = str_c(row->method);
    r->endpoint = str_c(row->endpoint);
    r->client = str_c(row->client);
    if (!row->capture)
        return;
    r->model = a->model;
    r->upstream_model = a->upstream_model;
    r->model_route = a->model_route;
    r->upstream_url = a->upstream_url;
    r->provider_slug = a->provider_slug;
    r->task_run_id = a->task_run_id;
    r->has_images = a->has_images;
}

void live_figures(struct live *live, int64_t now_wall_us, struct traffic_figures *out)
{
    struct traffic_pulse *pulse = xcalloc(1, sizeof(*pulse));
    struct live_row *rows;
    size_t count;

    pthread_mutex_lock(&live->lock);
    *pulse = live->pulse;
    pthread_mutex_unlock(&live->lock);
    pthread_mutex_lock(&live->traffic_lock);
    traffic_figures(live->traffic, pulse, now_wall_us, out);
    pthread_mutex_unlock(&live->traffic_lock);
    free(pulse);
    rows = live_rows(live, &count);
    for (size_t i = 0; i < count; i++) {
        struct record r;

        live_row_record(&rows[i], &r);
        if (rows[i].capture)
            traffic_figures_inflight(out, &r);
    }
    live_rows_free(rows, count);
    for (size_t by = 0; by < 2; by++)
        traffic_groups_sort(out->groups[by], out->group_counts[by]);
}

static void note_more(struct live *live, int64_t *seen, int64_t now, const char *what)
{
    char text[80];
    int n = snprintf(text, sizeof(text), "%lld %s", (long long)(now - *seen), what);

    if (now > *seen)
        traffic_problem(live->traffic, clock_wall_us(), UNKNOWN, (struct str){text, (size_t)n});
    *seen = now;
}

void live_watch_store(struct live *live, const struct recorder_stats *stats)
{
    pthread_mutex_lock(&live->traffic_lock);
    note_more(live, &live->lost, stats->lost_events, "captures were lost: the database is behind");
    note_more(live, &live->shed, stats->shed_bodies, "rows were stored without their bodies");
    if (strcmp(live->store_error, stats->last_error) != 0) {
        snprintf(live->store_error, sizeof(live->store_error), "%s", stats->last_error);
        traffic_problem(live->traffic, clock_wall_us(), UNKNOWN, str_c(live->store_error));
    }
    pthread_mutex_unlock(&live->traffic_lock);
}

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
    slot = find(live, id);
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
    slot = find(live, id);
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
    return load(&live->rev);
}
