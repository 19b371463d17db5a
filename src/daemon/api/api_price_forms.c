/* The forms about prices: they answer with a redirect to the page they are on. */
#include "core/price_json.h"
#include "daemon/api/api_form.h"
#include "ops/body.h"
#include "ops/op_prices.h"
#include "store/store_prices.h"

#define PRICING_PAGE "/admin/settings/pricing"

static bool has_required(struct call *call, const struct body *b, const char *const *names)
{
    bool all = true;

    for (; *names; names++)
        all = form_required(b, call, *names).ptr && all;
    return all;
}

static int save_price(struct store *store, const struct price_book *book, struct body *b,
                      struct err *err)
{
    struct price p;

    if (op_price_edit(book, b->fields, &b->arena, NULL, &p, err) < 0)
        return -1;
    p.active = form_checkbox(b, "active", true);
    return store_price_put(store, &p, false, err);
}

static void write_price(struct call *call, struct store *store)
{
    static const char *const required[] = {"provider_slug", "model", "input_usd_per_million",
                                           "output_usd_per_million", NULL};
    struct price_book *book = op_book(call, store);
    struct body b;
    struct err err;

    if (!book)
        return;
    body_form(&b, call);
    if (has_required(call, &b, required))
        form_finish(call, save_price(store, book, &b, &err), &err, PRICING_PAGE);
    body_clear(&b);
    price_book_unref(book);
}

static int delete_price(struct store *store, const struct price_book *book, const struct body *b,
                        struct err *err)
{
    const struct price *p = price_book_get(book, str_trim(form_text(b, "provider_slug")),
                                           str_trim(form_text(b, "model")));

    return p ? store_price_delete(store, p->id, err)
             : err_set(err, ERR_INVALID, "Price not found.");
}

static void write_price_delete(struct call *call, struct store *store)
{
    static const char *const required[] = {"provider_slug", "model", NULL};
    struct price_book *book = op_book(call, store);
    struct body b;
    struct err err;

    if (!book)
        return;
    body_form(&b, call);
    if (has_required(call, &b, required))
        form_finish(call, delete_price(store, book, &b, &err), &err, PRICING_PAGE);
    body_clear(&b);
    price_book_unref(book);
}

static bool required_id(struct call *call, const struct body *b, const char *name, int64_t *out)
{
    return form_required(b, call, name).ptr && form_int(b, call, name, 0, out);
}

static int add_tier(struct store *store, const struct price_book *book, struct body *b, int64_t id,
                    struct err *err)
{
    struct price_tier t = {.min = UNKNOWN, .max = UNKNOWN, .rates = rates_none()};
    const struct price *p = price_book_by_id(book, id);

    if (!p)
        return err_set(err, ERR_INVALID, "Price not found.");
    if (op_tier_edit(p, b->fields, &b->arena, &t, err) < 0)
        return -1;
    return store_price_tier_put(store, &t, err);
}

static void write_tier(struct call *call, struct store *store)
{
    static const char *const required[] = {"input_usd_per_million", "output_usd_per_million", NULL};
    struct price_book *book = op_book(call, store);
    struct body b;
    struct err err;
    int64_t id;
    bool known;

    if (!book)
        return;
    body_form(&b, call);
    known = required_id(call, &b, "model_price_id", &id);
    if (has_required(call, &b, required) && known)
        form_finish(call, add_tier(store, book, &b, id, &err), &err, PRICING_PAGE);
    body_clear(&b);
    price_book_unref(book);
}

static void write_tier_delete(struct call *call, struct store *store)
{
    struct body b;
    struct err err;
    int64_t id;

    body_form(&b, call);
    if (required_id(call, &b, "tier_id", &id))
        form_finish(call, store_price_tier_delete(store, id, &err), &err, PRICING_PAGE);
    body_clear(&b);
}

const struct call_route api_price_forms_routes[] = {
    {"POST", "/admin/settings/model-prices", .write = write_price},
    {"POST", "/admin/settings/model-prices/delete", .write = write_price_delete},
    {"POST", "/admin/settings/model-price-tiers", .write = write_tier},
    {"POST", "/admin/settings/model-price-tiers/delete", .write = write_tier_delete},
    {0},
};
