/* The SQLite engine: files, pragmas, the statement cache, errors. */
#include "db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "xalloc.h"

#define MEMORY_PREFIX "file:/lop-memory-"
#define READER_WAIT_MS 1000
/* Virtual machine steps between two looks at the clock. */
#define PROGRESS_STEPS 4000

struct db_rows {
    struct db *db;
    sqlite3_stmt *stmt;
    const char *what; /* for messages */
    bool active, on_row;
};

struct db {
    sqlite3 *handle;
    enum db_mode mode;
    bool in_transaction;
    int active; /* queries that are not done */
    int64_t limit_us, deadline_us;
    struct db_rows statements[SQL_COUNT]; /* prepared on first use */
    struct db_rows parts;                 /* the one of db_query_parts() */
};

/* What a writer pays for: pages of 8 KiB hold the row of a small exchange with its bodies; the log
 * is copied back every 32 MiB, so hot index pages are copied once for many commits. */
static const char *const WRITER_SETUP = "PRAGMA page_size = 8192;"
                                        "PRAGMA journal_mode = WAL;"
                                        "PRAGMA synchronous = NORMAL;"
                                        "PRAGMA foreign_keys = ON;"
                                        "PRAGMA secure_delete = FAST;"
                                        "PRAGMA journal_size_limit = 67108864;"
                                        "PRAGMA wal_autocheckpoint = 4096;"
                                        "PRAGMA cache_size = -32768;"
                                        "PRAGMA temp_store = MEMORY;";
static const char *const READER_SETUP = "PRAGMA query_only = ON;"
                                        "PRAGMA cache_size = -8192;"
                                        "PRAGMA temp_store = MEMORY;";

static const char *const FOREIGN_SETUP = "PRAGMA query_only = ON;"
                                         "PRAGMA trusted_schema = OFF;"
                                         "PRAGMA cell_size_check = ON;"
                                         "PRAGMA cache_size = -8192;";

static enum err_code code_of(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return ERR_BUSY;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
        return ERR_STORE;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return ERR_INVALID;
    default:
        return ERR_FAILED;
    }
}

static int fail(struct db *db, int rc, const char *what, struct err *err)
{
    const char *why = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);

    if ((rc & 0xFF) == SQLITE_INTERRUPT)
        return err_set(err, ERR_BUSY, "%s: stopped after %lld ms", what,
                       (long long)(db->limit_us / 1000));
    return err_set(err, code_of(rc), "%s: %s (%d)", what, why, rc);
}

static int on_progress(void *ctx)
{
    const struct db *db = ctx;

    return clock_now_us() > db->deadline_us;
}

static void start_clock(struct db *db)
{
    if (db->limit_us && db->active == 0)
        db->deadline_us = clock_now_us() + db->limit_us;
}

char *db_memory_path(void)
{
    static _Atomic unsigned next;
    char path[96];

    snprintf(path, sizeof(path), MEMORY_PREFIX "%ld-%u?vfs=memdb", (long)getpid(),
             atomic_fetch_add(&next, 1) + 1);
    return xstrdup(path);
}

bool db_is_memory(const char *path)
{
    return strcmp(path, ":memory:") == 0 ||
           strncmp(path, MEMORY_PREFIX, strlen(MEMORY_PREFIX)) == 0;
}

/* SQLite gives -wal and -shm the mode of the file, whatever the umask: so make the file first. */
static int create_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return 0;
    if (fd < 0)
        return err_set(err, ERR_STORE, "cannot create %s: %s", path, strerror(errno));
    fchmod(fd, 0600); /* an umask may have taken bits that we need */
    close(fd);
    return 0;
}

/* A file name as a URI that promises that nobody changes the file: then SQLite makes no others. */
static char *immutable_uri(const char *path)
{
    static const char hex[] = "0123456789ABCDEF", flag[] = "?immutable=1";
    char *uri = xcalloc(1, 5 + strlen(path) * 3 + sizeof(flag)), *to = uri + 5;

    memcpy(uri, "file:", 5);
    for (const char *from = path; *from; from++) {
        unsigned char c = (unsigned char)*from;

        if (c > ' ' && c < 0x7F && c != '%' && c != '?' && c != '#') {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    memcpy(to, flag, sizeof(flag));
    return uri;
}

/* A file in WAL mode without a log: SQLite would make one beside it only to read. */
static bool wal_at_rest(const char *path)
{
    char log[4200], head[20];
    struct stat st;
    ssize_t got = -1;
    int fd;

    snprintf(log, sizeof(log), "%s-wal", path);
    if (stat(log, &st) == 0 && st.st_size > 0)
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = pread(fd, head, sizeof(head), 0);
        close(fd);
    }
    return got == (ssize_t)sizeof(head) && head[18] == 2;
}

static int open_handle(struct db *db, const char *path, struct err *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    bool at_rest = db->mode == DB_INSPECT || (db->mode == DB_FOREIGN && wal_at_rest(path));
    char *uri = at_rest ? immutable_uri(path) : NULL;
    int rc;

    flags |= db->mode == DB_WRITE || db->mode == DB_CREATE ? SQLITE_OPEN_READWRITE
                                                           : SQLITE_OPEN_READONLY;
    if (uri || db_is_memory(path))
        flags |= SQLITE_OPEN_URI;
    if (db_is_memory(path)) /* whoever comes first makes it */
        flags = (flags & ~SQLITE_OPEN_READONLY) | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    rc = sqlite3_open_v2(uri ? uri : path, &db->handle, flags, NULL);
    free(uri);
    return rc == SQLITE_OK ? 0 : fail(db, rc, "cannot open", err);
}

struct db *db_open(const char *path, enum db_mode mode, struct err *err)
{
    bool writer = mode == DB_WRITE || mode == DB_CREATE;
    struct db *db;

    if (mode == DB_CREATE && !db_is_memory(path) && create_file(path, err) < 0)
        return NULL;
    db = xcalloc(1, sizeof(*db));
    db->mode = mode;
    if (open_handle(db, path, err) < 0)
        goto failed;
    db_set_busy_wait(db, READER_WAIT_MS); /* also for the switch to WAL */
    if (mode == DB_FOREIGN)
        sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, (int)DB_FOREIGN_MAX);
    if (db_script(db,
                  writer               ? WRITER_SETUP
                  : mode == DB_FOREIGN ? FOREIGN_SETUP
                                       : READER_SETUP,
                  err) < 0)
        goto failed;
    if (writer)
        db_set_busy_wait(db, 0);
    return db;
failed:
    db_close(db);
    return NULL;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(db->statements[i].stmt);
    sqlite3_finalize(db->parts.stmt);
    sqlite3_close(db->handle);
    free(db);
}

int db_set_full_sync(struct db *db, bool full, struct err *err)
{
    return db_script(db, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", err);
}

void db_set_busy_wait(struct db *db, int ms)
{
    sqlite3_busy_timeout(db->handle, ms);
}

static int bind_one(sqlite3_stmt *stmt, int index, const struct db_value *v)
{
    switch (v->type) {
    case DB_VALUE_NULL:
        return sqlite3_bind_null(stmt, index);
    case DB_VALUE_INT:
        return sqlite3_bind_int64(stmt, index, v->num);
    case DB_VALUE_TEXT:
        return sqlite3_bind_text64(stmt, index, v->bytes.ptr, v->bytes.len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case DB_VALUE_BLOB:
        return sqlite3_bind_blob64(stmt, index, v->bytes.ptr, v->bytes.len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int prepare(struct db *db, enum sql_id sql, struct err *err)
{
    struct db_rows *rows = &db->statements[sql];
    int rc;

    rows->db = db;
    rows->what = sql_name[sql];
    if (rows->stmt)
        return 0;
    rc = sqlite3_prepare_v3(db->handle, sql_text[sql], -1, SQLITE_PREPARE_PERSISTENT, &rows->stmt,
                            NULL);
    return rc == SQLITE_OK ? 0 : fail(db, rc, sql_name[sql], err);
}

/* Bind the values of a prepared statement. */
static struct db_rows *start(struct db_rows *rows, const struct db_value *args, size_t count,
                             struct err *err)
{
    assert(!rows->active); /* a statement is used once at a time */
    for (size_t i = 0; i < count; i++) {
        int rc = bind_one(rows->stmt, (int)i + 1, &args[i]);

        if (rc != SQLITE_OK) {
            fail(rows->db, rc, rows->what, err);
            return NULL;
        }
    }
    rows->active = true;
    rows->on_row = false;
    rows->db->active++;
    return rows;
}

struct db_rows *db_query(struct db *db, enum sql_id sql, const struct db_value *args, size_t count,
                         struct err *err)
{
    struct db_rows *rows = &db->statements[sql];

    start_clock(db);
    if (prepare(db, sql, err) < 0)
        return NULL;
    assert((size_t)sqlite3_bind_parameter_count(rows->stmt) == count);
    return start(rows, args, count, err);
}

struct db_rows *db_query_parts(struct db *db, const char *what, struct str text,
                               const struct db_value *args, size_t count, struct err *err)
{
    struct db_rows *rows = &db->parts;
    size_t taken;
    int rc;

    assert(!rows->active);
    start_clock(db);
    sqlite3_finalize(rows->stmt);
    *rows = (struct db_rows){.db = db, .what = what};
    rc = sqlite3_prepare_v3(db->handle, text.ptr, (int)text.len, 0, &rows->stmt, NULL);
    if (rc != SQLITE_OK) {
        fail(db, rc, what, err);
        return NULL;
    }
    taken = (size_t)sqlite3_bind_parameter_count(rows->stmt);
    return start(rows, args, taken < count ? taken : count, err);
}

int db_next(struct db_rows *rows, struct err *err)
{
    int rc = sqlite3_step(rows->stmt);

    rows->on_row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return fail(rows->db, rc, rows->what, err);
}

bool db_is_null(struct db_rows *rows, int column)
{
    return sqlite3_column_type(rows->stmt, column) == SQLITE_NULL;
}

int64_t db_int(struct db_rows *rows, int column)
{
    return sqlite3_column_int64(rows->stmt, column);
}

struct str db_bytes(struct db_rows *rows, int column)
{
    const char *ptr;

    if (sqlite3_column_type(rows->stmt, column) == SQLITE_NULL)
        return STR_NONE;
    ptr = sqlite3_column_blob(rows->stmt, column); /* NULL for an empty value */
    return (struct str){ptr ? ptr : "", (size_t)sqlite3_column_bytes(rows->stmt, column)};
}

int db_columns(struct db_rows *rows)
{
    return sqlite3_column_count(rows->stmt);
}

struct str db_column_name(struct db_rows *rows, int column)
{
    return str_c(sqlite3_column_name(rows->stmt, column));
}

enum db_type db_type(struct db_rows *rows, int column)
{
    switch (sqlite3_column_type(rows->stmt, column)) {
    case SQLITE_INTEGER:
        return DB_IS_INT;
    case SQLITE_FLOAT:
        return DB_IS_REAL;
    case SQLITE_TEXT:
        return DB_IS_TEXT;
    case SQLITE_BLOB:
        return DB_IS_BLOB;
    default:
        return DB_IS_NULL;
    }
}

double db_real(struct db_rows *rows, int column)
{
    return sqlite3_column_double(rows->stmt, column);
}

void db_done(struct db_rows *rows)
{
    if (!rows || !rows->active)
        return;
    sqlite3_reset(rows->stmt);
    rows->active = false;
    rows->db->active--;
}

int db_run(struct db *db, enum sql_id sql, const struct db_value *args, size_t count,
           struct err *err)
{
    struct db_rows *rows = db_query(db, sql, args, count, err);
    int got;

    if (!rows)
        return -1;
    got = db_next(rows, err);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

int db_script(struct db *db, const char *text, struct err *err)
{
    int rc;

    start_clock(db);
    rc = sqlite3_exec(db->handle, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : fail(db, rc, "database", err);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int db_read_part(struct db *db, const char *table, const char *column, int64_t row, size_t offset,
                 char *out, size_t size, size_t *got, struct err *err)
{
    sqlite3_blob *blob = NULL;
    size_t total;
    int rc = sqlite3_blob_open(db->handle, "main", table, column, row, 0, &blob);

    if (rc != SQLITE_OK) {
        fail(db, rc, table, err);
        if ((rc & 0xFF) == SQLITE_ERROR) /* no such row, or no bytes in it */
            err->code = ERR_NOT_FOUND;
        sqlite3_blob_close(blob);
        return -1;
    }
    total = (size_t)sqlite3_blob_bytes(blob);
    if (offset > total)
        offset = total;
    if (size > total - offset)
        size = total - offset;
    rc = size ? sqlite3_blob_read(blob, out, (int)size, (int)offset) : SQLITE_OK;
    if (rc == SQLITE_OK)
        *got = size;
    else
        fail(db, rc, table, err);
    sqlite3_blob_close(blob);
    return rc == SQLITE_OK ? 0 : -1;
}

int db_begin(struct db *db, struct err *err)
{
    bool writer = db->mode == DB_WRITE || db->mode == DB_CREATE;

    assert(!db->in_transaction);
    if (db_script(db, writer ? "BEGIN IMMEDIATE" : "BEGIN", err) < 0)
        return -1;
    db->in_transaction = true;
    return 0;
}

int db_commit(struct db *db, struct err *err)
{
    if (db_script(db, "COMMIT", err) < 0)
        return -1;
    db->in_transaction = false;
    return 0;
}

void db_rollback(struct db *db)
{
    /* Some errors have ended the transaction already. */
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    db->in_transaction = false;
}

int db_checkpoint(struct db *db, struct err *err)
{
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    return rc == SQLITE_OK ? 0 : fail(db, rc, "checkpoint", err);
}

static int copy_pages(sqlite3_backup *copy, int pages,
                      void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx)
{
    int rc;

    do {
        rc = sqlite3_backup_step(copy, pages);
        if (progress)
            progress(ctx, sqlite3_backup_pagecount(copy) - sqlite3_backup_remaining(copy),
                     sqlite3_backup_pagecount(copy));
    } while (rc == SQLITE_OK);
    return rc;
}

int db_backup(struct db *db, const char *path, int pages,
              void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx, struct err *err)
{
    struct db to = {.mode = DB_CREATE};
    sqlite3_backup *copy = NULL;
    int rc = -1, step;

    if (create_file(path, err) < 0 || open_handle(&to, path, err) < 0)
        goto out;
    copy = sqlite3_backup_init(to.handle, "main", db->handle, "main");
    if (!copy) {
        fail(&to, sqlite3_errcode(to.handle), path, err);
        goto out;
    }
    step = copy_pages(copy, pages, progress, ctx);
    rc = step == SQLITE_DONE ? 0 : fail(&to, step, path, err);
    if (sqlite3_backup_finish(copy) != SQLITE_OK && rc == 0)
        rc = fail(&to, sqlite3_errcode(to.handle), path, err);
out:
    sqlite3_close(to.handle);
    return rc;
}

void db_set_time_limit(struct db *db, int64_t ms)
{
    db->limit_us = ms * 1000;
    sqlite3_progress_handler(db->handle, ms ? PROGRESS_STEPS : 0, ms ? on_progress : NULL, db);
}

void db_keep_log(struct db *db)
{
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void db_interrupt(struct db *db)
{
    sqlite3_interrupt(db->handle);
}

int db_version(struct db *db, int *out, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int(stmt, 0);
    else
        fail(db, rc, "cannot read the schema version", err);
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? 0 : -1;
}

int db_set_version(struct db *db, int version, struct err *err)
{
    char text[64];

    snprintf(text, sizeof(text), "PRAGMA user_version = %d", version);
    return db_script(db, text, err);
}
