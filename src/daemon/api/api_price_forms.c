/* The forms about prices: they answer with a redirect to the page they are on. */
#include "core/price_json.h"
#include "daemon/api/api_body.h"
#include "daemon/api/api_prices.h"
#include "store/store_prices.h"

static void redirect(struct api_call *call)
{
    struct err err;

    call->status = 303;
    if (headers_add(&call->extra, &call->request.arena, STR("Location"),
                    STR("/admin/settings/pricing"), &err) < 0)
        api_error(call, &err);
}

/* Errors of what a form says are all 400. */
static void refuse_form(struct api_call *call, struct err *err)
{
    if (err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT)
        err->code = ERR_INVALID;
    api_error(call, err);
}

static bool has_required(struct api_call *call, const struct body *b, const char *const *names)
{
    bool all = true;

    for (; *names; names++)
        all = form_required(b, call, *names).ptr && all;
    return all;
}

static void write_price(struct api_call *call, struct store *store)
{
    static const char *const required[] = {"provider_slug", "model", "input_usd_per_million",
                                           "output_usd_per_million", NULL};
    struct price_book *book = api_book(call, store);
    struct price p;
    struct body b;
    struct err err;

    if (!book)
        return;
    body_form(&b, call);
    if (!has_required(call, &b, required)) {
        ; /* answered */
    } else if (api_price_edit(book, b.fields, &b.arena, NULL, &p, &err) < 0) {
        refuse_form(call, &err);
    } else {
        p.active = form_checkbox(&b, "active", true);
        if (store_price_put(store, &p, false, &err) < 0)
            refuse_form(call, &err);
        else
            redirect(call);
    }
    body_clear(&b);
    price_book_unref(book);
}

static void write_price_delete(struct api_call *call, struct store *store)
{
    static const char *const required[] = {"provider_slug", "model", NULL};
    struct price_book *book = api_book(call, store);
    const struct price *p;
    struct body b;
    struct err err;

    if (!book)
        return;
    body_form(&b, call);
    if (has_required(call, &b, required)) {
        p = price_book_get(book, str_trim(form_text(&b, "provider_slug")),
                           str_trim(form_text(&b, "model")));
        if (!p)
            api_detail(call, 400, "Price not found.");
        else if (store_price_delete(store, p->id, &err) < 0)
            refuse_form(call, &err);
        else
            redirect(call);
    }
    body_clear(&b);
    price_book_unref(book);
}

static bool required_id(struct api_call *call, const struct body *b, const char *name, int64_t *out)
{
    return form_required(b, call, name).ptr && form_int(b, call, name, 0, out);
}

static void write_tier(struct api_call *call, struct store *store)
{
    static const char *const required[] = {"input_usd_per_million", "output_usd_per_million", NULL};
    struct price_tier t = {.min = UNKNOWN, .max = UNKNOWN, .rates = rates_none()};
    struct price_book *book = api_book(call, store);
    const struct price *p;
    struct body b;
    struct err err;
    int64_t id;
    bool known;

    if (!book)
        return;
    body_form(&b, call);
    known = required_id(call, &b, "model_price_id", &id);
    if (!has_required(call, &b, required) || !known) {
        ; /* answered */
    } else if (!(p = price_book_by_id(book, id))) {
        api_detail(call, 400, "Price not found.");
    } else if (api_tier_edit(p, b.fields, &b.arena, &t, &err) < 0 ||
               store_price_tier_put(store, &t, &err) < 0) {
        refuse_form(call, &err);
    } else {
        redirect(call);
    }
    body_clear(&b);
    price_book_unref(book);
}

static void write_tier_delete(struct api_call *call, struct store *store)
{
    struct body b;
    struct err err;
    int64_t id;

    body_form(&b, call);
    if (!required_id(call, &b, "tier_id", &id))
        ; /* answered */
    else if (store_price_tier_delete(store, id, &err) < 0)
        refuse_form(call, &err);
    else
        redirect(call);
    body_clear(&b);
}

const struct api_route api_price_forms_routes[] = {
    {"POST", "/admin/settings/model-prices", NULL, write_price, NULL},
    {"POST", "/admin/settings/model-prices/delete", NULL, write_price_delete, NULL},
    {"POST", "/admin/settings/model-price-tiers", NULL, write_tier, NULL},
    {"POST", "/admin/settings/model-price-tiers/delete", NULL, write_tier_delete, NULL},
    {0},
};
