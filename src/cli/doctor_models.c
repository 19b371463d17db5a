/* The checks of the upstream and of models: keys, prices, routes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/query.h"
#include "base/xalloc.h"
#include "core/route.h"
#include "doctor_priv.h"
#include "json/json_scan.h"

#define UPSTREAM_MS 5000
#define UPSTREAM_MAX ((size_t)16 << 20)
#define NAMES_MAX 5    /* in a message */
#define PRICES_MAX 100 /* models that prices are looked for */
#define ROUTES_MAX 1000
#define PER_PAGE 100

/* ---- upstream ---- */

void doctor_upstream(struct doctor *d)
{
    struct api_answer answer = {0};
    struct api_client *client;
    char url[1024];
    struct err err;

    if (doctor_ask(d, "/admin/api/settings/summary", "") < 0)
        return;
    doctor_text(d, "upstream.url", url, sizeof(url));
    client = api_client_open(str_c(url), &err);
    if (!client || api_client_get(client, "/models", UPSTREAM_MS, UPSTREAM_MAX, &answer, &err) < 0)
        doctor_say(d, VERDICT_WARN, "upstream",
                   "requests without a route go there; name another with --upstream-url", "%s: %s",
                   url, err.msg);
    else if (answer.status == 401 || answer.status == 403)
        doctor_say(d, VERDICT_OK, "upstream", NULL, "%s answers, and wants a key", url);
    else if (answer.status >= 400)
        doctor_say(d, VERDICT_WARN, "upstream", "is the path right? Most end in /v1",
                   "%s/models answers %d", url, answer.status);
    else
        doctor_say(d, VERDICT_OK, "upstream", NULL, "%s/models answers %d in %" PRId64 "ms", url,
                   answer.status, answer.took_ms);
    api_answer_clear(&answer);
    api_client_close(client);
}

/* ---- models of the last days ---- */

/* A few names and how many more. */
struct names {
    struct buf text;
    size_t count;
};

static void names_add(struct names *n, struct str name)
{
    n->count++;
    if (n->count <= NAMES_MAX)
        buf_printf(&n->text, "%s%.*s", n->text.len ? ", " : "", STR_ARG(str_cut(name, 80)));
}

static const char *names_end(struct names *n)
{
    if (n->count > NAMES_MAX)
        buf_printf(&n->text, " and %zu more", n->count - NAMES_MAX);
    return n->text.ptr ? n->text.ptr : "";
}

/* True when the pair has a price, or it cannot be told. */
static bool has_price(struct doctor *d, struct str provider, struct str model)
{
    struct buf query = {0}, text = {0};
    struct str value;
    struct err err;
    bool found;

    if (provider.len == 0)
        return false;
    buf_put(&query, STR("provider="));
    query_encode(&query, provider);
    buf_put(&query, STR("&model="));
    query_encode(&query, model);
    found = source_get(&d->source, "doctor", "/admin/api/pricing/find", query.ptr, &text, &value,
                       &err) == 0 ||
            err.code != ERR_NOT_FOUND;
    buf_clear(&query);
    buf_clear(&text);
    return found;
}

static void look_at_model(struct doctor *d, struct row *row, size_t i, struct names *keyless,
                          struct names *unpriced)
{
    struct buf model = {0}, sent = {0}, provider = {0};
    struct str state;

    row_text(row, "model", &model);
    if (!row_text(row, "upstream_model", &sent))
        buf_put(&sent, buf_str(&model));
    row_text(row, "provider_slug", &provider);
    if (row_get(row, "api_key_state", &state) && json_string_is(state, STR("missing")))
        names_add(keyless, buf_str(&model));
    if (model.len > 0 && i < PRICES_MAX && !has_price(d, buf_str(&provider), buf_str(&sent)))
        names_add(unpriced, buf_str(&model));
    buf_clear(&model);
    buf_clear(&sent);
    buf_clear(&provider);
}

static void tell_models(struct doctor *d, size_t count, struct names *keyless,
                        struct names *unpriced)
{
    if (keyless->count > 0)
        doctor_say(d, VERDICT_WARN, "keys",
                   "set the variable of the provider where the server runs: "
                   "\"" PROGRAM " providers list\"",
                   "models used lately whose provider has no key: %s", names_end(keyless));
    else
        doctor_say(d, VERDICT_OK, "keys", NULL, "no model used lately lacks a key");
    if (unpriced->count > 0)
        doctor_say(d, VERDICT_WARN, "prices",
                   "their requests have no cost: \"" PROGRAM " pricing set\"",
                   "models used in the last 30 days without a price: %s", names_end(unpriced));
    else
        doctor_say(d, VERDICT_OK, "prices", NULL,
                   count ? "all %zu models used lately have a price"
                         : "%zu models were used in the last 30 days",
                   count);
}

void doctor_models(struct doctor *d)
{
    struct names keyless = {0}, unpriced = {0};
    struct row row = {0};
    struct str items;
    struct json_iter it;
    size_t i = 0;

    if (doctor_ask(d, "/admin/api/routes/recent-models", "days=30") < 0 ||
        !row_get(&d->row, "items", &items)) {
        doctor_say(d, VERDICT_WARN, "models", NULL, "%s", d->err.msg);
        return;
    }
    it = json_iter(items);
    for (; json_next(&it); i++)
        if (row_read(&row, it.value))
            look_at_model(d, &row, i, &keyless, &unpriced);
    tell_models(d, i, &keyless, &unpriced);
    row_clear(&row);
    buf_clear(&keyless.text);
    buf_clear(&unpriced.text);
}

/* ---- routes ---- */

struct routes {
    struct route list[ROUTES_MAX];
    size_t count;
    struct buf texts[ROUTES_MAX]; /* the patterns */
    int64_t pages;
};

static void add_route(struct routes *all, struct row *row)
{
    struct route *r = &all->list[all->count];
    struct str type;
    int64_t id = row_int(row, "id"), priority = row_int(row, "priority");

    if (all->count == ROUTES_MAX || !row_true(row, "active") ||
        !row_text(row, "incoming_model", &all->texts[all->count]))
        return;
    *r = (struct route){
        .id = id == ROW_UNKNOWN ? 0 : id,
        .incoming_model = buf_str(&all->texts[all->count]),
        .prefix = row_get(row, "match_type", &type) && json_string_is(type, STR("prefix")),
        .priority = priority == ROW_UNKNOWN ? 0 : (int)priority,
    };
    all->count++;
}

static int read_routes(struct doctor *d, struct routes *all)
{
    struct row row = {0};
    int rc = 0;

    for (int64_t page = 1; rc == 0 && page <= all->pages && all->count < ROUTES_MAX; page++) {
        char query[80];
        struct str items;

        snprintf(query, sizeof(query), "include_startup=1&per_page=%d&page=%" PRId64, PER_PAGE,
                 page);
        rc = doctor_ask(d, "/admin/api/routes", query);
        if (rc == 0 && row_get(&d->row, "items", &items)) {
            struct json_iter it = json_iter(items);

            all->pages = row_int(&d->row, "pages");
            while (json_next(&it))
                if (row_read(&row, it.value))
                    add_route(all, &row);
        }
    }
    row_clear(&row);
    return rc;
}

/* All that r matches goes to a stronger one. Exact routes take one name from a prefix at most. */
static bool is_hidden(const struct routes *all, const struct route *r)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct route *other = &all->list[i];

        if (other == r || (r->prefix && !other->prefix))
            continue;
        if (route_compare(other, r) < 0 &&
            (r->prefix ? str_starts(route_literal(r), route_literal(other))
                       : route_matches(other, r->incoming_model)))
            return true;
    }
    return false;
}

void doctor_routes(struct doctor *d)
{
    struct routes *all = xcalloc(1, sizeof(*all));
    struct names hidden = {0};

    all->pages = 1;
    if (read_routes(d, all) < 0) {
        doctor_say(d, VERDICT_WARN, "routes", NULL, "%s", d->err.msg);
    } else {
        for (size_t i = 0; i < all->count; i++)
            if (is_hidden(all, &all->list[i]))
                names_add(&hidden, all->list[i].incoming_model);
        if (hidden.count > 0)
            doctor_say(
                d, VERDICT_WARN, "routes", "give them a smaller priority number, or delete them",
                "can never match, since another route takes all of it: %s", names_end(&hidden));
        else
            doctor_say(d, VERDICT_OK, "routes", NULL, "%zu active, none hides another%s",
                       all->count, all->count == ROUTES_MAX ? ", the others not looked at" : "");
    }
    for (size_t i = 0; i <= all->count && i < ROUTES_MAX; i++)
        buf_clear(&all->texts[i]);
    buf_clear(&hidden.text);
    free(all);
}
