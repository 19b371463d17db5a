#include "daemon/api/api_form.h"

void form_redirect(struct call *call, const char *location)
{
    struct err err;

    call->status = 303;
    if (headers_add(&call->extra, &call->arena, STR("Location"), str_c(location), &err) < 0)
        call_error(call, &err);
}

void form_escape(struct buf *out, struct str text)
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

void form_page(struct call *call, int status, struct str html)
{
    struct err ignored;

    call->status = status;
    call->content_type = STR("text/html; charset=utf-8");
    call->body.len = 0;
    buf_put(&call->body,
            STR("<!doctype html><meta charset=\"utf-8\"><title>llm-observe-proxy</title>"));
    buf_put(&call->body, html);
    headers_add(&call->extra, &call->arena, STR("Content-Security-Policy"),
                STR("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"), &ignored);
}

void form_error(struct call *call, const struct err *err, const char *back)
{
    struct buf html = {0};

    buf_put(&html, STR("<p role=\"alert\">"));
    form_escape(&html, str_c(err->msg));
    buf_printf(&html, "</p><p><a href=\"%s\">Back</a></p>", back);
    form_page(call, err_http_status(err->code), buf_str(&html));
    buf_clear(&html);
}

void form_finish(struct call *call, int rc, struct err *err, const char *page)
{
    if (rc == 0) {
        form_redirect(call, page);
        return;
    }
    if (err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT)
        err->code = ERR_INVALID;
    form_error(call, err, page);
}
