#include "row.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "text/format.h"
#include "json/json_scan.h"

#define ROW_MEMBERS_MAX 4096 /* more than any answer has; the rest of a hostile one is not seen */

bool row_read(struct row *row, struct str text)
{
    struct json_iter it;

    row->text = text;
    row->count = 0;
    if (json_type_of(text) != JSON_OBJECT)
        return false;
    it = json_iter(text);
    while (row->count < ROW_MEMBERS_MAX && json_next(&it)) {
        if (row->count == row->cap) {
            row->cap = row->cap ? row->cap * 2 : 128;
            row->members = xrealloc(row->members, row->cap, sizeof(*row->members));
        }
        row->members[row->count++] = (struct row_member){it.key, it.value};
    }
    return true;
}

void row_clear(struct row *row)
{
    free(row->members);
    *row = (struct row){0};
}

bool row_get(const struct row *row, const char *path, struct str *value)
{
    struct str rest = str_c(path), part, found = STR_NONE;

    str_split(&rest, '.', &part);
    for (size_t i = row->count; i-- > 0 && !found.ptr;)
        if (str_eq(row->members[i].key, part))
            found = row->members[i].value;
    if (!found.ptr)
        return false;
    while (str_split(&rest, '.', &part))
        if (!json_member(found, part, &found))
            return false;
    if (json_type_of(found) == JSON_NULL)
        return false;
    *value = found;
    return true;
}

int64_t row_int(const struct row *row, const char *path)
{
    struct str value;
    int64_t n;
    ptrdiff_t dot;

    if (!row_get(row, path, &value) || json_type_of(value) != JSON_NUMBER)
        return ROW_UNKNOWN;
    dot = str_chr(value, '.');
    if (dot >= 0)
        value = str_cut(value, (size_t)dot);
    return str_int64(value, &n) ? n : ROW_UNKNOWN;
}

double row_number(const struct row *row, const char *path)
{
    char text[FORMAT_SIZE], *end;
    struct str value;
    double x;

    if (!row_get(row, path, &value))
        return (double)NAN;
    if (json_type_of(value) == JSON_STRING && value.len >= 2)
        value = (struct str){value.ptr + 1, value.len - 2};
    else if (json_type_of(value) != JSON_NUMBER)
        return (double)NAN;
    if (value.len == 0 || value.len >= sizeof(text))
        return (double)NAN;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    x = strtod(text, &end);
    return *end ? (double)NAN : x;
}

bool row_true(const struct row *row, const char *path)
{
    struct str value;

    return row_get(row, path, &value) && json_type_of(value) == JSON_TRUE;
}

bool value_text(struct str value, struct buf *out)
{
    char number[FORMAT_SIZE];
    struct err err;

    switch (json_type_of(value)) {
    case JSON_STRING:
        return json_string(value, out, &err) == 0;
    case JSON_NUMBER:
        return buf_add(out, value.len < FORMAT_SIZE ? str_c(format_decimal(number, value)) : value,
                       &err) == 0;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_TRUE:
    case JSON_FALSE:
        return buf_add(out, value, &err) == 0;
    case JSON_NULL:
    case JSON_INVALID:
        break;
    }
    return false;
}

bool row_text(const struct row *row, const char *path, struct buf *out)
{
    struct str value;

    return row_get(row, path, &value) && value_text(value, out);
}

int64_t row_time(const struct row *row, const char *path)
{
    struct str value;
    int64_t us;

    if (!row_get(row, path, &value) || json_type_of(value) != JSON_STRING || value.len < 2)
        return ROW_UNKNOWN;
    value = (struct str){value.ptr + 1, value.len - 2};
    return format_parse_iso(value, &us) ? us : ROW_UNKNOWN;
}

/* ---- spacing ---- */

static bool obeyed(int32_t c)
{
    return (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

/* Append the string that s starts with, and set *len to its length with quotes. */
static int put_string(struct buf *out, struct str s, size_t *len, struct err *err)
{
    size_t from = 0, i = 1;

    while (i < s.len && s.ptr[i] != '"') {
        unsigned char byte = (unsigned char)s.ptr[i];
        size_t size = 1;
        int32_t code = byte;
        char escape[8];

        if (byte == '\\') {
            i += 2;
            continue;
        }
        if (byte >= 0x80)
            code = utf8_next(str_from(s, i), &size);
        if (byte >= 0x7F && obeyed(code)) {
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)code & 0xFFFF);
            if (buf_add(out, (struct str){s.ptr + from, i - from}, err) < 0 ||
                buf_add(out, str_c(escape), err) < 0)
                return -1;
            from = i + size;
        }
        i += size;
    }
    *len = i < s.len ? i + 1 : s.len;
    return buf_add(out, (struct str){s.ptr + from, *len - from}, err);
}

static int put_line(struct buf *out, int indent, struct err *err)
{
    if (indent < 0)
        return 0;
    if (buf_add(out, STR("\n"), err) < 0)
        return -1;
    for (int i = 0; i < indent; i++)
        if (buf_add(out, STR("  "), err) < 0)
            return -1;
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int json_respace(struct buf *out, struct str json, int indent, struct err *err)
{
    bool pretty = indent >= 0, opened = false; /* opened: a bracket without anything in it yet */

    for (size_t i = 0, len = 1; i < json.len; i += len) {
        char c = json.ptr[i];
        int rc = 0;

        len = 1;
        if (is_blank(c))
            continue;
        if (c == '}' || c == ']') {
            indent -= pretty;
            if (!opened)
                rc = put_line(out, indent, err);
            opened = false;
        } else if (opened) {
            rc = put_line(out, indent, err);
            opened = false;
        }
        if (rc == 0)
            rc = c == '"' ? put_string(out, str_from(json, i), &len, err)
                          : buf_add(out, (struct str){json.ptr + i, 1}, err);
        if (c == '{' || c == '[') {
            indent += pretty;
            opened = true;
        }
        if (rc == 0 && c == ',')
            rc = put_line(out, indent, err);
        if (rc == 0 && c == ':' && pretty)
            rc = buf_add(out, STR(" "), err);
        if (rc < 0)
            return -1;
    }
    return 0;
}
