#include "base/clock.h"
#include "store/store_priv.h"
#include "store/store_routing.h"

static void read_route(struct db_rows *rows, struct arena *arena, struct route *out)
{
    *out = (struct route){
        .id = db_int(rows, 0),
        .incoming_model = arena_dup(arena, db_bytes(rows, 1)),
        .prefix = str_eq(db_bytes(rows, 2), STR("prefix")),
        .upstream_url = arena_dup(arena, db_bytes(rows, 3)),
        .upstream_model = arena_dup(arena, db_bytes(rows, 4)),
        .provider_slug = arena_dup(arena, db_bytes(rows, 5)),
        .api_key_env = arena_dup(arena, db_bytes(rows, 6)),
        .auth_style = arena_dup(arena, db_bytes(rows, 7)),
        .fixes_json = arena_dup(arena, db_bytes(rows, 8)),
        .managed_by = arena_dup(arena, db_bytes(rows, 9)),
        .override_fallback = db_int(rows, 10),
        .priority = db_int(rows, 11),
        .active = db_int(rows, 12),
        .failover_json = arena_dup(arena, db_bytes(rows, 13)),
        .created_us = db_int(rows, 14),
        .updated_us = db_int(rows, 15),
    };
}

int store_routes(struct store *store, struct arena *arena, struct route **out, size_t *count,
                 struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_ROUTE_LIST, DB_NO_ARGS, err);
    size_t cap = 0;
    int got = -1;

    *out = NULL;
    *count = 0;
    while (rows && (got = db_next(rows, err)) == 1) {
        *out = store_grow(arena, *out, *count, &cap, sizeof(**out));
        if (!*out) {
            got = err_set(err, ERR_NO_MEMORY, "no memory for the routes");
            break;
        }
        read_route(rows, arena, &(*out)[(*count)++]);
    }
    db_done(rows);
    return got;
}

static int take_route(struct db_rows *rows, struct arena *arena, struct route *out, struct err *err)
{
    int got = rows ? db_next(rows, err) : -1;

    if (got == 0)
        err_set(err, ERR_NOT_FOUND, "Route not found.");
    if (got == 1)
        read_route(rows, arena, out);
    db_done(rows);
    return got == 1 ? 0 : -1;
}

int store_route_get(struct store *store, int64_t id, struct arena *arena, struct route *out,
                    struct err *err)
{
    return take_route(db_query(store->db, SQL_ROUTE_GET, DB_ARGS(DB_INT(id)), err), arena, out,
                      err);
}

int store_route_find(struct store *store, struct str incoming_model, bool prefix,
                     struct arena *arena, struct route *out, struct err *err)
{
    struct str type = prefix ? STR("prefix") : STR("exact");

    return take_route(
        db_query(store->db, SQL_ROUTE_FIND, DB_ARGS(DB_TEXT(incoming_model), DB_TEXT(type)), err),
        arena, out, err);
}

static int insert(struct store *store, struct route *r, struct err *err)
{
    struct str fixes = r->fixes_json.ptr ? r->fixes_json : STR("[]");
    struct db_rows *rows = db_query(
        store->db, SQL_ROUTE_INSERT,
        DB_ARGS(DB_TEXT(r->incoming_model), DB_TEXT(str_c(route_match_type(r))),
                DB_TEXT(r->upstream_url), DB_TEXT(r->upstream_model), DB_TEXT(r->provider_slug),
                DB_TEXT(r->api_key_env), DB_TEXT(r->auth_style), DB_TEXT(fixes),
                DB_TEXT(r->managed_by), DB_INT(r->override_fallback), DB_INT(r->priority),
                DB_INT(r->active), DB_TEXT(r->failover_json), DB_INT(clock_wall_us())),
        err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        r->id = db_int(rows, 0);
    db_done(rows);
    return got == 1 ? 0 : -1;
}

int store_route_put(struct store *store, struct route *r, struct err *err)
{
    struct str fixes = r->fixes_json.ptr ? r->fixes_json : STR("[]");

    if (r->id == 0)
        return insert(store, r, err);
    if (db_run(store->db, SQL_ROUTE_UPDATE,
               DB_ARGS(DB_INT(r->id), DB_TEXT(r->incoming_model),
                       DB_TEXT(str_c(route_match_type(r))), DB_TEXT(r->upstream_url),
                       DB_TEXT(r->upstream_model), DB_TEXT(r->provider_slug),
                       DB_TEXT(r->api_key_env), DB_TEXT(r->auth_style), DB_TEXT(fixes),
                       DB_TEXT(r->managed_by), DB_INT(r->override_fallback), DB_INT(r->priority),
                       DB_INT(r->active), DB_TEXT(r->failover_json), DB_INT(clock_wall_us())),
               err) < 0)
        return -1;
    return db_changes(store->db) > 0 ? 0 : err_set(err, ERR_NOT_FOUND, "Route not found.");
}

int store_route_delete(struct store *store, int64_t id, struct err *err)
{
    if (db_run(store->db, SQL_ROUTE_DELETE, DB_ARGS(DB_INT(id)), err) < 0)
        return -1;
    return db_changes(store->db) > 0 ? 0 : err_set(err, ERR_NOT_FOUND, "Route not found.");
}

int store_usage(struct store *store, enum sql_id sql, int64_t since_us, store_usage_fn *each,
                void *ctx, struct err *err)
{
    struct db_rows *rows = db_query(store->db, sql, DB_ARGS(DB_INT(since_us)), err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1)
        each(ctx, db_bytes(rows, 0), db_int(rows, 1), db_int(rows, 2));
    db_done(rows);
    return got;
}

int store_route_usage(struct store *store, int64_t since_us, store_usage_fn *each, void *ctx,
                      struct err *err)
{
    return store_usage(store, SQL_ROUTE_USAGE, since_us, each, ctx, err);
}
