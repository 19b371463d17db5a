#include "tokens.h"

#include "base/utf8.h"

enum kind { WORD, DIGIT, MARK, SPACE, BLANK, SCRIPT, IDEOGRAPH, SYMBOL };

static bool is_ideograph(int32_t c)
{
    return (c >= 0x1100 && c <= 0x11FF) || (c >= 0x2E80 && c <= 0x9FFF) ||
           (c >= 0xAC00 && c <= 0xD7FF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFF00 && c <= 0xFFEF) || (c >= 0x20000 && c <= 0x3FFFF);
}

static bool is_symbol(int32_t c)
{
    return (c >= 0x2000 && c <= 0x2BFF) || (c >= 0x1F000 && c <= 0x1FFFF) || c >= 0xE0000 ||
           (c >= 0xFE00 && c <= 0xFE0F) || c < 0xAA || c == 0xD7 || c == 0xF7;
}

static enum kind kind_of(int32_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return WORD;
    if (c >= '0' && c <= '9')
        return DIGIT;
    if (c == ' ')
        return SPACE;
    if (c < 0x20 || c == 0x7F || c == 0xA0)
        return BLANK;
    if (c < 0x80)
        return MARK;
    return is_ideograph(c) ? IDEOGRAPH : is_symbol(c) ? SYMBOL : SCRIPT;
}

/* n characters of one kind; before: what follows is a word, which a single blank or mark in front
 * of it belongs to. */
static int64_t tokens_of(enum kind kind, int64_t n, bool before)
{
    switch (kind) {
    case WORD:
        return 1 + (n - 1) / 8;
    case MARK:
        return n == 1 && before ? 0 : (n + 2) / 3;
    case DIGIT:
    case SCRIPT:
        return (n + 2) / 3;
    case SPACE:
        return n == 1 && before ? 0 : 1;
    case BLANK:
        return 1;
    case IDEOGRAPH:
        return n;
    case SYMBOL:
        return 2 * n;
    }
    return 0;
}

int64_t tokens_approximate(struct str text)
{
    int64_t tokens = 0, run = 0;
    enum kind last = WORD;

    for (size_t len; text.len > 0; text = str_from(text, len)) {
        int32_t c = utf8_next(text, &len);
        enum kind kind = kind_of(c < 0 ? 0xFFFD : c);

        if (run > 0 && kind != last) {
            tokens += tokens_of(last, run, kind == WORD || kind == SCRIPT);
            run = 0;
        }
        last = kind;
        run++;
    }
    if (run > 0)
        tokens += tokens_of(last, run, false);
    return tokens > 0 ? tokens : run > 0;
}
