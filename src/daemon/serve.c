#include "daemon/serve.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "config/config.h"
#include "config/legacy_routes.h"
#include "config/serve_options.h"
#include "daemon/api/live_views.h"
#include "daemon/control.h"
#include "daemon/damage.h"
#include "daemon/demo.h"
#include "daemon/listen.h"
#include "daemon/notify.h"
#include "daemon/otel/otel.h"
#include "daemon/refresh.h"
#include "store/instance.h"
#include "store/store_default_routes.h"
#include "store/store_prices.h"
#include "store/store_routing.h"
#include "json/json.h"

#define READERS 2
#define DRAIN_MS 5000
#define TELEMETRY_DRAIN_MS 2000
#define BUSY_WAIT_MS 5000
#define CONNECTIONS_MAX 10000
#define RESERVED_FDS 32
#define MIB ((size_t)1024 * 1024)

struct server {
    struct config config;
    struct app app;
    struct listen_set listen;
    int instance_fd;
    char *spool_dir;
    char host_name[256];
    struct worker *workers;
    unsigned worker_count;
    struct demo *demo;
    bool unclean; /* the last server of this database did not stop in order */
    struct damage_check *damage;
    size_t new_routes; /* for known models, made by this start */
};

static int report(const struct err *err)
{
    fprintf(stderr, "llm-observe-proxy: %s\n", err->msg);
    return err_exit_status(err->code);
}

static void print_help(void)
{
    struct buf help = {0};

    buf_put(&help,
            STR("usage: llm-observe-proxy [serve] [options]\n\n"
                "Forward /v1/* to an OpenAI-compatible upstream and capture every exchange.\n\n"));
    opts_help(&help, serve_options);
    fputs(help.ptr, stdout);
    buf_clear(&help);
}

/* One descriptor pair per exchange, some for the database, log and spool. */
static size_t raise_fd_limit(void)
{
    struct rlimit limit;
    size_t n;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 8;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    n = limit.rlim_cur > RESERVED_FDS ? (size_t)(limit.rlim_cur - RESERVED_FDS) / 2 : 0;
    return n < 8 ? 8 : n > CONNECTIONS_MAX ? CONNECTIONS_MAX : n;
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size > 0;
}

/* Saved settings count where no flag was given; a database that is not there has none. */
static int read_saved(struct server *s, struct err *err)
{
    struct store *store;
    int rc;

    if (store_check(s->config.database_path, err) < 0)
        return -1;
    if (!is_file(s->config.database_path))
        return 0;
    store = store_open(s->config.database_path, STORE_READ, err);
    if (!store) /* an older schema: its settings are read after the migration, at the next start */
        return 0;
    rc = config_apply_saved(&s->config, store, err);
    store_close(store);
    return rc;
}

static int prepare_database(struct server *s, struct err *err)
{
    const struct config *c = &s->config;
    bool exists = is_file(c->database_path);

    if (exists && instance_lock(c->database_path, &s->instance_fd, &s->unclean, err) < 0)
        return -1;
    if (store_prepare(c->database_path, c->no_backup, err) < 0)
        return -1;
    return exists ? 0 : instance_lock(c->database_path, &s->instance_fd, &s->unclean, err);
}

/* Routes of an old version first: a person made them. In a demo all goes to its own upstream. */
static int settle_routes(struct server *s, struct store *store, struct err *err)
{
    if (legacy_routes_adopt(store, err) < 0)
        return -1;
    return s->config.settings.default_routes && !s->demo
               ? store_default_routes_once(store, &s->new_routes, err)
               : 0;
}

static int settle_rows(struct server *s, struct err *err)
{
    struct store *store = store_open(s->config.database_path, STORE_WRITE, err);
    int64_t last = 0, closed = 0;
    int rc = -1;

    if (!store)
        return -1;
    store_keep_log(store);
    s->app.runs = open_runs_new();
    if (store_last_id(store, &last, err) < 0 ||
        store_close_pending(store, clock_wall_us(), &closed, err) < 0 ||
        store_seed(store, err) < 0 || settle_routes(s, store, err) < 0 ||
        open_runs_load(s->app.runs, store, err) < 0)
        goto out;
    if (closed > 0)
        log_info("closed rows that an earlier process left pending count=%lld", (long long)closed);
    atomic_store(&s->app.next_id, last + 1);
    rc = 0;
out:
    store_close(store);
    return rc;
}

static void watch_store(struct app *app)
{
    struct recorder_stats stats;

    recorder_stats(app->recorder, &stats);
    live_watch_store(app->live, &stats);
}

static void on_stored(void *ctx, struct capture *c, bool committed)
{
    struct app *app = ctx;

    if (!committed)
        watch_store(app);
    live_finished(app->live, c);
    metrics_add(app->metrics, c);
    otel_add(app->otel, c);
}

static void on_committed(void *ctx, struct store *store)
{
    struct app *app = ctx;

    budgets_update(app->budgets, store);
    watch_store(app);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (path[0] == ':' || strncmp(path, "file:", 5) == 0)
        return NULL;
    return slash ? str_dup((struct str){path, slash == path ? 1 : (size_t)(slash - path)})
                 : xstrdup(".");
}

static void init_budgets(struct server *s)
{
    const char *tmp = getenv("TMPDIR");

    s->spool_dir = folder_of(s->config.database_path);
    s->app.request_budget = (struct blob_budget){.limit = 128 * MIB, .each = 8 * MIB};
    s->app.capture_budget = (struct blob_budget){.limit = 64 * MIB, .each = 8 * MIB};
    s->app.request_budget.spool_dirs[0] = s->app.capture_budget.spool_dirs[0] = s->spool_dir;
    s->app.request_budget.spool_dirs[1] = s->app.capture_budget.spool_dirs[1] = tmp ? tmp : "/tmp";
}

static void init_guard(struct server *s)
{
    const struct config *c = &s->config;

    gethostname(s->host_name, sizeof(s->host_name) - 1);
    s->app.guard = (struct guard){
        .allowed_hosts = (const char *const *)c->allowed_hosts,
        .allowed_host_count = c->allowed_host_count,
        .allowed_origins = (const char *const *)c->allowed_origins,
        .allowed_origin_count = c->allowed_origin_count,
        .own_name = s->host_name,
        .listen_host = c->host,
    };
    for (size_t i = 0; i < c->allowed_host_count; i++)
        if (strcmp(c->allowed_hosts[i], "*") == 0)
            log_warning("any Host is accepted: web pages may reach this proxy");
}

/* The configuration that is in force from the first request on. */
static int init_catalog(struct server *s, struct err *err)
{
    struct store *store = store_open(s->config.database_path, STORE_READ, err);
    int rc;

    if (!store)
        return -1;
    s->app.startup = config_startup(&s->config);
    s->app.startup.states = upstream_states_new();
    rc = app_reload(&s->app, store, LIVE_CONFIG, err);
    budgets_update(s->app.budgets, store);
    store_close(store);
    return rc;
}

/* Literal keys are in memory: no core file, no other process of the user may read them. */
static void protect_keys(const struct config *c)
{
    if (c->models.key_count > 0)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int init_app(struct server *s, struct err *err)
{
    const struct config *c = &s->config;
    struct recorder_limits limits = {
        .queue_limit = (size_t)c->settings.queue_limit,
        .queue_limit_bytes = (size_t)c->settings.queue_limit_bytes,
        .full_sync = c->full_sync,
        .search = c->settings.search_index != 0,
    };
    struct recorder_events events = {
        .stored = on_stored, .committed = on_committed, .ctx = &s->app};

    s->app.config = c;
    s->app.started_us = clock_now_us();
    s->app.started_wall_us = clock_wall_us();
    snprintf(s->app.instance, sizeof(s->app.instance), "%08x",
             (unsigned)(s->app.started_wall_us ^ getpid()));
    pthread_mutex_init(&s->app.catalog_lock, NULL);
    previews_init(&s->app.previews, s->app.instance);
    init_budgets(s);
    init_guard(s);
    s->app.live = live_new();
    s->app.live_views = live_views_new();
    s->app.metrics = metrics_new();
    if (otel_start(&s->app.otel, str_c(s->app.instance), s->app.runs, err) < 0)
        return -1;
    s->app.budgets = budgets_new();
    s->app.recorder = recorder_start(c->database_path, &limits, &events, err);
    if (!s->app.recorder || init_catalog(s, err) < 0)
        return -1;
    s->app.refresh = refresh_new(&s->app);
    s->app.readers = readers_start(c->database_path, READERS, err);
    return s->app.readers ? 0 : -1;
}

static int init_workers(struct server *s, size_t max_conns, struct err *err)
{
    s->workers = xcalloc(s->config.workers, sizeof(*s->workers));
    for (; s->worker_count < s->config.workers; s->worker_count++) {
        struct worker *w = &s->workers[s->worker_count];

        w->max_conns = max_conns / s->config.workers;
        if (worker_init(w, &s->app, s->listen.fds[s->worker_count], s->listen.count, err) < 0)
            return -1;
    }
    for (unsigned w = 0; w < s->listen.workers; w++) /* the workers own them now */
        for (unsigned i = 0; i < s->listen.count; i++)
            s->listen.fds[w][i] = -1;
    return 0;
}

static void name_url(struct server *s)
{
    const struct config *c = &s->config;
    const char *host = c->expose_all ? "0.0.0.0" : c->host;

    s->app.port = s->listen.port;
    snprintf(s->app.url, sizeof(s->app.url), strchr(host, ':') ? "http://[%s]:%d" : "http://%s:%d",
             host, s->listen.port);
}

static int write_instance(struct server *s, struct err *err)
{
    char stamp[CLOCK_ISO_SIZE];
    struct buf json = {0};
    cJSON *o = cJSON_CreateObject();
    int rc;

    json_put_int(o, "pid", getpid());
    json_put_text(o, "url", s->app.url);
    json_put_text(o, "host", s->host_name);
    json_put_text(o, "instance", s->app.instance);
    json_put_text(o, "version", LOP_VERSION);
    json_put_text(o, "started_at", clock_iso(s->app.started_wall_us, stamp));
    json_print(&json, o);
    buf_put(&json, STR("\n"));
    rc = instance_write(s->instance_fd, json.ptr, err);
    cJSON_Delete(o);
    buf_clear(&json);
    return rc;
}

/* Where requests go has changed, without anybody asking for it. */
static void log_new_routes(const struct server *s)
{
    if (s->new_routes > 0)
        log_info("made routes for known models: they go to their providers, others to the upstream "
                 "count=%zu",
                 s->new_routes);
}

static void warn_exposed(const struct server *s)
{
    if (s->config.expose_all)
        log_warning("listening on all addresses: everybody who reaches http://%s:%d can use this "
                    "proxy and read what it captured",
                    s->host_name, s->listen.port);
}

/* One line that scripts may wait for; more for a person. */
static void announce(void *ctx)
{
    struct server *s = ctx;
    const struct config *c = &s->config;

    malloc_trim(0); /* what the start needed */
    printf("llm-observe-proxy %s listening on %s\n", LOP_VERSION, s->app.url);
    if (isatty(STDOUT_FILENO)) {
        printf("  proxy     %s/v1 -> %s\n", s->app.url, config_upstream_url(c));
        if (s->new_routes > 0)
            printf("            %zu known models go to their own providers instead, with keys of "
                   "your\n            environment; --set default_routes=0 on a new database makes "
                   "no such routes\n",
                   s->new_routes);
        printf("  admin     %s/admin\n", s->app.url);
        printf("  database  %s\n", c->database_path);
        printf("  try       llm-observe-proxy requests tail -f\n");
    }
    fflush(stdout);
    log_new_routes(s);
    warn_exposed(s);
    notify_systemd("READY=1");
    if (s->demo)
        demo_start(s->demo, s->app.url);
}

static void on_tick(void *ctx)
{
    struct server *s = ctx;

    refresh_look(s->app.refresh);
}

static int run(struct server *s, struct err *err)
{
    const struct control_events events = {.ready = announce, .tick = on_tick, .ctx = s};
    size_t max_conns = raise_fd_limit();
    int rc = -1;

    if (prepare_database(s, err) < 0 || settle_rows(s, err) < 0 || init_app(s, err) < 0 ||
        init_workers(s, max_conns, err) < 0)
        return -1;
    name_url(s);
    if (write_instance(s, err) < 0)
        return -1;
    if (s->unclean)
        s->damage = damage_check_start(s->config.database_path);
    rc = control_run(s->workers, s->worker_count, s->config.settings.shutdown_grace_ms, &events,
                     err);
    notify_systemd("STOPPING=1");
    return rc;
}

/* Returns the number of captures that could not be written. */
static int64_t stop(struct server *s)
{
    int64_t lost = 0;

    demo_stop(s->demo);
    damage_check_end(s->damage);
    if (s->app.readers)
        readers_stop(s->app.readers);
    if (s->app.recorder)
        lost = recorder_stop(s->app.recorder, DRAIN_MS);
    otel_stop(s->app.otel, TELEMETRY_DRAIN_MS);
    refresh_free(s->app.refresh);
    live_views_free(s->app.live_views);
    live_free(s->app.live);
    previews_clear(&s->app.previews);
    open_runs_free(s->app.runs);
    metrics_free(s->app.metrics);
    budgets_free(s->app.budgets);
    catalog_unref(s->app.catalog);
    upstream_states_free(s->app.startup.states);
    listen_close(&s->listen);
    if (s->config.database_path)
        instance_release(s->config.database_path, s->instance_fd);
    free(s->workers);
    free(s->spool_dir);
    return lost;
}

static int serve(struct server *s, struct err *err)
{
    int64_t lost;
    int rc;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    control_block_signals();
    log_start();
    rc = run(s, err);
    lost = stop(s);
    if (lost > 0)
        log_error("captures that could not be written count=%lld", (long long)lost);
    log_stop();
    if (rc < 0)
        return report(err);
    return lost > 0 ? err_exit_status(ERR_STORE) : 0;
}

/* What can be wrong before anything is written; binds the port. */
static int prepare(struct server *s, const struct opts *opts, struct err *err)
{
    struct config *c = &s->config;

    s->instance_fd = -1;
    if (config_load(c, opts, err) < 0)
        return -1;
    protect_keys(c);
    log_set_level(c->log_level);
    log_set_json(c->log_json);
    if (c->demo) {
        s->demo = demo_new(c, opts_text(opts, "database-url") != NULL, err);
        if (!s->demo)
            return -1;
    }
    if (read_saved(s, err) < 0)
        return -1;
    if (c->print_config || c->backfill_cached_costs)
        return 0;
    return listen_bind(&s->listen, c->expose_all ? "0.0.0.0" : c->host, c->port, c->workers, err);
}

/* Returns the exit status. */
static int backfill_cached(const struct config *c)
{
    struct backfill b = {.kind = BACKFILL_CACHED};
    struct store *store = NULL;
    struct err err;
    int rc = store_prepare(c->database_path, c->no_backup, &err);

    if (rc == 0)
        rc = (store = store_open(c->database_path, STORE_WRITE, &err)) ? 0 : -1;
    if (rc == 0) {
        store_set_busy_wait(store, BUSY_WAIT_MS); /* a server may be using it */
        rc = store_seed(store, &err);
    }
    if (rc == 0)
        rc = store_backfill_all(store, &b, &err);
    store_close(store);
    if (rc < 0)
        return report(&err);
    printf("repriced %lld requests\n", (long long)b.repriced);
    return 0;
}

int cmd_serve(int argc, char **argv)
{
    static struct server s;
    struct opts opts = {0};
    struct buf text = {0};
    struct err err;
    int status;

    if (opts_parse(&opts, serve_options, argc - 1, argv + 1, &err) < 0) {
        status = report(&err);
        fprintf(stderr, "Try \"llm-observe-proxy serve --help\".\n");
    } else if (opts_flag(&opts, "help")) {
        print_help();
        status = 0;
    } else if (opts_flag(&opts, "version")) {
        printf("llm-observe-proxy %s\n", LOP_VERSION);
        status = 0;
    } else if (prepare(&s, &opts, &err) < 0) {
        status = report(&err);
    } else if (s.config.print_config) {
        config_json(&s.config, &text);
        fputs(text.ptr, stdout);
        status = 0;
    } else if (s.config.backfill_cached_costs) {
        status = backfill_cached(&s.config);
    } else if (s.config.check) {
        printf("configuration, database %s and port %d are fine\n", s.config.database_path,
               s.listen.port);
        listen_close(&s.listen);
        status = 0;
    } else {
        status = serve(&s, &err);
    }
    demo_free(s.demo);
    buf_clear(&text);
    opts_clear(&opts);
    config_clear(&s.config);
    return status;
}
