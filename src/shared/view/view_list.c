/* GET /api/requests: from a query string to the JSON text. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/query.h"
#include "base/xalloc.h"
#include "core/search.h"
#include "view/display.h"
#include "view/params.h"
#include "view/view_filter.h"
#include "view/view_priv.h"
#include "view/view_run.h"
#include "json/json.h"

#define PER_PAGE 50
#define PER_PAGE_MAX 200
#define PAGE_WINDOW 2
#define SEARCH_OFF "Full-text search is off: set search_index to true."

/* What a client asked for. */
struct ask {
    const struct param *params;
    struct str query;
    struct record_filter filter;
    int64_t page, per_page;
    bool facets, by_page; /* by_page: neither after nor before */
    struct buf texts[6];  /* what filter borrows */
    struct str q;         /* as typed; STR_NONE: no search */
    struct buf words;     /* what filter borrows of it */
    struct store_search search;
    size_t text_count;
    struct filter *where; /* NULL: none */
    struct str where_text;
    struct buf issues; /* the answer to a query that does not fit */
    int refusal;       /* its status */
};

const struct param view_record_params[] = {
    {"q", PARAM_TEXT,
     .about = "Words in requests and answers, all of them: word, \"a phrase\", start*, -unwanted. "
              "Without a word, too long or with the index off: 422 with a message as detail"},
    PARAM_WHERE,
    {"endpoint", PARAM_TEXT, .about = "Part of the endpoint, in any case"},
    {"model", PARAM_TEXT, .about = "The model that the client named"},
    {"provider", PARAM_TEXT, .about = "Slug or name of the billing provider"},
    {"route", PARAM_TEXT, .about = "The route pattern that matched"},
    {"status", PARAM_FILTER,
     .about = "Status of the answer. Other text gives 422 with a message as detail"},
    {"run", PARAM_FILTER, .about = "Id of a run. Other text gives 422 with a message as detail"},
    {"stream", PARAM_FLAG, .about = "1: streams only"},
    {"image", PARAM_FLAG, .about = "1: only requests that carry images"},
    {"tool", PARAM_FLAG, .about = "1: only what has to do with tools"},
    {"error", PARAM_FLAG, .about = "1: only what failed"},
    {"slow", PARAM_FLAG, .about = "1: only what took 10 s or longer"},
    {"large", PARAM_FLAG, .about = "1: only what has 10,000 tokens or more"},
    PARAM_PAGES(PER_PAGE, PER_PAGE_MAX),
    {"after", PARAM_INT, .most = INT64_MAX, .about = "Only ids above; 0: all. In place of page"},
    {"before", PARAM_INT, .most = INT64_MAX, .about = "Only ids below; 0: all. In place of page"},
    {"facets", PARAM_TEXT, .choices = "1|0",
     .about = "0 leaves out stats and the lists of models, endpoints, providers, routes and runs"},
    {0},
};

const struct param view_run_page_params[] = {PARAM_PAGES(PER_PAGE, PER_PAGE_MAX), {0}};

static void ask_clear(struct ask *ask)
{
    for (size_t i = 0; i < ask->text_count; i++)
        buf_clear(&ask->texts[i]);
    buf_clear(&ask->issues);
    buf_clear(&ask->words);
    filter_free(ask->where);
}

/* The last value of name, kept in the ask; STR_NONE when it is absent or empty. */
static struct str take_text(struct ask *ask, const char *name)
{
    struct buf *text = &ask->texts[ask->text_count];

    if (!param_text(ask->params, ask->query, name, text) || text->len == 0) {
        buf_clear(text);
        return STR_NONE;
    }
    ask->text_count++;
    return buf_str(text);
}

static bool take_flag(const struct ask *ask, const char *name)
{
    return param_flag(ask->params, ask->query, name);
}

static int64_t take_int(const struct ask *ask, const char *name)
{
    return param_int(ask->params, ask->query, name);
}

/* status and run: trimmed, empty means no filter, a message instead of an issue. */
static bool take_filter(struct ask *ask, const char *name, int64_t *out)
{
    struct buf text = {0};
    bool has = false;

    if (param_text(ask->params, ask->query, name, &text)) {
        struct str value = str_trim(buf_str(&text));

        has = value.len > 0 && str_int64(value, out);
        if (value.len > 0 && !has && ask->issues.len == 0)
            buf_printf(&ask->issues, "{\"detail\":\"%s must be an integer\"}", name);
    }
    buf_clear(&text);
    return has;
}

/* False: the query does not fit, and issues tell why. */
static bool ask_page(struct ask *ask, const struct param *params, struct str query)
{
    ask->params = params;
    ask->query = query;
    if (!params_check(params, query, &ask->issues))
        return false;
    ask->page = take_int(ask, "page");
    ask->per_page = take_int(ask, "per_page");
    return true;
}

static void refuse(struct ask *ask, const char *why)
{
    cJSON *o = cJSON_CreateObject();
    struct err err;

    json_put_text(o, "detail", why);
    view_answer(o, &ask->issues, &err);
}

static void take_words(struct ask *ask)
{
    struct err err;

    ask->q = take_text(ask, "q");
    if (str_trim(ask->q).len == 0)
        ask->q = STR_NONE;
    else if (search_query(ask->q, SEARCH_ALL, &ask->words, &err) < 0)
        refuse(ask, err.msg);
    else
        ask->filter.words = buf_str(&ask->words);
}

static void take_where(struct ask *ask, int64_t now_wall_us)
{
    ask->where = view_filter_read(ask->query, FILTER_STORED, now_wall_us, &ask->issues);
    if (ask->issues.len > 0)
        ask->refusal = 400;
    ask->where_text = take_text(ask, "where");
    ask->filter.where = ask->where;
}

static void ask_parse(struct ask *ask, struct str query, int64_t now_wall_us)
{
    struct record_filter *f = &ask->filter;
    struct buf facets = {0};

    if (!ask_page(ask, view_record_params, query))
        return;
    f->endpoint = take_text(ask, "endpoint");
    f->model = take_text(ask, "model");
    f->provider = take_text(ask, "provider");
    f->route = take_text(ask, "route");
    f->has_status = take_filter(ask, "status", &f->status);
    f->has_run = take_filter(ask, "run", &f->run);
    if (ask->issues.len == 0)
        take_words(ask);
    if (ask->issues.len == 0)
        take_where(ask, now_wall_us);
    f->stream = take_flag(ask, "stream");
    f->image = take_flag(ask, "image");
    f->tool = take_flag(ask, "tool");
    f->error = take_flag(ask, "error");
    f->slow = take_flag(ask, "slow");
    f->large = take_flag(ask, "large");
    f->after_id = take_int(ask, "after");
    f->before_id = take_int(ask, "before");
    ask->by_page = f->after_id == 0 && f->before_id == 0;
    ask->facets =
        !param_text(ask->params, query, "facets", &facets) || !str_eq(buf_str(&facets), STR("0"));
    buf_clear(&facets);
}

int view_answer(cJSON *tree, struct buf *out, struct err *err)
{
    size_t before = out->len;
    bool ok = json_print(out, tree);

    cJSON_Delete(tree);
    if (ok)
        return 0;
    out->len = before;
    return err_set(err, ERR_NO_MEMORY, "no memory for an answer");
}

int view_answer_text(const char *text, struct buf *out, struct err *err)
{
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "detail", text);
    return view_answer(o, out, err);
}

/* ---- runs and context ---- */

int view_put_task_run(cJSON *row, struct store *store, const struct record *r, int64_t now_wall_us,
                      struct err *err)
{
    struct arena arena = {0};
    struct run run;
    int rc = 0;

    if (r->task_run_id == UNKNOWN)
        return 0;
    if (store_run_get(store, r->task_run_id, &arena, &run, err) == 0)
        cJSON_ReplaceItemInObjectCaseSensitive(row, "task_run",
                                               view_run_summary(&run, now_wall_us));
    else if (err->code != ERR_NOT_FOUND)
        rc = -1;
    arena_clear(&arena);
    return rc;
}

int view_put_active_run(cJSON *o, struct store *store, const struct view_context *ctx,
                        struct err *err)
{
    struct arena arena = {0};
    struct run run;
    int rc = -1;

    if (store_run_active(store, &arena, &run, err) == 0) {
        rc = store_run_count(store, run.id, &run.request_count, err);
        if (rc == 0)
            cJSON_AddItemToObject(o, "active_run", view_run_summary(&run, ctx->now_wall_us));
    } else if (err->code == ERR_NOT_FOUND) {
        json_put_null(o, "active_run");
        rc = 0;
    }
    arena_clear(&arena);
    return rc;
}

int view_put_upstream(cJSON *o, struct store *store, const struct view_context *ctx,
                      struct err *err)
{
    char *saved;

    if (store_setting_get(store, STR("upstream_url"), &saved, err) < 0)
        return -1;
    json_put_str(o, "upstream_url", saved && *saved ? str_c(saved) : ctx->upstream_url);
    json_put_int(o, "poll_interval_ms", VIEW_POLL_MS);
    free(saved);
    return 0;
}

/* ---- list ---- */

struct listing {
    struct store *store;
    cJSON *items;
    bool backwards;
    int64_t now_wall_us;
    struct marker *marker; /* NULL: no snippets */
};

static int add_item(void *ctx, const struct record *r, struct err *err)
{
    struct listing *l = ctx;
    cJSON *row = view_record_row(r, l->now_wall_us);

    if (l->backwards)
        cJSON_InsertItemInArray(l->items, 0, row);
    else
        cJSON_AddItemToArray(l->items, row);
    if (l->marker && view_put_snippet(row, l->store, r->id, l->marker, err) < 0)
        return -1;
    return view_put_task_run(row, l->store, r, l->now_wall_us, err);
}

static void add_value(void *ctx, struct str value, struct str label, int64_t count)
{
    (void)label;
    (void)count;
    json_add_str(ctx, value);
}

static void add_provider(void *ctx, struct str value, struct str label, int64_t count)
{
    cJSON *options = ctx, *option, *known;

    (void)count;
    cJSON_ArrayForEach(known, options)
    {
        if (str_eq(str_c(cJSON_GetObjectItemCaseSensitive(known, "value")->valuestring), value))
            return;
    }
    option = cJSON_CreateObject();
    json_put_str(option, "value", value);
    json_put_str(option, "label", label);
    cJSON_AddItemToArray(options, option);
}

struct run_list {
    cJSON *array;
    int64_t now_wall_us;
};

static void add_run(void *ctx, const struct run *run)
{
    struct run_list *l = ctx;

    cJSON_AddItemToArray(l->array, view_run_summary(run, l->now_wall_us));
}

static void put_filter_text(cJSON *o, const char *key, struct str value)
{
    json_put_str(o, key, value.ptr ? value : STR(""));
}

static void put_filter_int(cJSON *o, const char *key, bool has, int64_t value)
{
    if (has)
        json_put_int(o, key, value);
    else
        json_put_text(o, key, "");
}

static void put_filters(cJSON *o, const struct ask *ask)
{
    const struct record_filter *f = &ask->filter;
    cJSON *filters = cJSON_AddObjectToObject(o, "filters");

    put_filter_text(filters, "q", ask->q);
    put_filter_text(filters, "where", ask->where_text);
    put_filter_text(filters, "endpoint", f->endpoint);
    put_filter_text(filters, "model", f->model);
    put_filter_text(filters, "provider", f->provider);
    put_filter_text(filters, "route", f->route);
    put_filter_int(filters, "status", f->has_status, f->status);
    put_filter_int(filters, "run", f->has_run, f->run);
    json_put_bool(filters, "stream", f->stream);
    json_put_bool(filters, "image", f->image);
    json_put_bool(filters, "tool", f->tool);
    json_put_bool(filters, "error", f->error);
    json_put_bool(filters, "slow", f->slow);
    json_put_bool(filters, "large", f->large);
    json_put_int(filters, "page", ask->page);
    json_put_int(filters, "per_page", ask->per_page);
}

/* How far a search looked. */
static void put_search(cJSON *o, const struct ask *ask)
{
    if (ask->q.ptr)
        json_put_int(cJSON_AddObjectToObject(o, "search"), "pending", ask->search.pending);
}

static void put_stat(cJSON *stats, const char *key, int64_t value)
{
    cJSON *stat = cJSON_AddObjectToObject(stats, key);

    json_put_int(stat, "value", value);
    view_put_compact(stat, "display", value);
}

static int put_stats(cJSON *o, struct store *store, struct err *err)
{
    struct store_counters c;
    cJSON *stats = cJSON_AddObjectToObject(o, "stats");

    if (store_counters(store, &c, err) < 0)
        return -1;
    put_stat(stats, "total", c.total);
    put_stat(stats, "streams", c.streams);
    put_stat(stats, "images", c.images);
    put_stat(stats, "tools", c.tools);
    put_stat(stats, "errors", c.errors);
    put_stat(stats, "slow", c.slow);
    put_stat(stats, "large", c.large);
    return 0;
}

static int put_options(cJSON *o, struct store *store, int64_t now_wall_us, struct err *err)
{
    cJSON *providers = cJSON_AddArrayToObject(o, "provider_options");
    cJSON *routes = cJSON_AddArrayToObject(o, "route_options");
    struct run_list runs = {cJSON_AddArrayToObject(o, "run_options"), now_wall_us};

    if (store_facets(store, FACET_PROVIDER, add_provider, providers, err) < 0 ||
        store_facets(store, FACET_ROUTE, add_value, routes, err) < 0)
        return -1;
    return store_runs(store, add_run, &runs, err);
}

/* ---- pagination ---- */

struct pages {
    struct str path, kept; /* kept: the received pairs without page and per_page, encoded */
    int64_t page, per_page, total, total_pages, start, end;
    bool linked;        /* pages are numbered: false with after or before */
    int64_t counted_to; /* a total that reaches it is a minimum; 0: none is */
};

static void keep_pairs(struct buf *out, struct str query)
{
    struct str name, value;
    struct buf text = {0};
    struct err err;

    while (query_next(&query, &name, &value)) {
        text.len = 0;
        if (query_decode(&text, name, true, &err) < 0)
            break;
        if (str_eq(buf_str(&text), STR("page")) || str_eq(buf_str(&text), STR("per_page")))
            continue;
        query_encode(out, buf_str(&text));
        buf_put(out, STR("="));
        text.len = 0;
        if (query_decode(&text, value, true, &err) < 0)
            break;
        query_encode(out, buf_str(&text));
        buf_put(out, STR("&"));
    }
    buf_clear(&text);
}

static void put_link(cJSON *o, const char *key, const struct pages *p, int64_t page, bool exists)
{
    struct buf link = {0};

    if (exists) {
        buf_put(&link, p->path);
        buf_put(&link, STR("?"));
        buf_put(&link, p->kept);
        buf_printf(&link, "per_page=%" PRId64 "&page=%" PRId64, p->per_page, page);
        json_put_str(o, key, buf_str(&link));
    } else {
        json_put_null(o, key);
    }
    buf_clear(&link);
}

static void put_pagination(cJSON *o, const struct pages *p)
{
    cJSON *pagination = cJSON_AddObjectToObject(o, "pagination"), *window, *display;
    int64_t first = p->page > PAGE_WINDOW ? p->page - PAGE_WINDOW : 1;

    json_put_int(pagination, "page", p->page);
    json_put_int(pagination, "per_page", p->per_page);
    json_put_int(pagination, "total", p->total);
    if (p->counted_to)
        json_put_bool(pagination, "total_is_minimum", p->total >= p->counted_to);
    json_put_int(pagination, "total_pages", p->total_pages);
    json_put_int(pagination, "start", p->start);
    json_put_int(pagination, "end", p->end);
    json_put_bool(pagination, "has_previous", p->page > 1);
    json_put_bool(pagination, "has_next", p->page < p->total_pages);
    put_link(pagination, "previous_url", p, p->page - 1, p->linked && p->page > 1);
    put_link(pagination, "next_url", p, p->page + 1, p->linked && p->page < p->total_pages);
    window = cJSON_AddArrayToObject(pagination, "pages");
    for (int64_t n = first; p->linked && n <= p->total_pages && n <= p->page + PAGE_WINDOW; n++) {
        cJSON *page = cJSON_CreateObject();

        json_put_int(page, "number", n);
        put_link(page, "url", p, n, true);
        json_put_bool(page, "current", n == p->page);
        cJSON_AddItemToArray(window, page);
    }
    display = cJSON_AddObjectToObject(pagination, "display");
    view_put_compact(display, "start", p->start);
    view_put_compact(display, "end", p->end);
    view_put_compact(display, "total", p->total);
}

/* Where the page lies; one past the end becomes the last one. */
static void find_page(struct ask *ask, struct pages *p)
{
    p->linked = ask->by_page;
    p->per_page = ask->per_page;
    p->total_pages = p->total > 0 ? (p->total - 1) / p->per_page + 1 : 1;
    if (!ask->by_page)
        ask->page = 1;
    if (ask->page > p->total_pages)
        ask->page = p->total_pages;
    p->page = ask->page;
    p->start = p->total > 0 ? (p->page - 1) * p->per_page + 1 : 0;
    p->end = p->page * p->per_page < p->total ? p->page * p->per_page : p->total;
}

static int open_marker(const struct ask *ask, struct marker **out, struct err *err)
{
    struct buf words = {0};

    *out = search_query(ask->q, SEARCH_ANY, &words, err) == 0 ? marker_open(buf_str(&words), err)
                                                              : NULL;
    buf_clear(&words);
    return *out ? 0 : -1;
}

/* Pages of the far half are counted from the other end: less to pass over. Unless the total is no
 * more than a minimum. */
static int put_items(cJSON *o, struct store *store, const struct ask *ask, const struct pages *p,
                     int64_t now_wall_us, struct err *err)
{
    struct listing l = {store, cJSON_AddArrayToObject(o, "items"),
                        !ask->where && p->start > p->total / 2, now_wall_us, NULL};
    int rc;

    if (p->total == 0)
        return 0;
    if (ask->q.ptr && open_marker(ask, &l.marker, err) < 0)
        return -1;
    rc = store_record_list(store, &ask->filter, l.backwards,
                           l.backwards ? p->total - p->end : p->start - 1, p->end - p->start + 1,
                           VIEW_PREVIEW_BYTES, add_item, &l, err);
    marker_close(l.marker);
    return rc;
}

/* A filter may have to look at all rows, so they are not counted when the first page tells. */
static int put_first_items(cJSON *o, struct store *store, struct ask *ask, struct pages *p,
                           int64_t now_wall_us, struct err *err)
{
    int64_t got;

    p->total = ask->per_page;
    find_page(ask, p);
    if (put_items(o, store, ask, p, now_wall_us, err) < 0)
        return -1;
    if (!ask->by_page) /* who goes on from an id wants no total */
        p->counted_to = ask->filter.where_count = ask->per_page + 1;
    got = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(o, "items"));
    if (got < ask->per_page)
        p->total = got;
    else if (store_record_count(store, &ask->filter, &p->total, err) < 0)
        return -1;
    find_page(ask, p);
    return 0;
}

static int put_counted_items(cJSON *o, struct store *store, struct ask *ask, struct pages *p,
                             int64_t now_wall_us, struct err *err)
{
    if (store_record_count(store, &ask->filter, &p->total, err) < 0)
        return -1;
    find_page(ask, p);
    return put_items(o, store, ask, p, now_wall_us, err);
}

static int build_list(cJSON *o, struct store *store, struct ask *ask, struct pages *p,
                      const struct view_context *ctx, struct err *err)
{
    bool first = ask->where && (ask->page == 1 || !ask->by_page);

    if ((first ? put_first_items : put_counted_items)(o, store, ask, p, ctx->now_wall_us, err) < 0)
        return -1;
    if (ask->facets) {
        cJSON *models = cJSON_AddArrayToObject(o, "models");
        cJSON *endpoints = cJSON_AddArrayToObject(o, "endpoints");

        if (store_facets(store, FACET_MODEL, add_value, models, err) < 0 ||
            store_facets(store, FACET_ENDPOINT, add_value, endpoints, err) < 0)
            return -1;
    }
    put_filters(o, ask);
    put_search(o, ask);
    if (ask->facets && put_options(o, store, ctx->now_wall_us, err) < 0)
        return -1;
    if (view_put_active_run(o, store, ctx, err) < 0 ||
        (ask->facets && put_stats(o, store, err) < 0))
        return -1;
    put_pagination(o, p);
    return view_put_upstream(o, store, ctx, err);
}

int view_record_list(struct store *store, struct str path, struct str query,
                     const struct view_context *ctx, int *status, struct buf *out, struct err *err)
{
    struct ask ask = {0};
    struct pages pages = {.path = path};
    struct buf kept = {0};
    cJSON *o = NULL;
    int rc = -1;

    ask_parse(&ask, query, ctx->now_wall_us);
    if (ask.issues.len > 0) {
        rc = buf_add(out, buf_str(&ask.issues), err);
        *status = ask.refusal ? ask.refusal : 422;
        goto out;
    }
    keep_pairs(&kept, query);
    pages.kept = buf_str(&kept);
    if (store_begin(store, err) < 0) /* one state of the database for all parts */
        goto out;
    o = cJSON_CreateObject();
    pages.counted_to = ask.where ? STORE_WHERE_COUNT : ask.q.ptr ? SEARCH_HITS_MAX : 0;
    rc = ask.q.ptr ? store_search_state(store, &ask.search, err) : 0;
    if (rc == 0 && ask.q.ptr && !ask.search.on)
        refuse(&ask, SEARCH_OFF);
    else if (rc == 0)
        rc = build_list(o, store, &ask, &pages, ctx, err);
    store_rollback(store);
    if (rc == 0 && ask.issues.len > 0) {
        rc = buf_add(out, buf_str(&ask.issues), err);
        *status = 422;
    } else if (rc == 0) {
        rc = view_answer(o, out, err);
        o = NULL;
        *status = 200;
    }
out:
    cJSON_Delete(o);
    buf_clear(&kept);
    ask_clear(&ask);
    return rc;
}

int view_record_oldest(struct store *store, struct str query, store_record_fn *each, void *ctx,
                       int64_t *limit, int *status, struct buf *out, struct err *err)
{
    struct ask ask = {0};
    int rc = 0;

    ask_parse(&ask, query, clock_wall_us());
    if (ask.issues.len == 0 && ask.q.ptr)
        rc = store_search_state(store, &ask.search, err);
    if (rc == 0 && ask.issues.len == 0 && ask.q.ptr && !ask.search.on)
        refuse(&ask, SEARCH_OFF);
    *limit = ask.per_page;
    *status = ask.issues.len == 0 ? 200 : ask.refusal ? ask.refusal : 422;
    if (rc == 0 && ask.issues.len > 0) {
        out->len = 0;
        rc = buf_add(out, buf_str(&ask.issues), err);
    } else if (rc == 0) {
        rc = store_record_list(store, &ask.filter, true, 0, ask.per_page, VIEW_PREVIEW_BYTES, each,
                               ctx, err);
    }
    ask_clear(&ask);
    return rc;
}

/* ---- the requests of one run ---- */

struct view_page {
    struct ask ask;
    struct pages pages;
    struct buf kept;
};

struct view_page *view_page_of_run(int64_t id, struct str path, struct str query)
{
    struct view_page *p = xcalloc(1, sizeof(*p));

    p->ask.filter.has_run = true;
    p->ask.filter.run = id;
    p->ask.by_page = true;
    ask_page(&p->ask, view_run_page_params, query);
    keep_pairs(&p->kept, query);
    p->pages.path = path;
    p->pages.kept = buf_str(&p->kept);
    return p;
}

void view_page_free(struct view_page *page)
{
    if (!page)
        return;
    ask_clear(&page->ask);
    buf_clear(&page->kept);
    free(page);
}

bool view_page_refused(const struct view_page *page)
{
    return page->ask.issues.len > 0;
}

int view_page_refusal(const struct view_page *page, struct buf *out, struct err *err)
{
    return buf_add(out, buf_str(&page->ask.issues), err);
}

int view_page_build(struct view_page *page, cJSON *o, struct store *store,
                    const struct view_context *ctx, struct err *err)
{
    if (store_record_count(store, &page->ask.filter, &page->pages.total, err) < 0)
        return -1;
    find_page(&page->ask, &page->pages);
    if (put_items(o, store, &page->ask, &page->pages, ctx->now_wall_us, err) < 0)
        return -1;
    put_pagination(o, &page->pages);
    return 0;
}
