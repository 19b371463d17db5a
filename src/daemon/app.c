#include "daemon/app.h"

struct catalog *app_catalog(struct app *app)
{
    struct catalog *c;

    pthread_mutex_lock(&app->catalog_lock);
    c = catalog_ref(app->catalog);
    pthread_mutex_unlock(&app->catalog_lock);
    return c;
}

int app_reload(struct app *app, struct store *store, struct err *err)
{
    (void)app; /* nothing of the catalog is stored yet */
    (void)store;
    (void)err;
    return 0;
}
