#include "daemon/upstream/response_head.h"

#include "daemon/upstream/transfer_priv.h"

/* What a byte may be part of. */
enum { IN_NAME = 1, IN_VALUE = 2 };

static const unsigned char byte_class[256] = {
    ['\t'] = IN_VALUE,
    [' '] = IN_VALUE,
    ['!'] = 3,
    ['"'] = IN_VALUE,
    ['#' ... '\''] = 3,
    ['('] = IN_VALUE,
    [')'] = IN_VALUE,
    ['*'] = 3,
    ['+'] = 3,
    [','] = IN_VALUE,
    ['-'] = 3,
    ['.'] = 3,
    ['/'] = IN_VALUE,
    ['0' ... '9'] = 3,
    [':' ... '@'] = IN_VALUE,
    ['A' ... 'Z'] = 3,
    ['[' ... ']'] = IN_VALUE,
    ['^' ... 'z'] = 3,
    ['{'] = IN_VALUE,
    ['|'] = 3,
    ['}'] = IN_VALUE,
    ['~'] = 3,
    [0x80 ... 0xff] = IN_VALUE,
};

static bool all_of(struct str s, unsigned char class)
{
    unsigned char all = class;

    for (size_t i = 0; i < s.len; i++)
        all &= byte_class[(unsigned char)s.ptr[i]];
    return all == class;
}

bool response_field_ok(struct str name, struct str value)
{
    if (name.len == 0 || !all_of(name, IN_NAME))
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0')
            return false;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int parse_version(struct response_head *h, struct str *line)
{
    static const struct {
        struct str text;
        int version;
    } versions[] = {{{"HTTP/1.1 ", 9}, 11}, {{"HTTP/1.0 ", 9}, 10}, {{"HTTP/2 ", 7}, 20}};

    for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
        if (str_starts(*line, versions[i].text)) {
            h->version = versions[i].version;
            *line = str_from(*line, versions[i].text.len);
            return 0;
        }
    return -1;
}

static int parse_status_line(struct response_head *h, struct str line, struct err *err)
{
    if (parse_version(h, &line) < 0)
        return err_set(err, ERR_INVALID, "the answer is not HTTP/1.x");
    if (line.len < 3 || !is_digit(line.ptr[0]) || !is_digit(line.ptr[1]) ||
        !is_digit(line.ptr[2]) || (line.len > 3 && line.ptr[3] != ' ') ||
        !all_of(str_from(line, 3), IN_VALUE))
        return err_set(err, ERR_INVALID, "the status line of the answer is malformed");
    h->status = (line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + (line.ptr[2] - '0');
    h->content_length = -1;
    if (h->status < 100 || h->status > 599 || h->status == 101)
        return err_set(err, ERR_INVALID, "the answer has status %d", h->status);
    return 0;
}

static struct str trim_blanks(struct str s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static int parse_content_length(struct response_head *h, struct str value, struct err *err)
{
    int64_t length = 0;

    if (h->content_length >= 0)
        return err_set(err, ERR_INVALID, "the answer has more than one Content-Length");
    if (value.len == 0)
        return err_set(err, ERR_INVALID, "the Content-Length of the answer is empty");
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.ptr[i]) || length > (INT64_MAX - 9) / 10)
            return err_set(err, ERR_INVALID, "the Content-Length of the answer is invalid");
        length = length * 10 + (value.ptr[i] - '0');
    }
    h->content_length = length;
    return 0;
}

static int check_field(struct response_head *h, struct str name, struct str value, struct err *err)
{
    if (name.len == 14 && str_ieq(name, STR("Content-Length"))) {
        if (parse_content_length(h, value, err) < 0)
            return -1;
    } else if (name.len == 17 && str_ieq(name, STR("Transfer-Encoding"))) {
        if (h->chunked || !str_ieq(value, STR("chunked")))
            return err_set(err, ERR_INVALID, "the answer has an unknown Transfer-Encoding");
        h->chunked = true;
    } else {
        return 0;
    }
    if (h->chunked && h->content_length >= 0)
        return err_set(err, ERR_INVALID, "the answer has Content-Length and Transfer-Encoding");
    return 0;
}

static int parse_field(struct response_head *h, struct str line, struct err *err)
{
    struct str name, value;
    ptrdiff_t colon;

    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return err_set(err, ERR_INVALID, "the answer has a folded header line");
    colon = str_chr(line, ':');
    if (colon < 0)
        return err_set(err, ERR_INVALID, "the answer has a header line without a colon");
    name = str_cut(line, (size_t)colon);
    value = trim_blanks(str_from(line, (size_t)colon + 1));
    if (name.len == 0 || !all_of(name, IN_NAME))
        return err_set(err, ERR_INVALID, "the answer has an invalid header name");
    if (!all_of(value, IN_VALUE))
        return err_set(err, ERR_INVALID, "the answer has a control character in a header value");
    if (h->headers.count == RESPONSE_FIELDS_MAX)
        return err_set(err, ERR_TOO_LARGE, "the answer has more than %d header fields",
                       RESPONSE_FIELDS_MAX);
    if (check_field(h, name, value, err) < 0)
        return -1;
    return headers_add_borrowed(&h->headers, &h->arena, name, value, err);
}

/* Everything but the count of interim answers. */
static void start_over(struct response_head *h)
{
    unsigned interim = h->interim;

    arena_clear(&h->arena);
    *h = (struct response_head){.interim = interim};
}

static int end_of_head(struct response_head *h, struct err *err)
{
    if (h->status >= 200)
        return 1;
    if (h->status == 0)
        return err_set(err, ERR_INVALID, "the answer has no status line");
    start_over(h);
    if (++h->interim > RESPONSE_INTERIM_MAX)
        return err_set(err, ERR_INVALID, "more than %d interim answers", RESPONSE_INTERIM_MAX);
    return 0;
}

/* line stays where it is: it lies in the arena. */
static int take_line(struct response_head *h, struct str line, struct err *err)
{
    if (line.len < 2 || line.ptr[line.len - 2] != '\r' || line.ptr[line.len - 1] != '\n')
        return err_set(err, ERR_INVALID, "a header line of the answer does not end with CRLF");
    line.len -= 2;
    if (line.len == 0)
        return end_of_head(h, err);
    return h->status == 0 ? parse_status_line(h, line, err) : parse_field(h, line, err);
}

static int count_bytes(struct response_head *h, size_t bytes, struct err *err)
{
    if (bytes > RESPONSE_HEAD_MAX || h->bytes > RESPONSE_HEAD_MAX - bytes)
        return err_set(err, ERR_TOO_LARGE, "the header section of the answer exceeds %zu bytes",
                       RESPONSE_HEAD_MAX);
    h->bytes += bytes;
    return 0;
}

int response_head_line(struct response_head *h, struct str line, struct err *err)
{
    struct str copy;

    if (count_bytes(h, line.len, err) < 0)
        return -1;
    copy = arena_dup(&h->arena, line);
    if (!copy.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for a header line");
    return take_line(h, copy, err);
}

int response_head_all(struct response_head *h, struct str head, struct err *err)
{
    struct str copy;

    if (count_bytes(h, head.len, err) < 0)
        return -1;
    copy = arena_dup(&h->arena, head);
    if (!copy.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for a response head");
    while (copy.len > 0) {
        const char *lf = memchr(copy.ptr, '\n', copy.len);
        struct str line = {copy.ptr, lf ? (size_t)(lf - copy.ptr) + 1 : copy.len};
        bool blank = line.len == 2 && h->status != 0;
        int rc = take_line(h, line, err);

        if (rc != 0 || blank)
            return rc;
        copy = str_from(copy, line.len);
    }
    return err_set(err, ERR_INVALID, "the head of the answer is not complete");
}

void response_head_clear(struct response_head *h)
{
    arena_clear(&h->arena);
    *h = (struct response_head){0};
}

/* What cannot become a head any more is refused before its end has come. */
static int check_partial(struct str bytes, size_t from, struct err *err)
{
    const char *at = bytes.ptr + from, *end = bytes.ptr + bytes.len;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (at == bytes.ptr || at[-1] != '\r')
            return err_set(err, ERR_INVALID, "a header line of the answer does not end with CRLF");
        at++;
    }
    return 0;
}

ptrdiff_t response_head_end(struct str bytes, size_t *scanned, struct err *err)
{
    size_t from = *scanned > 3 ? *scanned - 3 : 0;
    ptrdiff_t found = str_find(str_from(bytes, from), STR("\r\n\r\n"));
    size_t head = found < 0 ? bytes.len : from + (size_t)found + 4;

    if (!str_starts(bytes, str_cut(STR("HTTP/1."), bytes.len)))
        return err_set(err, ERR_INVALID, "the answer is not HTTP/1.x");
    if (head > RESPONSE_HEAD_MAX)
        return err_set(err, ERR_TOO_LARGE, "the header section of the answer exceeds %zu bytes",
                       RESPONSE_HEAD_MAX);
    if (found >= 0)
        return (ptrdiff_t)head;
    if (check_partial(bytes, *scanned, err) < 0)
        return -1;
    *scanned = bytes.len;
    return 0;
}
