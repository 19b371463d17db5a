#include "daemon/app.h"

#include "store/store_routing.h"

struct catalog *app_catalog(struct app *app)
{
    struct catalog *c;

    pthread_mutex_lock(&app->catalog_lock);
    c = catalog_ref(app->catalog);
    pthread_mutex_unlock(&app->catalog_lock);
    return c;
}

/* Two threads may read the configuration at once: what is older comes too late. */
static void put_in_force(struct app *app, struct catalog *made)
{
    struct catalog *old = made;

    pthread_mutex_lock(&app->catalog_lock);
    if (!app->catalog || app->catalog->generation < made->generation) {
        old = app->catalog;
        app->catalog = made;
    }
    pthread_mutex_unlock(&app->catalog_lock);
    catalog_unref(old);
}

static bool is_current(struct app *app, int64_t generation)
{
    bool current;

    pthread_mutex_lock(&app->catalog_lock);
    current = app->catalog && app->catalog->generation >= generation;
    pthread_mutex_unlock(&app->catalog_lock);
    return current;
}

int app_reload(struct app *app, struct store *store, unsigned kinds, struct err *err)
{
    struct catalog *made;
    int64_t generation;

    if (store_generation(store, &generation, err) < 0)
        return -1;
    if (is_current(app, generation))
        return 0;
    if (store_catalog(store, &app->startup, &made, err) < 0)
        return -1;
    put_in_force(app, made);
    live_changed(app->live, kinds, UNKNOWN, UNKNOWN);
    return 0;
}
