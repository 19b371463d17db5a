/* Facets and counters: what lists offer and count. A transaction adds its changes up in memory and
 * writes each once when it commits, so that a batch of rows costs a handful of upserts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/store_priv.h"

#define FIRST_SLOTS 64

static const char *const kind_names[FACET_KINDS] = {
    [FACET_MODEL] = "model",           [FACET_ENDPOINT] = "endpoint",
    [FACET_ROUTE] = "route",           [FACET_PROVIDER] = "provider",
    [FACET_STATUS] = "status",         [FACET_RUN] = "run",
    [FACET_RUN_MODEL] = "run_model",   [FACET_RUN_ENDPOINT] = "run_endpoint",
    [FACET_RUN_STATUS] = "run_status",
};

static const char *const counter_names[COUNTER_COUNT] = {
    [COUNTER_TOTAL] = "total", [COUNTER_STREAMS] = "streams", [COUNTER_IMAGES] = "images",
    [COUNTER_TOOLS] = "tools", [COUNTER_ERRORS] = "errors",   [COUNTER_SLOW] = "slow",
    [COUNTER_LARGE] = "large",
};

static uint32_t hash_bytes(uint32_t hash, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * 16777619u;
    return (hash ^ 0xFF) * 16777619u;
}

static struct facet_delta *find_slot(struct deltas *d, uint32_t hash, unsigned kind,
                                     struct str value, struct str label)
{
    size_t i = hash & (d->cap - 1);

    while (d->slots[i].value.ptr) {
        struct facet_delta *slot = &d->slots[i];

        if (slot->hash == hash && slot->kind == kind && str_eq(slot->value, value) &&
            str_eq(slot->label, label))
            return slot;
        i = (i + 1) & (d->cap - 1);
    }
    return &d->slots[i];
}

/* The program chooses the size: a transaction has a bounded number of rows. */
static void grow(struct deltas *d)
{
    struct facet_delta *old = d->slots;
    size_t old_cap = d->cap;

    d->cap = old_cap ? old_cap * 2 : FIRST_SLOTS;
    d->slots = xcalloc(d->cap, sizeof(*d->slots));
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i].value.ptr)
            *find_slot(d, old[i].hash, old[i].kind, old[i].value, old[i].label) = old[i];
    }
    free(old);
}

int deltas_facet(struct deltas *d, unsigned kind, struct str value, struct str label, int64_t count,
                 struct err *err)
{
    uint32_t hash;
    struct facet_delta *slot;

    if (!value.ptr || value.len > FACET_MAX_BYTES || label.len > FACET_MAX_BYTES)
        return 0;
    if (d->used * 2 >= d->cap)
        grow(d);
    hash = hash_bytes(hash_bytes(2166136261u + kind, value), label);
    slot = find_slot(d, hash, kind, value, label);
    if (!slot->value.ptr) {
        struct facet_delta fresh = {.kind = kind, .hash = hash};

        fresh.value = arena_dup(&d->arena, value);
        fresh.label = arena_dup(&d->arena, label.ptr ? label : STR(""));
        if (!fresh.value.ptr || !fresh.label.ptr)
            return err_set(err, ERR_NO_MEMORY, "no memory to count a request");
        *slot = fresh;
        d->used++;
    }
    slot->count += count;
    return 0;
}

int deltas_facet_int(struct deltas *d, unsigned kind, int64_t value, int64_t count, struct err *err)
{
    char text[24];

    if (value == UNKNOWN)
        return 0;
    snprintf(text, sizeof(text), "%" PRId64, value);
    return deltas_facet(d, kind, str_c(text), STR(""), count, err);
}

int deltas_flush(struct deltas *d, struct db *db, struct err *err)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        struct str name = str_c(counter_names[i]);

        if (d->counters[i] &&
            db_run(db, SQL_COUNTER_ADD, DB_ARGS(DB_TEXT(name), DB_INT(d->counters[i])), err) < 0)
            return -1;
    }
    for (size_t i = 0; d->used > 0 && i < d->cap; i++) {
        const struct facet_delta *slot = &d->slots[i];
        struct str kind = str_c(kind_names[slot->kind]);

        if (slot->value.ptr && slot->count &&
            db_run(db, SQL_FACET_ADD,
                   DB_ARGS(DB_TEXT(kind), DB_TEXT(slot->value), DB_TEXT(slot->label),
                           DB_INT(slot->count)),
                   err) < 0)
            return -1;
    }
    deltas_forget(d);
    return 0;
}

void deltas_forget(struct deltas *d)
{
    memset(d->counters, 0, sizeof(d->counters));
    if (d->used > 0)
        memset(d->slots, 0, d->cap * sizeof(*d->slots));
    d->used = 0;
    arena_clear(&d->arena);
}

void deltas_clear(struct deltas *d)
{
    deltas_forget(d);
    free(d->slots);
    *d = (struct deltas){0};
}

int store_facets(struct store *store, enum store_facet facet, store_facet_fn *each, void *ctx,
                 struct err *err)
{
    enum sql_id sql = facet == FACET_PROVIDER ? SQL_FACET_LIST_BY_LABEL : SQL_FACET_LIST;
    struct str kind = str_c(kind_names[facet]);
    struct db_rows *rows = db_query(store->db, sql, DB_ARGS(DB_TEXT(kind)), err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        struct str value = db_bytes(rows, 0), label = db_bytes(rows, 1);

        if (facet != FACET_PROVIDER)
            label = value;
        else if (value.len == 0) /* a name without a slug */
            value = label;
        else if (label.len == 0)
            label = value;
        each(ctx, value, label, db_int(rows, 2));
    }
    db_done(rows);
    return got;
}

int store_facet_count(struct store *store, unsigned kind, struct str value, int64_t *out,
                      struct err *err)
{
    struct str name = str_c(kind_names[kind]);
    struct db_rows *rows;
    int got;

    if (value.len > FACET_MAX_BYTES) {
        *out = UNKNOWN;
        return 0;
    }
    rows = db_query(store->db, SQL_FACET_COUNT, DB_ARGS(DB_TEXT(name), DB_TEXT(value)), err);
    if (!rows)
        return -1;
    got = db_next(rows, err);
    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

static void set_counter(struct store_counters *out, struct str name, int64_t count)
{
    int64_t *const to[COUNTER_COUNT] = {
        [COUNTER_TOTAL] = &out->total,   [COUNTER_STREAMS] = &out->streams,
        [COUNTER_IMAGES] = &out->images, [COUNTER_TOOLS] = &out->tools,
        [COUNTER_ERRORS] = &out->errors, [COUNTER_SLOW] = &out->slow,
        [COUNTER_LARGE] = &out->large,
    };

    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        if (str_eq(name, str_c(counter_names[i])))
            *to[i] = count;
    }
}

int store_counters(struct store *store, struct store_counters *out, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_COUNTER_LIST, DB_NO_ARGS, err);
    struct store_counters counters = {0};
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1)
        set_counter(&counters, db_bytes(rows, 0), db_int(rows, 1));
    db_done(rows);
    if (got == 0)
        *out = counters;
    return got;
}

static int each_model(struct db_rows *rows, store_model_fn *each, void *ctx, struct err *err)
{
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1)
        each(ctx, db_bytes(rows, 0), db_int(rows, 1), db_int(rows, 2));
    db_done(rows);
    return got;
}

int store_recent_models(struct store *store, struct str prefix, int64_t limit, store_model_fn *each,
                        void *ctx, struct err *err)
{
    return each_model(
        db_query(store->db, SQL_FACET_RECENT_MODELS, DB_ARGS(DB_TEXT(prefix), DB_INT(limit)), err),
        each, ctx, err);
}

int store_models_since(struct store *store, int64_t since_us, int64_t limit, store_model_fn *each,
                       void *ctx, struct err *err)
{
    return each_model(
        db_query(store->db, SQL_MODELS_SINCE, DB_ARGS(DB_INT(since_us), DB_INT(limit)), err), each,
        ctx, err);
}
