#include "base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct buf *out, struct str bytes, struct err *err)
{
    const unsigned char *in = (const unsigned char *)bytes.ptr;

    if (buf_reserve(out, (bytes.len + 2) / 3 * 4 + 1, err) < 0)
        return -1;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        unsigned b = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                     (left > 2 ? in[i + 2] : 0u);

        out->ptr[out->len++] = digits[b >> 18];
        out->ptr[out->len++] = digits[b >> 12 & 63];
        out->ptr[out->len++] = left > 1 ? digits[b >> 6 & 63] : '=';
        out->ptr[out->len++] = left > 2 ? digits[b & 63] : '=';
    }
    out->ptr[out->len] = '\0';
    return 0;
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

int base64_decode(struct buf *out, struct str text, struct err *err)
{
    unsigned bits = 0, have = 0;

    if (buf_reserve(out, text.len / 4 * 3 + 3, err) < 0)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.ptr[i]);

        if (value < 0)
            continue;
        bits = (bits << 6 | (unsigned)value) & 0xFFFFFF;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out->ptr[out->len++] = (char)(bits >> have & 0xFF);
        }
    }
    out->ptr[out->len] = '\0';
    return 0;
}
