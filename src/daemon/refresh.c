#include "daemon/refresh.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/xalloc.h"

#define EVERY_NS 250000000
#define BUSY_MS 1000

struct refresh {
    struct app *app;
    pthread_t thread;
    pthread_mutex_t lock; /* of stop */
    pthread_cond_t wake;
    bool stop;
    struct store *store; /* this thread's own */
    bool failing;
};

/* True when it is time to stop. */
static bool pause_or_stop(struct refresh *r)
{
    struct timespec until;
    bool stop;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += EVERY_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&r->lock);
    if (!r->stop)
        pthread_cond_timedwait(&r->wake, &r->lock, &until);
    stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    return stop;
}

static int look(struct refresh *r, struct err *err)
{
    if (r->store && !store_current(r->store)) {
        store_close(r->store);
        r->store = NULL;
    }
    if (!r->store) {
        r->store = store_open(r->app->config->database_path, STORE_READ, err);
        if (!r->store)
            return -1;
        store_set_time_limit(r->store, BUSY_MS);
    }
    return app_reload(r->app, r->store, err);
}

static void *refresh_main(void *arg)
{
    struct refresh *r = arg;
    struct err err;

    while (!pause_or_stop(r)) {
        bool failed = look(r, &err) < 0;

        if (failed && !r->failing)
            log_warning("cannot look for a changed configuration: %s", err.msg);
        r->failing = failed;
    }
    store_close(r->store);
    return NULL;
}

struct refresh *refresh_start(struct app *app)
{
    struct refresh *r = xcalloc(1, sizeof(*r));

    r->app = app;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    if (pthread_create(&r->thread, NULL, refresh_main, r) == 0)
        return r;
    free(r);
    return NULL;
}

void refresh_stop(struct refresh *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
