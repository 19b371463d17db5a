#include "daemon/web/assets.h"

#include <zlib.h>

#define GZIP_WINDOW (15 + 16)

const struct asset *asset_find(const struct asset *folder, struct str name)
{
    for (; folder->name; folder++)
        if (str_eq(name, str_c(folder->name)))
            return folder;
    return NULL;
}

/* ---- what the client said ---- */

/* "gzip;q=0" says that it is not wanted. */
static bool is_wanted(struct str parameters)
{
    struct str one, value;

    while (str_split(&parameters, ';', &one)) {
        one = str_trim(one);
        if (!str_istarts(one, STR("q=")))
            continue;
        value = str_from(one, 2);
        for (size_t i = 0; i < value.len; i++)
            if (value.ptr[i] >= '1' && value.ptr[i] <= '9')
                return true;
        return false;
    }
    return true;
}

static bool takes_gzip(const struct headers *headers)
{
    struct str list = headers_get(headers, STR("accept-encoding")), one, coding;

    while (list.ptr && str_split(&list, ',', &one)) {
        if (!str_split(&one, ';', &coding))
            continue;
        if (str_ieq(str_trim(coding), STR("gzip")) && is_wanted(one))
            return true;
    }
    return false;
}

static bool has_it(const struct headers *headers, struct str etag)
{
    struct str list = headers_get(headers, STR("if-none-match")), one;

    while (list.ptr && str_split(&list, ',', &one)) {
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = str_from(one, 2);
        if (str_eq(one, etag) || str_eq(one, STR("*")))
            return true;
    }
    return false;
}

/* ---- the answer ---- */

static bool unpack(struct buf *out, const struct asset *a)
{
    z_stream z = {.next_in = (z_const Bytef *)a->gz, .avail_in = (uInt)a->gz_length};
    struct err err;
    bool ok;

    if (buf_reserve(out, a->length, &err) < 0 || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return false;
    z.next_out = (Bytef *)out->ptr;
    z.avail_out = (uInt)a->length;
    ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    out->len = ok ? a->length : 0;
    return ok;
}

static bool put_headers(struct call *call, const struct asset *a, bool gzip)
{
    const struct {
        struct str name, value;
    } all[] = {
        {STR("ETag"), arena_printf(&call->arena, "W/%s", a->etag)},
        {STR("Cache-Control"), STR("no-cache")}, /* ask each time: another version may run */
        {STR("Vary"), STR("Accept-Encoding")},
        {STR("Content-Security-Policy"),
         STR("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
             "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")},
        {STR("X-Frame-Options"), STR("DENY")},
        {STR("Cross-Origin-Opener-Policy"), STR("same-origin")},
        {STR("Content-Encoding"), STR("gzip")}, /* the last one: only when it is */
    };
    size_t count = sizeof(all) / sizeof(*all) - !gzip;
    struct err err;

    for (size_t i = 0; i < count; i++)
        if (headers_add(&call->extra, &call->arena, all[i].name, all[i].value, &err) < 0)
            return false;
    return true;
}

void asset_answer(struct call *call, const struct asset *a)
{
    bool gzip = takes_gzip(&call->headers), has, ok;
    struct str packed;
    struct err err;

    if (!a) {
        call_detail(call, 404, "Not Found");
        return;
    }
    packed = (struct str){(const char *)a->gz, a->gz_length};
    has = has_it(&call->headers, str_c(a->etag));
    call->status = has ? 304 : 200;
    call->content_type = str_c(a->type);
    ok = put_headers(call, a, gzip && !has);
    if (ok && !has)
        ok = gzip ? buf_add(&call->body, packed, &err) == 0 : unpack(&call->body, a);
    if (ok)
        return;
    call->extra = (struct headers){0};
    call->content_type = STR_NONE;
    call_detail(call, 503, "No memory for the file.");
}
