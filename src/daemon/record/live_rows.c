/* Copies for readers: rows in flight, totals, and what happened lately. */
#include "daemon/record/live_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define SPEED_US 2000000
#define SPEED_LEAST_US 500000

/* Silent for longer than 2 s and than eight times the mean gap so far. */
static bool is_stalled(struct live_slot *slot, int64_t now_us)
{
    int64_t last = live_load(&slot->last_content_us), gaps = live_load(&slot->gap_count),
            limit = 2000000;

    if (gaps && live_load(&slot->gap_sum_us) / gaps * 8 > limit)
        limit = live_load(&slot->gap_sum_us) / gaps * 8;
    return last && now_us - last > limit;
}

/* Content events of the last two seconds, or since the first one. */
static void copy_speed(struct live_slot *slot, struct live_row *row, int64_t now_us)
{
    int64_t since = (now_us - SPEED_US) / MARK_US, first = live_load(&slot->first_content_us);
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
    int64_t first = live_load(&slot->first_content_us), last = live_load(&slot->last_content_us);
    int64_t gaps = live_load(&slot->gap_count), sent = live_load(&slot->sent_us);

    *row = (struct live_row){
        .id = slot->id,
        .created_us = slot->created_us,
        .elapsed_us = now_us - slot->started_us,
        .capture = slot->capture ? capture_ref(slot->capture) : NULL,
        .arrival = slot->arrival,
        .state = (enum live_state)atomic_load_explicit(&slot->state, memory_order_relaxed),
        .status = live_load(&slot->status),
        .request_bytes = live_load(&slot->request_bytes),
        .response_bytes = live_load(&slot->response_bytes),
        .chunks = live_load(&slot->chunks),
        .events = live_load(&slot->events),
        .content_events = live_load(&slot->content_events),
        .ttft_us = first && sent ? first - sent : UNKNOWN,
        .gap_us = last ? now_us - last : UNKNOWN,
        .gap_avg_us = gaps ? live_load(&slot->gap_sum_us) / gaps : UNKNOWN,
        .is_stream = slot->is_stream || live_load(&slot->events) != UNKNOWN,
        .gap_max_us = gaps ? live_load(&slot->gap_max_us) : UNKNOWN,
    };
    memcpy(row->method, slot->method, sizeof(row->method));
    memcpy(row->endpoint, slot->endpoint, sizeof(row->endpoint));
    memcpy(row->client, slot->client, sizeof(row->client));
    row->stalled = is_stalled(slot, now_us);
    row->input_tokens = slot->capture ? live_load(&slot->capture->input_estimate) : UNKNOWN;
    row->reported_output = live_load(&slot->reported_output);
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

bool live_row(struct live *live, int64_t id, struct live_row *row)
{
    struct live_slot *slot;

    pthread_mutex_lock(&live->lock);
    slot = live_find(live, id);
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

void live_totals(struct live *live, struct live_totals *out)
{
    int64_t now_us = clock_now_us(), stalled = 0;

    pthread_mutex_lock(&live->lock);
    LIST_EACH (node, &live->slots)
        stalled += is_stalled(LIST_ENTRY(node, struct live_slot, node), now_us);
    *out = (struct live_totals){
        .rev = live_load(&live->rev),
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
