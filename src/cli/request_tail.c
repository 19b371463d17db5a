#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/query.h"
#include "base/xalloc.h"
#include "requests_priv.h"
#include "json/json_scan.h"

#define DEFAULT_COUNT 10
#define SCAN 1000 /* rows looked at for those that ended meanwhile */
#define POLL_MS 1000
#define SEEN_MAX (1u << 18)
#define EVENTS_PATH "/api/events?kinds=finished"

const struct opt tail_options[] = {
    {"follow", 'f', OPT_FLAG, NULL, "go on as requests end, until interrupted"},
    {"lines", 'n', OPT_TEXT, "N", "begin with the last N", .fallback = "10"},
    LIST_OPTIONS,
    LIST_END,
};

/* ---- ids that were printed ---- */

/* A hash of ids with open addressing; 0 is empty. When it is full the lower half is forgotten, and
 * what is not above floor counts as seen where rows are looked up again. */
struct id_set {
    int64_t *slots;
    size_t cap, count;
    int64_t floor;
};

static bool set_has(const struct id_set *s, int64_t id)
{
    size_t i = (size_t)((uint64_t)id * 0x9E3779B97F4A7C15u);

    if (s->cap == 0)
        return false;
    for (i &= s->cap - 1; s->slots[i] != 0; i = (i + 1) & (s->cap - 1))
        if (s->slots[i] == id)
            return true;
    return false;
}

static void set_put(struct id_set *s, int64_t id)
{
    size_t i = (size_t)((uint64_t)id * 0x9E3779B97F4A7C15u) & (s->cap - 1);

    while (s->slots[i] != 0)
        i = (i + 1) & (s->cap - 1);
    s->slots[i] = id;
    s->count++;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Make room: twice the slots, or without the lower half of the ids. */
static void set_grow(struct id_set *s)
{
    int64_t *ids = xcalloc(s->count, sizeof(*ids));
    size_t n = 0, from = 0, cap = s->cap ? s->cap * 2 : 1024;

    for (size_t i = 0; i < s->cap; i++)
        if (s->slots[i] != 0)
            ids[n++] = s->slots[i];
    if (cap > SEEN_MAX) {
        cap = s->cap;
        qsort(ids, n, sizeof(*ids), compare_ids);
        from = n / 2;
        s->floor = ids[from - 1];
    }
    free(s->slots);
    *s = (struct id_set){xcalloc(cap, sizeof(int64_t)), cap, 0, s->floor};
    for (size_t i = from; i < n; i++)
        set_put(s, ids[i]);
    free(ids);
}

/** True when id was not there yet. */
static bool set_add(struct id_set *s, int64_t id)
{
    if (id == 0 || set_has(s, id))
        return false;
    if (2 * (s->count + 1) > s->cap)
        set_grow(s);
    set_put(s, id);
    return true;
}

/* ---- rows that wait for their order ---- */

struct ended {
    int64_t at_us, id;
    char *json;
    size_t len;
};

struct tail {
    struct job *job;
    int64_t lines; /* how many to begin with */
    struct id_set seen;
    int64_t started_us; /* what ended from here on is new, by the clock that stamps the rows */
    int64_t floor_id;   /* so is what has a higher id than all that was looked at first */
    int64_t contact_us; /* all that ended before is known */
    struct ended *ended;
    size_t ended_count;
    size_t scanned;
    int64_t old; /* rows of the start taken so far */
    bool first;  /* the first look */
    bool follow;
    char last_event[64];
    bool connected, lost;
};

static int keep_ended(struct tail *t, struct str json, const struct row *row, struct err *err)
{
    struct ended *e;

    if (t->ended_count % 64 == 0)
        t->ended = xrealloc(t->ended, t->ended_count + 64, sizeof(*t->ended));
    e = &t->ended[t->ended_count];
    *e = (struct ended){row_time(row, "completed_at"), row_int(row, "id"), str_dup(json), json.len};
    if (!e->json)
        return err_set(err, ERR_NO_MEMORY, "no memory for the rows");
    t->ended_count++;
    return 0;
}

static int compare_ended(const void *a, const void *b)
{
    const struct ended *x = a, *y = b;

    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int print_ended(struct tail *t, struct err *err)
{
    int rc = 0;

    if (t->ended_count > 0)
        qsort(t->ended, t->ended_count, sizeof(*t->ended), compare_ended);
    for (size_t i = 0; i < t->ended_count; i++) {
        if (rc == 0)
            rc = out_row(&t->job->out, (struct str){t->ended[i].json, t->ended[i].len}, err);
        free(t->ended[i].json);
    }
    t->ended_count = 0;
    return rc;
}

/* The first look keeps the last N that ended, and what ended since the start; a later one keeps
 * what is new. Both remember what they saw. */
static int on_row(void *ctx, struct str json, const struct row *row, struct err *err)
{
    struct tail *t = ctx;
    int64_t id = row_int(row, "id"), at_us = row_time(row, "completed_at");
    int64_t created_us = row_time(row, "created_at");
    bool fresh;

    t->scanned++;
    if (t->first && (t->floor_id == 0 || id < t->floor_id))
        t->floor_id = id;
    if (request_finished(row)) {
        fresh = at_us >= t->started_us || (!t->first && id > t->floor_id);
        if (!fresh && t->first && t->old < t->lines) {
            t->old++;
            fresh = true;
        } else if (!fresh && t->first) {
            set_add(&t->seen, id);
        }
        if (fresh && id > t->seen.floor && set_add(&t->seen, id) &&
            keep_ended(t, json, row, err) < 0)
            return -1;
    }
    if (t->first && (t->old < t->lines || !t->follow))
        return t->old == t->lines;
    return t->scanned >= SCAN && created_us < t->contact_us ? 1 : 0;
}

/* Print what ended since the last look (or at first, the last N). */
static int look(struct tail *t, struct err *err)
{
    int64_t now_us = t->job->out.ctx.now_us;
    int64_t expected = t->follow ? SCAN : t->lines;
    int rc;

    t->scanned = 0;
    t->job->out.ctx.now_us = clock_wall_us();
    rc = request_list_each(&t->job->list, &t->job->source, expected, on_row, t, err);
    if (rc == 0)
        rc = print_ended(t, err);
    if (rc == 0) {
        t->first = false;
        t->contact_us = now_us < t->contact_us ? t->contact_us : now_us;
        rc = out_flush(&t->job->out, err);
    }
    return rc;
}

/* ---- a server ---- */

static int on_finished(struct tail *t, struct str json, struct err *err)
{
    struct out *out = &t->job->out;
    struct str value;
    struct row row = {0};
    int rc = 0;

    if (json_scan(json, &value) == JSON_OBJECT && row_read(&row, value) &&
        request_list_match(&t->job->list, &row) && set_add(&t->seen, row_int(&row, "id"))) {
        out->ctx.now_us = clock_wall_us();
        rc = out_row(out, value, err);
        if (rc == 0)
            rc = out_flush(out, err);
    }
    row_clear(&row);
    return rc;
}

/* A stream begins: what ended before its first event is looked up. */
static int on_hello(struct tail *t, struct str json, struct err *err)
{
    struct str value;
    struct row row = {0};
    int64_t now_us = clock_wall_us();

    if (json_scan(json, &value) == JSON_OBJECT && row_read(&row, value) &&
        row_time(&row, "now") != ROW_UNKNOWN)
        now_us = row_time(&row, "now");
    row_clear(&row);
    if (t->first)
        t->started_us = t->contact_us = now_us;
    else if (t->lost)
        cli_note(t->job->cli, "note: %s answers again", source_name(&t->job->source));
    t->connected = true;
    t->lost = false;
    return look(t, err);
}

static int on_event(void *ctx, const struct api_event *e, struct err *err)
{
    struct tail *t = ctx;
    struct str value, truncated;
    int rc = 0;

    if (str_eq(e->event, STR("hello")))
        rc = on_hello(t, e->data, err);
    else if (str_eq(e->event, STR("finished")))
        rc = on_finished(t, e->data, err);
    else if (str_eq(e->event, STR("change")) && json_scan(e->data, &value) == JSON_OBJECT &&
             json_member(value, STR("truncated"), &truncated) &&
             json_type_of(truncated) == JSON_TRUE)
        rc = look(t, err);
    if (rc == 0 && e->id.len > 0)
        snprintf(t->last_event, sizeof(t->last_event), "%.*s", STR_ARG(e->id));
    return rc < 0 ? -1 : 0;
}

static void wait_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* Losing the server is no end, unless it never was there. */
static bool may_return(const struct err *err)
{
    return err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT || err->code == ERR_BUSY;
}

static int follow_server(struct tail *t, struct err *err)
{
    static const int64_t pauses_ms[] = {1000, 2000, 4000, 8000, 15000};
    struct source *source = &t->job->source;
    const char *where = opts_text(&t->job->cli->opts, "where");
    struct buf path = {0};
    size_t attempt = 0;

    for (;;) {
        t->connected = false;
        path.len = 0;
        buf_put(&path, STR(EVENTS_PATH));
        if (where) {
            buf_put(&path, STR("&where="));
            query_encode(&path, str_c(where));
        }
        api_client_events(source->client, path.ptr, str_c(t->last_event), on_event, t, err);
        if (!may_return(err) || t->first)
            break;
        if (!t->lost)
            cli_note(t->job->cli, "note: lost %s (%s), trying again", source_name(source),
                     err->msg);
        t->lost = true;
        attempt = t->connected ? 0 : attempt < 4 ? attempt + 1 : 4;
        wait_ms(pauses_ms[attempt]);
    }
    buf_clear(&path);
    return -1;
}

/* ---- a file ---- */

static int follow_file(struct tail *t, struct err *err)
{
    struct store *store = t->job->source.store;
    int64_t version = 0, now;

    t->started_us = t->contact_us = clock_wall_us();
    if (store_data_version(store, &version, err) < 0 || look(t, err) < 0)
        return -1;
    for (;;) {
        wait_ms(POLL_MS);
        if (store_data_version(store, &now, err) < 0)
            return -1;
        if (now == version)
            continue;
        version = now;
        if (look(t, err) < 0 && err->code != ERR_BUSY)
            return -1;
    }
}

static int refuse(const struct cli *cli, struct err *err)
{
    if (opts_flag(&cli->opts, "follow") && opts_flag(&cli->opts, "json") &&
        (!opts_text(&cli->opts, "json") || strcmp(opts_text(&cli->opts, "json"), "help") != 0))
        return err_set(err, ERR_INVALID, "--json has no end with --follow; use --jsonl");
    return 0;
}

int requests_tail(struct cli *cli)
{
    struct out_spec spec = request_rows;
    struct job job;
    struct tail t = {.job = &job, .lines = DEFAULT_COUNT, .first = true};
    int rc = -1;

    if (refuse(cli, &job.err) < 0 || cli_int(cli, "lines", 0, 1000000, &t.lines, &job.err) < 0)
        return cli_usage(cli->name, &job.err);
    spec.pager = false;
    t.follow = opts_flag(&cli->opts, "follow");
    if (job_start(&job, cli, &spec)) {
        t.started_us = t.contact_us = INT64_MAX; /* without -f, nothing is new */
        if (!t.follow)
            rc = t.lines > 0 ? look(&t, &job.err) : 0;
        else if (job.source.client)
            rc = follow_server(&t, &job.err);
        else
            rc = follow_file(&t, &job.err);
    }
    free(t.seen.slots);
    free(t.ended);
    return job_end(&job, rc);
}
