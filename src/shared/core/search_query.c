/* Words as people type them, and text as the index takes it. */
#include "base/utf8.h"
#include "core/search.h"

#define TYPED_MAX 4096
#define TERMS_MAX 64

struct range {
    int32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t count, int32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}
#define IN(ranges, c) in_ranges(ranges, sizeof(ranges) / sizeof(*ranges), c)

/* Controls, line ends, what turns the direction of text or cannot be seen. */
static bool is_hidden(int32_t c)
{
    static const struct range ranges[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200b, 0x200b}, {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffc}, {0xe0000, 0xe0fff}};

    return c < 0 || IN(ranges, c);
}

/* A word by itself: scripts without blanks between words, symbols, emoji. */
static bool is_own_word(int32_t c)
{
    static const struct range ranges[] = {
        {0xa9, 0xa9},     {0xae, 0xae},     {0xb0, 0xb0},       {0x2122, 0x2122},  {0x2190, 0x2bff},
        {0x2e80, 0x2fdf}, {0x3040, 0x30ff}, {0x3105, 0x312f},   {0x3400, 0x4dbf},  {0x4e00, 0x9fff},
        {0xac00, 0xd7af}, {0xf900, 0xfaff}, {0x1f000, 0x1fbff}, {0x20000, 0x3ffff}};

    return c >= 0xa9 && IN(ranges, c);
}

/* Not only punctuation. */
static bool is_word(int32_t c)
{
    static const struct range marks[] = {
        {0x80, 0xa9},     {0xab, 0xb1},     {0xb4, 0xb4},     {0xb6, 0xb8},     {0xbb, 0xbb},
        {0xbf, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},     {0x2000, 0x206f}, {0x20a0, 0x20cf},
        {0x3000, 0x3003}, {0x3008, 0x3020}, {0x3030, 0x3030}, {0xfe00, 0xfe6f}, {0xff01, 0xff0f},
        {0xff1a, 0xff20}, {0xff3b, 0xff40}, {0xff5b, 0xff65}};

    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    return is_own_word(c) || !IN(marks, c);
}

static int add_char(struct buf *out, struct str bytes, int32_t c, struct err *err)
{
    static const char separator = SEARCH_SEPARATOR;
    bool own = is_own_word(c);
    char last = out->len > 0 ? out->ptr[out->len - 1] : ' ';

    if (is_hidden(c))
        return buf_add(out, STR(" "), err);
    if (own && last != separator && last != ' ' &&
        buf_add(out, (struct str){&separator, 1}, err) < 0)
        return -1;
    if (buf_add(out, bytes, err) < 0)
        return -1;
    return own ? buf_add(out, (struct str){&separator, 1}, err) : 0;
}

static size_t plain_run(struct str s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] >= 0x20 && s.ptr[n] < 0x7f)
        n++;
    return n;
}

static int clean(struct str text, struct buf *out, struct err *err)
{
    while (text.len > 0) {
        size_t len = plain_run(text);
        int rc;

        if (len > 0) {
            rc = buf_add(out, str_cut(text, len), err);
        } else {
            int32_t c = utf8_next(text, &len);

            rc = add_char(out, str_cut(text, len), c, err);
        }
        if (rc < 0)
            return -1;
        text = str_from(text, len);
    }
    return 0;
}

int search_clean(struct str text, struct buf *out, struct err *err)
{
    size_t half = SEARCH_TEXT_MAX / 2, tail;

    if (text.len <= SEARCH_TEXT_MAX)
        return clean(text, out, err);
    tail = text.len - half;
    while (tail < text.len && ((unsigned char)text.ptr[tail] & 0xc0) == 0x80)
        tail++;
    if (clean(utf8_cut(text, half), out, err) < 0 || buf_add(out, STR(" \xe2\x80\xa6 "), err) < 0)
        return -1;
    return clean(str_from(text, tail), out, err);
}

/* ---- what is typed ---- */

struct term {
    struct str text;
    bool unwanted, prefix;
};

/* Take the next term off *rest. */
static bool next_term(struct str *rest, struct term *term)
{
    size_t len = 0;
    bool quoted;

    while (rest->len > 0 && rest->ptr[0] == ' ')
        *rest = str_from(*rest, 1);
    *term = (struct term){.unwanted = rest->len > 1 && rest->ptr[0] == '-'};
    if (term->unwanted)
        *rest = str_from(*rest, 1);
    quoted = rest->len > 0 && rest->ptr[0] == '"';
    if (quoted)
        *rest = str_from(*rest, 1);
    while (len < rest->len && rest->ptr[len] != (quoted ? '"' : ' '))
        len++;
    term->text = str_cut(*rest, len);
    *rest = str_from(*rest, len);
    if (quoted)
        *rest = str_from(*rest, 1);
    if (quoted && rest->len > 0 && rest->ptr[0] == '*') {
        term->prefix = true;
        *rest = str_from(*rest, 1);
    } else if (!quoted && str_ends(term->text, STR("*"))) {
        term->prefix = true;
    }
    return term->text.len > 0 || rest->len > 0;
}

static bool has_word(struct str text)
{
    size_t len;

    for (; text.len > 0; text = str_from(text, len))
        if (is_word(utf8_next(text, &len)))
            return true;
    return false;
}

/* A quoted string of FTS5 can hold anything; its own quotes are doubled. */
static int put_term(struct buf *out, const struct term *term, struct err *err)
{
    struct str rest = term->text, part;

    if (buf_add(out, STR("\""), err) < 0)
        return -1;
    for (bool first = true; str_split(&rest, '"', &part); first = false)
        if ((!first && buf_add(out, STR("\"\""), err) < 0) || buf_add(out, part, err) < 0)
            return -1;
    return buf_add(out, term->prefix ? STR("\" *") : STR("\""), err);
}

/* The wanted terms, or those that are not. *count is how many. */
static int put_terms(struct buf *out, struct str typed, bool unwanted, struct str between,
                     size_t *count, struct err *err)
{
    struct term term;

    *count = 0;
    while (next_term(&typed, &term)) {
        if (term.unwanted != unwanted || !has_word(term.text))
            continue;
        if (++*count > TERMS_MAX)
            return err_set(err, ERR_INVALID, "q has more than %d words", TERMS_MAX);
        if ((*count > 1 && buf_add(out, between, err) < 0) || put_term(out, &term, err) < 0)
            return -1;
    }
    return 0;
}

static int put_query(struct buf *out, struct str typed, enum search_join join, struct err *err)
{
    struct str between = join == SEARCH_ALL ? STR(" AND ") : STR(" OR ");
    size_t count, before;

    if (buf_add(out, STR("("), err) < 0 || put_terms(out, typed, false, between, &count, err) < 0 ||
        buf_add(out, STR(")"), err) < 0)
        return -1;
    if (count == 0)
        return err_set(err, ERR_INVALID,
                       "q has no word to look for: give words, \"a phrase\" or the start of a "
                       "word*, and -word for what must not be there");
    if (join == SEARCH_ANY)
        return 0;
    before = out->len;
    if (buf_add(out, STR(" NOT ("), err) < 0 ||
        put_terms(out, typed, true, STR(" OR "), &count, err) < 0 ||
        buf_add(out, STR(")"), err) < 0)
        return -1;
    if (count == 0)
        buf_cut(out, before);
    return 0;
}

int search_query(struct str typed, enum search_join join, struct buf *out, struct err *err)
{
    struct buf cleaned = {0};
    size_t before = out->len;
    int rc;

    if (typed.len > TYPED_MAX)
        return err_set(err, ERR_INVALID, "q is longer than %d bytes", TYPED_MAX);
    rc = clean(typed, &cleaned, err);
    if (rc == 0)
        rc = put_query(out, buf_str(&cleaned), join, err);
    if (rc < 0)
        buf_cut(out, before);
    buf_clear(&cleaned);
    return rc;
}
