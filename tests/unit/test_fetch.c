#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/fetch.h"
#include "scripted_server.h"

#define COUNT 9

static const struct fetch_options options = {.timeout_ms = 10000, .limit = 1000};

static void every_document_is_fetched(void **state)
{
    static struct server s;
    struct fetch list[COUNT] = {0};
    char url[64];

    (void)state;
    s = (struct server){.answer = STR("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[42]")};
    server_start(&s);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", s.port);
    for (size_t i = 0; i < COUNT; i++)
        list[i].url = str_c(url);
    fetch_all(list, COUNT, &options);
    for (size_t i = 0; i < COUNT; i++) {
        assert_string_equal(list[i].error, "");
        assert_int_equal(list[i].status, 200);
        assert_true(str_eq(buf_str(&list[i].body), STR("[42]")));
        buf_clear(&list[i].body);
    }
    server_stop(&s);
}

static void the_key_goes_as_a_bearer_token(void **state)
{
    static struct server s;
    struct secret key = {0};
    struct fetch_options with_key = options;
    struct fetch one = {0};
    char url[64];

    (void)state;
    s = (struct server){.answer = STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")};
    server_start(&s);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", s.port);
    secret_set(&key, STR("sk-test"));
    with_key.key = &key;
    one.url = str_c(url);
    fetch_all(&one, 1, &with_key);
    pthread_mutex_lock(&s.lock);
    assert_non_null(strstr(s.request, "Authorization: Bearer sk-test\r\n"));
    assert_non_null(strstr(s.request, "Accept: application/json\r\n"));
    pthread_mutex_unlock(&s.lock);
    buf_clear(&one.body);
    secret_clear(&key);
    server_stop(&s);
}

/* What is said about an answer. */
static void check(struct str answer, size_t pattern, const char *error)
{
    static struct server s;
    struct fetch one = {0};
    char url[64];

    s = (struct server){.answer = answer, .pattern = pattern, .close_after = true};
    server_start(&s);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", s.port);
    one.url = str_c(url);
    fetch_all(&one, 1, &options);
    if (!strstr(one.error, error))
        fail_msg("\"%s\" instead of \"%s\"", one.error, error);
    buf_clear(&one.body);
    server_stop(&s);
}

static void what_is_no_document_is_an_error(void **state)
{
    struct fetch one = {.url = STR("file:///etc/hostname")};

    (void)state;
    check(STR("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
          0, "HTTP 302");
    check(STR("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), 0, "HTTP 500");
    check(STR("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n"), 2000, "too large");
    fetch_all(&one, 1, &options);
    assert_string_not_equal(one.error, "");
    assert_int_equal(one.body.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_document_is_fetched),
        cmocka_unit_test(the_key_goes_as_a_bearer_token),
        cmocka_unit_test(what_is_no_document_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
