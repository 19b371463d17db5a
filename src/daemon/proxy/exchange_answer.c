#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/proxy/exchange_priv.h"
#include "json/json.h"

#define GATHER_MAX ((size_t)1024 * 1024)

/* The answer of our own for a request that could not be served; the body is captured too. The
 * connection may be done with x afterwards. */
static void answer_own(struct exchange *x, int status, const struct headers *extra, struct str body)
{
    struct record *r = record_of(x);
    struct err err;

    blob_clear(&x->capture->response);
    if (blob_add(&x->capture->response, body, &err) < 0)
        x->body_lost = true;
    r->response_status = status;
    r->response_bytes = (int64_t)body.len;
    r->response_content_type = STR("application/json");
    r->compat_fixes_json = STR_NONE;
    if (x->conn)
        conn_answer(x->conn, status, STR("application/json"), extra, body);
}

void exchange_answer_error(struct exchange *x, int status, const char *code, const char *message)
{
    struct headers extra = {0};
    struct buf body = {0};

    error_body(&body, record_of(x)->endpoint, refusal_type(status), code, str_c(message));
    record_of(x)->response_headers_json = STR("{\"content-type\":\"application/json\"}");
    exchange_add_headers(x, &extra);
    answer_own(x, status, &extra, buf_str(&body));
    buf_clear(&body);
}

void exchange_reject(struct exchange *x, const struct refusal *refusal)
{
    record_of(x)->response_status = refusal->status;
    exchange_note_end(x, TERMINATED_REFUSED, refusal->message);
    exchange_move(x, EX_FLUSHING);
    exchange_answer_error(x, refusal->status, refusal->code, refusal->message);
}

/* The body of OpenAI's errors, which Anthropic's clients can read too; name is type and code. */
static void named_error_body(struct buf *out, struct str endpoint, const char *name,
                             const char *message)
{
    buf_put(out, STR("{"));
    if (str_starts(endpoint, STR("/v1/messages")))
        buf_put(out, STR("\"type\":\"error\","));
    buf_put(out, STR("\"error\":{\"message\":"));
    json_quote(out, str_c(message));
    buf_printf(out, ",\"type\":\"%s\",\"code\":\"%s\",\"param\":null}}", name, name);
}

void exchange_reject_spending(struct exchange *x, int status, const char *message)
{
    struct headers extra = {0};
    struct buf body = {0};
    struct err err;

    record_of(x)->response_status = status;
    exchange_note_end(x, TERMINATED_REFUSED, message);
    exchange_move(x, EX_FLUSHING);
    named_error_body(&body, record_of(x)->endpoint, "budget_exceeded", message);
    headers_add(&extra, arena_of(x), STR("X-LLM-Observe-Budget"), STR("exceeded"), &err);
    record_of(x)->response_headers_json =
        STR("{\"content-type\":\"application/json\",\"x-llm-observe-budget\":\"exceeded\"}");
    answer_own(x, status, &extra, buf_str(&body));
    buf_clear(&body);
}

void exchange_answer_cancelled(struct exchange *x)
{
    struct headers extra = {0};
    struct buf body = {0};
    struct err err;

    named_error_body(&body, record_of(x)->endpoint, EXCHANGE_CANCELLED, EXCHANGE_CANCELLED_TEXT);
    headers_add(&extra, arena_of(x), STR("X-Should-Retry"), STR("false"), &err);
    record_of(x)->response_headers_json =
        STR("{\"content-type\":\"application/json\",\"x-should-retry\":\"false\"}");
    exchange_add_headers(x, &extra);
    answer_own(x, 499, &extra, buf_str(&body));
    buf_clear(&body);
}

void exchange_fail(struct exchange *x, int status, const char *code, const char *message)
{
    bool timeout = strcmp(code, "idle_timeout") == 0;

    record_of(x)->response_status = status;
    exchange_note_end(x, timeout ? TERMINATED_IDLE : TERMINATED_UPSTREAM_ERROR, message);
    record_of(x)->upstream_headers_ms = UNKNOWN; /* the client saw none of that head */
    exchange_move(x, EX_FLUSHING);
    exchange_answer_error(x, status, code, message);
}

/* What a stream that breaks off ends with. */
static void cut_event(struct buf *out, struct str endpoint, const char *type, const char *message)
{
    bool anthropic = str_starts(endpoint, STR("/v1/messages"));

    if (!type)
        type = anthropic ? "api_error" : "upstream_error";
    buf_put(out, anthropic ? STR("event: error\ndata: {\"type\":\"error\",") : STR("data: {"));
    if (anthropic)
        buf_printf(out, "\"error\":{\"type\":\"%s\",\"message\":", type);
    else
        buf_put(out, STR("\"error\":{\"message\":"));
    json_quote(out, str_c(message));
    if (anthropic)
        buf_put(out, STR("}}\n\n"));
    else
        buf_printf(out, ",\"type\":\"%s\"}}\n\n", type);
}

void exchange_send_cut(struct exchange *x, const char *type, const char *message)
{
    struct buf event = {0};
    struct err err;

    if (x->watching && x->watch.sse.at_boundary) {
        cut_event(&event, record_of(x)->endpoint, type, message);
        conn_bytes(x->conn, buf_str(&event));
        if (blob_add(&x->capture->response, buf_str(&event), &err) < 0)
            x->body_lost = true;
        record_of(x)->response_bytes += (int64_t)event.len;
    }
    buf_clear(&event);
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

    if (head->no_body || sse || is_binary(r->response_content_type) || x->fix_mode == FIX_STREAM)
        return false;
    if (x->fix_mode == FIX_PLAIN)
        return true;
    if (head->content_length < 0)
        return !r->is_stream;
    return (size_t)head->content_length <= GATHER_MAX;
}

static void take_head(struct exchange *x, const struct transfer_head *head)
{
    struct err err;
    bool sse;

    x->head_seen = true;
    exchange_note_answer(x, head);
    exchange_move(x, EX_STREAMING);
    sse = forward_is_sse(record_of(x)->response_content_type);
    if (sse)
        record_of(x)->is_stream = true;
    x->watching = sse && !head->no_body;
    if (x->watching)
        watch_init(&x->watch);
    x->reply_length =
        sse ? -1 : head->content_length; /* an event may have to be added at the end */
    if (head->no_body && (x->reply_length < 0 || head->status == 204 || head->status == 304))
        x->reply_length = CONN_NO_BODY;
    if (forward_response_headers(&x->reply, arena_of(x), head->headers, &err) < 0)
        log_warning("cannot keep the headers of an answer: %s", err.msg);
    exchange_add_headers(x, &x->reply);
    exchange_fix_begin(x, head);
    if (may_gather(x, head, sse))
        x->gathering = true;
    else
        start_relay(x);
}

static void on_head(void *ctx, const struct transfer_head *head)
{
    struct exchange *x = ctx;

    if (!exchange_passes_head(x, head))
        take_head(x, head);
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
    if (x->fix_mode == FIX_PLAIN)
        exchange_fix_give_up(x);
    start_relay(x);
    conn_bytes(x->conn, blob_str(&x->capture->response));
    return false;
}

/* What the client gets; it is captured too. */
static void relay(struct exchange *x, struct str bytes, int64_t now_us)
{
    record_of(x)->response_bytes += (int64_t)bytes.len;
    if (!x->gathering || !gather(x, bytes)) {
        conn_bytes(x->conn, bytes);
        keep_bytes(x, bytes);
    }
    if (x->watching)
        watch_feed(&x->watch, bytes, now_us);
}

/* Without memory for a fix bytes are missing: that must look broken. */
static void give_up(struct exchange *x)
{
    exchange_note_end(x, TERMINATED_UPSTREAM_ERROR, "no memory for compatibility fixes");
    exchange_move(x, EX_CANCELLING);
    if (x->transfer)
        transfer_cancel(x->transfer);
    conn_cut(x->conn);
}

static bool relay_fixed(struct exchange *x, struct str bytes, int64_t now_us)
{
    struct buf out = {0};
    bool ok = exchange_fix_bytes(x, bytes, &out);

    if (out.len > 0)
        relay(x, buf_str(&out), now_us);
    buf_clear(&out);
    return ok;
}

void exchange_let_go(struct exchange *x)
{
    struct buf out = {0};

    if (x->state != EX_STREAMING || x->fix_mode != FIX_STREAM)
        return;
    if (exchange_fix_finish(x, true, &out) && out.len > 0)
        relay(x, buf_str(&out), clock_now_us());
    buf_clear(&out);
}

static bool take_bytes(struct exchange *x, struct str bytes)
{
    int64_t now_us = clock_now_us();

    if (!x->gathering && conn_full(x->conn)) {
        x->full_since_us = now_us;
        return false;
    }
    x->chunks++;
    if (x->fix_mode != FIX_STREAM) {
        relay(x, bytes, now_us);
    } else if (!relay_fixed(x, bytes, now_us)) {
        give_up(x);
        return true;
    }
    live_progress(x->live, record_of(x)->response_bytes, x->chunks, x->watching ? &x->watch : NULL);
    return true;
}

static bool on_bytes(void *ctx, struct str bytes)
{
    struct exchange *x = ctx;

    return exchange_passes_bytes(x, bytes) || take_bytes(x, bytes);
}

static void on_pause(void *ctx)
{
    struct exchange *x = ctx;

    if (x->state == EX_STREAMING && !x->gathering && x->conn)
        conn_flush(x->conn);
}

static bool finish_fixes(struct exchange *x)
{
    struct buf out = {0};
    bool ok = true;

    if (x->fix_mode == FIX_STREAM) {
        ok = exchange_fix_finish(x, false, &out);
        if (out.len > 0)
            relay(x, buf_str(&out), clock_now_us());
        buf_clear(&out);
    } else if (x->fix_mode == FIX_PLAIN && x->gathering) {
        exchange_fix_gathered(x);
    }
    return ok;
}

static void complete(struct exchange *x)
{
    if (!finish_fixes(x)) {
        give_up(x);
        return;
    }
    exchange_note_end(x, TERMINATED_UPSTREAM_EOF, NULL);
    exchange_move(x, EX_FLUSHING);
    if (x->gathering) {
        x->reply_length = (int64_t)x->capture->response.len;
        start_relay(x);
        conn_bytes(x->conn, blob_str(&x->capture->response));
    }
    conn_end(x->conn);
}

void exchange_relay(struct exchange *x, const struct transfer_head *head, struct str body)
{
    take_head(x, head);
    if (body.len > 0)
        take_bytes(x, body);
    if (x->state == EX_STREAMING)
        complete(x);
}

static void on_done(void *ctx, enum transfer_error error, const char *message)
{
    struct exchange *x = ctx;

    if (!x->conn || exchange_passes_done(x, error, message))
        return;
    exchange_attempt_done(x, error == TRANSFER_OK);
    if (error == TRANSFER_OK) {
        complete(x);
    } else if (!x->head_seen || x->gathering) {
        x->gathering = false;
        exchange_fail(x, transfer_error_status(error), transfer_error_code(error), message);
    } else {
        exchange_let_go(x);
        exchange_note_end(
            x, error == TRANSFER_IDLE_TIMEOUT ? TERMINATED_IDLE : TERMINATED_UPSTREAM_ERROR,
            message);
        exchange_move(x, EX_FLUSHING);
        exchange_send_cut(x, NULL, message);
    }
}

static void on_released(void *ctx)
{
    struct exchange *x = ctx;

    x->transfer = NULL;
    if (!exchange_released(x))
        exchange_finish_if_over(x);
}

const struct transfer_events exchange_transfer_events = {
    .head = on_head,
    .bytes = on_bytes,
    .pause = on_pause,
    .done = on_done,
    .released = on_released,
};
