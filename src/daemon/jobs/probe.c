#include "daemon/jobs/probe.h"

#include <stdio.h>

#include "base/clock.h"

#define TICK_MS 50

static void on_closed(uv_handle_t *handle)
{
    struct probe *p = handle->data;

    p->done(p);
}

static void finish(struct probe *p)
{
    p->duration_ms = (clock_now_us() - p->started_us) / 1000;
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

static void on_head(void *ctx, const struct transfer_head *head)
{
    struct probe *p = ctx;
    struct str type = headers_get(head->headers, STR("content-type"));
    struct err err;

    p->status = head->status;
    p->content_type.limit = 200;
    buf_add(&p->content_type, str_cut(type, 200), &err);
}

static bool on_bytes(void *ctx, struct str bytes)
{
    struct probe *p = ctx;
    size_t room = p->keep > p->answer.len ? p->keep - p->answer.len : 0;
    struct err err;

    buf_add(&p->answer, str_cut(bytes, room), &err);
    return true;
}

static void on_pause(void *ctx)
{
    (void)ctx;
}

static void on_done(void *ctx, enum transfer_error error, const char *message)
{
    struct probe *p = ctx;

    if (error != TRANSFER_OK)
        snprintf(p->error, sizeof(p->error), "%s", message);
}

static void on_released(void *ctx)
{
    struct probe *p = ctx;

    p->transfer = NULL;
    finish(p);
}

static const struct transfer_events events = {
    .head = on_head,
    .bytes = on_bytes,
    .pause = on_pause,
    .done = on_done,
    .released = on_released,
};

/* Too late, or the program stops: released() comes then. */
static void on_tick(uv_timer_t *timer)
{
    struct probe *p = timer->data;
    int64_t ms = (clock_now_us() - p->started_us) / 1000;

    if (!p->transfer) { /* it could not even begin */
        finish(p);
        return;
    }
    if (ms < p->timeout_ms && !p->worker->stopping)
        return;
    snprintf(p->error, sizeof(p->error),
             p->worker->stopping ? "the proxy is stopping" : "no answer within %d s",
             (int)(p->timeout_ms / 1000));
    uv_timer_stop(timer);
    transfer_cancel(p->transfer);
}

void probe_start(struct probe *p)
{
    struct err err;

    p->started_us = clock_now_us();
    uv_timer_init(&p->worker->loop, &p->timer);
    p->timer.data = p;
    uv_timer_start(&p->timer, on_tick, TICK_MS, TICK_MS);
    p->request = (struct transfer_request){
        .method = p->method,
        .url = p->url,
        .headers = &p->headers,
        .body = p->body,
        .has_body = p->body.len > 0,
    };
    p->transfer = transfer_start(p->worker->upstreams, &p->request, &events, p, &err);
    if (!p->transfer)
        snprintf(p->error, sizeof(p->error), "%.290s", err.msg);
}

void probe_clear(struct probe *p)
{
    buf_clear(&p->content_type);
    buf_clear(&p->answer);
}
