#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/buf.h"
#include "daemon/upstream/response_head.h"
#include "daemon/upstream/transfer_priv.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define LIT(text)                                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* As libcurl gives it: line by line. */
static int by_lines(struct response_head *h, struct str head, struct err *err)
{
    int rc = 0;

    while (rc == 0 && head.len > 0) {
        ptrdiff_t lf = str_chr(head, '\n');
        struct str line = str_cut(head, lf < 0 ? head.len : (size_t)lf + 1);

        rc = response_head_line(h, line, err);
        head = str_from(head, line.len);
    }
    return rc;
}

static void assert_refused(struct str head)
{
    struct response_head a = {0}, b = {0};
    struct err err = {0};

    if (response_head_all(&a, head, &err) >= 0)
        fail_msg("passed as a whole: %.*s", STR_ARG(head));
    assert_true(err.msg[0] != '\0');
    if (by_lines(&b, head, &err) > 0)
        fail_msg("passed by lines: %.*s", STR_ARG(head));
    response_head_clear(&a);
    response_head_clear(&b);
}

static void a_good_head_is_taken_apart(void **state)
{
    static const struct str head =
        LIT(OK "Content-Type:text/plain\r\nX-Pad: \t a b\t \r\nEmpty:\r\n8bit: \xc3\xa4\xff\r\n"
               "content-length: 0012\r\nX-Pad: c\r\n\r\n");

    (void)state;
    for (int lines = 0; lines < 2; lines++) {
        struct response_head h = {0};
        struct err err;

        assert_int_equal((lines ? by_lines : response_head_all)(&h, head, &err), 1);
        assert_int_equal(h.status, 200);
        assert_int_equal(h.version, 11);
        assert_false(h.chunked);
        assert_int_equal(h.content_length, 12);
        assert_int_equal(h.headers.count, 6);
        assert_true(str_eq(headers_get(&h.headers, STR("x-pad")), STR("a b")));
        assert_true(str_eq(headers_get(&h.headers, STR("empty")), STR("")));
        assert_true(str_eq(headers_get(&h.headers, STR("8BIT")), STR("\xc3\xa4\xff")));
        assert_true(str_eq(h.headers.items[5].value, STR("c")));
        response_head_clear(&h);
    }
}

static void versions_and_status_lines_that_occur_pass(void **state)
{
    static const struct {
        struct str head;
        int status, version;
    } cases[] = {
        {LIT("HTTP/1.1 200\r\n\r\n"), 200, 11},
        {LIT("HTTP/1.1 299 \r\n\r\n"), 299, 11},
        {LIT("HTTP/1.0 404 Not \xe4 Found\r\n\r\n"), 404, 10},
        {LIT("HTTP/2 503 \r\n\r\n"), 503, 20},
        {LIT("HTTP/1.1 599 x\r\n\r\n"), 599, 11},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct response_head h = {0};
        struct err err;

        assert_int_equal(response_head_all(&h, cases[i].head, &err), 1);
        assert_int_equal(h.status, cases[i].status);
        assert_int_equal(h.version, cases[i].version);
        assert_int_equal(h.content_length, -1);
        response_head_clear(&h);
    }
}

static void what_is_not_http_is_refused(void **state)
{
    static const struct str cases[] = {
        LIT("HTTP/0.9 200 OK\r\n\r\n"),     LIT("HTTP/1.2 200 OK\r\n\r\n"),
        LIT("HTTP/1.1200 OK\r\n\r\n"),      LIT("http/1.1 200 OK\r\n\r\n"),
        LIT("ICY 200 OK\r\n\r\n"),          LIT("HTTP/1.1  200 OK\r\n\r\n"),
        LIT("HTTP/1.1 2000 OK\r\n\r\n"),    LIT("HTTP/1.1 2x0 OK\r\n\r\n"),
        LIT("HTTP/1.1 199\0 OK\r\n\r\n"),   LIT("HTTP/1.1 600 OK\r\n\r\n"),
        LIT("HTTP/1.1 099 OK\r\n\r\n"),     LIT("HTTP/1.1 101 Up\r\n\r\n"),
        LIT("HTTP/1.1 200 a\rb\r\n\r\n"),   LIT("HTTP/1.1 200 OK\n\n"),
        LIT("\r\nHTTP/1.1 200 OK\r\n\r\n"), LIT("A: b\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_refused(cases[i]);
}

static void bad_fields_are_refused(void **state)
{
    static const struct str cases[] = {
        LIT(OK "A: 1\r\n folded\r\n\r\n"),
        LIT(OK "A: 1\r\n\tfolded\r\n\r\n"),
        LIT(OK " A: 1\r\n\r\n"),
        LIT(OK "A: 1\0\r\n\r\n"),
        LIT(OK "A: 1\r2\r\n\r\n"),
        LIT(OK "A: 1\n\r\n"),
        LIT(OK "A: \x01\r\n\r\n"),
        LIT(OK "A: \x7f\r\n\r\n"),
        LIT(OK "A\r\n\r\n"),
        LIT(OK ": 1\r\n\r\n"),
        LIT(OK "A : 1\r\n\r\n"),
        LIT(OK "A\0B: 1\r\n\r\n"),
        LIT(OK "A(B): 1\r\n\r\n"),
        LIT(OK "\xc3\xa4: 1\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_refused(cases[i]);
}

static void doubtful_framing_is_refused(void **state)
{
    static const struct str cases[] = {
        LIT(OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        LIT(OK "Content-Length: 5, 5\r\n\r\n"),
        LIT(OK "Content-Length:\r\n\r\n"),
        LIT(OK "Content-Length: +5\r\n\r\n"),
        LIT(OK "Content-Length: -5\r\n\r\n"),
        LIT(OK "Content-Length: 0x5\r\n\r\n"),
        LIT(OK "Content-Length: 5.0\r\n\r\n"),
        LIT(OK "Content-Length: 9223372036854775808\r\n\r\n"),
        LIT(OK "Transfer-Encoding: gzip\r\n\r\n"),
        LIT(OK "Transfer-Encoding: identity\r\n\r\n"),
        LIT(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"),
        LIT(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
        LIT(OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
        LIT(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    };
    struct response_head h = {0};
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_refused(cases[i]);
    assert_int_equal(response_head_all(&h, STR(OK "transfer-encoding: CHUNKED\r\n\r\n"), &err), 1);
    assert_true(h.chunked);
    response_head_clear(&h);
}

static void interim_heads_are_dropped_but_counted(void **state)
{
    struct response_head h = {0};
    struct err err;

    (void)state;
    for (int i = 0; i < RESPONSE_INTERIM_MAX; i++)
        assert_int_equal(response_head_all(&h, STR("HTTP/1.1 103 Hint\r\nA: b\r\n\r\n"), &err), 0);
    assert_int_equal(h.headers.count, 0);
    assert_int_equal(response_head_all(&h, STR("HTTP/1.1 100 Go\r\n\r\n"), &err), -1);
    response_head_clear(&h);
}

static void a_head_is_bounded(void **state)
{
    struct response_head h = {0};
    struct buf head = {0};
    struct err err;

    (void)state;
    buf_put(&head, STR(OK));
    for (int i = 0; i <= RESPONSE_FIELDS_MAX; i++)
        buf_put(&head, STR("A: b\r\n"));
    buf_put(&head, STR("\r\n"));
    assert_refused(buf_str(&head));
    buf_clear(&head);
    buf_put(&head, STR(OK "A: "));
    for (size_t i = 0; i < RESPONSE_HEAD_MAX; i++)
        buf_put(&head, STR("x"));
    assert_int_equal(response_head_line(&h, STR(OK), &err), 0);
    assert_int_equal(response_head_line(&h, buf_str(&head), &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    response_head_clear(&h);
    buf_clear(&head);
}

static void the_end_of_a_head_is_found_in_pieces(void **state)
{
    static const struct str bytes = LIT(OK "A: b\r\n\r\nbody");
    size_t scanned = 0;
    struct err err;

    (void)state;
    for (size_t len = 0; len < bytes.len - 4; len++)
        assert_int_equal(response_head_end(str_cut(bytes, len), &scanned, &err), 0);
    assert_int_equal(response_head_end(bytes, &scanned, &err), bytes.len - 4);
}

static void what_can_become_no_head_is_refused_early(void **state)
{
    size_t scanned = 0;
    struct buf long_head = {0};
    struct err err;

    (void)state;
    assert_int_equal(response_head_end(STR("SSH"), &scanned, &err), -1);
    scanned = 0;
    assert_int_equal(response_head_end(STR(OK "A: b\n"), &scanned, &err), -1);
    scanned = 0;
    assert_int_equal(response_head_end(STR("HTTP/1."), &scanned, &err), 0);
    scanned = 0;
    buf_put(&long_head, STR(OK "A: "));
    while (long_head.len <= RESPONSE_HEAD_MAX)
        buf_put(&long_head, STR("x"));
    assert_int_equal(response_head_end(buf_str(&long_head), &scanned, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_clear(&long_head);
}

static void fields_are_checked_before_they_go_out(void **state)
{
    (void)state;
    assert_true(response_field_ok(STR("X-A"), STR("any \x01 \xff")));
    assert_true(response_field_ok(STR("X-A"), STR("")));
    assert_false(response_field_ok(STR(""), STR("a")));
    assert_false(response_field_ok(STR("X A"), STR("a")));
    assert_false(response_field_ok(STR("X\r"), STR("a")));
    assert_false(response_field_ok(STR("X"), STR("a\rb")));
    assert_false(response_field_ok(STR("X"), STR("a\nb")));
    assert_false(response_field_ok(STR("X"), STR("a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_head_is_taken_apart),
        cmocka_unit_test(versions_and_status_lines_that_occur_pass),
        cmocka_unit_test(what_is_not_http_is_refused),
        cmocka_unit_test(bad_fields_are_refused),
        cmocka_unit_test(doubtful_framing_is_refused),
        cmocka_unit_test(interim_heads_are_dropped_but_counted),
        cmocka_unit_test(a_head_is_bounded),
        cmocka_unit_test(the_end_of_a_head_is_found_in_pieces),
        cmocka_unit_test(what_can_become_no_head_is_refused_early),
        cmocka_unit_test(fields_are_checked_before_they_go_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
