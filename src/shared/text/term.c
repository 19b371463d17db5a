#include "term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <wchar.h>

#include "utf8.h"

#define TAB_WIDTH 8
#define MARKS_MAX 8 /* marks on one base character */

/* What becomes of one code point. */
enum class {
    PLAIN,   /* shown as it is */
    MARK,    /* takes no cell, belongs to the character before */
    JOINER,  /* ZWJ or a variation selector: the same, at most one of each */
    HARMFUL, /* shown as an escape */
};

/* U+061C, U+200E-F, U+202A-E and U+2066-9 reorder text; U+200B, U+FEFF and the tags hide it;
 * U+2028-9 break lines. Private-use code points may be drawn as anything. */
static bool is_listed(int32_t c)
{
    return (c >= 0x80 && c <= 0x9F) || c == 0x061C || c == 0x200B || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF ||
           (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xE0000 && c <= 0xE007F) || c >= 0xF0000;
}

static bool is_selector(int32_t c)
{
    return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

static enum class classify(int32_t c, int *width) {
        *width = 0; if (is_listed(c)) return HARMFUL;
        if (c == 0x200D || is_selector(c)) return JOINER;
        *width = wcwidth((wchar_t)c);
        if (*width < 0) return HARMFUL;
        return *width == 0 ? MARK : PLAIN;
}

struct cleaner {
    struct buf *out;
    unsigned flags;
    size_t column; /* cells since the line began */
    unsigned marks;
    bool base;             /* the last thing was a visible character that marks may follow */
    bool joined, selected; /* it has a ZWJ, a variation selector */
    bool dim;
    struct err *err;
};

static int undim(struct cleaner *c)
{
    if (!c->dim)
        return 0;
    c->dim = false;
    return buf_add(c->out, STR("\x1b[22m"), c->err);
}

static int put_escape(struct cleaner *c, const char *text)
{
    c->base = false;
    c->column += strlen(text);
    if ((c->flags & TERM_DIM) && !c->dim) {
        c->dim = true;
        if (buf_add(c->out, STR("\x1b[2m"), c->err) < 0)
            return -1;
    }
    return buf_add(c->out, str_c(text), c->err);
}

static int put_visible(struct cleaner *c, struct str text, size_t width)
{
    c->base = true;
    c->joined = c->selected = false;
    c->marks = 0;
    c->column += width;
    if (undim(c) < 0)
        return -1;
    return buf_add(c->out, text, c->err);
}

static int put_byte_escape(struct cleaner *c, unsigned char byte)
{
    char text[8];

    snprintf(text, sizeof(text), "\\x%02X", byte);
    return put_escape(c, text);
}

static int put_code_escape(struct cleaner *c, int32_t code)
{
    char text[16];

    snprintf(text, sizeof(text), "\\u{%04X}", (unsigned)code);
    return put_escape(c, text);
}

static int put_newline(struct cleaner *c)
{
    c->base = false;
    c->column = 0;
    if (undim(c) < 0)
        return -1;
    return buf_add(c->out, STR("\n"), c->err);
}

static int put_control(struct cleaner *c, unsigned char byte, struct str rest, size_t *used)
{
    bool lines = c->flags & TERM_MULTILINE;

    *used = 1;
    switch (byte) {
    case '\n':
        return lines ? put_newline(c) : put_escape(c, "\\n");
    case '\t':
        return lines ? put_visible(c, (struct str){"        ", TAB_WIDTH - c->column % TAB_WIDTH},
                                   TAB_WIDTH - c->column % TAB_WIDTH)
                     : put_escape(c, "\\t");
    case '\r':
        if (lines && rest.len > 0 && rest.ptr[0] == '\n') {
            *used = 2;
            return put_newline(c);
        }
        return put_escape(c, "\\r");
    case 0x1B:
        return put_escape(c, "\\e");
    default:
        return put_byte_escape(c, byte);
    }
}

static int put_wide(struct cleaner *c, struct str text, int32_t code)
{
    int width;
    bool *have = code == 0x200D ? &c->joined : &c->selected;

    switch (classify(code, &width)) {
    case JOINER:
        if (!c->base || *have)
            return put_code_escape(c, code);
        *have = true;
        return c->flags & TERM_ASCII ? 0 : buf_add(c->out, text, c->err);
    case MARK:
        if (!c->base || c->marks == MARKS_MAX)
            break;
        c->marks++;
        return c->flags & TERM_ASCII ? 0 : buf_add(c->out, text, c->err);
    case PLAIN:
        return c->flags & TERM_ASCII ? put_visible(c, STR("?"), 1)
                                     : put_visible(c, text, (size_t)width);
    case HARMFUL:
        if ((c->flags & TERM_ASCII) && !is_listed(code)) /* unassigned, or unknown to the locale */
            return put_visible(c, STR("?"), 1);
        break;
    }
    return put_code_escape(c, code);
}

static bool is_ascii_text(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '\\';
}

int term_clean(struct buf *out, struct str s, unsigned flags, struct err *err)
{
    struct cleaner c = {.out = out, .flags = flags, .err = err};

    while (s.len > 0) {
        unsigned char byte = (unsigned char)s.ptr[0];
        size_t used = 0;
        int32_t code;
        int rc;

        while (used < s.len && is_ascii_text((unsigned char)s.ptr[used]))
            used++;
        if (used > 0) {
            rc = put_visible(&c, str_cut(s, used), used);
        } else if (byte == '\\') {
            used = 1;
            rc = put_visible(&c, flags & TERM_BACKSLASH ? STR("\\\\") : STR("\\"),
                             flags & TERM_BACKSLASH ? 2 : 1);
        } else if (byte < 0x20) {
            rc = put_control(&c, byte, str_from(s, 1), &used);
        } else if (byte == 0x7F) {
            used = 1;
            rc = put_byte_escape(&c, byte);
        } else {
            code = utf8_next(s, &used);
            rc = 0;
            for (size_t i = 0; code < 0 && i < used && rc == 0; i++)
                rc = put_byte_escape(&c, (unsigned char)s.ptr[i]);
            if (code >= 0)
                rc = put_wide(&c, str_cut(s, used), code);
        }
        if (rc < 0)
            return -1;
        s = str_from(s, used);
    }
    return undim(&c);
}

bool term_is_plain(struct str s)
{
    while (s.len > 0) {
        unsigned char byte = (unsigned char)s.ptr[0];
        size_t used = 1;
        int width;

        if (byte < 0x20 ? byte != '\n' && byte != '\t' : byte == 0x7F)
            return false;
        if (byte >= 0x80) {
            int32_t code = utf8_next(s, &used);

            if (code < 0 || classify(code, &width) == HARMFUL)
                return false;
        }
        s = str_from(s, used);
    }
    return true;
}

bool term_is_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    bool utf8;

    if (!locale)
        return false;
    utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return utf8;
}

void term_start(void)
{
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* The cells of the code point at s, which is cleaned text: 0, 1 or 2. */
static size_t cells_of(struct str s, size_t *len)
{
    int32_t code;
    int width;

    *len = 1;
    if ((unsigned char)s.ptr[0] < 0x80)
        return 1;
    code = utf8_next(s, len);
    classify(code < 0 ? '?' : code, &width);
    return width > 0 ? (size_t)width : 0;
}

size_t term_next(struct str clean, size_t max, size_t *cells)
{
    size_t at, len;

    *cells = cells_of(clean, &at);
    while (at < clean.len && (unsigned char)clean.ptr[at] >= 0x80) {
        int32_t code = utf8_next(str_from(clean, at), &len);
        int width;

        if (at + len > max || code < 0 || classify(code, &width) != MARK)
            break;
        at += len;
    }
    return at;
}

size_t term_cells(struct str clean)
{
    size_t cells = 0, len;

    for (; clean.len > 0; clean = str_from(clean, len))
        cells += cells_of(clean, &len);
    return cells;
}

int term_blanks(struct buf *out, size_t n, struct err *err)
{
    static const char blanks[] = "                                ";

    while (n > 0) {
        size_t part = n < sizeof(blanks) - 1 ? n : sizeof(blanks) - 1;

        if (buf_add(out, (struct str){blanks, part}, err) < 0)
            return -1;
        n -= part;
    }
    return 0;
}

/* The longest start of s within max cells, with the marks of its last character. */
static struct str fitting(struct str s, size_t max, size_t *cells)
{
    size_t at = 0, len;

    *cells = 0;
    while (at < s.len) {
        size_t width = cells_of(str_from(s, at), &len);

        if (*cells + width > max)
            break;
        *cells += width;
        at += len;
    }
    return str_cut(s, at);
}

int term_fit(struct buf *out, struct str clean, size_t width, bool right, unsigned flags,
             struct err *err)
{
    size_t cells;
    struct str part = fitting(clean, width, &cells);

    if (width == 0)
        return 0;
    if (part.len == clean.len) {
        if (right && term_blanks(out, width - cells, err) < 0)
            return -1;
        if (buf_add(out, part, err) < 0)
            return -1;
        return right ? 0 : term_blanks(out, width - cells, err);
    }
    part = fitting(clean, width - 1, &cells);
    if (buf_add(out, part, err) < 0 || term_blanks(out, width - 1 - cells, err) < 0)
        return -1;
    return buf_add(out, flags & TERM_ASCII ? STR("+") : STR("…"), err);
}
