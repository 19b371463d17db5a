#include "store/store_priv.h"
#include "store_helpers.h"

/* Every field gets a value of its own: numbers by position, texts by name. */
static struct record filled(int64_t id)
{
    struct record r;
    int64_t n = 1000;

    record_init(&r);
    r.id = id;
#define SET_INT(name) r.name = ++n;
#define SET_BOOL(name) r.name = ++n % 2 == 0;
#define SET_TEXT(name) r.name = STR("text of " #name "\xC3\xA9");
#define X(kind, name) SET_##kind(name)
    RECORD_ARRIVAL_FIELDS(X)
    RECORD_OUTCOME_FIELDS(X)
#undef X
    r.task_run_id = UNKNOWN;
    r.request_headers_json = STR("{\"a\":\"1\"}");
    r.response_headers_json = STR("{\"b\":\"2\"}");
    r.request_body = STR("request\0body");
    r.response_body = STR("response body");
    r.upstream_response_body = STR("");
    return r;
}

static void same_text(struct str a, struct str b, const char *name)
{
    if (!a.ptr != !b.ptr || !str_eq(a, b))
        fail_msg("%s: \"%.*s\" is not \"%.*s\"", name, STR_ARG(a), STR_ARG(b));
}

static void same_record(const struct record *a, const struct record *b)
{
    assert_int_equal(a->id, b->id);
#define SAME_INT(name)                                                                             \
    if (a->name != b->name)                                                                        \
        fail_msg("%s: %lld is not %lld", #name, (long long)a->name, (long long)b->name);
#define SAME_BOOL(name) SAME_INT(name)
#define SAME_TEXT(name) same_text(a->name, b->name, #name);
#define X(kind, name) SAME_##kind(name)
    RECORD_ARRIVAL_FIELDS(X)
    RECORD_OUTCOME_FIELDS(X)
    SAME_TEXT(request_headers_json)
    SAME_TEXT(response_headers_json)
    SAME_TEXT(request_body)
    SAME_TEXT(response_body)
    SAME_TEXT(upstream_response_body)
#undef X
}

static void check_stored(struct store *store, const struct record *expect)
{
    struct arena arena = {0};
    struct record got;
    struct err err;

    OK(store_record_get(store, expect->id, &arena, &got, &err));
    same_record(&got, expect);
    arena_clear(&arena);
}

static void every_field_comes_back(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record full = filled(7), empty;
    struct err err;

    record_init(&empty);
    empty.id = 8;
    empty.created_us = 1;
    empty.method = STR("");
    empty.endpoint = STR("/");
    OK(store_record_insert(store, &full, &err));
    OK(store_record_insert(store, &empty, &err));
    check_stored(store, &full);
    check_stored(store, &empty);
    store_close(store);
}

static void every_field_survives_pending_and_completion(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record full = filled(7), pending = full;
    struct err err;

    full.is_stream = pending.is_stream = true;
#define CLEAR_INT(name) pending.name = UNKNOWN;
#define CLEAR_BOOL(name) pending.name = false;
#define CLEAR_TEXT(name) pending.name = STR_NONE;
#define X(kind, name) CLEAR_##kind(name)
    RECORD_OUTCOME_FIELDS(X)
#undef X
    pending.attempt_count = 1;
    pending.response_headers_json = pending.response_body = pending.upstream_response_body =
        STR_NONE;
    OK(store_record_insert(store, &pending, &err));
    check_stored(store, &pending);
    OK(store_record_complete(store, &full, &err));
    check_stored(store, &full);
    full.id = 9;
    assert_int_equal(store_record_complete(store, &full, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    store_close(store);
}

static void the_schema_has_the_columns_of_the_table_in_its_order(void **state)
{
    static const char *const names[] = {"id",
#define X(kind, name) #name,
                                        RECORD_ARRIVAL_FIELDS(X) RECORD_OUTCOME_FIELDS(X)
#undef X
    };
    const struct folder *f = *state;
    sqlite3 *db;
    sqlite3_stmt *stmt;
    size_t i = 0;

    store_close(open_new(f->db));
    assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info('requests')", -1, &stmt, NULL);
    for (; sqlite3_step(stmt) == SQLITE_ROW; i++) {
        assert_true(i < sizeof(names) / sizeof(*names));
        assert_string_equal((const char *)sqlite3_column_text(stmt, 0), names[i]);
    }
    assert_int_equal(i, sizeof(names) / sizeof(*names));
    sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_prepare_v2(db, sql_text[SQL_REQUEST_GET], -1, &stmt, NULL), SQLITE_OK);
    for (i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_string_equal(sqlite3_column_name(stmt, (int)i), names[i]);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static char *large_body(size_t size, bool random)
{
    char *body = malloc(size);
    uint32_t x = 1;

    assert_non_null(body);
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        body[i] = random ? (char)(x >> 24) : "data: {\"a\":1}\n\n"[i % 15];
    }
    return body;
}

static void large_bodies_are_compressed_when_that_gains(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = sample(1);
    char *text = large_body(300000, false), *noise = large_body(300000, true);
    struct err err;

    r.request_body = (struct str){noise, 300000};
    r.response_body = (struct str){text, 300000};
    r.upstream_response_body = (struct str){text, 2048};
    OK(store_record_insert(store, &r, &err));
    check_stored(store, &r);
    store_close(store);
    assert_int_equal(query_number(f->db, "SELECT request_encoding FROM request_bodies"), 0);
    assert_int_equal(query_number(f->db, "SELECT response_encoding FROM request_bodies"), 1);
    assert_int_equal(query_number(f->db, "SELECT upstream_encoding FROM request_bodies"), 0);
    assert_int_equal(query_number(f->db, "SELECT response_length FROM request_bodies"), 300000);
    assert_true(query_number(f->db, "SELECT length(response_body) FROM request_bodies") < 3000);
    free(text);
    free(noise);
}

static void a_damaged_body_is_an_error_and_not_a_crash(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct arena arena = {0};
    struct record r = sample(1);
    char *text = large_body(9000, false);
    struct err err;

    r.response_body = (struct str){text, 9000};
    OK(store_record_insert(store, &r, &err));
    run_sql(f->db, "UPDATE request_bodies SET response_body = substr(response_body, 1, 20)");
    assert_int_equal(store_record_get(store, 1, &arena, &r, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    run_sql(f->db, "UPDATE request_bodies SET response_body = x'28b52ffd00'");
    assert_int_equal(store_record_get(store, 1, &arena, &r, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    run_sql(f->db, "UPDATE request_bodies SET response_encoding = 9");
    assert_int_equal(store_record_get(store, 1, &arena, &r, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    arena_clear(&arena);
    store_close(store);
    free(text);
}

/* What counters and facets hold must be what a count over the table gives. */
static void check_counts(const char *path)
{
    static const struct {
        const char *name, *where;
    } counters[] = {
        {"total", "1"},
        {"streams", "is_stream"},
        {"images", "has_images"},
        {"tools", "has_tool_calls"},
        {"errors", "error IS NOT NULL OR response_status < 200 OR response_status >= 400 OR "
                   "upstream_error_message IS NOT NULL"},
        {"slow", "duration_ms >= 10000"},
        {"large", "coalesce(billing_total_tokens, estimated_input_tokens, 0) >= 10000"},
    };
    static const struct {
        const char *kind, *column;
    } facets[] = {
        {"model", "model"},
        {"endpoint", "endpoint"},
        {"route", "model_route"},
        {"provider", "coalesce(billing_provider_slug, '')"},
        {"status", "response_status"},
        {"run", "task_run_id"},
    };
    char sql[400];

    for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
        snprintf(sql, sizeof(sql),
                 "SELECT coalesce((SELECT count FROM counters WHERE name = '%s'), 0) - "
                 "(SELECT count(*) FROM requests WHERE %s)",
                 counters[i].name, counters[i].where);
        if (query_number(path, sql) != 0)
            fail_msg("counter %s is wrong", counters[i].name);
    }
    for (size_t i = 0; i < sizeof(facets) / sizeof(*facets); i++) {
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM facets f WHERE kind = '%s' AND count <> "
                 "(SELECT count(*) FROM requests WHERE CAST(%s AS TEXT) = f.value AND "
                 "(f.kind <> 'provider' OR (billing_provider_slug IS NOT NULL OR "
                 "billing_provider_name IS NOT NULL) AND coalesce(billing_provider_name, '') = "
                 "f.label))",
                 facets[i].kind, facets[i].column);
        if (query_number(path, sql) != 0)
            fail_msg("facet %s is wrong", facets[i].kind);
    }
}

static void counters_and_facets_follow_inserts_and_completions(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct store_counters counters;
    struct err err;
    int64_t closed;

    run_sql(f->db, "INSERT INTO task_runs (id, name, started_us) VALUES (3, 'r', 1)");
    OK(store_begin(store, &err));
    for (int64_t id = 1; id <= 60; id++) {
        struct record r = sample(id);

        r.model = id % 3 ? STR("one") : id % 2 ? STR("two") : STR_NONE;
        r.has_images = id % 7 == 0;
        r.estimated_input_tokens = id * 400;
        r.task_run_id = id % 4 ? UNKNOWN : 3;
        r.model_route = id % 5 ? STR_NONE : STR("o*");
        r.completed_us = r.response_status = r.duration_ms = UNKNOWN;
        OK(store_record_insert(store, &r, &err));
    }
    OK(store_commit(store, &err));
    check_counts(f->db);
    OK(store_begin(store, &err));
    for (int64_t id = 1; id <= 50; id++) {
        struct record r = sample(id);

        r.is_stream = id % 2;
        r.has_tool_calls = id % 9 == 0;
        r.response_status = id % 6 ? 200 : 503;
        r.error = id % 11 ? STR_NONE : STR("");
        r.upstream_error_message = id % 13 ? STR_NONE : STR("overloaded");
        r.duration_ms = id * 500;
        r.billing_total_tokens = id % 2 ? UNKNOWN : 50;
        r.estimated_input_tokens = id * 400;
        r.billing_provider_slug = id % 3 ? STR("lab") : STR_NONE;
        r.billing_provider_name = id % 4 ? STR("Lab") : STR_NONE;
        OK(store_record_complete(store, &r, &err));
    }
    OK(store_commit(store, &err));
    check_counts(f->db);
    OK(store_close_pending(store, 5, &closed, &err));
    assert_int_equal(closed, 10);
    check_counts(f->db);
    OK(store_close_pending(store, 5, &closed, &err));
    assert_int_equal(closed, 0);
    OK(store_counters(store, &counters, &err));
    assert_int_equal(counters.total, 60);
    store_close(store);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM requests WHERE error = "
                                         "'interrupted: proxy stopped before completion'"),
                     10);
}

static void a_rollback_forgets_rows_and_counts(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = sample(1);
    struct store_counters counters;
    struct err err;
    int64_t last;

    OK(store_begin(store, &err));
    OK(store_record_insert(store, &r, &err));
    store_rollback(store);
    OK(store_record_insert(store, &r, &err)); /* a transaction of its own */
    assert_int_equal(store_record_insert(store, &r, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    OK(store_counters(store, &counters, &err));
    assert_int_equal(counters.total, 1);
    check_counts(f->db);
    OK(store_last_id(store, &last, &err));
    assert_int_equal(last, 1);
    store_close(store);
}

static void collect(void *ctx, struct str value, struct str label, int64_t count)
{
    struct buf *out = ctx;

    buf_printf(out, "%.*s=%.*s:%lld ", STR_ARG(value), STR_ARG(label), (long long)count);
}

static void facets_are_sorted_and_name_providers(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct buf out = {0};
    struct err err;

    for (int64_t id = 1; id <= 4; id++) {
        struct record r = sample(id);

        r.model = id % 2 ? STR("b") : STR("a");
        r.billing_provider_slug = id == 1 ? STR_NONE : id == 2 ? STR("zz") : STR("lab");
        r.billing_provider_name = id == 1 ? STR("Nameless") : id == 2 ? STR_NONE : STR("A Lab");
        OK(store_record_insert(store, &r, &err));
    }
    OK(store_facets(store, FACET_MODEL, collect, &out, &err));
    OK(store_facets(store, FACET_PROVIDER, collect, &out, &err));
    assert_string_equal(out.ptr, "a=a:2 b=b:2 zz=zz:1 lab=A Lab:2 Nameless=Nameless:1 ");
    buf_clear(&out);
    store_close(store);
}

static void a_huge_number_of_values_in_one_transaction_is_counted(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    char name[32];
    struct err err;

    OK(store_begin(store, &err));
    for (int64_t id = 1; id <= 700; id++) {
        struct record r = sample(id);

        snprintf(name, sizeof(name), "model-%d", (int)(id % 350));
        r.model = str_c(name);
        OK(store_record_insert(store, &r, &err));
    }
    OK(store_commit(store, &err));
    store_close(store);
    check_counts(f->db);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM facets WHERE kind = 'model'"), 350);
}

static void settings_are_kept_and_grow_the_generation(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db), *other;
    struct err err;
    int64_t first, second, version, later;
    char *value;

    other = store_open(f->db, STORE_READ, &err);
    assert_non_null(other);
    OK(store_generation(other, &first, &err));
    OK(store_data_version(other, &version, &err));
    OK(store_setting_get(store, STR("upstream_url"), &value, &err));
    assert_null(value);
    OK(store_setting_put(store, STR("upstream_url"), STR("http://x/v1"), &err));
    OK(store_setting_put(store, STR("upstream_url"), STR(""), &err));
    OK(store_setting_get(other, STR("upstream_url"), &value, &err));
    assert_string_equal(value, "");
    free(value);
    OK(store_setting_put(store, STR("upstream_url"), STR_NONE, &err));
    OK(store_setting_get(other, STR("upstream_url"), &value, &err));
    assert_null(value);
    OK(store_generation(other, &second, &err));
    assert_int_equal(second, first + 3);
    OK(store_data_version(other, &later, &err));
    assert_int_not_equal(later, version);
    store_close(other);
    store_close(store);
}

static void runs_are_found(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct arena arena = {0};
    struct run run;
    struct err err;
    int64_t count;

    assert_int_equal(store_run_active(store, &arena, &run, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    run_sql(f->db, "INSERT INTO task_runs (id, name, notes, started_us, ended_us, paused_us) VALUES"
                   "(1, 'done', NULL, 10, 20, NULL), (2, 'open', 'n', 30, NULL, NULL),"
                   "(3, 'paused', NULL, 40, NULL, 50)");
    OK(store_run_active(store, &arena, &run, &err));
    assert_int_equal(run.id, 2);
    assert_true(str_eq(run.notes, STR("n")));
    assert_int_equal(run.ended_us, UNKNOWN);
    OK(store_run_get(store, 3, &arena, &run, &err));
    assert_int_equal(run.paused_us, 50);
    assert_null(run.notes.ptr);
    for (int64_t id = 1; id <= 3; id++) {
        struct record r = sample(id);

        r.task_run_id = 2;
        OK(store_record_insert(store, &r, &err));
    }
    OK(store_run_count(store, 2, &count, &err));
    assert_int_equal(count, 3);
    arena_clear(&arena);
    store_close(store);
}

/* The rule for people's view and the rule of the program are one. */
static void the_view_for_people_tells_the_outcomes_of_the_program(void **state)
{
    static const struct str ends[] = {
        {NULL, 0},
        {TERMINATED_UPSTREAM_EOF, sizeof(TERMINATED_UPSTREAM_EOF) - 1},
        {TERMINATED_CLIENT, sizeof(TERMINATED_CLIENT) - 1},
        {TERMINATED_IDLE, sizeof(TERMINATED_IDLE) - 1},
        {TERMINATED_SHUTDOWN, sizeof(TERMINATED_SHUTDOWN) - 1},
        {TERMINATED_CANCELLED, sizeof(TERMINATED_CANCELLED) - 1},
    };
    static const int64_t statuses[] = {UNKNOWN, 101, 200, 404, 499, 504};
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record rows[6 * 6 * 64 + 1];
    struct err err;
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int64_t id = 0;

    OK(store_begin(store, &err));
    for (unsigned i = 0; i < 6 * 6 * 64; i++) {
        struct record r = sample(++id);

        r.terminated_by = ends[i % 6];
        r.response_status = statuses[i / 6 % 6];
        r.upstream_headers_ms = (i / 36) & 1 ? 5 : UNKNOWN;
        r.error = (i / 36) & 2 ? STR("x") : STR_NONE;
        r.is_stream = (i / 36) & 4;
        r.stream_done = (i / 36) & 8 ? 0 : 1;
        r.upstream_error_message = (i / 36) & 16 ? STR("m") : STR_NONE;
        r.response_was_rewritten = (i / 36) & 32;
        rows[id] = r;
        OK(store_record_insert(store, &r, &err));
    }
    OK(store_commit(store, &err));
    store_close(store);
    assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT id, outcome, created_at FROM request_log", -1, &stmt, NULL);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *expect = record_outcome(&rows[sqlite3_column_int64(stmt, 0)]);

        assert_string_equal((const char *)sqlite3_column_text(stmt, 1), expect);
        id--;
    }
    assert_int_equal(id, 0);
    sqlite3_finalize(stmt);
    sqlite3_prepare_v2(db, "SELECT created_at FROM request_log WHERE id = 1", -1, &stmt, NULL);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "2030-03-17 17:46:40.001");
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void images_come_back_in_order_and_replace_earlier_ones(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = sample(4);
    struct image list[] = {
        {STR("data_url"), STR("image/png"), STR("data:image/png;base64,"), STR("AAAA")},
        {STR("url"), STR_NONE, STR("https://img.test/a"), STR_NONE},
    };
    struct images images = {list, 2}, got;
    struct arena arena = {0};
    struct err err;

    OK(store_record_insert(store, &r, &err));
    OK(store_images_put(store, 4, &images, true, &err));
    OK(store_images_put(store, 4, &images, false, &err));
    OK(store_images_get(store, 4, &arena, &got, &err));
    assert_int_equal(got.count, 2);
    assert_true(str_eq(got.items[0].kind, STR("data_url")));
    assert_true(str_eq(got.items[0].data_base64, STR("AAAA")));
    assert_true(str_eq(got.items[1].head, STR("https://img.test/a")));
    assert_null(got.items[1].mime_type.ptr);
    OK(store_images_get(store, 5, &arena, &got, &err));
    assert_int_equal(got.count, 0);
    assert_int_equal(store_images_put(store, 5, &images, false, &err), -1); /* no such request */
    arena_clear(&arena);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_field_comes_back),
        TEST(every_field_survives_pending_and_completion),
        TEST(the_schema_has_the_columns_of_the_table_in_its_order),
        TEST(large_bodies_are_compressed_when_that_gains),
        TEST(a_damaged_body_is_an_error_and_not_a_crash),
        TEST(counters_and_facets_follow_inserts_and_completions),
        TEST(a_rollback_forgets_rows_and_counts),
        TEST(facets_are_sorted_and_name_providers),
        TEST(a_huge_number_of_values_in_one_transaction_is_counted),
        TEST(settings_are_kept_and_grow_the_generation),
        TEST(runs_are_found),
        TEST(the_view_for_people_tells_the_outcomes_of_the_program),
        TEST(images_come_back_in_order_and_replace_earlier_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
