#include "daemon/http/head.h"

#include "base/utf8.h"
#include "daemon/http/token.h"

static bool bad(struct refusal *r, const char *what)
{
    return refuse(r, 400, "malformed_request", "The request could not be parsed: %s.", what);
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
    if (!rest.ptr || !str_starts(rest, STR("HTTP/")))
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

static bool check_line(struct head_scan *scan, struct str line, struct refusal *r)
{
    if (scan->line == 0)
        return check_request_line(line, r);
    if (++scan->fields > REQUEST_FIELDS_MAX)
        return refuse(r, 431, "header_too_large", "Request has more than %d header fields.",
                      REQUEST_FIELDS_MAX);
    return check_field_line(line, r);
}

/* The limits hold on what has arrived, so that a head that never ends is refused in time. */
static bool check_sizes(const struct head_scan *scan, struct refusal *r)
{
    if ((scan->line == 0 ? scan->seen : scan->first_line) > REQUEST_LINE_MAX)
        return refuse(r, 414, "target_too_long", "Request line exceeds %zu bytes.",
                      REQUEST_LINE_MAX);
    if (scan->line > 0 && scan->seen - scan->first_line > REQUEST_HEAD_MAX)
        return refuse(r, 431, "header_too_large", "Request header section exceeds %zu bytes.",
                      REQUEST_HEAD_MAX);
    return true;
}

static bool check_byte(struct str bytes, size_t at, struct refusal *r)
{
    unsigned char c = (unsigned char)bytes.ptr[at];
    bool after_cr = at > 0 && bytes.ptr[at - 1] == '\r';

    if (after_cr != (c == '\n'))
        return bad(r, after_cr ? "a bare CR in the head" : "a line of the head ends in a bare LF");
    if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7F)
        return bad(r, "control character in the head");
    return true;
}

size_t head_scan(struct head_scan *scan, struct str bytes, struct refusal *refusal)
{
    while (scan->seen < bytes.len) {
        size_t at = scan->seen++;
        struct str line;

        if (!check_byte(bytes, at, refusal))
            return 0;
        if (bytes.ptr[at] != '\n')
            continue;
        line = str_cut(str_from(bytes, scan->line), at - 1 - scan->line);
        if (line.len == 0 && scan->line > 0)
            return scan->seen;
        if (!check_line(scan, line, refusal))
            return 0;
        if (scan->line == 0)
            scan->first_line = scan->seen;
        scan->line = scan->seen;
        if (!check_sizes(scan, refusal))
            return 0;
    }
    check_sizes(scan, refusal);
    return 0;
}

bool head_guess(struct str bytes, struct str *method, struct str *target)
{
    struct str rest = str_cut(bytes, 4096);
    size_t len = 0;

    while (len < rest.len && rest.ptr[len] != '\r' && rest.ptr[len] != '\n')
        len++; /* what follows may hold secrets */
    rest = str_cut(rest, len);
    return str_split(&rest, ' ', method) && method->len < 32 && str_split(&rest, ' ', target) &&
           utf8_valid(*method) && utf8_valid(*target);
}
