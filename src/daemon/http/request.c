#include "daemon/http/request.h"

#include <llhttp.h>

#include "daemon/http/head.h"

struct parse {
    struct request *r;
    struct str name;
    bool no_memory;
};

static int on_url(llhttp_t *p, const char *at, size_t len)
{
    struct parse *parse = p->data;

    parse->r->target = (struct str){at, len};
    return 0;
}

static int on_name(llhttp_t *p, const char *at, size_t len)
{
    struct parse *parse = p->data;

    parse->name = (struct str){at, len};
    return 0;
}

/* The head is given to llhttp in one piece, so a value comes in one piece; an empty one may come
 * with a pointer to its end or not at all, hence on_value_complete. */
static int on_value(llhttp_t *p, const char *at, size_t len)
{
    struct parse *parse = p->data;
    struct err err;

    if (headers_add_borrowed(&parse->r->headers, &parse->r->arena, parse->name,
                             str_trim((struct str){at, len}), &err) < 0)
        parse->no_memory = true;
    parse->name = STR_NONE;
    return parse->no_memory ? -1 : 0;
}

static int on_value_complete(llhttp_t *p)
{
    struct parse *parse = p->data;

    return parse->name.ptr ? on_value(p, "", 0) : 0;
}

static int on_headers_complete(llhttp_t *p)
{
    struct parse *parse = p->data;

    parse->r->keep_alive = llhttp_should_keep_alive(p);
    return 1; /* the body is read by request_body() */
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
};

static bool framing_error(llhttp_errno_t code)
{
    return code == HPE_UNEXPECTED_CONTENT_LENGTH || code == HPE_INVALID_CONTENT_LENGTH ||
           code == HPE_INVALID_TRANSFER_ENCODING;
}

static bool run_parser(struct request *r, struct str head, struct refusal *refusal)
{
    struct parse parse = {.r = r};
    llhttp_t parser;
    llhttp_errno_t code;

    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &parse;
    code = llhttp_execute(&parser, head.ptr, head.len);
    if (parse.no_memory)
        return refuse(refusal, 503, "overloaded", "No memory for the request.");
    if (code != HPE_OK && code != HPE_PAUSED_UPGRADE && code != HPE_CLOSED_CONNECTION) {
        if (code == HPE_INVALID_METHOD)
            return refuse(refusal, 405, "method_not_allowed", "Method not allowed.");
        if (code == HPE_INVALID_VERSION)
            return refuse(refusal, 505, "version_not_supported",
                          "Only HTTP/1.0 and HTTP/1.1 are spoken.");
        return refuse(refusal, 400,
                      framing_error(code) ? "conflicting_framing" : "malformed_request",
                      "The request could not be parsed: %s.", llhttp_get_error_reason(&parser));
    }
    if (parser.http_major != 1 || parser.http_minor > 1)
        return refuse(refusal, 505, "version_not_supported",
                      "Only HTTP/1.0 and HTTP/1.1 are spoken.");
    r->method = str_c(llhttp_method_name((llhttp_method_t)parser.method));
    r->http10 = parser.http_minor == 0;
    return true;
}

static bool check_transfer_encoding(struct request *r, struct refusal *refusal)
{
    struct str value = headers_get(&r->headers, STR("transfer-encoding"));
    size_t n = headers_count(&r->headers, STR("transfer-encoding"));

    if (n == 0)
        return true;
    if (r->http10)
        return refuse(refusal, 400, "conflicting_framing",
                      "Transfer-Encoding is not allowed in HTTP/1.0.");
    if (r->has_length)
        return refuse(refusal, 400, "conflicting_framing",
                      "Both Content-Length and Transfer-Encoding were sent.");
    if (n == 1 && str_ieq(value, STR("chunked"))) {
        r->content_length = -1;
        return true;
    }
    if (n == 1 && value.len > 0 && str_ifind(value, STR("chunked")) < 0)
        return refuse(refusal, 501, "unsupported_transfer_coding",
                      "Only the transfer coding chunked is supported.");
    if (n == 1 && str_chr(value, ',') > 0 && str_ends(value, STR("chunked")))
        return refuse(refusal, 501, "unsupported_transfer_coding",
                      "Only the transfer coding chunked is supported.");
    return refuse(refusal, 400, "conflicting_framing", "Transfer-Encoding is not valid.");
}

static bool check_content_length(struct request *r, struct refusal *refusal)
{
    struct str value = headers_get(&r->headers, STR("content-length"));
    size_t n = headers_count(&r->headers, STR("content-length"));

    r->has_length = n > 0;
    if (n == 0)
        return true;
    if (n > 1 || value.len == 0 || value.ptr[0] == '+' || value.ptr[0] == '-' ||
        !str_int64(value, &r->content_length))
        return refuse(refusal, 400, "conflicting_framing", "Content-Length is not valid.");
    return true;
}

static bool check_expect(struct request *r, struct refusal *refusal)
{
    struct str value = headers_get(&r->headers, STR("expect"));

    if (!value.ptr || r->http10)
        return true;
    if (!str_ieq(value, STR("100-continue")) || headers_count(&r->headers, STR("expect")) > 1)
        return refuse(refusal, 417, "expectation_failed", "Only 100-continue can be expected.");
    r->expects_continue = true;
    return true;
}

static bool valid_port(struct str port)
{
    int64_t number;

    return port.len == 0 || (port.ptr[0] != '+' && port.ptr[0] != '-' && str_int64(port, &number) &&
                             number <= 65535);
}

/* host [":" port]: no user info, blanks or lists; brackets matched. */
static bool valid_authority(struct str a)
{
    ptrdiff_t close;
    struct str host;

    if (a.len == 0 || a.len > 300)
        return false;
    if (a.ptr[0] == '[') {
        close = str_chr(a, ']');
        host = str_cut(a, close < 0 ? 0 : (size_t)close + 1);
        if (close < 3)
            return false;
        for (size_t i = 1; i + 1 < host.len; i++)
            if (!memchr("0123456789abcdefABCDEF:.", host.ptr[i], 24))
                return false;
    } else {
        ptrdiff_t colon = str_chr(a, ':');

        host = str_cut(a, colon < 0 ? a.len : (size_t)colon);
        for (size_t i = 0; i < host.len; i++) {
            unsigned char c = (unsigned char)host.ptr[i];

            if (!(c == '-' || c == '.' || c == '_' || (c >= '0' && c <= '9') ||
                  ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')))
                return false;
        }
    }
    a = str_from(a, host.len);
    if (host.len == 0 || (a.len > 0 && a.ptr[0] != ':'))
        return false;
    return valid_port(str_from(a, 1));
}

static bool check_host(struct request *r, struct refusal *refusal)
{
    size_t n = headers_count(&r->headers, STR("host"));
    struct str host = headers_get(&r->headers, STR("host"));

    if (n > 1 || (n == 0 && !r->http10))
        return refuse(refusal, 400, "malformed_request", "Exactly one Host header is needed.");
    if (n == 1 && !valid_authority(host))
        return refuse(refusal, 400, "malformed_request", "The Host header is not valid.");
    if (!r->authority.ptr)
        r->authority = host;
    return true;
}

static bool check_target(struct request *r, struct refusal *refusal)
{
    struct str path = r->target;
    ptrdiff_t at;

    if (str_chr(path, '#') >= 0)
        return refuse(refusal, 400, "malformed_request", "The request target has a fragment.");
    if (str_eq(path, STR("*"))) {
        r->asterisk = str_eq(r->method, STR("OPTIONS"));
        r->path = path;
        return r->asterisk ||
               refuse(refusal, 400, "malformed_request", "The target * is for OPTIONS only.");
    }
    if (path.len == 0 || path.ptr[0] != '/') {
        at = str_istarts(path, STR("http://")) ? 7 : str_istarts(path, STR("https://")) ? 8 : -1;
        if (at < 0)
            return refuse(refusal, 400, "malformed_request",
                          "The request target must be a path or an http URL.");
        path = str_from(path, (size_t)at);
        at = 0;
        while ((size_t)at < path.len && path.ptr[at] != '/' && path.ptr[at] != '?')
            at++;
        r->authority = str_cut(path, (size_t)at);
        if (!valid_authority(r->authority))
            return refuse(refusal, 400, "malformed_request",
                          "The host of the request target is not valid.");
        path = str_from(path, (size_t)at);
    }
    at = str_chr(path, '?');
    r->path = at < 0 ? path : str_cut(path, (size_t)at);
    r->query = at < 0 ? STR_NONE : str_from(path, (size_t)at + 1);
    if (r->path.len == 0)
        r->path = STR("/");
    return true;
}

static bool check_method(struct request *r, struct refusal *refusal)
{
    static const char *const allowed[] = {"GET",    "POST",    "PUT", "PATCH",
                                          "DELETE", "OPTIONS", "HEAD"};

    for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
        if (str_eq(r->method, str_c(allowed[i])))
            return true;
    return refuse(refusal, 405, "method_not_allowed", "Method not allowed.");
}

bool request_parse(struct request *r, struct str head, struct refusal *refusal)
{
    struct str copy;

    copy = arena_dup(&r->arena, head);
    if (!copy.ptr)
        return refuse(refusal, 503, "overloaded", "No memory for the request.");
    if (!run_parser(r, copy, refusal))
        return false;
    return check_target(r, refusal) && check_method(r, refusal) && check_host(r, refusal) &&
           check_content_length(r, refusal) && check_transfer_encoding(r, refusal) &&
           check_expect(r, refusal);
}

static int too_large(struct request *r, struct refusal *refusal)
{
    refuse(refusal, 413, "body_too_large", "Request body too large.");
    (void)r;
    return -1;
}

static int keep(struct request *r, struct str data, struct refusal *refusal)
{
    struct err err;

    r->body_seen += (int64_t)data.len;
    if (r->body_seen > r->body_limit)
        return too_large(r, refusal);
    if (blob_add(&r->body, data, &err) < 0) {
        refuse(refusal, 503, "overloaded", "No room for the request body.");
        return -1;
    }
    return 0;
}

static int chunked_body(struct request *r, struct str *bytes, struct refusal *refusal)
{
    struct str data;

    for (;;) {
        switch (chunked_next(&r->chunked, bytes, &data)) {
        case CHUNKED_MORE:
            return 0;
        case CHUNKED_END:
            return 1;
        case CHUNKED_DATA:
            if (keep(r, data, refusal) < 0)
                return -1;
            break;
        case CHUNKED_TRAILER_TOO_LARGE:
            refuse(refusal, 431, "header_too_large", "Request trailer section is too large.");
            return -1;
        case CHUNKED_BAD:
            refuse(refusal, 400, "malformed_request", "The chunked request body is not valid.");
            return -1;
        }
    }
}

int request_body(struct request *r, struct str *bytes, struct refusal *refusal)
{
    struct str data;

    if (r->content_length < 0)
        return chunked_body(r, bytes, refusal);
    if (r->content_length > r->body_limit)
        return too_large(r, refusal);
    data = str_cut(*bytes, (size_t)(r->content_length - r->body_seen));
    *bytes = str_from(*bytes, data.len);
    if (keep(r, data, refusal) < 0)
        return -1;
    return r->body_seen == r->content_length;
}

bool request_body_empty(const struct request *r)
{
    return r->content_length == 0;
}

void request_clear(struct request *r)
{
    struct blob_budget *budget = r->body.budget;

    blob_clear(&r->body);
    arena_clear(&r->arena);
    *r = (struct request){.body.budget = budget};
}
