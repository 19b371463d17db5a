/* Heads of upstream answers: whatever is let in can be passed on, and both ways of reading a head,
 * as a whole and line by line, as well as every way of cutting it, come to the same result. */
#include "fuzz.h"

#include "daemon/upstream/response_head.h"
#include "daemon/upstream/transfer_priv.h"

static void check_accepted(const struct response_head *h)
{
    REQUIRE(h->status >= 200 && h->status <= 599);
    REQUIRE(h->headers.count <= RESPONSE_FIELDS_MAX && h->bytes <= RESPONSE_HEAD_MAX);
    REQUIRE(!(h->chunked && h->content_length >= 0));
    REQUIRE(headers_count(&h->headers, STR("Content-Length")) == (h->content_length >= 0 ? 1 : 0));
    REQUIRE(headers_count(&h->headers, STR("Transfer-Encoding")) == (h->chunked ? 1 : 0));
    for (size_t i = 0; i < h->headers.count; i++)
        REQUIRE(response_field_ok(h->headers.items[i].name, h->headers.items[i].value));
}

static void check_equal(const struct response_head *a, const struct response_head *b)
{
    REQUIRE(a->status == b->status && a->version == b->version && a->chunked == b->chunked);
    REQUIRE(a->content_length == b->content_length && a->headers.count == b->headers.count);
    for (size_t i = 0; i < a->headers.count; i++) {
        REQUIRE(str_eq(a->headers.items[i].name, b->headers.items[i].name));
        REQUIRE(str_eq(a->headers.items[i].value, b->headers.items[i].value));
    }
}

/* All heads in bytes, up to the final one. */
static int by_lines(struct response_head *h, struct str bytes)
{
    struct err err;
    int rc = 0;

    while (rc == 0 && bytes.len > 0) {
        ptrdiff_t lf = str_chr(bytes, '\n');
        struct str line = str_cut(bytes, lf < 0 ? bytes.len : (size_t)lf + 1);

        if (lf < 0)
            break; /* its end has not come */
        rc = response_head_line(h, line, &err);
        bytes = str_from(bytes, line.len);
    }
    return rc;
}

/* The same as the engine for HTTP/1.1 does it, step bytes arriving at a time. */
static int by_heads(struct response_head *h, struct str bytes, size_t step)
{
    size_t have = 0, scanned = 0;
    struct err err;

    while (have < bytes.len) {
        ptrdiff_t len = 0;
        int rc;

        have = bytes.len - have < step ? bytes.len : have + step;
        while (have > 0 && (len = response_head_end(str_cut(bytes, have), &scanned, &err)) > 0) {
            rc = response_head_all(h, str_cut(bytes, (size_t)len), &err);
            if (rc != 0)
                return rc;
            bytes = str_from(bytes, (size_t)len);
            have -= (size_t)len;
            scanned = 0;
        }
        if (len < 0)
            return -1;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct response_head lines = {0}, whole = {0}, pieces = {0};
    struct str bytes = {(const char *)data + 1, size - 1};
    int a, b, c;

    if (size == 0)
        return 0;
    a = by_lines(&lines, bytes);
    b = by_heads(&whole, bytes, SIZE_MAX);
    c = by_heads(&pieces, bytes, (size_t)data[0] + 1);
    REQUIRE(b == c);
    /* HTTP/2 comes by lines only */
    REQUIRE((b == 1) == (a == 1) || (a == 1 && str_find(bytes, STR("HTTP/2 ")) >= 0));
    if (a == 1)
        check_accepted(&lines);
    if (b == 1) {
        check_accepted(&whole);
        check_equal(&lines, &whole);
        check_equal(&lines, &pieces);
    }
    response_head_clear(&lines);
    response_head_clear(&whole);
    response_head_clear(&pieces);
    return 0;
}
