#include "daemon/refresh.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"

struct refresh {
    struct recorder_job job;
    struct app *app;
    _Atomic bool busy;
    bool failing; /* writer thread only */
};

static void look(struct recorder_job *job, struct store *store)
{
    struct refresh *r = LIST_ENTRY(job, struct refresh, job);
    struct err err;
    bool failed = store && app_reload(r->app, store, LIVE_CONFIG, &err) < 0;

    if (failed && !r->failing)
        log_warning("cannot look for a changed configuration: %s", err.msg);
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
