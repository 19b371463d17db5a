#include "daemon/mock/mock_priv.h"

#include <stdlib.h>

#include "base/clock.h"

#define BODY_MAX ((int64_t)256 * 1024 * 1024)
#define GATHER ((size_t)16 * 1024) /* bytes of events that are sent together */

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void release(struct mock_call *call)
{
    mock_answer_clear(&call->answer);
    buf_clear(&call->json);
    if (call->has_timer)
        uv_close((uv_handle_t *)&call->timer, on_timer_closed);
    else
        free(call);
}

/* The connection is done with the call; pump() may still be on the stack. */
static void over(struct mock_call *call)
{
    call->over = true;
    if (!call->pumping)
        release(call);
}

static void send_head(struct mock_call *call, int status, struct str type, struct header extra,
                      int64_t length)
{
    struct arena *arena = &call->answer.arena;
    struct headers headers = {0};
    char id[MOCK_ID_SIZE];
    struct err err;
    bool ok;

    mock_id(id, "req_", call->answer.key, 9);
    ok = headers_add_borrowed(&headers, arena, STR("Content-Type"), type, &err) == 0 &&
         headers_add(&headers, arena, call->messages ? STR("request-id") : STR("x-request-id"),
                     str_c(id), &err) == 0;
    if (ok && extra.name.ptr)
        headers_add(&headers, arena, extra.name, extra.value, &err);
    call->head_sent = true;
    conn_head(call->conn, status, &headers, length);
}

static void send_json(struct mock_call *call, int status, struct header extra, struct str body)
{
    call->ended = true;
    send_head(call, status, STR("application/json"), extra, (int64_t)body.len);
    conn_bytes(call->conn, body);
    conn_end(call->conn);
}

void mock_call_json(struct mock_call *call, int status, struct str body)
{
    send_json(call, status, (struct header){0}, body);
}

void mock_call_error(struct mock_call *call, int status, struct header header, struct str message)
{
    struct buf body = {0};
    char id[MOCK_ID_SIZE];

    mock_error_body(&body, call->messages, status, message,
                    mock_id(id, "req_", call->answer.key, 9));
    send_json(call, status, header, buf_str(&body));
    buf_clear(&body);
}

/* ---- pace ---- */

/* When the next part of the answer is due; a stall comes before the token in the middle. */
static int64_t due_us(const struct mock_call *call)
{
    const struct mock_answer *a = &call->answer;
    const struct mock_options *o = &a->request.options;
    int64_t token = call->stream.sent, after_us;
    bool later = token >= a->total / 2;

    if (call->json.ptr) { /* when its last token would have come */
        token = a->total > 0 ? a->total - 1 : 0;
        later = call->json_sent > 0;
    }
    after_us = o->tps > 0 ? (int64_t)((double)token * 1e6 / o->tps) : 0;
    return call->start_us + o->ttft_ms * 1000 + after_us + (later ? o->stall_ms * 1000 : 0);
}

static void pump(struct mock_call *call);

static void on_due(uv_timer_t *timer)
{
    pump(timer->data);
}

static void wait_us(struct mock_call *call, int64_t us)
{
    uv_loop_t *loop = call->shared->host.loop;

    if (!call->has_timer) {
        uv_timer_init(loop, &call->timer);
        call->timer.data = call;
        call->has_timer = true;
    }
    uv_update_time(loop);
    uv_timer_start(&call->timer, on_due, (uint64_t)((us + 999) / 1000), 0);
}

static void finish(struct mock_call *call)
{
    call->ended = true;
    if (call->cut)
        conn_cut(call->conn);
    else
        conn_end(call->conn);
}

/* All of it; or half of it, to be cut there or to go on after a stall. */
static void json_step(struct mock_call *call)
{
    struct str rest = str_from(buf_str(&call->json), call->json_sent);
    bool half = call->json_sent == 0 && (call->cut || call->answer.request.options.stall_ms > 0);

    if (!call->head_sent)
        send_head(call, 200, STR("application/json"), (struct header){0}, (int64_t)rest.len);
    if (half)
        rest = str_cut(rest, rest.len / 2);
    conn_bytes(call->conn, rest);
    call->json_sent += rest.len;
    if (!half || call->cut)
        finish(call);
}

/* The events that are due now; what goes beyond GATHER comes in the next step. */
static void stream_step(struct mock_call *call, int64_t now_us)
{
    static const struct header no_cache = {{"Cache-Control", 13}, {"no-cache", 8}};
    struct mock_stream *s = &call->stream;
    bool stop = false;
    struct buf events = {0};
    struct err err;

    if (!call->head_sent)
        send_head(call, 200, STR("text/event-stream; charset=utf-8"), no_cache, -1);
    do {
        if (call->cut && s->started && s->sent >= call->answer.total / 2) {
            stop = true;
        } else if (mock_stream_beat(s, &events, &err) < 0) {
            call->cut = stop = true;
        }
    } while (!stop && !s->done && events.len < GATHER && due_us(call) <= now_us);
    conn_bytes(call->conn, buf_str(&events));
    buf_clear(&events);
    if (stop || s->done)
        finish(call);
}

/* Above the high mark the rest waits for drained(); conn_flush() may have made room already. */
static bool has_room(struct mock_call *call)
{
    if (!conn_full(call->conn))
        return true;
    conn_flush(call->conn);
    return !call->over && !conn_full(call->conn);
}

static void pump(struct mock_call *call)
{
    int64_t now_us = clock_now_us();

    if (call->pumping || call->ended)
        return;
    call->pumping = true;
    while (!call->ended && !call->over && has_room(call)) {
        int64_t left_us = due_us(call) - now_us;

        if (left_us > 0) {
            wait_us(call, left_us);
            conn_flush(call->conn);
            break;
        }
        if (call->json.ptr)
            json_step(call);
        else
            stream_step(call, now_us);
    }
    call->pumping = false;
    if (call->over)
        release(call);
}

void mock_call_paced(struct mock_call *call)
{
    call->stream.answer = &call->answer;
    call->start_us = clock_now_us();
    pump(call);
}

/* ---- the connection's side ---- */

static void on_request(void *ctx, struct request *r)
{
    mock_route(ctx, r);
}

static void on_refused(void *ctx, struct request *r, const struct refusal *refusal)
{
    struct mock_call *call = ctx;

    (void)r;
    (void)refusal;
    call->ended = true;
}

static void on_gone(void *ctx, const char *how)
{
    (void)how;
    over(ctx);
}

static void on_drained(void *ctx)
{
    pump(ctx);
}

static void on_sent(void *ctx)
{
    over(ctx);
}

void mock_call_head(void *ctx, struct conn *c, struct request *r)
{
    static const struct responder responder = {on_request, on_refused, on_gone, on_drained,
                                               on_sent};
    struct mock_call *call = calloc(1, sizeof(*call));
    struct refusal refusal = {0};

    (void)r;
    if (!call) {
        refuse(&refusal, 503, "overloaded", "No memory for the request.");
        conn_refuse(c, &refusal, true);
        return;
    }
    call->shared = ctx;
    call->conn = c;
    conn_respond_with(c, &responder, call, BODY_MAX);
}
