#include "store/store_import.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/import_priv.h"
#include "store/store_prices.h"

#define BATCH_ROWS 500
#define BATCH_BYTES ((size_t)32 << 20)

_Static_assert(IMPORT_TABLES == LEGACY_TABLE_COUNT, "a report has a line for each table");

/* ---- the report ---- */

static void count_reason(struct import_reason *list, size_t *count, int64_t row, const char *text)
{
    size_t i = 0;

    while (i < *count && strcmp(list[i].text, text) != 0)
        i++;
    if (i == IMPORT_REASONS) { /* the last one stands for the rest */
        i--;
        snprintf(list[i].text, sizeof(list[i].text), "other reasons");
    } else if (i == *count) {
        snprintf(list[i].text, sizeof(list[i].text), "%s", text);
        list[i].first = row;
        ++*count;
    }
    list[i].count++;
}

void import_written(struct importer *im)
{
    im->table->read++;
    im->table->written++;
}

void import_known(struct importer *im)
{
    im->table->read++;
    im->table->known++;
}

int import_skip(struct importer *im, const char *fmt, ...)
{
    char text[IMPORT_REASON_SIZE];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    im->table->read++;
    im->table->skipped++;
    count_reason(im->table->reasons, &im->table->reason_count, im->row, text);
    return 0;
}

void import_note(struct importer *im, const char *fmt, ...)
{
    char text[IMPORT_REASON_SIZE];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    count_reason(im->table->notes, &im->table->note_count, im->row, text);
}

int import_failed(struct importer *im, const struct err *err)
{
    switch (err->code) {
    case ERR_INVALID:
    case ERR_CONFLICT:
    case ERR_NOT_FOUND:
    case ERR_TOO_LARGE:
        return import_skip(im, "%s", err->msg);
    default:
        return -1;
    }
}

struct import_table *import_switch(struct importer *im, enum legacy_table table)
{
    struct import_table *before = im->table;

    im->table = &im->report->tables[table];
    return before;
}

void import_orphans(struct importer *im, enum legacy_table table, int64_t count, const char *what)
{
    struct import_table *before = import_switch(im, table);

    while (count-- > 0)
        import_skip(im, "%s", what);
    im->table = before;
}

/* ---- ids ---- */

int import_ids_load(struct importer *im, struct import_ids *ids, const char *key, struct err *err)
{
    struct db_rows *rows = db_query(im->store->db, SQL_META_GET, DB_ARGS(DB_TEXT(str_c(key))), err);
    int got = rows ? db_next(rows, err) : -1;
    struct str list = got == 1 ? db_bytes(rows, 0) : STR_NONE, one;

    *ids = (struct import_ids){.key = key};
    while (list.len > 0 && str_split(&list, ' ', &one) && ids->count < IMPORT_OFFSETS)
        ids->count += str_int64(one, &ids->offsets[ids->count]);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

static int ids_save(struct importer *im, const struct import_ids *ids, struct err *err)
{
    struct buf list = {0};
    int rc;

    for (size_t i = 0; i < ids->count; i++)
        buf_printf(&list, i ? " %" PRId64 : "%" PRId64, ids->offsets[i]);
    rc = db_run(im->store->db, SQL_META_PUT,
                DB_ARGS(DB_TEXT(str_c(ids->key)), DB_TEXT(buf_str(&list))), err);
    buf_clear(&list);
    return rc;
}

static int ids_choose(struct importer *im, struct import_ids *ids, int64_t old, int64_t last,
                      struct err *err)
{
    ids->chosen = true;
    if (ids->count > 0 && old + ids->offsets[ids->count - 1] > last)
        return 0;
    if (ids->count == IMPORT_OFFSETS)
        return err_set(err, ERR_FAILED,
                       "this database has taken over rows %d times in between its own; import into "
                       "a new one",
                       IMPORT_OFFSETS);
    ids->offsets[ids->count++] = old > last ? 0 : last + 1 - old;
    return ids_save(im, ids, err);
}

int import_ids_new(struct importer *im, struct import_ids *ids, int64_t old, int64_t last,
                   int64_t *out, struct err *err)
{
    if (!ids->chosen && ids_choose(im, ids, old, last, err) < 0)
        return -1;
    *out = old + ids->offsets[ids->count - 1];
    return 0;
}

/* ---- rows ---- */

/* Columns of a version that is newer than what we know. */
static void note_columns(struct importer *im, enum legacy_table table, struct legacy_row *row)
{
    static const char *const known[LEGACY_TABLE_COUNT] = {
        [LEGACY_SETTINGS] = " key value updated_at ",
        [LEGACY_PROVIDERS] = " slug name upstream_url base_url currency api_key_env active "
                             "is_default_fallback capabilities_json created_at updated_at ",
        [LEGACY_ROUTES] = " id incoming_model match_type upstream_url upstream_model provider_slug "
                          "api_key_env compatibility_fixes_json managed_by override_fallback "
                          "priority active created_at updated_at ",
        [LEGACY_PRICES] =
            " id provider_slug model aliases_json display_name input_usd_per_million "
            "cached_input_usd_per_million output_usd_per_million active source_url checked_at "
            "release_date notes created_at updated_at ",
        [LEGACY_TIERS] =
            " id model_price_id min_input_tokens max_input_tokens input_usd_per_million "
            "cached_input_usd_per_million output_usd_per_million label source_url checked_at "
            "release_date notes created_at updated_at ",
        [LEGACY_RUNS] = " id name notes started_at ended_at paused_at summary metadata_json ",
        [LEGACY_REQUESTS] =
            " id task_run_id created_at completed_at method path query_string endpoint model "
            "upstream_model model_route upstream_url request_headers_json request_body "
            "request_content_type response_status response_headers_json response_body "
            "upstream_response_body_raw response_content_type duration_ms is_stream has_images "
            "has_tool_calls error billing_provider_slug billing_provider_name billing_model "
            "billing_input_tokens billing_cached_input_tokens billing_output_tokens "
            "billing_total_tokens billing_input_cost_usd billing_output_cost_usd "
            "billing_total_cost_usd pricing_snapshot_json response_was_rewritten "
            "compat_fixes_json compat_fix_errors_json estimated_input_tokens "
            "estimated_input_tokenizer estimated_input_model ",
        [LEGACY_IMAGES] = " id request_id kind mime_type source data_base64 ",
    };
    char *list = im->table->unknown_columns;
    struct str name;

    for (int i = 0; (name = legacy_column(row, i)).ptr; i++) {
        char padded[80];
        size_t used = strlen(list);

        snprintf(padded, sizeof(padded), " %.*s ", STR_ARG(name));
        if (str_ifind(str_c(known[table]), str_c(padded)) < 0)
            snprintf(list + used, sizeof(im->table->unknown_columns) - used, "%s%.*s",
                     used ? " " : "", STR_ARG(name));
    }
}

/* A row that cannot be read is skipped; -1 when none can. */
static int not_read(struct importer *im, const struct err *err)
{
    if (err->code == ERR_INVALID)
        return import_skip(im, "a value is larger than %zu MiB", DB_FOREIGN_MAX >> 20);
    if (err->code == ERR_CORRUPT)
        return import_skip(im, "the row is damaged");
    return -1;
}

int import_one(struct importer *im, enum legacy_table table, int64_t number, import_row_fn *take,
               struct err *err)
{
    struct import_table *before = import_switch(im, table);
    int64_t number_before = im->row;
    struct legacy_row row;
    int got, rc = 0;

    im->row = number;
    got = legacy_load(im->from, table, number, &im->arena, &row, err);
    if (got < 0)
        rc = not_read(im, err);
    if (got == 1) {
        if (im->table->read == 0)
            note_columns(im, table, &row);
        rc = take(im, &row, err);
        if (row.bad)
            import_note(im, "%s: of no use, left out", row.bad);
        legacy_done(&row);
    }
    im->table = before;
    im->row = number_before;
    return rc;
}

/* ---- tables ---- */

static int begin(struct importer *im, struct err *err)
{
    im->batch_rows = 0;
    im->batch_bytes = 0;
    return im->store->in_transaction ? 0 : store_begin(im->store, err);
}

static int commit(struct importer *im, struct err *err)
{
    return im->options->dry_run ? 0 : store_commit(im->store, err);
}

static int next_batch(struct importer *im, struct err *err)
{
    if (++im->batch_rows < BATCH_ROWS && im->batch_bytes < BATCH_BYTES)
        return 0;
    return commit(im, err) < 0 || begin(im, err) < 0 ? -1 : 0;
}

static void tell(struct importer *im)
{
    if (im->options->progress)
        im->options->progress(im->options->ctx, im->done, im->total);
}

static int each_row(struct importer *im, enum legacy_table table, import_row_fn *take,
                    struct err *err)
{
    int64_t row = INT64_MIN, next;
    int got;

    while ((got = legacy_next(im->from, table, row, &next, err)) == 1) {
        int rc;

        if (next <= row) { /* a damaged tree leads in circles */
            got = err_set(err, ERR_CORRUPT, "rows are out of order");
            break;
        }
        row = next;
        rc = import_one(im, table, row, take, err);
        arena_clear(&im->arena);
        if (rc < 0 || next_batch(im, err) < 0)
            return err_wrap(err, "%s, row %" PRId64, legacy_name[table], row);
        im->done++;
        tell(im);
    }
    if (got == 0)
        return 0;
    im->row = row;
    if (err->code == ERR_CORRUPT)
        return import_skip(im, "damaged: what follows cannot be read");
    if (err->code == ERR_FAILED) /* no table as it should be */
        return import_skip(im, "cannot be read: %.120s", err->msg);
    return err_wrap(err, "%s", legacy_name[table]);
}

static const struct step {
    enum legacy_table table;
    import_row_fn *take;
    enum legacy_table children; /* the table itself: none */
    const char *orphan;
} steps[] = {
    {LEGACY_SETTINGS, import_setting, LEGACY_SETTINGS, NULL},
    {LEGACY_PROVIDERS, import_provider, LEGACY_PROVIDERS, NULL},
    {LEGACY_ROUTES, import_route, LEGACY_ROUTES, NULL},
    {LEGACY_PRICES, import_price, LEGACY_TIERS, "its price is not there"},
    {LEGACY_RUNS, import_run_row, LEGACY_RUNS, NULL},
    {LEGACY_REQUESTS, import_request, LEGACY_IMAGES, "its request is not there"},
};

static struct legacy_children *children_of(struct importer *im, const struct step *s)
{
    return s->children == LEGACY_TIERS    ? &im->tiers
           : s->children == LEGACY_IMAGES ? &im->images
                                          : NULL;
}

static int open_children(struct importer *im, const struct step *s, struct err *err)
{
    struct legacy_children *c = children_of(im, s);
    struct import_table *before;

    if (!c || legacy_children_open(im->from, s->children, c, err) == 0)
        return 0;
    if (err->code == ERR_BUSY || err->code == ERR_NO_MEMORY)
        return -1;
    before = import_switch(im, s->children);
    import_skip(im, "cannot be read: %.120s", err->msg);
    im->table = before;
    legacy_children_close(c);
    return 0;
}

/* What comes after the last parent belongs to none. */
static void close_children(struct importer *im, const struct step *s)
{
    struct legacy_children *c = children_of(im, s);
    int64_t row, orphans = 0;
    struct err ignored;

    if (!c)
        return;
    if (c->got == 1)
        legacy_children_next(c, INT64_MAX, &row, &orphans, &ignored);
    import_orphans(im, s->children, orphans, s->orphan);
    legacy_children_close(c);
}

static int run_step(struct importer *im, const struct step *s, struct err *err)
{
    int rc;

    im->table = &im->report->tables[s->table];
    if (!legacy_has(im->from, s->table))
        return 0;
    if (begin(im, err) < 0 || open_children(im, s, err) < 0)
        return -1;
    rc = each_row(im, s->table, s->take, err);
    if (rc == 0)
        close_children(im, s);
    if (rc == 0 && s->table == LEGACY_RUNS)
        rc = import_runs_end(im, err);
    return rc == 0 ? commit(im, err) : -1;
}

static int prepare(struct importer *im, struct err *err)
{
    for (int i = 0; i < LEGACY_TABLE_COUNT; i++) {
        int64_t count = 0;

        im->report->tables[i].name = legacy_name[i];
        im->report->tables[i].missing = !legacy_has(im->from, (enum legacy_table)i);
        if (i != LEGACY_TIERS && i != LEGACY_IMAGES && !im->report->tables[i].missing &&
            legacy_count(im->from, (enum legacy_table)i, &count, err) == 0)
            im->total += count;
    }
    if (import_ids_load(im, &im->request_ids, "import_request_offsets", err) < 0 ||
        import_ids_load(im, &im->run_ids, "import_run_offsets", err) < 0)
        return -1;
    return store_price_book(im->store, &im->book, err);
}

int store_import_check(const char *path, struct err *err)
{
    struct legacy *l = legacy_open(path, err);

    legacy_close(l);
    return l ? 0 : -1;
}

int store_import(struct store *store, const char *path, const struct import_options *options,
                 struct import_report *report, struct err *err)
{
    struct importer im = {.store = store, .options = options, .report = report};
    int rc;

    *report = (struct import_report){0};
    im.from = legacy_open(path, err);
    if (!im.from)
        return -1;
    rc = prepare(&im, err);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == 0; i++)
        rc = run_step(&im, &steps[i], err);
    store_rollback(store);
    arena_clear(&im.arena);
    price_book_unref(im.book);
    legacy_children_close(&im.tiers);
    legacy_children_close(&im.images);
    free(im.runs);
    legacy_close(im.from);
    return rc;
}
