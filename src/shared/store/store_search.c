#include "store/store_search.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "core/search.h"
#include "store/store_priv.h"

#define UNMADE (-1) /* a version that no program has; also in the migration */

static int one_int(struct db *db, enum sql_id sql, const struct db_value *args, size_t count,
                   int64_t *out, struct err *err)
{
    struct db_rows *rows = db_query(db, sql, args, count, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got;
}

/* ---- texts ---- */

typedef int text_fn(struct str body, struct str content_type, struct buf *out, struct err *err);

/* The text of the side whose columns start at column. A damaged body has none. */
static int side_text(struct store *store, struct db_rows *rows, int column, text_fn *text,
                     struct buf *out, struct err *err)
{
    struct arena arena = {0};
    struct buf raw = {0};
    struct str body;
    int rc = 0;

    if (db_is_null(rows, column + 3))
        return 0;
    if (packer_unpack(&store->packer, db_bytes(rows, column + 3),
                      (enum body_encoding)db_int(rows, column + 1),
                      (size_t)db_int(rows, column + 2), &arena, &body, err) < 0) {
        rc = err->code == ERR_CORRUPT ? 0 : -1;
        goto out;
    }
    rc = text(body, db_bytes(rows, column), &raw, err);
    if (rc == 0)
        rc = search_clean(buf_str(&raw), out, err);
out:
    buf_clear(&raw);
    arena_clear(&arena);
    return rc;
}

int store_search_texts(struct store *store, int64_t id, struct buf *request, struct buf *answer,
                       struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_SEARCH_BODIES, DB_ARGS(DB_INT(id)), err);
    int got = rows ? db_next(rows, err) : -1, rc = -1;

    if (got == 0)
        err_set(err, ERR_NOT_FOUND, "no request %lld", (long long)id);
    if (got == 1 && side_text(store, rows, 0, search_request_text, request, err) == 0)
        rc = side_text(store, rows, 4, search_answer_text, answer, err);
    db_done(rows);
    return rc;
}

/* ---- the index ---- */

/* Put a request into the index, or take it out. */
static int run_with_texts(struct store *store, enum sql_id sql, int64_t id, struct err *err)
{
    struct buf request = {0}, answer = {0};
    int rc = store_search_texts(store, id, &request, &answer, err);

    if (rc == 0)
        rc =
            db_run(store->db, sql,
                   DB_ARGS(DB_INT(id), DB_TEXT(buf_str(&request)), DB_TEXT(buf_str(&answer))), err);
    else if (err->code == ERR_NOT_FOUND)
        rc = 0;
    buf_clear(&request);
    buf_clear(&answer);
    return rc;
}

/* A damaged index is made anew by the next step. */
static int set_unmade(struct store *store, struct err *err)
{
    return db_run(store->db, SQL_SEARCH_SET_VERSION, DB_ARGS(DB_INT(UNMADE)), err);
}

int store_search_forget(struct store *store, int64_t id, struct err *err)
{
    int64_t indexed = 0;
    int got = one_int(store->db, SQL_SEARCH_IS_INDEXED, DB_ARGS(DB_INT(id), DB_INT(SEARCH_VERSION)),
                      &indexed, err);

    if (got < 0)
        return -1;
    if (!indexed || run_with_texts(store, SQL_SEARCH_DELETE, id, err) == 0)
        return 0;
    return err->code == ERR_CORRUPT ? set_unmade(store, err) : -1;
}

static int start_over(struct store *store, bool on, struct err *err)
{
    if (db_run(store->db, SQL_SEARCH_WIPE, DB_NO_ARGS, err) < 0 ||
        db_run(store->db, SQL_SEARCH_TODO_NONE, DB_NO_ARGS, err) < 0 ||
        db_run(store->db, SQL_SEARCH_SET_VERSION, DB_ARGS(DB_INT(on ? SEARCH_VERSION : 0)), err) <
            0)
        return -1;
    return on ? db_run(store->db, SQL_SEARCH_TODO_ALL, DB_NO_ARGS, err) : 0;
}

static int index_some(struct store *store, int64_t until_us, bool *more, struct err *err)
{
    int64_t id = 0;
    int got;

    while ((got = one_int(store->db, SQL_SEARCH_TODO_NEXT, DB_NO_ARGS, &id, err)) == 1) {
        if (run_with_texts(store, SQL_SEARCH_PUT, id, err) < 0 ||
            db_run(store->db, SQL_SEARCH_TODO_DONE, DB_ARGS(DB_INT(id)), err) < 0)
            return -1;
        if (clock_now_us() >= until_us) {
            *more = true;
            break;
        }
    }
    return got < 0 ? -1 : 0;
}

static int step(struct store *store, bool on, int64_t until_us, bool *more, struct err *err)
{
    int64_t version = 0;

    if (one_int(store->db, SQL_SEARCH_VERSION, DB_NO_ARGS, &version, err) < 0)
        return -1;
    if (version != (on ? SEARCH_VERSION : 0)) {
        *more = on;
        return start_over(store, on, err);
    }
    return on ? index_some(store, until_us, more, err) : 0;
}

int store_search_step(struct store *store, bool on, int64_t max_us, bool *more, struct err *err)
{
    int64_t until_us = clock_now_us() + max_us;
    bool own;

    *more = false;
    if (store_begin_own(store, &own, err) < 0)
        return -1;
    if (store_end_own(store, own, step(store, on, until_us, more, err), err) == 0)
        return 0;
    return err->code == ERR_CORRUPT && on ? set_unmade(store, err) : -1;
}

int store_search_rebuild(struct store *store, struct err *err)
{
    bool own;
    int64_t version = 0;
    int rc;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    rc = one_int(store->db, SQL_SEARCH_VERSION, DB_NO_ARGS, &version, err) < 0 ? -1 : 0;
    if (rc == 0 && version == 0)
        rc = err_set(err, ERR_INVALID, "Full-text search is off: set search_index to true.");
    if (rc == 0)
        rc = start_over(store, true, err);
    return store_end_own(store, own, rc, err);
}

int store_search_state(struct store *store, struct store_search *out, struct err *err)
{
    int64_t version = 0;

    out->pending = 0;
    if (one_int(store->db, SQL_SEARCH_VERSION, DB_NO_ARGS, &version, err) < 0)
        return -1;
    out->on = version != 0;
    if (version == SEARCH_VERSION)
        return one_int(store->db, SQL_SEARCH_TODO_COUNT, DB_NO_ARGS, &out->pending, err) < 0 ? -1
                                                                                             : 0;
    if (out->on) { /* not begun yet */
        struct store_counters c;

        if (store_counters(store, &c, err) < 0)
            return -1;
        out->pending = c.total;
    }
    return 0;
}

/* ---- marks ---- */

struct marker {
    struct db *db;
    struct buf expression;
};

struct marker *marker_open(struct str expression, struct err *err)
{
    struct marker *m = xcalloc(1, sizeof(*m));

    m->db = db_open(":memory:", DB_CREATE, err);
    if (m->db && buf_add(&m->expression, expression, err) == 0 &&
        db_run(m->db, SQL_SEARCH_MARKS_OPEN, DB_NO_ARGS, err) == 0)
        return m;
    marker_close(m);
    return NULL;
}

void marker_close(struct marker *m)
{
    if (!m)
        return;
    db_close(m->db);
    buf_clear(&m->expression);
    free(m);
}

int marker_mark(struct marker *m, struct str request, struct str answer, struct buf *marked_request,
                struct buf *marked_answer, struct err *err)
{
    struct db_rows *rows = NULL;
    int got = -1;

    if (db_run(m->db, SQL_SEARCH_MARKS_CLEAR, DB_NO_ARGS, err) < 0 ||
        db_run(m->db, SQL_SEARCH_PUT, DB_ARGS(DB_INT(1), DB_TEXT(request), DB_TEXT(answer)), err) <
            0)
        return -1;
    rows = db_query(m->db, SQL_SEARCH_MARKS, DB_ARGS(DB_TEXT(buf_str(&m->expression))), err);
    if (rows)
        got = db_next(rows, err);
    if (got == 1 && (buf_add(marked_request, db_bytes(rows, 0), err) < 0 ||
                     buf_add(marked_answer, db_bytes(rows, 1), err) < 0))
        got = -1;
    db_done(rows);
    return got < 0 ? -1 : 0;
}
