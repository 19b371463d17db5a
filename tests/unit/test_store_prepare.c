#include "store/store_priv.h"
#include "store_helpers.h"

static void path_is(const char *url, const char *expect)
{
    struct err err;
    char *path;

    OK(store_path(str_c(url), &path, &err));
    assert_string_equal(path, expect);
    free(path);
}

static void path_is_refused(const char *url, const char *why)
{
    struct err err;
    char *path;

    assert_int_equal(store_path(str_c(url), &path, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    if (!strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
}

static void database_urls_become_paths(void **state)
{
    (void)state;
    setenv("HOME", "/home/ada", 1);
    path_is("sqlite:///data/x.db", "data/x.db");
    path_is("sqlite:////var/lib/x.db", "/var/lib/x.db");
    path_is("x.db", "x.db");
    path_is("/abs/x.db", "/abs/x.db");
    path_is("~/x.db", "/home/ada/x.db");
    path_is("sqlite:///~/x.db", "/home/ada/x.db");
    path_is("file:x?mode=memory", "./file:x?mode=memory");
    path_is_refused("postgresql://host/db", "only sqlite");
    path_is_refused("sqlite:///x.db?mode=ro", "query string");
    path_is_refused("sqlite://host/x.db", "sqlite:///relative");
    path_is_refused("", "empty");
}

static void a_link_stands_for_the_file_behind_it(void **state)
{
    char folder[] = "/tmp/lop-link-XXXXXX", file[64], link[64], url[80];
    FILE *made;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/real.db", folder);
    snprintf(link, sizeof(link), "%s/link.db", folder);
    snprintf(url, sizeof(url), "sqlite:///%s", link);
    assert_int_equal(symlink("real.db", link), 0);
    path_is(url, link); /* it leads nowhere yet */
    made = fopen(file, "w");
    assert_non_null(made);
    fclose(made);
    path_is(url, file);
    unlink(link);
    unlink(file);
    rmdir(folder);
}

static void memory_urls_are_databases_of_their_own_that_stores_share(void **state)
{
    struct err err;
    char *path, *other;
    struct store *writer, *reader, *stranger;
    struct record r = sample(4);
    int64_t last;

    (void)state;
    OK(store_path(STR("sqlite:///:memory:"), &path, &err));
    OK(store_path(STR("sqlite://"), &other, &err));
    assert_string_not_equal(path, other);
    OK(store_check(path, &err));
    writer = open_new(path);
    stranger = open_new(other);
    reader = store_open(path, STORE_READ, &err);
    assert_non_null(reader);
    OK(store_record_insert(writer, &r, &err));
    OK(store_last_id(reader, &last, &err));
    assert_int_equal(last, 4);
    OK(store_last_id(stranger, &last, &err));
    assert_int_equal(last, 0);
    assert_true(store_current(reader));
    store_close(reader);
    store_close(stranger);
    store_close(writer);
    free(path);
    free(other);
}

static void folders_are_made_and_everything_is_private(void **state)
{
    const struct folder *f = *state;
    struct stat st;
    struct err err;
    char path[160], wal[200], parent[128];

    snprintf(parent, sizeof(parent), "%s/a/b", f->path);
    snprintf(path, sizeof(path), "%s/x.db", parent);
    snprintf(wal, sizeof(wal), "%s-wal", path);
    OK(store_check(path, &err));
    assert_int_equal(access(parent, F_OK), -1);
    OK(store_prepare(path, false, &err));
    assert_int_equal(stat(parent, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    OK(store_prepare(path, false, &err));
    assert_int_equal(query_number(path, "PRAGMA user_version"), SQL_SCHEMA_VERSION);
    assert_int_equal(
        query_number(path, "SELECT count(*) FROM meta WHERE value = '" LOP_VERSION "'"), 1);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(1 << 20);

    assert_non_null(file);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* Refused with that reason by the check and by prepare, and not a byte of it changes, nor is there
 * a new file beside it. */
static void is_refused(const struct folder *f, const char *why)
{
    size_t before_size, after_size;
    char *before = read_file(f->db, &before_size), *after;
    struct err err;
    struct stat st;
    DIR *dir;
    int files = 0;

    for (int i = 0; i < 2; i++) {
        err.msg[0] = '\0';
        assert_int_equal(i ? store_prepare(f->db, true, &err) : store_check(f->db, &err), -1);
        if (!strstr(err.msg, why) || !strstr(err.msg, f->db) || strchr(err.msg, '\n'))
            fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
        assert_int_equal(err_exit_status(err.code), 6);
    }
    after = read_file(f->db, &after_size);
    assert_int_equal(after_size, before_size);
    assert_memory_equal(after, before, after_size);
    free(before);
    free(after);
    dir = opendir(f->path);
    while (readdir(dir))
        files++;
    closedir(dir);
    assert_int_equal(files, 3);
    assert_int_equal(stat(f->db, &st), 0);
}

static void an_empty_file_is_a_new_database(void **state)
{
    const struct folder *f = *state;
    struct err err;

    write_file(f->db, "", 0);
    OK(store_check(f->db, &err));
    OK(store_prepare(f->db, false, &err));
    store_close(open_new(f->db));
}

static void what_is_no_database_is_refused(void **state)
{
    const struct folder *f = *state;

    write_file(f->db, "hello", 5);
    is_refused(f, "is not a database");
}

static void a_folder_is_refused(void **state)
{
    const struct folder *f = *state;
    struct err err;

    assert_int_equal(store_check(f->path, &err), -1);
    assert_non_null(strstr(err.msg, "is a directory"));
    assert_int_equal(store_prepare(f->path, false, &err), -1);
    assert_int_equal(err_exit_status(err.code), 6);
}

static void a_path_that_cannot_be_made_is_refused(void **state)
{
    const struct folder *f = *state;
    struct err err;
    char path[160];

    write_file(f->db, "x", 1);
    snprintf(path, sizeof(path), "%s/sub/x.db", f->db);
    assert_int_equal(store_prepare(path, false, &err), -1);
    assert_non_null(strstr(err.msg, path));
}

static void a_newer_database_is_refused_by_name(void **state)
{
    const struct folder *f = *state;

    store_close(open_new(f->db));
    run_sql(f->db, "UPDATE meta SET value = '9.8.7'; PRAGMA user_version = 999");
    is_refused(f, "written by version 9.8.7 of this program (schema 999");
}

static void the_python_predecessor_is_sent_to_import(void **state)
{
    const struct folder *f = *state;
    char why[160];

    run_sql(f->db, "CREATE TABLE request_records (id INTEGER PRIMARY KEY, method TEXT);"
                   "CREATE TABLE task_runs (id INTEGER PRIMARY KEY);"
                   "INSERT INTO request_records VALUES (1, 'POST')");
    snprintf(why, sizeof(why), "llm-observe-proxy db import %s", f->db);
    is_refused(f, why);
}

static void a_database_of_another_program_is_refused(void **state)
{
    const struct folder *f = *state;

    run_sql(f->db, "CREATE TABLE notes (x); PRAGMA user_version = 1");
    is_refused(f, "is a database of another program");
}

static void a_cut_database_is_refused(void **state)
{
    const struct folder *f = *state;

    store_close(open_new(f->db));
    assert_int_equal(truncate(f->db, 8192 * 3), 0);
    is_refused(f, "malformed");
}

static void an_overwritten_database_is_refused(void **state)
{
    const struct folder *f = *state;
    size_t size;
    char *bytes;

    store_close(open_new(f->db));
    bytes = read_file(f->db, &size);
    memset(bytes + 200, 0xA5, size - 200);
    write_file(f->db, bytes, size);
    free(bytes);
    is_refused(f, "malformed");
}

static void rows_in_the_log_of_a_killed_process_are_kept(void **state)
{
    const struct folder *f = *state;
    struct err err;
    struct store *store = open_new(f->db), *again;
    struct record r = sample(5);
    char copy[160], wal[160], wal_copy[200];
    size_t size;
    char *bytes;
    int64_t last;

    OK(store_record_insert(store, &r, &err));
    snprintf(copy, sizeof(copy), "%s/copy.db", f->path);
    snprintf(wal, sizeof(wal), "%s-wal", f->db);
    snprintf(wal_copy, sizeof(wal_copy), "%s-wal", copy);
    bytes = read_file(f->db, &size);
    write_file(copy, bytes, size);
    free(bytes);
    bytes = read_file(wal, &size);
    assert_true(size > 0);
    write_file(wal_copy, bytes, size); /* what a kill leaves behind */
    free(bytes);
    OK(store_check(copy, &err));
    again = open_new(copy);
    OK(store_last_id(again, &last, &err));
    assert_int_equal(last, 5);
    store_close(again);
    store_close(store);
}

static const char *const two_steps[] = {
    "PRAGMA application_id = 0x6c6f7031;"
    "CREATE TABLE requests (id INTEGER PRIMARY KEY);"
    "CREATE TABLE counters (name TEXT PRIMARY KEY, count INTEGER);"
    "CREATE TABLE generation (id INTEGER PRIMARY KEY, value INTEGER);"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);"
    "INSERT INTO requests VALUES (41);",
    "ALTER TABLE requests ADD COLUMN extra TEXT;"
    "UPDATE requests SET extra = 'new';",
};

static void an_older_database_is_copied_and_migrated(void **state)
{
    const struct folder *f = *state;
    struct stat st;
    struct err err;
    char backup[160];

    snprintf(backup, sizeof(backup), "%s.bak-v1", f->db);
    OK(store_migrate(f->db, two_steps, 1, false, &err));
    assert_int_equal(access(backup, F_OK), -1);
    OK(store_migrate(f->db, two_steps, 2, false, &err));
    assert_int_equal(query_number(f->db, "PRAGMA user_version"), 2);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM requests WHERE extra = 'new'"), 1);
    assert_int_equal(stat(backup, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(query_number(backup, "PRAGMA user_version"), 1);
    assert_int_equal(query_number(backup, "SELECT id FROM requests"), 41);
    OK(store_migrate(f->db, two_steps, 2, false, &err));
}

static void a_backup_that_is_there_is_never_overwritten(void **state)
{
    const struct folder *f = *state;
    struct err err;
    char backup[160], second[160];
    size_t size;
    char *bytes;

    snprintf(backup, sizeof(backup), "%s.bak-v1", f->db);
    snprintf(second, sizeof(second), "%s.bak-v1.2", f->db);
    OK(store_migrate(f->db, two_steps, 1, false, &err));
    write_file(backup, "precious", 8);
    OK(store_migrate(f->db, two_steps, 2, false, &err));
    bytes = read_file(backup, &size);
    assert_int_equal(size, 8);
    free(bytes);
    assert_int_equal(query_number(second, "SELECT id FROM requests"), 41);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    static const char *const broken[] = {
        NULL,
        "ALTER TABLE requests ADD COLUMN extra TEXT; INSERT INTO nowhere VALUES (1);",
    };
    const struct folder *f = *state;
    struct err err;

    OK(store_migrate(f->db, two_steps, 1, false, &err));
    assert_int_equal(store_migrate(f->db, broken, 2, true, &err), -1);
    assert_non_null(strstr(err.msg, f->db));
    assert_int_equal(query_number(f->db, "PRAGMA user_version"), 1);
    assert_int_equal(query_number(f->db, "SELECT count(*) FROM pragma_table_info('requests')"), 1);
    OK(store_migrate(f->db, two_steps, 2, true, &err));
}

static void without_a_backup_there_is_no_migration(void **state)
{
    const struct folder *f = *state;
    struct err err;

    if (geteuid() == 0)
        skip(); /* root writes everywhere */
    OK(store_migrate(f->db, two_steps, 1, false, &err));
    assert_int_equal(chmod(f->path, 0500), 0);
    assert_int_equal(store_migrate(f->db, two_steps, 2, false, &err), -1);
    assert_int_equal(chmod(f->path, 0700), 0);
    assert_int_equal(query_number(f->db, "PRAGMA user_version"), 1);
}

static void a_database_that_is_not_ready_does_not_open(void **state)
{
    const struct folder *f = *state;
    struct err err;

    assert_null(store_open(f->db, STORE_READ, &err));
    assert_non_null(strstr(err.msg, f->db));
    OK(store_migrate(f->db, two_steps, 2, false, &err));
    run_sql(f->db, "PRAGMA user_version = 998");
    assert_null(store_open(f->db, STORE_WRITE, &err));
    assert_non_null(strstr(err.msg, "(schema 998, this one knows "));
}

static void a_store_notices_that_its_file_was_replaced(void **state)
{
    const struct folder *f = *state;
    struct store *store = open_new(f->db);

    assert_true(store_current(store));
    unlink(f->db);
    assert_false(store_current(store));
    write_file(f->db, "", 0);
    assert_false(store_current(store));
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(database_urls_become_paths),
        TEST(a_link_stands_for_the_file_behind_it),
        TEST(memory_urls_are_databases_of_their_own_that_stores_share),
        TEST(folders_are_made_and_everything_is_private),
        TEST(an_empty_file_is_a_new_database),
        TEST(what_is_no_database_is_refused),
        TEST(a_folder_is_refused),
        TEST(a_path_that_cannot_be_made_is_refused),
        TEST(a_newer_database_is_refused_by_name),
        TEST(the_python_predecessor_is_sent_to_import),
        TEST(a_database_of_another_program_is_refused),
        TEST(a_cut_database_is_refused),
        TEST(an_overwritten_database_is_refused),
        TEST(rows_in_the_log_of_a_killed_process_are_kept),
        TEST(an_older_database_is_copied_and_migrated),
        TEST(a_backup_that_is_there_is_never_overwritten),
        TEST(a_migration_that_fails_changes_nothing),
        TEST(without_a_backup_there_is_no_migration),
        TEST(a_database_that_is_not_ready_does_not_open),
        TEST(a_store_notices_that_its_file_was_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
