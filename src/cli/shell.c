#include "shell.h"

#include <stdio.h>

#include "base/utf8.h"
#include "text/term.h"

#define SECRET STR("***")

static int put(struct buf *out, struct str s, struct err *err)
{
    return buf_add(out, s, err);
}

static int put_plain(struct buf *out, struct str s, struct err *err)
{
    struct str part;
    int rc = put(out, STR("'"), err);

    for (bool first = true; rc == 0 && str_split(&s, '\'', &part); first = false)
        if ((!first && put(out, STR("'\\''"), err) < 0) || put(out, part, err) < 0)
            rc = -1;
    return rc == 0 ? put(out, STR("'"), err) : -1;
}

static int put_bytes(struct buf *out, struct str bytes, struct err *err)
{
    char text[8];

    for (size_t i = 0; i < bytes.len; i++) {
        snprintf(text, sizeof(text), "\\x%02x", (unsigned char)bytes.ptr[i]);
        if (put(out, str_c(text), err) < 0)
            return -1;
    }
    return 0;
}

static int put_character(struct buf *out, struct str c, struct err *err)
{
    if (c.len == 1 && (c.ptr[0] == '\'' || c.ptr[0] == '\\') && put(out, STR("\\"), err) < 0)
        return -1;
    return term_is_plain(c) ? put(out, c, err) : put_bytes(out, c, err);
}

int shell_quote(struct buf *out, struct str s, struct err *err)
{
    size_t len;
    int rc;

    if (term_is_plain(s))
        return put_plain(out, s, err);
    rc = put(out, STR("$'"), err);
    for (; rc == 0 && s.len > 0; s = str_from(s, len)) {
        utf8_next(s, &len);
        rc = put_character(out, str_cut(s, len), err);
    }
    return rc == 0 ? put(out, STR("'"), err) : -1;
}

int shell_quote_variable(struct buf *out, struct str s, const char *variable, struct err *err)
{
    struct buf clean = {0};
    int rc = term_clean(&clean, s, 0, err);
    struct str rest = buf_str(&clean);

    if (rc == 0)
        rc = put(out, STR("\""), err);
    while (rc == 0 && rest.len > 0) {
        size_t n = 1;

        if (str_starts(rest, SECRET)) {
            n = SECRET.len;
            buf_printf(out, "$%s", variable);
        } else {
            if (strchr("\"\\$`", rest.ptr[0]))
                rc = put(out, STR("\\"), err);
            if (rc == 0)
                rc = put(out, str_cut(rest, 1), err);
        }
        rest = str_from(rest, n);
    }
    if (rc == 0)
        rc = put(out, STR("\""), err);
    buf_clear(&clean);
    return rc;
}
