#include "store/store_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "store/store_priv.h"

#define VALUE_MAX 200
#define PAGES_AT_ONCE 2000

/* ---- check ---- */

typedef void line_fn(struct buf *found, struct db_rows *rows);

static int look(struct store *store, enum sql_id sql, line_fn *line, struct buf *found,
                struct err *err)
{
    struct db_rows *rows = db_query(store->db, sql, DB_NO_ARGS, err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1)
        line(found, rows);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

static void damage(struct buf *found, struct db_rows *rows)
{
    struct str text = db_bytes(rows, 0);

    if (!str_eq(text, STR("ok")))
        buf_printf(found, "damage: %.*s\n", STR_ARG(str_cut(text, VALUE_MAX)));
}

static void reference(struct buf *found, struct db_rows *rows)
{
    struct str child = db_bytes(rows, 0), parent = db_bytes(rows, 1);
    int64_t n = db_int(rows, 2);

    if (n == 1)
        buf_printf(found, "1 row of %.*s belongs to a row of %.*s that is gone\n", STR_ARG(child),
                   STR_ARG(parent));
    else
        buf_printf(found, "%" PRId64 " rows of %.*s belong to rows of %.*s that are gone\n", n,
                   STR_ARG(child), STR_ARG(parent));
}

static void counter(struct buf *found, struct db_rows *rows)
{
    buf_printf(found, "counter %.*s says %" PRId64 ", there are %" PRId64 "\n",
               STR_ARG(db_bytes(rows, 0)), db_int(rows, 1), db_int(rows, 2));
}

static void model(struct buf *found, struct db_rows *rows)
{
    buf_printf(found, "model \"%.*s\" counts %" PRId64 " requests, there are %" PRId64 "\n",
               STR_ARG(str_cut(db_bytes(rows, 0), VALUE_MAX)), db_int(rows, 1), db_int(rows, 2));
}

static void run(struct buf *found, struct db_rows *rows)
{
    buf_printf(found, "run %" PRId64 " counts %" PRId64 " requests, there are %" PRId64 "\n",
               db_int(rows, 0), db_int(rows, 1), db_int(rows, 2));
}

static void pending(struct buf *found, struct db_rows *rows)
{
    int64_t n = db_int(rows, 0);

    if (n > 0)
        buf_printf(found,
                   "%" PRId64 " %s pending though no server runs; the next start of one closes "
                   "%s\n",
                   n, n == 1 ? "request is" : "requests are", n == 1 ? "it" : "them");
}

int store_check_all(struct store *store, const struct check_options *options, struct buf *found,
                    struct err *err)
{
    if (options->quick)
        return look(store, SQL_CHECK_QUICKLY, damage, found, err);
    if (look(store, SQL_CHECK_INTEGRITY, damage, found, err) < 0 ||
        look(store, SQL_CHECK_REFERENCES, reference, found, err) < 0 ||
        look(store, SQL_CHECK_COUNTERS, counter, found, err) < 0 ||
        look(store, SQL_CHECK_MODELS, model, found, err) < 0 ||
        look(store, SQL_CHECK_RUNS, run, found, err) < 0)
        return -1;
    return options->served ? 0 : look(store, SQL_CHECK_PENDING, pending, found, err);
}

/* ---- backup ---- */

static int check_copy(const char *path, struct err *err)
{
    struct db *db = db_open(path, DB_INSPECT, err);
    struct db_rows *rows = db ? db_query(db, SQL_QUICK_CHECK, DB_NO_ARGS, err) : NULL;
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1 && !str_eq(db_bytes(rows, 0), STR("ok")))
        got = err_set(err, ERR_CORRUPT, "the copy is damaged: %.*s",
                      STR_ARG(str_cut(db_bytes(rows, 0), VALUE_MAX)));
    db_done(rows);
    db_close(db);
    return got < 0 ? -1 : 0;
}

int store_backup(struct store *store, const char *path,
                 void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx,
                 struct err *err)
{
    int64_t ignored;
    int rc;

    if (access(path, F_OK) == 0)
        return err_set(err, ERR_CONFLICT, "%s is there already", path);
    /* One state of the database for all steps, whatever others write meanwhile. */
    if (store_begin(store, err) < 0)
        return -1;
    rc = store_last_id(store, &ignored, err);
    if (rc == 0)
        rc = db_backup(store->db, path, PAGES_AT_ONCE, progress, ctx, err);
    store_rollback(store);
    if (rc == 0)
        rc = check_copy(path, err);
    if (rc < 0 && err->code != ERR_CONFLICT)
        unlink(path);
    return rc;
}
