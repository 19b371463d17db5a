/* Prices of the routers and out of price files: previewed, and applied as they were previewed.
 *
 * Fetching takes its time, so one call at a time does it; what is written then are transactions of
 * their own. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "client/price_source.h"
#include "core/price_import.h"
#include "ops/body.h"
#include "ops/op_prices.h"
#include "ops/tables.h"
#include "store/store_prices.h"
#include "store/store_routing.h"
#include "store/store_sync.h"
#include "view/view_sync.h"
#include "json/json_scan.h"

#define BATCH 200
#define KEYS_MAX 20000
#define API_FIELDS_MAX ((size_t)4 << 20) /* of one field: many keys */

/* ---- options ---- */

/* A list of texts, or a text with commas and line ends between them. Returns how many are in out,
 * which is in arena. */
static size_t read_texts(const cJSON *value, struct arena *arena, const struct str **out)
{
    const cJSON *one;
    struct str *list = arena_alloc(arena, KEYS_MAX * sizeof(*list)), rest, part;
    size_t n = 0;

    *out = list;
    if (!list)
        return 0;
    if (cJSON_IsString(value)) {
        rest = arena_dup(arena, str_c(value->valuestring));
        for (size_t i = 0; i < rest.len; i++)
            if (rest.ptr[i] == '\n')
                ((char *)(uintptr_t)rest.ptr)[i] = ',';
        while (n < KEYS_MAX && str_split(&rest, ',', &part))
            if (str_trim(part).len > 0)
                list[n++] = str_trim(part);
    }
    if (!cJSON_IsArray(value))
        return n;
    cJSON_ArrayForEach(one, value)
    {
        part = cJSON_IsString(one) ? str_trim(str_c(one->valuestring)) : STR("");
        if (part.len > 0 && n < KEYS_MAX)
            list[n++] = arena_dup(arena, part);
    }
    return n;
}

static struct sync_options read_options(struct body *b, struct arena *arena)
{
    struct str source = str_trim(body_text(b, "source", NULL));
    const cJSON *providers = body_get(b, "providers");
    struct sync_options o;
    int64_t limit;

    if (source.len == 0)
        source = STR("huggingface-router");
    if (body_int(b, "limit", &limit) <= 0)
        limit = 0;
    o = (struct sync_options){
        .source = arena_dup(arena, source),
        .search = arena_dup(arena, str_trim(body_text(b, "search", NULL))),
        .limit = price_source_limit(source, limit),
        .base_rows = body_flag(b, "include_base_rows", true),
        .provider_rows = body_flag(b, "include_provider_rows", true),
        .create_providers = body_flag(b, "create_providers", false),
        .include_deprecated = body_flag(b, "include_deprecated", false),
    };
    o.provider_count =
        read_texts(providers ? providers : body_get(b, "provider"), arena, &o.providers);
    return o;
}

/* The fields of a body without "document", which may be large: no tree is made of it. */
static void read_body(struct body *b, struct call *call, struct str *document)
{
    struct str value;
    struct buf rest = {0};
    struct json_iter it;

    *document = STR_NONE;
    *b = (struct body){.fields = cJSON_CreateObject()};
    if (json_scan(call->input, &value) != JSON_OBJECT)
        return;
    if (!json_member(value, STR("document"), document)) {
        body_clear(b);
        body_json(b, call);
        return;
    }
    for (it = json_iter(value); json_next(&it);) {
        cJSON *item;

        if (str_eq(it.key, STR("document")) || it.key.len > 64 || it.value.len > API_FIELDS_MAX)
            continue;
        rest.len = 0;
        buf_put(&rest, it.key);
        item = json_parse(it.value);
        if (item)
            cJSON_AddItemToObject(b->fields, rest.ptr ? rest.ptr : "", item);
    }
    buf_clear(&rest);
    if (json_type_of(*document) == JSON_NULL)
        *document = STR_NONE;
}

/* ---- rows ---- */

/* What the source of o says, out of the document of the body (a value, or a text of one), or
 * fetched: one call at a time does that. */
static int read_rows(struct call *call, struct store *store, struct body *b, struct str document,
                     struct sync_preview *p, struct err *err)
{
    struct previews *previews = call->env->previews;
    struct str url = str_trim(body_text(b, "url", NULL));
    struct price_book *book = NULL;
    struct secret key = {0};
    struct provider provider;
    struct buf text = {.limit = IMPORT_DOCUMENT_MAX + 1};
    bool fetching = !document.ptr, keyed = false;
    int rc = -1;

    if (document.ptr && url.len > 0)
        return err_set(err, ERR_INVALID, "Give a document or its URL, not both.");
    if (document.ptr && json_type_of(document) == JSON_STRING) {
        if (json_string(document, &text, err) < 0)
            goto out;
        document = buf_str(&text);
    }
    if (store_price_book(store, &book, err) < 0)
        goto out;
    if (fetching &&
        store_provider_get(store, p->options.source, &p->rows.arena, &provider, err) == 0)
        keyed = provider.api_key_env.len > 0 && provider_key(provider.api_key_env, &key);
    if (fetching && atomic_exchange(&previews->fetching, true)) {
        err_set(err, ERR_BUSY, "Another catalogue is being fetched.");
        goto out;
    }
    rc = price_source_rows(&p->rows, &p->options, book, document, url.len > 0 ? url : STR_NONE,
                           keyed ? &key : NULL, call->env->config->upstream_ca_file, err);
    if (fetching)
        atomic_store(&previews->fetching, false);
out:
    secret_clear(&key);
    price_book_unref(book);
    buf_clear(&text);
    return rc;
}

/* ---- previews ---- */

/* The rows the body asks for. Returns owned; NULL: the call is answered. */
static struct sync_preview *make_preview(struct call *call, struct store *store, struct body *b,
                                         struct str document)
{
    struct sync_preview *p = xcalloc(1, sizeof(*p));
    struct err err;

    atomic_init(&p->refs, 1);
    p->options = read_options(b, &p->rows.arena);
    if (read_rows(call, store, b, document, p, &err) == 0)
        return p;
    call_error(call, &err);
    sync_preview_unref(p);
    return NULL;
}

static void run_preview(struct call *call, struct store *store)
{
    struct sync_preview *p;
    struct price_book *book;
    struct str document;
    struct body b;
    cJSON *tree;

    read_body(&b, call, &document);
    p = make_preview(call, store, &b, document);
    book = p ? op_book(call, store) : NULL;
    if (book) {
        sync_compare(&p->rows, book);
        tree = view_sync(&p->options, &p->rows, book);
        previews_remember(call->env->previews, p);
        json_put_text(tree, "preview_id", p->id);
        call_json(call, 200, tree);
    }
    price_book_unref(book);
    sync_preview_unref(p);
    body_clear(&b);
}

/* ---- applying ---- */

/* Mark the rows that keys name. False when keys are not among the rows: the call is answered. */
static bool choose(struct call *call, struct sync_rows *rows, const struct str *keys, size_t count)
{
    struct str *copy = xcalloc(count + 1, sizeof(*copy));
    size_t missing;
    cJSON *o, *list;

    memcpy(copy, keys, count * sizeof(*copy));
    missing = sync_choose(rows, copy, count);
    if (missing > 0) {
        o = cJSON_CreateObject();
        json_put_text(o, "detail", "Some of the selected prices are not in the catalogue.");
        list = cJSON_AddArrayToObject(o, "missing_keys");
        for (size_t i = 0; i < missing; i++)
            json_add_str(list, copy[i]);
        call_json(call, 400, o);
    }
    free(copy);
    return missing == 0;
}

struct apply {
    struct sync_rows *rows;
    struct sync_result result;
    struct backfill backfill;
    bool more;
};

static int store_rows(void *arg, struct store *store, struct err *err)
{
    struct apply *a = arg;

    return store_sync_apply(store, a->rows, &a->result, err);
}

static int backfill_some(void *arg, struct store *store, struct err *err)
{
    struct apply *a = arg;
    struct price_book *book;
    int rc = store_price_book(store, &book, err);

    if (rc < 0)
        return -1;
    rc = store_backfill(store, book, &a->backfill, BATCH, &a->more, err);
    price_book_unref(book);
    return rc;
}

static int run_all(const struct call_env *env, struct apply *a, bool reprice, struct err *err)
{
    int rc = env->transact(env->ctx, store_rows, a, err);

    a->more = reprice;
    while (rc == 0 && a->more)
        rc = env->transact(env->ctx, backfill_some, a, err);
    return rc;
}

static void answer_applied(struct call *call, struct apply *a, struct store *store,
                           const struct sync_options *options)
{
    struct price_book *book = op_book(call, store);

    if (!book)
        return;
    sync_compare(a->rows, book);
    call_json(call, 200,
              view_sync_applied(&a->result, a->backfill.repriced, options, a->rows, book));
    price_book_unref(book);
}

static void apply(struct call *call, struct store *store, struct body *b,
                  const struct sync_preview *p, const struct str *keys, size_t count)
{
    /* Others may apply the same preview: statuses and choice are this call's own. */
    struct sync_rows rows = p->rows;
    struct apply a = {.rows = &rows, .backfill = {.kind = BACKFILL_MISSING}};
    struct err err;

    rows.arena = (struct arena){0};
    rows.rows = xcalloc(p->rows.count + 1, sizeof(*rows.rows));
    if (rows.count)
        memcpy(rows.rows, p->rows.rows, rows.count * sizeof(*rows.rows));
    if (choose(call, &rows, keys, count)) {
        if (run_all(call->env, &a, body_flag(b, "reprice_missing", true), &err) < 0)
            call_error(call, &err);
        else
            answer_applied(call, &a, store, &p->options);
        buf_clear(&a.result.warnings);
    }
    sync_clear(&rows);
}

static void run_apply(struct call *call, struct store *store)
{
    struct sync_preview *p = NULL;
    const struct str *keys;
    struct str id, document;
    struct body b;
    size_t count;

    read_body(&b, call, &document);
    count = read_texts(body_get(&b, "keys") ? body_get(&b, "keys") : body_get(&b, "selected_keys"),
                       &b.arena, &keys);
    id = str_trim(body_text(&b, "preview_id", NULL));
    if (count == 0) {
        call_detail(call, 400, "Select at least one price.");
    } else if (id.len > 0) {
        p = previews_recall(call->env->previews, id);
        if (!p)
            call_detail(call, 400, "This preview is too old; make a new one.");
    } else {
        p = make_preview(call, store, &b, document);
    }
    if (p)
        apply(call, store, &b, p, keys, count);
    sync_preview_unref(p);
    body_clear(&b);
}

static void run_export(struct call *call, struct store *store)
{
    struct arena arena = {0};
    struct provider *providers;
    struct price_book *book = op_book(call, store);
    size_t count;
    struct err err;

    if (book && store_providers(store, &arena, &providers, &count, &err) < 0)
        call_error(call, &err);
    else if (book)
        call_json(call, 200, view_catalog_export(book, providers, count));
    price_book_unref(book);
    arena_clear(&arena);
}

const struct call_route op_catalog_routes[] = {
    {"POST", OP_PRICE_FILES "preview", run_preview, NULL, NULL},
    {"POST", OP_PRICE_FILES "apply", run_apply, NULL, NULL},
    {"GET", OP_PRICE_FILES "export", run_export, NULL, NULL},
    {0},
};
