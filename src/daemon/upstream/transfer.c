#include "daemon/upstream/transfer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/upstream/transfer_priv.h"

static const struct {
    const char *code;
    int status;
} errors[] = {
    [TRANSFER_OK] = {"", 200},
    [TRANSFER_CONNECT_FAILED] = {"connect_failed", 502},
    [TRANSFER_TLS_FAILED] = {"tls_failed", 502},
    [TRANSFER_BAD_RESPONSE] = {"bad_response", 502},
    [TRANSFER_CONNECTION_LOST] = {"connection_lost", 502},
    [TRANSFER_DECODE_FAILED] = {"decode_failed", 502},
    [TRANSFER_CONNECT_TIMEOUT] = {"connect_timeout", 504},
    [TRANSFER_FIRST_BYTE_TIMEOUT] = {"first_byte_timeout", 504},
    [TRANSFER_IDLE_TIMEOUT] = {"idle_timeout", 504},
    [TRANSFER_REFUSED] = {"connect_failed", 502},
};

const char *transfer_error_code(enum transfer_error e)
{
    return errors[e].code;
}

int transfer_error_status(enum transfer_error e)
{
    return errors[e].status;
}

static int64_t phase_timeout_ms(const struct transfer *t)
{
    switch (t->phase) {
    case PHASE_CONNECT:
        return t->upstreams->limits.connect_timeout_ms;
    case PHASE_FIRST_BYTE:
        return t->upstreams->limits.first_byte_timeout_ms;
    case PHASE_BODY:
        return t->upstreams->limits.idle_timeout_ms;
    }
    return 0;
}

static void restart_deadline(struct transfer *t)
{
    int64_t timeout = phase_timeout_ms(t);
    int64_t deadline = timeout > 0 ? (int64_t)uv_now(t->upstreams->loop) + timeout : 0;

    if (t->head_by_ms && t->phase != PHASE_BODY && (!deadline || t->head_by_ms < deadline))
        deadline = t->head_by_ms;
    transfer_deadline(t, deadline);
}

void transfer_phase(struct transfer *t, enum transfer_phase phase)
{
    t->phase = phase;
    if (phase == PHASE_FIRST_BYTE && t->connected_us < 0)
        t->connected_us = clock_now_us();
    restart_deadline(t);
}

void transfer_touch(struct transfer *t)
{
    t->reads++;
    restart_deadline(t);
}

static void free_transfer(struct transfer *t)
{
    decode_free(t->decode);
    arena_clear(&t->arena);
    free(t);
}

static void release(struct transfer *t)
{
    struct upstreams *u = t->upstreams;

    t->engine->release(t);
    t->events->released(t->ctx);
    list_remove(&t->running);
    free_transfer(t);
    upstreams_left(u);
}

void transfer_turn(struct transfer *t)
{
    bool last = t->release_pending; /* what is asked for below belongs to another turn */

    if (t->done_pending) {
        t->done_pending = false;
        if (!t->cancelled)
            t->events->done(t->ctx, t->error, t->message);
    }
    if (t->resume_pending) {
        t->resume_pending = false;
        if (!t->stopped)
            t->engine->resume(t);
    }
    if (last)
        release(t);
}

static void say_done(struct transfer *t)
{
    t->deadline_ms = 0;
    if (t->starting) {
        t->done_pending = true;
        upstreams_later(t);
    } else if (!t->cancelled) {
        t->events->done(t->ctx, t->error, t->message);
    }
}

/* Text of an upstream may be part of it. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void set_error(struct transfer *t, enum transfer_error error, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));
static void set_error(struct transfer *t, enum transfer_error error, const char *fmt, va_list args)
{
    bool v6 = str_chr(t->url.host, ':') >= 0;
    char what[200];

    vsnprintf(what, sizeof(what), fmt, args);
    snprintf(t->message, sizeof(t->message), "upstream %s%.*s%s:%u: %s", v6 ? "[" : "",
             STR_ARG(str_cut(t->url.host, 80)), v6 ? "]" : "", (unsigned)t->url.port, what);
    clean(t->message);
    t->error = error;
}

void transfer_fail(struct transfer *t, enum transfer_error error, const char *fmt, ...)
{
    va_list args;

    if (t->stopped)
        return;
    va_start(args, fmt);
    set_error(t, error, fmt, args);
    va_end(args);
    t->stopped = true;
    t->engine->stop(t);
    say_done(t);
}

void transfer_released(struct transfer *t)
{
    t->stopped = true;
    t->release_pending = true;
    upstreams_later(t);
}

bool transfer_head_is_late(const struct transfer *t, int64_t now_ms)
{
    return t->head_by_ms && t->phase != PHASE_BODY && t->head_by_ms <= now_ms;
}

void transfer_fail_late(struct transfer *t)
{
    const struct upstream_limits *limits = &t->upstreams->limits;

    if (transfer_head_is_late(t, (int64_t)uv_now(t->upstreams->loop))) {
        transfer_fail(t, TRANSFER_FIRST_BYTE_TIMEOUT, "no response within %lld ms",
                      (long long)t->request.head_timeout_ms);
        return;
    }

    switch (t->phase) {
    case PHASE_CONNECT:
        transfer_fail(t, TRANSFER_CONNECT_TIMEOUT, "no connection within %lld ms",
                      (long long)limits->connect_timeout_ms);
        break;
    case PHASE_FIRST_BYTE:
        transfer_fail(t, TRANSFER_FIRST_BYTE_TIMEOUT, "no response within %lld ms",
                      (long long)limits->first_byte_timeout_ms);
        break;
    case PHASE_BODY:
        transfer_fail(t, TRANSFER_IDLE_TIMEOUT, "no data for %lld ms",
                      (long long)limits->idle_timeout_ms);
        break;
    }
}

static void set_error_text(struct transfer *t, enum transfer_error error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void set_error_text(struct transfer *t, enum transfer_error error, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_error(t, error, fmt, args);
    va_end(args);
}

void transfer_complete(struct transfer *t)
{
    if (t->stopped)
        return;
    if (t->decode && !decode_at_end(t->decode))
        set_error_text(t, TRANSFER_DECODE_FAILED, "the content coding is cut off");
    transfer_released(t);
    say_done(t);
}

bool transfer_has_no_body(const struct transfer *t, int status)
{
    return status == 204 || status == 304 || str_eq(t->request.method, STR("HEAD"));
}

/* One list, whatever the number of fields. */
static int content_coding(struct transfer *t, const struct headers *headers, struct str *out,
                          struct err *err)
{
    struct str list = STR_NONE;

    for (size_t i = 0; i < headers->count; i++) {
        const struct header *field = &headers->items[i];

        if (field->name.len != 16 || !str_ieq(field->name, STR("Content-Encoding")))
            continue;
        if (list.ptr && list.len + field->value.len > 256)
            return err_set(err, ERR_INVALID, "too many content codings");
        list = list.ptr ? arena_printf(&t->arena, "%.*s,%.*s", STR_ARG(list), STR_ARG(field->value))
                        : field->value;
        if (!list.ptr)
            return err_set(err, ERR_NO_MEMORY, "no memory");
    }
    *out = list;
    return 0;
}

bool transfer_on_head(struct transfer *t, int status, const struct headers *headers,
                      int64_t content_length)
{
    struct transfer_head head = {.status = status, .headers = headers};
    struct str coding = STR_NONE;
    struct err err;

    head.no_body = transfer_has_no_body(t, status);
    if (content_coding(t, headers, &coding, &err) < 0 ||
        (coding.len && !head.no_body && decode_new(coding, &t->decode, &err) < 0)) {
        transfer_fail(t, TRANSFER_DECODE_FAILED, "%s", err.msg);
        return false;
    }
    head.content_length = t->decode ? -1 : content_length;
    t->head_us = clock_now_us();
    transfer_phase(t, PHASE_BODY);
    t->events->head(t->ctx, &head);
    return !t->stopped;
}

static enum transfer_took give(struct transfer *t, struct str bytes)
{
    bool took = t->events->bytes(t->ctx, bytes);

    if (t->stopped)
        return TOOK_STOPPED;
    if (took)
        return TOOK_ALL;
    t->blocked = true;
    t->deadline_ms = 0; /* now it is the client who is slow */
    return TOOK_NOTHING;
}

/* A few bytes can decode to very many: after its share of a turn a transfer waits for the next one,
 * so that the others are served meanwhile. */
static enum transfer_took wait_to_decode(struct transfer *t)
{
    t->resume_pending = true;
    restart_deadline(t);
    upstreams_queue(t);
    return TOOK_NOTHING;
}

/* The next piece into t->decoded, which stays empty when more input is needed. */
static enum transfer_took decode_piece(struct transfer *t, struct str *in)
{
    struct upstreams *u = t->upstreams;
    struct err err;
    int rc = 1;

    while (rc > 0) {
        if (upstreams_decode_left(u) == 0)
            return wait_to_decode(t);
        rc = decode_step(t->decode, in, &t->decoded, &err);
        if (rc < 0) {
            transfer_fail(t, TRANSFER_DECODE_FAILED, "%s", err.msg);
            return TOOK_STOPPED;
        }
        upstreams_decoded(u, rc > 0 ? SIZE_MAX : t->decoded.len);
    }
    return TOOK_ALL;
}

/* What went into the decoder cannot be taken back, so its output waits and t->fed counts how much
 * of the bytes to skip when they are offered again. */
static enum transfer_took give_decoded(struct transfer *t, struct str bytes)
{
    size_t skip = t->fed < bytes.len ? t->fed : bytes.len;
    struct str in = str_from(bytes, skip);
    enum transfer_took took = TOOK_ALL;

    for (;;) {
        if (t->decoded.len == 0)
            took = decode_piece(t, &in);
        if (took == TOOK_ALL && t->decoded.len == 0)
            break;
        if (took == TOOK_ALL)
            took = give(t, t->decoded);
        if (took == TOOK_NOTHING)
            t->fed += bytes.len - skip - in.len;
        if (took != TOOK_ALL)
            return took;
        t->decoded.len = 0;
    }
    t->fed -= skip;
    return TOOK_ALL;
}

enum transfer_took transfer_on_bytes(struct transfer *t, struct str bytes)
{
    if (t->first_byte_us < 0)
        t->first_byte_us = clock_now_us();
    return t->decode ? give_decoded(t, bytes) : give(t, bytes);
}

void transfer_on_pause(struct transfer *t)
{
    t->events->pause(t->ctx);
}

struct str transfer_accept_encoding(const struct transfer *t)
{
    return t->request.identity ? STR("identity") : STR("gzip, deflate, zstd");
}

bool transfer_field_passes(struct str name)
{
    switch (name.len) {
    case 4:
        return !str_ieq(name, STR("Host"));
    case 6:
        return !str_ieq(name, STR("Expect"));
    case 10:
        return !str_ieq(name, STR("Connection"));
    case 14:
        return !str_ieq(name, STR("Content-Length"));
    case 15:
        return !str_ieq(name, STR("Accept-Encoding"));
    case 17:
        return !str_ieq(name, STR("Transfer-Encoding"));
    default:
        return true;
    }
}

/* The last look at what goes upstream: nothing in it may end a line or look like another request.
 */
static int check_request(const struct transfer_request *r, struct err *err)
{
    if (!response_field_ok(r->method, STR("")) || str_eq(r->method, STR("CONNECT")))
        return err_set(err, ERR_INVALID, "the method is invalid");
    for (size_t i = 0; i < r->headers->count; i++)
        if (!response_field_ok(r->headers->items[i].name, r->headers->items[i].value))
            return err_set(err, ERR_INVALID, "a request header has an invalid name or value");
    return 0;
}

static struct transfer *new_transfer(struct upstreams *u, const struct transfer_request *request,
                                     const struct transfer_events *events, void *ctx)
{
    struct transfer *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->upstreams = u;
    t->request = *request;
    if (!t->request.has_body)
        t->request.body = (struct str){"", 0};
    t->events = events;
    t->ctx = ctx;
    t->started_us = clock_now_us();
    if (request->head_timeout_ms > 0)
        t->head_by_ms = (int64_t)uv_now(u->loop) + request->head_timeout_ms;
    t->connected_us = t->head_us = t->first_byte_us = -1;
    return t;
}

struct transfer *transfer_start(struct upstreams *u, const struct transfer_request *request,
                                const struct transfer_events *events, void *ctx, struct err *err)
{
    struct transfer *t = NULL;
    struct url_parts url;

    if (u->closing) {
        err_set(err, ERR_BUSY, "the proxy is stopping");
        return NULL;
    }
    if (url_split(request->url, &url, err) < 0 || check_request(request, err) < 0)
        return NULL;
    t = new_transfer(u, request, events, ctx);
    if (!t) {
        err_set(err, ERR_NO_MEMORY, "no memory for a transfer");
        return NULL;
    }
    t->url = url;
    t->engine = url.tls || u->http_proxy ? &transfer_engine_curl : &transfer_engine_h1;
    u->transfers++;
    list_add_tail(&u->running, &t->running);
    t->starting = true;
    if (t->engine->start(t, err) < 0) {
        u->transfers--;
        list_remove(&t->running);
        free_transfer(t);
        return NULL;
    }
    t->starting = false;
    return t;
}

void transfer_cancel(struct transfer *t)
{
    t->cancelled = true;
    if (t->stopped)
        return;
    t->stopped = true;
    t->deadline_ms = 0;
    t->engine->stop(t);
}

void transfer_resume(struct transfer *t)
{
    if (!t->blocked || t->stopped)
        return;
    t->blocked = false;
    t->resume_pending = true;
    restart_deadline(t);
    upstreams_later(t);
}

static int64_t since(const struct transfer *t, int64_t us)
{
    return us < 0 ? -1 : us - t->started_us;
}

void transfer_times(const struct transfer *t, struct transfer_times *out)
{
    *out = (struct transfer_times){since(t, t->connected_us), since(t, t->head_us),
                                   since(t, t->first_byte_us), t->reads};
}
