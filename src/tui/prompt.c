#include "prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "keys.h"

static void set_text(struct prompt *p, struct str text)
{
    buf_cut(&p->text, 0);
    buf_put(&p->text, str_cut(text, PROMPT_MAX));
    p->cursor = p->text.len;
}

void prompt_open(struct prompt *p, enum prompt_kind kind, struct str text, const char *note)
{
    p->kind = kind;
    set_text(p, text);
    p->place = p->histories[kind].count;
    p->error[0] = '\0';
    snprintf(p->note, sizeof(p->note), "%s", note);
}

static void remember(struct history *h, struct str text)
{
    if (text.len == 0 || (h->count > 0 && str_eq(str_c(h->lines[h->count - 1]), text)))
        return;
    if (h->count == HISTORY_MAX) {
        free(h->lines[0]);
        memmove(h->lines, h->lines + 1, (HISTORY_MAX - 1) * sizeof(h->lines[0]));
        h->count--;
    }
    h->lines[h->count] = str_dup(text);
    h->count += h->lines[h->count] != NULL;
}

void prompt_close(struct prompt *p, bool accepted)
{
    if (accepted)
        remember(&p->histories[p->kind], buf_str(&p->text));
    p->kind = PROMPT_NONE;
}

void prompt_clear(struct prompt *p)
{
    for (size_t k = 0; k < PROMPT_KINDS; k++)
        for (size_t i = 0; i < p->histories[k].count; i++)
            free(p->histories[k].lines[i]);
    buf_clear(&p->text);
    *p = (struct prompt){0};
}

/* ---- editing ---- */

static bool inside_character(const struct prompt *p, size_t at)
{
    return at < p->text.len && ((unsigned char)p->text.ptr[at] & 0xC0) == 0x80;
}

static void left(struct prompt *p)
{
    do
        p->cursor -= p->cursor > 0;
    while (inside_character(p, p->cursor) && p->cursor > 0);
}

static void right(struct prompt *p)
{
    do
        p->cursor += p->cursor < p->text.len;
    while (inside_character(p, p->cursor));
}

/* Take the bytes between from and the cursor out. */
static void cut(struct prompt *p, size_t from, size_t to)
{
    memmove(p->text.ptr + from, p->text.ptr + to, p->text.len - to);
    buf_cut(&p->text, p->text.len - (to - from));
    p->cursor = from;
}

static void erase_before(struct prompt *p)
{
    size_t to = p->cursor;

    left(p);
    if (to > 0)
        cut(p, p->cursor, to);
}

static void erase_under(struct prompt *p)
{
    size_t from = p->cursor;

    right(p);
    if (p->cursor > from)
        cut(p, from, p->cursor);
}

static void erase_word(struct prompt *p)
{
    size_t from = p->cursor;

    while (from > 0 && p->text.ptr[from - 1] == ' ')
        from--;
    while (from > 0 && p->text.ptr[from - 1] != ' ')
        from--;
    if (from < p->cursor)
        cut(p, from, p->cursor);
}

static bool insert(struct prompt *p, int code)
{
    char bytes[4];
    size_t len;

    if (code < 0x20 || code == 0x7F || code > 0x10FFFF || wcwidth((wchar_t)code) < 0)
        return false;
    len = utf8_encode(code, bytes);
    if (p->text.len + len > PROMPT_MAX)
        return true;
    buf_put(&p->text, (struct str){bytes, len});
    memmove(p->text.ptr + p->cursor + len, p->text.ptr + p->cursor, p->text.len - p->cursor - len);
    memcpy(p->text.ptr + p->cursor, bytes, len);
    p->cursor += len;
    return true;
}

/* Another line of the history; beyond the last one an empty line. */
static enum prompt_result recall(struct prompt *p, bool older)
{
    const struct history *h = &p->histories[p->kind];

    if (older ? p->place == 0 : p->place >= h->count)
        return PROMPT_MOVED;
    p->place = older ? p->place - 1 : p->place + 1;
    set_text(p, p->place < h->count ? str_c(h->lines[p->place]) : STR(""));
    return PROMPT_EDITED;
}

enum prompt_result prompt_key(struct prompt *p, int code)
{
    size_t len = p->text.len;

    switch (code) {
    case K_ENTER:
    case '\n':
        return PROMPT_ACCEPTED;
    case K_ESCAPE:
    case K_CTRL_C:
        return PROMPT_CLOSED;
    case K_LEFT:
        left(p);
        return PROMPT_MOVED;
    case K_RIGHT:
        right(p);
        return PROMPT_MOVED;
    case K_HOME:
        p->cursor = 0;
        return PROMPT_MOVED;
    case K_END:
        p->cursor = p->text.len;
        return PROMPT_MOVED;
    case K_UP:
    case K_DOWN:
        return recall(p, code == K_UP);
    case K_BACKSPACE:
        if (len == 0)
            return PROMPT_CLOSED;
        erase_before(p);
        break;
    case K_DELETE:
        erase_under(p);
        break;
    case K_CTRL_W:
        erase_word(p);
        break;
    case K_CTRL_U:
        if (p->cursor > 0)
            cut(p, 0, p->cursor);
        break;
    default:
        if (!insert(p, code))
            return PROMPT_IGNORED;
        break;
    }
    return p->text.len != len ? PROMPT_EDITED : PROMPT_MOVED;
}
