#include "daemon/http/response.h"

const char *response_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {201, "Created"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {206, "Partial Content"},
                   {301, "Moved Permanently"},
                   {302, "Found"},
                   {303, "See Other"},
                   {304, "Not Modified"},
                   {307, "Temporary Redirect"},
                   {308, "Permanent Redirect"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {402, "Payment Required"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {415, "Unsupported Media Type"},
                   {417, "Expectation Failed"},
                   {421, "Misdirected Request"},
                   {422, "Unprocessable Content"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {502, "Bad Gateway"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {505, "HTTP Version Not Supported"},
                   {529, "Overloaded"}};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

static size_t head_size(const struct headers *headers)
{
    size_t size = 64;

    for (size_t i = 0; i < headers->count; i++)
        size += headers->items[i].name.len + headers->items[i].value.len + 4;
    return size;
}

static void append(struct buf *out, struct str s)
{
    if (s.len)
        memcpy(out->ptr + out->len, s.ptr, s.len);
    out->len += s.len;
}

int response_head(struct buf *out, int status, const struct headers *headers, struct err *err)
{
    static const struct headers none;

    if (!headers)
        headers = &none;
    if (buf_reserve(out, head_size(headers), err) < 0)
        return -1;
    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, response_reason(status));
    if (buf_reserve(out, head_size(headers), err) < 0)
        return -1;
    for (size_t i = 0; i < headers->count; i++) {
        append(out, headers->items[i].name);
        append(out, STR(": "));
        append(out, headers->items[i].value);
        append(out, STR("\r\n"));
    }
    return 0;
}

void response_own_headers(struct buf *out, const struct headers *extra)
{
    buf_put(out, STR("X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                     "Cross-Origin-Resource-Policy: same-origin\r\n"));
    if (!extra || !headers_get(extra, STR("cache-control")).ptr)
        buf_put(out, STR("Cache-Control: no-store\r\n"));
}
