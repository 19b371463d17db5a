#include "daemon/api/live_views.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "view/view_budget.h"
#include "view/view_run.h"
#include "json/json.h"

#define FRESH_US 100000
#define ANSWERS 16

struct answer {
    struct live_query query;
    struct buf where; /* what query borrows */
    int64_t made_us;  /* 0: none */
    struct buf text;
};

struct live_views {
    pthread_mutex_t lock;
    int64_t looked_us;
    struct live_stored stored;
    struct traffic_figures figures;
    struct live_user user;
    struct answer answers[ANSWERS];
};

struct live_views *live_views_new(void)
{
    struct live_views *v = xcalloc(1, sizeof(*v));

    pthread_mutex_init(&v->lock, NULL);
    v->stored.rows = UNKNOWN;
    return v;
}

void live_views_free(struct live_views *v)
{
    if (!v)
        return;
    buf_clear(&v->stored.store);
    buf_clear(&v->stored.active_run);
    buf_clear(&v->stored.budgets);
    buf_clear(&v->stored.alerts);
    buf_clear(&v->user.text);
    traffic_figures_clear(&v->figures);
    for (size_t i = 0; i < ANSWERS; i++) {
        buf_clear(&v->answers[i].text);
        buf_clear(&v->answers[i].where);
    }
    pthread_mutex_destroy(&v->lock);
    free(v);
}

/* Takes tree, which may be NULL. */
static void replace(struct buf *text, cJSON *tree)
{
    buf_cut(text, 0);
    if (tree)
        json_print(text, tree);
    cJSON_Delete(tree);
}

static void read_active_run(struct live_stored *s, struct store *store)
{
    struct arena arena = {0};
    struct run_sums sums;
    struct run run;
    struct err err;

    if (store_run_active(store, &arena, &run, &err) == 0 &&
        store_run_sums(store, run.id, &arena, &run, &sums, &err) == 0)
        replace(&s->active_run, view_run_live(&run, &sums, clock_wall_us()));
    else if (err.code == ERR_NOT_FOUND)
        buf_cut(&s->active_run, 0);
    arena_clear(&arena);
}

static void read_stored(struct live_stored *s, struct app *app, struct store *store)
{
    struct store_counters counters;
    struct err err;
    cJSON *o;

    buf_cut(&s->store, 0);
    api_store_json(app, store, &s->store);
    if (!store)
        return;
    if (store_counters(store, &counters, &err) == 0)
        s->rows = counters.total;
    read_active_run(s, store);
    o = cJSON_CreateObject();
    view_put_budgets_live(o, store, clock_wall_us());
    replace(&s->budgets, cJSON_DetachItemFromObjectCaseSensitive(o, "budgets"));
    replace(&s->alerts, cJSON_DetachItemFromObjectCaseSensitive(o, "alerts"));
    cJSON_Delete(o);
}

static void look(struct live_views *v, struct app *app, struct store *store, int64_t now_us)
{
    struct recorder_stats stats;

    if (v->looked_us && now_us - v->looked_us < FRESH_US)
        return;
    v->looked_us = now_us;
    recorder_stats(app->recorder, &stats);
    live_watch_store(app->live, &stats);
    read_stored(&v->stored, app, store);
    traffic_figures_clear(&v->figures);
    live_figures(app->live, clock_wall_us(), &v->figures);
}

static bool same(const struct live_query *a, const struct live_query *b)
{
    return a->since == b->since && a->rows == b->rows && a->series == b->series &&
           a->parts == b->parts && a->text_id == b->text_id && str_eq(a->where, b->where);
}

static void keep_query(struct answer *a, const struct live_query *q, int64_t now_us)
{
    struct err err;

    buf_cut(&a->where, 0);
    a->made_us = buf_add(&a->where, q->where, &err) == 0 ? now_us : 0;
    a->query = *q;
    a->query.where = buf_str(&a->where);
    a->query.filter = NULL;
}

/* The answer to a query, or the place of the oldest one. */
static struct answer *find(struct live_views *v, const struct live_query *q)
{
    struct answer *oldest = &v->answers[0];

    for (size_t i = 0; i < ANSWERS; i++) {
        if (v->answers[i].made_us && same(&v->answers[i].query, q))
            return &v->answers[i];
        if (v->answers[i].made_us < oldest->made_us)
            oldest = &v->answers[i];
    }
    oldest->made_us = 0;
    return oldest;
}

void live_views_answer(struct app *app, struct store *store, const struct live_query *query,
                       struct buf *out)
{
    struct live_views *v = app->live_views;
    int64_t now_us = clock_now_us();
    struct answer *a;
    struct err err;

    pthread_mutex_lock(&v->lock);
    look(v, app, store, now_us);
    a = find(v, query);
    if (!a->made_us || now_us - a->made_us >= FRESH_US) {
        buf_cut(&a->text, 0);
        api_live_build(app, store, query, &v->stored, &v->figures, &v->user, &a->text);
        keep_query(a, query, now_us);
    }
    (void)buf_add(out, buf_str(&a->text), &err);
    pthread_mutex_unlock(&v->lock);
}
