#include "daemon/http/head.h"

#include "daemon/http/token.h"

static bool bad(struct refusal *r, const char *what)
{
    return refuse(r, 400, "malformed_request", "The request could not be parsed: %s.", what);
}

/* The limits hold on what has arrived, so that a head that never ends is refused in time. */
static bool check_sizes(struct str head, bool complete, struct refusal *r)
{
    ptrdiff_t line = str_chr(head, '\n');
    size_t line_len = line < 0 ? head.len : (size_t)line + 1;

    if (line_len > REQUEST_LINE_MAX)
        return refuse(r, 414, "target_too_long", "Request line exceeds %zu bytes.",
                      REQUEST_LINE_MAX);
    if (head.len - line_len > REQUEST_HEAD_MAX + (complete ? 2 : 0))
        return refuse(r, 431, "header_too_large", "Request header section exceeds %zu bytes.",
                      REQUEST_HEAD_MAX);
    return true;
}

size_t head_length(struct str bytes, size_t *scanned, struct refusal *refusal)
{
    size_t i = *scanned;

    while (i < bytes.len) {
        const char *lf = memchr(bytes.ptr + i, '\n', bytes.len - i);

        if (!lf)
            break;
        i = (size_t)(lf - bytes.ptr) + 1;
        if (i < 2 || bytes.ptr[i - 2] != '\r') {
            bad(refusal, "a line of the head ends in a bare LF");
            return 0;
        }
        *scanned = i;
        if (i >= 4 && bytes.ptr[i - 3] == '\n')
            return i;
    }
    check_sizes(bytes, false, refusal);
    return 0;
}

/* "METHOD target HTTP/x.y" with single blanks and nothing that could act. */
static bool check_request_line(struct str line, struct refusal *r)
{
    struct str rest = line, method, target;

    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];

        if (c < 0x20 || c == 0x7F)
            return bad(r, "control character in the request line");
    }
    if (!str_split(&rest, ' ', &method) || method.len == 0 || !rest.ptr)
        return bad(r, "the request line is not METHOD TARGET VERSION");
    if (!str_split(&rest, ' ', &target) || target.len == 0)
        return bad(r, "the request line has no target");
    if (!rest.ptr)
        return refuse(r, 505, "version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken.");
    if (str_chr(rest, ' ') >= 0)
        return bad(r, "the request line has more than two blanks");
    return true;
}

static bool check_field_line(struct str line, struct refusal *r)
{
    ptrdiff_t colon = str_chr(line, ':');

    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return bad(r, "folded header line");
    if (colon < 0)
        return bad(r, "header line without a colon");
    if (colon == 0)
        return bad(r, "header line without a name");
    for (ptrdiff_t i = 0; i < colon; i++)
        if (!is_token_char((unsigned char)line.ptr[i]))
            return bad(r, "header name with a character that is not allowed");
    for (size_t i = (size_t)colon; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];

        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return bad(r, "control character in a header value");
    }
    return true;
}

/* Everything llhttp is known to be lenient about, and the limits, in one pass over the lines. */
bool head_check(struct str head, struct refusal *r)
{
    struct str rest = head;
    size_t fields = 0;
    bool first = true;

    if (!check_sizes(head, true, r))
        return false;
    while (rest.len > 0) {
        ptrdiff_t at = str_chr(rest, '\n');
        struct str line;

        if (at < 1 || rest.ptr[at - 1] != '\r')
            return bad(r, "a line does not end in CRLF");
        line = str_cut(rest, (size_t)at - 1);
        rest = str_from(rest, (size_t)at + 1);
        if (line.len == 0)
            break;
        if (!(first ? check_request_line(line, r) : check_field_line(line, r)))
            return false;
        if (!first && ++fields > REQUEST_FIELDS_MAX)
            return refuse(r, 431, "header_too_large", "Request has more than %d header fields.",
                          REQUEST_FIELDS_MAX);
        first = false;
    }
    return true;
}
