#include "store/store_priv.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

/* A database in memory has no life before its first writer. */
static int make_in_memory(struct store *store, struct err *err)
{
    int version;

    if (db_version(store->db, &version, err) < 0)
        return -1;
    if (version != 0)
        return 0;
    if (db_begin(store->db, err) < 0)
        return -1;
    for (int i = 0; i < SQL_SCHEMA_VERSION; i++) {
        if (db_script(store->db, sql_migrations[i], err) < 0)
            goto failed;
    }
    if (db_set_version(store->db, SQL_SCHEMA_VERSION, err) < 0 || db_commit(store->db, err) < 0)
        goto failed;
    return 0;
failed:
    db_rollback(store->db);
    return -1;
}

static int check_version(struct store *store, struct err *err)
{
    int version;

    if (db_version(store->db, &version, err) < 0)
        return -1;
    if (version > SQL_SCHEMA_VERSION)
        return store_refuse_newer(store->db, version, SQL_SCHEMA_VERSION, err);
    if (version == 0)
        return err_set(err, ERR_STORE, "is no database of this program");
    if (version < SQL_SCHEMA_VERSION)
        return err_set(err, ERR_STORE,
                       "schema %d is of an older version, this one has %d: run \"llm-observe-proxy "
                       "serve\" once, it backs up and migrates",
                       version, SQL_SCHEMA_VERSION);
    return 0;
}

struct store *store_open(const char *path, enum store_mode mode, struct err *err)
{
    struct store *store = xcalloc(1, sizeof(*store));
    bool memory = db_is_memory(path);
    struct stat st = {0};

    store->path = xstrdup(path);
    store->block_rows = BLOCK_ROWS;
    store->block_rest = BLOCK_REST;
    store->walk_max = WALK_MAX;
    store->db = db_open(path, mode == STORE_READ ? DB_READ : DB_WRITE, err);
    if (!store->db)
        goto failed;
    if (memory && mode == STORE_WRITE && make_in_memory(store, err) < 0)
        goto failed;
    if (check_version(store, err) < 0)
        goto failed;
    if (!memory && stat(path, &st) == 0) {
        store->device = st.st_dev;
        store->inode = st.st_ino;
    }
    return store;
failed:
    err_wrap(err, "database %s", path);
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    db_close(store->db);
    packer_clear(&store->packer);
    deltas_clear(&store->deltas);
    run_deltas_clear(&store->run_deltas);
    spending_clear(&store->spending);
    buf_clear(&store->preview);
    free(store->path);
    free(store);
}

bool store_current(const struct store *store)
{
    struct stat st;

    if (db_is_memory(store->path))
        return true;
    return stat(store->path, &st) == 0 && st.st_dev == store->device && st.st_ino == store->inode;
}

int store_set_full_sync(struct store *store, bool full, struct err *err)
{
    return db_set_full_sync(store->db, full, err);
}

void store_set_time_limit(struct store *store, int64_t ms)
{
    db_set_time_limit(store->db, ms);
}

void store_keep_log(struct store *store)
{
    db_keep_log(store->db);
}

void store_interrupt(struct store *store)
{
    db_interrupt(store->db);
}

void store_set_busy_wait(struct store *store, int ms)
{
    db_set_busy_wait(store->db, ms);
}

int store_begin(struct store *store, struct err *err)
{
    if (db_begin(store->db, err) < 0)
        return -1;
    store->in_transaction = true;
    return 0;
}

int store_commit(struct store *store, struct err *err)
{
    if (deltas_flush(&store->deltas, store->db, err) < 0 ||
        run_deltas_flush(&store->run_deltas, store->db, err) < 0 ||
        spending_flush(store, err) < 0 || db_commit(store->db, err) < 0)
        return -1;
    store->in_transaction = false;
    run_deltas_forget(&store->run_deltas);
    spending_end(&store->spending, true);
    packer_trim(&store->packer);
    return 0;
}

void store_rollback(struct store *store)
{
    if (!store->in_transaction)
        return;
    deltas_forget(&store->deltas);
    run_deltas_forget(&store->run_deltas);
    spending_end(&store->spending, false);
    db_rollback(store->db);
    store->in_transaction = false;
}

int store_begin_own(struct store *store, bool *own, struct err *err)
{
    *own = !store->in_transaction;
    return *own ? store_begin(store, err) : 0;
}

int store_end_own(struct store *store, bool own, int rc, struct err *err)
{
    if (!own)
        return rc;
    if (rc == 0)
        rc = store_commit(store, err);
    if (rc < 0)
        store_rollback(store);
    return rc;
}

int store_checkpoint(struct store *store, struct err *err)
{
    return db_checkpoint(store->db, err);
}

/* The one number of a statement that takes no arguments. */
static int get_number(struct store *store, enum sql_id sql, int64_t *out, struct err *err)
{
    struct db_rows *rows = db_query(store->db, sql, DB_NO_ARGS, err);
    int got;

    if (!rows)
        return -1;
    got = db_next(rows, err);
    if (got == 1)
        *out = db_int(rows, 0);
    else if (got == 0)
        err_set(err, ERR_CORRUPT, "%s found nothing", sql_name[sql]);
    db_done(rows);
    return got == 1 ? 0 : -1;
}

int store_last_id(struct store *store, int64_t *out, struct err *err)
{
    return get_number(store, SQL_REQUEST_LAST_ID, out, err);
}

int store_generation(struct store *store, int64_t *out, struct err *err)
{
    return get_number(store, SQL_GENERATION_GET, out, err);
}

int store_data_version(struct store *store, int64_t *out, struct err *err)
{
    return get_number(store, SQL_DATA_VERSION, out, err);
}

int store_quick_check(struct store *store, bool *ok, struct buf *found, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_QUICK_CHECK, DB_NO_ARGS, err);
    int got;

    if (!rows)
        return -1;
    got = db_next(rows, err);
    if (got == 1) {
        *ok = str_eq(db_bytes(rows, 0), STR("ok"));
        buf_put(found, str_cut(db_bytes(rows, 0), 300));
    }
    db_done(rows);
    return got == 1 ? 0 : -1;
}

int store_setting_get(struct store *store, struct str key, char **out, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_SETTING_GET, DB_ARGS(DB_TEXT(key)), err);
    int got;

    if (!rows)
        return -1;
    got = db_next(rows, err);
    if (got >= 0)
        *out = got == 1 ? str_dup(db_bytes(rows, 0)) : NULL;
    db_done(rows);
    return got < 0 ? -1 : 0;
}

int store_setting_put(struct store *store, struct str key, struct str value, struct err *err)
{
    char now[CLOCK_ISO_SIZE];

    if (!value.ptr)
        return db_run(store->db, SQL_SETTING_DELETE, DB_ARGS(DB_TEXT(key)), err);
    clock_iso(clock_wall_us(), now);
    return db_run(store->db, SQL_SETTING_PUT,
                  DB_ARGS(DB_TEXT(key), DB_TEXT(value), DB_TEXT(str_c(now))), err);
}
