#include "ops/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/query.h"
#include "base/xalloc.h"
#include "config/serve_options.h"
#include "ops/operations.h"
#include "ops/tables.h"
#include "store/store_routing.h"

#define BUSY_WAIT_MS 5000
#define PAUSE_MAX_US 20000

static const struct call_route *const tables[] = {OPS_TABLES, op_health_routes, NULL};

struct ops {
    struct store *reader, *writer; /* writer: opened by the first change */
    char *path;
    struct config config;
    struct startup startup;
    struct catalog *catalog; /* NULL: not read yet, or changed since */
    struct previews previews;
    char *refused; /* why nothing is changed; NULL: it may be */
    bool changed;  /* something was written since config was read */
    bool failed;   /* what a call needs, by failure: its answer does not count */
    struct err failure;
};

/* ---- what calls need ---- */

static void forget_catalog(struct ops *ops)
{
    catalog_unref(ops->catalog);
    ops->catalog = NULL;
}

/* Something was written: the next call reads the configuration again. */
static void see_change(struct ops *ops)
{
    forget_catalog(ops);
    ops->changed = true;
}

/* The calls cannot fail here: an empty one takes its place until the call is over. */
static struct catalog *env_catalog(void *ctx)
{
    struct ops *ops = ctx;

    if (!ops->catalog &&
        store_catalog(ops->reader, &ops->startup, &ops->catalog, &ops->failure) < 0) {
        ops->failed = true;
        ops->catalog = catalog_new(&(struct catalog_source){.base_url = ops->startup.base_url});
    }
    return catalog_ref(ops->catalog);
}

/* As the catalog would say, which takes longer to make than most calls. */
static struct str env_upstream_url(void *ctx, struct arena *arena)
{
    struct ops *ops = ctx;

    return arena_dup(arena, str_c(config_upstream_url(&ops->config)));
}

static int env_next_run_id(void *ctx, struct store *store, int64_t *id, struct err *err)
{
    (void)ctx;
    if (store_run_last_id(store, id, err) < 0)
        return -1;
    ++*id;
    return 0;
}

static struct store *writer(struct ops *ops, struct err *err)
{
    if (ops->refused) {
        err_set(err, ERR_UNREACHABLE, "%s", ops->refused);
        return NULL;
    }
    if (!ops->writer) {
        ops->writer = store_open(ops->path, STORE_WRITE, err);
        if (ops->writer)
            store_set_busy_wait(ops->writer, BUSY_WAIT_MS);
    }
    return ops->writer;
}

static int env_transact(void *ctx, call_step_fn *step, void *arg, struct err *err)
{
    struct ops *ops = ctx;
    struct store *store = writer(ops, err);

    if (!store) {
        ops->failed = true;
        ops->failure = *err;
        return -1;
    }
    if (store_begin(store, err) < 0)
        return -1;
    if (step(arg, store, err) < 0 || store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    see_change(ops);
    return 0;
}

/* ---- the file ---- */

/* As a server of this file would start in this environment, without flags. */
static int load_config(struct ops *ops, struct err *err)
{
    char option[] = "--database-url", *argv[] = {option, ops->path};
    struct opts opts;
    int rc = opts_parse(&opts, serve_options, 2, argv, err);

    config_clear(&ops->config);
    if (rc == 0)
        rc = config_load(&ops->config, &opts, err);
    opts_clear(&opts);
    if (rc == 0)
        rc = config_apply_saved(&ops->config, ops->reader, err);
    if (rc == 0)
        ops->startup = config_startup(&ops->config);
    return rc;
}

struct ops *ops_open(const char *path, struct err *err)
{
    struct ops *ops = xcalloc(1, sizeof(*ops));

    previews_init(&ops->previews, "file");
    ops->path = xstrdup(path);
    ops->reader = store_open(path, STORE_READ, err);
    if (ops->reader && load_config(ops, err) == 0)
        return ops;
    ops_close(ops);
    return NULL;
}

void ops_close(struct ops *ops)
{
    if (!ops)
        return;
    forget_catalog(ops);
    previews_clear(&ops->previews);
    store_close(ops->reader);
    store_close(ops->writer); /* last: it may put the log away */
    config_clear(&ops->config);
    free(ops->path);
    free(ops->refused);
    free(ops);
}

struct store *ops_store(struct ops *ops)
{
    return ops->reader;
}

void ops_refuse_changes(struct ops *ops, const char *why)
{
    free(ops->refused);
    ops->refused = xstrdup(why);
}

/* ---- calls ---- */

/* A server that writes to the file as well gets its turn. */
static void pause_as_long(int64_t since_us)
{
    int64_t took_us = clock_now_us() - since_us;
    struct timespec pause = {.tv_nsec = (took_us < PAUSE_MAX_US ? took_us : PAUSE_MAX_US) * 1000};

    nanosleep(&pause, NULL);
}

static int change(struct ops *ops, const struct ops_call *in, struct call *call, struct err *err)
{
    struct store *store = writer(ops, err);
    int64_t since_us;

    if (!store)
        return -1;
    for (;;) {
        since_us = clock_now_us();
        call->again = false;
        if (!call_write(call, store))
            return 0;
        see_change(ops);
        if (in->progress)
            in->progress(in->ctx, call->progress);
        if (!call->again)
            break;
        pause_as_long(since_us);
    }
    if (call->after)
        call->after(call, store);
    return 0;
}

static int run(struct ops *ops, const struct ops_call *in, struct call *call, struct err *err)
{
    ops->failed = false;
    if (!call->route->write)
        call_read(call, ops->reader);
    else if (change(ops, in, call, err) < 0)
        return -1;
    if (!ops->failed)
        return 0;
    forget_catalog(ops);
    *err = ops->failure;
    return -1;
}

static void take_answer(struct call *call, struct ops_answer *out)
{
    struct str type = call->content_type.ptr ? call->content_type : STR("application/json");

    out->status = call->status;
    snprintf(out->content_type, sizeof(out->content_type), "%.*s", STR_ARG(type));
    out->body = call->body;
    call->body = (struct buf){0};
}

static int answer_route(struct ops *ops, const struct ops_call *in, const struct found *found,
                        struct ops_answer *out, struct err *err)
{
    struct call_env env = {
        .config = &ops->config,
        .startup = &ops->startup,
        .port = ops->config.port,
        .previews = &ops->previews,
        .catalog = env_catalog,
        .upstream_url = env_upstream_url,
        .next_run_id = env_next_run_id,
        .transact = env_transact,
        .ctx = ops,
    };
    struct call call = {
        .env = &env,
        .route = found->route,
        .operation = operation_of(found->route),
        .path = in->path,
        .query = in->query,
        .input = in->json,
        .id = found->id,
        .slug = found->slug,
        .status = 500,
    };
    int rc = 0;

    if (in->json.ptr)
        rc = headers_add(&call.headers, &call.arena, STR("Content-Type"), STR("application/json"),
                         err);
    if (rc == 0)
        rc = run(ops, in, &call, err);
    if (rc == 0)
        take_answer(&call, out);
    buf_clear(&call.body);
    arena_clear(&call.arena);
    return rc;
}

/* What no route answers. */
static int answer_unknown(const struct ops_call *in, const struct found *found,
                          struct ops_answer *out, struct err *err)
{
    if (found->route) {
        out->status = 422;
        found_refuse_id(found, in->query, &out->body);
        return 0;
    }
    return err_set(err, ERR_UNREACHABLE, "%s needs a running server", in->what);
}

int ops_answer(struct ops *ops, const struct ops_call *in, struct ops_answer *out, struct err *err)
{
    struct buf path = {0};
    struct found found = {0};
    int rc;

    *out = (struct ops_answer){.content_type = "application/json"};
    if (ops->changed && load_config(ops, err) < 0)
        return -1;
    ops->changed = false;
    if (query_decode(&path, in->path, false, err) < 0)
        return -1;
    tables_find(tables, str_c(in->method), buf_str(&path), &found);
    if (!found.route || found.bad_id.ptr)
        rc = answer_unknown(in, &found, out, err);
    else if ((int64_t)in->json.len > call_input_max(found.route))
        rc = err_set(err, ERR_TOO_LARGE, "the body is larger than %lld bytes",
                     (long long)call_input_max(found.route));
    else
        rc = answer_route(ops, in, &found, out, err);
    buf_clear(&found.allow);
    buf_clear(&path);
    return rc;
}
