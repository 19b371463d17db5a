/* Transfers against a small scripted server on loopback, each test with both engines. libcurl gets
 * http:// too when the environment names a proxy, and no_proxy=* makes it connect directly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "daemon/upstream/transfer.h"
#include "scripted_server.h"

#define MIB ((size_t)1024 * 1024)
#define WATCHDOG_MS 30000

struct world {
    bool curl;
    uv_loop_t loop;
    uv_timer_t watchdog;
    struct upstreams *upstreams;
    struct upstream_limits limits;
    bool closed;
    struct server server;
    struct buf answers[3]; /* bytes for the server, freed after it has stopped */
};

enum moment { NEVER, AT_HEAD, AT_BYTES, AT_PAUSE, AT_DONE };

struct call {
    struct world *world;
    struct transfer *transfer;
    char url[200];
    struct arena arena;
    struct headers headers;
    struct transfer_request request;
    /* what it does */
    enum moment cancel;
    size_t refuse_every; /* refuse once each time so many bytes have come */
    bool refuse_all;
    bool resume_itself; /* from the loop */
    struct call *then;  /* started when this one is done */
    /* what came */
    bool started;
    int heads, pauses, dones, releases, refusals;
    int status;
    int64_t content_length;
    bool no_body;
    struct buf fields, body;
    size_t got, next_refusal;
    bool wrong_pattern, keep_pattern;
    bool unflushed; /* refused, and not told yet to flush */
    enum transfer_error error;
    char message[300];
    struct transfer_times times;
    uv_timer_t resume;
    bool resume_open;
};

static void call_start(struct call *c);

static void cancel_at(struct call *c, enum moment now)
{
    if (c->cancel == now)
        transfer_cancel(c->transfer);
}

static void on_head(void *ctx, const struct transfer_head *head)
{
    struct call *c = ctx;

    assert_true(c->started);
    assert_int_equal(c->heads++, 0);
    assert_int_equal(c->dones, 0);
    c->status = head->status;
    c->content_length = head->content_length;
    c->no_body = head->no_body;
    for (size_t i = 0; i < head->headers->count; i++)
        buf_printf(&c->fields, "%.*s=%.*s\n", STR_ARG(head->headers->items[i].name),
                   STR_ARG(head->headers->items[i].value));
    cancel_at(c, AT_HEAD);
}

static void on_resume(uv_timer_t *timer)
{
    struct call *c = timer->data;

    transfer_resume(c->transfer);
}

static void refuse(struct call *c)
{
    c->refusals++;
    assert_false(c->unflushed); /* who does not flush never has room again */
    c->unflushed = true;
    if (!c->resume_itself)
        return;
    if (!c->resume_open) {
        uv_timer_init(&c->world->loop, &c->resume);
        c->resume.data = c;
        c->resume_open = true;
    }
    uv_timer_start(&c->resume, on_resume, 0, 0);
}

static bool on_bytes(void *ctx, struct str bytes)
{
    struct call *c = ctx;

    assert_int_equal(c->heads, 1);
    assert_int_equal(c->dones, 0);
    assert_true(bytes.len <= 64 * 1024);
    if (c->refuse_all || (c->refuse_every && c->got >= c->next_refusal)) {
        c->next_refusal = c->got + c->refuse_every;
        refuse(c);
        cancel_at(c, AT_BYTES);
        return false;
    }
    for (size_t i = 0; c->keep_pattern && i < bytes.len; i++)
        c->wrong_pattern |= (unsigned char)bytes.ptr[i] != pattern_at(c->got + i);
    if (!c->keep_pattern)
        buf_put(&c->body, bytes);
    c->got += bytes.len;
    cancel_at(c, AT_BYTES);
    return true;
}

static void on_pause(void *ctx)
{
    struct call *c = ctx;

    assert_int_equal(c->dones, 0);
    c->pauses++;
    c->unflushed = false;
    cancel_at(c, AT_PAUSE);
}

static void on_done(void *ctx, enum transfer_error error, const char *message)
{
    struct call *c = ctx;

    assert_true(c->started);
    assert_int_equal(c->dones++, 0);
    c->error = error;
    snprintf(c->message, sizeof(c->message), "%s", message);
    transfer_times(c->transfer, &c->times);
    cancel_at(c, AT_DONE);
    if (c->then)
        call_start(c->then);
}

static void on_released(void *ctx)
{
    struct call *c = ctx;

    assert_true(c->started);
    assert_int_equal(c->releases++, 0);
    c->transfer = NULL;
    if (c->resume_open)
        uv_close((uv_handle_t *)&c->resume, NULL);
}

static const struct transfer_events events = {on_head, on_bytes, on_pause, on_done, on_released};

static void call_init(struct call *c, struct world *w, const char *method, const char *path)
{
    *c = (struct call){.world = w};
    snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%u%s", (unsigned)w->server.port, path);
    c->request = (struct transfer_request){
        .method = str_c(method), .url = str_c(c->url), .headers = &c->headers};
}

static void call_header(struct call *c, const char *name, const char *value)
{
    struct err err;

    assert_int_equal(headers_add(&c->headers, &c->arena, str_c(name), str_c(value), &err), 0);
}

static void call_start(struct call *c)
{
    struct err err = {0};

    c->request.url = str_c(c->url);
    c->request.headers = &c->headers;
    c->transfer = transfer_start(c->world->upstreams, &c->request, &events, c, &err);
    if (!c->transfer)
        fail_msg("transfer_start: %s", err.msg);
    c->started = true;
}

static void call_wait(struct call *c)
{
    while (c->releases == 0)
        uv_run(&c->world->loop, UV_RUN_ONCE);
    assert_int_equal(c->dones, c->cancel == NEVER || c->cancel == AT_DONE);
}

static void call_run(struct call *c)
{
    call_start(c);
    call_wait(c);
}

static void call_clear(struct call *c)
{
    buf_clear(&c->fields);
    buf_clear(&c->body);
    arena_clear(&c->arena);
}

static void assert_ok(const struct call *c, int status, const char *body)
{
    if (c->error != TRANSFER_OK)
        fail_msg("%s: %s", transfer_error_code(c->error), c->message);
    assert_int_equal(c->status, status);
    assert_string_equal(buf_str(&c->body).ptr, body);
}

static void assert_failed(const struct call *c, enum transfer_error error)
{
    char place[32];

    if (c->error != error)
        fail_msg("expected %s, got %s: %s", transfer_error_code(error),
                 transfer_error_code(c->error), c->message);
    snprintf(place, sizeof(place), "127.0.0.1:%u", (unsigned)c->world->server.port);
    assert_non_null(strstr(c->message, place));
}

/* Let the loop run until a counter of the server has a value. */
static void wait_count(struct world *w, _Atomic int *count, int value)
{
    while (atomic_load(count) < value) {
        uv_run(&w->loop, UV_RUN_NOWAIT);
        usleep(500);
    }
    assert_int_equal(atomic_load(count), value);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    fprintf(stderr, "the test hangs\n");
    abort();
}

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    pthread_mutex_init(&w->server.lock, NULL);
    w->curl = strcmp(*state, "curl") == 0;
    w->limits = (struct upstream_limits){10000, 10000, 10000, NULL, false};
    setenv("no_proxy", "*", 1);
    if (w->curl)
        setenv("http_proxy", "http://127.0.0.1:9", 1);
    else
        unsetenv("http_proxy");
    assert_int_equal(uv_loop_init(&w->loop), 0);
    uv_timer_init(&w->loop, &w->watchdog);
    uv_timer_start(&w->watchdog, on_watchdog, WATCHDOG_MS, 0);
    *state = w;
    return 0;
}

static void on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    if (w->upstreams) {
        upstreams_close(w->upstreams, on_closed, &w->closed);
        assert_false(w->closed);
        while (!w->closed)
            uv_run(&w->loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&w->watchdog, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    server_stop(&w->server);
    pthread_mutex_destroy(&w->server.lock);
    buf_clear(&w->answers[0]);
    buf_clear(&w->answers[1]);
    buf_clear(&w->answers[2]);
    free(w);
    return 0;
}

/* The script is set; begin. */
static void open_world(struct world *w)
{
    struct err err;

    server_start(&w->server);
    w->upstreams = upstreams_open(&w->loop, &w->limits, &err);
    assert_non_null(w->upstreams);
}

#define PLAIN "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

static void an_answer_arrives_as_it_was_sent(void **state)
{
    struct world *w = *state;
    struct call c;

    set_answer(&w->server, STR("HTTP/1.1 201 Made\r\nX-One:  a b \r\nx-two:\r\nX-One: c\r\n"
                               "Content-Length: 5\r\n\r\nhello"));
    open_world(w);
    call_init(&c, w, "GET", "/x");
    call_run(&c);
    assert_ok(&c, 201, "hello");
    assert_string_equal(c.fields.ptr, "X-One=a b\nx-two=\nX-One=c\nContent-Length=5\n");
    assert_int_equal(c.content_length, 5);
    assert_false(c.no_body);
    assert_true(c.times.connect_us >= 0 && c.times.head_us >= c.times.connect_us);
    assert_true(c.times.first_byte_us >= c.times.head_us);
    assert_true(c.times.reads >= 1);
    call_clear(&c);
}

static void the_request_goes_out_as_given(void **state)
{
    struct world *w = *state;
    char expected[600];
    struct call c;

    set_answer(&w->server, STR(PLAIN));
    open_world(w);
    call_init(&c, w, "POST", "/v1//a/../b?q=%2F&x");
    call_header(&c, "Authorization", "Bearer abc");
    call_header(&c, "X-Empty", "");
    call_header(&c, "X-Twice", "1");
    call_header(&c, "X-Twice", "2");
    call_header(&c, "content-length", "999"); /* framing is never copied */
    call_header(&c, "Transfer-Encoding", "chunked");
    c.request.body = STR("{\"a\":1}");
    c.request.has_body = true;
    call_run(&c);
    assert_ok(&c, 200, "hello");
    snprintf(expected, sizeof(expected),
             "POST /v1//a/../b?q=%%2F&x HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
             "Authorization: Bearer abc\r\nX-Empty: %s\r\nX-Twice: 1\r\nX-Twice: 2\r\n",
             (unsigned)w->server.port, "");
    if (!w->curl) {
        snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
                 "Accept-Encoding: gzip, deflate, zstd\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
        assert_string_equal(w->server.request, expected);
    } else {
        assert_non_null(strstr(w->server.request, "POST /v1//a/../b?q=%2F&x HTTP/1.1\r\n"));
        assert_non_null(strstr(w->server.request, "\r\nAuthorization: Bearer abc\r\n"));
        assert_non_null(strstr(w->server.request, "\r\nX-Empty:\r\n"));
        assert_non_null(strstr(w->server.request, "\r\nX-Twice: 1\r\nX-Twice: 2\r\n"));
        assert_non_null(strstr(w->server.request, "\r\nContent-Length: 7\r\n"));
        assert_non_null(strstr(w->server.request, "\r\n\r\n{\"a\":1}"));
    }
    assert_null(strstr(w->server.request, "999"));
    assert_null(strcasestr(w->server.request, "transfer-encoding"));
    assert_null(strcasestr(w->server.request, "\r\nAccept:"));
    assert_null(strcasestr(w->server.request, "\r\nExpect:"));
    assert_null(strcasestr(w->server.request, "\r\nUser-Agent:"));
    assert_null(strcasestr(w->server.request, "\r\nContent-Type:"));
    call_clear(&c);
}

static void every_method_goes_out_with_its_framing(void **state)
{
    static const struct {
        const char *method;
        bool body;
        const char *line, *length;
    } cases[] = {
        {"GET", false, "GET /m HTTP/1.1\r\n", NULL},
        {"DELETE", false, "DELETE /m HTTP/1.1\r\n", NULL},
        {"POST", true, "POST /m HTTP/1.1\r\n", "\r\nContent-Length: 0\r\n"},
        {"PATCH", true, "PATCH /m HTTP/1.1\r\n", "\r\nContent-Length: 0\r\n"},
        {"OPTIONS", false, "OPTIONS /m HTTP/1.1\r\n", NULL},
    };
    struct world *w = *state;

    set_answer(&w->server, STR(PLAIN));
    open_world(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct call c;

        call_init(&c, w, cases[i].method, "/m");
        c.request.has_body = cases[i].body;
        c.request.identity = true;
        call_run(&c);
        assert_ok(&c, 200, "hello");
        pthread_mutex_lock(&w->server.lock);
        assert_ptr_equal(strstr(w->server.request, cases[i].line), w->server.request);
        assert_non_null(strstr(w->server.request, "\r\nAccept-Encoding: identity\r\n"));
        if (cases[i].length)
            assert_non_null(strstr(w->server.request, cases[i].length));
        else
            assert_null(strstr(w->server.request, "Content-Length"));
        pthread_mutex_unlock(&w->server.lock);
        call_clear(&c);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 1);
}

static void a_large_request_body_arrives(void **state)
{
    struct world *w = *state;
    char *body = malloc(32 * MIB);

    memset(body, 'x', 32 * MIB);
    set_answer(&w->server, STR(PLAIN));
    open_world(w);
    for (int i = 0; i < 2; i++) {
        struct call c;

        call_init(&c, w, "POST", "/big");
        c.request.body = (struct str){body, 32 * MIB};
        c.request.has_body = true;
        call_run(&c);
        assert_ok(&c, 200, "hello");
        assert_non_null(strstr(w->server.request, "\r\nContent-Length: 33554432\r\n"));
        call_clear(&c);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 1);
    free(body);
}

static void an_answer_may_come_before_the_body_is_out(void **state)
{
    struct world *w = *state;
    char *body = malloc(32 * MIB);
    struct call c;

    memset(body, 'x', 32 * MIB);
    set_answer(&w->server, STR("HTTP/1.1 413 Large\r\nContent-Length: 5\r\n\r\nlarge"));
    w->server.early = true;
    w->server.silent_after = true;
    open_world(w);
    call_init(&c, w, "POST", "/big");
    c.request.body = (struct str){body, 32 * MIB};
    c.request.has_body = true;
    call_run(&c);
    assert_ok(&c, 413, "large");
    wait_count(w, &w->server.closed, 1);
    free(body);
    call_clear(&c);
}

static void an_upstream_that_hangs_up_on_a_large_body_is_lost(void **state)
{
    struct world *w = *state;
    char *body = malloc(32 * MIB);
    struct call c;

    memset(body, 'x', 32 * MIB);
    w->server.early = true;
    w->server.close_after = true;
    open_world(w);
    call_init(&c, w, "POST", "/big");
    c.request.body = (struct str){body, 32 * MIB};
    c.request.has_body = true;
    call_run(&c);
    assert_failed(&c, TRANSFER_CONNECTION_LOST);
    free(body);
    call_clear(&c);
}

static void connections_are_used_again(void **state)
{
    struct world *w = *state;

    set_answer(&w->server, STR(PLAIN));
    open_world(w);
    for (int i = 0; i < 5; i++) {
        struct call c;

        call_init(&c, w, "GET", "/");
        call_run(&c);
        assert_ok(&c, 200, "hello");
        assert_int_equal(c.times.connect_us == 0, i > 0);
        call_clear(&c);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 1);
    assert_int_equal(atomic_load(&w->server.requests), 5);
}

static void connection_close_is_obeyed(void **state)
{
    struct world *w = *state;

    set_answer(&w->server,
               STR("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"));
    open_world(w);
    for (int i = 0; i < 2; i++) {
        struct call c;

        call_init(&c, w, "GET", "/");
        call_run(&c);
        assert_ok(&c, 200, "a");
        call_clear(&c);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 2);
}

static void a_stale_connection_is_replaced_once(void **state)
{
    struct world *w = *state;
    struct call a, b;

    set_answer(&w->server, STR(PLAIN));
    w->server.answers = 1; /* the second request on a connection closes it */
    open_world(w);
    call_init(&a, w, "GET", "/a");
    call_run(&a);
    assert_ok(&a, 200, "hello");
    call_init(&b, w, "POST", "/b");
    b.request.body = STR("again");
    b.request.has_body = true;
    call_run(&b);
    assert_ok(&b, 200, "hello");
    assert_int_equal(atomic_load(&w->server.accepted), 2);
    assert_int_equal(atomic_load(&w->server.requests), 3);
    call_clear(&a);
    call_clear(&b);
}

static void an_idle_connection_that_was_closed_is_not_used(void **state)
{
    struct world *w = *state;
    struct call a, b;

    set_answer(&w->server, STR(PLAIN));
    w->server.close_after = true;
    open_world(w);
    call_init(&a, w, "GET", "/a");
    call_run(&a);
    wait_count(w, &w->server.closed, 1);
    call_init(&b, w, "GET", "/b");
    call_run(&b);
    assert_ok(&b, 200, "hello");
    assert_int_equal(atomic_load(&w->server.requests), 2);
    call_clear(&a);
    call_clear(&b);
}

static void a_fresh_connection_is_not_tried_again(void **state)
{
    struct world *w = *state;
    struct call c;

    set_answer(&w->server, STR(PLAIN));
    w->server.mute_first = 10;
    open_world(w);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_failed(&c, TRANSFER_CONNECTION_LOST);
    assert_int_equal(c.heads, 0);
    assert_int_equal(atomic_load(&w->server.accepted), 1);
    call_clear(&c);
}

static void leftover_bytes_close_the_connection(void **state)
{
    struct world *w = *state;

    set_answer(&w->server, STR(PLAIN "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"));
    open_world(w);
    for (int i = 0; i < 3; i++) {
        struct call c;

        call_init(&c, w, "GET", "/");
        call_run(&c);
        assert_ok(&c, 200, "hello");
        call_clear(&c);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 3);
}

static void a_large_body_passes_a_slow_sink(void **state)
{
    struct world *w = *state;
    struct call c;

    set_answer(&w->server, STR("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n"));
    w->server.pattern = 16 * MIB;
    open_world(w);
    call_init(&c, w, "GET", "/");
    c.keep_pattern = true;
    c.refuse_every = 50000;
    c.resume_itself = true;
    call_run(&c);
    assert_ok(&c, 200, "");
    assert_int_equal(c.got, 16 * MIB);
    assert_false(c.wrong_pattern);
    assert_true(c.refusals > 100);
    assert_true(c.pauses >= c.refusals);
    call_clear(&c);
}

static void a_chunked_body_passes_a_slow_sink(void **state)
{
    struct world *w = *state;
    struct buf *answer = &w->answers[0], want = {0};
    struct call c;

    buf_put(answer, STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (int i = 1; i < 2000; i++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "<%d>", i * i);

        buf_printf(answer, "%x;ext=1\r\n%s\r\n", (unsigned)len, text);
        buf_put(&want, str_c(text));
    }
    buf_put(answer, STR("0\r\nX-Trailer: dropped\r\n\r\n"));
    set_answer(&w->server, buf_str(answer));
    open_world(w);
    call_init(&c, w, "GET", "/");
    c.refuse_every = 7;
    c.resume_itself = true;
    call_run(&c);
    assert_ok(&c, 200, want.ptr);
    assert_null(strstr(c.fields.ptr, "Trailer"));
    assert_true(c.refusals > (w->curl ? 0 : 500)); /* libcurl joins what waits */
    call_clear(&c);
    buf_clear(&want);
}

static void a_full_sink_stops_the_upstream(void **state)
{
    struct world *w = *state;
    size_t before, now = 0;
    struct call c;

    w->limits.idle_timeout_ms = 2000; /* the client's slowness is not the upstream's silence */
    set_answer(&w->server, STR("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n"));
    w->server.pattern = 64 * MIB;
    open_world(w);
    call_init(&c, w, "GET", "/");
    c.keep_pattern = c.refuse_all = true;
    call_start(&c);
    while (c.refusals == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    do { /* until the socket's buffers are full: nothing moves for longer than the timeout */
        before = now;
        for (int i = 0; i < 440; i++) {
            uv_run(&w->loop, UV_RUN_NOWAIT);
            usleep(5000);
        }
        now = atomic_load(&w->server.sent);
    } while (now != before);
    assert_true(now < 32 * MIB);
    assert_int_equal(c.refusals, 1);
    assert_int_equal(c.dones, 0);
    c.refuse_all = false;
    transfer_resume(c.transfer);
    call_wait(&c);
    assert_ok(&c, 200, "");
    assert_int_equal(c.got, 64 * MIB);
    assert_false(c.wrong_pattern);
    call_clear(&c);
}

static void cancelling_is_safe_at_any_moment(void **state)
{
    static const enum moment moments[] = {AT_HEAD, AT_BYTES, AT_PAUSE, AT_DONE};
    struct world *w = *state;

    set_answer(&w->server, STR("HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n"));
    w->server.pattern = 8 * MIB;
    open_world(w);
    for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++)
        for (int refuse_all = 0; refuse_all < 2; refuse_all++) {
            struct call c;

            if (refuse_all && moments[i] == AT_DONE)
                continue;
            call_init(&c, w, "GET", "/");
            c.cancel = moments[i];
            c.refuse_all = refuse_all;
            c.keep_pattern = true;
            call_run(&c);
            assert_int_equal(c.heads, 1);
            assert_int_equal(c.dones, moments[i] == AT_DONE);
            call_clear(&c);
        }
    /* all but the one that was complete are closed */
    wait_count(w, &w->server.closed, 6);
}

static void cancelling_right_after_the_start_is_safe(void **state)
{
    struct world *w = *state;

    set_answer(&w->server, STR(PLAIN));
    open_world(w);
    for (int turns = 0; turns < 4; turns++) {
        struct call c;

        call_init(&c, w, "GET", "/");
        c.cancel = AT_HEAD; /* no done is expected */
        call_start(&c);
        for (int i = 0; i < turns && c.releases == 0; i++)
            uv_run(&w->loop, UV_RUN_NOWAIT);
        if (c.releases == 0)
            transfer_cancel(c.transfer);
        call_wait(&c);
        call_clear(&c);
    }
}

static void cancelling_while_the_sink_is_full_closes_the_connection(void **state)
{
    struct world *w = *state;
    struct call c;

    set_answer(&w->server, STR("HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n"));
    w->server.pattern = 32 * MIB;
    open_world(w);
    call_init(&c, w, "GET", "/");
    c.refuse_all = true;
    call_start(&c);
    while (c.refusals == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    c.cancel = AT_HEAD;
    transfer_resume(c.transfer);
    transfer_cancel(c.transfer);
    transfer_cancel(c.transfer);
    call_wait(&c);
    wait_count(w, &w->server.closed, 1);
    call_clear(&c);
}

static void a_silent_upstream_times_out(void **state)
{
    struct world *w = *state;
    struct call c;

    w->limits.first_byte_timeout_ms = 80;
    w->server.silent_after = true;
    set_answer(&w->server, STR("HTTP/1.1 200 OK\r\nContent-Le"));
    open_world(w);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_failed(&c, TRANSFER_FIRST_BYTE_TIMEOUT);
    assert_int_equal(c.heads, 0);
    wait_count(w, &w->server.closed, 1);
    call_clear(&c);
}

static void silence_inside_a_body_times_out(void **state)
{
    struct world *w = *state;
    struct call c;

    w->limits.idle_timeout_ms = 80;
    w->server.silent_after = true;
    set_answer(&w->server,
               STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"));
    open_world(w);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_failed(&c, TRANSFER_IDLE_TIMEOUT);
    assert_int_equal(c.heads, 1);
    assert_string_equal(c.body.ptr, "hello");
    assert_true(c.pauses >= 1);
    call_clear(&c);
}

/* A listener whose queue is full drops what comes. */
static void an_upstream_that_accepts_nothing_times_out(void **state)
{
    struct world *w = *state;
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int fds[8], listener;
    struct call c;

    w->limits.connect_timeout_ms = 150;
    listener = listen_on("127.0.0.1", 0, &w->server.port);
    inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);
    addr.sin_port = htons(w->server.port);
    for (size_t i = 0; i < 8; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&addr, sizeof(addr));
    }
    usleep(20000);
    struct err err;
    w->upstreams = upstreams_open(&w->loop, &w->limits, &err);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_failed(&c, TRANSFER_CONNECT_TIMEOUT);
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
    close(listener);
    call_clear(&c);
}

static void a_refused_connection_fails_at_once(void **state)
{
    struct world *w = *state;
    struct err err;
    struct call c;

    close(listen_on("127.0.0.1", 1, &w->server.port));
    w->upstreams = upstreams_open(&w->loop, &w->limits, &err);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_failed(&c, TRANSFER_CONNECT_FAILED);
    assert_int_equal(c.times.connect_us, -1);
    call_clear(&c);
}

static void all_addresses_of_a_name_are_tried(void **state)
{
    struct world *w = *state;

    set_answer(&w->server, STR(PLAIN));
    open_world(w); /* on 127.0.0.1 only, while localhost is often ::1 first */
    for (int i = 0; i < 2; i++) {
        struct call c;

        call_init(&c, w, "GET", "/");
        snprintf(c.url, sizeof(c.url), "http://localhost:%u/", (unsigned)w->server.port);
        call_run(&c);
        assert_ok(&c, 200, "hello");
        call_clear(&c);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 1);
}

static void link_local_addresses_are_refused(void **state)
{
    static const char *const urls[] = {"http://169.254.7.7:1/", "http://[fe80::1]:1/",
                                       "http://[::ffff:169.254.7.7]:1/"};
    struct world *w = *state;
    struct err err;

    w->upstreams = upstreams_open(&w->loop, &w->limits, &err);
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        struct call c;

        call_init(&c, w, "GET", "/");
        snprintf(c.url, sizeof(c.url), "%s", urls[i]);
        call_run(&c);
        assert_int_equal(c.error, TRANSFER_REFUSED);
        assert_non_null(strstr(c.message, "link-local"));
        call_clear(&c);
    }
}

static void a_cut_answer_is_an_error(void **state)
{
    static const struct {
        const char *answer;
        int heads;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", 1, "hello"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 1, "hello"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 1, "hel"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", 0, ""},
        {"HTTP/1.1 2", 0, ""},
        {"", 0, ""},
    };
    struct world *w = *state;

    w->server.close_after = true;
    open_world(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct call c;

        set_answer(&w->server, str_c(cases[i].answer));
        call_init(&c, w, "GET", "/");
        call_run(&c);
        /* what is no whole status line is "not HTTP" to libcurl */
        if (c.error != TRANSFER_BAD_RESPONSE || !w->curl || cases[i].heads)
            assert_failed(&c, TRANSFER_CONNECTION_LOST);
        assert_int_equal(c.heads, cases[i].heads);
        assert_string_equal(buf_str(&c.body).ptr, cases[i].body);
        call_clear(&c);
    }
}

static void a_body_may_end_with_the_connection(void **state)
{
    struct world *w = *state;
    struct call c;

    set_answer(&w->server, STR("HTTP/1.0 200 OK\r\n\r\nall of it"));
    w->server.close_after = true;
    open_world(w);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_ok(&c, 200, "all of it");
    assert_int_equal(c.content_length, -1);
    call_clear(&c);
}

static void a_head_and_chunks_may_come_byte_by_byte(void **state)
{
    struct world *w = *state;

    set_answer(&w->server,
               STR("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: 1\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n"
                   "1\r\nh\r\n4;x=\"y\"\r\nello\r\n0006\r\n world\r\n0\r\nT: 1\r\n\r\n"));
    w->server.piece = 1;
    open_world(w);
    for (int i = 0; i < 2; i++) {
        struct call c;

        call_init(&c, w, "GET", "/");
        call_run(&c);
        assert_ok(&c, 200, "hello world");
        assert_string_equal(c.fields.ptr, "X=1\nTransfer-Encoding=chunked\n");
        call_clear(&c);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 1);
}

static void answers_without_a_body_end_with_their_head(void **state)
{
    static const struct {
        const char *method, *answer;
        int status;
        int64_t length;
    } cases[] = {
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", 200, 1234},
        {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, -1},
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", 200, -1},
        {"GET", "HTTP/1.1 204 None\r\n\r\n", 204, -1},
        {"GET", "HTTP/1.1 304 Same\r\nContent-Length: 77\r\n\r\n", 304, 77},
        {"GET", "HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n", 304, -1},
    };
    struct world *w = *state;

    open_world(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct call c;

        set_answer(&w->server, str_c(cases[i].answer));
        call_init(&c, w, cases[i].method, "/");
        call_run(&c);
        assert_ok(&c, cases[i].status, "");
        assert_true(c.no_body);
        assert_int_equal(c.content_length, cases[i].length);
        call_clear(&c);
    }
    if (!w->curl)
        assert_int_equal(atomic_load(&w->server.accepted), 1);
}

static void interim_answers_are_skipped_up_to_a_limit(void **state)
{
    struct world *w = *state;

    open_world(w);
    for (int extra = 0; extra < 2; extra++) {
        struct call c;

        struct buf *answer = &w->answers[extra];
        for (int i = 0; i < 64 + extra; i++)
            buf_put(answer, STR("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"));
        buf_put(answer, STR(PLAIN));
        set_answer(&w->server, buf_str(answer));
        call_init(&c, w, "GET", "/");
        call_run(&c);
        if (extra == 0)
            assert_ok(&c, 200, "hello");
        else
            assert_failed(&c, TRANSFER_BAD_RESPONSE);
        assert_null(c.fields.ptr ? strstr(c.fields.ptr, "Link") : NULL);
        call_clear(&c);
    }
}

#define LIT(text)                                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void bad_heads_are_refused(void **state)
{
    static const struct str cases[] = {
        LIT("SSH-2.0-OpenSSH_9.2\r\n"),
        LIT("\r\n\r\n"),
        LIT("HTTP/3.0 200 OK\r\n\r\n"),
        LIT("HTTP/1.1 600 Far\r\n\r\n"),
        LIT("HTTP/1.1 099 Low\r\n\r\n"),
        LIT("HTTP/1.1 20 Short\r\n\r\n"),
        LIT("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\nA: 1\0002\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\nA: 1\r2\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\nA B: 1\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\nA : 1\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\n: 1\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        LIT("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"),
        LIT("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello"),
        LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello"),
    };
    struct world *w = *state;

    w->server.close_after = true;
    open_world(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct call c;

        set_answer(&w->server, cases[i]);
        call_init(&c, w, "GET", "/");
        call_run(&c);
        if (c.error == TRANSFER_OK || c.heads)
            fail_msg("case %zu passed: %.*s", i, STR_ARG(cases[i]));
        assert_failed(&c, TRANSFER_BAD_RESPONSE);
        call_clear(&c);
    }
}

static void a_huge_head_is_refused(void **state)
{
    struct world *w = *state;
    struct buf *answer = &w->answers[0];
    struct call c;

    buf_put(answer, STR("HTTP/1.1 200 OK\r\n"));
    for (int i = 0; i < 700; i++)
        buf_printf(answer, "X-%d: %0400d\r\n", i, i);
    set_answer(&w->server, buf_str(answer));
    w->server.silent_after = true; /* refused at the limit, not at its end */
    open_world(w);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_failed(&c, TRANSFER_BAD_RESPONSE);
    call_clear(&c);
}

static void broken_chunks_break_the_body(void **state)
{
    struct world *w = *state;
    struct call c;

    set_answer(&w->server, STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\nzz\r\n"));
    open_world(w);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_int_equal(c.heads, 1);
    assert_int_not_equal(c.error, TRANSFER_OK);
    assert_int_equal(transfer_error_status(c.error), 502);
    call_clear(&c);
}

/* A gzip answer of MIB zeros; len bytes are announced and sent. */
static void gzip_answer(struct buf *out, size_t cut, bool corrupt)
{
    static unsigned char plain[MIB], coded[MIB];
    z_stream z = {.next_in = plain, .avail_in = MIB, .next_out = coded, .avail_out = MIB};
    size_t len;

    for (size_t i = 0; i < MIB; i++)
        plain[i] = pattern_at(i);
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    deflate(&z, Z_FINISH);
    len = z.total_out - cut;
    deflateEnd(&z);
    if (corrupt)
        coded[len / 2] ^= 0xff;
    buf_printf(out, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
               len);
    buf_put(out, (struct str){(char *)coded, len});
}

static void content_codings_are_undone(void **state)
{
    struct world *w = *state;
    struct buf *answer = &w->answers[0];

    gzip_answer(answer, 0, false);
    set_answer(&w->server, buf_str(answer));
    open_world(w);
    for (int slow = 0; slow < 2; slow++) {
        struct call c;

        call_init(&c, w, "GET", "/");
        c.keep_pattern = true;
        c.refuse_every = slow ? 1000 : 0;
        c.resume_itself = true;
        call_run(&c);
        assert_ok(&c, 200, "");
        assert_int_equal(c.got, MIB);
        assert_false(c.wrong_pattern);
        assert_int_equal(c.content_length, -1);
        assert_true(!slow || c.refusals >= 15);
        assert_non_null(strstr(c.fields.ptr, "Content-Encoding=gzip\n"));
        call_clear(&c);
    }
}

/* Others are served while much is made of little. */
static void a_bomb_is_decoded_in_many_turns(void **state)
{
    static char zeros[MIB];
    static unsigned char coded[256 * 1024];
    struct world *w = *state;
    struct buf *answer = &w->answers[0];
    z_stream z = {.next_out = coded, .avail_out = sizeof(coded)};
    size_t before;
    struct call calls[3];

    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    for (int i = 0; i < 32; i++) {
        z.next_in = (Bytef *)zeros;
        z.avail_in = MIB;
        assert_int_equal(deflate(&z, i < 31 ? Z_NO_FLUSH : Z_FINISH), i < 31 ? Z_OK : Z_STREAM_END);
    }
    buf_printf(answer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
               z.total_out);
    buf_put(answer, (struct str){(char *)coded, z.total_out});
    deflateEnd(&z);
    set_answer(&w->server, buf_str(answer));
    open_world(w);
    for (int i = 0; i < 3; i++) {
        call_init(&calls[i], w, "GET", "/");
        calls[i].keep_pattern = true; /* which is another one: only nothing is gathered */
        call_start(&calls[i]);
    }
    while (calls[0].releases + calls[1].releases + calls[2].releases < 3) {
        before = calls[0].got + calls[1].got + calls[2].got;
        uv_run(&w->loop, UV_RUN_ONCE);
        assert_true(calls[0].got + calls[1].got + calls[2].got - before < 2 * MIB);
    }
    for (int i = 0; i < 3; i++) {
        assert_ok(&calls[i], 200, "");
        assert_int_equal(calls[i].got, 32 * MIB);
        call_clear(&calls[i]);
    }
}

static void bad_content_codings_are_errors(void **state)
{
    struct world *w = *state;

    open_world(w);
    for (int i = 0; i < 3; i++) {
        struct call c;

        struct buf *answer = &w->answers[i];
        if (i == 0)
            gzip_answer(answer, 10, false);
        else if (i == 1)
            gzip_answer(answer, 0, true);
        else
            buf_put(answer, STR("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n"
                                "Content-Length: 1\r\n\r\nx"));
        set_answer(&w->server, buf_str(answer));
        call_init(&c, w, "GET", "/");
        c.keep_pattern = true;
        call_run(&c);
        assert_failed(&c, TRANSFER_DECODE_FAILED);
        assert_int_equal(c.heads, i < 2);
        call_clear(&c);
    }
}

static void many_transfers_run_at_once(void **state)
{
    struct world *w = *state;
    struct call *calls = xcalloc(100, sizeof(*calls));

    set_answer(&w->server, STR("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
    w->server.pattern = 100000;
    open_world(w);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            call_init(&calls[i], w, "GET", "/");
            calls[i].keep_pattern = true;
            calls[i].refuse_every = i % 3 == 0 ? 20000 : 0;
            calls[i].resume_itself = true;
            call_start(&calls[i]);
        }
        for (int i = 0; i < 100; i++) {
            call_wait(&calls[i]);
            assert_ok(&calls[i], 200, "");
            assert_int_equal(calls[i].got, 100000);
            assert_false(calls[i].wrong_pattern);
            call_clear(&calls[i]);
        }
    }
    if (!w->curl)
        assert_int_equal(atomic_load(&w->server.accepted), 100);
    free(calls);
}

static void a_transfer_may_start_another_when_done(void **state)
{
    struct world *w = *state;
    struct call a, b;

    set_answer(&w->server, STR(PLAIN));
    open_world(w);
    call_init(&a, w, "GET", "/a");
    call_init(&b, w, "GET", "/b");
    a.then = &b;
    call_run(&a);
    call_wait(&b);
    assert_ok(&a, 200, "hello");
    assert_ok(&b, 200, "hello");
    call_clear(&a);
    call_clear(&b);
}

static void closing_waits_for_what_runs(void **state)
{
    struct world *w = *state;
    struct call a, b;
    struct err err;

    set_answer(&w->server, STR("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"));
    w->server.pattern = MIB;
    open_world(w);
    call_init(&a, w, "GET", "/a");
    call_init(&b, w, "GET", "/b");
    b.cancel = AT_BYTES;
    a.keep_pattern = b.keep_pattern = true;
    call_start(&a);
    call_start(&b);
    upstreams_close(w->upstreams, on_closed, &w->closed);
    assert_null(transfer_start(w->upstreams, &a.request, &events, &a, &err));
    assert_int_equal(err.code, ERR_BUSY);
    while (!w->closed) {
        assert_true(a.releases == 0 || b.releases == 0 || w->closed || a.releases == 1);
        uv_run(&w->loop, UV_RUN_ONCE);
    }
    w->upstreams = NULL;
    assert_int_equal(a.releases, 1);
    assert_int_equal(b.releases, 1);
    assert_ok(&a, 200, "");
    assert_int_equal(a.got, MIB);
    call_clear(&a);
    call_clear(&b);
}

static void what_cannot_be_sent_is_refused_at_the_start(void **state)
{
    static const struct {
        const char *method, *url, *name, *value;
    } cases[] = {
        {"GET", "ftp://127.0.0.1/", "A", "b"},
        {"GET", "http://user:secret@127.0.0.1/", "A", "b"},
        {"GET", "http://127.0.0.1/a b", "A", "b"},
        {"GET", "http://127.0.0.1/a\r\nX: y", "A", "b"},
        {"G T", "http://127.0.0.1/", "A", "b"},
        {"CONNECT", "http://127.0.0.1/", "A", "b"},
        {"GET", "http://127.0.0.1/", "A:", "b"},
        {"GET", "http://127.0.0.1/", "A", "b\r\nC: d"},
    };
    struct world *w = *state;

    open_world(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct err err = {0};
        struct call c;

        call_init(&c, w, cases[i].method, "/");
        call_header(&c, cases[i].name, cases[i].value);
        c.request.url = str_c(cases[i].url);
        c.request.headers = &c.headers;
        assert_null(transfer_start(w->upstreams, &c.request, &events, &c, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_null(strstr(err.msg, "secret"));
        call_clear(&c);
    }
}

static void idle_connections_are_limited(void **state)
{
    struct world *w = *state;
    struct call *calls = xcalloc(140, sizeof(*calls));

    set_answer(&w->server, STR(PLAIN));
    w->server.piece = 1;
    open_world(w);
    for (int i = 0; i < 140; i++) {
        call_init(&calls[i], w, "GET", "/");
        call_start(&calls[i]);
    }
    for (int i = 0; i < 140; i++) {
        call_wait(&calls[i]);
        assert_ok(&calls[i], 200, "hello");
        call_clear(&calls[i]);
    }
    wait_count(w, &w->server.closed, 12);
    free(calls);
}

static void unasked_bytes_close_an_idle_connection(void **state)
{
    struct world *w = *state;
    struct call a, b;

    set_answer(&w->server, STR(PLAIN));
    open_world(w);
    call_init(&a, w, "GET", "/a");
    call_run(&a);
    send_unasked(&w->server, STR(PLAIN));
    wait_count(w, &w->server.closed, 1);
    call_init(&b, w, "GET", "/b");
    call_run(&b);
    assert_ok(&b, 200, "hello");
    assert_int_equal(atomic_load(&w->server.accepted), 2);
    call_clear(&a);
    call_clear(&b);
}

/* The loop has not seen the bytes yet when the connection is asked for. */
static void unasked_bytes_are_no_answer_to_the_next_request(void **state)
{
    static const struct str forged = LIT("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
    struct world *w = *state;
    struct call a, b;

    set_answer(&w->server, STR(PLAIN));
    open_world(w);
    call_init(&a, w, "GET", "/a");
    call_run(&a);
    send_unasked(&w->server, forged);
    call_init(&b, w, "GET", "/b");
    call_run(&b);
    assert_ok(&b, 200, "hello");
    call_clear(&a);
    call_clear(&b);
}

static void endless_trailers_are_cut(void **state)
{
    struct world *w = *state;
    struct buf *answer = &w->answers[0];
    struct call c;

    buf_put(answer, STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"));
    for (int i = 0; i < 100000; i++)
        buf_put(answer, STR("X: 1\r\n"));
    set_answer(&w->server, buf_str(answer));
    w->server.silent_after = true;
    open_world(w);
    call_init(&c, w, "GET", "/");
    call_run(&c);
    assert_failed(&c, TRANSFER_BAD_RESPONSE);
    call_clear(&c);
}

static void a_proxy_of_the_environment_is_used(void **state)
{
    struct world *w = *state;
    char proxy[64];
    struct call c;

    set_answer(&w->server, STR(PLAIN));
    unsetenv("no_proxy");
    server_start(&w->server);
    snprintf(proxy, sizeof(proxy), "http://u:secret@127.0.0.1:%u", (unsigned)w->server.port);
    setenv("http_proxy", proxy, 1);
    struct err err;
    w->upstreams = upstreams_open(&w->loop, &w->limits, &err);
    call_init(&c, w, "GET", "/");
    snprintf(c.url, sizeof(c.url), "http://upstream.invalid/a/../b");
    call_run(&c);
    assert_ok(&c, 200, "hello");
    assert_non_null(strstr(w->server.request, "GET http://upstream.invalid/a/../b HTTP/1.1\r\n"));
    call_clear(&c);
}

static void tls_to_a_plain_server_fails(void **state)
{
    struct world *w = *state;
    struct call c;

    set_answer(&w->server, STR(PLAIN));
    w->server.close_after = true;
    open_world(w);
    call_init(&c, w, "GET", "/");
    snprintf(c.url, sizeof(c.url), "https://127.0.0.1:%u/", (unsigned)w->server.port);
    call_start(&c);
    wait_count(w, &w->server.accepted, 1);
    /* the server waits for a request head and gets none */
    send_unasked(&w->server, STR(PLAIN));
    call_wait(&c);
    assert_failed(&c, TRANSFER_TLS_FAILED);
    call_clear(&c);
}

#define ONE(test, engine)                                                                          \
    {                                                                                              \
#test " (" engine ")", test, set_up, tear_down, (void *)(uintptr_t)engine                  \
    }
#define BOTH(test) ONE(test, "h1"), ONE(test, "curl")

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_answer_arrives_as_it_was_sent),
        BOTH(the_request_goes_out_as_given),
        BOTH(every_method_goes_out_with_its_framing),
        BOTH(a_large_request_body_arrives),
        BOTH(an_answer_may_come_before_the_body_is_out),
        BOTH(an_upstream_that_hangs_up_on_a_large_body_is_lost),
        BOTH(connections_are_used_again),
        BOTH(connection_close_is_obeyed),
        BOTH(a_stale_connection_is_replaced_once),
        BOTH(an_idle_connection_that_was_closed_is_not_used),
        BOTH(a_fresh_connection_is_not_tried_again),
        BOTH(leftover_bytes_close_the_connection),
        BOTH(a_large_body_passes_a_slow_sink),
        BOTH(a_chunked_body_passes_a_slow_sink),
        BOTH(a_full_sink_stops_the_upstream),
        BOTH(cancelling_is_safe_at_any_moment),
        BOTH(cancelling_right_after_the_start_is_safe),
        BOTH(cancelling_while_the_sink_is_full_closes_the_connection),
        BOTH(a_silent_upstream_times_out),
        BOTH(silence_inside_a_body_times_out),
        BOTH(an_upstream_that_accepts_nothing_times_out),
        BOTH(a_refused_connection_fails_at_once),
        BOTH(all_addresses_of_a_name_are_tried),
        BOTH(link_local_addresses_are_refused),
        BOTH(a_cut_answer_is_an_error),
        BOTH(a_body_may_end_with_the_connection),
        BOTH(a_head_and_chunks_may_come_byte_by_byte),
        BOTH(answers_without_a_body_end_with_their_head),
        BOTH(interim_answers_are_skipped_up_to_a_limit),
        BOTH(bad_heads_are_refused),
        BOTH(a_huge_head_is_refused),
        BOTH(broken_chunks_break_the_body),
        BOTH(content_codings_are_undone),
        BOTH(a_bomb_is_decoded_in_many_turns),
        BOTH(bad_content_codings_are_errors),
        BOTH(many_transfers_run_at_once),
        BOTH(a_transfer_may_start_another_when_done),
        BOTH(closing_waits_for_what_runs),
        BOTH(what_cannot_be_sent_is_refused_at_the_start),
        ONE(idle_connections_are_limited, "h1"),
        ONE(unasked_bytes_close_an_idle_connection, "h1"),
        ONE(unasked_bytes_are_no_answer_to_the_next_request, "h1"),
        ONE(endless_trailers_are_cut, "h1"),
        ONE(a_proxy_of_the_environment_is_used, "curl"),
        ONE(tls_to_a_plain_server_fails, "curl"),
    };

    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
