/* store/legacy.h - a database of the Python llm-observe-proxy 0.6, read row by row.
 *
 * The file may be of an older version, damaged or hostile: columns are found by name, a value may
 * have any type, and a row that cannot be read is an error of that row alone. Never written to. */
#ifndef STORE_LEGACY_H
#define STORE_LEGACY_H

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"

/** In the order in which they are taken over: what others refer to comes first. */
#define LEGACY_TABLES(X) /* constant, name of the table */                                         \
    X(SETTINGS, "app_settings")                                                                    \
    X(PROVIDERS, "model_providers")                                                                \
    X(ROUTES, "model_routes")                                                                      \
    X(PRICES, "model_prices")                                                                      \
    X(TIERS, "model_price_tiers")                                                                  \
    X(RUNS, "task_runs")                                                                           \
    X(REQUESTS, "request_records")                                                                 \
    X(IMAGES, "image_assets")

enum legacy_table {
#define X(constant, name) LEGACY_##constant,
    LEGACY_TABLES(X)
#undef X
        LEGACY_TABLE_COUNT
};
extern const char *const legacy_name[LEGACY_TABLE_COUNT];

struct legacy;

/** ERR_STORE names the path and says why it is no such database, ERR_UNREACHABLE that there is no
 *  file. Returns owned, legacy_close(). */
struct legacy *legacy_open(const char *path, struct err *err);
void legacy_close(struct legacy *l);
/** Early versions lack some of the tables. */
bool legacy_has(const struct legacy *l, enum legacy_table table);
int legacy_count(struct legacy *l, enum legacy_table table, int64_t *out, struct err *err);
/** The number of the first row after the given one: 1 found, 0 none, -1 error. */
int legacy_next(struct legacy *l, enum legacy_table table, int64_t after, int64_t *row,
                struct err *err);

/** One row; one of each table at a time. */
struct legacy_row {
    struct db_rows *rows;
    struct arena *arena; /* of texts that had to be changed */
    const char *bad;     /* the last column whose value could not be used; NULL */
};
/** 1 there it is, 0 it is gone, -1 error (ERR_INVALID: too large, ERR_CORRUPT). Values are borrowed
 *  until legacy_done(). */
int legacy_load(struct legacy *l, enum legacy_table table, int64_t row, struct arena *arena,
                struct legacy_row *out, struct err *err);
void legacy_done(struct legacy_row *r);
/** Names of columns; NULL at the end of the row. */
struct str legacy_column(const struct legacy_row *r, int i);

/* Values by the names of their columns. A column that is not there, or NULL, is absent: STR_NONE,
 * UNKNOWN, false. So is a value of no use, which *bad remembers. */
bool legacy_has_column(const struct legacy_row *r, const char *column);
struct str legacy_bytes(const struct legacy_row *r, const char *column);
/** Repaired to valid UTF-8. */
struct str legacy_text(struct legacy_row *r, const char *column);
/** Text that is JSON of that kind: '{', '[', or 0 for any. */
struct str legacy_json(struct legacy_row *r, const char *column, char kind);
int64_t legacy_int(struct legacy_row *r, const char *column, int64_t least, int64_t most);
bool legacy_bool(struct legacy_row *r, const char *column, bool fallback);
/** UTC, in microseconds. */
int64_t legacy_time(struct legacy_row *r, const char *column);
/** Pico-dollars of a decimal or floating-point number of dollars. */
int64_t legacy_money(struct legacy_row *r, const char *column);
/** A number as decimal text, in out. STR_NONE when it is none. */
struct str legacy_decimal(struct legacy_row *r, const char *column, char out[64]);

/** Rows of a table in the order of the row they belong to. */
struct legacy_children {
    struct legacy *legacy;
    enum legacy_table table;
    struct db_rows *rows;
    int got; /* 1: at a row */
};
/** LEGACY_TIERS or LEGACY_IMAGES. Release with legacy_children_close(), also after an error. */
int legacy_children_open(struct legacy *l, enum legacy_table table, struct legacy_children *out,
                         struct err *err);
/** The next row that belongs to parent: 1 and its number, 0 no more. Parents must come in ascending
 *  order; rows before are passed over and counted in *orphans. -1 error. */
int legacy_children_next(struct legacy_children *c, int64_t parent, int64_t *row, int64_t *orphans,
                         struct err *err);
void legacy_children_close(struct legacy_children *c);

#endif
