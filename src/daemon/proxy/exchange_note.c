#include <string.h>

#include "base/clock.h"
#include "core/mask.h"
#include "daemon/proxy/exchange_priv.h"

#define KEPT_BYTES ((size_t)4096)
/* What a viewer of an answer under way gets at most: copying it must not hold the loop up. */
#define PEEK_ANSWER ((size_t)128 * 1024)
#define PEEK_REQUEST ((size_t)1024 * 1024)

/* Text of our own making that the record keeps. */
struct str exchange_keep(struct exchange *x, const char *text)
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

    if (!exchange_held_times(x, &t)) {
        if (!x->transfer)
            return;
        transfer_times(x->transfer, &t);
    }
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
    r->content_event_count = w->content_count;
    x->capture->content_events = w->content_count;
    r->stream_done = w->done;
    if (w->first_content_us)
        r->ttft_ms = (w->first_content_us - x->started_us) / 1000;
    if (w->gap_count > 0) {
        r->chunk_gap_avg_ms = w->gap_sum_us / w->gap_count / 1000;
        r->chunk_gap_p95_ms = watch_gap_p95_us(w) / 1000;
        r->chunk_gap_max_ms = w->gap_max_us / 1000;
    }
    if (w->finish_reason[0])
        r->finish_reason = exchange_keep(x, w->finish_reason);
    if (w->error_event.len > 0)
        x->capture->error_event = arena_dup(arena_of(x), buf_str(&w->error_event));
}

/* A body that is stored whole tells all itself, unless it has to be given up on the way to the
 * database: then a little of it is still there. */
static void note_kept_events(struct exchange *x)
{
    struct buf kept = {0};

    if (!x->watching)
        return;
    watch_kept(&x->watch, &kept);
    if (kept.len <= KEPT_BYTES || record_of(x)->response_body_truncated)
        x->capture->kept_events = arena_dup(arena_of(x), buf_str(&kept));
    buf_clear(&kept);
}

/* The answer is over, in whatever way: everything but how it ended. Called once. */
void exchange_note_end(struct exchange *x, const char *terminated_by, const char *error)
{
    struct record *r = record_of(x);

    if (x->ended_us)
        return;
    x->ended_us = clock_now_us();
    r->completed_us = r->created_us + (x->ended_us - x->arrived_us);
    r->duration_ms = (x->ended_us - (x->started_us ? x->started_us : x->arrived_us)) / 1000;
    r->terminated_by = exchange_keep(x, terminated_by);
    r->error = error ? exchange_keep(x, error) : STR_NONE;
    exchange_attempts_over(x);
    exchange_fix_note(x);
    note_times(x);
    note_watch(x);
    if (x->lag_max_us > 0)
        r->client_lag_max_ms = x->lag_max_us / 1000;
    if (r->response_bytes == UNKNOWN && (x->head_seen || r->response_status != UNKNOWN))
        r->response_bytes = (int64_t)x->capture->response.len;
    if (r->response_bytes != UNKNOWN &&
        (x->body_lost || (size_t)r->response_bytes > x->capture->response_keep))
        r->response_body_truncated = true;
    note_kept_events(x);
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

void exchange_note_answer(struct exchange *x, const struct transfer_head *head)
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

void exchange_note_arrival(struct exchange *x)
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

/* The run that is active now, or the one that the client names. */
static int64_t run_of(struct exchange *x, const struct request *r)
{
    struct app *app = x->worker->app;
    struct str name = headers_get(&r->headers, STR("x-llm-observe-run"));

    if (!name.ptr)
        return open_runs_active(app->runs);
    return open_runs_named(app->runs, name, x->capture->record.created_us, app->recorder);
}

void exchange_note_head(struct exchange *x, const struct request *r)
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

void exchange_note_gone(struct exchange *x, const char *error)
{
    struct record *r = record_of(x);

    if (r->response_status == UNKNOWN)
        r->response_status = 499;
    exchange_note_end(x, TERMINATED_CLIENT, error);
}

static void copy_text(char *out, size_t size, struct str text)
{
    text = str_cut(text, size - 1);
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

static void peek_gaps(const struct watch *w, struct live_peek *out)
{
    size_t count = (size_t)w->gap_count;

    out->gap_count = count < WATCH_RECENT_GAPS ? count : WATCH_RECENT_GAPS;
    for (size_t i = 0; i < out->gap_count; i++)
        out->gaps_us[i] = w->recent_gaps[(count - out->gap_count + i) % WATCH_RECENT_GAPS];
}

void exchange_peek(void *exchange, struct live_peek *out, bool with_request)
{
    struct exchange *x = exchange;
    const struct record *r = record_of(x);
    struct str answer = blob_str(&x->capture->response);
    struct err err;

    copy_text(out->endpoint, sizeof(out->endpoint), r->endpoint);
    if (x->state == EX_READING || x->inspecting)
        return;
    if (with_request && x->capture->request.len <= PEEK_REQUEST)
        (void)buf_add(&out->request, blob_str(&x->capture->request), &err);
    if (!x->head_seen)
        return;
    copy_text(out->content_type, sizeof(out->content_type), r->response_content_type);
    out->whole = answer.len <= PEEK_ANSWER && (int64_t)answer.len == r->response_bytes;
    if (answer.len > PEEK_ANSWER)
        answer = str_from(answer, answer.len - PEEK_ANSWER);
    (void)buf_add(&out->tail, answer, &err);
    if (x->watching)
        peek_gaps(&x->watch, out);
}
