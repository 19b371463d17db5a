#include "daemon/refresh.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"

struct refresh {
    struct recorder_job job;
    struct app *app;
    _Atomic bool busy;
    bool failing;    /* this and the next, writer thread only */
    int64_t version; /* of what others committed, when it was looked at last */
};

/* Runs that another process started, paused or ended. Changes of our own are seen when they are
 * made. */
static int look_at_runs(struct refresh *r, struct store *store, struct err *err)
{
    int64_t version;

    if (store_data_version(store, &version, err) < 0)
        return -1;
    if (version == r->version)
        return 0;
    if (open_runs_load(r->app->runs, store, err) < 0)
        return -1;
    r->version = version;
    return 0;
}

static void look(struct recorder_job *job, struct store *store)
{
    struct refresh *r = LIST_ENTRY(job, struct refresh, job);
    struct err err;
    bool failed = store && (app_reload(r->app, store, LIVE_CONFIG, &err) < 0 ||
                            look_at_runs(r, store, &err) < 0);

    if (failed && !r->failing)
        log_warning("cannot look for what other processes changed: %s", err.msg);
    r->failing = failed;
    if (store && !failed)
        budgets_update(r->app->budgets, store);
    atomic_store(&r->busy, false);
}

struct refresh *refresh_new(struct app *app)
{
    struct refresh *r = xcalloc(1, sizeof(*r));

    r->app = app;
    r->job.run = look;
    return r;
}

void refresh_look(struct refresh *r)
{
    if (atomic_exchange(&r->busy, true))
        return;
    if (!recorder_submit(r->app->recorder, &r->job))
        atomic_store(&r->busy, false);
}

void refresh_free(struct refresh *r)
{
    free(r);
}
