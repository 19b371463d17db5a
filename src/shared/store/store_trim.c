/* Retention: old requests go in small transactions, and the counts with them. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "store/store_priv.h"

static int64_t int_or_unknown(struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
}

/* The ids of the oldest rows. */
static int choose(struct store *store, int64_t before_us, int64_t max, int64_t *ids, int64_t *count,
                  struct err *err)
{
    struct db_rows *rows =
        db_query(store->db, SQL_TRIM_IDS, DB_ARGS(DB_INT(before_us), DB_INT(max)), err);
    int got = -1;

    *count = 0;
    while (rows && *count < max && (got = db_next(rows, err)) == 1)
        ids[(*count)++] = db_int(rows, 0);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

static int delete_row(struct store *store, int64_t id, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_REQUEST_COUNTED, DB_ARGS(DB_INT(id)), err);
    int got = rows ? db_next(rows, err) : -1;
    struct record r;

    if (got == 1) {
        store_read_counted(rows, &r);
        got = store_count_row(&store->deltas, &r, -1, err);
        run_deltas_count(&store->run_deltas, &r, -1);
    }
    db_done(rows);
    if (got < 0 || store_search_forget(store, id, err) < 0)
        return -1;
    return db_run(store->db, SQL_REQUEST_DELETE, DB_ARGS(DB_INT(id)), err);
}

static int trim(struct store *store, int64_t before_us, int64_t max, int64_t max_us,
                int64_t *deleted, struct err *err)
{
    int64_t *ids = xcalloc((size_t)max, sizeof(*ids)), count, until_us = clock_now_us() + max_us;
    int rc = choose(store, before_us, max, ids, &count, err);

    for (int64_t i = 0; rc == 0 && i < count; i++) {
        rc = delete_row(store, ids[i], err);
        *deleted += rc == 0;
        if (clock_now_us() >= until_us)
            break;
    }
    free(ids);
    return rc;
}

int store_trim(struct store *store, int64_t before_us, int64_t max, int64_t max_us,
               int64_t *deleted, struct err *err)
{
    bool own;

    *deleted = 0;
    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, trim(store, before_us, max, max_us, deleted, err), err);
}

static int delete_complete(struct store *store, int64_t id, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_REQUEST_IS_COMPLETE, DB_ARGS(DB_INT(id)), err);
    int got = rows ? db_next(rows, err) : -1;
    bool complete = got == 1 && db_int(rows, 0);

    db_done(rows);
    if (got < 0)
        return -1;
    if (got == 0)
        return err_set(err, ERR_NOT_FOUND, "Request not found.");
    if (!complete)
        return err_set(err, ERR_CONFLICT,
                       "The request is still running: cancel it or wait until it has ended.");
    return delete_row(store, id, err);
}

int store_record_delete(struct store *store, int64_t id, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, delete_complete(store, id, err), err);
}

int store_count_before(struct store *store, int64_t before_us, int64_t *out, struct err *err)
{
    return store_record_count(store, &(struct record_filter){.until_us = before_us}, out, err);
}

int store_storage(struct store *store, struct store_storage *out, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_STORAGE_GET, DB_NO_ARGS, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = (struct store_storage){
            .rows = db_int(rows, 0),
            .runs = db_int(rows, 1),
            .images = db_int(rows, 2),
            .oldest_us = int_or_unknown(rows, 3),
            .newest_us = int_or_unknown(rows, 4),
            .free_bytes = db_int(rows, 5),
            .schema_version = db_int(rows, 6),
        };
    db_done(rows);
    return got < 0 ? -1 : 0;
}

int store_vacuum(struct store *store, struct err *err)
{
    return db_run(store->db, SQL_VACUUM, DB_NO_ARGS, err);
}
