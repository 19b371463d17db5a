#include <stdio.h>

#include "daemon/upstream/transfer_priv.h"

static char *put(char *at, struct str s)
{
    if (s.len)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static size_t head_size(const struct transfer *t)
{
    size_t size = t->request.method.len + t->url.target.len + t->url.authority.len + 128;

    for (size_t i = 0; i < t->request.headers->count; i++)
        size += t->request.headers->items[i].name.len + t->request.headers->items[i].value.len + 4;
    return size;
}

struct str h1_request_head(struct transfer *t)
{
    char *start = arena_alloc(&t->arena, head_size(t)), *at = start;

    if (!start)
        return STR_NONE;
    at = put(at, t->request.method);
    at = put(put(put(at, STR(" ")), t->url.target), STR(" HTTP/1.1\r\nHost: "));
    at = put(at, t->url.authority);
    for (size_t i = 0; i < t->request.headers->count; i++) {
        const struct header *field = &t->request.headers->items[i];

        if (transfer_field_passes(field->name))
            at = put(put(put(put(at, STR("\r\n")), field->name), STR(": ")), field->value);
    }
    at = put(put(at, STR("\r\nAccept-Encoding: ")), transfer_accept_encoding(t));
    if (t->request.has_body)
        at += snprintf(at, 48, "\r\nContent-Length: %zu", t->request.body.len);
    at = put(at, STR("\r\n\r\n"));
    return (struct str){start, (size_t)(at - start)};
}
