#include "daemon/api/api.h"

#include <stdlib.h>

#include "base/log.h"
#include "ops/operations.h"

/* Answers that clients do not read take memory: above this, large ones are refused. */
#define UNSENT_MAX ((size_t)128 * 1024 * 1024)
#define SMALL_ANSWER ((size_t)64 * 1024)
#define BUSY_WAIT_MS 2000

static void free_if_over(struct api_call *call)
{
    if (call->conn || call->running)
        return;
    atomic_fetch_sub(&call->worker->app->unsent, call->unsent);
    buf_clear(&call->call.body);
    blob_clear(&call->input);
    arena_clear(&call->call.arena);
    free(call);
}

/* Count the answer until it is sent; one too many is refused. */
static void count_unsent(struct api_call *call)
{
    struct app *app = call->worker->app;
    size_t len = call->call.body.len;

    if (len > SMALL_ANSWER && atomic_fetch_add(&app->unsent, len) + len > UNSENT_MAX) {
        atomic_fetch_sub(&app->unsent, len);
        buf_clear(&call->call.body);
        call_detail(&call->call, 503, "Too many answers wait for their clients.");
    } else if (len > SMALL_ANSWER) {
        call->unsent = len;
    }
}

static void answer(struct api_call *a)
{
    struct call *call = &a->call;
    struct str type = call->content_type.ptr ? call->content_type : STR("application/json");
    struct buf body;

    if (!a->conn)
        return;
    count_unsent(a);
    body = call->body;
    call->body = (struct buf){0}; /* the connection has a copy of its own; call may be gone then */
    conn_answer(a->conn, call->status, type, &call->extra, buf_str(&body));
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

static void on_run(struct job *job, struct store *store)
{
    struct api_call *call = LIST_ENTRY(job, struct api_call, job);

    if (!atomic_load(&call->gone))
        call_read(&call->call, store);
}

/* ---- calls that write ---- */

/* What a call that writes may change, by its path; the first that fits. */
static unsigned kinds_of(struct str pattern)
{
    static const struct {
        const char *part;
        unsigned kinds;
    } parts[] = {
        {"/requests/", LIVE_REQUESTS},
        {"/backfill", LIVE_REQUESTS},
        {"/reprice-missing", LIVE_REQUESTS},
        {"/trim", LIVE_REQUESTS},
        {"/runs", LIVE_RUNS},
        {"/routes", LIVE_ROUTES},
        {"/pricing/", LIVE_PRICES | LIVE_PROVIDERS},
        {"/providers", LIVE_PROVIDERS | LIVE_PRICES},
        {"/settings", LIVE_SETTINGS},
        {"/budgets", LIVE_SETTINGS},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (str_find(pattern, str_c(parts[i].part)) >= 0)
            return parts[i].kinds;
    return LIVE_CONFIG;
}

/* The configuration tells its changes itself. */
static void tell_viewers(struct app *app, int64_t id, unsigned kinds, int64_t active_before)
{
    int64_t active = open_runs_active(app->runs);

    if (kinds == LIVE_REQUESTS)
        live_changed(app->live, kinds, UNKNOWN, id > 0 ? id : UNKNOWN);
    else if (kinds == LIVE_RUNS)
        live_changed(app->live, kinds,
                     id > 0              ? id
                     : active != UNKNOWN ? active
                                         : active_before,
                     UNKNOWN);
}

/* What was just written counts on all workers before the client has the answer. */
static void put_in_force(struct app *app, struct store *store, unsigned kinds)
{
    struct err err;

    if (app_reload(app, store, kinds, &err) < 0)
        log_error("cannot put the saved configuration in force: %s", err.msg);
    else if (open_runs_load(app->runs, store, &err) < 0)
        log_error("cannot see which runs are open: %s", err.msg);
    else
        budgets_update(app->budgets, store);
}

/* Another process may change the same file, in short transactions. */
static void wait_for_others(struct store *store, bool on)
{
    if (store)
        store_set_busy_wait(store, on ? BUSY_WAIT_MS : 0);
}

/* True: the call goes on when the writer has looked after others. */
static bool write_once(struct api_call *a, struct store *store)
{
    struct call *call = &a->call;
    struct app *app = a->worker->app;
    unsigned kinds = kinds_of(str_c(call->route->pattern));
    int64_t active_before = open_runs_active(app->runs);
    bool kept;

    wait_for_others(store, true);
    kept = call_write(call, store);
    wait_for_others(store, false);
    if (!kept)
        return false;
    put_in_force(app, store, kinds);
    tell_viewers(app, call->id, kinds, active_before);
    if (call->again) {
        call->again = false;
        if (recorder_submit(app->recorder, &a->writing))
            return true;
    }
    if (call->after)
        call->after(call, store);
    return false;
}

static void on_write(struct recorder_job *job, struct store *store)
{
    struct api_call *call = LIST_ENTRY(job, struct api_call, writing);

    if (!write_once(call, store))
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
    if (call->call.route->write) {
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
        log_warning("cannot keep the results of %s: %s", call->call.route->pattern, err.msg);
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

    call->input = r->body;
    call->call.input = blob_str(&call->input);
    r->body = (struct blob){.budget = r->body.budget};
    call->running = submit(call);
    call->worker->calls += call->running;
    if (!call->running) {
        call_detail(&call->call, 503, "Too many calls wait for the database.");
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

/* ---- what calls need of the server ---- */

struct api_call *api_call_of(struct call *call)
{
    return LIST_ENTRY(call, struct api_call, call);
}

struct app *api_app(const struct call *call)
{
    return call->env->ctx;
}

static struct catalog *env_catalog(void *ctx)
{
    return app_catalog(ctx);
}

static struct str env_upstream_url(void *ctx, struct arena *arena)
{
    struct catalog *catalog = app_catalog(ctx);
    struct str url = arena_dup(arena, catalog->base_url);

    catalog_unref(catalog);
    return url;
}

static int env_next_run_id(void *ctx, struct store *store, int64_t *id, struct err *err)
{
    const struct app *app = ctx;

    return open_runs_new_id(app->runs, store, id, err);
}

/* A step that the writer thread does while a reader thread waits. */
struct step {
    struct recorder_job job;
    struct app *app;
    call_step_fn *run;
    void *arg;
    struct err *err;
    int rc;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
};

static int do_step(struct step *s, struct store *store)
{
    int rc;

    if (!store)
        return err_set(s->err, ERR_BUSY, "The database cannot be opened.");
    wait_for_others(store, true);
    rc = store_begin(store, s->err);
    wait_for_others(store, false);
    if (rc < 0)
        return -1;
    if (s->run(s->arg, store, s->err) < 0 || store_commit(store, s->err) < 0) {
        store_rollback(store);
        return -1;
    }
    put_in_force(s->app, store, LIVE_CONFIG);
    return 0;
}

static void on_step(struct recorder_job *job, struct store *store)
{
    struct step *s = LIST_ENTRY(job, struct step, job);

    s->rc = do_step(s, store);
    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_cond_signal(&s->over);
    pthread_mutex_unlock(&s->lock);
}

static int env_transact(void *ctx, call_step_fn *run, void *arg, struct err *err)
{
    struct step s = {.job.run = on_step, .app = ctx, .run = run, .arg = arg, .err = err};

    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.over, NULL);
    if (recorder_submit(s.app->recorder, &s.job)) {
        pthread_mutex_lock(&s.lock);
        while (!s.done)
            pthread_cond_wait(&s.over, &s.lock);
        pthread_mutex_unlock(&s.lock);
    } else {
        s.rc = err_set(err, ERR_BUSY, "The proxy is stopping.");
    }
    pthread_cond_destroy(&s.over);
    pthread_mutex_destroy(&s.lock);
    return s.rc;
}

static struct call_env env_of(struct app *app)
{
    return (struct call_env){
        .config = app->config,
        .startup = &app->startup,
        .url = app->url,
        .port = app->port,
        .previews = &app->previews,
        .catalog = env_catalog,
        .upstream_url = env_upstream_url,
        .next_run_id = env_next_run_id,
        .transact = env_transact,
        .ctx = app,
    };
}

void api_open(struct worker *w, struct conn *conn, struct request *r,
              const struct call_route *route, int64_t id, struct str slug)
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
    call->env = env_of(w->app);
    call->call = (struct call){
        .env = &call->env,
        .route = route,
        .operation = operation_of(route),
        .arena = r->arena,
        .path = r->path,
        .query = r->query,
        .headers = r->headers,
        .id = id,
        .status = 500,
    };
    r->arena = (struct arena){0};
    call->call.slug = arena_dup(&call->call.arena, slug);
    conn_respond_with(conn, &responder, call, call_input_max(route));
}
