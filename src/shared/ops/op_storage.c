/* Saved settings one by one, and how much of the past is kept. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/config_values.h"
#include "ops/disk.h"
#include "ops/op_routing.h"
#include "ops/op_storage.h"
#include "ops/tables.h"
#include "store/instance.h"
#include "store/store_check.h"
#include "store/store_search.h"

#define DAY_US ((int64_t)86400 * 1000000)
#define TRIM_ROWS 500
#define TRIM_US 50000
#define CHECK_MS 60000 /* for each look at the whole file, beside a server */

/* Before any possible date for days that reach further back than that. */
static int64_t cutoff_us(int64_t days)
{
    int64_t now_us = clock_wall_us();

    return days > now_us / DAY_US ? 0 : now_us - days * DAY_US;
}

/* ---- values ---- */

static void answer_values(struct call *call, struct store *store)
{
    struct err err;
    cJSON *values = config_values(call->env->config, store, &err);

    if (values)
        call_json(call, 200, values);
    else
        call_error(call, &err);
}

static void write_values(struct call *call, struct store *store)
{
    struct body body;
    struct err err;

    body_json(&body, call);
    if (config_save(store, body.fields, &err) < 0)
        call_error(call, &err);
    else
        answer_values(call, store);
    body_clear(&body);
}

/* ---- retention ---- */

static void run_preview(struct call *call, struct store *store)
{
    int64_t days = call_query_int(call, "days"), rows;
    struct err err;
    cJSON *o;

    if (store_count_before(store, cutoff_us(days), &rows, &err) < 0) {
        call_error(call, &err);
        return;
    }
    o = cJSON_CreateObject();
    json_put_int(o, "days", days);
    json_put_int(o, "rows", rows);
    call_json(call, 200, o);
}

/* Sizes of bodies would need a walk through all of them: they are not known. */
static void put_storage(cJSON *o, const char *path, const struct store_storage *s)
{
    char stamp[CLOCK_ISO_SIZE], *whole = realpath(path, NULL);

    json_put_text(o, "database", whole ? whole : path);
    free(whole);
    json_put_int(o, "schema_version", s->schema_version);
    json_put_int(o, "rows", s->rows);
    json_put_int(o, "runs", s->runs);
    json_put_int(o, "images", s->images);
    json_put_text(o, "oldest_at", s->oldest_us == UNKNOWN ? NULL : clock_iso(s->oldest_us, stamp));
    json_put_text(o, "newest_at", s->newest_us == UNKNOWN ? NULL : clock_iso(s->newest_us, stamp));
    json_put_int(o, "db_bytes", disk_file_size(path, ""));
    json_put_int(o, "wal_bytes", disk_file_size(path, "-wal"));
    json_put_int(o, "free_bytes", s->free_bytes);
    json_put_null(o, "body_bytes");
    json_put_null(o, "stored_body_bytes");
    json_put_int(o, "disk_free_bytes", disk_free(path));
}

static void run_storage(struct call *call, struct store *store)
{
    struct store_storage s;
    int64_t days = call_query_int(call, "days"), old;
    struct err err;
    cJSON *o;

    if (store_storage(store, &s, &err) < 0 ||
        store_count_before(store, cutoff_us(days), &old, &err) < 0) {
        call_error(call, &err);
        return;
    }
    o = cJSON_CreateObject();
    put_storage(o, call->env->config->database_path, &s);
    json_put_int(o, "retention_days", days);
    json_put_int(o, "rows_older_than_retention", old);
    call_json(call, 200, o);
}

static void vacuum(struct call *call, struct store *store)
{
    struct err err;

    if (store_vacuum(store, &err) < 0 || store_checkpoint(store, &err) < 0)
        call_error(call, &err);
}

/* The new file is written beside the old one. */
static bool has_room(struct call *call)
{
    const char *path = call->env->config->database_path;
    int64_t need = disk_file_size(path, ""), room = disk_free(path);
    char message[160];

    if (need == UNKNOWN || room == UNKNOWN || need <= room)
        return true;
    snprintf(message, sizeof(message),
             "This needs %lld bytes of free disk, as many as the database has; there are %lld.",
             (long long)need, (long long)room);
    call_detail(call, 503, message);
    return false;
}

static int check_trim(int64_t days, bool confirmed, struct err *err)
{
    if (days < 1)
        return err_set(err, ERR_INVALID, "days must be an integer of at least 1.");
    if (!confirmed)
        return err_set(err, ERR_INVALID, "Deleting needs confirm.");
    return 0;
}

/* One batch; there is another one while it is full. The cutoff may move on, by the time that it
 * takes. */
int op_trim_some(struct call *call, struct store *store, int64_t days, bool confirmed,
                 struct err *err)
{
    int64_t deleted;

    if (check_trim(days, confirmed, err) < 0)
        return -1;
    if (store_trim(store, cutoff_us(days), TRIM_ROWS, TRIM_US, &deleted, err) < 0)
        return -1;
    call->progress += deleted;
    call->again = deleted > 0;
    return 0;
}

static void write_trim(struct call *call, struct store *store)
{
    struct body body;
    int64_t days = 0;
    struct err err;
    cJSON *o;

    body_json(&body, call);
    if (body_int(&body, "days", &days) != 1)
        days = 0;
    if (op_trim_some(call, store, days, body_flag(&body, "confirm", false), &err) < 0) {
        call_error(call, &err);
    } else {
        if (body_flag(&body, "vacuum", false))
            call->after = vacuum;
        o = cJSON_CreateObject();
        json_put_int(o, "deleted", call->progress);
        call_json(call, 200, o);
    }
    body_clear(&body);
}

static void write_vacuum(struct call *call, struct store *store)
{
    (void)store;
    if (!has_room(call))
        return;
    call->status = 200;
    buf_put(&call->body, STR("{\"ok\":true}"));
    call->after = vacuum;
}

static void write_rebuild(struct call *call, struct store *store)
{
    struct store_search search;
    struct err err;
    cJSON *o;

    if (store_search_rebuild(store, &err) < 0 || store_search_state(store, &search, &err) < 0) {
        call_error(call, &err);
        return;
    }
    o = cJSON_CreateObject();
    json_put_int(o, "pending", search.pending);
    call_json(call, 200, o);
}

/* Pending rows are those of a server, when there is one. */
static void check_file(struct call *call, struct store *store)
{
    const char *path = call->env->config->database_path;
    struct check_options options = {.served = call->env->url || instance_held(path)};
    struct buf found = {0};
    struct body body;
    struct err err;
    cJSON *o;

    body_json(&body, call);
    options.quick = body_flag(&body, "quick", true);
    body_clear(&body);
    if (call->env->url)
        store_set_time_limit(store, CHECK_MS);
    if (store_check_all(store, &options, &found, &err) < 0) {
        call_error(call, &err);
    } else {
        o = cJSON_CreateObject();
        json_put_bool(o, "ok", found.len == 0);
        json_put_str(o, "found", found.len ? str_trim(buf_str(&found)) : STR_NONE);
        call_json(call, 200, o);
    }
    buf_clear(&found);
}

const struct call_route op_storage_routes[] = {
    {"GET", "/admin/api/settings/values", .run = answer_values},
    {"POST", "/admin/api/settings/values", .write = write_values},
    {"GET", "/admin/api/settings/retention-preview", .run = run_preview},
    {"POST", "/admin/api/settings/trim", .write = write_trim},
    {"GET", "/admin/api/storage", .run = run_storage},
    {"POST", "/admin/api/storage/vacuum", .write = write_vacuum},
    {"POST", "/admin/api/storage/check", .run = check_file},
    {"POST", "/admin/api/storage/search/rebuild", .write = write_rebuild},
    {0},
};
