#include "multipart.h"

#include "utf8.h"
#include "json/json.h"

/* Names are shown in lists; what a form calls its parts beyond this is in the body. */
#define NAME_BYTES 1024

static struct str trim_blanks(struct str s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = str_from(s, 1);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* ---- parameters: ; name=value; name="quoted \" value" --------------------------------------- */

/* Take the text up to the next semicolon outside quotes off *rest. */
static struct str take_parameter(struct str *rest)
{
    bool quoted = false;
    struct str part;
    size_t i;

    for (i = 0; i < rest->len && (quoted || rest->ptr[i] != ';'); i++) {
        if (rest->ptr[i] == '"')
            quoted = !quoted;
        else if (quoted && rest->ptr[i] == '\\')
            i++;
    }
    if (i > rest->len)
        i = rest->len;
    part = str_cut(*rest, i);
    *rest = str_from(*rest, i + 1);
    return trim_blanks(part);
}

static struct str unquote(struct str value)
{
    if (value.len < 2 || value.ptr[0] != '"' || value.ptr[value.len - 1] != '"')
        return value;
    return (struct str){value.ptr + 1, value.len - 2};
}

/* The value of a parameter behind the first word of a header value, without quotes; STR_NONE when
 * there is none. Escapes inside quotes stay as they are: the result is borrowed. */
static struct str parameter(struct str header, struct str name)
{
    take_parameter(&header);
    while (header.len > 0) {
        struct str part = take_parameter(&header);
        ptrdiff_t equals = str_chr(part, '=');

        if (equals >= 0 && str_ieq(trim_blanks(str_cut(part, (size_t)equals)), name))
            return unquote(trim_blanks(str_from(part, (size_t)equals + 1)));
    }
    return STR_NONE;
}

struct str multipart_boundary(struct str content_type)
{
    struct str rest = content_type, boundary;

    if (!str_ieq(take_parameter(&rest), STR("multipart/form-data")))
        return STR_NONE;
    boundary = parameter(content_type, STR("boundary"));
    return boundary.len > 0 ? boundary : STR_NONE;
}

/* ---- delimiters --------------------------------------------------------------------------- */

enum after { AFTER_CONTENT, AFTER_PART, AFTER_END, AFTER_BROKEN };

/* What rest, the text behind "--boundary", makes of it; *skip is how much belongs to it. */
static enum after judge(struct str rest, size_t *skip)
{
    size_t i = 0;

    if (str_starts(rest, STR("--")))
        return AFTER_END;
    while (i < rest.len && (rest.ptr[i] == ' ' || rest.ptr[i] == '\t'))
        i++;
    if (str_starts(str_from(rest, i), STR("\r\n"))) {
        *skip = i + 2;
        return AFTER_PART;
    }
    return i > 0 ? AFTER_BROKEN : AFTER_CONTENT;
}

/* Find the next delimiter at or behind *rest: *before is the text in front of it, *rest what comes
 * behind. The line end in front belongs to it. first: none is needed at the very start. */
static enum after next_delimiter(struct str *rest, struct str boundary, bool first,
                                 struct str *before)
{
    struct str all = *rest, from = all;
    size_t skip = 0;

    for (;;) {
        bool start = first && from.ptr == all.ptr && str_starts(from, STR("--"));
        ptrdiff_t at = start ? 0 : str_find(from, STR("\r\n--"));
        struct str behind;

        if (at < 0)
            return AFTER_BROKEN;
        behind = str_from(from, (size_t)at + (start ? 2 : 4));
        first = false;
        if (str_starts(behind, boundary)) {
            enum after after = judge(str_from(behind, boundary.len), &skip);

            if (after != AFTER_CONTENT) {
                *before = (struct str){all.ptr, (size_t)(from.ptr - all.ptr) + (size_t)at};
                *rest = str_from(behind, boundary.len + skip);
                return after;
            }
        }
        from = start ? from : str_from(from, (size_t)at + 2);
    }
}

/* ---- parts -------------------------------------------------------------------------------- */

static void read_disposition(struct part *part, struct str value)
{
    struct str extended = parameter(value, STR("filename*")), charset, language;

    part->name = parameter(value, STR("name"));
    part->filename = parameter(value, STR("filename"));
    if (!part->filename.ptr && extended.ptr && str_split(&extended, '\'', &charset) &&
        str_split(&extended, '\'', &language) && extended.ptr)
        part->filename = extended;
}

static bool read_field(struct part *part, struct str line)
{
    ptrdiff_t colon = str_chr(line, ':');
    struct str name, value;

    if (colon <= 0)
        return false;
    name = trim_blanks(str_cut(line, (size_t)colon));
    value = trim_blanks(str_from(line, (size_t)colon + 1));
    if (str_ieq(name, STR("content-disposition")))
        read_disposition(part, value);
    else if (str_ieq(name, STR("content-type")) && value.len > 0)
        part->content_type = value;
    return true;
}

/* text is a part: fields, a blank line, the content. */
static bool read_part(struct part *part, struct str text)
{
    *part = (struct part){.name = STR_NONE};
    for (;;) {
        ptrdiff_t end = str_find(text, STR("\r\n"));
        struct str line;

        if (end < 0)
            return false;
        line = str_cut(text, (size_t)end);
        text = str_from(text, (size_t)end + 2);
        if (line.len == 0)
            break;
        if (!read_field(part, line))
            return false;
    }
    part->content = text;
    return true;
}

bool multipart_parse(struct str body, struct str boundary, struct multipart *out)
{
    struct str rest = body, text;
    struct part part;
    enum after after;

    out->count = 0;
    if (boundary.len == 0)
        return false;
    after = next_delimiter(&rest, boundary, true, &text);
    while (after == AFTER_PART) {
        after = next_delimiter(&rest, boundary, false, &text);
        if (after == AFTER_BROKEN || !read_part(&part, text))
            return false;
        if (out->count < MULTIPART_MAX_PARTS)
            out->parts[out->count++] = part;
    }
    return after == AFTER_END;
}

bool multipart_field(const struct multipart *m, struct str name, struct str *out)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct part *part = &m->parts[i];

        if (!part->filename.ptr && str_eq(part->name, name)) {
            *out = part->content;
            return true;
        }
    }
    return false;
}

static void put_text(struct buf *out, const char *key, struct str value)
{
    buf_printf(out, "\"%s\":", key);
    if (!value.ptr)
        buf_put(out, STR("null"));
    else
        json_quote(out, utf8_cut(value, NAME_BYTES));
    buf_put(out, STR(","));
}

void multipart_json(const struct multipart *m, struct buf *out)
{
    buf_put(out, STR("["));
    for (size_t i = 0; i < m->count; i++) {
        const struct part *part = &m->parts[i];

        buf_put(out, i ? STR(",{") : STR("{"));
        put_text(out, "name", part->name);
        put_text(out, "filename", part->filename);
        put_text(out, "content_type", part->content_type);
        buf_printf(out, "\"size\":%zu}", part->content.len);
    }
    buf_put(out, STR("]"));
}
