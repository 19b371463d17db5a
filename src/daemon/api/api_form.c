#include "daemon/api/api_form.h"

void form_redirect(struct api_call *call, const char *location)
{
    struct err err;

    call->status = 303;
    if (headers_add(&call->extra, &call->request.arena, STR("Location"), str_c(location), &err) < 0)
        api_error(call, &err);
}

static void put_escaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '<':
            buf_put(out, STR("&lt;"));
            break;
        case '>':
            buf_put(out, STR("&gt;"));
            break;
        case '&':
            buf_put(out, STR("&amp;"));
            break;
        case '"':
            buf_put(out, STR("&quot;"));
            break;
        default:
            buf_put(out, (struct str){text.ptr + i, 1});
        }
    }
}

void form_error(struct api_call *call, const struct err *err, const char *back)
{
    struct err ignored;

    call->status = err_http_status(err->code);
    call->content_type = STR("text/html; charset=utf-8");
    call->body.len = 0;
    buf_put(&call->body,
            STR("<!doctype html><meta charset=\"utf-8\"><title>llm-observe-proxy</title>"
                "<p role=\"alert\">"));
    put_escaped(&call->body, str_c(err->msg));
    buf_printf(&call->body, "</p><p><a href=\"%s\">Back</a></p>", back);
    headers_add(&call->extra, &call->request.arena, STR("Content-Security-Policy"),
                STR("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"), &ignored);
}
