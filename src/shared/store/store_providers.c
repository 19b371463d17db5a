#include <stdlib.h>

#include "base/clock.h"
#include "store/store_priv.h"
#include "store/store_routing.h"

static void read_provider(struct db_rows *rows, struct arena *arena, struct provider *out)
{
    *out = (struct provider){
        .slug = arena_dup(arena, db_bytes(rows, 0)),
        .name = arena_dup(arena, db_bytes(rows, 1)),
        .base_url = arena_dup(arena, db_bytes(rows, 2)),
        .currency = arena_dup(arena, db_bytes(rows, 3)),
        .api_key_env = arena_dup(arena, db_bytes(rows, 4)),
        .auth_style = arena_dup(arena, db_bytes(rows, 5)),
        .active = db_int(rows, 6),
        .is_default_fallback = db_int(rows, 7),
        .capabilities_json = arena_dup(arena, db_bytes(rows, 8)),
        .created_us = db_int(rows, 9),
        .updated_us = db_int(rows, 10),
    };
}

int store_providers(struct store *store, struct arena *arena, struct provider **out, size_t *count,
                    struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_PROVIDER_LIST, DB_NO_ARGS, err);
    size_t cap = 0;
    int got = -1;

    *out = NULL;
    *count = 0;
    while (rows && (got = db_next(rows, err)) == 1) {
        *out = store_grow(arena, *out, *count, &cap, sizeof(**out));
        if (!*out) {
            got = err_set(err, ERR_NO_MEMORY, "no memory for the providers");
            break;
        }
        read_provider(rows, arena, &(*out)[(*count)++]);
    }
    db_done(rows);
    return got;
}

static int take_provider(struct db_rows *rows, struct arena *arena, struct provider *out,
                         struct err *err)
{
    int got = rows ? db_next(rows, err) : -1;

    if (got == 0)
        err_set(err, ERR_NOT_FOUND, "Provider not found.");
    if (got == 1)
        read_provider(rows, arena, out);
    db_done(rows);
    return got == 1 ? 0 : -1;
}

int store_provider_get(struct store *store, struct str slug, struct arena *arena,
                       struct provider *out, struct err *err)
{
    return take_provider(db_query(store->db, SQL_PROVIDER_GET, DB_ARGS(DB_TEXT(slug)), err), arena,
                         out, err);
}

/* Nobody else may have this base URL. */
static int check_url(struct store *store, const struct provider *p, struct arena *arena,
                     struct err *err)
{
    struct provider other;

    if (!p->base_url.ptr)
        return 0;
    if (take_provider(db_query(store->db, SQL_PROVIDER_BY_URL, DB_ARGS(DB_TEXT(p->base_url)), err),
                      arena, &other, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    if (str_eq(other.slug, p->slug))
        return 0;
    return err_set(err, ERR_CONFLICT, "This upstream URL already belongs to provider %.*s.",
                   STR_ARG(other.slug));
}

int store_provider_fallback(struct store *store, struct str slug, struct err *err)
{
    struct db_value now = DB_INT(clock_wall_us());

    if (db_run(store->db, SQL_PROVIDER_CLEAR_FALLBACK, DB_ARGS(now), err) < 0 ||
        db_run(store->db, SQL_PROVIDER_SET_FALLBACK, DB_ARGS(DB_TEXT(slug), now), err) < 0)
        return -1;
    return store_setting_put(store, STR("default_provider_slug"), slug, err);
}

/* Forget slug where the setting names it. */
static int drop_setting(struct store *store, struct str slug, struct err *err)
{
    char *saved = NULL;
    int rc = store_setting_get(store, STR("default_provider_slug"), &saved, err);

    if (rc == 0 && saved && str_eq(str_c(saved), slug))
        rc = store_setting_put(store, STR("default_provider_slug"), STR(""), err);
    free(saved);
    return rc;
}

static int put(struct store *store, const struct provider *p, bool had_flag, struct err *err)
{
    int64_t now_us = clock_wall_us();

    if (p->is_default_fallback &&
        db_run(store->db, SQL_PROVIDER_CLEAR_FALLBACK, DB_ARGS(DB_INT(now_us)), err) < 0)
        return -1;
    if (db_run(store->db, SQL_PROVIDER_PUT,
               DB_ARGS(DB_TEXT(p->slug), DB_TEXT(p->name), DB_TEXT(p->base_url),
                       DB_TEXT(p->currency), DB_TEXT(p->api_key_env), DB_TEXT(p->auth_style),
                       DB_INT(p->active), DB_INT(p->is_default_fallback),
                       DB_TEXT(p->capabilities_json), DB_INT(now_us), DB_INT(now_us)),
               err) < 0)
        return -1;
    if (p->is_default_fallback)
        return store_setting_put(store, STR("default_provider_slug"), p->slug, err);
    return had_flag ? drop_setting(store, p->slug, err) : 0;
}

int store_provider_put(struct store *store, const struct provider *p, struct err *err)
{
    struct arena arena = {0};
    struct provider old = {0};
    bool own = false;
    int rc = store_begin_own(store, &own, err);

    if (rc < 0)
        return -1;
    rc = check_url(store, p, &arena, err);
    if (rc == 0 && store_provider_get(store, p->slug, &arena, &old, err) < 0 &&
        err->code != ERR_NOT_FOUND)
        rc = -1;
    if (rc == 0)
        rc = put(store, p, old.is_default_fallback, err);
    arena_clear(&arena);
    return store_end_own(store, own, rc, err);
}

int store_provider_delete(struct store *store, struct str slug, struct err *err)
{
    bool own = false;
    int rc = store_begin_own(store, &own, err);

    if (rc < 0)
        return -1;
    rc = db_run(store->db, SQL_PROVIDER_DELETE, DB_ARGS(DB_TEXT(slug)), err);
    if (rc == 0 && db_changes(store->db) == 0)
        rc = err_set(err, ERR_NOT_FOUND, "Provider not found.");
    if (rc == 0)
        rc = drop_setting(store, slug, err);
    if (rc == 0)
        rc = db_run(store->db, SQL_BUDGET_SETTINGS_DELETE, DB_ARGS(DB_TEXT(slug)), err);
    return store_end_own(store, own, rc, err);
}

int store_provider_usage(struct store *store, int64_t since_us, store_usage_fn *each, void *ctx,
                         struct err *err)
{
    return store_usage(store, SQL_PROVIDER_USAGE, since_us, each, ctx, err);
}

int store_health_put(struct store *store, const struct provider_health *h, struct err *err)
{
    return db_run(store->db, SQL_HEALTH_PUT,
                  DB_ARGS(DB_TEXT(h->provider_slug), DB_TEXT(h->status), store_int(h->latency_ms),
                          DB_TEXT(h->auth_state), DB_TEXT(h->message), DB_INT(h->checked_us)),
                  err);
}

int store_health(struct store *store, store_health_fn *each, void *ctx, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_HEALTH_LIST, DB_NO_ARGS, err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        struct provider_health h = {
            .provider_slug = db_bytes(rows, 0),
            .provider_name = db_bytes(rows, 1),
            .active = db_int(rows, 2),
            .status = db_bytes(rows, 3),
            .latency_ms = db_is_null(rows, 4) ? UNKNOWN : db_int(rows, 4),
            .auth_state = db_bytes(rows, 5),
            .message = db_bytes(rows, 6),
            .checked_us = db_int(rows, 7),
        };

        each(ctx, &h);
    }
    db_done(rows);
    return got;
}
