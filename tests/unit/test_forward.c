#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "core/forward.h"

/* ---- the cases ---------------------------------------------------------------------------- */

static void url_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct buf url = {0};
    struct target target;
    struct err err;

    assert_true(forward_target(cases_str(input, "request_target"), &target));
    if (!forward_path_ok(target.rest)) {
        if (!cases_get(expect, "status"))
            fail_msg("%s: refused", name);
        return;
    }
    assert_int_equal(forward_url(&url, cases_str(input, "upstream_base"), &target, &err), 0);
    cases_same(name, "URL", buf_str(&url), cases_str(expect, "url"));
    buf_clear(&url);
}

static void urls_are_built_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("url", url_case);
}

/* expect is {"name":["value",…]}; out must hold just that, but for what ignored names. */
static void same_headers(const char *name, const struct headers *out, const cJSON *expect,
                         const char *const *ignored)
{
    size_t wanted = 0, left = out->count;
    const cJSON *entry, *value;

    cJSON_ArrayForEach(entry, expect)
    {
        size_t i = 0;

        cJSON_ArrayForEach(value, entry)
        {
            while (i < out->count && !str_ieq(out->items[i].name, str_c(entry->string)))
                i++;
            if (i == out->count)
                fail_msg("%s: %s is missing", name, entry->string);
            cases_same(name, entry->string, out->items[i++].value, str_c(value->valuestring));
            wanted++;
        }
    }
    for (size_t i = 0; ignored[i]; i++)
        if (!cases_get(expect, ignored[i]))
            left -= headers_count(out, str_c(ignored[i]));
    if (left != wanted)
        fail_msg("%s: %zu headers, expected %zu", name, left, wanted);
}

/* The key as it is read for a decision: a literal one, or the variable named. */
static struct str key_of(const cJSON *auth, bool *configured)
{
    struct str literal = cases_str(auth, "api_key"), env = cases_str(auth, "api_key_env");

    *configured = literal.ptr || env.ptr;
    return literal.ptr || !env.ptr ? literal : cases_str(cases_get(auth, "env"), env.ptr);
}

static void request_case(const char *name, const cJSON *input, const cJSON *expect)
{
    static const char *const ignored[] = {"accept", "user-agent", NULL};
    struct headers received = {0}, out = {0};
    struct arena arena = {0};
    struct secret key = {0};
    struct decision d = {.base_url = STR("https://llm.example.test/v1"),
                         .provider_slug = cases_str(input, "provider_slug"),
                         .key = &key};
    struct err err;

    secret_set(&key, key_of(cases_get(input, "route_auth"), &d.key_configured));
    cases_headers(input, &received, &arena);
    assert_int_equal(
        forward_request_headers(&out, &arena, &received, &d, cases_str(input, "endpoint"), &err),
        0);
    same_headers(name, &out, cases_get(expect, "forwarded"), ignored);
    secret_clear(&key);
    arena_clear(&arena);
}

static void request_headers_are_forwarded_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("request-headers", request_case);
}

static void response_case(const char *name, const cJSON *input, const cJSON *expect)
{
    static const char *const ignored[] = {"x-content-type-options", NULL};
    struct headers received = {0}, out = {0};
    struct arena arena = {0};
    struct err err;

    cases_headers(input, &received, &arena);
    assert_int_equal(forward_response_headers(&out, &arena, &received, &err), 0);
    same_headers(name, &out, cases_get(expect, "sent"), ignored);
    arena_clear(&arena);
}

static void response_headers_are_sent_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("response-headers", response_case);
}

static void targets_are_split_and_others_refused(void **state)
{
    struct target t;

    (void)state;
    assert_true(forward_target(STR("/v1"), &t));
    assert_true(str_eq(t.rest, STR("")) && !t.query.ptr);
    assert_true(forward_target(STR("/v1/?"), &t));
    assert_true(str_eq(t.rest, STR("")) && t.query.ptr && t.query.len == 0);
    assert_true(forward_target(STR("/v1?a=/b?c"), &t));
    assert_true(str_eq(t.rest, STR("")) && str_eq(t.query, STR("a=/b?c")));
    assert_true(forward_target(STR("HTTP://h:1/v1/a%2Fb?q"), &t));
    assert_true(str_eq(t.rest, STR("a%2Fb")) && str_eq(t.query, STR("q")));
    assert_false(forward_target(STR("/v10/x"), &t));
    assert_false(forward_target(STR("/V1/x"), &t));
    assert_false(forward_target(STR("v1/x"), &t));
    assert_false(forward_target(STR("http://v1/"), &t));
    assert_false(forward_target(STR("*"), &t));
    assert_false(forward_target(STR(""), &t));
}

static void paths_that_could_escape_are_refused(void **state)
{
    static const char *const bad[] = {".",    "..",    "a/..",   "../a",   "a/./b",  "..;x=1",
                                      ".;",   "%2e",   ".%2E/a", "a%2f..", "a\\b",   "a%5Cb",
                                      "a%00", "a\x01", "a%0a",   "a%7F",   "a/..;/b"};
    static const char *const good[] = {"",    "a",         "a..b",  "...",        ".a",
                                       "a.",  "//",        "a;..",  "%252e%252e", "%2",
                                       "%zz", "caf%C3%A9", "a%20b", ";",          "x/;./y"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (forward_path_ok(str_c(bad[i])))
            fail_msg("accepted: %s", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (!forward_path_ok(str_c(good[i])))
            fail_msg("refused: %s", good[i]);
    assert_false(forward_path_ok(STR("a\0b")));
}

static void the_endpoint_is_decoded_once(void **state)
{
    struct buf out = {0};
    struct err err;

    (void)state;
    assert_int_equal(forward_endpoint(&out, STR("models/a%2Fb%2520%4"), &err), 0);
    assert_string_equal(out.ptr, "/v1/models/a/b%20%4");
    assert_true(forward_endpoint_is(STR("/v1/messages/"), STR("/v1/messages")));
    assert_true(forward_endpoint_is(STR("/v1/messages"), STR("/v1/messages")));
    assert_false(forward_endpoint_is(STR("/v1/messages//"), STR("/v1/messages")));
    assert_false(forward_endpoint_is(STR("/v1/Messages"), STR("/v1/messages")));
    buf_clear(&out);
}

/* ---- headers ------------------------------------------------------------------------------ */

struct fixture {
    struct arena arena;
    struct headers in, out;
    struct secret key;
    struct decision d;
    struct err err;
};

static void with(struct fixture *f, const char *name, const char *value)
{
    assert_int_equal(headers_add(&f->in, &f->arena, str_c(name), str_c(value), &f->err), 0);
}

static void forward(struct fixture *f, const char *endpoint)
{
    assert_int_equal(
        forward_request_headers(&f->out, &f->arena, &f->in, &f->d, str_c(endpoint), &f->err), 0);
}

static struct str sent(const struct fixture *f, const char *name)
{
    return headers_get(&f->out, str_c(name));
}

static void clear(struct fixture *f)
{
    secret_clear(&f->key);
    arena_clear(&f->arena);
}

static struct fixture with_key(const char *key)
{
    struct fixture f = {
        .d = {.base_url = STR("http://up.example.test/v1"), .key_configured = true}};

    secret_set(&f.key, str_c(key));
    return f;
}

static void accept_and_user_agent_have_defaults(void **state)
{
    struct fixture f = {0}, g = {0};

    (void)state;
    forward(&f, "/v1/models");
    assert_int_equal(f.out.count, 2);
    assert_true(str_eq(sent(&f, "accept"), STR("*/*")));
    assert_true(str_eq(sent(&f, "user-agent"), STR("llm-observe-proxy/" LOP_VERSION)));
    with(&g, "ACCEPT", "text/event-stream");
    with(&g, "user-agent", "probe/1");
    with(&g, "Accept-Encoding", "gzip");
    with(&g, "Expect", "100-continue");
    with(&g, "Proxy-Connection", "keep-alive");
    forward(&g, "/v1/models");
    assert_int_equal(g.out.count, 2);
    clear(&f);
    clear(&g);
}

static void connection_cannot_take_away_what_the_request_means(void **state)
{
    struct fixture f = {0};

    (void)state;
    with(&f, "Connection", "Authorization, content-type,Content-Encoding");
    with(&f, "connection", " X-A ,x-b");
    with(&f, "Authorization", "Bearer k");
    with(&f, "Content-Type", "a/b");
    with(&f, "Content-Encoding", "gzip");
    with(&f, "X-a", "1");
    with(&f, "X-B", "1");
    with(&f, "X-C", "1");
    forward(&f, "/v1/x");
    assert_true(sent(&f, "authorization").ptr && sent(&f, "content-type").ptr &&
                sent(&f, "content-encoding").ptr && sent(&f, "x-c").ptr);
    assert_false(sent(&f, "x-a").ptr || sent(&f, "x-b").ptr || sent(&f, "connection").ptr);
    clear(&f);
}

static void fields_that_could_forge_lines_never_pass(void **state)
{
    struct fixture f = {0};
    const struct header bad[] = {
        {STR("X-A"), STR("a\r\nEvil: 1")},
        {STR("X-B"), STR("a\nb")},
        {STR("X-C"), STR("a\0b")},
        {STR("X-D"), STR("a\rb")},
        {STR("X\nE"), STR("a")},
        {STR("X:F"), STR("a")},
        {STR(""), STR("a")},
        {STR("X G"), STR("a")},
        {STR("X\0H"), STR("a")},
    };
    struct headers back = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(headers_add(&f.in, &f.arena, bad[i].name, bad[i].value, &f.err), 0);
    with(&f, "X-Ok", "a\tb\xE9");
    forward(&f, "/v1/x");
    assert_int_equal(f.out.count, 3);
    assert_true(str_eq(sent(&f, "x-ok"), STR("a\tb\xE9")));
    assert_int_equal(forward_response_headers(&back, &f.arena, &f.in, &f.err), 0);
    assert_int_equal(back.count, 3); /* X-Ok, nosniff, sandbox */
    clear(&f);
}

static void every_credential_goes_when_a_key_is_configured(void **state)
{
    struct fixture f = with_key(NULL);

    (void)state;
    with(&f, "Authorization", "Bearer c");
    with(&f, "X-Api-Key", "c");
    with(&f, "API-KEY", "c");
    with(&f, "x-goog-api-key", "c");
    with(&f, "anthropic-beta", "b");
    forward(&f, "/v1/messages"); /* no key found: nothing is sent instead */
    assert_int_equal(f.out.count, 3);
    assert_true(sent(&f, "anthropic-beta").ptr);
    clear(&f);
}

static void a_key_with_a_line_break_is_an_error(void **state)
{
    struct fixture f = with_key("a\r\nX: b");

    (void)state;
    f.d.key = &f.key;
    assert_int_equal(forward_request_headers(&f.out, &f.arena, &f.in, &f.d, STR("/v1/x"), &f.err),
                     -1);
    assert_int_equal(f.err.code, ERR_INVALID);
    assert_null(strstr(f.err.msg, "X: b"));
    clear(&f);
}

struct style_case {
    const char *style, *slug, *base, *endpoint, *client_header, *expect;
};

static void the_header_style_follows_the_rules(void **state)
{
    static const struct style_case cases[] = {
        {NULL, NULL, "http://h/v1", "/v1/chat/completions", NULL, "Authorization: Bearer k"},
        {"bearer", "anthropic", "http://h/v1", "/v1/messages", NULL, "Authorization: Bearer k"},
        {"x-api-key", NULL, "http://h/v1", "/v1/x", NULL, "x-api-key: k"},
        {"api-key", "anthropic", "http://h/v1", "/v1/messages", NULL, "api-key: k"},
        {"none", NULL, "http://h/v1", "/v1/x", NULL, NULL},
        {NULL, "anthropic", "http://h/v1", "/v1/messages", NULL, "x-api-key: k"},
        {NULL, "anthropic", "http://h/v1", "/v1/models", NULL, "x-api-key: k"},
        {NULL, "anthropic", "http://h/v1", "/v1/chat/completions/", NULL,
         "Authorization: Bearer k"},
        {NULL, NULL, "https://API.anthropic.com:443/v1", "/v1/x", NULL, "x-api-key: k"},
        {NULL, NULL, "https://api.anthropic.com./v1", "/v1/x", NULL, "x-api-key: k"},
        {NULL, NULL, "https://api.anthropic.com.evil.test/v1", "/v1/x", NULL,
         "Authorization: Bearer k"},
        {NULL, NULL, "https://h/api.anthropic.com/v1", "/v1/x", NULL, "Authorization: Bearer k"},
        {NULL, NULL, "http://h/v1", "/v1/messages/count_tokens", "x-api-key", "x-api-key: k"},
        {NULL, NULL, "http://h/v1", "/v1/messages", "Authorization", "Authorization: Bearer k"},
        {NULL, NULL, "http://h/v1", "/v1/messages", NULL, "Authorization: Bearer k"},
        {NULL, NULL, "http://h/v1", "/v1/chat/completions", "x-api-key", "Authorization: Bearer k"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct style_case *c = &cases[i];
        struct fixture f = with_key(" k ");
        struct buf line = {0};

        f.d.key = &f.key;
        f.d.auth_style = str_c(c->style);
        f.d.provider_slug = str_c(c->slug);
        f.d.base_url = str_c(c->base);
        if (c->client_header)
            with(&f, c->client_header, "client");
        forward(&f, c->endpoint);
        assert_int_equal(f.out.count, c->expect ? (strstr(c->expect, "x-api") ? 4 : 3) : 2);
        if (c->expect) {
            buf_printf(&line, "%.*s: %.*s", STR_ARG(f.out.items[2].name),
                       STR_ARG(f.out.items[2].value));
            assert_string_equal(line.ptr, c->expect);
        }
        buf_clear(&line);
        clear(&f);
    }
}

static void an_anthropic_version_of_the_client_stays(void **state)
{
    struct fixture f = with_key("k");

    (void)state;
    f.d.key = &f.key;
    f.d.auth_style = STR("x-api-key");
    with(&f, "Anthropic-Version", "2024-01-01");
    forward(&f, "/v1/messages");
    assert_int_equal(headers_count(&f.out, STR("anthropic-version")), 1);
    assert_true(str_eq(sent(&f, "anthropic-version"), STR("2024-01-01")));
    clear(&f);
}

static bool sandboxed(const char *content_type, const char *csp)
{
    struct fixture f = {0};
    struct str got;
    bool yes;

    if (content_type)
        with(&f, "Content-Type", content_type);
    if (csp)
        with(&f, "content-security-policy", csp);
    assert_int_equal(forward_response_headers(&f.out, &f.arena, &f.in, &f.err), 0);
    assert_true(str_eq(sent(&f, "x-content-type-options"), STR("nosniff")));
    got = sent(&f, "content-security-policy");
    yes = str_eq(got, STR("sandbox; default-src 'none'"));
    if (yes)
        assert_int_equal(headers_count(&f.out, STR("content-security-policy")), 1);
    else
        assert_true(str_eq(got, str_c(csp)));
    clear(&f);
    return yes;
}

static void answers_a_browser_would_run_are_sandboxed(void **state)
{
    (void)state;
    assert_true(sandboxed(NULL, NULL));
    assert_true(sandboxed("", NULL));
    assert_true(sandboxed("text/html", "default-src *"));
    assert_true(sandboxed("Text/HTML ;charset=utf-8", NULL));
    assert_true(sandboxed("application/xhtml+xml", NULL));
    assert_true(sandboxed("text/xml", NULL));
    assert_true(sandboxed("application/xml; a=b", NULL));
    assert_true(sandboxed("image/svg+xml", NULL));
    assert_true(sandboxed("text/plain, text/html", NULL));
    assert_true(sandboxed("nonsense", NULL));
    assert_false(sandboxed("application/json", NULL));
    assert_false(sandboxed("application/json", "default-src *"));
    assert_false(sandboxed("text/event-stream; charset=utf-8", NULL));
    assert_false(sandboxed("text/plain", NULL));
    assert_false(sandboxed("image/png", NULL));
}

static void a_nosniff_of_the_upstream_is_not_repeated(void **state)
{
    struct fixture f = {0};

    (void)state;
    with(&f, "content-type", "application/json");
    with(&f, "X-Content-Type-Options", "nosniff");
    with(&f, "Connection", "x-internal, content-type");
    with(&f, "X-Internal", "1");
    assert_int_equal(forward_response_headers(&f.out, &f.arena, &f.in, &f.err), 0);
    assert_int_equal(f.out.count, 2);
    clear(&f);
}

/* ---- the body and base URLs --------------------------------------------------------------- */

static void event_streams_are_known_by_content_type(void **state)
{
    (void)state;
    assert_true(forward_is_sse(STR("Text/Event-Stream; charset=utf-8")));
    assert_false(forward_is_sse(STR("application/json")));
    assert_false(forward_is_sse(STR_NONE));
}

static void base_urls_are_checked(void **state)
{
    static const char *const good[] = {
        "http://h/v1",
        "https://h.example.test:8443/v1beta/openai",
        "HTTP://127.0.0.1:1/api/paas/v4/x",
        "http://[::1]:8080/v1",
        "http://my_host/v12",
        "http://h/x/v1/y",
    };
    static const char *const bad[] = {
        "",
        "h/v1",
        "ftp://h/v1",
        "//h/v1",
        "http:///v1",
        "http://:80/v1",
        "http://h:0/v1",
        "http://h:65536/v1",
        "http://h:/v1",
        "http://h:+1/v1",
        "http://u:p@h/v1",
        "http://u@h/v1",
        "http://h/v1?x",
        "http://h/v1#x",
        "http://h/v1?",
        "http://h",
        "http://h/api",
        "http://h/V1",
        "http://h/version",
        "http://h/v",
        "http://h/v1B",
        "http://h/1v",
        "http://h h/v1",
        "http://h/v1 x",
        "http://h/v1\n/x",
        "http://h\\@g/v1",
        "http://[::1/v1",
        "http://[]/v1",
        "http://.h/v1",
        "http://h/../v1",
        "http://h,g/v1",
        "http://h\x7f/v1",
    };
    struct str out;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (forward_check_base_url(str_c(good[i]), &out, &err) < 0 || !str_eq(out, str_c(good[i])))
            fail_msg("refused: %s: %s", good[i], err.msg);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (forward_check_base_url(str_c(bad[i]), &out, &err) == 0 || err.code != ERR_INVALID)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(forward_check_base_url(STR(" \thttp://H/v1//\n"), &out, &err), 0);
    assert_true(str_eq(out, STR("http://H/v1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_built_as_the_cases_say),
        cmocka_unit_test(request_headers_are_forwarded_as_the_cases_say),
        cmocka_unit_test(response_headers_are_sent_as_the_cases_say),
        cmocka_unit_test(targets_are_split_and_others_refused),
        cmocka_unit_test(paths_that_could_escape_are_refused),
        cmocka_unit_test(the_endpoint_is_decoded_once),
        cmocka_unit_test(accept_and_user_agent_have_defaults),
        cmocka_unit_test(connection_cannot_take_away_what_the_request_means),
        cmocka_unit_test(fields_that_could_forge_lines_never_pass),
        cmocka_unit_test(every_credential_goes_when_a_key_is_configured),
        cmocka_unit_test(a_key_with_a_line_break_is_an_error),
        cmocka_unit_test(the_header_style_follows_the_rules),
        cmocka_unit_test(an_anthropic_version_of_the_client_stays),
        cmocka_unit_test(answers_a_browser_would_run_are_sandboxed),
        cmocka_unit_test(a_nosniff_of_the_upstream_is_not_repeated),
        cmocka_unit_test(event_streams_are_known_by_content_type),
        cmocka_unit_test(base_urls_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
