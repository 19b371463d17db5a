#include "query.h"

bool query_next(struct str *rest, struct str *name, struct str *value)
{
    struct str pair;

    while (rest->len > 0) {
        ptrdiff_t equals;

        str_split(rest, '&', &pair);
        if (pair.len == 0)
            continue;
        equals = str_chr(pair, '=');
        *name = equals < 0 ? pair : str_cut(pair, (size_t)equals);
        *value = equals < 0 ? str_from(pair, pair.len) : str_from(pair, (size_t)equals + 1);
        return true;
    }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int query_decode(struct buf *out, struct str raw, bool form, struct err *err)
{
    if (buf_reserve(out, raw.len, err) < 0)
        return -1;
    for (size_t i = 0; i < raw.len; i++) {
        int high = i + 2 < raw.len ? hex_digit(raw.ptr[i + 1]) : -1;
        int low = i + 2 < raw.len ? hex_digit(raw.ptr[i + 2]) : -1;
        char c = raw.ptr[i];

        if (c == '%' && high >= 0 && low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        out->ptr[out->len++] = c;
    }
    out->ptr[out->len] = '\0';
    return 0;
}

bool query_get(struct str query, const char *name, struct buf *out)
{
    struct str raw_name, raw_value, wanted = str_c(name);
    size_t start = out->len;
    struct buf decoded = {0};
    struct err err;
    bool found = false;

    while (query_next(&query, &raw_name, &raw_value)) {
        decoded.len = 0;
        if (query_decode(&decoded, raw_name, true, &err) < 0)
            break;
        if (!str_eq(buf_str(&decoded), wanted))
            continue;
        out->len = start;
        found = query_decode(out, raw_value, true, &err) == 0;
    }
    buf_clear(&decoded);
    return found;
}

static bool unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '~';
}

void query_encode(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (unreserved(s.ptr[i]))
            buf_put(out, (struct str){s.ptr + i, 1});
        else if (s.ptr[i] == ' ')
            buf_put(out, STR("+"));
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)s.ptr[i]);
    }
}
