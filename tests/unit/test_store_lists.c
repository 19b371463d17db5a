#include "store/store_priv.h"
#include "store/store_routing.h"
#include "store_helpers.h"

#define ROWS 240

struct got {
    int64_t ids[ROWS + 1];
    size_t count;
    int64_t stop_at;
};

static int collect(void *ctx, const struct record *r, struct err *err)
{
    struct got *got = ctx;

    assert_true(got->count < ROWS);
    got->ids[got->count++] = r->id;
    if (r->id == got->stop_at)
        return err_set(err, ERR_FAILED, "stop");
    return 0;
}

/* Rows of every sort, in combinations that differ from row to row. */
static struct record varied(int64_t id)
{
    struct record r = sample(id);

    r.created_us = INT64_C(1900000000000000) + id / 2 * 1000; /* pairs share a time */
    r.model = id % 3 ? STR("tiny-chat") : id % 2 ? STR("Big") : STR_NONE;
    r.model_route = id % 4 ? STR_NONE : STR("tiny-*");
    r.endpoint = id % 5   ? STR("/v1/chat/completions")
                 : id % 2 ? STR("/v1/embeddings")
                          : STR("/v1/Chat_100%");
    r.response_status = id % 7 ? 200 : id % 2 ? 404 : 503;
    r.task_run_id = id % 6 ? UNKNOWN : 2;
    r.billing_provider_slug = id % 8 == 0 ? STR("lab") : id % 8 == 1 ? STR("cloud") : STR_NONE;
    r.billing_provider_name = id % 8 == 0   ? STR("Lab GPU")
                              : id % 8 == 1 ? STR("Cloud")
                              : id % 8 == 2 ? STR("Solo")
                                            : STR_NONE;
    r.is_stream = id % 2;
    r.has_images = id % 9 == 0;
    r.has_tool_calls = id % 10 == 0;
    r.error = id % 31 ? STR_NONE : STR("connection refused");
    r.upstream_error_message = id % 37 ? STR_NONE : STR("overloaded");
    r.duration_ms = id % 11 ? 50 : 10000;
    r.estimated_input_tokens = id % 13 ? 10 : 10000;
    if (id % 29 == 0)
        r.response_status = r.completed_us = r.duration_ms = UNKNOWN;
    return r;
}

static bool contains(struct str text, struct str part)
{
    return str_ifind(text, part) >= 0;
}

/* The meaning of a filter, without a database. */
static bool matches(const struct record *r, const struct record_filter *f)
{
    return (!f->endpoint.ptr || contains(r->endpoint, f->endpoint)) &&
           (!f->model.ptr || (r->model.ptr && str_eq(r->model, f->model))) &&
           (!f->route.ptr || (r->model_route.ptr && str_eq(r->model_route, f->route))) &&
           (!f->provider.ptr ||
            (r->billing_provider_slug.ptr && str_eq(r->billing_provider_slug, f->provider)) ||
            (r->billing_provider_name.ptr && str_eq(r->billing_provider_name, f->provider))) &&
           (!f->has_status || r->response_status == f->status) &&
           (!f->has_run || r->task_run_id == f->run) && (!f->stream || r->is_stream) &&
           (!f->image || r->has_images) && (!f->tool || r->has_tool_calls) &&
           (!f->error || record_failed(r)) &&
           (!f->slow || (r->duration_ms != UNKNOWN && r->duration_ms >= 10000)) &&
           (!f->large || r->estimated_input_tokens >= 10000) &&
           (!f->after_id || r->id > f->after_id) && (!f->before_id || r->id < f->before_id) &&
           (!f->since_us || r->created_us >= f->since_us) &&
           (!f->until_us || r->created_us < f->until_us);
}

static void check_filter(struct store *store, const struct record_filter *f)
{
    struct got got = {0};
    struct err err;
    int64_t count;
    size_t n = 0;

    OK(store_record_list(store, f, false, 0, 0, 0, collect, &got, &err));
    for (int64_t id = ROWS; id > 0; id--) {
        struct record r = varied(id);

        if (!matches(&r, f))
            continue;
        if (n >= got.count || got.ids[n] != id)
            fail_msg("row %d should be %d", (int)n, (int)id);
        n++;
    }
    assert_int_equal(got.count, n);
    OK(store_record_count(store, f, &count, &err));
    assert_int_equal(count, n);
    got = (struct got){0};
    OK(store_record_list(store, f, true, 1, 3, 0, collect, &got, &err));
    assert_int_equal(got.count, n < 2 ? 0 : n < 4 ? n - 1 : 3);
    for (size_t i = 1; i < got.count; i++)
        assert_true(got.ids[i] > got.ids[i - 1]);
}

static struct store *fill(const char *path)
{
    struct store *store = open_new(path);
    struct err err;

    if (!db_is_memory(path))
        run_sql(path, "INSERT INTO task_runs (id, name, started_us) VALUES (2, 'r', 1)");
    OK(store_begin(store, &err));
    for (int64_t id = 1; id <= ROWS; id++) {
        struct record r = varied(id);

        OK(store_record_insert(store, &r, &err));
    }
    OK(store_commit(store, &err));
    return store;
}

/* Filter number n; each is on its own once, and then they are mixed. */
static void set_filter(struct record_filter *f, unsigned n)
{
    const int64_t base = INT64_C(1900000000000000);

    switch (n) {
    case 0:
        f->endpoint = STR("CHAT");
        break;
    case 1:
        f->endpoint = STR("embed");
        break;
    case 2:
        f->endpoint = STR("_100%");
        break;
    case 3:
        f->endpoint = STR("nowhere");
        break;
    case 4:
        f->model = STR("tiny-chat");
        break;
    case 5:
        f->model = STR("big");
        break;
    case 6:
        f->route = STR("tiny-*");
        break;
    case 7:
        f->provider = STR("lab");
        break;
    case 8:
        f->provider = STR("Lab GPU");
        break;
    case 9:
        f->provider = STR("Solo");
        break;
    case 10:
        f->has_status = true;
        f->status = 200;
        break;
    case 11:
        f->has_status = true;
        f->status = 503;
        break;
    case 12:
        f->has_run = true;
        f->run = 2;
        break;
    case 13:
        f->stream = true;
        break;
    case 14:
        f->image = true;
        break;
    case 15:
        f->tool = true;
        break;
    case 16:
        f->error = true;
        break;
    case 17:
        f->slow = true;
        break;
    case 18:
        f->large = true;
        break;
    case 19:
        f->after_id = 100;
        break;
    case 20:
        f->before_id = 201;
        break;
    case 21:
        f->since_us = base + 30000;
        break;
    case 22:
        f->until_us = base + 90000;
        break;
    default:
        break;
    }
}
#define FILTERS 23

static void every_filter_alone_and_in_pairs_finds_what_it_means(void **state)
{
    const struct folder *f = *state;
    struct store *store = fill(f->db);

    check_filter(store, &(struct record_filter){0});
    for (unsigned a = 0; a < FILTERS; a++) {
        for (unsigned b = a; b < FILTERS; b++) {
            struct record_filter filter = {0};

            set_filter(&filter, a);
            set_filter(&filter, b);
            check_filter(store, &filter);
        }
    }
    store_close(store);
}

/* Small blocks, and no list is too short for them. */
static void build_blocks(struct store *store)
{
    bool more = true;
    struct err err;

    store->block_rows = 25; /* pairs share a time: some blocks have 24 rows */
    store->block_rest = 20;
    store->walk_max = 0;
    while (more)
        OK(store_blocks_build(store, INT64_C(1900003600000000), &more, &err));
}

static void check_pages(struct store *store, const struct record_filter *filter)
{
    struct got all = {0}, page;
    struct err err;

    OK(store_record_list(store, filter, false, 0, 0, 0, collect, &all, &err));
    for (size_t offset = 0; offset <= all.count; offset += 7) {
        page = (struct got){0};
        OK(store_record_list(store, filter, false, (int64_t)offset, 9, 0, collect, &page, &err));
        assert_int_equal(page.count, all.count - offset < 9 ? all.count - offset : 9);
        for (size_t i = 0; i < page.count; i++)
            assert_int_equal(page.ids[i], all.ids[offset + i]);
    }
}

static void blocks_say_what_the_table_says(void **state)
{
    const struct folder *f = *state;
    struct store *store = fill(f->db);

    build_blocks(store);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM request_blocks"), 9);
    for (unsigned a = 0; a < 32; a++) {
        for (unsigned b = a; b < 32; b++) {
            struct record_filter filter = {0};

            set_filter(&filter, a);
            set_filter(&filter, b);
            check_filter(store, &filter);
            check_pages(store, &filter);
        }
    }
    store_close(store);
}

static void blocks_of_new_rows_grow_together(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct err err;

    run_sql(f->db, "INSERT INTO task_runs (id, name, started_us) VALUES (2, 'r', 1)");
    store->block_rows = 24;
    store->block_rest = 4;
    store->walk_max = 0;
    for (int64_t id = 1; id <= ROWS; id++) {
        struct record r = varied(id);
        bool more = true;

        OK(store_record_insert(store, &r, &err));
        while (more)
            OK(store_blocks_build(store, r.created_us + INT64_C(3600000000), &more, &err));
        assert_in_range(query_number(f->db, "SELECT count(*) FROM request_blocks"), 0,
                        (uint64_t)id / 12 + 10);
    }
    assert_in_range(query_number(f->db, "SELECT sum(request_count) FROM request_blocks"), ROWS - 8,
                    ROWS - 4);
    for (unsigned a = 0; a < FILTERS; a++) {
        struct record_filter filter = {0};

        set_filter(&filter, a);
        check_filter(store, &filter);
        check_pages(store, &filter);
    }
    store_close(store);
}

static void a_block_is_dropped_when_a_row_of_it_changes_and_made_again(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM requests WHERE id = 100",
        "UPDATE requests SET has_images = 1 WHERE id = 101",
        "UPDATE requests SET response_status = 418 WHERE id = 30",
        "UPDATE requests SET created_us = 1900000000015000 WHERE id = 150",
        "UPDATE requests SET task_run_id = NULL WHERE id = 6",
        ("INSERT INTO requests (id, created_us, method, endpoint, model)"
         " SELECT 1000, created_us, method, endpoint, 'late' FROM requests WHERE id = 60"),
        "DELETE FROM requests WHERE id < 90",
    };
    const struct folder *f = *state;
    struct record_filter late = {.model = STR("tiny-chat"), .stream = true};
    struct store *store = fill(f->db);
    struct err err;

    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        struct record_filter all = {.until_us = INT64_MAX};
        struct got walked = {0}, found = {0};
        int64_t count, before, left;

        build_blocks(store);
        before = query_number(f->db, "SELECT count(*) FROM request_blocks");
        run_sql(f->db, changes[i]);
        left = query_number(f->db, "SELECT count(*) FROM request_blocks");
        assert_true(left < before);
        for (int round = 0; round < 2; round++) {
            OK(store_record_count(store, &all, &count, &err));
            assert_int_equal(count, query_number(f->db, "SELECT count(*) FROM requests"));
            walked = found = (struct got){0};
            OK(store_record_list(store, &late, false, 0, 0, 0, collect, &walked, &err));
            OK(store_record_list(store, &late, false, 0, ROWS, 0, collect, &found, &err));
            assert_int_equal(found.count, walked.count);
            assert_memory_equal(found.ids, walked.ids, sizeof(found.ids));
            build_blocks(store);
        }
    }
    assert_int_equal(query_number(f->db,
                                  "SELECT count(*) FROM request_block_values WHERE block_id NOT IN"
                                  " (SELECT id FROM request_blocks)"),
                     0);
    store_close(store);
}

struct usage {
    int64_t requests, numbers, names;
};

static void add_usage(void *ctx, struct str name, int64_t requests, int64_t number)
{
    struct usage *u = ctx;

    (void)name;
    u->names++;
    u->requests += requests;
    u->numbers += number;
}

static void usage_is_the_same_with_and_without_blocks(void **state)
{
    const struct folder *f = *state;
    struct store *store = fill(f->db);
    const int64_t since_us[] = {0, varied(51).created_us, varied(120).created_us,
                                varied(ROWS).created_us + 1};
    struct usage before[8] = {0};
    struct err err;

    run_sql(f->db, "UPDATE requests SET billing_total_cost_pusd = id * 1000 WHERE id % 3 > 0");
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 4; i++) {
            struct usage providers = {0}, routes = {0};

            OK(store_provider_usage(store, since_us[i], add_usage, &providers, &err));
            OK(store_route_usage(store, since_us[i], add_usage, &routes, &err));
            if (round == 0) {
                before[i * 2] = providers;
                before[i * 2 + 1] = routes;
            }
            assert_memory_equal(&before[i * 2], &providers, sizeof(providers));
            assert_memory_equal(&before[i * 2 + 1], &routes, sizeof(routes));
        }
        build_blocks(store);
        if (round == 1) /* a hole in the middle */
            run_sql(f->db, "DELETE FROM request_blocks WHERE from_us = (SELECT from_us FROM"
                           " request_blocks ORDER BY from_us LIMIT 1 OFFSET 4)");
    }
    assert_true(before[0].requests > 0 && before[0].numbers > 0 && before[0].names == 2);
    assert_int_equal(before[6].requests, 0);
    store_close(store);
}

static void what_waits_for_an_answer_is_in_no_block(void **state)
{
    const struct folder *f = *state;
    struct store *store = fill(f->db);
    int64_t minute = INT64_C(60000000), last = varied(ROWS).created_us;
    bool more;
    struct err err;

    run_sql(f->db, "UPDATE requests SET completed_us = NULL WHERE id = 3");
    store->block_rows = 15;
    OK(store_blocks_build(store, last, &more, &err));
    assert_false(more);
    OK(store_blocks_build(store, last + 11 * minute, &more, &err)); /* it is not waited for */
    assert_false(more); /* too few rows for the usual rest */
    store->block_rest = 20;
    OK(store_blocks_build(store, last + 11 * minute, &more, &err));
    assert_true(more);
    store_close(store);
}

static void mixed_filters_find_what_they_mean(void **state)
{
    const struct folder *f = *state;
    struct store *store = fill(f->db);
    uint32_t x = 7;

    build_blocks(store);
    for (int round = 0; round < 300; round++) {
        struct record_filter filter = {0};

        for (int i = 0; i < 4; i++) {
            x = x * 1664525u + 1013904223u;
            set_filter(&filter, x >> 16 & 31);
        }
        check_filter(store, &filter);
    }
    store_close(store);
}

static void ids_that_are_not_there_split_a_list_all_the_same(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct got got = {0};
    struct err err;

    for (int64_t id = 10; id <= 50; id += 10) {
        struct record r = sample(id);

        OK(store_record_insert(store, &r, &err));
    }
    OK(store_record_list(store, &(struct record_filter){.before_id = 35}, false, 0, 2, 0, collect,
                         &got, &err));
    assert_int_equal(got.count, 2);
    assert_int_equal(got.ids[0], 30);
    got = (struct got){0};
    OK(store_record_list(store, &(struct record_filter){.after_id = 35}, false, 0, 0, 0, collect,
                         &got, &err));
    assert_int_equal(got.count, 2);
    assert_int_equal(got.ids[1], 40);
    got = (struct got){0};
    OK(store_record_list(store, &(struct record_filter){.after_id = 50}, false, 0, 0, 0, collect,
                         &got, &err));
    OK(store_record_list(store, &(struct record_filter){.before_id = 10}, false, 0, 0, 0, collect,
                         &got, &err));
    OK(store_record_list(store, &(struct record_filter){.before_id = 5}, false, 0, 0, 0, collect,
                         &got, &err));
    assert_int_equal(got.count, 0);
    store_close(store);
}

static void a_clock_that_jumped_back_orders_by_time(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct got got = {0};
    struct err err;

    for (int64_t id = 1; id <= 3; id++) {
        struct record r = sample(id);

        r.created_us = id == 2 ? 5 : 10;
        OK(store_record_insert(store, &r, &err));
    }
    OK(store_record_list(store, &(struct record_filter){0}, false, 0, 0, 0, collect, &got, &err));
    assert_int_equal(got.ids[0], 3);
    assert_int_equal(got.ids[1], 1);
    assert_int_equal(got.ids[2], 2);
    store_close(store);
}

static void a_caller_can_stop_a_list(void **state)
{
    const struct folder *f = *state;
    struct store *store = fill(f->db);
    struct got got = {.stop_at = ROWS - 4};
    struct err err;

    assert_int_equal(
        store_record_list(store, &(struct record_filter){0}, false, 0, 0, 0, collect, &got, &err),
        -1);
    assert_string_equal(err.msg, "stop");
    assert_int_equal(got.count, 5);
    got = (struct got){0};
    OK(store_record_list(store, &(struct record_filter){0}, false, 0, 2, 0, collect, &got, &err));
    assert_int_equal(got.count, 2);
    store_close(store);
}

struct seen {
    size_t size;
    const char *expect;
    bool absent;
};

static int check_preview(void *ctx, const struct record *r, struct err *err)
{
    const struct seen *seen = ctx;

    (void)err;
    assert_int_equal(r->response_body.len, seen->size);
    assert_int_equal(r->response_body.ptr == NULL, seen->absent);
    if (seen->size)
        assert_memory_equal(r->response_body.ptr, seen->expect, seen->size);
    assert_null(r->request_body.ptr);
    return 0;
}

static void previews_of(struct store *store, size_t bytes, const struct seen *seen)
{
    struct err err;

    OK(store_record_list(store, &(struct record_filter){0}, false, 0, 0, bytes, check_preview,
                         (void *)(uintptr_t)seen, &err));
}

static void a_preview_is_the_start_of_any_body(void **state)
{
    static const struct {
        size_t size;
        bool noise;
    } bodies[] = {{100, false}, {5000, false}, {3000000, false}, {50, true}, {600000, true}};
    const struct folder *f = *state;
    struct err err;
    uint32_t x = 3;

    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        struct store *store;
        char path[160], *body = malloc(bodies[i].size);
        struct record r = sample(1);

        snprintf(path, sizeof(path), "%s/%zu.db", f->path, i);
        store = open_new(path);
        for (size_t k = 0; k < bodies[i].size; k++) {
            x = x * 1664525u + 1013904223u;
            body[k] = bodies[i].noise ? (char)(x >> 24) : (char)('a' + (x >> 30));
        }
        r.response_body = (struct str){body, bodies[i].size};
        OK(store_record_insert(store, &r, &err));
        previews_of(store, 0, &(struct seen){.absent = true});
        previews_of(store, 10, &(struct seen){10, body, false});
        previews_of(store, 65536,
                    &(struct seen){bodies[i].size < 65536 ? bodies[i].size : 65536, body, false});
        store_close(store);
        free(body);
    }
}

static void a_body_that_was_not_kept_has_no_preview(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = sample(1);
    struct err err;

    r.response_body = STR_NONE;
    OK(store_record_insert(store, &r, &err));
    previews_of(store, 100, &(struct seen){.absent = true});
    store_close(store);
}

/* What SQLite says it will do: walk the index the statement is named for, and nothing else. */
static void check_statement(sqlite3 *db, int sql, const char *kind, const char *index, bool sorts)
{
    char text[65536], wanted[64];
    sqlite3_stmt *stmt;
    bool found = false;

    snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %.65000s", sql_text[sql]);
    snprintf(wanted, sizeof(wanted), "INDEX requests_%s ", index);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(stmt, 3);

        if (strstr(line, wanted) && strstr(line, "SEARCH r "))
            found = true;
        if (strstr(line, "SCAN r") && !strstr(line, "SCAN r USING"))
            fail_msg("%s %s: %s", kind, index, line);
        if (strstr(line, "TEMP B-TREE") && !sorts)
            fail_msg("%s %s: %s", kind, index, line);
    }
    if (!found)
        fail_msg("%s does not use %s", sql_name[sql], wanted);
    sqlite3_finalize(stmt);
}

static void every_list_walks_its_index_in_order(void **state)
{
    const struct folder *f = *state;
    sqlite3 *db;
    int checked = 0;

    store_close(open_new(f->db));
    assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
    for (int sql = 0; sql < SQL_COUNT; sql++) {
        static const char *const kinds[] = {"requests_newest_", "requests_oldest_",
                                            "requests_count_"};

        for (size_t k = 0; k < 3; k++) {
            bool several = strstr(sql_name[sql], "_endpoints") != NULL;
            const char *driver = sql_name[sql] + strlen(kinds[k]);

            if (strncmp(sql_name[sql], kinds[k], strlen(kinds[k])) != 0 ||
                strcmp(driver, "search") == 0) /* walks the words */
                continue;
            if (strcmp(driver, "all") == 0)
                driver = "created";
            check_statement(db, sql, kinds[k], several ? "endpoint" : driver, several);
            checked++;
        }
    }
    assert_int_equal(checked, 15 * 3);
    sqlite3_close(db);
}

static void other_statements_do_not_scan_requests(void **state)
{
    static const enum sql_id ids[] = {
        SQL_REQUEST_GET,
        SQL_REQUEST_LAST_ID,
        SQL_REQUEST_COUNTED,
        SQL_REQUEST_PENDING_IN_RUNS,
        SQL_RUN_SUMS_ADD,
        SQL_BUDGET_SUM_ADD,
        SQL_REQUEST_COMPLETE,
        SQL_BODY_COMPLETE,
        SQL_REQUEST_CLOSE_PENDING,
        SQL_REQUEST_CREATED_BEFORE,
        SQL_REQUEST_CREATED_AFTER,
        SQL_RUN_ACTIVE,
        SQL_FACET_LIST,
        SQL_FACET_COUNT,
    };
    const struct folder *f = *state;
    char text[16384];
    sqlite3 *db;

    store_close(open_new(f->db));
    assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        sqlite3_stmt *stmt;

        snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %.16000s", sql_text[ids[i]]);
        assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(stmt, 3);

            if (strncmp(line, "SCAN", 4) == 0 && !strstr(line, "task_runs_active") &&
                !strstr(line, "requests_pending"))
                fail_msg("%s: %s", sql_name[ids[i]], line);
        }
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
}

static void a_slow_query_is_stopped_and_the_store_stays_usable(void **state)
{
    const struct folder *f = *state;
    struct store *store = fill(f->db), *reader;
    struct err err;
    int64_t last, before = clock_now_us();

    reader = store_open(f->db, STORE_READ, &err);
    assert_non_null(reader);
    store_set_time_limit(reader, 30);
    assert_int_equal(db_script(reader->db,
                               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                               "SELECT count(*) FROM n",
                               &err),
                     -1);
    assert_int_equal(err_http_status(err.code), 503);
    assert_true(clock_now_us() - before < 5000000);
    OK(store_last_id(reader, &last, &err));
    assert_int_equal(last, ROWS);
    store_close(reader);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_filter_alone_and_in_pairs_finds_what_it_means),
        TEST(blocks_say_what_the_table_says),
        TEST(blocks_of_new_rows_grow_together),
        TEST(a_block_is_dropped_when_a_row_of_it_changes_and_made_again),
        TEST(usage_is_the_same_with_and_without_blocks),
        TEST(what_waits_for_an_answer_is_in_no_block),
        TEST(mixed_filters_find_what_they_mean),
        TEST(ids_that_are_not_there_split_a_list_all_the_same),
        TEST(a_clock_that_jumped_back_orders_by_time),
        TEST(a_caller_can_stop_a_list),
        TEST(a_preview_is_the_start_of_any_body),
        TEST(a_body_that_was_not_kept_has_no_preview),
        TEST(every_list_walks_its_index_in_order),
        TEST(other_statements_do_not_scan_requests),
        TEST(a_slow_query_is_stopped_and_the_store_stays_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
