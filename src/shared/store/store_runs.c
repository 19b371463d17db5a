#include <inttypes.h>
#include <stdio.h>

#include "store/store_priv.h"

static int64_t int_or_unknown(struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
}

static void read_run(struct db_rows *rows, struct run *out)
{
    *out = (struct run){
        .id = db_int(rows, 0),
        .name = db_bytes(rows, 1),
        .notes = db_bytes(rows, 2),
        .started_us = db_int(rows, 3),
        .ended_us = int_or_unknown(rows, 4),
        .paused_us = int_or_unknown(rows, 5),
        .request_count = UNKNOWN,
    };
}

/* The one run of a query. Takes rows. */
static int take_run(struct db_rows *rows, struct arena *arena, struct run *out, struct err *err)
{
    struct run run;
    int got;

    if (!rows)
        return -1;
    got = db_next(rows, err);
    if (got == 0)
        err_set(err, ERR_NOT_FOUND, "no such run");
    if (got == 1) {
        read_run(rows, &run);
        run.name = arena_dup(arena, run.name);
        run.notes = arena_dup(arena, run.notes);
        *out = run;
    }
    db_done(rows);
    return got == 1 ? 0 : -1;
}

int store_run_get(struct store *store, int64_t id, struct arena *arena, struct run *out,
                  struct err *err)
{
    return take_run(db_query(store->db, SQL_RUN_GET, DB_ARGS(DB_INT(id)), err), arena, out, err);
}

int store_run_active(struct store *store, struct arena *arena, struct run *out, struct err *err)
{
    return take_run(db_query(store->db, SQL_RUN_ACTIVE, DB_NO_ARGS, err), arena, out, err);
}

int store_runs(struct store *store, store_run_fn *each, void *ctx, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_RUN_LIST, DB_NO_ARGS, err);
    struct run run;
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        read_run(rows, &run);
        each(ctx, &run);
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
