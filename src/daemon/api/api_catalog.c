/* Today's prices of the routers: fetched, previewed, and applied as they were previewed.
 *
 * Fetching takes its time, so one call at a time does it, on a reader thread; writing is a job of
 * the writer thread that the call waits for. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "client/fetch.h"
#include "core/price_json.h"
#include "daemon/api/api_body.h"
#include "daemon/api/api_prices.h"
#include "store/store_prices.h"
#include "store/store_routing.h"
#include "view/view_sync.h"

#define LIMIT_DEFAULT 25
#define LIMIT_MAX 100
#define FETCH_MS 30000
#define DOCUMENT_MAX ((size_t)32 << 20)
#define BATCH 200
#define KEYS_MAX 10000

/* ---- options ---- */

static int64_t read_limit(const struct body *b)
{
    int64_t limit;

    if (body_int(b, "limit", &limit) <= 0 || limit == 0)
        return LIMIT_DEFAULT;
    return limit < 1 ? 1 : limit > LIMIT_MAX ? LIMIT_MAX : limit;
}

static struct sync_options read_options(struct body *b, struct arena *arena)
{
    struct str source = str_trim(body_text(b, "source", NULL));

    return (struct sync_options){
        .source = arena_dup(arena, source.len > 0 ? source : STR("huggingface-router")),
        .search = arena_dup(arena, str_trim(body_text(b, "search", NULL))),
        .limit = read_limit(b),
        .base_rows = body_flag(b, "include_base_rows", true),
        .provider_rows = body_flag(b, "include_provider_rows", true),
    };
}

static bool is_openrouter(const struct sync_options *o)
{
    return str_eq(o->source, STR("openrouter"));
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

static cJSON *fetch_list(const struct sync_options *o, const struct fetch_options *how,
                         struct arena *arena, struct err *err)
{
    struct str url = is_openrouter(o) ? STR(SYNC_OPENROUTER_URL) : STR(SYNC_HUGGINGFACE_URL);
    struct fetch f = {.url = mirrored(url, arena)};
    cJSON *tree = NULL;

    fetch_all(&f, 1, how);
    if (f.error[0])
        err_set(err, ERR_INVALID, "Could not fetch %.*s: %s.", STR_ARG(f.url), f.error);
    else if (!(tree = json_parse(buf_str(&f.body))))
        err_set(err, ERR_INVALID, "Could not read %.*s: it is not JSON.", STR_ARG(f.url));
    buf_clear(&f.body);
    return tree;
}

static int add_openrouter(struct sync_preview *p, const cJSON **models, size_t count,
                          const struct fetch_options *how, struct str today, struct err *err)
{
    struct fetch *pages = xcalloc(count + 1, sizeof(*pages));
    struct str urls[LIMIT_MAX];
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        urls[i] = sync_endpoints_url(models[i], &p->rows.arena);
        pages[i].url = mirrored(urls[i], &p->rows.arena);
    }
    if (p->options.provider_rows)
        fetch_all(pages, count, how);
    for (size_t i = 0; i < count; i++) {
        cJSON *tree =
            pages[i].error[0] || !pages[i].body.ptr ? NULL : json_parse(buf_str(&pages[i].body));

        if (rc == 0)
            rc = sync_add_openrouter(&p->rows, &p->options, models[i], tree, urls[i], today, err);
        cJSON_Delete(tree);
        buf_clear(&pages[i].body);
    }
    free(pages);
    return rc;
}

static int add_rows(struct sync_preview *p, const struct fetch_options *how, struct err *err)
{
    const cJSON *models[LIMIT_MAX];
    char iso[CLOCK_ISO_SIZE];
    struct str today =
        arena_dup(&p->rows.arena, str_cut(str_c(clock_iso(clock_wall_us(), iso)), 10));
    cJSON *list = fetch_list(&p->options, how, &p->rows.arena, err);
    size_t count;
    int rc = list ? 0 : -1;

    count = list ? sync_models(list, &p->options, models, LIMIT_MAX) : 0;
    if (is_openrouter(&p->options))
        rc = rc < 0 ? rc : add_openrouter(p, models, count, how, today, err);
    else
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = sync_add_huggingface(&p->rows, &p->options, models[i], today, err);
    cJSON_Delete(list);
    return rc;
}

static int fetch_rows(struct api_call *call, struct store *store, struct sync_preview *p,
                      struct err *err)
{
    struct app *app = call->worker->app;
    struct fetch_options how = {
        .timeout_ms = FETCH_MS, .limit = DOCUMENT_MAX, .ca_file = app->config->upstream_ca_file};
    struct secret key = {0};
    struct provider provider;
    int rc;

    if (!is_openrouter(&p->options) && !str_eq(p->options.source, STR("huggingface-router")))
        return err_set(err, ERR_INVALID, "source must be huggingface-router or openrouter.");
    if (store_provider_get(store, p->options.source, &p->rows.arena, &provider, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            err_set(err, ERR_INVALID, "There is no provider %.*s.", STR_ARG(p->options.source));
        return -1;
    }
    if (atomic_exchange(&app->syncing, true))
        return err_set(err, ERR_BUSY, "Another catalogue is being fetched.");
    if (provider.api_key_env.len > 0 && provider_key(provider.api_key_env, &key))
        how.key = &key;
    rc = add_rows(p, &how, err);
    secret_clear(&key);
    atomic_store(&app->syncing, false);
    return rc;
}

/* ---- previews ---- */

static void remember(struct app *app, struct sync_preview *p)
{
    struct sync_preview **slot;

    pthread_mutex_lock(&app->previews_lock);
    slot = &app->previews[app->next_preview % SYNC_PREVIEWS];
    snprintf(p->id, sizeof(p->id), "%.8s-%u", app->instance, app->next_preview++);
    p->made_us = clock_now_us();
    sync_preview_unref(*slot);
    atomic_fetch_add(&p->refs, 1);
    *slot = p;
    pthread_mutex_unlock(&app->previews_lock);
}

/* A reference; NULL when there is none of that id, or no longer. */
static struct sync_preview *recall(struct app *app, struct str id)
{
    struct sync_preview *found = NULL;

    pthread_mutex_lock(&app->previews_lock);
    for (size_t i = 0; i < SYNC_PREVIEWS; i++) {
        struct sync_preview *p = app->previews[i];

        if (p && str_eq(str_c(p->id), id) && clock_now_us() - p->made_us < SYNC_PREVIEW_US)
            found = p;
    }
    if (found)
        atomic_fetch_add(&found->refs, 1);
    pthread_mutex_unlock(&app->previews_lock);
    return found;
}

/* The rows the body asks for, fetched. Returns owned; NULL: the call is answered. */
static struct sync_preview *make_preview(struct api_call *call, struct store *store, struct body *b)
{
    struct sync_preview *p = xcalloc(1, sizeof(*p));
    struct err err;

    atomic_init(&p->refs, 1);
    p->options = read_options(b, &p->rows.arena);
    if (fetch_rows(call, store, p, &err) == 0)
        return p;
    api_error(call, &err);
    sync_preview_unref(p);
    return NULL;
}

static void run_preview(struct api_call *call, struct store *store)
{
    struct sync_preview *p;
    struct price_book *book;
    struct body b;
    cJSON *tree;

    body_json(&b, call);
    p = make_preview(call, store, &b);
    book = p ? api_book(call, store) : NULL;
    if (book) {
        sync_compare(&p->rows, book);
        remember(call->worker->app, p);
        tree = view_sync(&p->options, &p->rows);
        json_put_text(tree, "preview_id", p->id);
        api_json(call, 200, tree);
    }
    price_book_unref(book);
    sync_preview_unref(p);
    body_clear(&b);
}

/* ---- applying ---- */

struct keys {
    struct str *list;
    size_t count;
};

static void add_key(struct keys *k, struct str key)
{
    key = str_trim(key);
    for (size_t i = 0; i < k->count; i++) {
        if (str_eq(k->list[i], key))
            return;
    }
    if (key.len > 0 && k->count < KEYS_MAX)
        k->list[k->count++] = key;
}

static void split_keys(struct keys *k, struct str text)
{
    size_t start = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ',' && text.ptr[i] != '\n')
            continue;
        add_key(k, str_cut(str_from(text, start), i - start));
        start = i + 1;
    }
}

static void read_keys(struct keys *k, const struct body *b)
{
    const cJSON *list = body_get(b, "keys"), *one;

    if (!list)
        list = body_get(b, "selected_keys");
    k->list = xcalloc(KEYS_MAX, sizeof(*k->list));
    if (cJSON_IsString(list))
        split_keys(k, str_c(list->valuestring));
    if (!cJSON_IsArray(list))
        return;
    cJSON_ArrayForEach(one, list)
    {
        if (cJSON_IsString(one))
            add_key(k, str_c(one->valuestring));
    }
}

static const struct sync_row *find_row(const struct sync_rows *rows, struct str key)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (str_eq(rows->rows[i].key, key))
            return &rows->rows[i];
    }
    return NULL;
}

/* False when keys are not among the rows: the call is answered. */
static bool all_there(struct api_call *call, const struct sync_rows *rows, const struct keys *k)
{
    cJSON *o = cJSON_CreateObject(), *missing;

    json_put_text(o, "detail", "Some of the selected prices are not in the catalogue.");
    missing = cJSON_AddArrayToObject(o, "missing_keys");
    for (size_t i = 0; i < k->count; i++) {
        if (!find_row(rows, k->list[i]))
            json_add_str(missing, k->list[i]);
    }
    if (cJSON_GetArraySize(missing) == 0) {
        cJSON_Delete(o);
        return true;
    }
    api_json(call, 400, o);
    return false;
}

/* What the writer thread does while the call waits. */
struct apply {
    struct recorder_job job;
    struct app *app;
    const struct sync_rows *rows;
    const struct keys *keys;
    struct backfill backfill;
    bool backfilling, more;
    int64_t counts[3];   /* by status before */
    struct buf warnings; /* JSON texts, separated by commas */
    struct err err;
    int rc;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
};

static void warn_tiers(struct apply *a, const struct sync_row *row, const struct price *p)
{
    struct buf text = {0};

    if (p->tier_count == 0)
        return;
    buf_printf(&text, "%.*s has tiers, which still take precedence over the new rates.",
               STR_ARG(row->key));
    buf_put(&a->warnings, a->warnings.len ? STR(",") : STR(""));
    json_quote(&a->warnings, buf_str(&text));
    buf_clear(&text);
}

static int write_row(struct apply *a, struct store *store, const struct price_book *book,
                     const struct sync_row *row)
{
    struct price p = sync_price(row, book);
    const struct price *stored = price_book_get(book, p.provider_slug, p.model);
    char digest[PRICE_DIGEST_SIZE];

    a->counts[row->status]++;
    p.active = true;
    p.id = stored ? stored->id : 0;
    p.sync_digest = str_c(price_digest(&p, digest));
    warn_tiers(a, row, &p);
    if (price_check(&p, &a->err) < 0)
        return -1;
    return store_price_put(store, &p, false, &a->err);
}

static int write_rows(struct apply *a, struct store *store)
{
    struct price_book *book;
    int rc = store_price_book(store, &book, &a->err);

    if (rc < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < a->keys->count; i++)
        rc = write_row(a, store, book, find_row(a->rows, a->keys->list[i]));
    price_book_unref(book);
    return rc;
}

static int backfill_step(struct apply *a, struct store *store)
{
    struct price_book *book;
    int rc = store_price_book(store, &book, &a->err);

    if (rc < 0)
        return -1;
    rc = store_backfill(store, book, &a->backfill, BATCH, &a->more, &a->err);
    price_book_unref(book);
    return rc;
}

static void on_writer(struct recorder_job *job, struct store *store)
{
    struct apply *a = LIST_ENTRY(job, struct apply, job);

    if (!store) {
        a->rc = err_set(&a->err, ERR_BUSY, "The database cannot be opened.");
    } else if (store_begin(store, &a->err) < 0) {
        a->rc = -1;
    } else {
        a->rc = a->backfilling ? backfill_step(a, store) : write_rows(a, store);
        if (a->rc == 0)
            a->rc = store_commit(store, &a->err);
        if (a->rc < 0)
            store_rollback(store);
        else if (app_reload(a->app, store, &a->err) < 0)
            log_error("cannot put the saved configuration in force: %s", a->err.msg);
    }
    pthread_mutex_lock(&a->lock);
    a->done = true;
    pthread_cond_signal(&a->over);
    pthread_mutex_unlock(&a->lock);
}

/* Run one step on the writer thread and wait for it. */
static int run_step(struct apply *a)
{
    a->done = false;
    a->job = (struct recorder_job){.run = on_writer};
    if (!recorder_submit(a->app->recorder, &a->job))
        return err_set(&a->err, ERR_BUSY, "The proxy is stopping.");
    pthread_mutex_lock(&a->lock);
    while (!a->done)
        pthread_cond_wait(&a->over, &a->lock);
    pthread_mutex_unlock(&a->lock);
    return a->rc;
}

static int run_all(struct apply *a, bool reprice)
{
    int rc = run_step(a);

    a->backfilling = true;
    a->more = reprice;
    while (rc == 0 && a->more)
        rc = run_step(a);
    return rc;
}

static void answer_applied(struct api_call *call, struct apply *a, struct store *store,
                           const struct sync_options *options, struct sync_rows *rows)
{
    struct price_book *book = api_book(call, store);
    struct buf warnings = {0};
    cJSON *o;

    if (!book)
        return;
    sync_compare(rows, book);
    o = cJSON_CreateObject();
    buf_printf(&warnings, "[%s]", a->warnings.ptr ? a->warnings.ptr : "");
    json_put_int(o, "applied", (int64_t)a->keys->count);
    json_put_int(o, "created", a->counts[SYNC_NEW]);
    json_put_int(o, "updated", a->counts[SYNC_UPDATE]);
    json_put_int(o, "unchanged", a->counts[SYNC_UNCHANGED]);
    json_put_int(o, "repriced_missing", a->backfill.repriced);
    json_put_raw(o, "warnings", warnings.ptr);
    cJSON_AddItemToObject(o, "preview", view_sync(options, rows));
    api_json(call, 200, o);
    buf_clear(&warnings);
    price_book_unref(book);
}

static void apply(struct api_call *call, struct store *store, struct body *b,
                  const struct sync_preview *p, const struct keys *k)
{
    /* Others may apply the same preview: the comparison is this call's own. */
    struct sync_rows rows = {.rows = xcalloc(p->rows.count + 1, sizeof(*rows.rows)),
                             .count = p->rows.count};
    struct apply a = {
        .app = call->worker->app, .rows = &rows, .keys = k, .backfill = {.kind = BACKFILL_MISSING}};
    struct price_book *book = api_book(call, store);

    if (!book)
        goto out;
    memcpy(rows.rows, p->rows.rows, rows.count * sizeof(*rows.rows));
    sync_compare(&rows, book);
    price_book_unref(book);
    pthread_mutex_init(&a.lock, NULL);
    pthread_cond_init(&a.over, NULL);
    if (run_all(&a, body_flag(b, "reprice_missing", true)) < 0)
        api_error(call, &a.err);
    else
        answer_applied(call, &a, store, &p->options, &rows);
    pthread_cond_destroy(&a.over);
    pthread_mutex_destroy(&a.lock);
    buf_clear(&a.warnings);
out:
    sync_clear(&rows);
}

static void run_apply(struct api_call *call, struct store *store)
{
    struct sync_preview *p = NULL;
    struct keys keys = {0};
    struct body b;
    struct str id;

    body_json(&b, call);
    read_keys(&keys, &b);
    id = str_trim(body_text(&b, "preview_id", NULL));
    if (keys.count == 0) {
        api_detail(call, 400, "Select at least one price.");
    } else if (id.len > 0) {
        p = recall(call->worker->app, id);
        if (!p)
            api_detail(call, 400, "This preview is too old; make a new one.");
    } else {
        p = make_preview(call, store, &b);
    }
    if (p && all_there(call, &p->rows, &keys))
        apply(call, store, &b, p, &keys);
    sync_preview_unref(p);
    free(keys.list);
    body_clear(&b);
}

const struct api_route api_catalog_routes[] = {
    {"POST", "/admin/api/pricing/catalog/preview", run_preview, NULL, NULL},
    {"POST", "/admin/api/pricing/catalog/apply", run_apply, NULL, NULL},
    {0},
};
