#include "daemon/record/reader.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"

/* Jobs that may wait; a client that gets 503 can ask again. */
#define WAITING_MAX 64
#define QUERY_LIMIT_MS 5000

struct readers {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct list jobs; /* of job.note.node */
    size_t waiting;
    bool stopping;
    char *path;
    unsigned count;
    pthread_t threads[];
};

static void done_note(struct note *note)
{
    struct job *job = LIST_ENTRY(note, struct job, note);

    job->done(job);
}

/* The next job, or NULL when stopping; jobs that did not run are sent home on the way. */
static struct job *next_job(struct readers *readers)
{
    struct job *job = NULL;

    pthread_mutex_lock(&readers->lock);
    while (list_empty(&readers->jobs) && !readers->stopping)
        pthread_cond_wait(&readers->wake, &readers->lock);
    if (!readers->stopping) {
        job = LIST_ENTRY(readers->jobs.next, struct job, note.node);
        list_remove(&job->note.node);
        readers->waiting--;
    }
    pthread_mutex_unlock(&readers->lock);
    return job;
}

/* A store is kept while its file is the one at the path. */
static struct store *current_store(struct readers *readers, struct store *store)
{
    struct err err;

    if (store && store_current(store))
        return store;
    store_close(store);
    store = store_open(readers->path, STORE_READ, &err);
    if (!store)
        log_warning("cannot read captures: %s", err.msg);
    return store;
}

static void *reader_main(void *arg)
{
    struct readers *readers = arg;
    struct store *store = NULL;
    struct job *job;

    while ((job = next_job(readers))) {
        store = current_store(readers, store);
        if (store)
            store_set_time_limit(store, QUERY_LIMIT_MS);
        job->run(job, store);
        job->note.run = done_note;
        inbox_post(job->home, &job->note);
    }
    store_close(store);
    return NULL;
}

struct readers *readers_start(const char *path, unsigned count, struct err *err)
{
    struct readers *readers = xcalloc(1, sizeof(*readers) + count * sizeof(pthread_t));

    pthread_mutex_init(&readers->lock, NULL);
    pthread_cond_init(&readers->wake, NULL);
    list_init(&readers->jobs);
    readers->path = xstrdup(path);
    for (; readers->count < count; readers->count++) {
        int rc = pthread_create(&readers->threads[readers->count], NULL, reader_main, readers);

        if (rc != 0) {
            err_set(err, ERR_FAILED, "cannot start a reader thread: %s", strerror(rc));
            readers_stop(readers);
            return NULL;
        }
    }
    return readers;
}

bool readers_submit(struct readers *readers, struct job *job)
{
    bool taken;

    pthread_mutex_lock(&readers->lock);
    taken = !readers->stopping && readers->waiting < WAITING_MAX;
    if (taken) {
        list_add_tail(&readers->jobs, &job->note.node);
        readers->waiting++;
        pthread_cond_signal(&readers->wake);
    }
    pthread_mutex_unlock(&readers->lock);
    return taken;
}

void readers_stop(struct readers *readers)
{
    pthread_mutex_lock(&readers->lock);
    readers->stopping = true;
    pthread_cond_broadcast(&readers->wake);
    pthread_mutex_unlock(&readers->lock);
    for (unsigned i = 0; i < readers->count; i++)
        pthread_join(readers->threads[i], NULL);
    while (!list_empty(&readers->jobs)) {
        struct job *job = LIST_ENTRY(readers->jobs.next, struct job, note.node);

        list_remove(&job->note.node);
        job->note.run = done_note;
        inbox_post(job->home, &job->note);
    }
    pthread_cond_destroy(&readers->wake);
    pthread_mutex_destroy(&readers->lock);
    free(readers->path);
    free(readers);
}
