#include "page.h"

#include <stdarg.h>
#include <stdio.h>

#include "text/term.h"

void page_init(struct page *p, struct out *out, struct err *err)
{
    *p = (struct page){.out = out, .err = err, .flags = out->flags};
    if (out->color)
        p->flags |= TERM_DIM;
}

void page_clear(struct page *p)
{
    buf_clear(&p->text);
    buf_clear(&p->scratch);
}

int page_print(struct page *p)
{
    return p->failed ? -1 : out_text(p->out, buf_str(&p->text), p->err);
}

void page_put(struct page *p, const char *own)
{
    if (!p->failed && buf_add(&p->text, str_c(own), p->err) < 0)
        p->failed = true;
}

void page_putf(struct page *p, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    page_put(p, text);
}

void page_bold(struct page *p, const char *own)
{
    page_put(p, p->out->color ? "\x1b[1m" : "");
    page_put(p, own);
    page_put(p, p->out->color ? "\x1b[0m" : "");
}

void page_clean(struct page *p, struct str text, unsigned flags)
{
    if (!p->failed && term_clean(&p->text, text, p->flags | flags, p->err) < 0)
        p->failed = true;
}

bool page_text(struct page *p, const struct row *row, const char *path, unsigned flags)
{
    p->scratch.len = 0;
    if (!row_text(row, path, &p->scratch) || p->scratch.len == 0)
        return false;
    page_clean(p, buf_str(&p->scratch), flags);
    return true;
}

bool page_member(struct page *p, const struct row *row, const char *path)
{
    return page_text(p, row, path, 0);
}
