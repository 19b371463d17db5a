#include "daemon/damage.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "store/store.h"

struct damage_check {
    pthread_t thread;
    pthread_mutex_t lock;
    struct store *store; /* while the check runs */
    char *path;
    bool ended;
};

static void report(int rc, bool ok, const struct buf *found, const struct err *err)
{
    if (rc < 0)
        log_warning("the database could not be checked: %s", err->msg);
    else if (ok)
        log_info("the last server did not stop in order; the database is intact");
    else
        log_error("the database is damaged: %s; make a copy and see \"PRAGMA integrity_check\"",
                  found->ptr);
}

static struct store *begin(struct damage_check *check, struct err *err)
{
    struct store *store = store_open(check->path, STORE_READ, err);

    if (store)
        store_set_time_limit(store, 0);
    pthread_mutex_lock(&check->lock);
    check->store = store;
    pthread_mutex_unlock(&check->lock);
    return store;
}

static void *check_main(void *arg)
{
    struct damage_check *check = arg;
    struct buf found = {0};
    struct store *store;
    struct err err;
    bool ok = false, ended;
    int rc = -1;

    store = begin(check, &err);
    if (store)
        rc = store_quick_check(store, &ok, &found, &err);
    pthread_mutex_lock(&check->lock);
    check->store = NULL;
    ended = check->ended;
    pthread_mutex_unlock(&check->lock);
    if (!ended)
        report(rc, ok, &found, &err);
    store_close(store);
    buf_clear(&found);
    return NULL;
}

struct damage_check *damage_check_start(const char *path)
{
    struct damage_check *check = xcalloc(1, sizeof(*check));

    check->path = xstrdup(path);
    pthread_mutex_init(&check->lock, NULL);
    if (pthread_create(&check->thread, NULL, check_main, check) == 0)
        return check;
    free(check->path);
    free(check);
    return NULL;
}

void damage_check_end(struct damage_check *check)
{
    if (!check)
        return;
    pthread_mutex_lock(&check->lock);
    check->ended = true;
    if (check->store)
        store_interrupt(check->store);
    pthread_mutex_unlock(&check->lock);
    pthread_join(check->thread, NULL);
    pthread_mutex_destroy(&check->lock);
    free(check->path);
    free(check);
}
