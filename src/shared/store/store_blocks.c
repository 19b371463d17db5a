#include "store/store_blocks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define BITMAP_BYTES (BLOCK_ROWS / 8)
#define WORDS (BLOCK_ROWS / 64)
/* The newest rows are put into blocks this many times smaller, which grow together. */
#define YOUNG 8
/* A request that is older and has no answer yet does not hold up the others. */
#define PENDING_US ((int64_t)600 * 1000000)

/* ---- spans ---- */

static void add_span(struct spans *s, size_t *cap, struct span span)
{
    if (span.from_us > span.to_us)
        return;
    if (s->count == *cap) {
        *cap = *cap ? *cap * 2 : 64;
        s->items = xrealloc(s->items, *cap, sizeof(*s->items));
    }
    s->items[s->count++] = span;
}

int blocks_spans(struct store *store, const struct record_filter *f, int64_t lowest_us,
                 int64_t highest_us, struct spans *out, struct err *err)
{
    /* Rows at the time of such an id may lie on either side of it. */
    int64_t first_us = f->after_id && lowest_us < INT64_MAX ? lowest_us + 1 : lowest_us;
    int64_t end_us = f->before_id || highest_us == INT64_MAX ? highest_us : highest_us + 1;
    struct db_rows *rows =
        db_query(store->db, SQL_BLOCK_LIST, DB_ARGS(DB_INT(first_us), DB_INT(end_us)), err);
    int64_t next_us = lowest_us;
    size_t cap = 0;
    int got = -1;

    *out = (struct spans){0};
    while (rows && (got = db_next(rows, err)) == 1) {
        struct span block = {db_int(rows, 1), db_int(rows, 2) - 1, db_int(rows, 0),
                             db_int(rows, 3)};

        if (block.from_us > next_us)
            add_span(out, &cap, (struct span){next_us, block.from_us - 1, 0, 0});
        add_span(out, &cap, block);
        next_us = block.to_us + 1;
    }
    db_done(rows);
    add_span(out, &cap, (struct span){next_us, highest_us, 0, 0});
    if (got == 0)
        return 0;
    free(out->items);
    *out = (struct spans){0};
    return -1;
}

/* ---- members ---- */

static void fill(struct members *m, int64_t rows)
{
    for (int64_t i = 0; i < WORDS; i++) {
        int64_t left = rows - i * 64;

        m->bits[i] = left >= 64 ? UINT64_MAX : left > 0 ? (UINT64_C(1) << left) - 1 : 0;
    }
}

static uint64_t read_number(const char *from, size_t bytes)
{
    uint64_t n = 0;

    for (size_t i = 0; i < bytes; i++)
        n |= (uint64_t)(unsigned char)from[i] << (8 * i);
    return n;
}

static void write_number(char *to, uint64_t n, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)(n >> (8 * i) & 0xFF);
}

/* Add the members that are stored to m. */
static void unpack(struct str stored, struct members *m)
{
    if (stored.len == BITMAP_BYTES) {
        for (size_t i = 0; i < WORDS; i++)
            m->bits[i] |= read_number(stored.ptr + i * 8, 8);
        return;
    }
    for (size_t i = 0; i + 1 < stored.len; i += 2) {
        uint64_t place = read_number(stored.ptr + i, 2);

        if (place < BLOCK_ROWS)
            m->bits[place / 64] |= UINT64_C(1) << place % 64;
    }
}

static struct str pack(const struct members *m, int64_t count, char out[BITMAP_BYTES])
{
    size_t len = 0;

    if ((size_t)count * 2 >= BITMAP_BYTES) {
        for (size_t i = 0; i < WORDS; i++)
            write_number(out + i * 8, m->bits[i], 8);
        return (struct str){out, BITMAP_BYTES};
    }
    for (size_t i = 0; i < WORDS; i++) {
        for (uint64_t word = m->bits[i]; word; word &= word - 1, len += 2)
            write_number(out + len, i * 64 + (uint64_t)__builtin_ctzll(word), 2);
    }
    return (struct str){out, len};
}

/* ---- matching ---- */

struct match {
    struct store *store;
    int64_t block;
    struct members *members; /* what is left */
    bool none;               /* nothing is */
    struct err *err;
};

static int collect(const struct match *m, enum sql_id sql, const struct db_value *args,
                   size_t count, struct members *found)
{
    struct db_rows *rows = db_query(m->store->db, sql, args, count, m->err);
    int got = -1;

    while (rows && (got = db_next(rows, m->err)) == 1)
        unpack(db_bytes(rows, 0), found);
    db_done(rows);
    return got;
}

static int collect_value(const struct match *m, const char *kind, struct str value,
                         struct members *found)
{
    struct str name = str_c(kind);

    return collect(m, SQL_BLOCK_MEMBERS, DB_ARGS(DB_INT(m->block), DB_TEXT(name), DB_TEXT(value)),
                   found);
}

static void keep_only(struct match *m, const struct members *found)
{
    uint64_t left = 0;

    for (size_t i = 0; i < WORDS; i++)
        left |= m->members->bits[i] &= found->bits[i];
    m->none = left == 0;
}

static int match_value(struct match *m, const char *kind, struct str value)
{
    struct members found = {0};

    if (!value.ptr || m->none)
        return 0;
    if (collect_value(m, kind, value, &found) < 0)
        return -1;
    keep_only(m, &found);
    return 0;
}

static int match_int(struct match *m, const char *kind, bool on, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return match_value(m, kind, on ? str_c(text) : STR_NONE);
}

static int match_provider(struct match *m, struct str provider)
{
    struct members found = {0};

    if (!provider.ptr || m->none)
        return 0;
    if (collect_value(m, "provider", provider, &found) < 0 ||
        collect_value(m, "provider_name", provider, &found) < 0)
        return -1;
    keep_only(m, &found);
    return 0;
}

static int match_endpoint(struct match *m, struct str part)
{
    struct members found = {0};

    if (!part.ptr || m->none)
        return 0;
    if (collect(m, SQL_BLOCK_ENDPOINTS, DB_ARGS(DB_INT(m->block), DB_TEXT(part)), &found) < 0)
        return -1;
    keep_only(m, &found);
    return 0;
}

static int match_sort(struct match *m, bool on, const char *sort)
{
    return match_value(m, "sort", on ? str_c(sort) : STR_NONE);
}

bool blocks_know(const struct record_filter *f)
{
    return f->model.len <= FACET_MAX_BYTES && f->route.len <= FACET_MAX_BYTES &&
           f->provider.len <= FACET_MAX_BYTES;
}

int64_t blocks_match(struct store *store, const struct span *span, const struct record_filter *f,
                     struct str endpoint, struct str part, struct members *out, struct err *err)
{
    struct match m = {store, span->block, out, false, err};
    int64_t count = 0;

    fill(out, span->rows);
    /* What is in few blocks comes first: nothing is looked up for a block that has none left. */
    if (match_int(&m, "run", f->has_run, f->run) < 0 || match_value(&m, "model", f->model) < 0 ||
        match_sort(&m, f->error, "error") < 0 || match_sort(&m, f->image, "image") < 0 ||
        match_sort(&m, f->large, "large") < 0 || match_provider(&m, f->provider) < 0 ||
        match_value(&m, "route", f->route) < 0 ||
        match_int(&m, "status", f->has_status, f->status) < 0 ||
        match_sort(&m, f->tool, "tool") < 0 || match_sort(&m, f->slow, "slow") < 0 ||
        match_sort(&m, f->stream, "stream") < 0 || match_value(&m, "endpoint", endpoint) < 0 ||
        match_endpoint(&m, part) < 0)
        return -1;
    for (size_t i = 0; i < WORDS; i++)
        count += __builtin_popcountll(out->bits[i]);
    return count;
}

int blocks_ids(struct store *store, const struct span *span, int64_t *ids, struct err *err)
{
    struct db_rows *rows =
        db_query(store->db, SQL_BLOCK_MEMBERS,
                 DB_ARGS(DB_INT(span->block), DB_TEXT(STR("ids")), DB_TEXT(STR(""))), err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1) {
        struct str stored = db_bytes(rows, 0);

        for (size_t i = 0; i < BLOCK_ROWS; i++)
            ids[i] = i * 8 < stored.len ? (int64_t)read_number(stored.ptr + i * 8, 8) : 0;
    }
    db_done(rows);
    if (got == 0)
        return err_set(err, ERR_CORRUPT, "block %" PRId64 " has no ids", span->block);
    return got < 0 ? -1 : 0;
}

/* ---- making a block ---- */

/* A value that rows of the block have. */
struct entry {
    const char *kind;
    struct str value;
    uint32_t hash;
    int64_t count, last_us, cost_pusd;
    struct members members;
};

struct block {
    int64_t from_us, to_us, rows;
    struct entry **slots; /* hash table, cap a power of two */
    size_t cap, used;
    struct arena arena;
    int64_t ids[BLOCK_ROWS];
};

static uint32_t hash_value(const char *kind, struct str value)
{
    uint32_t hash = 2166136261u;

    for (; *kind; kind++)
        hash = (hash ^ (unsigned char)*kind) * 16777619u;
    for (size_t i = 0; i < value.len; i++)
        hash = (hash ^ (unsigned char)value.ptr[i]) * 16777619u;
    return hash;
}

static struct entry **find(struct entry **slots, size_t cap, uint32_t hash, const char *kind,
                           struct str value)
{
    size_t i = hash & (cap - 1);

    while (slots[i] && (slots[i]->hash != hash || strcmp(slots[i]->kind, kind) != 0 ||
                        !str_eq(slots[i]->value, value)))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

/* The size is bounded by the rows of a block. */
static void make_room(struct block *b)
{
    size_t cap = b->cap ? b->cap * 2 : 256;
    struct entry **slots;

    if (b->used * 2 < b->cap)
        return;
    slots = xcalloc(cap, sizeof(struct entry *));
    for (size_t i = 0; i < b->cap; i++) {
        struct entry *e = b->slots[i];

        if (e)
            *find(slots, cap, e->hash, e->kind, e->value) = e;
    }
    free(b->slots);
    b->slots = slots;
    b->cap = cap;
}

/* The row that is being added has a value. kind lives on. */
static int add_value(struct block *b, const char *kind, struct str value, int64_t created_us,
                     int64_t cost_pusd, struct err *err)
{
    uint32_t hash = hash_value(kind, value);
    struct entry **slot;

    if (!value.ptr || value.len > FACET_MAX_BYTES)
        return 0;
    make_room(b);
    slot = find(b->slots, b->cap, hash, kind, value);
    if (!*slot) {
        struct entry *e = arena_alloc(&b->arena, sizeof(*e));
        struct str copy = arena_dup(&b->arena, value);

        if (!e || !copy.ptr)
            return err_set(err, ERR_NO_MEMORY, "no memory to sum up requests");
        *e = (struct entry){.kind = kind, .value = copy, .hash = hash};
        *slot = e;
        b->used++;
    }
    (*slot)->members.bits[b->rows / 64] |= UINT64_C(1) << b->rows % 64;
    (*slot)->count++;
    (*slot)->last_us = created_us;
    if (__builtin_add_overflow((*slot)->cost_pusd, cost_pusd, &(*slot)->cost_pusd))
        (*slot)->cost_pusd = INT64_MAX;
    return 0;
}

/* Columns of block_rows. */
static int add_row(struct block *b, struct db_rows *rows, struct err *err)
{
    enum { CREATED = 1, TEXTS, PROVIDER = TEXTS + 3, SORTS = TEXTS + 7, COST = SORTS + 6 };
    static const char *const kinds[COST] = {
        "",    "",       "model", "endpoint", "route", "provider", "provider_name", "status",
        "run", "stream", "image", "tool",     "error", "slow",     "large"};
    int64_t created_us = db_int(rows, CREATED);

    for (int column = TEXTS; column < COST; column++) {
        bool is_sort = column >= SORTS;
        struct str value = is_sort ? str_c(kinds[column]) : db_bytes(rows, column);

        if (is_sort && !db_int(rows, column))
            continue;
        if (add_value(b, is_sort ? "sort" : kinds[column], value, created_us,
                      column == PROVIDER ? db_int(rows, COST) : 0, err) < 0)
            return -1;
    }
    b->ids[b->rows++] = db_int(rows, 0);
    return 0;
}

static int read_rows(struct store *store, struct block *b, struct err *err)
{
    struct db_rows *rows =
        db_query(store->db, SQL_BLOCK_ROWS, DB_ARGS(DB_INT(b->from_us), DB_INT(b->to_us)), err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1 && b->rows < BLOCK_ROWS) {
        if (add_row(b, rows, err) < 0) {
            got = -1;
            break;
        }
    }
    db_done(rows);
    return got < 0 ? -1 : 0;
}

static int write_values(struct store *store, const struct block *b, int64_t id, struct err *err)
{
    char ids[BLOCK_ROWS * 8], packed[BITMAP_BYTES];
    struct str all = {ids, (size_t)b->rows * 8};

    for (int64_t i = 0; i < b->rows; i++)
        write_number(ids + i * 8, (uint64_t)b->ids[i], 8);
    if (db_run(store->db, SQL_BLOCK_VALUE_ADD,
               DB_ARGS(DB_INT(id), DB_TEXT(STR("ids")), DB_TEXT(STR("")), DB_BLOB(all),
                       DB_INT(b->rows), DB_INT(0), DB_INT(0)),
               err) < 0)
        return -1;
    for (size_t i = 0; i < b->cap; i++) {
        const struct entry *e = b->slots[i];
        struct str kind, members;

        if (!e)
            continue;
        kind = str_c(e->kind);
        members = pack(&e->members, e->count, packed);
        if (db_run(store->db, SQL_BLOCK_VALUE_ADD,
                   DB_ARGS(DB_INT(id), DB_TEXT(kind), DB_TEXT(e->value), DB_BLOB(members),
                           DB_INT(e->count), DB_INT(e->last_us), DB_INT(e->cost_pusd)),
                   err) < 0)
            return -1;
    }
    return 0;
}

/* The number that a statement finds, or otherwise. */
static int get_number(struct store *store, enum sql_id sql, const struct db_value *args,
                      size_t count, int64_t otherwise, int64_t *out, struct err *err)
{
    struct db_rows *rows = db_query(store->db, sql, args, count, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got >= 0)
        *out = got == 1 && !db_is_null(rows, 0) ? db_int(rows, 0) : otherwise;
    db_done(rows);
    return got < 0 ? -1 : 0;
}

/* When the row was created that has so many before it in a span; INT64_MAX: there is none. */
static int row_at(struct store *store, int64_t from_us, int64_t end_us, int64_t before,
                  int64_t *out, struct err *err)
{
    return get_number(store, SQL_BLOCK_ROW_AT,
                      DB_ARGS(DB_INT(from_us), DB_INT(end_us), DB_INT(before)), INT64_MAX, out,
                      err);
}

static int write_block(struct store *store, const struct block *b, struct err *err)
{
    int64_t id;

    if (db_run(store->db, SQL_BLOCK_DELETE, DB_ARGS(DB_INT(b->from_us), DB_INT(b->to_us)), err) < 0)
        return -1;
    if (get_number(store, SQL_BLOCK_ADD,
                   DB_ARGS(DB_INT(b->from_us), DB_INT(b->to_us), DB_INT(b->rows)), 0, &id, err) < 0)
        return -1;
    return write_values(store, b, id, err);
}

/* The first span that no block covers; *end_us is INT64_MAX for the newest rows. */
static int find_gap(struct store *store, int64_t *from_us, int64_t *end_us, struct err *err)
{
    struct db_rows *rows;
    int got;

    *from_us = INT64_MIN;
    if (get_number(store, SQL_BLOCK_FIRST, DB_NO_ARGS, INT64_MAX, end_us, err) < 0)
        return -1;
    if (*end_us != INT64_MIN)
        return 0;
    rows = db_query(store->db, SQL_BLOCK_GAP, DB_NO_ARGS, err);
    got = rows ? db_next(rows, err) : -1;
    if (got == 1) {
        *from_us = db_int(rows, 0);
        *end_us = db_is_null(rows, 1) ? INT64_MAX : db_int(rows, 1);
    }
    db_done(rows);
    if (got == 0)
        return err_set(err, ERR_CORRUPT, "request_blocks has no end");
    return got < 0 ? -1 : 0;
}

/* Where a block of so many rows ends that starts at from_us and has rest rows behind it in the same
 * span; INT64_MAX: there is none. Those that wait for an answer come into no block of the newest.
 */
static int end_of_full(struct store *store, int64_t from_us, int64_t limit_us, int64_t rows,
                       int64_t rest, int64_t *end_us, struct err *err)
{
    int64_t rest_us = 0;

    if (rest && row_at(store, from_us, INT64_MAX, rows + rest, &rest_us, err) < 0)
        return -1;
    if (rest_us == INT64_MAX) {
        *end_us = INT64_MAX;
        return 0;
    }
    if (row_at(store, from_us, limit_us, rows, end_us, err) < 0)
        return -1;
    if (*end_us == from_us) /* more rows at one time than a block has */
        *end_us = INT64_MAX;
    return 0;
}

/* The small blocks at the end become one when they have the rows of one. */
static int merge(struct store *store, struct block *b, struct err *err)
{
    struct db_rows *rows =
        db_query(store->db, SQL_BLOCK_YOUNG, DB_ARGS(DB_INT(store->block_rows / YOUNG)), err);
    int got = rows ? db_next(rows, err) : -1;

    b->to_us = INT64_MAX;
    if (got == 1 && db_int(rows, 0) >= YOUNG && db_int(rows, 3) <= store->block_rows) {
        b->from_us = db_int(rows, 1);
        b->to_us = db_int(rows, 2);
    }
    db_done(rows);
    return got < 0 ? -1 : 0;
}

/* Of the newest rows: as many as a block has, or few, or few blocks together. */
static int find_newest(struct store *store, struct block *b, int64_t now_us, struct err *err)
{
    int64_t limit_us;

    if (get_number(store, SQL_BLOCK_PENDING, DB_ARGS(DB_INT(now_us - PENDING_US)), INT64_MAX,
                   &limit_us, err) < 0 ||
        end_of_full(store, b->from_us, limit_us, store->block_rows, store->block_rest, &b->to_us,
                    err) < 0)
        return -1;
    if (b->to_us == INT64_MAX && end_of_full(store, b->from_us, limit_us, store->block_rows / YOUNG,
                                             store->block_rest, &b->to_us, err) < 0)
        return -1;
    return b->to_us == INT64_MAX ? merge(store, b, err) : 0;
}

/* Of rows that have blocks behind them: all, or as many as a block has. */
static int find_between(struct store *store, struct block *b, int64_t end_us, struct err *err)
{
    if (get_number(store, SQL_BLOCK_SMALL,
                   DB_ARGS(DB_INT(b->from_us), DB_INT(store->block_rows / YOUNG)), b->from_us,
                   &b->from_us, err) < 0 ||
        row_at(store, b->from_us, end_us, store->block_rows, &b->to_us, err) < 0)
        return -1;
    if (b->to_us == INT64_MAX)
        b->to_us = end_us;
    else if (b->to_us == b->from_us) /* more rows at one time than a block has */
        b->to_us = INT64_MAX;
    return 0;
}

static int build(struct store *store, struct block *b, int64_t now_us, bool *more, struct err *err)
{
    int64_t end_us;

    *more = false;
    if (find_gap(store, &b->from_us, &end_us, err) < 0)
        return -1;
    if ((end_us == INT64_MAX ? find_newest(store, b, now_us, err)
                             : find_between(store, b, end_us, err)) < 0)
        return -1;
    if (b->to_us == INT64_MAX) /* nothing has come to rest */
        return 0;
    *more = true;
    return read_rows(store, b, err) < 0 ? -1 : write_block(store, b, err);
}

int store_blocks_build(struct store *store, int64_t now_us, bool *more, struct err *err)
{
    struct block *b;
    bool own;
    int rc;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    b = xcalloc(1, sizeof(*b));
    rc = store_end_own(store, own, build(store, b, now_us, more, err), err);
    arena_clear(&b->arena);
    free(b->slots);
    free(b);
    return rc;
}
