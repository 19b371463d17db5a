#include "store/store_sync.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "core/price_json.h"
#include "store/store_prices.h"
#include "store/store_priv.h"
#include "store/store_routing.h"
#include "json/json.h"

struct applying {
    struct store *store;
    struct sync_rows *rows;
    struct price_book *book; /* before */
    bool *created;           /* one for each of rows->providers */
    struct sync_result *out;
};

static void warn_tiers(struct sync_result *out, const struct sync_row *row, const struct price *p)
{
    struct buf text = {0};

    if (row->price.tier_count > 0 || p->tier_count == 0)
        return;
    buf_printf(&text, "%.*s has tiers, which still take precedence over the new rates.",
               STR_ARG(row->key));
    buf_put(&out->warnings, out->warnings.len ? STR(",") : STR(""));
    json_quote(&out->warnings, buf_str(&text));
    buf_clear(&text);
}

/* The base URL of another provider is left to that one. */
static int put_provider(struct store *store, struct provider p, struct err *err)
{
    if (store_provider_put(store, &p, err) == 0)
        return 0;
    if (err->code != ERR_CONFLICT || !p.base_url.ptr)
        return -1;
    p.base_url = STR_NONE;
    return store_provider_put(store, &p, err);
}

static int need_provider(struct applying *a, struct str slug, struct err *err)
{
    const struct provider *list = a->rows->providers;

    if (price_book_provider(a->book, slug))
        return 0;
    for (size_t i = 0; i < a->rows->provider_count; i++) {
        if (!str_eq(list[i].slug, slug))
            continue;
        if (a->created[i])
            return 0;
        a->created[i] = true;
        a->out->providers++;
        return put_provider(a->store, list[i], err);
    }
    return err_set(err, ERR_INVALID, "There is no provider %.*s.", STR_ARG(slug));
}

static int write_row(struct applying *a, const struct sync_row *row, struct err *err)
{
    struct price p = sync_price(row, a->book, &a->rows->arena);
    char digest[PRICE_DIGEST_SIZE];
    const struct price *stored = price_book_get(a->book, p.provider_slug, p.model);

    a->out->counts[row->status]++;
    if (row->depth == SYNC_RATES)
        p.active = true;
    p.sync_digest = str_c(price_digest(&p, digest));
    warn_tiers(a->out, row, &p);
    if (need_provider(a, p.provider_slug, err) < 0 || price_check(&p, err) < 0)
        return -1;
    return store_price_put(a->store, &p, !stored || p.tiers != stored->tiers, err);
}

static int write_rows(struct applying *a, struct err *err)
{
    if (store_price_book(a->store, &a->book, err) < 0)
        return -1;
    sync_compare(a->rows, a->book);
    for (size_t i = 0; i < a->rows->count; i++)
        if (a->rows->rows[i].chosen && write_row(a, &a->rows->rows[i], err) < 0)
            return -1;
    return 0;
}

int store_sync_apply(struct store *store, struct sync_rows *rows, struct sync_result *out,
                     struct err *err)
{
    struct applying a = {.store = store, .rows = rows, .out = out};
    bool own;
    int rc;

    *out = (struct sync_result){0};
    if (store_begin_own(store, &own, err) < 0)
        return -1;
    a.created = xcalloc(rows->provider_count + 1, sizeof(*a.created));
    rc = store_end_own(store, own, write_rows(&a, err), err);
    price_book_unref(a.book);
    free(a.created);
    return rc;
}
