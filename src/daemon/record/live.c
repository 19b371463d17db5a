#include "daemon/record/live_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"

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

struct live_slot *live_find(struct live *live, int64_t id)
{
    LIST_EACH (node, &live->slots) {
        struct live_slot *slot = LIST_ENTRY(node, struct live_slot, node);

        if (slot->id == id)
            return slot;
    }
    return NULL;
}

static void copy_text(char *out, size_t size, struct str text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;

    if (len)
        memcpy(out, text.ptr, len);
    out[len] = '\0';
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
    live_store(&slot->status, UNKNOWN);
    live_store(&slot->events, UNKNOWN);
    live_store(&slot->content_events, UNKNOWN);
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
        live_store(&slot->sent_us, sent_us);
}

void live_received(struct live_slot *slot, int64_t bytes)
{
    if (slot)
        live_store(&slot->request_bytes, bytes);
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
    live_store(&slot->response_bytes, response_bytes);
    live_store(&slot->chunks, chunks);
    if (!watch)
        return;
    live_store(&slot->events, watch->event_count);
    live_store(&slot->content_events, watch->content_count);
    live_store(&slot->first_content_us, watch->first_content_us);
    live_store(&slot->last_content_us, watch->last_content_us);
    live_store(&slot->gap_sum_us, watch->gap_sum_us);
    live_store(&slot->gap_count, watch->gap_count);
    live_store(&slot->gap_max_us, watch->gap_max_us);
    live_store(&slot->reported_output, watch->output_tokens);
    mark(slot, watch->last_content_us, watch->content_count);
}

void live_head(struct live_slot *slot, int status)
{
    if (slot)
        live_store(&slot->status, status);
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
    bytes = live_load(&slot->response_bytes) - slot->moved_bytes;
    events = live_load(&slot->content_events);
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
