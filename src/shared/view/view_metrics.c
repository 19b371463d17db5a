/* Requests over time. Rows come newest first, so one bucket is open at a time: the times of its
 * requests are kept until it is full, for exact percentiles. */
#include "view/view_metrics.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/query.h"
#include "core/budget.h"
#include "core/run.h"
#include "store/store_metrics.h"
#include "view/view_priv.h"
#include "view/view_run.h"
#include "json/json.h"

#define BUCKETS_MAX 300
#define BUCKETS 120
#define WIDTH_MIN_US ((int64_t)1000000)
#define DAY_US ((int64_t)86400 * 1000000)
/* More requests than this are not looked at; the answer says so. */
#define ROWS_MAX 500000
/* Names beyond these are counted together. */
#define NAMES_MAX 50

const struct param view_metrics_params[] = {
    {"since", PARAM_TIME, .about = "From when on; a day before until, or the start of the run"},
    {"until", PARAM_TIME, .about = "Up to when; now, or the end of the run"},
    {"run", PARAM_INT, .most = INT64_MAX, .about = "Id of a run: its requests alone; 0: all"},
    {"buckets", PARAM_INT, .fallback = BUCKETS, .least = 1, .most = BUCKETS_MAX,
     .about = "Equal parts of the range at most; none is shorter than a second"},
    {0},
};

struct sums {
    int64_t requests, errors, input_tokens, cached_input_tokens, output_tokens;
    int64_t costs, cost_pusd;
};

/* What requests were called, and what they come to by name. */
struct named {
    struct str name;
    struct sums sums;
};
struct names {
    struct named items[NAMES_MAX];
    size_t count, last;
    struct sums other;
};

struct times {
    int64_t *values;
    size_t count, cap;
};

struct series {
    int64_t since_us, until_us, width_us;
    int64_t open; /* number of the bucket that rows are in; -1: none yet */
    struct sums sums, total;
    struct times durations, ttfts;
    struct times all_durations, all_ttfts;
    struct names models, providers, routes;
    int64_t rows;
    struct arena arena;
    cJSON *buckets;
    bool failed; /* no memory */
};

/* ---- adding up ---- */

static void sums_add(struct sums *s, const struct metrics_row *r)
{
    s->requests++;
    s->errors += r->failed;
    s->input_tokens = budget_sum(s->input_tokens, r->input_tokens == UNKNOWN ? 0 : r->input_tokens);
    s->cached_input_tokens = budget_sum(
        s->cached_input_tokens, r->cached_input_tokens == UNKNOWN ? 0 : r->cached_input_tokens);
    s->output_tokens =
        budget_sum(s->output_tokens, r->output_tokens == UNKNOWN ? 0 : r->output_tokens);
    s->costs += r->cost_pusd != UNKNOWN;
    s->cost_pusd = budget_sum(s->cost_pusd, r->cost_pusd == UNKNOWN ? 0 : r->cost_pusd);
}

static void times_add(struct series *s, struct times *t, int64_t ms)
{
    if (ms == UNKNOWN || s->failed)
        return;
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 256;
        int64_t *more = realloc(t->values, cap * sizeof(*more));

        if (!more) {
            s->failed = true;
            return;
        }
        t->values = more;
        t->cap = cap;
    }
    t->values[t->count++] = ms;
}

static struct sums *names_find(struct series *s, struct names *n, struct str name)
{
    if (n->last < n->count && str_eq(n->items[n->last].name, name))
        return &n->items[n->last].sums;
    for (size_t i = 0; i < n->count; i++) {
        if (str_eq(n->items[i].name, name)) {
            n->last = i;
            return &n->items[i].sums;
        }
    }
    if (n->count == NAMES_MAX)
        return &n->other;
    n->items[n->count].name = arena_dup(&s->arena, name);
    if (!n->items[n->count].name.ptr)
        return &n->other;
    n->last = n->count++;
    return &n->items[n->last].sums;
}

static void names_add(struct series *s, struct names *n, struct str name,
                      const struct metrics_row *r)
{
    sums_add(names_find(s, n, name.ptr ? name : STR("")), r);
}

/* ---- writing ---- */

static void put_sums(cJSON *o, const struct sums *s)
{
    json_put_int(o, "request_count", s->requests);
    json_put_int(o, "error_count", s->errors);
    json_put_int(o, "input_tokens", s->input_tokens);
    json_put_int(o, "cached_input_tokens", s->cached_input_tokens);
    json_put_int(o, "output_tokens", s->output_tokens);
    json_put_money(o, "cost_usd",
                   s->costs > 0 && s->cost_pusd < RUN_SUM_MAX ? s->cost_pusd : UNKNOWN);
}

static int compare_ms(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* And t is empty again. */
static void put_times(cJSON *o, const char *key, struct times *t)
{
    struct run_percentiles p = {(int64_t)t->count, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};

    if (t->count > 0) {
        qsort(t->values, t->count, sizeof(*t->values), compare_ms);
        p.p50 = t->values[run_rank(p.count, 50)];
        p.p95 = t->values[run_rank(p.count, 95)];
        p.p99 = t->values[run_rank(p.count, 99)];
        p.max = t->values[t->count - 1];
    }
    view_put_percentiles(o, key, &p);
    t->count = 0;
}

static void close_bucket(struct series *s)
{
    cJSON *o;

    if (s->open < 0)
        return;
    o = cJSON_CreateObject();
    view_put_iso(o, "start", s->since_us + s->open * s->width_us);
    put_sums(o, &s->sums);
    put_times(o, "ttft_ms", &s->ttfts);
    put_times(o, "request_duration_ms", &s->durations);
    cJSON_InsertItemInArray(s->buckets, 0, o); /* the array grows from its start: oldest first */
    s->sums = (struct sums){0};
}

static void on_row(void *ctx, const struct metrics_row *r)
{
    struct series *s = ctx;
    int64_t bucket = (r->created_us - s->since_us) / s->width_us;

    if (s->rows++ == ROWS_MAX)
        return;
    if (bucket != s->open)
        close_bucket(s);
    s->open = bucket;
    sums_add(&s->sums, r);
    sums_add(&s->total, r);
    times_add(s, &s->durations, r->duration_ms);
    times_add(s, &s->ttfts, r->ttft_ms);
    times_add(s, &s->all_durations, r->duration_ms);
    times_add(s, &s->all_ttfts, r->ttft_ms);
    names_add(s, &s->models, r->model, r);
    names_add(s, &s->providers, r->provider, r);
    names_add(s, &s->routes, r->route, r);
}

static void put_name(cJSON *list, struct str name, const struct sums *sums)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "label", name.len > 0 ? name : STR_NONE);
    put_sums(o, sums);
    cJSON_AddItemToArray(list, o);
}

static int compare_names(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    return (x->sums.requests < y->sums.requests) - (x->sums.requests > y->sums.requests);
}

/* Most requests first. */
static void put_names(cJSON *o, const char *key, struct names *n)
{
    cJSON *list = cJSON_AddArrayToObject(o, key);

    qsort(n->items, n->count, sizeof(*n->items), compare_names);
    for (size_t i = 0; i < n->count; i++)
        put_name(list, n->items[i].name, &n->items[i].sums);
    if (n->other.requests > 0)
        put_name(list, STR("other"), &n->other);
}

static cJSON *answer(struct series *s)
{
    cJSON *o = cJSON_CreateObject(), *total;

    view_put_iso(o, "since", s->since_us);
    view_put_iso(o, "until", s->until_us);
    json_put_int(o, "bucket_ms", s->width_us / 1000);
    json_put_bool(o, "truncated", s->rows > ROWS_MAX);
    total = cJSON_AddObjectToObject(o, "total");
    put_sums(total, &s->total);
    put_times(total, "ttft_ms", &s->all_ttfts);
    put_times(total, "request_duration_ms", &s->all_durations);
    cJSON_AddItemToObject(o, "buckets", s->buckets);
    s->buckets = NULL;
    put_names(o, "models", &s->models);
    put_names(o, "providers", &s->providers);
    put_names(o, "routes", &s->routes);
    return o;
}

/* ---- the question ---- */

static int read_run(struct store *store, struct str query, int64_t *run, struct err *err)
{
    struct arena arena = {0};
    struct run found;
    int64_t id = param_int(view_metrics_params, query, "run");
    int rc = id == 0 ? 0 : store_run_get(store, id, &arena, &found, err);

    *run = id == 0 ? UNKNOWN : id;
    if (rc < 0 && err->code == ERR_NOT_FOUND)
        err_set(err, ERR_NOT_FOUND, "Run not found.");
    arena_clear(&arena);
    return rc;
}

static int read_range(struct series *s, struct store *store, struct str query, int64_t run,
                      int64_t now_us, struct err *err)
{
    int64_t first = UNKNOWN, last = UNKNOWN;
    int64_t buckets = param_int(view_metrics_params, query, "buckets");

    if (run != UNKNOWN && store_metrics_range(store, run, &first, &last, err) < 0)
        return -1;
    s->until_us =
        param_time(view_metrics_params, query, "until", last == UNKNOWN ? now_us : last + 1);
    s->since_us = param_time(view_metrics_params, query, "since",
                             first == UNKNOWN ? s->until_us - DAY_US : first);
    if (s->since_us >= s->until_us)
        return err_set(err, ERR_INVALID, "since must be before until.");
    s->width_us = (s->until_us - s->since_us + buckets - 1) / buckets;
    s->width_us = (s->width_us + WIDTH_MIN_US - 1) / WIDTH_MIN_US * WIDTH_MIN_US;
    return 0;
}

int view_metrics(struct store *store, struct str query, int64_t now_wall_us, struct buf *out,
                 struct err *err)
{
    struct series *s = calloc(1, sizeof(*s));
    int64_t run;
    int rc = -1;

    if (!s)
        return err_set(err, ERR_NO_MEMORY, "no memory for an answer");
    s->open = -1;
    s->buckets = cJSON_CreateArray();
    if (read_run(store, query, &run, err) < 0 ||
        read_range(s, store, query, run, now_wall_us, err) < 0 ||
        store_metrics(store, run, s->since_us, s->until_us, ROWS_MAX + 1, on_row, s, err) < 0)
        goto out;
    close_bucket(s);
    rc = s->failed ? err_set(err, ERR_NO_MEMORY, "no memory for an answer")
                   : view_answer(answer(s), out, err);
out:
    cJSON_Delete(s->buckets);
    arena_clear(&s->arena);
    free(s->durations.values);
    free(s->ttfts.values);
    free(s->all_durations.values);
    free(s->all_ttfts.values);
    free(s);
    return rc;
}
