#include "daemon/record/open_runs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"

/* Clients can start runs by naming them: more than these at once are somebody's mistake. */
#define OPEN_MAX 1000
#define BUSY_WAIT_MS 2000

struct open_run {
    int64_t id, started_us;
    char *name;
    bool stored;
};

struct open_runs {
    _Atomic int64_t active, last_id;
    pthread_mutex_t lock;
    struct open_run *items;
    size_t count;
    bool told; /* that there is no room */
};

struct open_runs *open_runs_new(void)
{
    struct open_runs *runs = xcalloc(1, sizeof(*runs));

    atomic_init(&runs->active, UNKNOWN);
    pthread_mutex_init(&runs->lock, NULL);
    runs->items = xcalloc(OPEN_MAX, sizeof(*runs->items));
    return runs;
}

static void forget(struct open_run *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].name);
    free(items);
}

void open_runs_free(struct open_runs *runs)
{
    if (!runs)
        return;
    forget(runs->items, runs->count);
    pthread_mutex_destroy(&runs->lock);
    free(runs);
}

/* ---- what the store says ---- */

struct loading {
    struct open_run *items;
    size_t count;
    int64_t active;
};

/* The active run comes first, however many are paused; then the newest. */
static void add_stored(void *ctx, const struct run *run)
{
    struct loading *l = ctx;

    if (l->count == OPEN_MAX)
        return;
    if (l->active == UNKNOWN && run_state(run) == RUN_ACTIVE)
        l->active = run->id;
    l->items[l->count++] = (struct open_run){run->id, run->started_us, str_dup(run->name), true};
}

static bool holds(const struct loading *l, int64_t id)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].id == id)
            return true;
    return false;
}

/* What waits for the writer stays. */
static void keep_unstored(struct open_runs *runs, struct loading *l)
{
    for (size_t i = 0; i < runs->count && l->count < OPEN_MAX; i++) {
        struct open_run *run = &runs->items[i];

        if (run->stored || holds(l, run->id))
            continue;
        l->items[l->count++] = *run;
        run->name = NULL;
    }
}

static void raise_last_id(struct open_runs *runs, int64_t id)
{
    int64_t last = atomic_load(&runs->last_id);

    while (last < id && !atomic_compare_exchange_weak(&runs->last_id, &last, id))
        ;
}

int open_runs_load(struct open_runs *runs, struct store *store, struct err *err)
{
    struct loading l = {xcalloc(OPEN_MAX, sizeof(*l.items)), 0, UNKNOWN};
    struct open_run *old;
    size_t old_count;
    int64_t last;

    if (store_run_last_id(store, &last, err) < 0 ||
        store_runs_open(store, OPEN_MAX, add_stored, &l, err) < 0) {
        forget(l.items, l.count);
        return -1;
    }
    raise_last_id(runs, last);
    pthread_mutex_lock(&runs->lock);
    keep_unstored(runs, &l);
    old = runs->items;
    old_count = runs->count;
    runs->items = l.items;
    runs->count = l.count;
    runs->told = runs->told && l.count == OPEN_MAX;
    atomic_store(&runs->active, l.active);
    pthread_mutex_unlock(&runs->lock);
    forget(old, old_count);
    return 0;
}

int64_t open_runs_active(const struct open_runs *runs)
{
    return atomic_load_explicit(&((struct open_runs *)runs)->active, memory_order_acquire);
}

static int64_t next_id(struct open_runs *runs)
{
    return atomic_fetch_add(&runs->last_id, 1) + 1;
}

int open_runs_new_id(struct open_runs *runs, struct store *store, int64_t *id, struct err *err)
{
    int64_t last;

    if (store_run_last_id(store, &last, err) < 0)
        return -1;
    raise_last_id(runs, last);
    *id = next_id(runs);
    return 0;
}

/* ---- by name ---- */

struct start {
    struct recorder_job job;
    struct open_runs *runs;
    struct run run;
    char *name;
};

static void mark_stored(struct open_runs *runs, int64_t id, bool stored)
{
    pthread_mutex_lock(&runs->lock);
    for (size_t i = 0; i < runs->count; i++) {
        if (runs->items[i].id != id)
            continue;
        runs->items[i].stored = true;
        if (!stored) { /* its requests belong to no run; the next one tries again */
            free(runs->items[i].name);
            runs->items[i] = runs->items[--runs->count];
        }
        break;
    }
    pthread_mutex_unlock(&runs->lock);
}

static void run_start(struct recorder_job *job, struct store *store)
{
    struct start *s = LIST_ENTRY(job, struct start, job);
    struct err err = {.msg = "the database cannot be opened"};
    bool stored;

    if (store)
        store_set_busy_wait(store, BUSY_WAIT_MS);
    stored = store && store_run_insert(store, &s->run, &err) == 0;
    if (store)
        store_set_busy_wait(store, 0);
    if (!stored)
        log_error("cannot start run \"%s\": %s", s->name, err.msg);
    mark_stored(s->runs, s->run.id, stored);
    free(s->name);
    free(s);
}

/* Open, but paused: only requests that name it come to it. */
static void submit(struct open_runs *runs, const struct open_run *run, struct recorder *recorder)
{
    struct start *s = xcalloc(1, sizeof(*s));

    s->job.urgent = true;
    s->job.run = run_start;
    s->runs = runs;
    s->name = xstrdup(run->name);
    s->run = (struct run){
        .id = run->id,
        .name = str_c(s->name),
        .started_us = run->started_us,
        .ended_us = UNKNOWN,
        .paused_us = run->started_us,
    };
    budget_init(&s->run.budget);
    if (recorder_submit(recorder, &s->job))
        return;
    free(s->name);
    free(s);
}

static const struct open_run *find(const struct open_runs *runs, struct str name)
{
    const struct open_run *found = NULL;

    for (size_t i = 0; i < runs->count; i++) {
        const struct open_run *run = &runs->items[i];

        if (str_eq(str_c(run->name), name) && (!found || run->started_us > found->started_us))
            found = run;
    }
    return found;
}

static void tell_full(struct open_runs *runs)
{
    if (!runs->told)
        log_warning("%d runs are open: requests that name another one belong to no run; end those "
                    "that are done",
                    OPEN_MAX);
    runs->told = true;
}

int64_t open_runs_named(struct open_runs *runs, struct str name, int64_t now_us,
                        struct recorder *recorder)
{
    const struct open_run *found;
    struct str no_notes = STR_NONE;
    int64_t id = UNKNOWN;
    struct err err;

    if (run_check(&name, &no_notes, &err) < 0)
        return open_runs_active(runs);
    pthread_mutex_lock(&runs->lock);
    found = find(runs, name);
    if (found) {
        id = found->id;
    } else if (runs->count < OPEN_MAX) {
        struct open_run *fresh = &runs->items[runs->count++];

        id = next_id(runs);
        *fresh = (struct open_run){id, now_us, str_dup(name), false};
        submit(runs, fresh, recorder);
    } else {
        tell_full(runs);
    }
    pthread_mutex_unlock(&runs->lock);
    return id;
}

bool open_runs_name(struct open_runs *runs, int64_t id, struct buf *out)
{
    struct err err;
    bool found = false;

    if (id == UNKNOWN)
        return false;
    pthread_mutex_lock(&runs->lock);
    for (size_t i = 0; i < runs->count && !found; i++)
        found = runs->items[i].id == id && buf_add(out, str_c(runs->items[i].name), &err) == 0;
    pthread_mutex_unlock(&runs->lock);
    return found;
}
