/* daemon/app.h - what the workers share. Everything here may be used from any thread. */
#ifndef DAEMON_APP_H
#define DAEMON_APP_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/blob.h"
#include "config/config.h"
#include "core/catalog.h"
#include "daemon/http/guard.h"
#include "daemon/record/budgets.h"
#include "daemon/record/live.h"
#include "daemon/record/metrics.h"
#include "daemon/record/open_runs.h"
#include "daemon/record/reader.h"
#include "daemon/record/recorder.h"
#include "ops/previews.h"

struct app {
    const struct config *config; /* immutable while the workers run */
    _Atomic int64_t next_id;     /* of requests */
    struct recorder *recorder;
    struct readers *readers;
    struct live *live;
    struct open_runs *runs;
    struct metrics *metrics;
    struct otel *otel; /* NULL: no telemetry is exported */
    struct budgets *budgets;
    struct blob_budget request_budget, capture_budget;
    struct guard guard;
    struct startup startup;       /* what every catalog starts from */
    pthread_mutex_t catalog_lock; /* of catalog */
    struct catalog *catalog;
    struct previews previews;
    struct refresh *refresh; /* looks for what other processes change */
    char instance[16];       /* changes with each start */
    int64_t started_wall_us, started_us;
    char url[300];                 /* where it listens */
    int port;                      /* of url */
    struct live_views *live_views; /* answers of /api/live, for all who ask the same */
    _Atomic int viewers;           /* open event streams */
    _Atomic size_t unsent;         /* bytes of API answers that clients have not taken yet */
};

/** A reference to the catalog in force. */
struct catalog *app_catalog(struct app *app);
/** Put what store holds in force, if that is newer; the next request on every worker uses it.
 *  kinds, of enum live_kind, is what may have changed: viewers are told. */
int app_reload(struct app *app, struct store *store, unsigned kinds, struct err *err);

#endif
