/* A request head and body: the same result for every way of cutting, exactly one framing. */
#include <stdlib.h>

#include "daemon/http/head.h"
#include "daemon/http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct blob_budget budget = {.limit = 1 << 24, .each = 1 << 22};

struct result {
    int status; /* 0 complete, -1 more, else refused */
    size_t used, body;
};

static struct result run(struct request *r, struct str text, size_t n)
{
    struct result out = {-1, 0, 0};
    struct refusal refusal = {0};
    struct head_scan scan = {0};
    size_t len = 0, fed = 0;
    struct str rest;
    int rc = 0;

    *r = (struct request){.body.budget = &budget, .body_limit = 1 << 20};
    while (len == 0 && fed < text.len && refusal.status == 0) {
        fed = fed + n > text.len ? text.len : fed + n;
        len = head_scan(&scan, str_cut(text, fed), &refusal);
    }
    if (len > 0 && !request_parse(r, str_cut(text, len), &refusal))
        len = 0;
    if (len == 0) {
        out.status = refusal.status ? 1 : -1;
        return out;
    }
    rest = str_from(text, len);
    if (request_body_empty(r))
        rc = 1;
    while (rc == 0 && rest.len > 0) {
        struct str piece = str_cut(rest, n), left = piece;

        rc = request_body(r, &left, &refusal);
        rest = str_from(rest, piece.len - left.len);
    }
    out.status = rc < 0 ? 1 : rc == 1 ? 0 : -1;
    out.used = rc == 1 ? text.len - rest.len : 0;
    out.body = r->body.len;
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct request r;
    struct result whole = run(&r, text, size ? size : 1);

    if (whole.status == 0 && headers_get(&r.headers, STR("content-length")).ptr &&
        headers_get(&r.headers, STR("transfer-encoding")).ptr)
        abort();
    request_clear(&r);
    for (size_t n = 1; n <= 13; n += 4) {
        struct result cut = run(&r, text, n);

        request_clear(&r);
        if (cut.status != whole.status || cut.used != whole.used ||
            (cut.status == 0 && cut.body != whole.body))
            abort();
    }
    return 0;
}
