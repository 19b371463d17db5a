#include "client/price_source.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "core/price_import.h"
#include "json/json.h"

#define FETCH_MS 30000
#define LIST_MAX ((size_t)8 << 20) /* a router's list, which becomes a tree */

struct source {
    struct sync_rows *rows;
    const struct sync_options *o;
    const struct price_book *book;
    struct fetch_options how;
    struct str today;
};

static bool is_openrouter(struct str source)
{
    return str_eq(source, STR("openrouter"));
}

static bool is_router(struct str source)
{
    return is_openrouter(source) || str_eq(source, STR("huggingface-router"));
}

bool price_source_ok(struct str source)
{
    return is_router(source) || price_import_format_ok(source);
}

int64_t price_source_limit(struct str source, int64_t limit)
{
    if (!is_router(source))
        return limit < 0 ? 0 : limit;
    if (limit == 0)
        return PRICE_LIMIT_DEFAULT;
    return limit < 1 ? 1 : limit > PRICE_LIMIT_MAX ? PRICE_LIMIT_MAX : limit;
}

/* ---- fetching ---- */

/* Where a published document is really got from: LLM_OBSERVE_CATALOG_URL names a mirror. */
static struct str mirrored(struct str url, struct arena *arena)
{
    struct str base = str_trim(str_c(getenv("LLM_OBSERVE_CATALOG_URL")));
    struct str rest = str_from(url, sizeof("https://") - 1);
    ptrdiff_t slash = str_chr(rest, '/');

    if (base.len == 0 || slash < 0)
        return url;
    while (base.len > 0 && base.ptr[base.len - 1] == '/')
        base.len--;
    return arena_printf(arena, "%.*s%.*s", STR_ARG(base), STR_ARG(str_from(rest, (size_t)slash)));
}

static bool url_ok(struct str url)
{
    if (!str_istarts(url, STR("https://")) || url.len < sizeof("https://x") - 1 || url.len > 2048)
        return false;
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= 0x20 || (unsigned char)url.ptr[i] >= 0x7F)
            return false;
    return true;
}

/* The document at url (owned, buf_clear()), or at what the source publishes. */
static int fetch_document(struct source *s, struct str url, struct buf *out, struct err *err)
{
    struct fetch_options how = s->how;
    struct fetch f = {.url = url};

    if (url.ptr && !url_ok(url))
        return err_set(err, ERR_INVALID, "The URL of a price file must begin with https://.");
    if (url.ptr)
        how.key = NULL;
    else
        f.url = is_openrouter(s->o->source) ? STR(SYNC_OPENROUTER_URL)
                : is_router(s->o->source)   ? STR(SYNC_HUGGINGFACE_URL)
                                            : price_import_url(s->o->source);
    if (!f.url.ptr)
        return err_set(err, ERR_INVALID, "A document or its URL is required.");
    f.url = mirrored(f.url, &s->rows->arena);
    fetch_all(&f, 1, &how);
    if (f.error[0]) {
        err_set(err, ERR_INVALID, "Could not fetch %.*s: %s%s.", STR_ARG(f.url), f.error,
                f.status >= 300 && f.status < 400 ? ", a redirect, which is not followed" : "");
        buf_clear(&f.body);
        return -1;
    }
    *out = f.body;
    return 0;
}

/* ---- routers ---- */

static int add_openrouter(struct source *s, const cJSON **models, size_t count, bool endpoints,
                          struct err *err)
{
    struct fetch *pages = xcalloc(count + 1, sizeof(*pages));
    struct str urls[PRICE_LIMIT_MAX];
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        urls[i] = sync_endpoints_url(models[i], &s->rows->arena);
        pages[i].url = mirrored(urls[i], &s->rows->arena);
    }
    if (s->o->provider_rows && endpoints)
        fetch_all(pages, count, &s->how);
    for (size_t i = 0; i < count; i++) {
        cJSON *tree =
            pages[i].error[0] || !pages[i].body.ptr ? NULL : json_parse(buf_str(&pages[i].body));

        if (rc == 0)
            rc = sync_add_openrouter(s->rows, s->o, models[i], tree, urls[i], s->today, err);
        cJSON_Delete(tree);
        buf_clear(&pages[i].body);
    }
    free(pages);
    return rc;
}

/* endpoints: ask OpenRouter for those of each model, too. */
static int add_router(struct source *s, struct str document, bool endpoints, struct err *err)
{
    const cJSON *models[PRICE_LIMIT_MAX];
    cJSON *list = document.len <= LIST_MAX ? json_parse(document) : NULL;
    size_t count;
    int rc = 0;

    if (!list)
        return err_set(err, ERR_INVALID,
                       document.len > LIST_MAX ? "The document is too large."
                                               : "The document is not JSON.");
    count = sync_models(list, s->o, models, PRICE_LIMIT_MAX);
    if (is_openrouter(s->o->source))
        rc = add_openrouter(s, models, count, endpoints, err);
    else
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = sync_add_huggingface(s->rows, s->o, models[i], s->today, err);
    cJSON_Delete(list);
    return rc;
}

/* ---- any source ---- */

int price_source_rows(struct sync_rows *rows, const struct sync_options *o,
                      const struct price_book *book, struct str document, struct str url,
                      const struct secret *key, const char *ca_file, struct err *err)
{
    char iso[CLOCK_ISO_SIZE];
    struct source s = {
        .rows = rows,
        .o = o,
        .book = book,
        .how = {.key = key,
                .ca_file = ca_file,
                .timeout_ms = FETCH_MS,
                .limit = is_router(o->source) ? LIST_MAX : IMPORT_DOCUMENT_MAX},
        .today = arena_dup(&rows->arena, str_cut(str_c(clock_iso(clock_wall_us(), iso)), 10)),
    };
    struct buf fetched = {0};
    bool live = !document.ptr && !url.ptr;
    int rc = 0;

    if (!price_source_ok(o->source))
        return err_set(err, ERR_INVALID,
                       "source must be huggingface-router, openrouter, catalog, "
                       "litellm or models.dev.");
    if (is_router(o->source) && !price_book_provider(book, o->source))
        return err_set(err, ERR_INVALID, "There is no provider %.*s.", STR_ARG(o->source));
    if (!document.ptr) {
        rc = fetch_document(&s, url, &fetched, err);
        document = buf_str(&fetched);
    }
    if (rc == 0)
        rc = is_router(o->source) ? add_router(&s, document, live, err)
                                  : price_import_rows(rows, o, book, document, s.today, err);
    buf_clear(&fetched);
    return rc;
}
