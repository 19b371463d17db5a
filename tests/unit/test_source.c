#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/request_list.h"
#include "cli/source.h"
#include "text/term.h"
#include "json/json_scan.h"

static char folder[] = "/tmp/lop-source-XXXXXX";

/* ---- a server that answers everything with one text ---- */

struct fake {
    int fd, port;
    const char *body; /* NULL: accepts and says nothing */
    pthread_t thread;
    char request[2048]; /* the last one */
};

static void *serve(void *arg)
{
    struct fake *f = arg;
    char head[256];
    int c;

    while ((c = accept(f->fd, NULL, NULL)) >= 0) {
        ssize_t n = read(c, f->request, sizeof(f->request) - 1);

        f->request[n > 0 ? n : 0] = '\0';
        if (!f->body) { /* until the client gives up */
            n = read(c, head, sizeof(head));
        } else {
            snprintf(head, sizeof(head),
                     "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                     strlen(f->body));
            if (write(c, head, strlen(head)) < 0 || write(c, f->body, strlen(f->body)) < 0)
                n = 0;
        }
        close(c);
    }
    return NULL;
}

static void fake_start(struct fake *f, const char *body)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);

    *f = (struct fake){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .body = body};
    assert_int_equal(bind(f->fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(f->fd, 8), 0);
    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&at, &len), 0);
    f->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void fake_stop(struct fake *f)
{
    shutdown(f->fd, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->fd);
}

/* A port where nobody listens. */
static int free_port(void)
{
    struct fake f;

    fake_start(&f, NULL);
    fake_stop(&f);
    return f.port;
}

/* ---- what is asked ---- */

struct asked {
    struct cli cli;
    struct source source;
    struct err err;
    int rc;
};

static const struct verb any = {.name = "list", .forms = ~0u};

static void ask(struct asked *a, int argc, char **argv)
{
    assert_int_equal(cli_parse(&a->cli, "requests list", &any, argc, argv, &a->err), 0);
    a->cli.quiet = true;
    a->rc = source_open(&a->source, &a->cli, &a->err);
}

static void asked_clear(struct asked *a)
{
    source_close(&a->source);
    cli_clear(&a->cli);
}

static void set_port(int port)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", port);
    setenv("LLM_OBSERVE_INCOMING_PORT", text, 1);
    setenv("LLM_OBSERVE_INCOMING_HOST", "127.0.0.1", 1);
}

static void make_database(const char *path)
{
    struct err err;

    assert_int_equal(store_prepare(path, false, &err), 0);
}

/* Each test begins in an empty folder of its own with nothing in the environment. */
static int enter(void **state)
{
    static int number;
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "%s/%d", folder, number++);
    if (mkdir(path, 0700) < 0 || chdir(path) < 0)
        return -1;
    unsetenv("LLM_OBSERVE_URL");
    unsetenv("LLM_OBSERVE_DATABASE_URL");
    set_port(free_port());
    return 0;
}

#define OURS "{\"status\":\"ok\",\"name\":\"llm-observe-proxy\",\"server\":{\"database\":\"/x\"}}"

static void nothing_at_all_says_what_was_tried(void **state)
{
    struct asked a;

    (void)state;
    ask(&a, 0, NULL);
    assert_int_equal(a.rc, -1);
    assert_int_equal(err_exit_status(a.err.code), 5);
    assert_string_equal(a.err.msg, "no server and no database");
    assert_non_null(strstr(a.source.hint, "  no server answers at http://127.0.0.1:"));
    assert_non_null(strstr(a.source.hint, "\n  there is no ./llm_observe_proxy.sqlite3\n"));
    asked_clear(&a);
}

static void a_url_is_asked_and_nothing_else(void **state)
{
    struct asked a;

    (void)state;
    make_database("llm_observe_proxy.sqlite3");
    ask(&a, 1, (char *[]){"--url=http://127.0.0.1:1/"});
    assert_int_equal(a.rc, 0);
    assert_string_equal(source_name(&a.source), "http://127.0.0.1:1");
    asked_clear(&a);
    setenv("LLM_OBSERVE_URL", "http://127.0.0.1:2", 1);
    ask(&a, 0, NULL);
    assert_string_equal(source_name(&a.source), "http://127.0.0.1:2");
    asked_clear(&a);
    ask(&a, 1, (char *[]){"--database-url=llm_observe_proxy.sqlite3"});
    assert_int_equal(a.rc, 0);
    assert_null(a.source.client);
    asked_clear(&a);
    ask(&a, 1, (char *[]){"--url=ftp://x"});
    assert_int_equal(a.rc, -1);
    assert_int_equal(a.err.code, ERR_INVALID);
    asked_clear(&a);
}

static void a_named_database_must_exist(void **state)
{
    struct asked a;

    (void)state;
    ask(&a, 1, (char *[]){"--database-url=none.sqlite3"});
    assert_int_equal(a.rc, -1);
    assert_int_equal(a.err.code, ERR_UNREACHABLE);
    assert_int_equal(access("none.sqlite3", F_OK), -1);
    asked_clear(&a);
    ask(&a, 1, (char *[]){"--database-url=sqlite://"});
    assert_int_equal(a.err.code, ERR_INVALID);
    asked_clear(&a);
}

static void a_server_at_the_default_address_wins_over_the_file(void **state)
{
    struct asked a;
    struct fake f;

    (void)state;
    make_database("llm_observe_proxy.sqlite3");
    fake_start(&f, OURS);
    set_port(f.port);
    ask(&a, 0, NULL);
    assert_int_equal(a.rc, 0);
    assert_non_null(a.source.client);
    assert_non_null(strstr(f.request, "GET /api/status HTTP/1.1"));
    asked_clear(&a);
    fake_stop(&f);
}

static void another_program_at_the_default_address_does_not(void **state)
{
    struct asked a;
    struct fake f;

    (void)state;
    make_database("llm_observe_proxy.sqlite3");
    fake_start(&f, "{\"name\":\"something else\"}");
    set_port(f.port);
    ask(&a, 0, NULL);
    assert_int_equal(a.rc, 0);
    assert_null(a.source.client);
    asked_clear(&a);
    fake_stop(&f);
    fake_start(&f, NULL); /* silent: costs the limit, no more */
    set_port(f.port);
    ask(&a, 0, NULL);
    assert_int_equal(a.rc, 0);
    assert_null(a.source.client);
    asked_clear(&a);
    fake_stop(&f);
}

/* A process that holds the lock of an instance file until it is told to end. */
static pid_t hold_lock(const char *path, const char *text, int *end)
{
    int ready[2], stop[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(stop), 0);
    pid = fork();
    if (pid == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(path, O_RDWR | O_CREAT, 0600);

        close(stop[1]);
        if (write(fd, text, strlen(text)) < 0 || fcntl(fd, F_SETLK, &lock) < 0 ||
            write(ready[1], "x", 1) < 0)
            _exit(1);
        _exit(read(stop[0], &byte, 1) < 0);
    }
    close(ready[1]);
    close(stop[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *end = stop[1];
    return pid;
}

static void let_go(pid_t pid, int end)
{
    close(end);
    waitpid(pid, NULL, 0);
}

static void a_locked_instance_file_names_the_server(void **state)
{
    struct asked a;
    struct fake f;
    char text[128];
    pid_t pid;
    int end;

    (void)state;
    make_database("mine.sqlite3");
    setenv("LLM_OBSERVE_DATABASE_URL", "mine.sqlite3", 1);
    fake_start(&f, OURS);
    snprintf(text, sizeof(text), "{\"pid\":1,\"url\":\"http://127.0.0.1:%d\"}\n", f.port);
    pid = hold_lock("mine.sqlite3.serve", text, &end);
    ask(&a, 0, NULL);
    assert_int_equal(a.rc, 0);
    assert_non_null(a.source.client);
    asked_clear(&a);
    fake_stop(&f);
    ask(&a, 0, NULL); /* locked, but nobody answers: the file is read */
    assert_int_equal(a.rc, 0);
    assert_null(a.source.client);
    asked_clear(&a);
    let_go(pid, end);
    ask(&a, 0, NULL); /* the lock went with its process, the file is still there */
    assert_int_equal(a.rc, 0);
    assert_string_equal(source_name(&a.source), "mine.sqlite3");
    asked_clear(&a);
}

static void errors_of_a_server_keep_their_meaning(void **state)
{
    static const struct {
        int status;
        const char *code, *body, *message;
        int exit;
    } cases[] = {
        {404, "", "{\"detail\":\"Request not found.\"}", "request 4: Request not found.", 3},
        {422, "", "{\"detail\":[{\"type\":\"less_than_equal\",\"loc\":[\"query\",\"per_page\"],"
                  "\"msg\":\"must be at most 200\"}]}",
         "request 4: per_page: must be at most 200", 2},
        {403, "", "{\"detail\":\"no\"}", "request 4: no", 4},
        {409, "", "", "request 4: the server answered 409", 7},
        {400, "route_exists", "{}", "request 4: the server answered 400", 7},
        {503, "", "<html>", "request 4: the server answered 503", 75},
        {500, "", "{\"detail\":\"disk\"}", "request 4: disk", 6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_answer a = {.status = cases[i].status};
        struct err err;

        buf_put(&a.body, str_c(cases[i].body));
        snprintf(a.error_code, sizeof(a.error_code), "%s", cases[i].code);
        assert_int_equal(api_answer_error(&a, "request 4", &err), -1);
        assert_string_equal(err.msg, cases[i].message);
        assert_int_equal(err_exit_status(err.code), cases[i].exit);
        api_answer_clear(&a);
    }
}

/* ---- rows of a file ---- */

static void add_record(struct store *store, int64_t id, int64_t status)
{
    struct record r;
    struct err err;

    record_init(&r);
    r.id = id;
    r.created_us = INT64_C(1795442500000000) + id * 1000;
    r.completed_us = r.created_us + 500;
    r.method = STR("POST");
    r.endpoint = STR("/v1/chat/completions");
    r.model = STR("m");
    r.upstream_url = STR("http://localhost/v1/chat/completions");
    r.response_status = status;
    r.duration_ms = id;
    r.request_headers_json = STR("{}");
    r.request_body = STR("{\"a\":\"\x1b[31m\"}");
    r.response_body = STR("answer");
    r.response_body_truncated = id == 7;
    if (store_record_insert(store, &r, &err) < 0)
        fail_msg("%s", err.msg);
}

static void make_rows(const char *path, int64_t count)
{
    struct store *store;
    struct err err;

    make_database(path);
    store = store_open(path, STORE_WRITE, &err);
    assert_non_null(store);
    assert_int_equal(store_begin(store, &err), 0);
    for (int64_t id = 1; id <= count; id++)
        add_record(store, id, id == 5 ? 500 : 200);
    assert_int_equal(store_commit(store, &err), 0);
    store_close(store);
}

struct seen {
    int64_t count, last, limit;
};

static int on_row(void *ctx, struct str json, const struct row *row, struct err *err)
{
    struct seen *seen = ctx;
    int64_t id = row_int(row, "id");

    (void)json;
    (void)err;
    assert_true(seen->last == 0 || id == seen->last - 1); /* newest first, none twice, none left */
    seen->last = id;
    return ++seen->count == seen->limit;
}

static void rows_come_page_by_page_each_once(void **state)
{
    struct asked a;
    struct request_list list;
    struct seen seen = {0};

    (void)state;
    make_rows("t.sqlite3", 777);
    ask(&a, 1, (char *[]){"--database-url=t.sqlite3"});
    assert_int_equal(a.rc, 0);
    assert_int_equal(request_list_read(&list, &a.cli, &a.err), 0);
    assert_int_equal(
        request_list_each(&list, &a.source, LIST_SCAN_ALL, on_row, &seen, &a.err), 0);
    assert_int_equal(seen.count, 777);
    assert_int_equal(seen.last, 1);
    seen = (struct seen){.limit = 3};
    assert_int_equal(request_list_each(&list, &a.source, 3, on_row, &seen, &a.err), 0);
    assert_int_equal(seen.count, 3);
    request_list_clear(&list);
    asked_clear(&a);
}

static void last_and_last_error_are_ids(void **state)
{
    struct asked a;
    int64_t id = 0;

    (void)state;
    make_rows("t.sqlite3", 9);
    ask(&a, 1, (char *[]){"--database-url=t.sqlite3"});
    assert_int_equal(request_id_read(&a.source, "last", &id, &a.err), 0);
    assert_int_equal(id, 9);
    assert_int_equal(request_id_read(&a.source, "last-error", &id, &a.err), 0);
    assert_int_equal(id, 5);
    assert_int_equal(request_id_read(&a.source, "4", &id, &a.err), 0);
    assert_int_equal(id, 4);
    assert_int_equal(request_id_read(&a.source, "newest", &id, &a.err), -1);
    assert_int_equal(a.err.code, ERR_INVALID);
    asked_clear(&a);
}

static int on_bytes(void *ctx, struct str bytes, struct err *err)
{
    return buf_add(ctx, bytes, err);
}

static void stored_bytes_come_exactly(void **state)
{
    struct asked a;
    struct buf body = {0};
    bool truncated;

    (void)state;
    make_rows("t.sqlite3", 8);
    ask(&a, 1, (char *[]){"--database-url=t.sqlite3"});
    assert_int_equal(source_body(&a.source, 8, BODY_REQUEST, on_bytes, &body, &truncated, &a.err),
                     0);
    assert_string_equal(body.ptr, "{\"a\":\"\x1b[31m\"}");
    assert_false(truncated);
    body.len = 0;
    assert_int_equal(source_body(&a.source, 7, BODY_RESPONSE, on_bytes, &body, &truncated, &a.err),
                     0);
    assert_true(truncated);
    assert_int_equal(source_body(&a.source, 7, BODY_UPSTREAM, on_bytes, &body, &truncated, &a.err),
                     -1);
    assert_int_equal(a.err.code, ERR_NOT_FOUND);
    assert_int_equal(source_body(&a.source, 70, BODY_REQUEST, on_bytes, &body, &truncated, &a.err),
                     -1);
    assert_int_equal(a.err.code, ERR_NOT_FOUND);
    buf_clear(&body);
    asked_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_at_all_says_what_was_tried, enter),
        cmocka_unit_test_setup(a_url_is_asked_and_nothing_else, enter),
        cmocka_unit_test_setup(a_named_database_must_exist, enter),
        cmocka_unit_test_setup(a_server_at_the_default_address_wins_over_the_file, enter),
        cmocka_unit_test_setup(another_program_at_the_default_address_does_not, enter),
        cmocka_unit_test_setup(a_locked_instance_file_names_the_server, enter),
        cmocka_unit_test_setup(errors_of_a_server_keep_their_meaning, enter),
        cmocka_unit_test_setup(rows_come_page_by_page_each_once, enter),
        cmocka_unit_test_setup(last_and_last_error_are_ids, enter),
        cmocka_unit_test_setup(stored_bytes_come_exactly, enter),
    };
    char command[64];
    int failed;

    term_start();
    if (!mkdtemp(folder))
        return 1;
    setenv("http_proxy", "http://127.0.0.1:9", 1); /* must not be used */
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command) != 0 || failed;
}
