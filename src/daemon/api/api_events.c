#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/query.h"
#include "daemon/api/api.h"
#include "daemon/api/api_live.h"
#include "ops/operations.h"
#include "view/view_filter.h"
#include "view/view_record.h"
#include "json/json.h"

#define VIEWERS_MAX 32
#define UNSENT_MAX ((size_t)256 * 1024)
#define PING_US 15000000
#define CHANGE_US 250000
#define IDS_MAX 200

/* One event stream. What a viewer gets is made by a reader thread from the ring of finished
 * requests; a viewer that does not keep up loses its stream, the proxy never waits for it. */
struct viewer {
    struct list node; /* of the worker */
    struct worker *worker;
    struct conn *conn; /* NULL: gone */
    struct job job;
    bool working, wants_change, wants_finished, started;
    bool over;            /* bye was said: nothing may follow */
    int64_t rev;          /* what was sent up to */
    int64_t last_us;      /* when something was sent last */
    int64_t change_us;    /* when the last change event was */
    struct filter *where; /* NULL: all that finish */
    /* for the reader thread */
    int64_t until_rev;
    struct buf text;
};

/* The place is free for another viewer, even when this client never reads the end. */
static void end(struct viewer *v)
{
    if (!v->over)
        atomic_fetch_sub(&v->worker->app->viewers, 1);
    v->over = true;
}

static void free_if_over(struct viewer *v)
{
    if (v->conn || v->working)
        return;
    end(v);
    list_remove(&v->node);
    buf_clear(&v->text);
    filter_free(v->where);
    free(v);
}

static void put_event(struct buf *out, int64_t rev, const char *name, struct buf *json)
{
    buf_printf(out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)rev, name, json->ptr);
    json->len = 0;
}

/* Ids of one list, each once. */
struct ids {
    int64_t list[IDS_MAX];
    size_t count;
    bool truncated;
};

static void add_id(struct ids *ids, int64_t id)
{
    if (id == UNKNOWN)
        return;
    for (size_t i = ids->count; i > 0; i--)
        if (ids->list[i - 1] == id)
            return;
    if (ids->count == IDS_MAX)
        ids->truncated = true;
    else
        ids->list[ids->count++] = id;
}

static void put_ids(struct buf *json, const char *key, const struct ids *ids)
{
    buf_printf(json, ",\"%s\":[", key);
    for (size_t i = 0; i < ids->count; i++)
        buf_printf(json, "%s%lld", i ? "," : "", (long long)ids->list[i]);
    buf_put(json, STR("]"));
}

static void put_kinds(struct buf *json, unsigned kinds)
{
    static const char *const names[] = {"requests",  "runs",   "routes",
                                        "providers", "prices", "settings"};
    const char *comma = "";

    buf_put(json, STR(",\"kinds\":["));
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!(kinds & 1u << i))
            continue;
        buf_printf(json, "%s\"%s\"", comma, names[i]);
        comma = ",";
    }
    buf_put(json, STR("]"));
}

/* What happened to a viewer's world since it was told last. */
struct news {
    struct live_done *done; /* newest first */
    size_t count;
    struct live_change changes[LIVE_CHANGES];
    size_t change_count;
    bool missed;
};

static void put_change(struct viewer *v, const struct news *n)
{
    struct ids requests = {0}, runs = {0};
    unsigned kinds = n->count > 0 || n->missed ? LIVE_REQUESTS : 0;
    struct buf json = {0};

    for (size_t i = n->count; i > 0; i--) {
        const struct record *r = &n->done[i - 1].capture->record;

        add_id(&requests, r->id);
        add_id(&runs, r->task_run_id);
    }
    for (size_t i = 0; i < n->change_count; i++) {
        kinds |= n->changes[i].kinds;
        add_id(&requests, n->changes[i].request_id);
        add_id(&runs, n->changes[i].run_id);
    }
    if (runs.count > 0)
        kinds |= LIVE_RUNS;
    buf_printf(&json, "{\"rev\":%lld", (long long)v->until_rev);
    put_kinds(&json, kinds);
    put_ids(&json, "request_ids", &requests);
    put_ids(&json, "run_ids", &runs);
    buf_printf(&json, ",\"truncated\":%s}",
               n->missed || requests.truncated || runs.truncated ? "true" : "false");
    put_event(&v->text, v->until_rev, "change", &json);
    buf_clear(&json);
}

/* The full row, from the database where its body is, else from what is kept in memory. */
static void put_finished(struct viewer *v, struct store *store, const struct live_done *done)
{
    struct arena arena = {0};
    struct record r;
    struct buf json = {0};
    struct err err;
    bool stored = store && store_record_get(store, done->capture->record.id, &arena, &r, &err) == 0;
    const struct record *record = stored ? &r : &done->capture->record;
    cJSON *row = view_record_row(record, clock_wall_us());

    cJSON_DeleteItemFromObject(row, "rev");
    json_put_int(row, "rev", done->rev);
    if (store)
        (void)view_put_task_run(row, store, record, clock_wall_us(), &err);
    if (!v->where || view_filter_wants(v->where, row, store)) {
        json_print(&json, row);
        put_event(&v->text, done->rev, "finished", &json);
    }
    cJSON_Delete(row);
    buf_clear(&json);
    arena_clear(&arena);
}

static void on_run(struct job *job, struct store *store)
{
    struct viewer *v = LIST_ENTRY(job, struct viewer, job);
    struct live *live = v->worker->app->live;
    struct news n = {0};
    struct live_done *all;
    bool missed_changes;
    size_t count;
    size_t total, left, later = 0;

    v->until_rev = live_rev(live); /* what comes after it is told the next time */
    all = live_done(live, v->rev, LIVE_ROWS_MAX, &count, &total, &n.missed);
    while (later < count && all[later].rev > v->until_rev)
        later++;
    n.done = all + later;
    n.count = count - later;
    n.change_count = live_changes(live, v->rev, n.changes, &missed_changes);
    while (n.change_count > 0 && n.changes[n.change_count - 1].rev > v->until_rev)
        n.change_count--;
    n.missed = n.missed || missed_changes;
    left = n.count;
    if (n.count + n.change_count > 0 && (v->wants_change || n.missed))
        put_change(v, &n);
    while (v->wants_finished && left > 0 && v->text.len < UNSENT_MAX * 16)
        put_finished(v, store, &n.done[--left]);
    if (v->wants_finished && left > 0) /* the rest comes with the next look */
        v->until_rev = n.done[left].rev;
    live_done_free(all, count);
}

static void send_text(struct viewer *v, struct str text)
{
    v->last_us = clock_now_us();
    conn_bytes(v->conn, text);
    conn_flush(v->conn);
}

static void on_done(struct job *job)
{
    struct viewer *v = LIST_ENTRY(job, struct viewer, job);

    v->rev = v->until_rev;
    if (v->conn && !v->over && v->text.len > 0) {
        v->change_us = clock_now_us();
        send_text(v, buf_str(&v->text)); /* may find the client gone: not before working ends */
    }
    v->text.len = 0;
    v->working = false;
    free_if_over(v);
}

static void say_bye(struct viewer *v, const char *reason)
{
    char text[128];
    int n = snprintf(text, sizeof(text), "id: %lld\nevent: bye\ndata: {\"reason\":\"%s\"}\n\n",
                     (long long)v->rev, reason);

    end(v);
    conn_bytes(v->conn, (struct str){text, (size_t)n});
    conn_end(v->conn);
}

static void look(struct viewer *v, int64_t now_us)
{
    if (!v->conn || !v->started || v->over || v->working)
        return;
    if (conn_unsent(v->conn) > UNSENT_MAX) {
        log_info("a viewer of events is too slow and loses its stream client=%.*s",
                 STR_ARG(conn_client(v->conn)));
        say_bye(v, "slow");
        return;
    }
    if (live_rev(v->worker->app->live) > v->rev && now_us - v->change_us >= CHANGE_US) {
        v->job.home = v->worker->inbox;
        v->job.run = on_run;
        v->job.done = on_done;
        v->working = readers_submit(v->worker->app->readers, &v->job);
    } else if (now_us - v->last_us >= PING_US) {
        send_text(v, STR(": ping\n\n"));
    }
}

void api_events_sweep(struct worker *w, int64_t now_us)
{
    LIST_EACH_SAFE (node, &w->viewers)
        look(LIST_ENTRY(node, struct viewer, node), now_us);
}

void api_events_stop(struct worker *w)
{
    LIST_EACH_SAFE (node, &w->viewers) {
        struct viewer *v = LIST_ENTRY(node, struct viewer, node);

        if (v->conn && v->started && !v->over)
            say_bye(v, "shutdown");
    }
}

static void on_request(void *ctx, struct request *r)
{
    struct viewer *v = ctx;
    struct app *app = v->worker->app;
    struct headers headers = {0};
    struct buf text = {0};
    char stamp[CLOCK_ISO_SIZE];
    struct err err;

    headers_add_borrowed(&headers, &r->arena, STR("Content-Type"), STR("text/event-stream"), &err);
    headers_add_borrowed(&headers, &r->arena, STR("Cache-Control"), STR("no-store"), &err);
    headers_add_borrowed(&headers, &r->arena, STR("X-Content-Type-Options"), STR("nosniff"), &err);
    headers_add_borrowed(&headers, &r->arena, STR("Referrer-Policy"), STR("no-referrer"), &err);
    headers_add_borrowed(&headers, &r->arena, STR("Cross-Origin-Resource-Policy"),
                         STR("same-origin"), &err);
    buf_printf(&text, "retry: 2000\nid: %lld\nevent: hello\ndata: {\"rev\":%lld,\"now\":\"%s\",",
               (long long)v->rev, (long long)live_rev(app->live),
               clock_iso(clock_wall_us(), stamp));
    buf_printf(&text, "\"instance\":\"%s\",\"server\":", app->instance);
    api_server_json(app, &text);
    buf_printf(&text, ",\"kinds\":[%s%s%s]}\n\n", v->wants_change ? "\"change\"" : "",
               v->wants_change && v->wants_finished ? "," : "",
               v->wants_finished ? "\"finished\"" : "");
    v->started = true;
    conn_head(v->conn, 200, &headers, -1);
    if (str_eq(r->method, STR("HEAD"))) { /* no events would ever come */
        end(v);
        conn_end(v->conn);
    } else {
        send_text(v, buf_str(&text));
    }
    buf_clear(&text);
}

static void on_refused(void *ctx, struct request *r, const struct refusal *refusal)
{
    (void)ctx;
    (void)r;
    (void)refusal;
}

static void on_gone(void *ctx, const char *how)
{
    struct viewer *v = ctx;

    (void)how;
    v->conn = NULL;
    free_if_over(v);
}

static void on_sent(void *ctx)
{
    on_gone(ctx, NULL);
}

static const struct responder responder = {
    .request = on_request,
    .refused = on_refused,
    .gone = on_gone,
    .sent = on_sent,
};

static void choose_kinds(struct viewer *v, struct str query)
{
    struct buf kinds = {0};
    struct str rest, kind;

    v->wants_change = true;
    if (query_get(query, "kinds", &kinds) && kinds.len > 0) {
        v->wants_change = false;
        rest = buf_str(&kinds);
        while (str_split(&rest, ',', &kind)) {
            v->wants_change |= str_eq(str_trim(kind), STR("change"));
            v->wants_finished |= str_eq(str_trim(kind), STR("finished"));
        }
    }
    buf_clear(&kinds);
}

/* Where to go on: after the last event that the client saw, else from now. */
static void choose_start(struct viewer *v, struct request *r)
{
    struct str last = headers_get(&r->headers, STR("last-event-id"));
    int64_t rev;

    v->rev = live_rev(v->worker->app->live);
    if (last.ptr && str_int64(last, &rev) && rev >= 0 && rev < v->rev)
        v->rev = rev;
}

/* False: the query is wrong, and the client knows. */
static bool query_fits(struct conn *conn, struct request *r)
{
    static const struct call_route route = {.method = "GET", .pattern = "/api/events"};
    struct buf wrong = {0};
    bool fits = params_check(operation_of(&route)->params, r->query, &wrong);

    if (!fits)
        conn_answer(conn, 422, STR("application/json"), NULL, buf_str(&wrong));
    buf_clear(&wrong);
    return fits;
}

void api_events_open(struct worker *w, struct conn *conn, struct request *r)
{
    struct viewer *v = NULL;
    struct headers extra = {0};
    struct buf refusal = {0};
    struct filter *where;
    struct err err;

    if (!query_fits(conn, r))
        return;
    where = view_filter_read(r->query, FILTER_STORED, clock_wall_us(), &refusal);
    if (refusal.len > 0) {
        conn_answer(conn, 400, STR("application/json"), &extra, buf_str(&refusal));
        buf_clear(&refusal);
        return;
    }
    if (atomic_fetch_add(&w->app->viewers, 1) < VIEWERS_MAX)
        v = calloc(1, sizeof(*v));
    if (!v) {
        filter_free(where);
        atomic_fetch_sub(&w->app->viewers, 1);
        headers_add(&extra, &r->arena, STR("Retry-After"), STR("5"), &err);
        conn_answer(conn, 503, STR("application/json"), &extra,
                    STR("{\"detail\":\"Too many event streams are open.\"}"));
        return;
    }
    v->worker = w;
    v->conn = conn;
    v->where = where;
    choose_kinds(v, r->query);
    choose_start(v, r);
    list_add_tail(&w->viewers, &v->node);
    conn_respond_with(conn, &responder, v, 0);
}
