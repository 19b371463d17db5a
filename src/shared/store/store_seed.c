/* The providers and prices that the program comes with. A row is brought in once; later starts
 * refresh it only while nobody has changed it, and never bring back what was deleted. */
#include "base/clock.h"
#include "core/price_json.h"
#include "seed.h"
#include "store/store_prices.h"
#include "store/store_priv.h"
#include "json/json.h"

struct seeding {
    struct store *store;
    struct price_book *book; /* before */
};

static struct str text_of(const cJSON *o, const char *key)
{
    const char *text;

    return json_get_str(o, key, &text) ? str_c(text) : STR_NONE;
}

/* 1 there is a row, 0 none, -1 error. */
static int has_row(struct store *store, enum sql_id sql, struct str slug, struct str model,
                   struct err *err)
{
    const struct db_value args[] = {DB_TEXT(slug), DB_TEXT(model)};
    struct db_rows *rows = db_query(store->db, sql, args, sql == SQL_SEEDED_HAS ? 2 : 1, err);
    int got = rows ? db_next(rows, err) : -1;

    db_done(rows);
    return got;
}

static int seed_provider(struct seeding *s, const cJSON *o, struct err *err)
{
    struct str slug = text_of(o, "slug"), key_env = text_of(o, "api_key_env");
    struct str currency = text_of(o, "currency");
    struct db_value now = DB_INT(clock_wall_us());
    struct buf capabilities = {0};
    int there = has_row(s->store, SQL_SEED_PROVIDER_GET, slug, STR_NONE, err);
    int before = has_row(s->store, SQL_SEEDED_HAS, slug, STR(""), err), rc = -1;
    struct db_value can;

    json_print(&capabilities, cJSON_GetObjectItemCaseSensitive(o, "capabilities"));
    can = DB_TEXT(buf_str(&capabilities));
    if (there < 0 || before < 0)
        rc = -1;
    else if (there)
        rc = before ? 0
                    : db_run(s->store->db, SQL_SEED_PROVIDER_FILL,
                             DB_ARGS(DB_TEXT(slug), DB_TEXT(key_env), can, now), err);
    else if (before)
        rc = 0; /* deleted by a person */
    else
        rc = db_run(s->store->db, SQL_SEED_PROVIDER_INSERT,
                    DB_ARGS(DB_TEXT(slug), DB_TEXT(text_of(o, "name")),
                            DB_TEXT(text_of(o, "base_url")), DB_TEXT(currency), DB_TEXT(key_env),
                            can, now),
                    err);
    if (rc == 0 && !before)
        rc = db_run(s->store->db, SQL_SEEDED_ADD, DB_ARGS(DB_TEXT(slug), DB_TEXT(STR(""))), err);
    buf_clear(&capabilities);
    return rc;
}

/* Tiers say where they come from as their price does. */
static void fill_tiers(struct price *p)
{
    for (size_t i = 0; i < p->tier_count; i++) {
        struct price_tier *t = &p->tiers[i];

        if (!t->source_url.ptr)
            t->source_url = p->source_url;
        if (!t->checked_at.ptr)
            t->checked_at = p->checked_at;
        if (!t->release_date.ptr)
            t->release_date = p->release_date;
        if (!t->notes.ptr)
            t->notes = p->notes;
    }
}

/* Whether a stored price is still what an earlier catalogue made it, and this one differs. */
static bool is_outdated(const struct price *stored, struct str digest)
{
    char now[PRICE_DIGEST_SIZE];

    return stored->seed_digest.ptr && !str_eq(stored->seed_digest, digest) &&
           str_eq(stored->seed_digest, str_c(price_digest(stored, now)));
}

static int put_price(struct seeding *s, struct price *p, struct err *err)
{
    const struct price *stored = price_book_get(s->book, p->provider_slug, p->model);
    char digest[PRICE_DIGEST_SIZE];
    int before, there;

    p->seed_digest = str_c(price_digest(p, digest));
    if (stored) {
        if (!is_outdated(stored, p->seed_digest))
            return 0;
        p->id = stored->id;
        p->sync_digest = stored->sync_digest;
        return store_price_put(s->store, p, true, err);
    }
    before = has_row(s->store, SQL_SEEDED_HAS, p->provider_slug, p->model, err);
    there = has_row(s->store, SQL_SEED_PROVIDER_GET, p->provider_slug, STR_NONE, err);
    if (before < 0 || there < 0)
        return -1;
    if (before || !there)
        return 0;
    if (store_price_put(s->store, p, true, err) < 0)
        return -1;
    return db_run(s->store->db, SQL_SEEDED_ADD,
                  DB_ARGS(DB_TEXT(p->provider_slug), DB_TEXT(p->model)), err);
}

static int seed_price(struct seeding *s, const cJSON *o, struct err *err)
{
    struct arena arena = {0};
    struct price p;
    int rc = -1;

    price_init(&p);
    if (price_read(o, &arena, &p, err) == 0 && price_check(&p, err) == 0) {
        fill_tiers(&p);
        rc = put_price(s, &p, err);
    }
    arena_clear(&arena);
    return rc;
}

static int seed_all(struct seeding *s, const cJSON *providers, const cJSON *prices, struct err *err)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(providers, "providers"))
    {
        if (seed_provider(s, one, err) < 0)
            return err_wrap(err, "seed provider");
    }
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(prices, "models"))
    {
        if (seed_price(s, one, err) < 0)
            return err_wrap(err, "seed price");
    }
    return 0;
}

int store_seed_from(struct store *store, struct str providers_json, struct str prices_json,
                    struct err *err)
{
    struct seeding s = {.store = store};
    cJSON *providers = json_parse(providers_json), *prices = json_parse(prices_json);
    bool own;
    int rc = -1;

    if (!providers || !prices)
        err_set(err, ERR_INVALID, "the catalogue is no JSON");
    else if (store_begin_own(store, &own, err) == 0) {
        rc = store_price_book(store, &s.book, err);
        if (rc == 0)
            rc = seed_all(&s, providers, prices, err);
        rc = store_end_own(store, own, rc, err);
    }
    price_book_unref(s.book);
    cJSON_Delete(providers);
    cJSON_Delete(prices);
    return rc;
}

int store_seed(struct store *store, struct err *err)
{
    return store_seed_from(store, str_c(seed_providers), str_c(seed_prices), err);
}

static int count_rows(struct store *store, int64_t *providers, int64_t *prices, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_SEED_COUNTS, DB_NO_ARGS, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1) {
        *providers = db_int(rows, 0);
        *prices = db_int(rows, 1);
    }
    db_done(rows);
    return got == 1 ? 0 : -1;
}

static int restore(struct store *store, struct str slug, int64_t *providers, int64_t *prices,
                   struct err *err)
{
    int64_t provider_count, price_count;

    if (count_rows(store, &provider_count, &price_count, err) < 0 ||
        db_run(store->db, SQL_SEEDED_FORGET_MISSING, DB_ARGS(DB_TEXT(slug.ptr ? slug : STR(""))),
               err) < 0 ||
        store_seed(store, err) < 0 || count_rows(store, providers, prices, err) < 0)
        return -1;
    *providers -= provider_count;
    *prices -= price_count;
    return 0;
}

int store_seed_restore(struct store *store, struct str provider_slug, int64_t *providers,
                       int64_t *prices, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, restore(store, provider_slug, providers, prices, err), err);
}
