/* db/db.h - an SQL engine behind calls that know nothing of our tables. db_sqlite.c is the engine
 * there is; another one would implement this page over statements of the same names.
 *
 * A handle belongs to one thread at a time. Statements come from the numbered table sql_text[] that
 * the build makes of schema/, are prepared once per handle and reused. */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/err.h"
#include "base/str.h"
#include "sql.h"

struct db;
struct db_rows;

enum db_mode {
    DB_READ,    /* read-only, query_only */
    DB_INSPECT, /* like DB_READ, and no file beside it is created either; for a file at rest */
    DB_FOREIGN, /* read-only, of another program: its schema is not trusted, its values are bounded
                 */
    DB_WRITE,   /* the file must exist */
    DB_CREATE,  /* created (mode 0600) when missing */
};

/** One value to bind. Text and blobs are borrowed until the statement is done. */
struct db_value {
    enum { DB_VALUE_NULL, DB_VALUE_INT, DB_VALUE_TEXT, DB_VALUE_BLOB } type;
    int64_t num;
    struct str bytes;
};
#define DB_INT(n) ((struct db_value){DB_VALUE_INT, (n), STR_NONE})
#define DB_TEXT(s) ((struct db_value){(s).ptr ? DB_VALUE_TEXT : DB_VALUE_NULL, 0, (s)})
#define DB_BLOB(s) ((struct db_value){(s).ptr ? DB_VALUE_BLOB : DB_VALUE_NULL, 0, (s)})
#define DB_NULL ((struct db_value){DB_VALUE_NULL, 0, STR_NONE})
/** Arguments of a statement: DB_ARGS(DB_INT(1), DB_TEXT(name)). */
#define DB_ARGS(...)                                                                               \
    (const struct db_value[]){__VA_ARGS__},                                                        \
        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define DB_NO_ARGS NULL, 0

/** A value of a foreign file larger than this is an error (ERR_INVALID) of its row. */
#define DB_FOREIGN_MAX ((size_t)256 << 20)

/** A path that many handles of this process may open, for one database in memory that lives as long
 *  as a handle is open. Returns owned, free(). */
char *db_memory_path(void);
bool db_is_memory(const char *path);
/** Open path (":memory:" for a private one). Returns owned, db_close(). ERR_STORE, ERR_CORRUPT. */
struct db *db_open(const char *path, enum db_mode mode, struct err *err);
void db_close(struct db *db);
/** Leave the log as it is when this handle closes: another one follows at once. */
void db_keep_log(struct db *db);
/** Commits of this handle survive a power loss too. */
int db_set_full_sync(struct db *db, bool full, struct err *err);
/** How long calls of this handle wait for a lock before they say ERR_BUSY; 0 at first for writers.
 */
void db_set_busy_wait(struct db *db, int ms);

/** Start a query. Returns owned, db_done(); NULL on error. Errors of all calls here: ERR_BUSY
 *  (locked, or longer than the time limit), ERR_FULL (disk), ERR_CORRUPT, ERR_NO_MEMORY, ERR_STORE
 *  (cannot read or write the file), ERR_INVALID (this row is refused: a constraint, too big),
 *  ERR_FAILED (anything else). */
struct db_rows *db_query(struct db *db, enum sql_id sql, const struct db_value *args, size_t count,
                         struct err *err);
/** The same for a statement that was put together of sql_part[]; one at a time. what names it in
 *  messages. Values beyond its parameters are left out. */
struct db_rows *db_query_parts(struct db *db, const char *what, struct str text,
                               const struct db_value *args, size_t count, struct err *err);
/** 1 row, 0 no more, -1 error. */
int db_next(struct db_rows *rows, struct err *err);
/** Values of the current row; borrowed until the next db_next() or db_done(). */
bool db_is_null(struct db_rows *rows, int column);
int64_t db_int(struct db_rows *rows, int column);      /* 0 for NULL */
struct str db_bytes(struct db_rows *rows, int column); /* text or blob; STR_NONE for NULL */
/** What a query of a foreign file gives: its columns, and values of whatever type. Names are
 * borrowed until db_done(). */
enum db_type { DB_IS_NULL, DB_IS_INT, DB_IS_REAL, DB_IS_TEXT, DB_IS_BLOB };
int db_columns(struct db_rows *rows);
struct str db_column_name(struct db_rows *rows, int column);
enum db_type db_type(struct db_rows *rows, int column);
double db_real(struct db_rows *rows, int column);
/** Finish a query; accepts NULL. */
void db_done(struct db_rows *rows);

/** Run a statement that returns no rows. */
int db_run(struct db *db, enum sql_id sql, const struct db_value *args, size_t count,
           struct err *err);
/** Run statements that are not in the table: a migration. */
int db_script(struct db *db, const char *text, struct err *err);
int64_t db_changes(struct db *db);
/** Read at most size bytes at offset of one large value, without loading the rest. *got is less
 *  at the end of the value. ERR_NOT_FOUND when there is no such row or it is NULL. */
int db_read_part(struct db *db, const char *table, const char *column, int64_t row, size_t offset,
                 char *out, size_t size, size_t *got, struct err *err);

/** One transaction at a time. A write transaction takes the write lock at once. */
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);
/** Copy what the write-ahead log holds back into the file, as far as readers allow. */
int db_checkpoint(struct db *db, struct err *err);

/** Copy the database to a new file at path (mode 0600), pages at a time; progress (may be NULL) is
 *  told how many are done. Within a transaction that has read, it is one state of the database. */
int db_backup(struct db *db, const char *path, int pages,
              void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx,
              struct err *err);

/** Stop a statement of this handle that runs longer than ms (0: no limit). */
void db_set_time_limit(struct db *db, int64_t ms);
/** Any thread, while the handle is open: stop the statement that runs. */
void db_interrupt(struct db *db);
/** PRAGMA user_version. */
int db_version(struct db *db, int *out, struct err *err);
/** Within the transaction at hand. */
int db_set_version(struct db *db, int version, struct err *err);

#endif
