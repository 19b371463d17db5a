#include "json_scan.h"

#include "utf8.h"

#define BLANKS(c) ((c) == ' ' || (c) == '\n' || (c) == '\r' || (c) == '\t')
#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* ---- strings ------------------------------------------------------------------------------ */

/* Eight bytes with the first one lowest, whatever the machine. */
static uint64_t load8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static uint64_t zero_bytes(uint64_t word)
{
    return (word - ONES) & ~word & HIGHS;
}

/* The high bit of each byte that is no plain ASCII inside a string: a quote, a backslash, a control
 * character or above 0x7F. Only the lowest bit is exact, and only that one is used. */
static uint64_t special_bytes(uint64_t word)
{
    uint64_t control = (word - ONES * 0x20) & ~word & HIGHS;

    return control | zero_bytes(word ^ ONES * '"') | zero_bytes(word ^ ONES * '\\') |
           (word & HIGHS);
}

static bool is_plain(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 0x20 && u < 0x80 && u != '"' && u != '\\';
}

static const char *skip_plain(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t special = special_bytes(load8(p));

        if (special)
            return p + __builtin_ctzll(special) / 8;
        p += 8;
    }
    while (p < end && is_plain(*p))
        p++;
    return p;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Skip characters above U+007F. NULL when they are not UTF-8. The two common lengths are decided
 * here, the rest by utf8_next(). */
static const char *skip_non_ascii(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p >= 0x80) {
        unsigned char lead = (unsigned char)*p;
        size_t len;

        if (end - p >= 3 && lead > 0xE0 && lead < 0xED && continues(p[1]) && continues(p[2])) {
            p += 3;
        } else if (end - p >= 2 && lead >= 0xC2 && lead < 0xE0 && continues(p[1])) {
            p += 2;
        } else {
            if (utf8_next((struct str){p, (size_t)(end - p)}, &len) < 0)
                return NULL;
            p += len;
        }
    }
    return p;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of four hex digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* p is behind a backslash. */
static const char *scan_escape(const char *p, const char *end)
{
    if (p == end)
        return NULL;
    switch (*p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 1;
    case 'u':
        return hex4(p + 1, end) < 0 ? NULL : p + 5;
    default:
        return NULL;
    }
}

/* p is behind the opening quote; the result behind the closing one. */
static const char *scan_string(const char *p, const char *end)
{
    while (p) {
        p = skip_plain(p, end);
        if (p == end)
            return NULL;
        if (*p == '"')
            return p + 1;
        if (*p == '\\')
            p = scan_escape(p + 1, end);
        else if ((unsigned char)*p >= 0x80)
            p = skip_non_ascii(p, end);
        else
            return NULL;
    }
    return NULL;
}

/* ---- checking a whole text ---------------------------------------------------------------- */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && BLANKS(*p))
        p++;
    return p;
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static const char *some_digits(const char *p, const char *end)
{
    const char *after = skip_digits(p, end);

    return after == p ? NULL : after;
}

static const char *scan_number(const char *p, const char *end)
{
    if (*p == '-')
        p++;
    if (p < end && *p == '0')
        p++;
    else
        p = some_digits(p, end);
    if (p && p < end && *p == '.')
        p = some_digits(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = some_digits(p, end);
    }
    return p;
}

static const char *scan_word(const char *p, const char *end, struct str word)
{
    return str_starts((struct str){p, (size_t)(end - p)}, word) ? p + word.len : NULL;
}

static const char *scan_scalar(const char *p, const char *end)
{
    switch (*p) {
    case '"':
        return scan_string(p + 1, end);
    case 't':
        return scan_word(p, end, STR("true"));
    case 'f':
        return scan_word(p, end, STR("false"));
    case 'n':
        return scan_word(p, end, STR("null"));
    default:
        return scan_number(p, end);
    }
}

/* "key" : with blanks before each; the result is behind the colon. */
static const char *scan_key(const char *p, const char *end)
{
    p = skip_blanks(p, end);
    if (p == end || *p != '"')
        return NULL;
    p = scan_string(p + 1, end);
    if (!p)
        return NULL;
    p = skip_blanks(p, end);
    return p < end && *p == ':' ? p + 1 : NULL;
}

/* The containers that are open: a bit each, set for objects. */
struct nest {
    uint64_t bits[JSON_MAX_DEPTH / 64];
    size_t depth;
};

static bool nest_push(struct nest *n, bool object)
{
    uint64_t bit = UINT64_C(1) << (n->depth % 64);

    if (n->depth == JSON_MAX_DEPTH)
        return false;
    if (object)
        n->bits[n->depth / 64] |= bit;
    else
        n->bits[n->depth / 64] &= ~bit;
    n->depth++;
    return true;
}

static bool nest_in_object(const struct nest *n)
{
    return n->bits[(n->depth - 1) / 64] >> ((n->depth - 1) % 64) & 1;
}

/* Enter the container at p. *value is set when its first value (behind the key) comes next. */
static const char *scan_open(struct nest *n, const char *p, const char *end, bool *value)
{
    bool object = *p == '{';

    if (!nest_push(n, object))
        return NULL;
    p = skip_blanks(p + 1, end);
    *value = p < end && *p != (object ? '}' : ']');
    return *value && object ? scan_key(p, end) : p;
}

/* Behind a value, or an open bracket without values: closing brackets up to the next value, or to
 * the end of the outermost container, where depth is 0. */
static const char *scan_between(struct nest *n, const char *p, const char *end)
{
    while (n->depth > 0) {
        bool object = nest_in_object(n);

        p = skip_blanks(p, end);
        if (p == end)
            return NULL;
        if (*p == ',')
            return object ? scan_key(p + 1, end) : p + 1;
        if (*p != (object ? '}' : ']'))
            return NULL;
        p++;
        n->depth--;
    }
    return p;
}

/* One value at p; the result is behind it, NULL when it is broken: *bad is then at the part of it
 * that is at fault. */
static const char *scan_value(const char *p, const char *end, const char **bad)
{
    struct nest nest = {.depth = 0};

    do {
        bool value = false;

        p = *bad = skip_blanks(p, end);
        if (p == end)
            return NULL;
        p = *p == '{' || *p == '[' ? scan_open(&nest, p, end, &value) : scan_scalar(p, end);
        if (p && !value) {
            *bad = p;
            p = scan_between(&nest, p, end);
        }
    } while (p && nest.depth > 0);
    return p;
}

enum json_type json_type_of(struct str value)
{
    switch (value.len ? value.ptr[0] : '\0') {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return JSON_NUMBER;
    default:
        return JSON_INVALID;
    }
}

/* The range of the one value in text; false, and where it goes wrong, when it is not JSON. */
static bool scan_text(struct str text, struct str *value, const char **bad)
{
    const char *start, *after, *end = text.ptr + text.len;

    *bad = text.ptr;
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = str_from(text, 3);
    if (text.len == 0)
        return false;
    start = skip_blanks(text.ptr, end);
    after = start < end ? scan_value(start, end, bad) : NULL;
    if (!after)
        return false;
    *bad = skip_blanks(after, end);
    *value = (struct str){start, (size_t)(after - start)};
    return *bad == end;
}

enum json_type json_scan(struct str text, struct str *value)
{
    const char *bad;
    struct str found;

    if (text.len == 0 || !scan_text(text, &found, &bad))
        return JSON_INVALID;
    *value = found;
    return json_type_of(found);
}

size_t json_scan_error(struct str text)
{
    const char *bad;
    struct str value;

    if (text.len == 0)
        return 0;
    (void)scan_text(text, &value, &bad);
    return (size_t)(bad - text.ptr);
}

/* ---- walking ------------------------------------------------------------------------------ */

/* The closing quote of a string whose content starts at p, or NULL. A backslash hides a quote when
 * an odd number of them stands before it; each is looked at once. */
static const char *closing_quote(const char *p, const char *end)
{
    const char *from = p;

    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p)), *slash = quote;

        if (!quote)
            return NULL;
        while (slash > from && slash[-1] == '\\')
            slash--;
        if ((quote - slash) % 2 == 0)
            return quote;
        p = from = quote + 1;
    }
    return NULL;
}

const char *json_string_end(const char *p, const char *end)
{
    const char *quote = closing_quote(p + 1, end);

    return quote ? quote + 1 : end;
}

/* Brackets are only counted: in validated text they match. */
static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        switch (*p) {
        case '"':
            p = json_string_end(p, end);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (--depth == 0)
                return p + 1;
            break;
        default:
            break;
        }
        p++;
    }
    return end;
}

static const char *skip_scalar(const char *p, const char *end)
{
    while (p < end && !BLANKS(*p) && *p != ',' && *p != ']' && *p != '}')
        p++;
    return p;
}

static const char *skip_value(const char *p, const char *end)
{
    if (*p == '"')
        return json_string_end(p, end);
    return *p == '{' || *p == '[' ? skip_container(p, end) : skip_scalar(p, end);
}

struct json_iter json_iter(struct str value)
{
    bool object = value.len > 0 && value.ptr[0] == '{';

    if (!object && (value.len == 0 || value.ptr[0] != '['))
        return (struct json_iter){0};
    return (struct json_iter){.rest = str_from(value, 1), .object = object};
}

/* Read the key at p; the result is behind the colon, NULL when there is none. */
static const char *take_key(struct json_iter *it, const char *p, const char *end)
{
    const char *quote;

    if (*p != '"')
        return NULL;
    quote = closing_quote(p + 1, end);
    if (!quote)
        return NULL;
    it->key = (struct str){p + 1, (size_t)(quote - p - 1)};
    p = skip_blanks(quote + 1, end);
    return p < end && *p == ':' ? skip_blanks(p + 1, end) : NULL;
}

bool json_next_lax(struct json_iter *it)
{
    const char *p = it->rest.ptr, *end = p, *after;

    if (it->rest.len == 0)
        return false;
    end += it->rest.len;
    it->rest.len = 0;
    p = skip_blanks(p, end);
    if (p == end || *p == '}' || *p == ']')
        return false;
    if (it->object)
        p = take_key(it, p, end);
    if (!p || p == end)
        return false;
    after = skip_value(p, end);
    it->value = (struct str){p, (size_t)(after - p)};
    p = skip_blanks(after, end);
    if (p < end && *p == ',')
        it->rest = (struct str){p + 1, (size_t)(end - p - 1)};
    return after > it->value.ptr;
}

bool json_next(struct json_iter *it)
{
    return json_next_lax(it);
}

bool json_member(struct str value, struct str key, struct str *out)
{
    struct json_iter it = json_iter(value);
    bool found = false;

    if (!it.object)
        return false;
    while (json_next(&it)) {
        if (json_key_is(it.key, key)) {
            *out = it.value;
            found = true;
        }
    }
    return found;
}

/* ---- decoding ----------------------------------------------------------------------------- */

int32_t json_unescape(struct str s, size_t *len)
{
    const char *p = s.ptr + 1, *end = s.ptr + s.len;
    int32_t code, low;

    if (p == end) {
        *len = 1;
        return -1;
    }
    *len = 2;
    switch (*p) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        break;
    default:
        return *p == '"' || *p == '\\' || *p == '/' ? *p : -1;
    }
    code = hex4(p + 1, end);
    if (code < 0)
        return -1;
    *len = 6;
    if (code < 0xD800 || code > 0xDFFF)
        return code;
    low = end - p > 6 && p[5] == '\\' && p[6] == 'u' ? hex4(p + 7, end) : -1;
    if (code > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        return -1;
    *len = 12;
    return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

/* A raw string text, given out as runs of decoded bytes. */
struct decoder {
    struct str rest;
    char one[4];
};

/* The next run, never empty; false at the end. */
static bool next_run(struct decoder *d, struct str *run)
{
    ptrdiff_t slash;
    int32_t code;
    size_t len;

    if (d->rest.len == 0)
        return false;
    slash = str_chr(d->rest, '\\');
    if (slash != 0) {
        *run = slash < 0 ? d->rest : str_cut(d->rest, (size_t)slash);
        d->rest = str_from(d->rest, run->len);
        return true;
    }
    code = json_unescape(d->rest, &len);
    d->rest = str_from(d->rest, len);
    *run = (struct str){d->one, utf8_encode(code < 0 ? 0xFFFD : code, d->one)};
    return true;
}

/* The content of a string value; a closing quote may be missing in text that was cut. */
static struct str content(struct str value)
{
    const char *end = value.ptr + value.len, *quote;

    if (value.len < 2)
        return STR("");
    quote = end[-1] == '"' ? closing_quote(value.ptr + 1, end) : NULL;
    return (struct str){value.ptr + 1, (size_t)((quote ? quote : end) - value.ptr - 1)};
}

int json_string(struct str value, struct buf *out, struct err *err)
{
    struct decoder d = {.rest = content(value)};
    struct str run;

    while (next_run(&d, &run))
        if (buf_add(out, run, err) < 0)
            return -1;
    return 0;
}

bool json_key_decodes_to(struct str raw, struct str text)
{
    struct decoder d = {.rest = raw};
    struct str run;

    if (str_chr(raw, '\\') < 0)
        return str_eq(raw, text);
    while (next_run(&d, &run)) {
        if (!str_starts(text, run))
            return false;
        text = str_from(text, run.len);
    }
    return text.len == 0;
}

int json_key_compare(struct str a, struct str b)
{
    struct decoder da = {.rest = a}, db = {.rest = b};
    struct str x = STR(""), y = STR("");

    for (;;) {
        bool more_a = x.len > 0 || next_run(&da, &x), more_b = y.len > 0 || next_run(&db, &y);
        size_t len = x.len < y.len ? x.len : y.len;
        int order;

        if (!more_a || !more_b)
            return (int)more_a - (int)more_b;
        order = memcmp(x.ptr, y.ptr, len);
        if (order != 0)
            return order;
        x = str_from(x, len);
        y = str_from(y, len);
    }
}

bool json_string_is(struct str value, struct str text)
{
    return json_type_of(value) == JSON_STRING && json_key_is(content(value), text);
}

bool json_string_filled(struct str value)
{
    return json_type_of(value) == JSON_STRING && content(value).len > 0;
}
