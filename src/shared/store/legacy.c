#include "store/legacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "core/money.h"
#include "store/store_priv.h"
#include "text/format.h"
#include "json/json_scan.h"

#define BUSY_WAIT_MS 5000

const char *const legacy_name[LEGACY_TABLE_COUNT] = {
#define X(constant, name) name,
    LEGACY_TABLES(X)
#undef X
};

static const struct {
    enum sql_id count, next, row;
} statements[LEGACY_TABLE_COUNT] = {
#define X(constant, name)                                                                          \
    {SQL_SOURCE_##constant##_COUNT, SQL_SOURCE_##constant##_NEXT, SQL_SOURCE_##constant##_ROW},
    LEGACY_TABLES(X)
#undef X
};

struct legacy {
    struct db *db;
    bool has[LEGACY_TABLE_COUNT];
};

/* ---- the file ---- */

static void note_table(struct legacy *l, struct str name)
{
    for (int i = 0; i < LEGACY_TABLE_COUNT; i++)
        if (str_eq(name, str_c(legacy_name[i])))
            l->has[i] = true;
}

static int find_tables(struct legacy *l, struct err *err)
{
    struct db_rows *rows = db_query(l->db, SQL_SOURCE_TABLES, DB_NO_ARGS, err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1)
        note_table(l, db_bytes(rows, 0));
    db_done(rows);
    return got;
}

static int check_owner(struct legacy *l, struct err *err)
{
    struct db_rows *rows = db_query(l->db, SQL_APPLICATION_ID, DB_NO_ARGS, err);
    int got = rows ? db_next(rows, err) : -1;
    int64_t application = got == 1 ? db_int(rows, 0) : 0;

    db_done(rows);
    if (got < 0 || find_tables(l, err) < 0)
        return -1;
    if (application == STORE_APPLICATION_ID)
        return err_set(err, ERR_STORE, "is a database of this program, not of the Python one");
    if (!l->has[LEGACY_REQUESTS] && !l->has[LEGACY_RUNS])
        return err_set(err, ERR_STORE, "is no database of the Python llm-observe-proxy");
    return 0;
}

struct legacy *legacy_open(const char *path, struct err *err)
{
    struct legacy *l = xcalloc(1, sizeof(*l));
    int there = store_look_at_file(path, err);

    if (there == 0 && access(path, F_OK) < 0)
        err_set(err, ERR_UNREACHABLE, "there is no file %s", path);
    else if (there == 0)
        err_set(err, ERR_STORE, "database %s: is empty", path);
    if (there <= 0)
        goto failed;
    l->db = db_open(path, DB_FOREIGN, err);
    if (l->db)
        db_set_busy_wait(l->db, BUSY_WAIT_MS);
    if (!l->db || check_owner(l, err) < 0) {
        err_wrap(err, "database %s", path);
        goto failed;
    }
    return l;
failed:
    legacy_close(l);
    return NULL;
}

void legacy_close(struct legacy *l)
{
    if (!l)
        return;
    db_close(l->db);
    free(l);
}

bool legacy_has(const struct legacy *l, enum legacy_table table)
{
    return l->has[table];
}

static int one_number(struct legacy *l, enum sql_id sql, const struct db_value *args, size_t count,
                      int64_t *out, struct err *err)
{
    struct db_rows *rows = db_query(l->db, sql, args, count, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got;
}

int legacy_count(struct legacy *l, enum legacy_table table, int64_t *out, struct err *err)
{
    return one_number(l, statements[table].count, DB_NO_ARGS, out, err) < 0 ? -1 : 0;
}

int legacy_next(struct legacy *l, enum legacy_table table, int64_t after, int64_t *row,
                struct err *err)
{
    return one_number(l, statements[table].next, DB_ARGS(DB_INT(after)), row, err);
}

/* ---- rows ---- */

int legacy_load(struct legacy *l, enum legacy_table table, int64_t row, struct arena *arena,
                struct legacy_row *out, struct err *err)
{
    int got;

    *out = (struct legacy_row){.arena = arena};
    out->rows = db_query(l->db, statements[table].row, DB_ARGS(DB_INT(row)), err);
    got = out->rows ? db_next(out->rows, err) : -1;
    if (got != 1)
        legacy_done(out);
    return got;
}

void legacy_done(struct legacy_row *r)
{
    db_done(r->rows);
    r->rows = NULL;
}

struct str legacy_column(const struct legacy_row *r, int i)
{
    return i < db_columns(r->rows) ? db_column_name(r->rows, i) : STR_NONE;
}

static int find_column(const struct legacy_row *r, const char *column)
{
    int count = db_columns(r->rows);

    for (int i = 0; i < count; i++)
        if (str_ieq(db_column_name(r->rows, i), str_c(column)))
            return i;
    return -1;
}

/* The column when it has a value, else -1. */
static int find_value(const struct legacy_row *r, const char *column)
{
    int i = find_column(r, column);

    return i >= 0 && db_type(r->rows, i) != DB_IS_NULL ? i : -1;
}

bool legacy_has_column(const struct legacy_row *r, const char *column)
{
    return find_column(r, column) >= 0;
}

struct str legacy_bytes(const struct legacy_row *r, const char *column)
{
    int i = find_value(r, column);

    return i < 0 ? STR_NONE : db_bytes(r->rows, i);
}

struct str legacy_text(struct legacy_row *r, const char *column)
{
    struct str text = legacy_bytes(r, column);
    struct buf repaired = {0};
    struct err err;

    if (!text.ptr || utf8_valid(text))
        return text;
    if (utf8_repair(&repaired, text, &err) < 0)
        r->bad = column;
    text = repaired.ptr ? arena_dup(r->arena, buf_str(&repaired)) : STR_NONE;
    buf_clear(&repaired);
    return text;
}

struct str legacy_json(struct legacy_row *r, const char *column, char kind)
{
    struct str text = legacy_text(r, column), value;

    if (!str_trim(text).len)
        return STR_NONE;
    if (json_scan(text, &value) != JSON_INVALID && (!kind || value.ptr[0] == kind))
        return value;
    if (!str_eq(str_trim(text), STR("null")))
        r->bad = column;
    return STR_NONE;
}

int64_t legacy_int(struct legacy_row *r, const char *column, int64_t least, int64_t most)
{
    int i = find_value(r, column);
    int64_t n = UNKNOWN;
    double real;

    if (i < 0)
        return UNKNOWN;
    switch (db_type(r->rows, i)) {
    case DB_IS_INT:
        n = db_int(r->rows, i);
        break;
    case DB_IS_REAL:
        real = db_real(r->rows, i);
        if (real > -9e15 && real < 9e15 && real - (double)(int64_t)real == 0.0)
            n = (int64_t)real;
        break;
    case DB_IS_TEXT:
        if (!str_int64(str_trim(db_bytes(r->rows, i)), &n))
            n = UNKNOWN;
        break;
    case DB_IS_BLOB:
    case DB_IS_NULL:
        break;
    }
    if (n != UNKNOWN && n >= least && n <= most)
        return n;
    r->bad = column;
    return UNKNOWN;
}

bool legacy_bool(struct legacy_row *r, const char *column, bool fallback)
{
    int i = find_value(r, column);
    enum db_type type;

    if (i < 0)
        return fallback;
    type = db_type(r->rows, i);
    if (type == DB_IS_INT || type == DB_IS_REAL)
        return db_int(r->rows, i) != 0;
    return str_is_yes(db_bytes(r->rows, i));
}

int64_t legacy_time(struct legacy_row *r, const char *column)
{
    int i = find_value(r, column);
    char text[64];
    struct str given;
    int64_t us;

    if (i < 0)
        return UNKNOWN;
    given = str_trim(db_bytes(r->rows, i));
    if (db_type(r->rows, i) == DB_IS_TEXT && given.len > 10 && given.len < 50) {
        struct str clock = str_from(given, 10);
        bool zoned = str_chr(clock, 'Z') >= 0 || str_chr(clock, 'z') >= 0 ||
                     str_chr(clock, '+') >= 0 || str_chr(clock, '-') >= 0;

        snprintf(text, sizeof(text), "%.*s%s", STR_ARG(given), zoned ? "" : "Z");
        if (format_parse_iso(str_c(text), &us) && us >= 0)
            return us;
    }
    r->bad = column;
    return UNKNOWN;
}

struct str legacy_decimal(struct legacy_row *r, const char *column, char out[64])
{
    int i = find_value(r, column);
    struct str text;

    if (i < 0)
        return STR_NONE;
    if (db_type(r->rows, i) == DB_IS_REAL) /* more digits than the column was declared with */
        snprintf(out, 64, "%.15g", db_real(r->rows, i));
    else {
        text = str_trim(db_bytes(r->rows, i));
        snprintf(out, 64, "%.*s", STR_ARG(str_cut(text, 63)));
    }
    return str_c(out);
}

int64_t legacy_money(struct legacy_row *r, const char *column)
{
    char text[64];
    struct str number = legacy_decimal(r, column, text);
    int64_t pusd;

    if (!number.ptr)
        return UNKNOWN;
    if (money_amount(number, &pusd))
        return pusd;
    r->bad = column;
    return UNKNOWN;
}

/* ---- children ---- */

int legacy_children_open(struct legacy *l, enum legacy_table table, struct legacy_children *out,
                         struct err *err)
{
    enum sql_id sql = table == LEGACY_TIERS ? SQL_SOURCE_TIERS_PARENTS : SQL_SOURCE_IMAGES_PARENTS;

    *out = (struct legacy_children){.legacy = l, .table = table};
    if (!l->has[table])
        return 0;
    out->rows = db_query(l->db, sql, DB_NO_ARGS, err);
    out->got = out->rows ? db_next(out->rows, err) : -1;
    return out->got < 0 ? -1 : 0;
}

int legacy_children_next(struct legacy_children *c, int64_t parent, int64_t *row, int64_t *orphans,
                         struct err *err)
{
    while (c->got == 1 && db_type(c->rows, 1) != DB_IS_TEXT && db_type(c->rows, 1) != DB_IS_BLOB &&
           db_int(c->rows, 1) <= parent) {
        bool found = db_int(c->rows, 1) == parent;

        *row = db_int(c->rows, 0);
        c->got = db_next(c->rows, err);
        if (c->got < 0)
            return -1;
        if (found)
            return 1;
        ++*orphans;
    }
    return 0;
}

void legacy_children_close(struct legacy_children *c)
{
    db_done(c->rows);
    *c = (struct legacy_children){0};
}
