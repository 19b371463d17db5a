#include "daemon/proxy/exchange.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/proxy/exchange_priv.h"

#define TO(state) (1u << (state))
static const struct {
    const char *name;
    unsigned next;
} states[] = {
    [EX_READING] = {"reading", TO(EX_INSPECTING) | TO(EX_FLUSHING)},
    [EX_INSPECTING] = {"inspecting",
                       TO(EX_ADMITTING) | TO(EX_WAITING) | TO(EX_RETRYING) | TO(EX_FLUSHING)},
    [EX_ADMITTING] = {"admitting", TO(EX_WAITING) | TO(EX_RETRYING) | TO(EX_FLUSHING)},
    [EX_WAITING] = {"waiting",
                    TO(EX_STREAMING) | TO(EX_RETRYING) | TO(EX_FLUSHING) | TO(EX_CANCELLING)},
    [EX_RETRYING] = {"retrying",
                     TO(EX_WAITING) | TO(EX_STREAMING) | TO(EX_FLUSHING) | TO(EX_CANCELLING)},
    [EX_STREAMING] = {"streaming", TO(EX_FLUSHING) | TO(EX_CANCELLING)},
    [EX_FLUSHING] = {"flushing", TO(EX_CLOSED)},
    [EX_CANCELLING] = {"cancelling", TO(EX_CLOSED)},
    [EX_CLOSED] = {"closed", 0},
};

#define ANNOUNCE_US 100000 /* a request that runs longer gets its pending row */
#define ADMIT_US 50000     /* the longest wait for the writer */

void exchange_move(struct exchange *x, enum exchange_state next)
{
    assert(states[x->state].next & TO(next));
    log_debug("exchange moves id=%" PRId64 " state=%s", x->capture->record.id, states[next].name);
    x->state = next;
}

/* Hand the record over and free what nobody needs any more. */
void exchange_finish_if_over(struct exchange *x)
{
    if (x->conn || x->transfer || x->inspecting)
        return;
    exchange_move(x, EX_CLOSED);
    list_remove(&x->node);
    list_remove(&x->waiting);
    live_end(x->worker->app->live, x->live);
    recorder_end(x->worker->app->recorder, x->capture);
    exchange_attempts_free(x);
    exchange_fix_free(x);
    catalog_unref(x->catalog);
    secret_clear(&x->key);
    free(x->cancelled);
    blob_clear(&x->wire);
    blob_clear(&x->sent);
    watch_clear(&x->watch);
    free(x);
}

static struct str request_bytes(const struct exchange *x)
{
    return x->wire.ptr ? blob_str(&x->wire) : blob_str(&x->capture->request);
}

static bool wants_length(struct str method)
{
    return str_eq(method, STR("POST")) || str_eq(method, STR("PUT")) ||
           str_eq(method, STR("PATCH"));
}

void exchange_start(struct exchange *x)
{
    struct record *r = record_of(x);
    struct err err;

    exchange_move(x, EX_WAITING);
    live_set_state(x->live, LIVE_WAITING);
    x->request.method = r->method;
    x->request.headers = &x->forward;
    x->request.body = x->sent.len > 0 ? blob_str(&x->sent) : request_bytes(x);
    x->request.has_body = x->request.body.len > 0 || wants_length(r->method);
    x->request.identity = r->is_stream;
    if (!x->started_us) {
        x->started_us = clock_now_us();
        x->capture->overhead_us = x->started_us - x->received_us;
        live_sent(x->live, x->started_us);
    }
    if (x->attempts)
        exchange_attempt_begin(x);
    x->transfer =
        transfer_start(x->worker->upstreams, &x->request, &exchange_transfer_events, x, &err);
    if (!x->transfer && !exchange_passes_start(x, err.msg))
        exchange_fail(x, 502, "connect_failed", err.msg);
}

static void start(struct exchange *x)
{
    if (!exchange_waits(x))
        exchange_start(x);
}

static void start_or_wait(struct exchange *x)
{
    if (!recorder_pressed(x->worker->app->recorder)) {
        start(x);
        return;
    }
    exchange_move(x, EX_ADMITTING);
    x->body_us = clock_now_us();
    list_add_tail(&x->worker->waiting, &x->waiting);
    if (!uv_is_active((uv_handle_t *)&x->worker->admit))
        uv_timer_start(&x->worker->admit, x->worker->admit.timer_cb, 1, 1);
}

void exchange_admit(struct worker *w, int64_t now_us)
{
    while (!list_empty(&w->waiting)) {
        struct exchange *x = LIST_ENTRY(w->waiting.next, struct exchange, waiting);

        if (recorder_pressed(w->app->recorder) && now_us - x->body_us < ADMIT_US)
            return;
        list_remove(&x->waiting);
        start(x);
    }
    uv_timer_stop(&w->admit);
}

static void gone_before_start(struct exchange *x, const char *error)
{
    exchange_note_gone(x, error);
    list_remove(&x->waiting);
    exchange_move(x, EX_FLUSHING);
    exchange_finish_if_over(x);
}

/* True: a budget of its scopes is used up, the request is answered. */
static bool refuse_spending(struct exchange *x)
{
    char message[200];
    int status;

    if (!budgets_refuse(x->worker->app->budgets, x->catalog, record_of(x), &x->decision, &status,
                        message))
        return false;
    exchange_note_decision(x);
    exchange_reject_spending(x, status, message);
    return true;
}

static void on_inspected(struct exchange *x)
{
    struct err err;

    x->inspecting = false;
    if (!x->conn) {
        gone_before_start(x, "client disconnected before the response");
        return;
    }
    if (exchange_stopped(x))
        return;
    if (x->wire.ptr && !x->capture->request.ptr) { /* could not be decoded: keep it as it is */
        x->capture->request = x->wire;
        x->wire = (struct blob){.budget = x->wire.budget};
    }
    record_of(x)->request_bytes = (int64_t)x->capture->request.len;
    record_of(x)->request_body_truncated = x->capture->request.len > x->capture->request_keep;
    if (x->unchangeable) {
        exchange_note_decision(x);
        exchange_fail(x, 503, "overloaded", x->why.msg);
        return;
    }
    if (budgets_closed(x->worker->app->budgets) && refuse_spending(x))
        return;
    if (!exchange_prepare(x, &err)) {
        exchange_fail(x, 502, "connect_failed", err.msg);
        return;
    }
    live_set_state(x->live, LIVE_CONNECTING);
    live_arrived(x->worker->app->live, x->live, x->capture);
    start_or_wait(x);
}

static void on_work(uv_work_t *work)
{
    struct exchange *x = work->data;

    exchange_understand(x);
}

static void on_work_done(uv_work_t *work, int status)
{
    (void)status;
    on_inspected(work->data);
}

/* The body belongs to the capture from now on, the head does since exchange_open(). */
static void take_body(struct exchange *x, struct request *r)
{
    if (headers_get(&x->received, STR("content-encoding")).len > 0)
        x->wire = r->body;
    else
        x->capture->request = r->body;
    r->body = (struct blob){.budget = r->body.budget};
}

/* From conn: the body is complete. */
static void on_request(void *ctx, struct request *r)
{
    struct exchange *x = ctx;
    struct record *record = record_of(x);

    x->received_us = clock_now_us();
    take_body(x, r);
    record->request_bytes = (int64_t)request_bytes(x).len;
    live_received(x->live, record->request_bytes);
    exchange_note_arrival(x);
    exchange_move(x, EX_INSPECTING);
    x->inspect = (struct inspect_input){
        .body = request_bytes(x),
        .content_type = record->request_content_type,
        .content_encoding = headers_get(&x->received, STR("content-encoding")),
        .accept = headers_get(&x->received, STR("accept")),
        .decoded_limit = (size_t)x->worker->app->config->settings.max_request_body_bytes,
    };
    x->inspecting = true;
    x->work.data = x;
    if (inspect_is_slow(&x->inspect) &&
        uv_queue_work(&x->worker->loop, &x->work, on_work, on_work_done) == 0)
        return;
    exchange_understand(x);
    on_inspected(x);
}

/* From conn: the body was refused; the connection sends the same error body. */
static void on_refused(void *ctx, struct request *r, const struct refusal *refusal)
{
    struct exchange *x = ctx;
    struct conn *conn = x->conn;

    record_of(x)->request_bytes = r->body_seen;
    exchange_note_arrival(x);
    x->conn = NULL;
    exchange_reject(x, refusal);
    x->conn = conn;
}

static void on_gone(void *ctx, const char *how)
{
    struct exchange *x = ctx;

    x->conn = NULL;
    switch (x->state) {
    case EX_READING:
        exchange_note_arrival(x);
        gone_before_start(x, "client disconnected before the request was complete");
        return;
    case EX_INSPECTING: /* another thread may be at the capture: on_inspected() goes on */
        return;
    case EX_ADMITTING:
        gone_before_start(x, "client disconnected before the response");
        return;
    case EX_WAITING:
        exchange_note_gone(x, "client disconnected before the response");
        exchange_move(x, EX_CANCELLING);
        transfer_cancel(x->transfer);
        break;
    case EX_RETRYING:
        exchange_stop_retrying(x);
        exchange_note_gone(x, "client disconnected before the response");
        exchange_move(x, x->transfer ? EX_CANCELLING : EX_FLUSHING);
        if (x->transfer)
            transfer_cancel(x->transfer);
        break;
    case EX_STREAMING:
        exchange_note_gone(x, how);
        exchange_move(x, EX_CANCELLING);
        transfer_cancel(x->transfer);
        break;
    case EX_FLUSHING:
        if (!record_of(x)->error.ptr) {
            record_of(x)->error = exchange_keep(x, how);
            record_of(x)->terminated_by = STR(TERMINATED_CLIENT);
        }
        break;
    case EX_CANCELLING:
    case EX_CLOSED:
        break;
    }
    exchange_finish_if_over(x);
}

static void on_drained(void *ctx)
{
    struct exchange *x = ctx;
    int64_t lag_us = x->full_since_us ? clock_now_us() - x->full_since_us : 0;

    if (lag_us > x->lag_max_us)
        x->lag_max_us = lag_us;
    x->full_since_us = 0;
    if (x->state == EX_STREAMING && x->transfer)
        transfer_resume(x->transfer);
}

static void on_sent(void *ctx)
{
    struct exchange *x = ctx;

    x->conn = NULL;
    exchange_finish_if_over(x);
}

static const struct responder responder = {
    .request = on_request,
    .refused = on_refused,
    .gone = on_gone,
    .drained = on_drained,
    .sent = on_sent,
};

static struct exchange *exchange_new(struct worker *w, struct conn *conn, struct request *r)
{
    struct exchange *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->capture = capture_new(&w->app->capture_budget);
    if (!x->capture) {
        free(x);
        return NULL;
    }
    x->worker = w;
    x->conn = conn;
    x->state = EX_READING;
    x->arrived_us = clock_now_us();
    x->catalog = app_catalog(w->app);
    x->wire.budget = x->sent.budget = &w->app->request_budget;
    x->capture->request.budget = &w->app->request_budget;
    x->capture->request_keep = (size_t)w->app->config->settings.capture_max_request_bytes;
    x->capture->inspect_max = (size_t)w->app->config->settings.inspect_max_json_bytes;
    x->capture->response_keep = (size_t)w->app->config->settings.capture_max_response_bytes;
    x->capture->arena = r->arena; /* conn's own texts stay valid until sent() or gone() */
    r->arena = (struct arena){0};
    x->received = r->headers;
    list_add_tail(&w->exchanges, &x->node);
    return x;
}

void exchange_open(struct worker *w, struct conn *conn, struct request *r)
{
    struct exchange *x = exchange_new(w, conn, r);
    struct refusal refusal = {0};
    struct live_owner owner;

    if (!x) {
        refuse(&refusal, 503, "overloaded", "No memory for the request.");
        conn_refuse(conn, &refusal, true);
        return;
    }
    exchange_note_head(x, r);
    conn_respond_with(conn, &responder, x, w->app->config->settings.max_request_body_bytes);
    if (!forward_path_ok(r->path)) {
        refuse(&refusal, 400, "invalid_path", "Invalid request path.");
        exchange_note_arrival(x);
        exchange_reject(x, &refusal);
        return;
    }
    owner = (struct live_owner){
        .home = w->inbox, .cancel = exchange_cancel, .peek = exchange_peek, .ctx = x};
    x->live = live_begin(w->app->live, record_of(x), &owner);
}

void exchange_sweep(struct worker *w, int64_t now_us)
{
    struct live *live = w->app->live;
    bool counting = !list_empty(&w->exchanges) && live_count_begin(live);
    int64_t wall_us = clock_wall_us();

    LIST_EACH (node, &w->exchanges) {
        struct exchange *x = LIST_ENTRY(node, struct exchange, node);

        if (counting)
            live_count(live, x->live, wall_us);
        if (x->announced || now_us - x->arrived_us < ANNOUNCE_US ||
            (x->state != EX_WAITING && x->state != EX_RETRYING && x->state != EX_STREAMING))
            continue;
        x->announced = true;
        recorder_begin(w->app->recorder, x->capture);
    }
    if (counting)
        live_count_end(live);
}
