/* What a request head may look like, and what is refused with which status and code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <llhttp.h>

#include "daemon/http/guard.h"
#include "daemon/http/head.h"
#include "daemon/http/request.h"

static struct blob_budget budget = {.limit = 1 << 24, .each = 1 << 20};

/* Parse a head and, when it has one, its body, fed in pieces of n bytes. Returns the status of the
 * refusal, 0 when the request is complete, -1 when more is needed. */
static int parse(struct request *r, struct str text, size_t n, struct refusal *refusal)
{
    struct head_scan scan = {0};
    size_t len = 0, fed = 0;
    struct str rest;
    int rc = 0;

    *refusal = (struct refusal){0};
    *r = (struct request){.body.budget = &budget, .body_limit = 1000000};
    while (len == 0 && fed < text.len && refusal->status == 0) {
        fed = fed + n > text.len ? text.len : fed + n;
        len = head_scan(&scan, str_cut(text, fed), refusal);
    }
    if (refusal->status)
        return refusal->status;
    if (len == 0)
        return -1;
    if (!request_parse(r, str_cut(text, len), refusal))
        return refusal->status;
    rest = str_from(text, len);
    while (!request_body_empty(r) && rc == 0) {
        struct str piece = str_cut(rest, n), left = piece;

        if (piece.len == 0)
            return -1;
        rc = request_body(r, &left, refusal);
        rest = str_from(rest, piece.len - left.len);
    }
    return rc < 0 ? refusal->status : 0;
}

struct refused_case {
    const char *what;
    struct str text;
    int status;
};

#define H "Host: a\r\n"
#define CASE(what, text, status)                                                                   \
    {                                                                                              \
        what, {text, sizeof(text) - 1}, status                                                     \
    }

static const struct refused_case refused[] = {
    CASE("bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400),
    CASE("bare CR in a value", "GET / HTTP/1.1\r\n" H "X:\rTransfer-Encoding: chunked\r\n\r\n",
         400),
    CASE("CR CR before a field", "GET / HTTP/1.1\r\n" H "X:\r\rContent-Length: 5\r\n\r\n", 400),
    CASE("CR at the end of the head", "GET / HTTP/1.1\r\n" H "\r\n\rX\r\n\r\n", 0),
    CASE("NUL in a value", "GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n", 400),
    CASE("NUL in the target", "GET /\0 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("blank in a name", "GET / HTTP/1.1\r\n" H "X Y: 1\r\n\r\n", 400),
    CASE("blank before the colon", "GET / HTTP/1.1\r\n" H "X : 1\r\n\r\n", 400),
    CASE("empty name", "GET / HTTP/1.1\r\n" H ": 1\r\n\r\n", 400),
    CASE("no colon", "GET / HTTP/1.1\r\n" H "X\r\n\r\n", 400),
    CASE("folded line", "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400),
    CASE("folded transfer coding",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    CASE("two blanks before the target", "GET  / HTTP/1.1\r\n" H "\r\n", 400),
    CASE("DEL in the target", "GET /\x7f HTTP/1.1\r\n" H "\r\n", 400),
    CASE("fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", 400),
    CASE("no leading slash", "GET a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("other scheme", "GET ftp://a/ HTTP/1.1\r\n" H "\r\n", 400),
    CASE("asterisk with GET", "GET * HTTP/1.1\r\n" H "\r\n", 400),
    CASE("version 2.0", "GET / HTTP/2.0\r\n" H "\r\n", 505),
    CASE("version 1.2", "GET / HTTP/1.2\r\n" H "\r\n", 505),
    CASE("version 0.9", "GET /\r\n\r\n", 505),
    CASE("TRACE", "TRACE / HTTP/1.1\r\n" H "\r\n", 405),
    CASE("CONNECT", "CONNECT a:1 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
    CASE("two Hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 400),
    CASE("user in Host", "GET / HTTP/1.1\r\nHost: 127.0.0.1@evil\r\n\r\n", 400),
    CASE("list in Host", "GET / HTTP/1.1\r\nHost: 127.0.0.1,evil\r\n\r\n", 400),
    CASE("bracket in Host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
    CASE("two ports in Host", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400),
    CASE("port alone in Host", "GET / HTTP/1.1\r\nHost: :\r\n\r\n", 400),
    CASE("length and chunked",
         "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400),
    CASE("chunked and length",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
         400),
    CASE("two lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
         400),
    CASE("list of lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 1, 2\r\n\r\nab", 400),
    CASE("signed length", "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\na", 400),
    CASE("hex length", "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\na", 400),
    CASE("huge length", "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\na",
         400),
    CASE("gzip coding", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 501),
    CASE("gzip, chunked",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    CASE("chunked in 1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400),
    CASE("other expectation", "POST / HTTP/1.1\r\n" H "Expect: tea\r\nContent-Length: 1\r\n\r\na",
         417),
    CASE("bare CR after a chunk size",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\rXhello\r\n0\r\n\r\n", 400),
    CASE("bare CR in an extension",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5;a=b\rXhello\r\n0\r\n\r\n",
         400),
    CASE("data not followed by CRLF",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n", 400),
    CASE("bare CR at the end of chunks",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\rX", 400),
    CASE("chunk size without digits",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n;a\r\n0\r\n\r\n", 400),
    CASE("chunk size of 17 digits",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", 400),
    CASE("NUL in an extension",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1;\0\r\na\r\n0\r\n\r\n", 400),
};

static void refuses_what_could_be_read_in_two_ways(void **state)
{
    struct request r;
    struct refusal refusal;

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        for (size_t n = 1; n <= 64; n += 21) {
            int status = parse(&r, refused[i].text, n, &refusal);

            if (status != refused[i].status)
                fail_msg("%s in pieces of %zu: got %d, expected %d (%s)", refused[i].what, n,
                         status, refused[i].status, refusal.message);
            request_clear(&r);
        }
    }
}

static void reads_any_split_of_a_chunked_body(void **state)
{
    struct str text = STR("POST /v1/x?y=1 HTTP/1.1\r\nHost: localhost:8080\r\nx-a:\t b \r\n"
                          "Transfer-Encoding: Chunked\r\nEmpty:\r\n\r\n"
                          "5;a=\"b\"\r\nhello\r\n00006 ;x\r\n world\r\n0\r\nT: 1\r\n\r\n");
    struct request r;
    struct refusal refusal;

    (void)state;
    for (size_t n = 1; n < 200; n++) {
        assert_int_equal(parse(&r, text, n, &refusal), 0);
        assert_true(str_eq(blob_str(&r.body), STR("hello world")));
        assert_true(str_eq(headers_get(&r.headers, STR("X-A")), STR("b")));
        assert_true(str_eq(headers_get(&r.headers, STR("empty")), STR("")));
        assert_int_equal(headers_count(&r.headers, STR("t")), 0);
        assert_true(str_eq(r.path, STR("/v1/x")));
        assert_true(str_eq(r.query, STR("y=1")));
        request_clear(&r);
    }
}

static void takes_the_authority_of_an_absolute_target(void **state)
{
    struct request r;
    struct refusal refusal;

    (void)state;
    assert_int_equal(
        parse(&r, STR("GET http://other:1/v1/a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n"), 999, &refusal),
        0);
    assert_true(str_eq(r.authority, STR("other:1")));
    assert_true(str_eq(r.path, STR("/v1/a%2Fb")));
    request_clear(&r);
}

static struct str repeat(struct buf *b, const char *start, const char *unit, size_t count)
{
    buf_clear(b);
    buf_put(b, str_c(start));
    for (size_t i = 0; i < count; i++)
        buf_put(b, str_c(unit));
    return buf_str(b);
}

static void refuses_at_the_limit_and_not_at_the_end(void **state)
{
    struct request r;
    struct refusal refusal;
    struct buf b = {0};

    (void)state;
    assert_int_equal(parse(&r, repeat(&b, "GET /", "a", 17000), 4096, &refusal), 414);
    assert_string_equal(refusal.code, "target_too_long");
    assert_int_equal(
        parse(&r, repeat(&b, "GET / HTTP/1.1\r\n" H "X: ", "a", 70000), 4096, &refusal), 431);
    assert_string_equal(refusal.code, "header_too_large");
    repeat(&b, "GET / HTTP/1.1\r\n" H, "A: b\r\n", 256);
    buf_put(&b, STR("\r\n"));
    assert_int_equal(parse(&r, buf_str(&b), 4096, &refusal), 431);
    request_clear(&r);
    repeat(&b, "GET / HTTP/1.1\r\n" H, "A: b\r\n", 255);
    buf_put(&b, STR("\r\n"));
    assert_int_equal(parse(&r, buf_str(&b), 4096, &refusal), 0);
    request_clear(&r);
    repeat(&b, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1;", "a", 17000);
    assert_int_equal(parse(&r, buf_str(&b), 4096, &refusal), 400);
    request_clear(&r);
    repeat(&b, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", "0", 65);
    assert_int_equal(parse(&r, buf_str(&b), 4096, &refusal), 400);
    request_clear(&r);
    repeat(&b, "POST / HTTP/1.1\r\n" H "Content-Length: 1000001\r\n\r\n", "a", 1);
    assert_int_equal(parse(&r, buf_str(&b), 4096, &refusal), 413);
    request_clear(&r);
    repeat(&b, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", 1000001);
    assert_int_equal(parse(&r, buf_str(&b), 65536, &refusal), 413);
    request_clear(&r);
    buf_clear(&b);
}

/* The parser that the build links must be strict by itself, whatever package it comes from. */
static bool llhttp_accepts(const char *text)
{
    llhttp_settings_t settings;
    llhttp_t parser;

    llhttp_settings_init(&settings);
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    return llhttp_execute(&parser, text, strlen(text)) == HPE_OK;
}

static void links_a_strict_llhttp(void **state)
{
    static const char *const loose[] = {
        "GET / HTTP/1.1\r\nX:\rTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nX:\r\rContent-Length: 5\r\n\r\nhello",
        "GET / HTTP/1.1\r\nA: b\r\n\rX",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\rXhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\rXhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\rX",
        "GET / HTTP/1.1\r\nX Y: 1\r\n\r\n",
    };

    (void)state;
    assert_true(llhttp_accepts("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    for (size_t i = 0; i < sizeof(loose) / sizeof(*loose); i++)
        if (llhttp_accepts(loose[i]))
            fail_msg("llhttp accepts loose input %zu: %s", i, loose[i]);
}

static bool host_ok(const char *host)
{
    static const char *const names[] = {"proxy.lan"};
    struct guard g = {.allowed_hosts = names,
                      .allowed_host_count = 1,
                      .own_name = "devbox",
                      .listen_host = "localhost"};
    struct refusal refusal;

    return guard_host(&g, str_c(host), &refusal);
}

static void allows_local_hosts_only(void **state)
{
    (void)state;
    assert_true(host_ok("localhost:8080"));
    assert_true(host_ok("LOCALHOST."));
    assert_true(host_ok("a.localhost"));
    assert_true(host_ok("127.0.0.1:1"));
    assert_true(host_ok("192.168.1.2"));
    assert_true(host_ok("[::1]:8080"));
    assert_true(host_ok("devbox"));
    assert_true(host_ok("proxy.lan"));
    assert_true(host_ok("host.docker.internal:80"));
    assert_true(host_ok(NULL));
    assert_false(host_ok("evil.example"));
    assert_false(host_ok("localhost.evil.example"));
    assert_false(host_ok("evillocalhost"));
    assert_false(host_ok("127.0.0.1.evil.example"));
    assert_false(host_ok("1.2.3"));
}

static bool origin_ok(const char *method, const char *path, const char *origin, const char *site)
{
    struct guard g = {.own_name = "devbox", .listen_host = "localhost"};
    struct arena arena = {0};
    struct headers h = {0};
    struct refusal refusal;
    struct err err;
    bool ok;

    if (origin)
        headers_add(&h, &arena, STR("Origin"), str_c(origin), &err);
    if (site)
        headers_add(&h, &arena, STR("Sec-Fetch-Site"), str_c(site), &err);
    ok = guard_origin(&g, str_c(method), str_c(path), STR("localhost:8080"), &h, &refusal);
    arena_clear(&arena);
    return ok;
}

static void keeps_foreign_pages_out(void **state)
{
    (void)state;
    assert_true(origin_ok("POST", "/api/x", NULL, NULL));
    assert_true(origin_ok("POST", "/api/x", "http://localhost:8080", "cross-site"));
    assert_true(origin_ok("POST", "/api/x", NULL, "same-origin"));
    assert_true(origin_ok("GET", "/api/x", "http://evil.example", NULL));
    assert_true(origin_ok("POST", "/v1/x", "http://localhost:3000", NULL));
    assert_true(origin_ok("POST", "/v1/x", "http://127.0.0.9", NULL));
    assert_false(origin_ok("POST", "/api/x", "http://localhost:3000", NULL));
    assert_false(origin_ok("GET", "/v1/x", "http://evil.example", NULL));
    assert_false(origin_ok("POST", "/v1/x", "null", NULL));
    assert_false(origin_ok("POST", "/v1/x", "http://localhost@evil", NULL));
    assert_false(origin_ok("POST", "/v1/x", "http://127.0.0.1.evil", NULL));
    assert_false(origin_ok("POST", "/v1/x", "http://[::1]evil.com", NULL));
    assert_true(origin_ok("POST", "/v1/x", "http://[::1]:3000", NULL));
    assert_false(origin_ok("POST", "/v1/x", NULL, "cross-site"));
    assert_false(origin_ok("POST", "/v1/x", "file://", NULL));
}

static void writes_each_shape_of_error(void **state)
{
    struct buf b = {0};

    (void)state;
    error_body(&b, STR("/v1/chat"), "upstream_error", "connect_failed", STR("a \"b\""));
    assert_string_equal(b.ptr,
                        "{\"error\":{\"message\":\"a \\\"b\\\"\",\"type\":\"upstream_error\","
                        "\"code\":\"connect_failed\"}}");
    buf_clear(&b);
    error_body(&b, STR("/v1/messages"), "x", NULL, STR("m"));
    assert_string_equal(
        b.ptr, "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}");
    buf_clear(&b);
    error_body(&b, STR("/api/x"), "x", NULL, STR("m"));
    assert_string_equal(b.ptr, "{\"detail\":\"m\"}");
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_could_be_read_in_two_ways),
        cmocka_unit_test(reads_any_split_of_a_chunked_body),
        cmocka_unit_test(takes_the_authority_of_an_absolute_target),
        cmocka_unit_test(refuses_at_the_limit_and_not_at_the_end),
        cmocka_unit_test(links_a_strict_llhttp),
        cmocka_unit_test(allows_local_hosts_only),
        cmocka_unit_test(keeps_foreign_pages_out),
        cmocka_unit_test(writes_each_shape_of_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
