#include "quote.h"

#include <string.h>

/* Characters that end a word for readline, when they are not quoted. */
static bool is_break(char c)
{
    return c == '=' || c == ':';
}

void quote_remove(struct buf *out, struct str word, struct typed *typed)
{
    size_t start = out->len;

    *typed = (struct typed){0};
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        bool escaped = false;

        if (typed->quote ? c == typed->quote : c == '\'' || c == '"') {
            typed->quote = typed->quote ? '\0' : c;
            if (typed->quote)
                typed->kept = out->len - start;
            continue;
        }
        if (c == '\\' && typed->quote != '\'' && i + 1 < word.len &&
            (!typed->quote || strchr("\"\\$`", word.ptr[i + 1]))) {
            c = word.ptr[++i];
            escaped = true;
        }
        buf_put(out, (struct str){&c, 1});
        if (!typed->quote && !escaped && is_break(c))
            typed->kept = out->len - start;
    }
}

static void put(struct buf *out, char c, bool escape)
{
    if (escape)
        buf_put(out, STR("\\"));
    buf_put(out, (struct str){&c, 1});
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c < 0 ||
           strchr("_-./,:=+@%^", c);
}

void quote_add(struct buf *out, struct str text, char quote)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (quote == '\'' && c == '\'')
            buf_put(out, STR("'\\''"));
        else if (quote == '\'')
            put(out, c, false);
        else if (quote)
            put(out, c, strchr("\"\\$`", c) != NULL);
        else
            put(out, c, !is_plain(c));
    }
}
