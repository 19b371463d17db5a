/* tests/unit/store_helpers.h - a folder that goes away, and records to store. */
#ifndef STORE_HELPERS_H
#define STORE_HELPERS_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "store/store.h"

struct folder {
    char path[64];
    char db[96];
};

static inline int folder_make(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));
    const char *tmp = getenv("TMPDIR");

    snprintf(f->path, sizeof(f->path), "%.40s/lop-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(f->path))
        return -1;
    snprintf(f->db, sizeof(f->db), "%s/traffic.sqlite3", f->path);
    *state = f;
    return 0;
}

static inline void folder_empty(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char name[512];

    while (dir && (entry = readdir(dir))) {
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >= (int)sizeof(name))
            continue;
        if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode)) {
            chmod(name, 0700);
            folder_empty(name);
            rmdir(name);
        } else {
            unlink(name);
        }
    }
    if (dir)
        closedir(dir);
}

static inline int folder_remove(void **state)
{
    struct folder *f = *state;

    folder_empty(f->path);
    rmdir(f->path);
    free(f);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

/* Fails the test with the message of err. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s", #call, err.msg);                                                    \
    } while (0)

static inline struct store *open_new(const char *path)
{
    struct err err;
    struct store *store;

    OK(store_prepare(path, false, &err));
    store = store_open(path, STORE_WRITE, &err);
    if (!store)
        fail_msg("%s", err.msg);
    return store;
}

/* A complete, successful exchange. */
static inline struct record sample(int64_t id)
{
    struct record r;

    record_init(&r);
    r.id = id;
    r.created_us = INT64_C(1900000000000000) + id * 1000;
    r.method = STR("POST");
    r.endpoint = STR("/v1/chat/completions");
    r.query_string = STR("");
    r.model = STR("tiny-chat");
    r.upstream_url = STR("http://localhost:9000/v1/chat/completions");
    r.completed_us = r.created_us + 250000;
    r.duration_ms = 250;
    r.upstream_headers_ms = 100;
    r.response_status = 200;
    r.response_content_type = STR("application/json");
    r.request_headers_json = STR("{\"accept\":\"*/*\"}");
    r.response_headers_json = STR("{\"content-type\":\"application/json\"}");
    r.request_body = STR("{\"model\":\"tiny-chat\"}");
    r.response_body = STR("{\"ok\":true}");
    r.response_bytes = (int64_t)r.response_body.len;
    return r;
}

/* One number that a statement of the test gives, by a handle of its own. */
static inline int64_t query_number(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int64_t n = -1;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(stmt) == SQLITE_ROW)
        n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return n;
}

static inline void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

#endif
