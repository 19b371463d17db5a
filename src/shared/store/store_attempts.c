/* What a request tried, when its route has several upstreams. */
#include "store/store_priv.h"

static int insert_attempt(struct store *store, int64_t id, const struct attempt *a, struct err *err)
{
    return db_run(store->db, SQL_ATTEMPT_INSERT,
                  DB_ARGS(DB_INT(id), DB_INT(a->number), DB_TEXT(a->upstream_url),
                          DB_TEXT(a->upstream_model), DB_TEXT(a->provider_slug),
                          store_int(a->status), DB_TEXT(a->error), DB_INT(a->started_us),
                          store_int(a->headers_ms), store_int(a->duration_ms)),
                  err);
}

int store_attempts_put(struct store *store, const struct record *r, const struct attempt *list,
                       size_t count, struct err *err)
{
    /* the pending row has the upstream that was tried first */
    if (count > 1 && db_run(store->db, SQL_REQUEST_SERVED,
                            DB_ARGS(DB_INT(r->id), DB_TEXT(r->upstream_url),
                                    DB_TEXT(r->upstream_model), DB_TEXT(r->provider_slug)),
                            err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (insert_attempt(store, r->id, &list[i], err) < 0)
            return err_wrap(err, "store an attempt");
    return 0;
}

static int64_t get_int(struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
}

static void read_attempt(struct db_rows *rows, struct arena *arena, struct attempt *out)
{
    *out = (struct attempt){
        .number = db_int(rows, 0),
        .upstream_url = arena_dup(arena, db_bytes(rows, 1)),
        .upstream_model = arena_dup(arena, db_bytes(rows, 2)),
        .provider_slug = arena_dup(arena, db_bytes(rows, 3)),
        .status = get_int(rows, 4),
        .error = arena_dup(arena, db_bytes(rows, 5)),
        .started_us = db_int(rows, 6),
        .headers_ms = get_int(rows, 7),
        .duration_ms = get_int(rows, 8),
    };
}

int store_attempts_get(struct store *store, int64_t id, struct arena *arena, struct attempt **out,
                       size_t *count, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_ATTEMPT_LIST, DB_ARGS(DB_INT(id)), err);
    size_t cap = 0;
    int got = -1;

    *out = NULL;
    *count = 0;
    while (rows && (got = db_next(rows, err)) == 1) {
        *out = store_grow(arena, *out, *count, &cap, sizeof(**out));
        if (!*out) {
            got = err_set(err, ERR_NO_MEMORY, "no memory for the attempts");
            break;
        }
        read_attempt(rows, arena, &(*out)[(*count)++]);
    }
    db_done(rows);
    return got;
}
