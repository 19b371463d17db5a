/* Lists and counts of captured exchanges. Facets and counters tell how many rows each filter lets
 * through; the list walks the index of the one with the fewest, and a count by one filter alone
 * needs no walk at all. A long walk is spared where blocks know the rows (store_blocks.h): then
 * each span of the list is asked on its own. What the filter language says beyond such filters is
 * a test of each row (store_where.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/search.h"
#include "store/store_blocks.h"
#include "store/store_priv.h"
#include "store/store_where.h"

/* Answers up to this stored size come with the row; larger ones are read in part. */
#define INLINE_MAX ((int64_t)1 << 17)
#define PIECE ((size_t)16384)
/* Above this many rows, sorting costs more than walking the newest rows of the table. */
#define SORT_MAX 20000

/* BY_ALL and BY_CREATED walk the same index, the former without any filter but the range. */
#define DRIVERS(X)                                                                                 \
    X(ALL)                                                                                         \
    WHERE_DRIVERS(X)
#define WHERE_DRIVERS(X)                                                                           \
    X(CREATED)                                                                                     \
    X(MODEL)                                                                                       \
    X(ROUTE)                                                                                       \
    X(PROVIDER)                                                                                    \
    X(STATUS)                                                                                      \
    X(RUN) X(ENDPOINT) X(ENDPOINTS) X(STREAM) X(IMAGE) X(TOOL) X(ERROR) X(SLOW) X(LARGE) X(SEARCH)

enum driver {
#define X(name) BY_##name,
    DRIVERS(X)
#undef X
};

static const struct {
    enum sql_id newest, oldest, count;
} driver_sql[] = {
#define X(name)                                                                                    \
    [BY_##name] = {SQL_REQUESTS_NEWEST_##name, SQL_REQUESTS_OLDEST_##name,                         \
                   SQL_REQUESTS_COUNT_##name},
    DRIVERS(X)
#undef X
};

/* Where a statement begins that also tests what the filter language says. */
static const enum sql_part_id driver_parts[] = {[BY_ALL] = PART_WHERE_BY_CREATED,
#define X(name) [BY_##name] = PART_WHERE_BY_##name,
                                                WHERE_DRIVERS(X)
#undef X
};

/* How a filter is answered. */
struct plan {
    struct where where;
    enum driver driver;
    int64_t rows;  /* that the driver's index gives at most */
    int filters;   /* how many are on */
    int64_t total; /* in the table */
    int64_t exact; /* rows that the last filter alone lets through; UNKNOWN */
    bool ranged;   /* ids or times limit it too */
    bool empty;    /* nothing can match */
    int64_t lowest_us, highest_us;
    char slug[FACET_MAX_BYTES + 1], endpoint[FACET_MAX_BYTES + 1];
    bool has_slug, has_endpoint, any_endpoint;
    struct buf needle;
    struct str words; /* of a search */
};

static void consider(struct plan *p, enum driver driver, int64_t rows)
{
    p->exact = rows;
    if (rows == 0)
        p->empty = true;
    if (rows < p->rows) {
        p->rows = rows;
        p->driver = driver;
    }
}

static int consider_facet(struct store *store, struct plan *p, enum driver driver, unsigned kind,
                          struct str value, struct err *err)
{
    int64_t rows;

    if (!value.ptr)
        return 0;
    p->filters++;
    if (store_facet_count(store, kind, value, &rows, err) < 0)
        return -1;
    if (rows != UNKNOWN) {
        consider(p, driver, rows);
    } else { /* too long for a facet, so rare: the index is right, the number unknown */
        p->driver = driver;
        p->rows = 1;
        p->exact = UNKNOWN;
    }
    return 0;
}

static int consider_int(struct store *store, struct plan *p, enum driver driver, unsigned kind,
                        bool on, int64_t value, struct err *err)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return consider_facet(store, p, driver, kind, on ? str_c(text) : STR_NONE, err);
}

/* *count distinct values, *rows of them, and one of them in keep. */
static int find_facets(struct store *store, enum sql_id sql, struct str value, int64_t *count,
                       int64_t *rows, char keep[FACET_MAX_BYTES + 1], struct err *err)
{
    struct db_rows *q = db_query(store->db, sql, DB_ARGS(DB_TEXT(value)), err);
    int got = q ? db_next(q, err) : -1;

    if (got == 1) {
        struct str one = str_cut(db_bytes(q, 2), FACET_MAX_BYTES);

        *count = db_int(q, 0);
        *rows = db_int(q, 1);
        if (one.len)
            memcpy(keep, one.ptr, one.len);
        keep[one.len] = '\0';
    }
    db_done(q);
    return got == 1 ? 0 : -1;
}

static int consider_provider(struct store *store, struct plan *p, struct str provider,
                             struct err *err)
{
    int64_t count, rows;

    if (!provider.ptr)
        return 0;
    p->filters++;
    if (find_facets(store, SQL_FACET_PROVIDERS, provider, &count, &rows, p->slug, err) < 0)
        return -1;
    p->has_slug = count == 1 && p->slug[0];
    if (p->has_slug || rows == 0) /* the slug may have rows of other names too */
        consider(p, BY_PROVIDER, rows);
    else
        p->exact = rows;
    return 0;
}

static int consider_endpoint(struct store *store, struct plan *p, struct str part, struct err *err)
{
    int64_t count, rows;

    if (!part.ptr)
        return 0;
    p->filters++;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];

        c = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        if (buf_add(&p->needle, (struct str){&c, 1}, err) < 0)
            return -1;
    }
    if (find_facets(store, SQL_FACET_ENDPOINTS, buf_str(&p->needle), &count, &rows, p->endpoint,
                    err) < 0)
        return -1;
    p->has_endpoint = count == 1;
    p->any_endpoint = rows == p->total;
    if (count <= 1)
        consider(p, BY_ENDPOINT, rows);
    else if (rows <= SORT_MAX)
        consider(p, BY_ENDPOINTS, rows);
    else
        p->exact = rows;
    return 0;
}

static int consider_flags(struct store *store, struct plan *p, const struct record_filter *f,
                          struct err *err)
{
    struct store_counters c;

    if (store_counters(store, &c, err) < 0)
        return -1;
    p->rows = p->exact = p->total = c.total;
    p->empty = c.total == 0;
    const struct {
        bool on;
        enum driver driver;
        int64_t rows;
    } flags[] = {
        {f->stream, BY_STREAM, c.streams}, {f->image, BY_IMAGE, c.images},
        {f->tool, BY_TOOL, c.tools},       {f->error, BY_ERROR, c.errors},
        {f->slow, BY_SLOW, c.slow},        {f->large, BY_LARGE, c.large},
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        p->filters += flags[i].on;
        if (flags[i].on)
            consider(p, flags[i].driver, flags[i].rows);
    }
    return 0;
}

/* Ids become times, which every index has: newer and older are meant in the order of lists. */
static int created_near(struct store *store, enum sql_id sql, int64_t id, int64_t *out,
                        struct err *err)
{
    struct db_rows *rows = db_query(store->db, sql, DB_ARGS(DB_INT(id)), err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got;
}

static int plan_range(struct store *store, const struct record_filter *f, struct plan *p,
                      struct err *err)
{
    int64_t at = 0;
    int got = 1;

    p->lowest_us = f->since_us ? f->since_us : INT64_MIN;
    p->highest_us = !f->until_us ? INT64_MAX : f->until_us - 1;
    p->ranged = f->since_us || f->until_us || f->after_id || f->before_id;
    if (f->after_id) {
        got = created_near(store, SQL_REQUEST_CREATED_AFTER, f->after_id, &at, err);
        p->lowest_us = got == 1 && at > p->lowest_us ? at : p->lowest_us;
        p->empty = p->empty || got == 0;
    }
    if (got >= 0 && f->before_id) {
        got = created_near(store, SQL_REQUEST_CREATED_BEFORE, f->before_id, &at, err);
        p->highest_us = got == 1 && at < p->highest_us ? at : p->highest_us;
        p->empty = p->empty || got == 0;
    }
    return got < 0 ? -1 : 0;
}

static bool has_test(const struct plan *p)
{
    return p->where.test.len > 0;
}

/* f becomes the filter that the plan is for. */
static int make_plan(struct store *store, struct record_filter *f, struct plan *p, struct err *err)
{
    if (where_make(store, f, &p->where, err) < 0)
        return -1;
    if (consider_flags(store, p, f, err) < 0 ||
        consider_facet(store, p, BY_MODEL, FACET_MODEL, f->model, err) < 0 ||
        consider_facet(store, p, BY_ROUTE, FACET_ROUTE, f->route, err) < 0 ||
        consider_int(store, p, BY_STATUS, FACET_STATUS, f->has_status, f->status, err) < 0 ||
        consider_int(store, p, BY_RUN, FACET_RUN, f->has_run, f->run, err) < 0 ||
        consider_provider(store, p, f->provider, err) < 0 ||
        consider_endpoint(store, p, f->endpoint, err) < 0)
        return -1;
    p->empty |= p->where.empty;
    if (p->filters > 0 && p->driver == BY_ALL)
        p->driver = BY_CREATED;
    if (f->words.ptr) { /* any other index would ask for the words row by row */
        p->filters++;
        p->words = f->words;
        p->driver = BY_SEARCH;
        p->rows = 1;
        p->exact = UNKNOWN;
    }
    p->filters += has_test(p);
    return plan_range(store, f, p, err);
}

#define RANGE_ARGS 4
#define FILTER_ARGS 18
#define LIST_ARGS 21
#define SEARCH_ARGS 2 /* and so many more of a search */

static struct db_value flag(bool on)
{
    return on ? DB_INT(1) : DB_NULL;
}

static void bind_filter(const struct record_filter *f, const struct plan *p,
                        struct db_value args[FILTER_ARGS])
{
    struct str slug = p->has_slug ? str_c(p->slug) : STR_NONE;
    struct str endpoint = p->has_endpoint ? str_c(p->endpoint) : STR_NONE;
    struct str needle = f->endpoint.ptr ? buf_str(&p->needle) : STR_NONE;

    args[0] = DB_INT(p->lowest_us);
    args[1] = DB_INT(p->highest_us);
    args[2] = f->after_id ? DB_INT(f->after_id) : DB_NULL;
    args[3] = f->before_id ? DB_INT(f->before_id) : DB_NULL;
    args[4] = DB_TEXT(f->model);
    args[5] = DB_TEXT(f->route);
    args[6] = DB_TEXT(f->provider);
    args[7] = DB_TEXT(slug);
    args[8] = f->has_status ? DB_INT(f->status) : DB_NULL;
    args[9] = f->has_run ? DB_INT(f->run) : DB_NULL;
    args[10] = DB_TEXT(needle);
    args[11] = DB_TEXT(endpoint);
    args[12] = flag(f->stream);
    args[13] = flag(f->image);
    args[14] = flag(f->tool);
    args[15] = flag(f->error);
    args[16] = flag(f->slow);
    args[17] = flag(f->large);
}

/* Limit a statement to a span. Ids only matter at the bounds of the whole list. */
static void bind_span(const struct plan *p, const struct span *span, struct db_value *args)
{
    args[0] = DB_INT(span->from_us);
    args[1] = DB_INT(span->to_us);
    if (span->from_us != p->lowest_us)
        args[2] = DB_NULL;
    if (span->to_us != p->highest_us)
        args[3] = DB_NULL;
}

/* Append the words to the count arguments of a statement, if it takes them; how many it takes. */
static size_t bind_words(const struct plan *p, struct db_value *args, size_t count)
{
    if (p->driver != BY_SEARCH)
        return count;
    args[count] = DB_TEXT(p->words);
    args[count + 1] = DB_INT(SEARCH_HITS_MAX);
    return count + SEARCH_ARGS;
}

/* Count rows with an index. */
static int count_walk(struct store *store, const struct plan *p,
                      struct db_value args[FILTER_ARGS + SEARCH_ARGS], int64_t *out,
                      struct err *err)
{
    size_t count = p->driver == BY_ALL ? RANGE_ARGS : bind_words(p, args, FILTER_ARGS);
    struct db_rows *rows = db_query(store->db, driver_sql[p->driver].count, args, count, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got == 1 ? 0 : -1;
}

/* Count the rows of one span; of a block also which they are. */
static int count_span(struct store *store, const struct record_filter *f, const struct plan *p,
                      const struct span *span, struct members *members, int64_t *out,
                      struct err *err)
{
    struct db_value args[FILTER_ARGS + SEARCH_ARGS];

    if (span->block) {
        bool none = !f->endpoint.ptr || p->any_endpoint;
        struct str one = !none && p->has_endpoint ? str_c(p->endpoint) : STR_NONE;
        struct str part = none || one.ptr ? STR_NONE : buf_str(&p->needle);

        *out = blocks_match(store, span, f, one, part, members, err);
        return *out < 0 ? -1 : 0;
    }
    bind_filter(f, p, args);
    bind_span(p, span, args);
    return count_walk(store, p, args, out, err);
}

static int count_spans(struct store *store, const struct record_filter *f, const struct plan *p,
                       int64_t *out, struct err *err)
{
    struct members members;
    struct spans spans;
    int64_t total = 0, count;
    int rc = blocks_spans(store, f, p->lowest_us, p->highest_us, &spans, err);

    for (size_t i = 0; rc == 0 && i < spans.count; i++) {
        rc = count_span(store, f, p, &spans.items[i], &members, &count, err);
        total += rc == 0 ? count : 0;
    }
    free(spans.items);
    *out = total;
    return rc;
}

/* Whether an index would lead over many rows. */
static bool is_long(const struct store *store, const struct record_filter *f, const struct plan *p)
{
    return p->rows > store->walk_max && blocks_know(f);
}

/* ---- the filter language ---- */

static void plan_clear(struct plan *p)
{
    buf_clear(&p->needle);
    where_clear(&p->where);
}

/* The index to walk, when the filter has a test. */
static enum sql_part_id where_driver(const struct plan *p)
{
    if (p->where.index == WHERE_BY_ID && p->driver != BY_SEARCH)
        return PART_WHERE_BY_ID;
    if (p->driver == BY_ALL || p->driver == BY_CREATED) {
        if (p->where.index == WHERE_BY_PENDING)
            return PART_WHERE_BY_PENDING;
        if (p->where.index == WHERE_BY_REWRITTEN)
            return PART_WHERE_BY_REWRITTEN;
    }
    return driver_parts[p->driver];
}

/* No other filter is on: without them a walk over all rows takes half the time. */
static bool only_test(const struct plan *p)
{
    return p->filters == 1;
}

/* Put a statement together: what it selects, the index, the filters, the test, the order. */
static struct db_rows *where_query(struct store *store, const struct record_filter *f,
                                   struct plan *p, enum sql_part_id what, enum sql_part_id order,
                                   int64_t limit, int64_t offset, int64_t inline_max,
                                   struct err *err)
{
    const char *const texts[] = {sql_part[what],
                                 sql_part[where_driver(p)],
                                 sql_part[only_test(p) ? PART_WHERE_RANGE : PART_WHERE_FILTER],
                                 "AND",
                                 p->where.test.ptr,
                                 sql_part[order]};
    struct db_value *args = p->where.args;
    struct db_rows *rows = NULL;
    struct buf text = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(texts) / sizeof(*texts); i++)
        rc =
            buf_add(&text, str_c(texts[i]), err) < 0 || buf_add(&text, STR("\n"), err) < 0 ? -1 : 0;
    bind_filter(f, p, args);
    args[18] = DB_INT(limit);
    args[19] = DB_INT(offset);
    args[20] = DB_INT(inline_max);
    bind_words(p, args, LIST_ARGS);
    if (rc == 0)
        rows =
            db_query_parts(store->db, "filtered list", buf_str(&text), args, p->where.count, err);
    buf_clear(&text);
    return rows;
}

static int64_t count_end(const struct record_filter *f)
{
    return f->where_count > 0 ? f->where_count : STORE_WHERE_COUNT;
}

static int where_count(struct store *store, const struct record_filter *f, struct plan *p,
                       int64_t *out, struct err *err)
{
    struct db_rows *rows =
        where_query(store, f, p, PART_WHERE_COUNT, PART_WHERE_COUNTED, count_end(f), 0, 0, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got == 1 ? 0 : -1;
}

int store_record_count(struct store *store, const struct record_filter *asked, int64_t *out,
                       struct err *err)
{
    struct record_filter copy = *asked, *filter = &copy;
    struct plan plan = {0};
    struct db_value args[FILTER_ARGS + SEARCH_ARGS];
    int rc = -1;

    if (make_plan(store, filter, &plan, err) < 0)
        goto out;
    if (!plan.empty && has_test(&plan)) {
        rc = where_count(store, filter, &plan, out, err);
    } else if (plan.empty || (plan.filters <= 1 && !plan.ranged && plan.exact != UNKNOWN)) {
        *out = plan.empty ? 0 : plan.exact;
        rc = 0;
    } else if (is_long(store, filter, &plan)) {
        rc = count_spans(store, filter, &plan, out, err);
    } else {
        bind_filter(filter, &plan, args);
        rc = count_walk(store, &plan, args, out, err);
    }
    if (rc == 0 && asked->where && *out > count_end(asked))
        *out = count_end(asked);
out:
    plan_clear(&plan);
    return rc;
}

/* ---- rows ---- */

int store_read_row(struct db_rows *rows, struct record *out)
{
    int column = 0;

    *out = (struct record){.id = db_int(rows, column++)};
#define READ_INT(name) out->name = db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
#define READ_BOOL(name) out->name = db_int(rows, column) != 0;
#define READ_TEXT(name) out->name = db_bytes(rows, column);
#define X(kind, name) READ_##kind(name) column++;
    RECORD_ARRIVAL_FIELDS(X)
    RECORD_OUTCOME_FIELDS(X)
#undef X
    return column;
}

/* Where the stored bytes of an answer come from, piece by piece. */
struct source {
    struct store *store;
    int64_t id;
    struct str whole; /* came with the row; ptr NULL: read parts */
    size_t offset;
    bool given;
    char piece[PIECE];
};

static int next_piece(void *ctx, struct str *piece, struct err *err)
{
    struct source *s = ctx;
    size_t got;

    if (s->whole.ptr) {
        *piece = s->given ? STR_NONE : s->whole;
        s->given = true;
        return 0;
    }
    if (db_read_part(s->store->db, "request_bodies", "response_body", s->id, s->offset, s->piece,
                     PIECE, &got, err) < 0)
        return -1;
    s->offset += got;
    *piece = (struct str){s->piece, got};
    return 0;
}

static int read_preview(struct store *store, struct db_rows *rows, int column, size_t bytes,
                        struct record *r, struct err *err)
{
    struct source source = {.store = store, .id = r->id, .whole = db_bytes(rows, column + 1)};
    enum body_encoding encoding = (enum body_encoding)db_int(rows, column);

    if (bytes == 0 || db_is_null(rows, column + 2))
        return 0;
    if (encoding == BODY_RAW && source.whole.ptr) {
        r->response_body = str_cut(source.whole, bytes);
        return 0;
    }
    store->preview.len = 0;
    if (buf_reserve(&store->preview, bytes, err) < 0 ||
        packer_unpack_start(&store->packer, encoding, next_piece, &source, store->preview.ptr,
                            bytes, &store->preview.len, err) < 0)
        return err_wrap(err, "request %" PRId64, r->id);
    r->response_body = (struct str){store->preview.ptr, store->preview.len};
    return 0;
}

/* What rows are for, and how many are still to be left out and to come. */
struct sink {
    struct store *store;
    size_t preview_bytes;
    store_record_fn *each;
    void *ctx;
    int64_t offset, limit;
};

static int each_row(struct sink *sink, struct db_rows *rows, struct err *err)
{
    struct record record;
    int got;

    while ((got = db_next(rows, err)) == 1) {
        int column = store_read_row(rows, &record);

        if (read_preview(sink->store, rows, column, sink->preview_bytes, &record, err) < 0 ||
            sink->each(sink->ctx, &record, err) < 0)
            return -1;
        sink->limit--;
    }
    return got;
}

/* Rows by an index. */
static int list_walk(struct sink *sink, const struct plan *p, bool oldest_first,
                     struct db_value args[LIST_ARGS + SEARCH_ARGS], struct err *err)
{
    const enum sql_id sql =
        oldest_first ? driver_sql[p->driver].oldest : driver_sql[p->driver].newest;
    struct db_rows *rows;
    int rc;

    args[18] = DB_INT(sink->limit > 0 ? sink->limit : -1);
    args[19] = DB_INT(sink->offset);
    args[20] = DB_INT(sink->preview_bytes > 0 ? INLINE_MAX : -1);
    rows = db_query(sink->store->db, sql, args, bind_words(p, args, LIST_ARGS), err);
    rc = rows ? each_row(sink, rows, err) : -1;
    db_done(rows);
    return rc;
}

static int list_row(struct sink *sink, int64_t id, struct err *err)
{
    struct db_value args[LIST_ARGS];
    struct db_rows *rows;
    int rc;

    for (size_t i = 0; i < LIST_ARGS; i++)
        args[i] = DB_NULL;
    args[0] = DB_INT(id);
    args[20] = DB_INT(sink->preview_bytes > 0 ? INLINE_MAX : -1);
    rows = db_query(sink->store->db, SQL_REQUESTS_ONE, args, LIST_ARGS, err);
    rc = rows ? each_row(sink, rows, err) : -1;
    db_done(rows);
    return rc;
}

static int list_block(struct sink *sink, const struct span *span, bool oldest_first,
                      const struct members *members, struct err *err)
{
    int64_t ids[BLOCK_ROWS];

    if (blocks_ids(sink->store, span, ids, err) < 0)
        return -1;
    for (size_t i = 0; i < BLOCK_ROWS && sink->limit > 0; i++) {
        size_t place = oldest_first ? i : BLOCK_ROWS - 1 - i;

        if (!(members->bits[place / 64] >> place % 64 & 1))
            continue;
        if (sink->offset > 0)
            sink->offset--;
        else if (list_row(sink, ids[place], err) < 0)
            return -1;
    }
    return 0;
}

/* The rows of one span that belong to the page. */
static int list_span(struct sink *sink, const struct record_filter *f, const struct plan *p,
                     const struct span *span, bool oldest_first, struct err *err)
{
    struct db_value args[LIST_ARGS + SEARCH_ARGS];
    struct members members;
    int64_t count;

    if (span->block || sink->offset > 0) {
        if (count_span(sink->store, f, p, span, &members, &count, err) < 0)
            return -1;
        if (count <= sink->offset) {
            sink->offset -= count;
            return 0;
        }
    }
    if (span->block)
        return list_block(sink, span, oldest_first, &members, err);
    bind_filter(f, p, args);
    bind_span(p, span, args);
    if (list_walk(sink, p, oldest_first, args, err) < 0)
        return -1;
    sink->offset = 0;
    return 0;
}

static int list_spans(struct sink *sink, const struct record_filter *f, const struct plan *p,
                      bool oldest_first, struct err *err)
{
    struct spans spans;
    int rc = blocks_spans(sink->store, f, p->lowest_us, p->highest_us, &spans, err);

    for (size_t i = 0; rc == 0 && i < spans.count && sink->limit > 0; i++) {
        size_t next = oldest_first ? i : spans.count - 1 - i;

        rc = list_span(sink, f, p, &spans.items[next], oldest_first, err);
    }
    free(spans.items);
    return rc;
}

/* Rows that pass the test of the filter language. */
static int list_where(struct sink *sink, const struct record_filter *f, struct plan *p,
                      bool oldest_first, struct err *err)
{
    struct db_rows *rows = where_query(sink->store, f, p, PART_WHERE_PAGE,
                                       oldest_first ? PART_WHERE_OLDEST : PART_WHERE_NEWEST,
                                       sink->limit > 0 ? sink->limit : -1, sink->offset,
                                       sink->preview_bytes > 0 ? INLINE_MAX : -1, err);
    int rc = rows ? each_row(sink, rows, err) : -1;

    db_done(rows);
    return rc;
}

int store_record_list(struct store *store, const struct record_filter *asked, bool oldest_first,
                      int64_t offset, int64_t limit, size_t preview_bytes, store_record_fn *each,
                      void *ctx, struct err *err)
{
    struct record_filter copy = *asked, *filter = &copy;
    struct sink sink = {store, preview_bytes, each, ctx, offset, limit};
    struct plan plan = {0};
    struct db_value args[LIST_ARGS + SEARCH_ARGS];
    int rc = -1;

    if (make_plan(store, filter, &plan, err) < 0)
        goto out;
    rc = 0;
    if (plan.empty)
        goto out;
    if (has_test(&plan)) {
        rc = list_where(&sink, filter, &plan, oldest_first, err);
    } else if (limit > 0 && (plan.filters > 1 || offset > store->walk_max) &&
               is_long(store, filter, &plan)) {
        rc = list_spans(&sink, filter, &plan, oldest_first, err);
    } else {
        bind_filter(filter, &plan, args);
        rc = list_walk(&sink, &plan, oldest_first, args, err);
    }
out:
    plan_clear(&plan);
    return rc;
}
