#include "daemon/api/api.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/price_import.h"
#include "daemon/api/api_operations.h"
#include "json/json.h"

#define API_BODY_MAX 1048576
#define FILE_BODY_MAX ((int64_t)IMPORT_DOCUMENT_MAX + API_BODY_MAX)
/* Answers that clients do not read take memory: above this, large ones are refused. */
#define UNSENT_MAX ((size_t)128 * 1024 * 1024)
#define SMALL_ANSWER ((size_t)64 * 1024)

static void free_if_over(struct api_call *call)
{
    if (call->conn || call->running)
        return;
    atomic_fetch_sub(&call->worker->app->unsent, call->unsent);
    buf_clear(&call->body);
    request_clear(&call->request);
    free(call);
}

/* Count the answer until it is sent; one too many is refused. */
static void count_unsent(struct api_call *call)
{
    struct app *app = call->worker->app;

    if (call->body.len > SMALL_ANSWER &&
        atomic_fetch_add(&app->unsent, call->body.len) + call->body.len > UNSENT_MAX) {
        atomic_fetch_sub(&app->unsent, call->body.len);
        buf_clear(&call->body);
        api_detail(call, 503, "Too many answers wait for their clients.");
    } else if (call->body.len > SMALL_ANSWER) {
        call->unsent = call->body.len;
    }
}

static void answer(struct api_call *call)
{
    struct str type = call->content_type.ptr ? call->content_type : STR("application/json");
    struct buf body;

    if (!call->conn)
        return;
    count_unsent(call);
    body = call->body;
    call->body = (struct buf){0}; /* the connection has a copy of its own; call may be gone then */
    conn_answer(call->conn, call->status, type, &call->extra, buf_str(&body));
    buf_clear(&body);
}

void api_finish(struct api_call *call)
{
    call->running = false;
    call->worker->calls--;
    if (call->conn)
        answer(call); /* sent() or gone() frees */
    else
        free_if_over(call);
}

static void on_done(struct job *job)
{
    struct api_call *call = LIST_ENTRY(job, struct api_call, job);

    if (call->then)
        call->then(call);
    else
        api_finish(call);
}

/* False: the call is answered. */
static bool query_fits(struct api_call *call)
{
    if (!call->operation || params_check(call->operation->params, call->query, &call->body))
        return true;
    call->status = 422;
    return false;
}

static void on_run(struct job *job, struct store *store)
{
    struct api_call *call = LIST_ENTRY(job, struct api_call, job);

    if (atomic_load(&call->gone))
        return;
    if (!store && !(call->operation && call->operation->without_store))
        api_detail(call, 503, "The database cannot be opened.");
    else if (query_fits(call))
        call->route->run(call, store);
}

/* ---- calls that write ---- */

static void finish_write(struct api_call *call, struct store *store)
{
    struct err err;

    if (call->status >= 400) {
        store_rollback(store);
    } else if (store_commit(store, &err) < 0) {
        store_rollback(store);
        api_error(call, &err);
    } else if (app_reload(call->worker->app, store, &err) < 0) {
        log_error("cannot put the saved configuration in force: %s", err.msg);
    } else if (open_runs_load(call->worker->app->runs, store, &err) < 0) {
        log_error("cannot see which runs are open: %s", err.msg);
    } else {
        budgets_update(call->worker->app->budgets, store);
    }
}

static void on_write(struct recorder_job *job, struct store *store)
{
    struct api_call *call = LIST_ENTRY(job, struct api_call, writing);
    struct err err;

    if (!store) {
        api_detail(call, 503, "The database cannot be opened.");
    } else if (store_begin(store, &err) < 0) {
        api_error(call, &err);
    } else {
        call->route->write(call, store);
        finish_write(call, store);
        if (call->status < 400 && call->again) {
            call->again = false;
            if (recorder_submit(call->worker->app->recorder, &call->writing))
                return;
        }
        if (call->status < 400 && call->after)
            call->after(call, store);
    }
    inbox_post(call->job.home, &call->job.note);
}

static void on_written(struct note *note)
{
    on_done(LIST_ENTRY(note, struct job, note));
}

static bool submit(struct api_call *call)
{
    struct app *app = call->worker->app;

    call->job.home = call->worker->inbox;
    if (call->route->write) {
        call->job.note.run = on_written;
        call->writing.run = on_write;
        return recorder_submit(app->recorder, &call->writing);
    }
    call->job.run = on_run;
    call->job.done = on_done;
    return readers_submit(app->readers, &call->job);
}

/* ---- calls that asked others, and keep what they found ---- */

static void on_keep(struct recorder_job *job, struct store *store)
{
    struct api_call *call = LIST_ENTRY(job, struct api_call, writing);
    struct err err;
    int rc = store ? store_begin(store, &err)
                   : err_set(&err, ERR_STORE, "the database cannot be opened");

    if (rc == 0 && (call->keep(call, store, &err) < 0 || store_commit(store, &err) < 0)) {
        store_rollback(store);
        rc = -1;
    }
    if (rc < 0)
        log_warning("cannot keep the results of %s: %s", call->route->pattern, err.msg);
    inbox_post(call->job.home, &call->job.note);
}

static void on_kept(struct note *note)
{
    struct job *job = LIST_ENTRY(note, struct job, note);

    api_finish(LIST_ENTRY(job, struct api_call, job));
}

void api_finish_stored(struct api_call *call,
                       int (*keep)(struct api_call *call, struct store *store, struct err *err))
{
    call->keep = keep;
    call->job.note.run = on_kept;
    call->writing.run = on_keep;
    if (!recorder_submit(call->worker->app->recorder, &call->writing))
        api_finish(call); /* stopping */
}

static void on_request(void *ctx, struct request *r)
{
    struct api_call *call = ctx;

    call->request.body = r->body;
    r->body = (struct blob){.budget = r->body.budget};
    call->running = submit(call);
    call->worker->calls += call->running;
    if (!call->running) {
        api_detail(call, 503, "Too many calls wait for the database.");
        answer(call);
    }
}

static void on_refused(void *ctx, struct request *r, const struct refusal *refusal)
{
    (void)ctx;
    (void)r;
    (void)refusal;
}

static void on_gone(void *ctx, const char *how)
{
    struct api_call *call = ctx;

    (void)how;
    call->conn = NULL;
    atomic_store(&call->gone, true);
    free_if_over(call);
}

static void on_sent(void *ctx)
{
    struct api_call *call = ctx;

    call->conn = NULL;
    free_if_over(call);
}

static const struct responder responder = {
    .request = on_request,
    .refused = on_refused,
    .gone = on_gone,
    .sent = on_sent,
};

static int64_t body_max(const struct api_route *route)
{
    return str_starts(str_c(route->pattern), STR(API_PRICE_FILES)) ? FILE_BODY_MAX : API_BODY_MAX;
}

void api_open(struct worker *w, struct conn *conn, struct request *r, const struct api_route *route,
              int64_t id, struct str slug)
{
    struct api_call *call = calloc(1, sizeof(*call));
    struct refusal refusal = {0};

    if (!call) {
        refuse(&refusal, 503, "overloaded", "No memory for the call.");
        conn_refuse(conn, &refusal, true);
        return;
    }
    call->worker = w;
    call->conn = conn;
    call->route = route;
    call->operation = api_operation_of(route);
    call->id = id;
    call->path = r->path;
    call->query = r->query;
    call->status = 500;
    call->request.arena = r->arena;
    call->request.headers = r->headers;
    r->arena = (struct arena){0};
    call->slug = arena_dup(&call->request.arena, slug);
    conn_respond_with(conn, &responder, call, body_max(route));
}

struct view_context api_view_context(struct api_call *call)
{
    struct catalog *catalog = app_catalog(call->worker->app);
    struct view_context ctx = {
        .upstream_url = arena_dup(&call->request.arena, catalog->base_url),
        .now_wall_us = clock_wall_us(),
    };

    catalog_unref(catalog);
    return ctx;
}

void api_detail(struct api_call *call, int status, const char *message)
{
    call->status = status;
    call->body.len = 0;
    buf_put(&call->body, STR("{\"detail\":"));
    json_quote(&call->body, str_c(message));
    buf_put(&call->body, STR("}"));
}

void api_text(struct api_call *call, int status, const char *json)
{
    call->status = status;
    call->body.len = 0;
    buf_put(&call->body, str_c(json));
}

void api_json(struct api_call *call, int status, cJSON *tree)
{
    call->status = status;
    call->body.len = 0;
    if (!json_print(&call->body, tree))
        api_detail(call, 503, "No memory for the answer.");
    cJSON_Delete(tree);
}

void api_error(struct api_call *call, const struct err *err)
{
    int status = err_http_status(err->code);

    api_detail(call, status == 507 ? 503 : status, err->msg);
}

int64_t api_query_int(const struct api_call *call, const char *name)
{
    return param_int(call->operation->params, call->query, name);
}

bool api_query_text(const struct api_call *call, const char *name, struct buf *out)
{
    return param_text(call->operation->params, call->query, name, out);
}
