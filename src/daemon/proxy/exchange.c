#include "daemon/proxy/exchange.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/forward.h"
#include "core/mask.h"
#include "daemon/proxy/inspect.h"
#include "json/json.h"
#include "llm/watch.h"

/*  state               event              next        action
 *  READING             body complete      INSPECTING  look at the body, off the loop when large
 *  READING             bad or refused     FLUSHING    the connection answers 4xx
 *  INSPECTING          body understood    WAITING     start the transfer
 *  INSPECTING          writer is behind   ADMITTING   wait some milliseconds for it
 *  INSPECTING          refused            FLUSHING    send 4xx or 502
 *  ADMITTING           writer caught up   WAITING     start the transfer
 *  WAITING             response head      STREAMING   send it, or gather a small body first
 *  WAITING             transfer failed    FLUSHING    send 502 or 504
 *  STREAMING           bytes              STREAMING   to the client and the capture
 *  STREAMING           transfer done      FLUSHING    end the body
 *  STREAMING           transfer failed    FLUSHING    no end of body, then close: cut must look cut
 *  WAITING, STREAMING  client gone        CANCELLING  cancel the transfer
 *  before WAITING      client gone        FLUSHING    nothing more can be sent
 *  FLUSHING            all is out         CLOSED      tell the recorder
 *  CANCELLING          transfer released  CLOSED      tell the recorder
 *
 * A stricter durability has its place between STREAMING and FLUSHING: a state that holds the end of
 * the answer until the recorder has committed the row, or a bound has passed. */
enum state { READING, INSPECTING, ADMITTING, WAITING, STREAMING, FLUSHING, CANCELLING, CLOSED };
#define TO(state) (1u << (state))
static const struct {
    const char *name;
    unsigned next;
} states[] = {
    [READING] = {"reading", TO(INSPECTING) | TO(FLUSHING)},
    [INSPECTING] = {"inspecting", TO(ADMITTING) | TO(WAITING) | TO(FLUSHING)},
    [ADMITTING] = {"admitting", TO(WAITING) | TO(FLUSHING)},
    [WAITING] = {"waiting", TO(STREAMING) | TO(FLUSHING) | TO(CANCELLING)},
    [STREAMING] = {"streaming", TO(FLUSHING) | TO(CANCELLING)},
    [FLUSHING] = {"flushing", TO(CLOSED)},
    [CANCELLING] = {"cancelling", TO(CLOSED)},
    [CLOSED] = {"closed", 0},
};

#define ANNOUNCE_US 100000 /* a request that runs longer gets its pending row */
#define ADMIT_US 50000     /* the longest wait for the writer */
#define GATHER_MAX ((size_t)1024 * 1024)

struct exchange {
    struct list node;    /* of the worker, until recorded */
    struct list waiting; /* while ADMITTING */
    struct worker *worker;
    struct conn *conn; /* NULL: the client is gone or was answered */
    struct capture *capture;
    struct live_slot *live;
    struct catalog *catalog;
    enum state state;
    int64_t arrived_us, body_us, started_us, ended_us;
    struct target target;
    struct headers received;
    struct blob wire; /* the body as received, when capture holds a decoded one */
    uv_work_t work;
    struct inspect_input inspect;
    struct transfer *transfer;
    struct transfer_request request;
    struct headers forward;
    struct secret key;
    bool announced, inspecting;
    /* the answer */
    bool head_seen, gathering, watching, body_lost;
    int64_t reply_length;
    struct headers reply;
    struct watch watch;
    int64_t chunks, full_since_us, lag_max_us;
};

static void move(struct exchange *x, enum state next)
{
    assert(states[x->state].next & TO(next));
    log_debug("exchange moves id=%" PRId64 " state=%s", x->capture->record.id, states[next].name);
    x->state = next;
}

static struct record *record_of(struct exchange *x)
{
    return &x->capture->record;
}

static struct arena *arena_of(struct exchange *x)
{
    return &x->capture->arena;
}

/* Text of our own making that the record keeps. */
static struct str keep(struct exchange *x, const char *text)
{
    return arena_dup(arena_of(x), str_c(text));
}

static int64_t to_ms(int64_t us)
{
    return us < 0 ? UNKNOWN : us / 1000;
}

static void note_times(struct exchange *x)
{
    struct record *r = record_of(x);
    struct transfer_times t;

    if (!x->transfer)
        return;
    transfer_times(x->transfer, &t);
    r->upstream_connect_ms = to_ms(t.connect_us);
    if (x->head_seen)
        r->upstream_headers_ms = to_ms(t.head_us);
    r->first_byte_ms = to_ms(t.first_byte_us);
    r->chunk_count = x->head_seen ? t.reads : UNKNOWN;
}

static void note_watch(struct exchange *x)
{
    struct record *r = record_of(x);
    struct watch *w = &x->watch;

    if (!x->watching)
        return;
    watch_finish(w, clock_now_us());
    r->event_count = w->event_count;
    r->stream_done = w->done;
    if (w->first_content_us)
        r->ttft_ms = (w->first_content_us - x->started_us) / 1000;
    if (w->gap_count > 0) {
        r->chunk_gap_avg_ms = w->gap_sum_us / w->gap_count / 1000;
        r->chunk_gap_p95_ms = watch_gap_p95_us(w) / 1000;
        r->chunk_gap_max_ms = w->gap_max_us / 1000;
    }
    if (w->finish_reason[0])
        r->finish_reason = keep(x, w->finish_reason);
    if (w->error_event.len > 0)
        x->capture->error_event = arena_dup(arena_of(x), buf_str(&w->error_event));
}

/* The answer is over, in whatever way: everything but how it ended. Called once. */
static void note_end(struct exchange *x, const char *terminated_by, const char *error)
{
    struct record *r = record_of(x);

    if (x->ended_us)
        return;
    x->ended_us = clock_now_us();
    r->completed_us = r->created_us + (x->ended_us - x->arrived_us);
    r->duration_ms = (x->ended_us - (x->started_us ? x->started_us : x->arrived_us)) / 1000;
    r->terminated_by = keep(x, terminated_by);
    r->error = error ? keep(x, error) : STR_NONE;
    note_times(x);
    note_watch(x);
    if (x->lag_max_us > 0)
        r->client_lag_max_ms = x->lag_max_us / 1000;
    if (r->response_bytes == UNKNOWN && (x->head_seen || r->response_status != UNKNOWN))
        r->response_bytes = (int64_t)x->capture->response.len;
    if (r->response_bytes != UNKNOWN &&
        (x->body_lost || (size_t)r->response_bytes > x->capture->response_keep))
        r->response_body_truncated = true;
}

/* Hand the record over and free what nobody needs any more. */
static void finish_if_over(struct exchange *x)
{
    if (x->conn || x->transfer || x->inspecting)
        return;
    move(x, CLOSED);
    list_remove(&x->node);
    list_remove(&x->waiting);
    live_end(x->worker->app->live, x->live);
    recorder_end(x->worker->app->recorder, x->capture);
    catalog_unref(x->catalog);
    secret_clear(&x->key);
    blob_clear(&x->wire);
    watch_clear(&x->watch);
    free(x);
}

/* The answer of our own for a request that could not be served; the body is captured too. */
static void answer_error(struct exchange *x, int status, const char *code, const char *message)
{
    struct record *r = record_of(x);
    struct buf body = {0};
    struct err err;
    struct conn *conn = x->conn;

    error_body(&body, r->endpoint, refusal_type(status), code, str_c(message));
    blob_clear(&x->capture->response);
    if (blob_add(&x->capture->response, buf_str(&body), &err) < 0)
        x->body_lost = true;
    r->response_status = status;
    r->response_bytes = (int64_t)body.len;
    r->response_content_type = STR("application/json");
    r->response_headers_json = STR("{\"content-type\":\"application/json\"}");
    if (conn)
        conn_answer(conn, status, STR("application/json"), NULL, buf_str(&body));
    buf_clear(&body);
}

static void reject(struct exchange *x, const struct refusal *refusal)
{
    record_of(x)->response_status = refusal->status;
    note_end(x, TERMINATED_REFUSED, refusal->message);
    move(x, FLUSHING);
    answer_error(x, refusal->status, refusal->code, refusal->message);
}

static void fail(struct exchange *x, int status, const char *code, const char *message)
{
    bool timeout = strcmp(code, "idle_timeout") == 0;

    record_of(x)->response_status = status;
    note_end(x, timeout ? TERMINATED_IDLE : TERMINATED_UPSTREAM_ERROR, message);
    record_of(x)->upstream_headers_ms = UNKNOWN; /* the client saw none of that head */
    move(x, FLUSHING);
    answer_error(x, status, code, message);
}

/* Where the answer breaks off for the client: an event that says so, where one can stand. */
static void send_cut(struct exchange *x, const char *message)
{
    struct buf event = {0}, body = {0};
    struct err err;
    bool anthropic = str_starts(record_of(x)->endpoint, STR("/v1/messages"));

    if (x->watching && x->watch.sse.at_boundary) {
        if (anthropic) {
            error_body(&body, record_of(x)->endpoint, NULL, NULL, str_c(message));
            buf_put(&event, STR("event: error\n"));
        } else {
            buf_put(&body, STR("{\"error\":{\"message\":"));
            json_quote(&body, str_c(message));
            buf_put(&body, STR(",\"type\":\"upstream_error\"}}"));
        }
        buf_printf(&event, "data: %s\n\n", body.ptr);
        conn_bytes(x->conn, buf_str(&event));
        if (blob_add(&x->capture->response, buf_str(&event), &err) < 0)
            x->body_lost = true;
        record_of(x)->response_bytes += (int64_t)event.len;
    }
    buf_clear(&event);
    buf_clear(&body);
    conn_cut(x->conn);
}

static void start_relay(struct exchange *x)
{
    x->gathering = false;
    conn_head(x->conn, (int)record_of(x)->response_status, &x->reply, x->reply_length);
}

static bool is_binary(struct str content_type)
{
    return str_istarts(content_type, STR("audio/")) || str_istarts(content_type, STR("image/")) ||
           str_istarts(content_type, STR("video/")) ||
           str_istarts(content_type, STR("application/octet-stream"));
}

/* A body that is no stream and not large is sent whole: a failure on the way can still be a 502. */
static bool may_gather(const struct exchange *x, const struct transfer_head *head, bool sse)
{
    const struct record *r = &x->capture->record;

    if (head->no_body || sse || is_binary(r->response_content_type))
        return false;
    if (head->content_length < 0)
        return !r->is_stream;
    return (size_t)head->content_length <= GATHER_MAX;
}

static void note_request_id(struct exchange *x, const struct headers *headers)
{
    static const char *const names[] = {"x-request-id", "request-id", "x-generation-id", "cf-ray"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct str value = headers_get(headers, str_c(names[i]));

        if (value.ptr) {
            record_of(x)->upstream_request_id = arena_dup(arena_of(x), value);
            return;
        }
    }
}

static void note_head(struct exchange *x, const struct transfer_head *head)
{
    struct record *r = record_of(x);
    struct buf json = {0};
    struct err err;

    r->response_status = head->status;
    r->response_content_type =
        arena_dup(arena_of(x), headers_get(head->headers, STR("content-type")));
    if (mask_headers_json(&json, head->headers, x->worker->app->config->settings.store_secrets,
                          &err) == 0)
        r->response_headers_json = arena_dup(arena_of(x), buf_str(&json));
    buf_clear(&json);
    note_request_id(x, head->headers);
    r->response_bytes = 0;
    live_head(x->live, head->status);
    live_set_state(x->live, LIVE_STREAMING);
}

static void on_head(void *ctx, const struct transfer_head *head)
{
    struct exchange *x = ctx;
    struct err err;
    bool sse;

    x->head_seen = true;
    note_head(x, head);
    move(x, STREAMING);
    sse = forward_is_sse(record_of(x)->response_content_type);
    if (sse)
        record_of(x)->is_stream = true;
    x->watching = sse && !head->no_body;
    if (x->watching)
        watch_init(&x->watch);
    x->reply_length = sse ? -1 : head->content_length; /* an event may have to be added at the end */
    if (head->no_body && (x->reply_length < 0 || head->status == 204 || head->status == 304))
        x->reply_length = CONN_NO_BODY;
    if (forward_response_headers(&x->reply, arena_of(x), head->headers, &err) < 0)
        log_warning("cannot keep the headers of an answer: %s", err.msg);
    if (may_gather(x, head, sse))
        x->gathering = true;
    else
        start_relay(x);
}

static void keep_bytes(struct exchange *x, struct str bytes)
{
    struct capture *c = x->capture;
    size_t room = c->response_keep > c->response.len ? c->response_keep - c->response.len : 0;
    struct err err;

    if (x->body_lost)
        return;
    if (blob_add(&c->response, str_cut(bytes, room), &err) < 0)
        x->body_lost = true;
}

/* False: not gathered, relay it instead. */
static bool gather(struct exchange *x, struct str bytes)
{
    struct err err;

    if (x->capture->response.len + bytes.len <= GATHER_MAX &&
        blob_add(&x->capture->response, bytes, &err) == 0)
        return true;
    start_relay(x);
    conn_bytes(x->conn, blob_str(&x->capture->response));
    return false;
}

static bool on_bytes(void *ctx, struct str bytes)
{
    struct exchange *x = ctx;
    int64_t now_us = clock_now_us();

    if (!x->gathering && conn_full(x->conn)) {
        x->full_since_us = now_us;
        return false;
    }
    record_of(x)->response_bytes += (int64_t)bytes.len;
    x->chunks++;
    if (!x->gathering || !gather(x, bytes)) {
        conn_bytes(x->conn, bytes);
        keep_bytes(x, bytes);
    }
    if (x->watching)
        watch_feed(&x->watch, bytes, now_us);
    live_progress(x->live, record_of(x)->response_bytes, x->chunks,
                  x->watching ? &x->watch : NULL);
    return true;
}

static void on_pause(void *ctx)
{
    struct exchange *x = ctx;

    if (x->state == STREAMING && !x->gathering && x->conn)
        conn_flush(x->conn);
}

static void complete(struct exchange *x)
{
    note_end(x, TERMINATED_UPSTREAM_EOF, NULL);
    move(x, FLUSHING);
    if (x->gathering) {
        x->reply_length = (int64_t)x->capture->response.len;
        start_relay(x);
        conn_bytes(x->conn, blob_str(&x->capture->response));
    }
    conn_end(x->conn);
}

static void on_done(void *ctx, enum transfer_error error, const char *message)
{
    struct exchange *x = ctx;

    if (!x->conn)
        return;
    if (error == TRANSFER_OK) {
        complete(x);
    } else if (!x->head_seen || x->gathering) {
        x->gathering = false;
        fail(x, transfer_error_status(error), transfer_error_code(error), message);
    } else {
        note_end(x, error == TRANSFER_IDLE_TIMEOUT ? TERMINATED_IDLE : TERMINATED_UPSTREAM_ERROR,
                 message);
        move(x, FLUSHING);
        send_cut(x, message);
    }
}

static void on_released(void *ctx)
{
    struct exchange *x = ctx;

    x->transfer = NULL;
    finish_if_over(x);
}

static const struct transfer_events transfer_events = {
    .head = on_head,
    .bytes = on_bytes,
    .pause = on_pause,
    .done = on_done,
    .released = on_released,
};

static struct str request_bytes(const struct exchange *x)
{
    return x->wire.ptr ? blob_str(&x->wire) : blob_str(&x->capture->request);
}

static bool wants_length(struct str method)
{
    return str_eq(method, STR("POST")) || str_eq(method, STR("PUT")) || str_eq(method, STR("PATCH"));
}

static void start(struct exchange *x)
{
    struct record *r = record_of(x);
    struct err err;

    move(x, WAITING);
    live_set_state(x->live, LIVE_WAITING);
    x->request.method = r->method;
    x->request.headers = &x->forward;
    x->request.body = request_bytes(x);
    x->request.has_body = x->request.body.len > 0 || wants_length(r->method);
    x->request.identity = r->is_stream;
    x->started_us = clock_now_us();
    x->transfer = transfer_start(x->worker->upstreams, &x->request, &transfer_events, x, &err);
    if (!x->transfer)
        fail(x, 502, "connect_failed", err.msg);
}

static void start_or_wait(struct exchange *x)
{
    if (!recorder_pressed(x->worker->app->recorder)) {
        start(x);
        return;
    }
    move(x, ADMITTING);
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

/* URL, headers and the rest of the arrival part. False when memory is gone or the URL is bad. */
static bool prepare(struct exchange *x, struct err *err)
{
    struct record *r = record_of(x);
    struct decision d;
    struct buf url = {0}, masked = {0};
    bool ok = false;

    catalog_decide(x->catalog, r->model, &d);
    r->upstream_model = arena_dup(arena_of(x), d.upstream_model);
    r->model_route = arena_dup(arena_of(x), d.model_route);
    r->provider_slug = arena_dup(arena_of(x), d.provider_slug);
    r->route_decision = str_c(d.route_decision);
    r->route_source = str_c(d.route_source);
    if (forward_url(&url, d.base_url, &x->target, err) < 0 ||
        mask_url(&masked, buf_str(&url), err) < 0 ||
        forward_request_headers(&x->forward, arena_of(x), &x->received, &d, r->endpoint, err) < 0)
        goto out;
    x->request.url = arena_dup(arena_of(x), buf_str(&url));
    r->upstream_url = arena_dup(arena_of(x), buf_str(&masked));
    ok = x->request.url.ptr && r->upstream_url.ptr;
    if (!ok)
        err_set(err, ERR_NO_MEMORY, "no memory for the request");
out:
    buf_clear(&url);
    buf_clear(&masked);
    return ok;
}

static void note_gone(struct exchange *x, const char *error)
{
    struct record *r = record_of(x);

    if (r->response_status == UNKNOWN)
        r->response_status = 499;
    note_end(x, TERMINATED_CLIENT, error);
}

static void gone_before_start(struct exchange *x, const char *error)
{
    note_gone(x, error);
    list_remove(&x->waiting);
    move(x, FLUSHING);
    finish_if_over(x);
}

static void cut(struct exchange *x);

static void on_inspected(struct exchange *x)
{
    struct err err;

    x->inspecting = false;
    if (!x->conn) {
        gone_before_start(x, "client disconnected before the response");
        return;
    }
    if (x->worker->cut) {
        cut(x);
        return;
    }
    if (x->wire.ptr && !x->capture->request.ptr) { /* could not be decoded: keep it as it is */
        x->capture->request = x->wire;
        x->wire = (struct blob){.budget = x->wire.budget};
    }
    record_of(x)->request_bytes = (int64_t)x->capture->request.len;
    record_of(x)->request_body_truncated = x->capture->request.len > x->capture->request_keep;
    if (!prepare(x, &err)) {
        fail(x, 502, "connect_failed", err.msg);
        return;
    }
    live_set_state(x->live, LIVE_CONNECTING);
    live_arrived(x->worker->app->live, x->live, x->capture);
    start_or_wait(x);
}

static void on_work(uv_work_t *work)
{
    struct exchange *x = work->data;

    inspect_request(x->capture, &x->inspect);
}

static void on_work_done(uv_work_t *work, int status)
{
    (void)status;
    on_inspected(work->data);
}

static void note_arrival(struct exchange *x)
{
    struct record *r = record_of(x);
    const struct config *config = x->worker->app->config;
    struct buf text = {0};
    struct err err;

    r->request_content_type = headers_get(&x->received, STR("content-type"));
    if (mask_headers_json(&text, &x->received, config->settings.store_secrets, &err) == 0)
        r->request_headers_json = arena_dup(arena_of(x), buf_str(&text));
    buf_clear(&text);
    if (mask_query(&text, x->target.query, &err) == 0)
        r->query_string = arena_dup(arena_of(x), buf_str(&text));
    buf_clear(&text);
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

    take_body(x, r);
    record->request_bytes = (int64_t)request_bytes(x).len;
    live_received(x->live, record->request_bytes);
    note_arrival(x);
    move(x, INSPECTING);
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
    inspect_request(x->capture, &x->inspect);
    on_inspected(x);
}

/* From conn: the body was refused; the connection sends the same error body. */
static void on_refused(void *ctx, struct request *r, const struct refusal *refusal)
{
    struct exchange *x = ctx;
    struct conn *conn = x->conn;

    record_of(x)->request_bytes = r->body_seen;
    note_arrival(x);
    x->conn = NULL;
    reject(x, refusal);
    x->conn = conn;
}

static void on_gone(void *ctx, const char *how)
{
    struct exchange *x = ctx;

    x->conn = NULL;
    switch (x->state) {
    case READING:
        note_arrival(x);
        gone_before_start(x, "client disconnected before the request was complete");
        return;
    case INSPECTING: /* another thread may be at the capture: on_inspected() goes on */
        return;
    case ADMITTING:
        gone_before_start(x, "client disconnected before the response");
        return;
    case WAITING:
        note_gone(x, "client disconnected before the response");
        move(x, CANCELLING);
        transfer_cancel(x->transfer);
        break;
    case STREAMING:
        note_gone(x, how);
        move(x, CANCELLING);
        transfer_cancel(x->transfer);
        break;
    case FLUSHING:
        if (!record_of(x)->error.ptr) {
            record_of(x)->error = keep(x, how);
            record_of(x)->terminated_by = STR(TERMINATED_CLIENT);
        }
        break;
    case CANCELLING:
    case CLOSED:
        break;
    }
    finish_if_over(x);
}

static void on_drained(void *ctx)
{
    struct exchange *x = ctx;
    int64_t lag_us = x->full_since_us ? clock_now_us() - x->full_since_us : 0;

    if (lag_us > x->lag_max_us)
        x->lag_max_us = lag_us;
    x->full_since_us = 0;
    if (x->state == STREAMING)
        transfer_resume(x->transfer);
}

static void on_sent(void *ctx)
{
    struct exchange *x = ctx;

    x->conn = NULL;
    finish_if_over(x);
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
    x->state = READING;
    x->arrived_us = clock_now_us();
    x->catalog = app_catalog(w->app);
    x->wire.budget = &w->app->request_budget;
    x->capture->request.budget = &w->app->request_budget;
    x->capture->request_keep = (size_t)w->app->config->settings.capture_max_request_bytes;
    x->capture->response_keep = (size_t)w->app->config->settings.capture_max_response_bytes;
    x->capture->arena = r->arena; /* conn's own texts stay valid until sent() or gone() */
    r->arena = (struct arena){0};
    x->received = r->headers;
    list_add_tail(&w->exchanges, &x->node);
    return x;
}

/* The run that is active now, or the one that the client names. */
static int64_t run_of(struct exchange *x, const struct request *r)
{
    struct app *app = x->worker->app;
    struct str name = headers_get(&r->headers, STR("x-llm-observe-run"));

    if (!name.ptr)
        return open_runs_active(app->runs);
    return open_runs_named(app->runs, name, x->capture->record.created_us, app->recorder);
}

static void note_head_of_request(struct exchange *x, const struct request *r)
{
    struct record *record = record_of(x);
    struct buf endpoint = {0};
    struct err err;

    x->target.rest = str_from(r->path, sizeof("/v1/") - 1);
    x->target.query = r->query;
    record->id = atomic_fetch_add(&x->worker->app->next_id, 1);
    record->created_us = clock_wall_us();
    record->method = r->method;
    if (forward_endpoint(&endpoint, x->target.rest, &err) == 0)
        record->endpoint = arena_dup(arena_of(x), buf_str(&endpoint));
    buf_clear(&endpoint);
    record->client = arena_dup(arena_of(x), conn_client(x->conn));
    record->upstream_url = STR("");
    record->task_run_id = run_of(x, r);
    record->route_decision = STR("passthrough");
    record->route_source = STR("none");
}

void exchange_open(struct worker *w, struct conn *conn, struct request *r)
{
    struct exchange *x = exchange_new(w, conn, r);
    struct refusal refusal = {0};

    if (!x) {
        refuse(&refusal, 503, "overloaded", "No memory for the request.");
        conn_refuse(conn, &refusal, true);
        return;
    }
    note_head_of_request(x, r);
    conn_respond_with(conn, &responder, x, w->app->config->settings.max_request_body_bytes);
    if (!forward_path_ok(r->path)) {
        refuse(&refusal, 400, "invalid_path", "Invalid request path.");
        note_arrival(x);
        reject(x, &refusal);
        return;
    }
    x->live = live_begin(w->app->live, record_of(x)->id, record_of(x)->created_us, r->method,
                         record_of(x)->endpoint, record_of(x)->client);
}

void exchange_sweep(struct worker *w, int64_t now_us)
{
    LIST_EACH(node, &w->exchanges) {
        struct exchange *x = LIST_ENTRY(node, struct exchange, node);

        if (x->announced || now_us - x->arrived_us < ANNOUNCE_US ||
            (x->state != WAITING && x->state != STREAMING))
            continue;
        x->announced = true;
        recorder_begin(w->app->recorder, x->capture);
    }
}

static void cut(struct exchange *x)
{
    bool nothing_sent = !x->head_seen || x->gathering;

    switch (x->state) {
    case INSPECTING:
        if (x->inspecting) /* on_inspected() comes back here */
            break;
        /* fall through */
    case READING:
    case ADMITTING:
        list_remove(&x->waiting);
        record_of(x)->response_status = 503;
        note_end(x, TERMINATED_SHUTDOWN, "proxy stopped");
        move(x, FLUSHING);
        answer_error(x, 503, "shutting_down", "The proxy is stopping.");
        break;
    case WAITING:
    case STREAMING:
        note_end(x, TERMINATED_SHUTDOWN, "proxy stopped");
        move(x, CANCELLING);
        transfer_cancel(x->transfer);
        if (nothing_sent)
            answer_error(x, 503, "shutting_down", "The proxy is stopping.");
        else
            send_cut(x, "proxy stopped");
        break;
    case FLUSHING:
    case CANCELLING:
    case CLOSED:
        break;
    }
}

void exchange_cut_all(struct worker *w)
{
    LIST_EACH_SAFE(node, &w->exchanges)
        cut(LIST_ENTRY(node, struct exchange, node));
}
