/* Prices and their tiers. */
#include <stdio.h>

#include "core/price_json.h"
#include "core/routing_input.h"
#include "ops/body.h"
#include "ops/op_prices.h"
#include "ops/op_routing.h"
#include "ops/tables.h"
#include "ops/version.h"
#include "store/store_prices.h"
#include "view/view_price.h"
#include "view/view_routing.h"

struct price_book *op_book(struct call *call, struct store *store)
{
    struct price_book *book;
    struct err err;

    if (store_price_book(store, &book, &err) == 0)
        return book;
    call_error(call, &err);
    return NULL;
}

/* ---- reading ---- */

static void run_list(struct call *call, struct store *store)
{
    struct buf search = {0}, provider = {0}, status = {0};
    struct price_book *book = op_book(call, store);

    call_query_text(call, "search", &search);
    call_query_text(call, "provider", &provider);
    call_query_text(call, "status", &status);
    if (book) {
        struct price_filter filter = {.search = str_trim(buf_str(&search)),
                                      .provider_slug = str_trim(buf_str(&provider)),
                                      .status = str_trim(buf_str(&status))};

        op_simple_page(call, view_price_list(book, &filter));
    }
    price_book_unref(book);
    buf_clear(&search);
    buf_clear(&provider);
    buf_clear(&status);
}

/* Answer with the row of a price as it is in the database now. */
static void answer_price(struct call *call, struct store *store, int64_t id)
{
    struct price_book *book = op_book(call, store);
    const struct price *p = book ? price_book_by_id(book, id) : NULL;

    if (p) {
        call_json(call, 200, view_price(book, p));
        version_tell(call, p->updated_us);
    } else if (book) {
        call_detail(call, 404, "Price not found.");
    }
    price_book_unref(book);
}

static void run_get(struct call *call, struct store *store)
{
    answer_price(call, store, call->id);
}

static void run_find(struct call *call, struct store *store)
{
    struct buf provider = {0}, model = {0};
    struct price_book *book = op_book(call, store);
    cJSON *found;

    call_query_text(call, "provider", &provider);
    call_query_text(call, "model", &model);
    if (book) {
        found = view_price_find(book, str_trim(buf_str(&provider)), buf_str(&model));
        if (found)
            call_json(call, 200, found);
        else
            call_detail(call, 404, "No price for this provider and model.");
    }
    price_book_unref(book);
    buf_clear(&provider);
    buf_clear(&model);
}

/* A token count by either of its names. False: the call is answered. */
static bool read_count(struct call *call, const struct body *b, const char *name, const char *other,
                       int64_t *out)
{
    int64_t value = UNKNOWN;
    int got = body_int(b, name, &value);

    if (got == 0)
        got = body_int(b, other, &value);
    *out = got > 0 ? value : UNKNOWN;
    if (got >= 0 && (got == 0 || (value >= 0 && value <= INT64_C(1) << 53)))
        return true;
    call_detail(call, 400, "Token counts must be whole numbers of at least 0.");
    return false;
}

static bool read_tokens(struct call *call, struct body *b, struct cost_tokens *t)
{
    struct usage *u = &t->usage;
    struct str tier = body_text(b, "service_tier", NULL);

    u->total = UNKNOWN;
    t->service_tier = tier.len > 0 ? tier : STR_NONE;
    if (!read_count(call, b, "input_tokens", "input", &u->input) ||
        !read_count(call, b, "cached_input_tokens", "cached", &u->cached_input) ||
        !read_count(call, b, "cache_write_input_tokens", "cache_write", &u->cache_write_input) ||
        !read_count(call, b, "cache_write_1h_input_tokens", "cache_write_1h", &t->cache_write_1h) ||
        !read_count(call, b, "output_tokens", "output", &u->output) ||
        !read_count(call, b, "reasoning_tokens", "reasoning", &u->reasoning))
        return false;
    if (u->input != UNKNOWN && u->output != UNKNOWN)
        return true;
    call_detail(call, 400, "input and output are required.");
    return false;
}

static void run_estimate(struct call *call, struct store *store)
{
    struct price_book *book = NULL;
    struct cost_tokens tokens;
    struct body b;
    cJSON *found;

    body_json(&b, call);
    if (read_tokens(call, &b, &tokens) && (book = op_book(call, store))) {
        found = view_price_estimate(book, str_trim(body_text(&b, "provider", "provider_slug")),
                                    body_text(&b, "model", NULL), &tokens);
        if (found)
            call_json(call, 200, found);
        else
            call_detail(call, 404, "No price for this provider and model.");
    }
    price_book_unref(book);
    body_clear(&b);
}

/* ---- writing ---- */

/* What an edit empties when it does not carry it; the rest stays. */
static void forget_basics(struct price *p)
{
    p->display_name = p->notes = STR_NONE;
    p->alias_count = 0;
    p->rates.of[RATE_INPUT] = p->rates.of[RATE_CACHED_INPUT] = UNKNOWN;
    p->rates.of[RATE_OUTPUT] = UNKNOWN;
    p->active = true;
}

/* The members of a price, with the slug as slugs are stored. */
static int read_price(const cJSON *fields, struct arena *arena, struct price *p, struct err *err)
{
    if (price_read(fields, arena, p, err) < 0)
        return -1;
    return slug_from_input(p->provider_slug, arena, &p->provider_slug, err);
}

int op_price_edit(const struct price_book *book, const cJSON *fields, struct arena *arena,
                  const struct price *old, struct price *out, struct err *err)
{
    const struct price *same;
    struct price head;

    price_init(out);
    price_init(&head);
    if (!old) { /* the names tell whether this is an edit of one that exists */
        if (read_price(fields, arena, &head, err) < 0)
            return -1;
        same = head.provider_slug.ptr && head.model.ptr
                   ? price_book_get(book, head.provider_slug, head.model)
                   : NULL;
        old = same;
    }
    if (old) {
        *out = *old;
        forget_basics(out);
    }
    if (read_price(fields, arena, out, err) < 0 || price_check(out, err) < 0)
        return -1;
    if (!price_book_provider(book, out->provider_slug))
        return err_set(err, ERR_INVALID, "Provider not found.");
    same = price_book_get(book, out->provider_slug, out->model);
    if (same && same->id != out->id)
        return err_set(err, ERR_CONFLICT, "Another price has this provider and model.");
    return 0;
}

/* Whether the price, NULL for a new one, is as the caller knows it. False: the call is answered. */
static bool is_current(struct call *call, const struct body *b, const struct price *p)
{
    char what[32];

    if (!p)
        return true;
    snprintf(what, sizeof(what), "Price %lld", (long long)p->id);
    return version_fits(call, b, what, p->updated_us);
}

static void put_price(struct call *call, struct store *store, const struct price_book *book,
                      const struct price *old)
{
    struct price p;
    struct body b;
    struct err err;

    body_json(&b, call);
    if (!is_current(call, &b, old))
        ; /* answered */
    else if (op_price_edit(book, b.fields, &b.arena, old, &p, &err) < 0)
        call_error(call, &err);
    else if (!old && p.id)
        call_detail(call, 409, "A price of this provider and model exists already.");
    else if (store_price_put(store, &p, body_get(&b, "tiers") != NULL, &err) < 0)
        call_error(call, &err);
    else
        answer_price(call, store, p.id);
    body_clear(&b);
}

static void write_create(struct call *call, struct store *store)
{
    struct price_book *book = op_book(call, store);

    if (book)
        put_price(call, store, book, NULL);
    price_book_unref(book);
}

static void write_replace(struct call *call, struct store *store)
{
    struct price_book *book = op_book(call, store);
    const struct price *old = book ? price_book_by_id(book, call->id) : NULL;

    if (old)
        put_price(call, store, book, old);
    else if (book)
        call_detail(call, 404, "Price not found.");
    price_book_unref(book);
}

static void answer_deleted(struct call *call, int rc, const struct err *err)
{
    if (rc < 0) {
        call_error(call, err);
        return;
    }
    call->status = 200;
    buf_put(&call->body, STR("{\"deleted\":true}"));
}

static void write_delete(struct call *call, struct store *store)
{
    struct price_book *book = op_book(call, store);
    const struct price *old = book ? price_book_by_id(book, call->id) : NULL;
    struct err err;

    if (book && is_current(call, NULL, old))
        answer_deleted(call, store_price_delete(store, call->id, &err), &err);
    price_book_unref(book);
}

int op_tier_edit(const struct price *p, const cJSON *fields, struct arena *arena,
                 struct price_tier *t, struct err *err)
{
    t->price_id = p->id;
    if (price_tier_read(fields, arena, t, err) < 0)
        return -1;
    return price_tier_check(p, t, err);
}

/* id: the tier to replace, 0 for a new one. */
static void put_tier(struct call *call, struct store *store, const struct price *p, int64_t id)
{
    struct price_tier t = {.id = id, .min = UNKNOWN, .max = UNKNOWN, .rates = rates_none()};
    struct body b;
    struct err err;

    body_json(&b, call);
    if (!is_current(call, &b, p))
        ; /* answered */
    else if (op_tier_edit(p, b.fields, &b.arena, &t, &err) < 0 ||
             store_price_tier_put(store, &t, &err) < 0)
        call_error(call, &err);
    else
        answer_price(call, store, p->id);
    body_clear(&b);
}

static void write_tier_create(struct call *call, struct store *store)
{
    struct price_book *book = op_book(call, store);
    const struct price *p = book ? price_book_by_id(book, call->id) : NULL;

    if (p)
        put_tier(call, store, p, 0);
    else if (book)
        call_detail(call, 404, "Price not found.");
    price_book_unref(book);
}

static void write_tier_replace(struct call *call, struct store *store)
{
    struct price_book *book = op_book(call, store);
    const struct price *p = book ? price_book_of_tier(book, call->id) : NULL;

    if (p)
        put_tier(call, store, p, call->id);
    else if (book)
        call_detail(call, 404, "Tier not found.");
    price_book_unref(book);
}

static void write_tier_delete(struct call *call, struct store *store)
{
    struct price_book *book = op_book(call, store);
    const struct price *p = book ? price_book_of_tier(book, call->id) : NULL;
    struct err err;

    if (book && !p)
        call_detail(call, 404, "Tier not found.");
    else if (book && !is_current(call, NULL, p))
        ; /* answered */
    else if (book && store_price_tier_delete(store, call->id, &err) < 0)
        call_error(call, &err);
    else if (book)
        answer_price(call, store, p->id);
    price_book_unref(book);
}

const struct call_route op_prices_routes[] = {
    {"GET", "/admin/api/pricing/prices", run_list, NULL, NULL},
    {"POST", "/admin/api/pricing/prices", NULL, write_create, NULL},
    {"GET", "/admin/api/pricing/prices/{price_id}", run_get, NULL, NULL},
    {"PUT", "/admin/api/pricing/prices/{price_id}", NULL, write_replace, NULL},
    {"DELETE", "/admin/api/pricing/prices/{price_id}", NULL, write_delete, NULL},
    {"POST", "/admin/api/pricing/prices/{price_id}/tiers", NULL, write_tier_create, NULL},
    {"PUT", "/admin/api/pricing/tiers/{tier_id}", NULL, write_tier_replace, NULL},
    {"DELETE", "/admin/api/pricing/tiers/{tier_id}", NULL, write_tier_delete, NULL},
    {"GET", "/admin/api/pricing/find", run_find, NULL, NULL},
    {"POST", "/admin/api/pricing/estimate", run_estimate, NULL, NULL},
    {0},
};
