#include "daemon/http/refusal.h"

#include <stdarg.h>
#include <stdio.h>

#include "json/json.h"

bool refuse(struct refusal *r, int status, const char *code, const char *fmt, ...)
{
    va_list args;

    r->status = status;
    r->code = code;
    va_start(args, fmt);
    vsnprintf(r->message, sizeof(r->message), fmt, args);
    va_end(args);
    return false;
}

const char *refusal_type(int status)
{
    switch (status) {
    case 403:
    case 421:
        return "forbidden";
    case 413:
        return "request_too_large";
    case 502:
        return "upstream_error";
    case 503:
        return "unavailable";
    case 504:
        return "upstream_timeout";
    default:
        return "invalid_request_error";
    }
}

static bool outside_v1(struct str path)
{
    return path.len > 0 && !str_eq(path, STR("/v1")) && !str_starts(path, STR("/v1/"));
}

void error_body(struct buf *out, struct str path, const char *type, const char *code,
                struct str message)
{
    if (outside_v1(path)) {
        buf_put(out, STR("{\"detail\":"));
        json_quote(out, message);
        buf_put(out, STR("}"));
        return;
    }
    if (str_starts(path, STR("/v1/messages"))) {
        buf_put(out, STR("{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":"));
        json_quote(out, message);
        buf_put(out, STR("}}"));
        return;
    }
    buf_put(out, STR("{\"error\":{\"message\":"));
    json_quote(out, message);
    buf_printf(out, ",\"type\":\"%s\",\"code\":", type);
    if (code)
        buf_printf(out, "\"%s\"}}", code);
    else
        buf_put(out, STR("null}}"));
}
