#include "utf8.h"

/* What the second byte of a sequence may be: this is where overlong forms, surrogates and code
 * points above U+10FFFF show. */
static bool second_ok(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return (second & 0xC0) == 0x80;
    }
}

static size_t sequence_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2)
        return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

int32_t utf8_next(struct str s, size_t *len)
{
    unsigned char lead = (unsigned char)s.ptr[0];
    size_t size = sequence_length(lead);
    int32_t code;

    *len = 1;
    if (size <= 1)
        return size == 1 ? lead : -1;
    code = lead & (0x7F >> size);
    for (size_t i = 1; i < size; i++) {
        unsigned char c = i < s.len ? (unsigned char)s.ptr[i] : 0;

        if ((c & 0xC0) != 0x80 || (i == 1 && !second_ok(lead, c)))
            return -1;
        code = code << 6 | (c & 0x3F);
        *len = i + 1;
    }
    return code;
}

size_t utf8_encode(int32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

size_t utf8_valid_prefix(struct str s)
{
    size_t i = 0, len;

    while (i < s.len) {
        uint64_t word;

        if (i + 8 <= s.len) {
            memcpy(&word, s.ptr + i, 8);
            if (!(word & 0x8080808080808080u)) {
                i += 8;
                continue;
            }
        }
        if ((unsigned char)s.ptr[i] < 0x80) {
            i++;
            continue;
        }
        if (utf8_next(str_from(s, i), &len) < 0)
            return i;
        i += len;
    }
    return i;
}

int utf8_repair(struct buf *out, struct str s, struct err *err)
{
    while (s.len > 0) {
        size_t good = utf8_valid_prefix(s), bad;

        if (buf_add(out, str_cut(s, good), err) < 0)
            return -1;
        s = str_from(s, good);
        if (s.len == 0)
            break;
        utf8_next(s, &bad);
        if (buf_add(out, STR("\xEF\xBF\xBD"), err) < 0)
            return -1;
        s = str_from(s, bad);
    }
    return 0;
}

static size_t latin1_size(struct str s)
{
    size_t size = s.len;

    for (size_t i = 0; i < s.len; i++)
        size += (unsigned char)s.ptr[i] >= 0x80;
    return size;
}

int utf8_from_latin1(struct buf *out, struct str s, struct err *err)
{
    size_t before = out->len;
    char *to;

    if (s.len >= SIZE_MAX / 4)
        return err_set(err, ERR_TOO_LARGE, "%zu bytes are too many", s.len);
    if (buf_reserve(out, latin1_size(s), err) < 0)
        return -1;
    to = out->ptr + before;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c >= 0x80) {
            *to++ = (char)(0xC0 | c >> 6);
            c = (unsigned char)(0x80 | (c & 0x3F));
        }
        *to++ = (char)c;
    }
    *to = '\0';
    out->len = (size_t)(to - out->ptr);
    return 0;
}

struct str utf8_cut(struct str s, size_t max)
{
    size_t at = max;

    if (s.len <= max)
        return s;
    /* A sequence has three continuation bytes at most; more of them are not UTF-8 anyway. */
    while (at > 0 && max - at < 3 && ((unsigned char)s.ptr[at] & 0xC0) == 0x80)
        at--;
    return str_cut(s, ((unsigned char)s.ptr[at] & 0xC0) == 0x80 ? max : at);
}

size_t utf8_chars(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return n;
}
