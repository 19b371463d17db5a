#include "daemon/http/chunked.h"

#include "daemon/http/token.h"

enum state {
    SIZE,
    SIZE_BLANK, /* blanks between the size and ";" */
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
};

#define DIGITS_MAX 16
#define DIGITS_ALL_MAX 64

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool on_size(struct chunked *c, unsigned char byte)
{
    int value = hex_value(byte);

    if (value >= 0) {
        if (value == 0 && c->left == 0)
            c->zeros++;
        else
            c->digits++;
        c->left = c->left << 4 | (uint64_t)value;
        return c->digits <= DIGITS_MAX && c->digits + c->zeros <= DIGITS_ALL_MAX &&
               c->left <= INT64_MAX;
    }
    if (c->digits + c->zeros == 0)
        return false;
    if (byte == '\r') {
        c->state = SIZE_LF;
        return true;
    }
    if (byte != ';' && byte != ' ' && byte != '\t')
        return false;
    c->state = byte == ';' ? EXTENSION : SIZE_BLANK;
    return ++c->extension <= CHUNKED_EXTENSION_MAX;
}

static bool on_extension(struct chunked *c, unsigned char byte)
{
    if (byte == '\r') {
        if (c->state == SIZE_BLANK)
            return false; /* blanks must be followed by an extension */
        c->state = SIZE_LF;
        return true;
    }
    if (c->state == SIZE_BLANK && byte != ' ' && byte != '\t') {
        if (byte != ';')
            return false;
        c->state = EXTENSION;
    }
    if ((byte < 0x20 && byte != '\t') || byte == 0x7F)
        return false;
    return ++c->extension <= CHUNKED_EXTENSION_MAX;
}

static bool on_trailer(struct chunked *c, unsigned char byte)
{
    switch ((enum state)c->state) {
    case TRAILER_START:
        if (byte == '\r') {
            c->state = LAST_LF;
            return true;
        }
        c->fields++;
        c->state = TRAILER_NAME;
        return is_token_char(byte);
    case TRAILER_NAME:
        if (byte == ':')
            c->state = TRAILER_VALUE;
        return byte == ':' || is_token_char(byte);
    case TRAILER_VALUE:
        if (byte == '\r')
            c->state = TRAILER_LF;
        return byte == '\r' || byte == '\t' || (byte >= 0x20 && byte != 0x7F);
    case TRAILER_LF:
        c->state = TRAILER_START;
        return byte == '\n';
    default:
        return false;
    }
}

/* One byte of framing. False when it is not allowed. */
static bool step(struct chunked *c, unsigned char byte)
{
    switch ((enum state)c->state) {
    case SIZE:
        return on_size(c, byte);
    case SIZE_BLANK:
    case EXTENSION:
        return on_extension(c, byte);
    case SIZE_LF:
        c->state = c->left > 0 ? DATA : TRAILER_START;
        return byte == '\n';
    case DATA_CR:
        c->state = DATA_LF;
        return byte == '\r';
    case DATA_LF:
        c->state = SIZE;
        c->digits = c->zeros = 0;
        c->left = 0;
        return byte == '\n';
    case TRAILER_START:
    case TRAILER_NAME:
    case TRAILER_VALUE:
    case TRAILER_LF:
        c->trailer++;
        return on_trailer(c, byte);
    case DATA:
    case LAST_LF:
        break;
    }
    return false;
}

enum chunked_result chunked_next(struct chunked *c, struct str *in, struct str *data)
{
    while (in->len > 0) {
        unsigned char byte = (unsigned char)in->ptr[0];

        if (c->state == DATA) {
            *data = str_cut(*in, c->left < in->len ? (size_t)c->left : in->len);
            *in = str_from(*in, data->len);
            c->left -= data->len;
            if (c->left == 0)
                c->state = DATA_CR;
            return CHUNKED_DATA;
        }
        *in = str_from(*in, 1);
        if (c->state == LAST_LF)
            return byte == '\n' ? CHUNKED_END : CHUNKED_BAD;
        if (!step(c, byte))
            return CHUNKED_BAD;
        if (c->trailer > CHUNKED_TRAILER_MAX || c->fields > CHUNKED_TRAILER_FIELDS)
            return CHUNKED_TRAILER_TOO_LARGE;
    }
    return CHUNKED_MORE;
}
