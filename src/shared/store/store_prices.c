#include "store/store_prices.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "store/store_priv.h"

#define ALIASES_MAX 1000
#define TIERS_MAX 1000
#define VARIANTS_MAX 16

static int64_t number(struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
}

static struct rates read_rates(struct db_rows *rows, int column)
{
    struct rates r;

    for (int i = 0; i < RATE_COUNT; i++)
        r.of[i] = number(rows, column + i);
    return r;
}

/* ---- the book: rows of four tables, each in the order of price ids ---- */

struct cursor {
    struct db_rows *rows;
    int got;
};

struct loader {
    struct price_book *book;
    struct cursor aliases, tiers, variants;
    struct arena arena; /* texts of the price at hand */
    struct str alias[ALIASES_MAX];
    struct price_tier tier[TIERS_MAX];
    struct price_variant variant[VARIANTS_MAX];
};

static int open_cursor(struct store *store, struct cursor *c, enum sql_id sql, struct err *err)
{
    c->rows = db_query(store->db, sql, DB_NO_ARGS, err);
    c->got = c->rows ? db_next(c->rows, err) : -1;
    return c->got < 0 ? -1 : 0;
}

/* Whether the cursor is at a row of this price; rows of prices that are gone are passed over. */
static bool at_price(struct cursor *c, int64_t id, struct err *err)
{
    while (c->got == 1 && db_int(c->rows, 0) < id)
        c->got = db_next(c->rows, err);
    return c->got == 1 && db_int(c->rows, 0) == id;
}

static void load_aliases(struct loader *l, struct price *p, struct err *err)
{
    p->aliases = l->alias;
    while (at_price(&l->aliases, p->id, err)) {
        if (p->alias_count < ALIASES_MAX)
            l->alias[p->alias_count++] = arena_dup(&l->arena, db_bytes(l->aliases.rows, 1));
        l->aliases.got = db_next(l->aliases.rows, err);
    }
}

static void load_tiers(struct loader *l, struct price *p, struct err *err)
{
    p->tiers = l->tier;
    while (at_price(&l->tiers, p->id, err)) {
        struct db_rows *rows = l->tiers.rows;
        int column = 4 + RATE_COUNT;

        if (p->tier_count < TIERS_MAX)
            l->tier[p->tier_count++] = (struct price_tier){
                .price_id = p->id,
                .id = db_int(rows, 1),
                .min = number(rows, 2),
                .max = number(rows, 3),
                .rates = read_rates(rows, 4),
                .label = arena_dup(&l->arena, db_bytes(rows, column)),
                .source_url = arena_dup(&l->arena, db_bytes(rows, column + 1)),
                .checked_at = arena_dup(&l->arena, db_bytes(rows, column + 2)),
                .release_date = arena_dup(&l->arena, db_bytes(rows, column + 3)),
                .notes = arena_dup(&l->arena, db_bytes(rows, column + 4)),
            };
        l->tiers.got = db_next(rows, err);
    }
}

static void load_variants(struct loader *l, struct price *p, struct err *err)
{
    p->variants = l->variant;
    while (at_price(&l->variants, p->id, err)) {
        struct db_rows *rows = l->variants.rows;

        if (p->variant_count < VARIANTS_MAX)
            l->variant[p->variant_count++] = (struct price_variant){
                .service_tier = arena_dup(&l->arena, db_bytes(rows, 1)),
                .multiplier = db_int(rows, 2),
                .rates = read_rates(rows, 3),
            };
        l->variants.got = db_next(rows, err);
    }
}

static int load_price(struct loader *l, struct db_rows *rows, struct err *err)
{
    int column = 4 + RATE_COUNT;
    struct price p = {
        .id = db_int(rows, 0),
        .provider_slug = db_bytes(rows, 1),
        .model = db_bytes(rows, 2),
        .display_name = db_bytes(rows, 3),
        .rates = read_rates(rows, 4),
        .context_length = number(rows, column),
        .active = db_int(rows, column + 1),
        .source_url = db_bytes(rows, column + 2),
        .checked_at = db_bytes(rows, column + 3),
        .release_date = db_bytes(rows, column + 4),
        .notes = db_bytes(rows, column + 5),
        .seed_digest = db_bytes(rows, column + 6),
        .sync_digest = db_bytes(rows, column + 7),
        .created_us = db_int(rows, column + 8),
        .updated_us = db_int(rows, column + 9),
    };
    int rc;

    load_aliases(l, &p, err);
    load_tiers(l, &p, err);
    load_variants(l, &p, err);
    rc = l->aliases.got < 0 || l->tiers.got < 0 || l->variants.got < 0
             ? -1
             : price_book_add(l->book, &p, err);
    arena_clear(&l->arena);
    return rc;
}

static int load_providers(struct store *store, struct price_book *book, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_PRICE_PROVIDERS, DB_NO_ARGS, err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        struct price_provider p = {.slug = db_bytes(rows, 0),
                                   .name = db_bytes(rows, 1),
                                   .currency = db_bytes(rows, 2),
                                   .base_url = db_bytes(rows, 3)};

        if (price_book_add_provider(book, &p, err) < 0) {
            got = -1;
            break;
        }
    }
    db_done(rows);
    return got;
}

static int load_prices(struct store *store, struct loader *l, struct err *err)
{
    struct db_rows *rows = NULL;
    int got = -1;

    if (open_cursor(store, &l->aliases, SQL_PRICE_ALIASES, err) < 0 ||
        open_cursor(store, &l->tiers, SQL_PRICE_TIERS, err) < 0 ||
        open_cursor(store, &l->variants, SQL_PRICE_VARIANTS, err) < 0)
        goto out;
    rows = db_query(store->db, SQL_PRICE_LIST, DB_NO_ARGS, err);
    while (rows && (got = db_next(rows, err)) == 1) {
        if (load_price(l, rows, err) < 0) {
            got = -1;
            break;
        }
    }
out:
    db_done(rows);
    db_done(l->aliases.rows);
    db_done(l->tiers.rows);
    db_done(l->variants.rows);
    return got;
}

int store_price_book(struct store *store, struct price_book **out, struct err *err)
{
    struct loader *l = xcalloc(1, sizeof(*l));
    int64_t generation = 0;
    int rc = -1;

    if (store_generation(store, &generation, err) < 0)
        goto out;
    l->book = price_book_new(generation);
    if (load_providers(store, l->book, err) < 0 || load_prices(store, l, err) < 0 ||
        price_book_seal(l->book, err) < 0)
        goto out;
    *out = l->book;
    l->book = NULL;
    rc = 0;
out:
    price_book_unref(l->book);
    free(l);
    return rc;
}

/* ---- writing ---- */

static void bind_rates(const struct rates *rates, struct db_value *to)
{
    for (size_t i = 0; i < RATE_COUNT; i++)
        to[i] = store_int(rates->of[i]);
}

static int new_id(struct store *store, int64_t *id, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_PRICE_LAST_ID, DB_NO_ARGS, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *id = db_int(rows, 0);
    db_done(rows);
    return got == 1 ? 0 : -1;
}

static int put_row(struct store *store, struct price *p, struct err *err)
{
    struct db_value args[19] = {p->id ? DB_INT(p->id) : DB_NULL, DB_TEXT(p->provider_slug),
                                DB_TEXT(p->model), DB_TEXT(p->display_name)};
    size_t n = 4 + RATE_COUNT;

    bind_rates(&p->rates, &args[4]);
    args[n++] = store_int(p->context_length);
    args[n++] = DB_INT(p->active);
    args[n++] = DB_TEXT(p->source_url);
    args[n++] = DB_TEXT(p->checked_at);
    args[n++] = DB_TEXT(p->release_date);
    args[n++] = DB_TEXT(p->notes);
    args[n++] = DB_TEXT(p->seed_digest);
    args[n++] = DB_TEXT(p->sync_digest);
    args[n++] = DB_INT(clock_wall_us());
    if (db_run(store->db, SQL_PRICE_PUT, args, n, err) < 0)
        return -1;
    return p->id ? 0 : new_id(store, &p->id, err);
}

static int put_aliases(struct store *store, const struct price *p, struct err *err)
{
    if (db_run(store->db, SQL_PRICE_ALIAS_CLEAR, DB_ARGS(DB_INT(p->id)), err) < 0)
        return -1;
    for (size_t i = 0; i < p->alias_count; i++) {
        if (db_run(store->db, SQL_PRICE_ALIAS_ADD,
                   DB_ARGS(DB_INT(p->id), DB_INT((int64_t)i), DB_TEXT(p->aliases[i])), err) < 0)
            return -1;
    }
    return 0;
}

static int put_variants(struct store *store, const struct price *p, struct err *err)
{
    if (db_run(store->db, SQL_PRICE_VARIANT_CLEAR, DB_ARGS(DB_INT(p->id)), err) < 0)
        return -1;
    for (size_t i = 0; i < p->variant_count; i++) {
        const struct price_variant *v = &p->variants[i];
        struct db_value args[3 + RATE_COUNT] = {DB_INT(p->id), DB_TEXT(v->service_tier),
                                                DB_INT(v->multiplier)};

        bind_rates(&v->rates, &args[3]);
        if (db_run(store->db, SQL_PRICE_VARIANT_ADD, args, 3 + RATE_COUNT, err) < 0)
            return -1;
    }
    return 0;
}

static int put_tier(struct store *store, struct price_tier *t, struct err *err)
{
    struct db_value args[15] = {t->id ? DB_INT(t->id) : DB_NULL, DB_INT(t->price_id),
                                store_int(t->min), store_int(t->max)};
    size_t n = 4 + RATE_COUNT;

    bind_rates(&t->rates, &args[4]);
    args[n++] = DB_TEXT(t->label);
    args[n++] = DB_TEXT(t->source_url);
    args[n++] = DB_TEXT(t->checked_at);
    args[n++] = DB_TEXT(t->release_date);
    args[n++] = DB_TEXT(t->notes);
    if (db_run(store->db, SQL_PRICE_TIER_PUT, args, n, err) < 0)
        return -1;
    return t->id ? 0 : new_id(store, &t->id, err);
}

static int put_tiers(struct store *store, struct price *p, struct err *err)
{
    if (db_run(store->db, SQL_PRICE_TIER_CLEAR, DB_ARGS(DB_INT(p->id)), err) < 0)
        return -1;
    for (size_t i = 0; i < p->tier_count; i++) {
        p->tiers[i].id = 0;
        p->tiers[i].price_id = p->id;
        if (put_tier(store, &p->tiers[i], err) < 0)
            return -1;
    }
    return 0;
}

static int put_all(struct store *store, struct price *p, bool with_tiers, struct err *err)
{
    if (put_row(store, p, err) < 0 || put_aliases(store, p, err) < 0 ||
        put_variants(store, p, err) < 0)
        return -1;
    return with_tiers ? put_tiers(store, p, err) : 0;
}

int store_price_put(struct store *store, struct price *p, bool with_tiers, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, put_all(store, p, with_tiers, err), err);
}

/* The price of a tier has changed with it. */
static int touch(struct store *store, enum sql_id sql, int64_t id, struct err *err)
{
    return db_run(store->db, sql, DB_ARGS(DB_INT(id), DB_INT(clock_wall_us())), err);
}

static int delete_row(struct store *store, enum sql_id sql, int64_t id, const char *what,
                      struct err *err)
{
    if (db_run(store->db, sql, DB_ARGS(DB_INT(id)), err) < 0)
        return -1;
    return db_changes(store->db) > 0 ? 0 : err_set(err, ERR_NOT_FOUND, "%s not found.", what);
}

int store_price_delete(struct store *store, int64_t id, struct err *err)
{
    return delete_row(store, SQL_PRICE_DELETE, id, "Price", err);
}

int store_price_tier_put(struct store *store, struct price_tier *t, struct err *err)
{
    bool own;
    int rc = -1;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    if (put_tier(store, t, err) == 0)
        rc = touch(store, SQL_PRICE_TOUCH, t->price_id, err);
    return store_end_own(store, own, rc, err);
}

int store_price_tier_delete(struct store *store, int64_t id, struct err *err)
{
    bool own;
    int rc = -1;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    if (touch(store, SQL_PRICE_TOUCH_TIER, id, err) == 0)
        rc = delete_row(store, SQL_PRICE_TIER_DELETE, id, "Tier", err);
    return store_end_own(store, own, rc, err);
}

/* ---- the tokens of a run ---- */

int store_run_tokens(struct store *store, int64_t run_id, store_run_tokens_fn *each, void *ctx,
                     struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_RUN_TOKENS, DB_ARGS(DB_INT(run_id)), err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        struct run_tokens t = {
            .usage = {.input = number(rows, 0),
                      .cached_input = number(rows, 1),
                      .cache_write_input = number(rows, 2),
                      .output = number(rows, 3),
                      .reasoning = number(rows, 4),
                      .total = number(rows, 5)},
            .service_tier = db_bytes(rows, 6),
            .total_cost = number(rows, 7),
            .provider = db_bytes(rows, 8),
            .model = db_bytes(rows, 9),
        };

        each(ctx, &t);
    }
    db_done(rows);
    return got;
}
