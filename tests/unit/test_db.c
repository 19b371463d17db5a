#include "db/db.h"
#include "store_helpers.h"

#include "fixture.h"

static int64_t ask(struct db *db, enum sql_id sql)
{
    struct err err;
    struct db_rows *rows = db_query(db, sql, DB_NO_ARGS, &err);
    int64_t n = -1;

    assert_non_null(rows);
    if (db_next(rows, &err) == 1)
        n = db_int(rows, 0);
    db_done(rows);
    return n;
}

static struct db *make(const char *path)
{
    struct err err;
    struct db *db = db_open(path, DB_CREATE, &err);

    if (!db)
        fail_msg("%s", err.msg);
    if (db_script(db, sql_migrations[0], &err) < 0)
        fail_msg("%s", err.msg);
    return db;
}

static mode_t mode_of(const char *path, const char *suffix)
{
    char name[128];
    struct stat st;

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    if (stat(name, &st) < 0)
        fail_msg("no file %s", name);
    return st.st_mode & 0777;
}

static void files_are_private_whatever_the_umask(void **state)
{
    const struct folder *f = *state;
    mode_t old = umask(0);
    struct db *db = make(f->db);

    umask(old);
    assert_int_equal(mode_of(f->db, ""), 0600);
    assert_int_equal(mode_of(f->db, "-wal"), 0600);
    assert_int_equal(mode_of(f->db, "-shm"), 0600);
    db_close(db);
}

static void files_are_usable_under_a_strict_umask(void **state)
{
    const struct folder *f = *state;
    mode_t old = umask(0777);
    struct db *db = make(f->db);

    umask(old);
    assert_int_equal(mode_of(f->db, ""), 0600);
    assert_int_equal(mode_of(f->db, "-wal"), 0600);
    db_close(db);
}

static void a_reader_cannot_write(void **state)
{
    const struct folder *f = *state;
    struct err err;
    struct db *writer = make(f->db), *reader = db_open(f->db, DB_READ, &err);
    struct str key = STR("k");

    assert_non_null(reader);
    assert_int_equal(db_run(reader, SQL_SETTING_DELETE, DB_ARGS(DB_TEXT(key)), &err), -1);
    assert_int_equal(err.code, ERR_STORE);
    db_close(reader);
    db_close(writer);
}

static void opening_for_writing_needs_a_file(void **state)
{
    const struct folder *f = *state;
    struct err err;

    assert_null(db_open(f->db, DB_WRITE, &err));
    assert_int_equal(err.code, ERR_STORE);
    assert_int_equal(access(f->db, F_OK), -1);
}

static void a_second_writer_is_told_to_wait_and_goes_on_afterwards(void **state)
{
    const struct folder *f = *state;
    struct err err;
    struct db *a = make(f->db), *b = db_open(f->db, DB_WRITE, &err);
    int64_t before = clock_now_us();

    assert_non_null(b);
    OK(db_begin(a, &err));
    assert_int_equal(db_begin(b, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    assert_true(clock_now_us() - before < 1000000);
    OK(db_commit(a, &err));
    OK(db_begin(b, &err));
    db_rollback(b);
    db_close(b);
    db_close(a);
}

static void a_refused_row_is_not_trouble_of_the_database(void **state)
{
    struct err err;
    struct db *db = make(":memory:");

    (void)state;
    assert_int_equal(db_run(db, SQL_META_PUT, DB_ARGS(DB_TEXT(STR("k")), DB_NULL), &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    db_close(db);
}

static void a_long_statement_is_stopped(void **state)
{
    static const char *const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                                       "FROM n) SELECT count(*) FROM n";
    struct err err;
    struct db *db = make(":memory:");
    int64_t before = clock_now_us();

    (void)state;
    db_set_time_limit(db, 50);
    assert_int_equal(db_script(db, endless, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    assert_true(clock_now_us() - before >= 50000);
    assert_int_equal(ask(db, SQL_GENERATION_GET), 1);
    db_close(db);
}

static void texts_and_blobs_keep_every_byte(void **state)
{
    static const char bytes[] = "a\0b\xFF";
    struct str value = {bytes, 4}, key = STR("k");
    struct err err;
    struct db *db = make(":memory:");
    struct db_rows *rows;

    (void)state;
    OK(db_run(db, SQL_META_PUT, DB_ARGS(DB_TEXT(key), DB_TEXT(value)), &err));
    rows = db_query(db, SQL_META_GET, DB_ARGS(DB_TEXT(key)), &err);
    assert_int_equal(db_next(rows, &err), 1);
    assert_true(str_eq(db_bytes(rows, 0), value));
    assert_int_equal(db_next(rows, &err), 0);
    db_done(rows);
    OK(db_run(db, SQL_META_PUT, DB_ARGS(DB_TEXT(key), DB_TEXT(STR(""))), &err));
    rows = db_query(db, SQL_META_GET, DB_ARGS(DB_TEXT(key)), &err);
    assert_int_equal(db_next(rows, &err), 1);
    assert_non_null(db_bytes(rows, 0).ptr);
    assert_int_equal(db_bytes(rows, 0).len, 0);
    db_done(rows);
    db_close(db);
}

static void handles_of_one_memory_path_share_their_data(void **state)
{
    struct err err;
    char *path = db_memory_path(), *other = db_memory_path();
    struct db *writer = make(path), *reader = db_open(path, DB_READ, &err);
    struct db *stranger = db_open(other, DB_CREATE, &err);
    int version = -1;

    (void)state;
    assert_non_null(reader);
    assert_non_null(stranger);
    OK(db_set_version(writer, 7, &err));
    OK(db_version(reader, &version, &err));
    assert_int_equal(version, 7);
    assert_int_equal(ask(reader, SQL_GENERATION_GET), 1);
    OK(db_version(stranger, &version, &err));
    assert_int_equal(version, 0);
    db_close(stranger);
    db_close(reader);
    db_close(writer);
    free(path);
    free(other);
}

static void a_part_of_a_large_value_is_read_alone(void **state)
{
    const struct folder *f = *state;
    struct db *db = make(f->db);
    struct err err;
    char out[8];
    size_t got;

    OK(db_script(
        db,
        "INSERT INTO requests (id, created_us, method, endpoint) VALUES (5, 1, 'GET', '/');"
        "INSERT INTO request_bodies (request_id, response_body) "
        "VALUES (5, CAST(zeroblob(1000000) || 'tail' AS BLOB));",
        &err));
    OK(db_read_part(db, "request_bodies", "response_body", 5, 1000000, out, sizeof(out), &got,
                    &err));
    assert_int_equal(got, 4);
    assert_memory_equal(out, "tail", 4);
    OK(db_read_part(db, "request_bodies", "response_body", 5, 2000000, out, sizeof(out), &got,
                    &err));
    assert_int_equal(got, 0);
    assert_int_equal(db_read_part(db, "request_bodies", "response_body", 6, 0, out, 1, &got, &err),
                     -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    db_close(db);
}

static void inspecting_a_file_leaves_no_other_behind(void **state)
{
    const struct folder *f = *state;
    struct err err;
    char odd[128], wal[160], shm[160];
    struct db *db;

    snprintf(odd, sizeof(odd), "%s/a b%%c?d#e.db", f->path);
    snprintf(wal, sizeof(wal), "%s-wal", odd);
    snprintf(shm, sizeof(shm), "%s-shm", odd);
    db_close(make(odd));
    db = db_open(odd, DB_INSPECT, &err);
    assert_non_null(db);
    assert_int_equal(ask(db, SQL_GENERATION_GET), 1);
    assert_int_equal(access(wal, F_OK), -1);
    assert_int_equal(access(shm, F_OK), -1);
    db_close(db);
}

/* Statements named source_... run on a database of the Python program. */
static void every_statement_can_be_prepared(void **state)
{
    struct buf schema = fixture_read("legacy/schema.sql");
    sqlite3 *plain, *legacy;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
    assert_int_equal(sqlite3_open(":memory:", &legacy), SQLITE_OK);
    assert_int_equal(sqlite3_exec(legacy, schema.ptr, NULL, NULL, NULL), SQLITE_OK);
    buf_clear(&schema);
    for (int i = 0; i < SQL_SCHEMA_VERSION; i++)
        assert_int_equal(sqlite3_exec(plain, sql_migrations[i], NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < SQL_COUNT; i++) {
        sqlite3 *db = strncmp(sql_name[i], "source_", 7) == 0 ? legacy : plain;
        sqlite3_stmt *stmt = NULL;

        if (sqlite3_prepare_v2(db, sql_text[i], -1, &stmt, NULL) != SQLITE_OK || !stmt)
            fail_msg("%s: %s", sql_name[i], sqlite3_errmsg(db));
        sqlite3_finalize(stmt);
    }
    sqlite3_close(legacy);
    sqlite3_close(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_private_whatever_the_umask),
        TEST(files_are_usable_under_a_strict_umask),
        TEST(a_reader_cannot_write),
        TEST(opening_for_writing_needs_a_file),
        TEST(a_second_writer_is_told_to_wait_and_goes_on_afterwards),
        TEST(a_refused_row_is_not_trouble_of_the_database),
        TEST(a_long_statement_is_stopped),
        TEST(texts_and_blobs_keep_every_byte),
        TEST(handles_of_one_memory_path_share_their_data),
        TEST(a_part_of_a_large_value_is_read_alone),
        TEST(inspecting_a_file_leaves_no_other_behind),
        TEST(every_statement_can_be_prepared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
