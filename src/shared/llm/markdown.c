#include "markdown.h"

#include <md4c.h>
#include <stdio.h>

/* References can be expanded into far more than was written. */
#define GROWTH(bytes) (16 * (bytes) + ((size_t)64 << 10))
#define FLAGS (MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH)

/* Spans that are open deeper are text. */
#define MAX_SPANS 64

struct span {
    MD_SPANTYPE type;
    const char *tag; /* NULL: shown as its text */
};

/* The parser may leave spans that it did not enter; those that are open are known here. */
struct page {
    struct buf *out;
    struct err *err;
    struct span open[MAX_SPANS];
    size_t depth;
    bool linked; /* one of them is a link; links do not nest */
};

static int put(struct page *p, struct str text)
{
    return buf_add(p->out, text, p->err);
}

static struct str escape_of(char c)
{
    switch (c) {
    case '&':
        return STR("&amp;");
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '"':
        return STR("&quot;");
    case '\'':
        return STR("&#39;");
    default:
        return STR_NONE;
    }
}

static int put_escaped(struct page *p, struct str text)
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        struct str escape = escape_of(text.ptr[i]);

        if (!escape.ptr)
            continue;
        if (put(p, (struct str){text.ptr + from, i - from}) < 0 || put(p, escape) < 0)
            return -1;
        from = i + 1;
    }
    return put(p, str_from(text, from));
}

/* ---- links -------------------------------------------------------------------------------- */

/* What is escaped in the source (an entity) is not looked into: it cannot be a part of a scheme. */
static bool may_link(const MD_ATTRIBUTE *url)
{
    static const struct str schemes[] = {STR("http://"), STR("https://"), STR("mailto:")};
    struct str text = {url->text, url->size};

    if (!url->text || url->size == 0 || url->substr_types[0] != MD_TEXT_NORMAL)
        return false;
    text = str_cut(text, url->substr_offsets[1]);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (str_istarts(text, schemes[i]))
            return true;
    return false;
}

static int put_url_bytes(struct page *p, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        char coded[] = {'%', digits[c >> 4], digits[c & 15]};

        if (c > ' ' && c != 0x7F)
            continue;
        if (put_escaped(p, (struct str){text.ptr + from, i - from}) < 0 ||
            put(p, (struct str){coded, sizeof(coded)}) < 0)
            return -1;
        from = i + 1;
    }
    return put_escaped(p, str_from(text, from));
}

static int put_url(struct page *p, const MD_ATTRIBUTE *url)
{
    for (size_t i = 0; url->substr_offsets[i] < url->size; i++) {
        struct str part = {url->text + url->substr_offsets[i],
                           url->substr_offsets[i + 1] - url->substr_offsets[i]};
        int rc = url->substr_types[i] == MD_TEXT_ENTITY ? put(p, part) : put_url_bytes(p, part);

        if (rc < 0)
            return -1;
    }
    return 0;
}

static int put_link(struct page *p, const MD_ATTRIBUTE *url)
{
    p->linked = true;
    if (put(p, STR("<a href=\"")) < 0 || put_url(p, url) < 0)
        return -1;
    return put(p, STR("\" rel=\"noopener noreferrer\">"));
}

/* ---- blocks and spans --------------------------------------------------------------------- */

static const char *tag_of_block(MD_BLOCKTYPE type)
{
    static const char *const tags[] = {
        [MD_BLOCK_QUOTE] = "blockquote",
        [MD_BLOCK_UL] = "ul",
        [MD_BLOCK_OL] = "ol",
        [MD_BLOCK_LI] = "li",
        [MD_BLOCK_P] = "p",
        [MD_BLOCK_TABLE] = "table",
        [MD_BLOCK_THEAD] = "thead",
        [MD_BLOCK_TBODY] = "tbody",
        [MD_BLOCK_TR] = "tr",
        [MD_BLOCK_TH] = "th",
        [MD_BLOCK_TD] = "td",
    };

    return (size_t)type < sizeof(tags) / sizeof(*tags) ? tags[type] : NULL;
}

static const char *tag_of_span(MD_SPANTYPE type)
{
    switch (type) {
    case MD_SPAN_EM:
        return "em";
    case MD_SPAN_STRONG:
        return "strong";
    case MD_SPAN_CODE:
        return "code";
    case MD_SPAN_DEL:
        return "del";
    default:
        return NULL;
    }
}

static int put_tag(struct page *p, const char *tag, bool open)
{
    if (!tag)
        return 0;
    if (put(p, open ? STR("<") : STR("</")) < 0 || put(p, str_c(tag)) < 0)
        return -1;
    return put(p, STR(">"));
}

/* Close what is open above depth. */
static int close_spans(struct page *p, size_t depth)
{
    while (p->depth > depth) {
        const struct span *span = &p->open[--p->depth];

        if (span->type == MD_SPAN_A || span->type == MD_SPAN_IMG)
            p->linked = p->linked && !span->tag;
        if (put_tag(p, span->tag, false) < 0)
            return -1;
    }
    return 0;
}

static int put_heading(struct page *p, const MD_BLOCK_H_DETAIL *h, bool open)
{
    const char tag[] = {'h', (char)('0' + (h->level >= 1 && h->level <= 6 ? h->level : 6)), '\0'};

    return put_tag(p, tag, open);
}

static int put_list_start(struct page *p, const MD_BLOCK_OL_DETAIL *list)
{
    char tag[40];

    if (list->start == 1)
        return put(p, STR("<ol>\n"));
    snprintf(tag, sizeof(tag), "<ol start=\"%u\">\n", list->start);
    return put(p, str_c(tag));
}

static bool holds_blocks(MD_BLOCKTYPE type)
{
    return type == MD_BLOCK_QUOTE || type == MD_BLOCK_UL || type == MD_BLOCK_TABLE ||
           type == MD_BLOCK_THEAD || type == MD_BLOCK_TBODY || type == MD_BLOCK_TR;
}

static int on_enter_block(MD_BLOCKTYPE type, void *detail, void *ctx)
{
    struct page *p = ctx;

    if (close_spans(p, 0) < 0)
        return -1;
    switch (type) {
    case MD_BLOCK_HR:
        return put(p, STR("<hr>\n"));
    case MD_BLOCK_H:
        return put_heading(p, detail, true);
    case MD_BLOCK_CODE:
        return put(p, STR("<pre><code>"));
    case MD_BLOCK_OL:
        return put_list_start(p, detail);
    default:
        if (put_tag(p, tag_of_block(type), true) < 0)
            return -1;
        return holds_blocks(type) ? put(p, STR("\n")) : 0;
    }
}

static int on_leave_block(MD_BLOCKTYPE type, void *detail, void *ctx)
{
    struct page *p = ctx;

    if (close_spans(p, 0) < 0)
        return -1;
    switch (type) {
    case MD_BLOCK_DOC:
    case MD_BLOCK_HR:
        return 0;
    case MD_BLOCK_H:
        if (put_heading(p, detail, false) < 0)
            return -1;
        return put(p, STR("\n"));
    case MD_BLOCK_CODE:
        return put(p, STR("</code></pre>\n"));
    default:
        if (put_tag(p, tag_of_block(type), false) < 0)
            return -1;
        return put(p, STR("\n"));
    }
}

static int on_enter_span(MD_SPANTYPE type, void *detail, void *ctx)
{
    struct page *p = ctx;
    struct span span = {type, tag_of_span(type)};
    const MD_ATTRIBUTE *url = NULL;

    if (p->depth == MAX_SPANS)
        return 0;
    if (type == MD_SPAN_A)
        url = &((const MD_SPAN_A_DETAIL *)detail)->href;
    else if (type == MD_SPAN_IMG)
        url = &((const MD_SPAN_IMG_DETAIL *)detail)->src;
    if (url && !p->linked && may_link(url))
        span.tag = "a";
    p->open[p->depth++] = span;
    return url && span.tag ? put_link(p, url) : put_tag(p, span.tag, true);
}

static int on_leave_span(MD_SPANTYPE type, void *detail, void *ctx)
{
    struct page *p = ctx;
    size_t at = p->depth;

    (void)detail;
    while (at > 0 && p->open[at - 1].type != type)
        at--;
    return at > 0 ? close_spans(p, at - 1) : 0;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *ctx)
{
    struct page *p = ctx;

    switch (type) {
    case MD_TEXT_NULLCHAR:
        return put(p, STR("\xEF\xBF\xBD"));
    case MD_TEXT_BR:
        return put(p, STR("<br>\n"));
    case MD_TEXT_SOFTBR:
        return put(p, STR("\n"));
    case MD_TEXT_ENTITY: /* "&" name or number ";" and nothing else */
        return put(p, (struct str){text, size});
    default:
        return put_escaped(p, (struct str){text, size});
    }
}

int markdown_html(struct buf *out, struct str text, struct err *err)
{
    static const MD_PARSER parser = {
        .flags = FLAGS,
        .enter_block = on_enter_block,
        .leave_block = on_leave_block,
        .enter_span = on_enter_span,
        .leave_span = on_leave_span,
        .text = on_text,
    };
    struct buf html = {.limit = GROWTH(text.len)};
    struct page p = {.out = &html, .err = err};
    int rc;

    if (text.len > MARKDOWN_MAX_BYTES)
        return err_set(err, ERR_TOO_LARGE, "Markdown of %zu bytes", text.len);
    *err = (struct err){.code = ERR_NO_MEMORY};
    rc = md_parse(text.ptr, (MD_SIZE)text.len, &parser, &p) == 0 ? 0 : -1;
    if (rc == 0)
        rc = buf_add(out, buf_str(&html), err);
    buf_clear(&html);
    return rc;
}
