/* From whatever is at a path to a database of this program's schema, or a refusal that names the
 * path and the reason. Nothing that exists is ever deleted, cut or overwritten. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/store_priv.h"

#define MIGRATION_WAIT_MS 5000

static const char HEADER[16] = "SQLite format 3";

/* ---- database URLs ---- */

/* The file that a link names: its lock and its log lie beside it, whatever name was given. */
static char *behind_link(char *path)
{
    struct stat st;
    char *real = lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? realpath(path, NULL) : NULL;

    if (!real)
        return path;
    free(path);
    return real;
}

static int home_path(struct str rest, char **out, struct err *err)
{
    const char *home = getenv("HOME");
    struct buf path = {0};

    if (!home || !*home)
        return err_set(err, ERR_INVALID, "the database path starts with ~/ but HOME is not set");
    buf_put(&path, str_c(home));
    buf_put(&path, rest);
    *out = behind_link(buf_take(&path));
    return 0;
}

static int plain_path(struct str path, char **out, struct err *err)
{
    struct buf safe = {0};

    if (path.len == 0)
        return err_set(err, ERR_INVALID, "the database path is empty");
    if (path.len > 4000 || memchr(path.ptr, '\0', path.len))
        return err_set(err, ERR_INVALID, "the database path is no file name");
    if (str_starts(path, STR("~/")))
        return home_path(str_from(path, 1), out, err);
    if (str_starts(path, STR("file:"))) /* SQLite would read a URI */
        buf_put(&safe, STR("./"));
    buf_put(&safe, path);
    *out = behind_link(buf_take(&safe));
    return 0;
}

int store_path(struct str url, char **out, struct err *err)
{
    ptrdiff_t scheme = str_find(url, STR("://"));
    struct str path;

    if (str_eq(url, STR(":memory:"))) {
        *out = db_memory_path();
        return 0;
    }
    if (scheme < 0)
        return plain_path(url, out, err);
    if (!str_ieq(str_cut(url, (size_t)scheme), STR("sqlite")))
        return err_set(err, ERR_INVALID, "database URL %.*s: only sqlite is supported",
                       STR_ARG(str_cut(url, 200)));
    path = str_from(url, (size_t)scheme + 3);
    if (str_chr(path, '?') >= 0)
        return err_set(err, ERR_INVALID, "database URL %.*s: a query string is not supported",
                       STR_ARG(str_cut(url, 200)));
    if (path.len == 0 || str_eq(path, STR("/")) || str_eq(path, STR("/:memory:"))) {
        *out = db_memory_path();
        return 0;
    }
    if (path.ptr[0] != '/')
        return err_set(err, ERR_INVALID,
                       "database URL %.*s: write sqlite:///relative or sqlite:////absolute",
                       STR_ARG(str_cut(url, 200)));
    return plain_path(str_from(path, 1), out, err);
}

bool store_path_in_memory(const char *path)
{
    return db_is_memory(path);
}

/* ---- what is there ---- */

enum found { FOUND_NOTHING, FOUND_EMPTY, FOUND_OLDER, FOUND_CURRENT };

static int refuse(struct err *err, const char *path, const char *why)
{
    return err_set(err, ERR_STORE, "database %s: %s", path, why);
}

int store_look_at_file(const char *path, struct err *err)
{
    struct stat st;
    char head[sizeof(HEADER)];
    ssize_t got;
    int fd;

    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : refuse(err, path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return refuse(err, path, "is a directory");
    if (!S_ISREG(st.st_mode))
        return refuse(err, path, "is not a file");
    if (st.st_size == 0)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(err, path, strerror(errno));
    got = pread(fd, head, sizeof(head), 0);
    close(fd);
    if (got != (ssize_t)sizeof(head) || memcmp(head, HEADER, sizeof(head)) != 0)
        return refuse(err, path, "is not a database");
    return 1;
}

static int query_ints(struct db *db, enum sql_id sql, int64_t *out, int count, struct err *err)
{
    struct db_rows *rows = db_query(db, sql, DB_NO_ARGS, err);
    int got;

    if (!rows)
        return -1;
    got = db_next(rows, err);
    for (int i = 0; i < count; i++)
        out[i] = got == 1 ? db_int(rows, i) : 0;
    db_done(rows);
    return got < 0 ? -1 : 0;
}

int store_refuse_newer(struct db *db, int version, int known, struct err *err)
{
    struct db_rows *rows = db_query(db, SQL_META_GET, DB_ARGS(DB_TEXT(STR("written_by"))), err);
    char by[80] = "a newer version";

    if (rows && db_next(rows, err) == 1)
        snprintf(by, sizeof(by), "version %.*s", STR_ARG(str_cut(db_bytes(rows, 0), 40)));
    db_done(rows);
    return err_set(err, ERR_STORE, "written by %s of this program (schema %d, this one knows %d)",
                   by, version, known);
}

/* Reads a little of each table, so that a file whose schema is broken is found out now. */
static int read_some(struct db *db, struct err *err)
{
    int64_t ignored;

    if (query_ints(db, SQL_REQUEST_LAST_ID, &ignored, 1, err) < 0 ||
        query_ints(db, SQL_GENERATION_GET, &ignored, 1, err) < 0)
        return -1;
    return query_ints(db, SQL_COUNTER_LIST, &ignored, 0, err);
}

static int inspect(struct db *db, const char *path, int known, enum found *found, int *version,
                   struct err *err)
{
    int64_t tables[3], application;

    if (db_version(db, version, err) < 0 || query_ints(db, SQL_SCHEMA_TABLES, tables, 3, err) < 0 ||
        query_ints(db, SQL_APPLICATION_ID, &application, 1, err) < 0)
        return err_wrap(err, "database %s", path);
    if (tables[0] == 0 && *version == 0 && application == 0) {
        *found = FOUND_EMPTY;
        return 0;
    }
    if (application != STORE_APPLICATION_ID && tables[1])
        return err_set(err, ERR_STORE,
                       "database %s: written by the Python llm-observe-proxy; take it over with "
                       "\"llm-observe-proxy db import %s\" into a new database",
                       path, path);
    if (application != STORE_APPLICATION_ID && tables[2] && *version == 0)
        return err_set(err, ERR_STORE,
                       "database %s: written by an early Python llm-observe-proxy; try "
                       "\"llm-observe-proxy db import %s\" into a new database",
                       path, path);
    if (application != STORE_APPLICATION_ID)
        return refuse(err, path, "is a database of another program");
    if (*version > known) {
        store_refuse_newer(db, *version, known, err);
        return err_wrap(err, "database %s", path);
    }
    if (*version == known && read_some(db, err) < 0)
        return err_wrap(err, "database %s", path);
    *found = *version == known ? FOUND_CURRENT : FOUND_OLDER;
    return 0;
}

/* A log beside the file means that the file alone does not tell all: then it must be read too. */
static bool has_log(const char *path)
{
    struct buf name = {0};
    struct stat st;
    bool found;

    buf_printf(&name, "%s-wal", path);
    found = stat(name.ptr, &st) == 0 && st.st_size > 0;
    buf_clear(&name);
    return found;
}

/* A database that is not there yet: can it be made? The first folder above it that exists tells. */
static int check_folder(const char *path, struct err *err)
{
    struct str folder = str_c(path);
    char name[4096];

    for (;;) {
        while (folder.len > 0 && folder.ptr[folder.len - 1] != '/')
            folder.len--;
        while (folder.len > 1 && folder.ptr[folder.len - 1] == '/')
            folder.len--;
        snprintf(name, sizeof(name), "%.*s", STR_ARG(folder.len ? folder : STR(".")));
        if (access(name, F_OK) == 0 || folder.len <= 1)
            break;
    }
    return access(name, W_OK | X_OK) == 0 ? 0 : refuse(err, path, strerror(errno));
}

int store_check(const char *path, struct err *err)
{
    enum found found;
    struct db *db;
    int version, rc;

    if (db_is_memory(path))
        return 0;
    rc = store_look_at_file(path, err);
    if (rc == 0 && access(path, F_OK) < 0)
        return check_folder(path, err);
    if (rc <= 0)
        return rc;
    if (access(path, W_OK) < 0)
        return refuse(err, path, strerror(errno));
    db = db_open(path, has_log(path) ? DB_READ : DB_INSPECT, err);
    if (!db)
        return err_wrap(err, "database %s", path);
    rc = inspect(db, path, SQL_SCHEMA_VERSION, &found, &version, err);
    db_close(db);
    return rc;
}

/* ---- making and migrating ---- */

static int make_parents(const char *path, struct err *err)
{
    char *copy = xstrdup(path);
    int rc = 0;

    for (char *slash = strchr(copy + 1, '/'); slash && rc == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
            rc = err_set(err, ERR_STORE, "database %s: cannot create folder %s: %s", path, copy,
                         strerror(errno));
        *slash = '/';
    }
    free(copy);
    return rc;
}

/* A name that is not taken yet; the empty file is there afterwards, which VACUUM INTO accepts. */
static int make_backup_file(const char *path, int version, struct buf *name, struct err *err)
{
    for (int i = 1; i < 100; i++) {
        int fd;

        name->len = 0;
        buf_printf(name, i == 1 ? "%s.bak-v%d" : "%s.bak-v%d.%d", path, version, i);
        fd = open(name->ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            fchmod(fd, 0600);
            close(fd);
            return 0;
        }
        if (errno != EEXIST)
            break;
    }
    return err_set(err, ERR_STORE, "cannot create %s: %s", name->ptr, strerror(errno));
}

static int back_up(struct db *db, const char *path, int version, struct err *err)
{
    struct buf name = {0};
    int rc = make_backup_file(path, version, &name, err);

    if (rc == 0) {
        rc = db_run(db, SQL_BACKUP_INTO, DB_ARGS(DB_TEXT(buf_str(&name))), err);
        if (rc < 0)
            unlink(name.ptr); /* ours, and incomplete */
    }
    if (rc < 0)
        err_wrap(err, "cannot copy it to %s before migrating (--no-backup goes without)", name.ptr);
    buf_clear(&name);
    return rc;
}

static int run_migrations(struct db *db, const char *const *migrations, int from, int to,
                          struct err *err)
{
    int version;

    if (db_begin(db, err) < 0)
        return -1;
    if (db_version(db, &version, err) < 0)
        goto failed;
    if (version != from) {
        err_set(err, ERR_BUSY, "another process is migrating it");
        goto failed;
    }
    for (int i = from; i < to; i++) {
        if (db_script(db, migrations[i], err) < 0)
            goto failed;
    }
    if (db_run(db, SQL_META_PUT, DB_ARGS(DB_TEXT(STR("written_by")), DB_TEXT(STR(LOP_VERSION))),
               err) < 0 ||
        db_set_version(db, to, err) < 0 || db_commit(db, err) < 0)
        goto failed;
    return 0;
failed:
    db_rollback(db);
    return -1;
}

static int bring_up(struct db *db, const char *path, const char *const *migrations, int count,
                    bool no_backup, struct err *err)
{
    enum found found;
    int version = 0;

    db_set_busy_wait(db, MIGRATION_WAIT_MS);
    if (inspect(db, path, count, &found, &version, err) < 0)
        return -1;
    if (found == FOUND_CURRENT)
        return 0;
    if ((found == FOUND_OLDER && !no_backup && back_up(db, path, version, err) < 0) ||
        run_migrations(db, migrations, version, count, err) < 0)
        return err_wrap(err, "database %s", path);
    return 0;
}

int store_migrate(const char *path, const char *const *migrations, int count, bool no_backup,
                  struct err *err)
{
    struct db *db;
    int there, rc;

    there = store_look_at_file(path, err);
    if (there < 0 || (there == 0 && make_parents(path, err) < 0))
        return -1;
    db = db_open(path, DB_CREATE, err);
    if (!db)
        return err_wrap(err, "database %s", path);
    rc = bring_up(db, path, migrations, count, no_backup, err);
    if (rc == 0)
        db_keep_log(db);
    db_close(db);
    return rc;
}

int store_prepare(const char *path, bool no_backup, struct err *err)
{
    if (db_is_memory(path))
        return 0;
    if (store_check(path, err) < 0) /* a refusal must not even switch the file to WAL */
        return -1;
    return store_migrate(path, sql_migrations, SQL_SCHEMA_VERSION, no_backup, err);
}

int store_schema_version(void)
{
    return SQL_SCHEMA_VERSION;
}
