/* One captured exchange in and out. The order of columns is the order of core/record.h. */
#include <inttypes.h>
#include <stdio.h>

#include "store/store_priv.h"

#define X(kind, name) +1
enum {
    ARRIVAL_COUNT = 0 RECORD_ARRIVAL_FIELDS(X),
    OUTCOME_COUNT = 0 RECORD_OUTCOME_FIELDS(X),
};
#undef X

#define BIND_INT(name) store_int(r->name)
#define BIND_BOOL(name) DB_INT(r->name)
#define BIND_TEXT(name) DB_TEXT(r->name)

/* ---- what counters and facets see of a row ---- */

struct marks {
    bool counted[COUNTER_COUNT];
};

static struct marks marks_of(const struct record *r)
{
    int64_t tokens =
        r->billing_total_tokens != UNKNOWN ? r->billing_total_tokens : r->estimated_input_tokens;

    return (struct marks){.counted = {
                              [COUNTER_TOTAL] = true,
                              [COUNTER_STREAMS] = r->is_stream,
                              [COUNTER_IMAGES] = r->has_images,
                              [COUNTER_TOOLS] = r->has_tool_calls,
                              [COUNTER_ERRORS] = record_failed(r),
                              [COUNTER_SLOW] = r->duration_ms >= 10000,
                              [COUNTER_LARGE] = tokens >= 10000,
                          }};
}

static void count_marks(struct deltas *d, const struct marks *marks, int64_t count)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        d->counters[i] += marks->counted[i] ? count : 0;
}

static int count_provider(struct deltas *d, struct str slug, struct str name, int64_t count,
                          struct err *err)
{
    if (!slug.ptr && !name.ptr)
        return 0;
    return deltas_facet(d, FACET_PROVIDER, slug.ptr ? slug : STR(""), name, count, err);
}

/* What the groups of a run count: its id is the value, what they are grouped by the label. */
static int count_in_run(struct deltas *d, unsigned kind, int64_t run_id, struct str label,
                        int64_t count, struct err *err)
{
    char run[24];

    if (run_id == UNKNOWN)
        return 0;
    snprintf(run, sizeof(run), "%" PRId64, run_id);
    return deltas_facet(d, kind, str_c(run), label, count, err);
}

static int count_status(struct deltas *d, int64_t run_id, int64_t status, int64_t count,
                        struct err *err)
{
    char text[24] = "";

    if (status != UNKNOWN)
        snprintf(text, sizeof(text), "%" PRId64, status);
    if (count_in_run(d, FACET_RUN_STATUS, run_id, str_c(text), count, err) < 0)
        return -1;
    return deltas_facet_int(d, FACET_STATUS, status, count, err);
}

static int count_arrival(struct deltas *d, const struct record *r, int64_t count, struct err *err)
{
    if (deltas_facet(d, FACET_MODEL, r->model, STR_NONE, count, err) < 0 ||
        deltas_facet(d, FACET_ENDPOINT, r->endpoint, STR_NONE, count, err) < 0 ||
        deltas_facet(d, FACET_ROUTE, r->model_route, STR_NONE, count, err) < 0)
        return -1;
    if (count_in_run(d, FACET_RUN_MODEL, r->task_run_id, r->model, count, err) < 0 ||
        count_in_run(d, FACET_RUN_ENDPOINT, r->task_run_id, r->endpoint, count, err) < 0)
        return -1;
    return deltas_facet_int(d, FACET_RUN, r->task_run_id, count, err);
}

static int count_outcome(struct deltas *d, const struct record *r, int64_t count, struct err *err)
{
    if (count_status(d, r->task_run_id, r->response_status, count, err) < 0)
        return -1;
    return count_provider(d, r->billing_provider_slug, r->billing_provider_name, count, err);
}

int store_count_row(struct deltas *d, const struct record *r, int64_t count, struct err *err)
{
    struct marks marks = marks_of(r);

    if (count_arrival(d, r, count, err) < 0 || count_outcome(d, r, count, err) < 0)
        return -1;
    count_marks(d, &marks, count);
    return 0;
}

static int64_t int_or_unknown(struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
}

void store_read_counted(struct db_rows *rows, struct record *out)
{
    record_init(out);
    out->id = db_int(rows, 0);
    out->model = db_bytes(rows, 1);
    out->endpoint = db_bytes(rows, 2);
    out->model_route = db_bytes(rows, 3);
    out->billing_provider_slug = db_bytes(rows, 4);
    out->billing_provider_name = db_bytes(rows, 5);
    out->response_status = int_or_unknown(rows, 6);
    out->task_run_id = int_or_unknown(rows, 7);
    out->is_stream = db_int(rows, 8);
    out->has_images = db_int(rows, 9);
    out->has_tool_calls = db_int(rows, 10);
    out->error = db_bytes(rows, 11);
    out->upstream_error_message = db_bytes(rows, 12);
    out->duration_ms = int_or_unknown(rows, 13);
    out->ttft_ms = int_or_unknown(rows, 14);
    out->completed_us = int_or_unknown(rows, 15);
    out->estimated_input_tokens = int_or_unknown(rows, 16);
    out->billing_input_tokens = int_or_unknown(rows, 17);
    out->billing_cached_input_tokens = int_or_unknown(rows, 18);
    out->billing_output_tokens = int_or_unknown(rows, 19);
    out->billing_reasoning_tokens = int_or_unknown(rows, 20);
    out->billing_total_tokens = int_or_unknown(rows, 21);
    out->billing_total_cost_pusd = int_or_unknown(rows, 22);
    out->reported_cost_pusd = int_or_unknown(rows, 23);
}

/* ---- insert ---- */

/* A body as the three values that are stored of it. */
static void bind_body(struct store *store, unsigned slot, struct str body, struct db_value *to)
{
    enum body_encoding encoding;
    struct str stored;

    if (!body.ptr) {
        to[0] = DB_INT(BODY_RAW);
        to[1] = to[2] = DB_NULL;
        return;
    }
    stored = packer_pack(&store->packer, slot, body, &encoding);
    to[0] = DB_INT(encoding);
    to[1] = DB_INT((int64_t)body.len);
    to[2] = DB_BLOB(stored);
}

static int insert_bodies(struct store *store, const struct record *r, struct err *err)
{
    struct db_value args[12] = {DB_INT(r->id), DB_TEXT(r->request_headers_json),
                                DB_TEXT(r->response_headers_json)};

    bind_body(store, 0, r->request_body, &args[3]);
    bind_body(store, 1, r->response_body, &args[6]);
    bind_body(store, 2, r->upstream_response_body, &args[9]);
    return db_run(store->db, SQL_BODY_INSERT, args, 12, err);
}

static int insert_row(struct store *store, const struct record *r, struct err *err)
{
    const struct db_value args[] = {DB_INT(r->id),
#define X(kind, name) BIND_##kind(name),
                                    RECORD_ARRIVAL_FIELDS(X) RECORD_OUTCOME_FIELDS(X)
#undef X
    };

    return db_run(store->db, SQL_REQUEST_INSERT, args, sizeof(args) / sizeof(*args), err);
}

static int insert_all(struct store *store, const struct record *r, struct err *err)
{
    if (insert_row(store, r, err) < 0 || insert_bodies(store, r, err) < 0 ||
        store_count_row(&store->deltas, r, 1, err) < 0 ||
        spending_count(&store->spending, r, 1, err) < 0)
        return err_wrap(err, "store request %" PRId64, r->id);
    run_deltas_count(&store->run_deltas, r, 1);
    return 0;
}

int store_record_insert(struct store *store, const struct record *r, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, insert_all(store, r, err), err);
}

/* ---- complete ---- */

/* Take out of the counts what the pending row put in and may change now. *stored gets the arrival
 * fields that counts depend on: they are as they were inserted. */
static int uncount_pending(struct store *store, int64_t id, struct record *stored, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_REQUEST_COUNTED, DB_ARGS(DB_INT(id)), err);
    int got = rows ? db_next(rows, err) : -1, rc = -1;
    struct record before;
    struct marks marks;

    if (got == 0)
        err_set(err, ERR_NOT_FOUND, "no request %" PRId64, id);
    if (got != 1)
        goto out;
    store_read_counted(rows, &before);
    rc = count_outcome(&store->deltas, &before, -1, err);
    marks = marks_of(&before);
    count_marks(&store->deltas, &marks, -1);
    run_deltas_count(&store->run_deltas, &before, -1);
    stored->task_run_id = before.task_run_id;
    stored->has_images = before.has_images;
    stored->estimated_input_tokens = before.estimated_input_tokens;
out:
    db_done(rows);
    return rc;
}

static int update_row(struct store *store, const struct record *r, struct err *err)
{
    const struct db_value args[] = {DB_INT(r->id),
#define X(kind, name) BIND_##kind(name),
                                    RECORD_OUTCOME_FIELDS(X)
#undef X
    };

    return db_run(store->db, SQL_REQUEST_COMPLETE, args, sizeof(args) / sizeof(*args), err);
}

static int update_bodies(struct store *store, const struct record *r, struct err *err)
{
    struct db_value args[8] = {DB_INT(r->id), DB_TEXT(r->response_headers_json)};

    bind_body(store, 1, r->response_body, &args[2]);
    bind_body(store, 2, r->upstream_response_body, &args[5]);
    return db_run(store->db, SQL_BODY_COMPLETE, args, 8, err);
}

static int complete_all(struct store *store, const struct record *r, struct err *err)
{
    struct record counted = *r;
    struct marks marks;

    if (uncount_pending(store, r->id, &counted, err) < 0 || update_row(store, r, err) < 0 ||
        update_bodies(store, r, err) < 0 || count_outcome(&store->deltas, &counted, 1, err) < 0 ||
        spending_count(&store->spending, r, 1, err) < 0) /* pending, it had come to nothing */
        return err_wrap(err, "complete request %" PRId64, r->id);
    marks = marks_of(&counted);
    count_marks(&store->deltas, &marks, 1);
    run_deltas_count(&store->run_deltas, &counted, 1);
    return 0;
}

int store_record_complete(struct store *store, const struct record *r, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, complete_all(store, r, err), err);
}

/* In the sums of their runs they are ended, and failed. */
static int count_closed(struct store *store, int64_t now_us, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_REQUEST_PENDING_IN_RUNS, DB_NO_ARGS, err);
    struct record r;
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        store_read_counted(rows, &r);
        run_deltas_count(&store->run_deltas, &r, -1);
        r.completed_us = now_us;
        r.error = STR("interrupted");
        run_deltas_count(&store->run_deltas, &r, 1);
    }
    db_done(rows);
    return got;
}

static int close_pending(struct store *store, int64_t now_us, int64_t *count, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_REQUEST_PENDING_FLAGS, DB_NO_ARGS, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        store->deltas.counters[COUNTER_ERRORS] += db_int(rows, 0);
    db_done(rows);
    if (got < 0 || count_closed(store, now_us, err) < 0 ||
        db_run(store->db, SQL_REQUEST_CLOSE_PENDING, DB_ARGS(DB_INT(now_us)), err) < 0)
        return -1;
    *count = db_changes(store->db);
    return 0;
}

int store_close_pending(struct store *store, int64_t now_us, int64_t *count, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, close_pending(store, now_us, count, err), err);
}

/* ---- get ---- */

static int get_body(struct store *store, struct db_rows *rows, int column, struct arena *arena,
                    struct str *out, struct err *err)
{
    if (db_is_null(rows, column + 2))
        return 0;
    return packer_unpack(&store->packer, db_bytes(rows, column + 2),
                         (enum body_encoding)db_int(rows, column), (size_t)db_int(rows, column + 1),
                         arena, out, err);
}

static int keep_text(struct arena *arena, struct str *text, struct err *err)
{
    if (text->ptr) {
        *text = arena_dup(arena, *text);
        if (!text->ptr)
            return err_set(err, ERR_NO_MEMORY, "no memory to read a request");
    }
    return 0;
}

static int keep_texts(struct record *r, struct arena *arena, struct err *err)
{
#define KEEP_INT(name)
#define KEEP_BOOL(name)
#define KEEP_TEXT(name)                                                                            \
    if (keep_text(arena, &r->name, err) < 0)                                                       \
        return -1;
#define X(kind, name) KEEP_##kind(name)
    RECORD_ARRIVAL_FIELDS(X)
    RECORD_OUTCOME_FIELDS(X)
    KEEP_TEXT(request_headers_json)
    KEEP_TEXT(response_headers_json)
#undef X
    return 0;
}

static int load(struct store *store, struct db_rows *rows, struct arena *arena, struct record *out,
                struct err *err)
{
    int column = store_read_row(rows, out);

    out->request_headers_json = db_bytes(rows, column);
    out->response_headers_json = db_bytes(rows, column + 1);
    if (keep_texts(out, arena, err) < 0 ||
        get_body(store, rows, column + 2, arena, &out->request_body, err) < 0 ||
        get_body(store, rows, column + 5, arena, &out->response_body, err) < 0 ||
        get_body(store, rows, column + 8, arena, &out->upstream_response_body, err) < 0)
        return err_wrap(err, "request %" PRId64, out->id);
    return 0;
}

int store_record_get(struct store *store, int64_t id, struct arena *arena, struct record *out,
                     struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_REQUEST_GET, DB_ARGS(DB_INT(id)), err);
    int got = rows ? db_next(rows, err) : -1, rc = -1;
    struct record record;

    if (got == 0)
        err_set(err, ERR_NOT_FOUND, "no request %" PRId64, id);
    if (got == 1)
        rc = load(store, rows, arena, &record, err);
    if (rc == 0)
        *out = record;
    db_done(rows);
    return rc;
}
