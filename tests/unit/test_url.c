#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "daemon/upstream/transfer_priv.h"

static void an_url_is_taken_apart(void **state)
{
    static const struct {
        const char *url, *host, *authority, *target;
        bool tls;
        uint16_t port;
    } cases[] = {
        {"http://h", "h", "h", "/", false, 80},
        {"HTTPS://Api.Example.com/v1/x?y=/%2f", "Api.Example.com", "Api.Example.com",
         "/v1/x?y=/%2f", true, 443},
        {"http://127.0.0.1:8080/", "127.0.0.1", "127.0.0.1:8080", "/", false, 8080},
        {"http://[::1]:65535//a/../b", "::1", "[::1]:65535", "//a/../b", false, 65535},
        {"https://[fe80::1%eth0]/", "fe80::1%eth0", "[fe80::1%eth0]", "/", true, 443},
        {"http://a_b-c.d:1/http://other/", "a_b-c.d", "a_b-c.d:1", "/http://other/", false, 1},
    };
    struct url_parts p;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(url_split(str_c(cases[i].url), &p, &err), 0);
        assert_true(str_eq(p.host, str_c(cases[i].host)));
        assert_true(str_eq(p.authority, str_c(cases[i].authority)));
        assert_true(str_eq(p.target, str_c(cases[i].target)));
        assert_int_equal(p.tls, cases[i].tls);
        assert_int_equal(p.port, cases[i].port);
    }
}

static void a_bad_url_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "http:/h/",
        "ftp://h/",
        "//h/",
        "http://",
        "http:///x",
        "http://:80/",
        "http://h:/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:x",
        "http://h:+1/",
        "http://u@h/",
        "http://u:p@h",
        "http://h?x",
        "http://h#x",
        "http://h/#x",
        "http://h/a b",
        "http://h\t/",
        "http://h/\x7f",
        "http://[::1",
        "http://[::1]x",
        "http://[]/",
        "http://::1/",
        "http://[h]/",
        "http://h\\/",
        "http://h/\r\n",
        "http://h%00/",
        "http://h:000080/",
    };
    struct url_parts p;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (url_split(str_c(cases[i]), &p, &err) == 0)
            fail_msg("passed: %s", cases[i]);
    assert_int_equal(url_split(STR("http://h/a\0b"), &p, &err), -1);
}

static bool link_local(const char *ip)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, ip, &in.sin_addr) == 1)
        return address_is_link_local((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, ip, &in6.sin6_addr), 1);
    return address_is_link_local((struct sockaddr *)&in6);
}

static void link_local_addresses_are_recognised(void **state)
{
    (void)state;
    assert_true(link_local("169.254.169.254"));
    assert_true(link_local("fe80::1"));
    assert_true(link_local("febf::1"));
    assert_true(link_local("::ffff:169.254.0.1"));
    assert_false(link_local("169.253.0.1"));
    assert_false(link_local("127.0.0.1"));
    assert_false(link_local("fec0::1"));
    assert_false(link_local("::1"));
    assert_false(link_local("::ffff:10.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_url_is_taken_apart),
        cmocka_unit_test(a_bad_url_is_refused),
        cmocka_unit_test(link_local_addresses_are_recognised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
