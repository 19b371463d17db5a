/* The first line is a target, the second a base URL, the others are header fields; what goes
 * upstream, back and into the database is checked. */
#include "fuzz.h"

#include <string.h>

#include "core/forward.h"
#include "core/mask.h"
#include "utf8.h"
#include "json/json_scan.h"

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return true;
    return false;
}

static void check_target(struct str raw, struct str base)
{
    struct buf url = {0}, masked = {0}, twice = {0}, endpoint = {0};
    struct target target;
    struct str checked;
    struct err err;

    if (forward_target(raw, &target) && forward_path_ok(target.rest)) {
        REQUIRE(!has_control(target.rest));
        REQUIRE(forward_endpoint(&endpoint, target.rest, &err) == 0);
        REQUIRE(!has_control(buf_str(&endpoint)) && str_chr(buf_str(&endpoint), '\\') < 0);
        REQUIRE(str_find(buf_str(&endpoint), STR("/../")) < 0);
        REQUIRE(!str_ends(buf_str(&endpoint), STR("/..")));
        REQUIRE(forward_url(&url, base, &target, &err) == 0);
        REQUIRE(mask_url(&masked, buf_str(&url), &err) == 0);
        REQUIRE(mask_url(&twice, buf_str(&masked), &err) == 0);
    }
    if (forward_check_base_url(base, &checked, &err) == 0) {
        REQUIRE(!has_control(checked) && str_chr(checked, '@') != 0 &&
                !str_ends(checked, STR("/")));
        REQUIRE(str_istarts(checked, STR("http")));
    }
    buf_clear(&url);
    buf_clear(&masked);
    buf_clear(&twice);
    buf_clear(&endpoint);
}

static void check_out(const struct headers *out)
{
    static const char *const dropped[] = {
        "connection",         "te", "upgrade", "host", "content-length", "transfer-encoding",
        "proxy-authorization"};

    for (size_t i = 0; i < out->count; i++) {
        const struct header *h = &out->items[i];

        REQUIRE(h->name.len > 0 && !has_control(h->name) && str_chr(h->name, ':') < 0);
        REQUIRE(str_chr(h->value, '\r') < 0 && str_chr(h->value, '\n') < 0);
        REQUIRE(str_chr(h->value, '\0') < 0);
        for (size_t k = 0; k < sizeof(dropped) / sizeof(*dropped); k++)
            REQUIRE(!str_ieq(h->name, str_c(dropped[k])));
    }
}

static void check_headers(const struct headers *in, struct arena *arena, struct str base)
{
    struct secret key = {0};
    struct decision d = {.base_url = base, .key_configured = true, .key = &key};
    struct headers up = {0}, back = {0};
    struct err err;

    secret_set(&key, STR("injected"));
    REQUIRE(forward_request_headers(&up, arena, in, &d, STR("/v1/messages"), &err) == 0);
    check_out(&up);
    REQUIRE(headers_count(&up, STR("authorization")) + headers_count(&up, STR("x-api-key")) == 1);
    REQUIRE(forward_response_headers(&back, arena, in, &err) == 0);
    check_out(&back);
    REQUIRE(headers_count(&back, STR("x-content-type-options")) >= 1);
    secret_clear(&key);
}

static void check_stored(const struct headers *in)
{
    struct buf stored = {0}, again = {0};
    struct str range;
    struct err err;

    REQUIRE(mask_headers_json(&stored, in, false, &err) == 0);
    REQUIRE(json_scan(buf_str(&stored), &range) == JSON_OBJECT);
    REQUIRE(mask_stored_json(&again, buf_str(&stored)));
    REQUIRE(str_eq(buf_str(&stored), buf_str(&again)));
    buf_clear(&stored);
    buf_clear(&again);
    REQUIRE(mask_headers_json(&stored, in, true, &err) == 0);
    REQUIRE(mask_stored_json(&again, buf_str(&stored)));
    REQUIRE(json_scan(buf_str(&again), &range) == JSON_OBJECT);
    buf_clear(&stored);
    buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, target, base = STR(""), line, name;
    struct headers in = {0};
    struct arena arena = {0};
    struct err err;

    if (size == 0)
        return 0;
    str_split(&rest, '\n', &target);
    str_split(&rest, '\n', &base);
    check_target(target, base);
    while (str_split(&rest, '\n', &line) && in.count < 256) {
        str_split(&line, ':', &name);
        if (!line.ptr)
            line = STR("");
        REQUIRE(headers_add(&in, &arena, name, line, &err) == 0);
    }
    check_headers(&in, &arena, base);
    check_stored(&in);
    arena_clear(&arena);
    return 0;
}
