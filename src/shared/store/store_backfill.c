/* Requests that were stored before their price was known, or before cached tokens had a rate. */
#include "core/billing.h"
#include "core/forward.h"
#include "llm/answer.h"
#include "store/store_prices.h"
#include "store/store_priv.h"
#include "json/json.h"

#define BATCH_MAX 200
#define CACHED_MARK "cached-input-v0.4"
#define MISSING_MARK "pricing-catalog-missing-cost-v0.5"

/* ---- which rows ---- */

static int next_ids(struct store *store, const struct backfill *b, int64_t *ids, int64_t limit,
                    size_t *count, struct err *err)
{
    enum sql_id sql = b->kind == BACKFILL_CACHED ? SQL_BACKFILL_CACHED : SQL_BACKFILL_MISSING;
    struct db_rows *rows =
        db_query(store->db, sql, DB_ARGS(DB_INT(b->after_id), DB_INT(limit)), err);
    int got = -1;

    *count = 0;
    while (rows && (got = db_next(rows, err)) == 1)
        ids[(*count)++] = db_int(rows, 0);
    db_done(rows);
    return got;
}

static bool names_cached_tokens(struct str body)
{
    return str_find(body, STR("\"cached_tokens\"")) >= 0 ||
           str_find(body, STR("\"cache_read_tokens\"")) >= 0 ||
           str_find(body, STR("\"cached_input_tokens\"")) >= 0 ||
           str_find(body, STR("\"prompt_cache_hit_tokens\"")) >= 0;
}

static bool may_change(enum backfill_kind kind, const struct record *r)
{
    if (r->upstream_headers_ms == UNKNOWN && r->response_status == UNKNOWN)
        return false;
    if (kind == BACKFILL_MISSING)
        return r->response_body.ptr != NULL;
    return r->billing_cached_input_tokens > 0 || names_cached_tokens(r->response_body);
}

/* ---- one row ---- */

static const struct price_provider *find_provider(const struct price_book *book,
                                                  const struct record *r)
{
    const struct price_provider *p = price_book_provider(book, r->billing_provider_slug);
    ptrdiff_t query = str_chr(r->upstream_url, '?');
    struct str url = query < 0 ? r->upstream_url : str_cut(r->upstream_url, (size_t)query);

    return p ? p : price_book_provider_over(book, url);
}

static void fill(int64_t *count, int64_t found)
{
    if (*count == UNKNOWN)
        *count = found;
}

static void fill_counts(struct record *r, const struct usage *u)
{
    fill(&r->billing_input_tokens, u->input);
    fill(&r->billing_cached_input_tokens, u->cached_input);
    fill(&r->billing_cache_write_input_tokens, u->cache_write_input);
    fill(&r->billing_output_tokens, u->output);
    fill(&r->billing_reasoning_tokens, u->reasoning);
    fill(&r->billing_total_tokens, u->total);
}

/* What an old snapshot says; empty texts when it does not. */
struct old_snapshot {
    struct str pricing, mark;
};

static struct old_snapshot read_snapshot(const struct record *r, struct arena *arena)
{
    cJSON *tree = r->pricing_snapshot_json.ptr ? json_parse(r->pricing_snapshot_json) : NULL;
    struct old_snapshot out = {STR(""), STR("")};
    const char *text;

    if (tree && json_get_str(tree, "cached_input_pricing", &text))
        out.pricing = arena_dup(arena, str_c(text));
    if (tree && json_get_str(tree, "historical_cost_backfill", &text))
        out.mark = arena_dup(arena, str_c(text));
    cJSON_Delete(tree);
    return out;
}

static struct str new_pricing(const struct record *r, struct arena *arena)
{
    return read_snapshot(r, arena).pricing;
}

/* Whether the cached backfill has something to say about a row that is priced again. */
static bool is_better(const struct record *before, const struct record *after, struct arena *arena)
{
    struct old_snapshot old = read_snapshot(before, arena);

    if (after->billing_cached_input_tokens <= 0 || str_eq(old.mark, STR(CACHED_MARK)))
        return false;
    if (old.pricing.len == 0 || before->billing_total_cost_pusd == UNKNOWN)
        return true;
    return str_eq(old.pricing, STR("standard_input_rate")) &&
           str_eq(new_pricing(after, arena), STR("cached_input_rate"));
}

/* Price a row anew. False: it stays as it is. */
static bool reprice(const struct price_book *book, enum backfill_kind kind,
                    const struct record *before, struct record *r, struct arena *arena)
{
    struct cost_notes notes = {.upstream_cost = UNKNOWN, .previous_total = UNKNOWN};
    struct cost_tokens tokens;
    struct answer a;

    notes.provider = find_provider(book, r);
    if (!notes.provider)
        return false;
    answer_read(r->response_body, r->is_stream || forward_is_sse(r->response_content_type), arena,
                &a);
    fill_counts(r, &a.usage);
    notes.upstream_cost = a.upstream_cost_pusd;
    r->billing_provider_slug = notes.provider->slug;
    r->billing_provider_name = notes.provider->name;
    r->billing_model = billing_model(notes.provider->slug,
                                     r->upstream_model.ptr ? r->upstream_model : r->billing_model,
                                     a.model, r->model, r->request_body, arena);
    if (kind == BACKFILL_CACHED) {
        notes.historical_backfill = STR(CACHED_MARK);
        notes.previous_total = before->billing_total_cost_pusd;
    } else {
        notes.catalog_backfill = STR(MISSING_MARK);
    }
    tokens = billing_tokens(r);
    tokens.cache_write_1h = a.cache_write_1h_tokens;
    if (!r->billing_model.ptr || !billing_apply(book, r, &tokens, &notes, arena) ||
        r->billing_total_cost_pusd == UNKNOWN)
        return false;
    return kind == BACKFILL_MISSING || is_better(before, r, arena);
}

static int write_billing(struct store *store, const struct record *r, struct err *err)
{
    return db_run(
        store->db, SQL_BILLING_UPDATE,
        DB_ARGS(DB_INT(r->id), DB_TEXT(r->billing_provider_slug), DB_TEXT(r->billing_provider_name),
                DB_TEXT(r->billing_model), store_int(r->billing_input_tokens),
                store_int(r->billing_cached_input_tokens),
                store_int(r->billing_cache_write_input_tokens), store_int(r->billing_output_tokens),
                store_int(r->billing_reasoning_tokens), store_int(r->billing_total_tokens),
                store_int(r->billing_input_cost_pusd), store_int(r->billing_cached_input_cost_pusd),
                store_int(r->billing_output_cost_pusd), store_int(r->billing_total_cost_pusd),
                DB_TEXT(r->pricing_snapshot_json)),
        err);
}

static int backfill_row(struct store *store, const struct price_book *book, struct backfill *b,
                        int64_t id, struct err *err)
{
    struct arena arena = {0};
    struct record before, r;
    int rc = store_record_get(store, id, &arena, &before, err);

    r = before;
    if (rc == 0 && may_change(b->kind, &before)) {
        b->examined++;
        if (reprice(book, b->kind, &before, &r, &arena)) {
            rc = store_count_row(&store->deltas, &before, -1, err);
            if (rc == 0)
                rc = store_count_row(&store->deltas, &r, 1, err);
            if (rc == 0)
                rc = spending_count(&store->spending, &before, -1, err);
            if (rc == 0)
                rc = spending_count(&store->spending, &r, 1, err);
            run_deltas_count(&store->run_deltas, &before, -1);
            run_deltas_count(&store->run_deltas, &r, 1);
            if (rc == 0)
                rc = write_billing(store, &r, err);
            b->repriced += rc == 0;
        }
    } else if (rc < 0 && err->code == ERR_CORRUPT) {
        rc = 0; /* a body that cannot be read costs nobody anything */
    }
    arena_clear(&arena);
    return rc;
}

/* ---- batches ---- */

static int backfill_all(struct store *store, const struct price_book *book, struct backfill *b,
                        int64_t limit, bool *more, struct err *err)
{
    int64_t ids[BATCH_MAX];
    size_t count;

    if (next_ids(store, b, ids, limit, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (backfill_row(store, book, b, ids[i], err) < 0)
            return -1;
        b->after_id = ids[i];
    }
    *more = (int64_t)count == limit;
    return 0;
}

int store_backfill(struct store *store, const struct price_book *book, struct backfill *b,
                   int64_t limit, bool *more, struct err *err)
{
    bool own;

    if (limit > BATCH_MAX)
        limit = BATCH_MAX;
    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, backfill_all(store, book, b, limit, more, err), err);
}

int store_backfill_all(struct store *store, struct backfill *b, struct err *err)
{
    bool inside = store->in_transaction, more = true;
    struct price_book *book;
    int rc;

    if (store_price_book(store, &book, err) < 0)
        return -1;
    do {
        rc = store_backfill(store, book, b, BATCH_MAX, &more, err);
        if (rc == 0 && inside)
            rc = store_commit(store, err) < 0 ? -1 : store_begin(store, err);
    } while (rc == 0 && more);
    price_book_unref(book);
    return rc;
}
