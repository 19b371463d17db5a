/* The catalogue of this program: what it comes with, and what an export writes. */
#include <stdlib.h>

#include "core/price_import_priv.h"
#include "core/price_json.h"
#include "core/routing_input.h"
#include "json/json.h"

#define ENTRY_MAX ((size_t)256 << 10)

static const char *text(const cJSON *o, const char *key)
{
    const char *s;

    return json_get_str(o, key, &s) ? s : NULL;
}

/* ---- providers ---- */

struct providers {
    struct provider *list;
    size_t count, cap;
};

static int add_provider(struct price_importer *im, struct providers *all, const cJSON *o)
{
    const struct provider_input in = {
        .slug = str_c(text(o, "slug")),
        .name = str_c(text(o, "name")),
        .upstream_url = str_c(text(o, "base_url")),
        .currency = str_c(text(o, "currency")),
        .api_key_env = str_c(text(o, "api_key_env")),
        .capabilities = cJSON_GetObjectItemCaseSensitive(o, "capabilities"),
        .active = true,
    };
    struct provider *bigger;
    struct err ignored;

    if (all->count == all->cap) {
        all->cap = all->cap ? 2 * all->cap : 32;
        bigger = realloc(all->list, all->cap * sizeof(*all->list));
        if (!bigger)
            return err_set(im->err, ERR_NO_MEMORY, "no memory for the rows of a catalogue");
        all->list = bigger;
    }
    if (provider_from_input(&in, &im->rows->arena, &all->list[all->count], &ignored) == 0)
        all->count++;
    return 0;
}

/* What the document tells of providers; only those that are to be created are of interest. */
static int read_providers(struct price_importer *im, struct providers *all, struct str document)
{
    struct json_iter it;
    struct str list;

    if (!im->o->create_providers || !json_member(document, STR("providers"), &list))
        return 0;
    it = json_iter(list);
    while (json_type_of(list) == JSON_ARRAY && all->count < 1000 && json_next(&it)) {
        cJSON *o = it.value.len <= ENTRY_MAX ? json_parse(it.value) : NULL;
        int rc = cJSON_IsObject(o) ? add_provider(im, all, o) : 0;

        cJSON_Delete(o);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static bool has_provider(struct price_importer *im, const struct providers *all, struct str slug)
{
    if (price_book_provider(im->book, slug))
        return true;
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(all->list[i].slug, slug))
            return price_import_has_provider(im, &all->list[i]);
    return false;
}

/* ---- models ---- */

static int compare_tiers(const void *a, const void *b)
{
    const struct price_tier *x = a, *y = b;
    int64_t low = x->min == UNKNOWN ? 0 : x->min, high = y->min == UNKNOWN ? 0 : y->min;

    return (low > high) - (low < high);
}

static int compare_variants(const void *a, const void *b)
{
    const struct price_variant *x = a, *y = b;

    return (int)x->service_tier.ptr[0] - (int)y->service_tier.ptr[0]; /* batch, flex, priority */
}

static void add_row(struct price_importer *im, const struct price *p)
{
    struct sync_row *row;
    struct price copy;

    if (price_copy(&im->rows->arena, p, &copy, im->err) < 0)
        return;
    row = price_import_start(im, copy.provider_slug, copy.model, SYNC_WHOLE);
    if (!row)
        return;
    row->price = copy;
    if (row->price.tier_count)
        qsort(row->price.tiers, row->price.tier_count, sizeof(*row->price.tiers), compare_tiers);
    if (row->price.variant_count)
        qsort(row->price.variants, row->price.variant_count, sizeof(*row->price.variants),
              compare_variants);
    price_import_keep(im);
}

static bool has_input(const cJSON *o)
{
    return text(o, rate_key[RATE_INPUT]) ||
           cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(o, rate_key[RATE_INPUT]));
}

static void add_entry(struct price_importer *im, const struct providers *all, const cJSON *o,
                      struct arena *arena)
{
    struct price p;
    struct err why;

    price_init(&p);
    if (!cJSON_IsObject(o) || price_read(o, arena, &p, &why) < 0) {
        price_import_skip(im, SKIP_BAD_PRICE);
        return;
    }
    {
        const struct str names[] = {p.model, p.display_name, p.provider_slug};

        if ((p.provider_slug.ptr ? !price_import_wants(im, p.provider_slug)
                                 : im->o->provider_count > 0) ||
            !price_import_matches(im, names, 3))
            return;
    }
    if (!p.provider_slug.ptr || !has_provider(im, all, p.provider_slug))
        price_import_skip(im, SKIP_UNKNOWN_PROVIDER);
    else if (!has_input(o))
        price_import_skip(im, SKIP_NO_TOKEN_PRICE);
    else if (price_check(&p, &why) < 0)
        price_import_skip(im, SKIP_BAD_PRICE);
    else
        add_row(im, &p);
}

int price_import_catalog(struct price_importer *im, struct str document)
{
    struct providers all = {0};
    struct json_iter it;
    struct str models;
    int rc = -1;

    if (!json_member(document, STR("models"), &models) || json_type_of(models) != JSON_ARRAY)
        return err_set(im->err, ERR_INVALID, "The document is no catalogue: it has no models.");
    if (read_providers(im, &all, document) < 0)
        goto out;
    it = json_iter(models);
    while (!im->full && im->err->code == ERR_NONE && json_next(&it)) {
        cJSON *o = it.value.len <= ENTRY_MAX ? json_parse(it.value) : NULL;
        struct arena arena = {0};

        add_entry(im, &all, o, &arena);
        arena_clear(&arena);
        cJSON_Delete(o);
    }
    rc = im->err->code == ERR_NONE ? 0 : -1;
out:
    free(all.list);
    return rc;
}
