/* Runs: their life, their sums. store_run_sums.c keeps the sums, facets the groups. */
#include <inttypes.h>
#include <stdio.h>

#include "store/store_priv.h"

static int64_t int_or_unknown(struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
}

/* Returns the number of columns. */
static int read_run(struct db_rows *rows, struct run *out)
{
    *out = (struct run){
        .id = db_int(rows, 0),
        .name = db_bytes(rows, 1),
        .notes = db_bytes(rows, 2),
        .started_us = db_int(rows, 3),
        .ended_us = int_or_unknown(rows, 4),
        .paused_us = int_or_unknown(rows, 5),
        .request_count = UNKNOWN,
        .spent =
            {
                .amount = {db_int(rows, 10), db_int(rows, 11)},
                .unpriced = db_int(rows, 12),
            },
    };
    budget_read_columns(rows, 6, &out->budget);
    return 13;
}

static void read_run_and_sums(struct db_rows *rows, struct run *run, struct run_sums *sums)
{
    int column = read_run(rows, run);

#define X(name) sums->name = int_or_unknown(rows, column++);
    RUN_SUMS(X)
#undef X
    run->request_count = sums->requests;
}

static int keep(struct run *run, struct arena *arena, struct err *err)
{
    struct str name = arena_dup(arena, run->name), notes = arena_dup(arena, run->notes);

    if (!name.ptr || (run->notes.ptr && !notes.ptr))
        return err_set(err, ERR_NO_MEMORY, "no memory to read a run");
    run->name = name;
    run->notes = notes;
    return 0;
}

/* The one run of a query. Takes rows. sums may be NULL. */
static int take_run(struct db_rows *rows, struct arena *arena, struct run *out,
                    struct run_sums *sums, struct err *err)
{
    struct run run;
    int rc = -1, got;

    if (!rows)
        return -1;
    got = db_next(rows, err);
    if (got == 0)
        err_set(err, ERR_NOT_FOUND, "no such run");
    if (got == 1) {
        if (sums)
            read_run_and_sums(rows, &run, sums);
        else
            read_run(rows, &run);
        rc = keep(&run, arena, err);
    }
    if (rc == 0)
        *out = run;
    db_done(rows);
    return rc;
}

int store_run_get(struct store *store, int64_t id, struct arena *arena, struct run *out,
                  struct err *err)
{
    return take_run(db_query(store->db, SQL_RUN_GET, DB_ARGS(DB_INT(id)), err), arena, out, NULL,
                    err);
}

int store_run_active(struct store *store, struct arena *arena, struct run *out, struct err *err)
{
    return take_run(db_query(store->db, SQL_RUN_ACTIVE, DB_NO_ARGS, err), arena, out, NULL, err);
}

int store_run_sums(struct store *store, int64_t id, struct arena *arena, struct run *out,
                   struct run_sums *sums, struct err *err)
{
    return take_run(db_query(store->db, SQL_RUN_SUMS_GET, DB_ARGS(DB_INT(id)), err), arena, out,
                    sums, err);
}

/* Takes rows. */
static int each_run(struct db_rows *rows, store_run_fn *each, void *ctx, struct err *err)
{
    struct run run;
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        read_run(rows, &run);
        each(ctx, &run);
    }
    db_done(rows);
    return got;
}

int store_runs(struct store *store, store_run_fn *each, void *ctx, struct err *err)
{
    return each_run(db_query(store->db, SQL_RUN_LIST, DB_NO_ARGS, err), each, ctx, err);
}

int store_runs_open(struct store *store, int64_t limit, store_run_fn *each, void *ctx,
                    struct err *err)
{
    return each_run(db_query(store->db, SQL_RUN_LIST_OPEN, DB_ARGS(DB_INT(limit)), err), each, ctx,
                    err);
}

int store_run_list(struct store *store, int64_t limit, store_run_sums_fn *each, void *ctx,
                   struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_RUN_LIST_SUMS, DB_ARGS(DB_INT(limit)), err);
    struct run_sums sums;
    struct run run;
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        read_run_and_sums(rows, &run, &sums);
        each(ctx, &run, &sums);
    }
    db_done(rows);
    return got;
}

int store_run_count(struct store *store, int64_t id, int64_t *out, struct err *err)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, id);
    return store_facet_count(store, FACET_RUN, str_c(text), out, err);
}

int store_run_groups(struct store *store, int64_t id, enum store_run_group group,
                     store_run_group_fn *each, void *ctx, struct err *err)
{
    static const char *const kinds[] = {
        [RUN_MODELS] = "run_model",
        [RUN_ENDPOINTS] = "run_endpoint",
        [RUN_STATUSES] = "run_status",
    };
    char text[24];
    struct db_rows *rows;
    int got = -1;

    snprintf(text, sizeof(text), "%" PRId64, id);
    rows = db_query(store->db, SQL_RUN_GROUPS,
                    DB_ARGS(DB_TEXT(str_c(kinds[group])), DB_TEXT(str_c(text))), err);
    while (rows && (got = db_next(rows, err)) == 1)
        each(ctx, db_bytes(rows, 0), db_int(rows, 1));
    db_done(rows);
    return got;
}

/* ---- percentiles ---- */

struct ranked {
    enum sql_id at, from_end;
};

/* The value at an offset, from the nearer end. */
static int value_at(struct store *store, const struct ranked *sql, int64_t id, int64_t count,
                    int64_t offset, int64_t *out, struct err *err)
{
    bool far = offset > count / 2;
    struct db_rows *rows =
        db_query(store->db, far ? sql->from_end : sql->at,
                 DB_ARGS(DB_INT(id), DB_INT(far ? count - 1 - offset : offset)), err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

int store_run_percentiles(struct store *store, int64_t id, enum store_run_times times,
                          int64_t count, struct run_percentiles *out, struct err *err)
{
    static const struct ranked sql[] = {
        [RUN_TTFT] = {SQL_RUN_TTFT_AT, SQL_RUN_TTFT_FROM_END},
        [RUN_DURATION] = {SQL_RUN_DURATION_AT, SQL_RUN_DURATION_FROM_END},
    };
    const struct ranked *s = &sql[times];

    *out = (struct run_percentiles){count, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};
    if (count <= 0)
        return 0;
    if (value_at(store, s, id, count, run_rank(count, 50), &out->p50, err) < 0 ||
        value_at(store, s, id, count, run_rank(count, 95), &out->p95, err) < 0 ||
        value_at(store, s, id, count, run_rank(count, 99), &out->p99, err) < 0)
        return -1;
    return value_at(store, s, id, count, count - 1, &out->max, err);
}

/* ---- what happens to a run ---- */

int store_run_last_id(struct store *store, int64_t *out, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_RUN_LAST_ID, DB_NO_ARGS, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

int store_run_insert(struct store *store, const struct run *run, struct err *err)
{
    const struct budget *b = &run->budget;
    struct str action = b->blocks ? STR("block") : STR("alert");
    struct buf thresholds = {0};
    int rc;

    budget_thresholds_json(b, &thresholds);
    rc = db_run(store->db, SQL_RUN_INSERT,
                DB_ARGS(DB_INT(run->id), DB_TEXT(run->name), DB_TEXT(run->notes),
                        DB_INT(run->started_us), store_int(run->paused_us),
                        store_limit(b->limit[BUDGET_USD]), store_limit(b->limit[BUDGET_TOKENS]),
                        DB_TEXT(action), DB_TEXT(buf_str(&thresholds))),
                err);
    buf_clear(&thresholds);
    return rc;
}

int store_run_update(struct store *store, const struct run *run, struct err *err)
{
    const struct budget *b = &run->budget;
    struct str action = b->blocks ? STR("block") : STR("alert");
    struct buf thresholds = {0};
    int rc;

    budget_thresholds_json(b, &thresholds);
    rc = db_run(store->db, SQL_RUN_UPDATE,
                DB_ARGS(DB_INT(run->id), DB_TEXT(run->name), DB_TEXT(run->notes),
                        store_limit(b->limit[BUDGET_USD]), store_limit(b->limit[BUDGET_TOKENS]),
                        DB_TEXT(action), DB_TEXT(buf_str(&thresholds))),
                err);
    buf_clear(&thresholds);
    if (rc == 0 && db_changes(store->db) == 0)
        rc = err_set(err, ERR_NOT_FOUND, "Run not found.");
    return rc;
}

static int start(struct store *store, const struct run *run, struct err *err)
{
    if (db_run(store->db, SQL_RUN_END_ALL_ACTIVE, DB_ARGS(DB_INT(run->started_us)), err) < 0)
        return -1;
    return store_run_insert(store, run, err);
}

int store_run_start(struct store *store, const struct run *run, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, start(store, run, err), err);
}

/* The id of the active run in *id, UNKNOWN when there is none. */
static int find_active(struct store *store, int64_t *id, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_RUN_ACTIVE, DB_NO_ARGS, err);
    int got = rows ? db_next(rows, err) : -1;

    *id = got == 1 ? db_int(rows, 0) : UNKNOWN;
    db_done(rows);
    return got < 0 ? -1 : 0;
}

static int set_active(struct store *store, enum sql_id sql, int64_t now_us, int64_t *id,
                      struct err *err)
{
    bool own;
    int rc;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    rc = find_active(store, id, err);
    if (rc == 0 && *id != UNKNOWN)
        rc = db_run(store->db, sql, DB_ARGS(DB_INT(*id), DB_INT(now_us)), err);
    return store_end_own(store, own, rc, err);
}

int store_run_pause_active(struct store *store, int64_t now_us, int64_t *id, struct err *err)
{
    return set_active(store, SQL_RUN_SET_PAUSED, now_us, id, err);
}

int store_run_end_active(struct store *store, int64_t now_us, int64_t *id, struct err *err)
{
    return set_active(store, SQL_RUN_SET_ENDED, now_us, id, err);
}

/* ERR_NOT_FOUND, or ERR_INVALID with message for a run that has ended. */
static int must_be_open(struct store *store, int64_t id, const char *message, struct err *err)
{
    struct arena arena = {0};
    struct run run;
    int rc = store_run_get(store, id, &arena, &run, err);

    if (rc < 0 && err->code == ERR_NOT_FOUND)
        err_set(err, ERR_NOT_FOUND, "Run not found.");
    else if (rc == 0 && run_state(&run) == RUN_COMPLETE)
        rc = err_set(err, ERR_INVALID, "%s", message);
    arena_clear(&arena);
    return rc;
}

static int resume(struct store *store, int64_t id, int64_t now_us, struct err *err)
{
    if (must_be_open(store, id, "Completed runs cannot be resumed.", err) < 0 ||
        db_run(store->db, SQL_RUN_PAUSE_OTHERS, DB_ARGS(DB_INT(id), DB_INT(now_us)), err) < 0)
        return -1;
    return db_run(store->db, SQL_RUN_SET_PAUSED, DB_ARGS(DB_INT(id), DB_NULL), err);
}

int store_run_resume(struct store *store, int64_t id, int64_t now_us, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, resume(store, id, now_us, err), err);
}

static int end(struct store *store, int64_t id, int64_t now_us, struct err *err)
{
    if (must_be_open(store, id, "This run has ended already.", err) < 0)
        return -1;
    return db_run(store->db, SQL_RUN_SET_ENDED, DB_ARGS(DB_INT(id), DB_INT(now_us)), err);
}

int store_run_end(struct store *store, int64_t id, int64_t now_us, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, end(store, id, now_us, err), err);
}
