#include "daemon/api/api_etag.h"

#include <inttypes.h>
#include <string.h>

/* Not for secrets: all it must do is differ when the text does. */
static uint64_t digest(struct str s, uint64_t seed)
{
    uint64_t h = seed ^ s.len, word;

    for (; s.len >= sizeof(word); s = str_from(s, sizeof(word))) {
        memcpy(&word, s.ptr, sizeof(word));
        h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    word = 0;
    if (s.len > 0)
        memcpy(&word, s.ptr, s.len);
    h = (h ^ word) * UINT64_C(0xBF58476D1CE4E5B9);
    return h ^ h >> 32;
}

static bool asked_for(const struct call *call)
{
    return call->status == 200 && call->route->run && !call->content_type.ptr &&
           str_starts(call->path, STR("/admin/api/")) &&
           !headers_get(&call->extra, STR("etag")).ptr;
}

void etag_answer(struct call *call)
{
    struct str body = buf_str(&call->body), tag;
    struct err err;

    if (!asked_for(call))
        return;
    tag = arena_printf(&call->arena, "\"%016" PRIx64 "%016" PRIx64 "\"",
                       digest(body, UINT64_C(0x243F6A8885A308D3)),
                       digest(body, UINT64_C(0x13198A2E03707344)));
    if (!tag.ptr || headers_add(&call->extra, &call->arena, STR("ETag"), tag, &err) < 0)
        return;
    if (str_eq(headers_get(&call->headers, STR("if-none-match")), tag)) {
        call->status = 304;
        buf_clear(&call->body);
    }
}
