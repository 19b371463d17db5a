/* The text of a parameter as the JSON value that its schema asks for. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "llm/fix_priv.h"

enum kind { TEXT, INTEGER, NUMBER, BOOLEAN, OBJECT, ARRAY, NULL_TYPE, OTHER };

static enum kind kind_of(struct str type)
{
    static const struct {
        const char *name;
        enum kind kind;
    } kinds[] = {{"string", TEXT},   {"integer", INTEGER}, {"number", NUMBER}, {"boolean", BOOLEAN},
                 {"object", OBJECT}, {"array", ARRAY},     {"null", NULL_TYPE}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (json_type_of(type) == JSON_STRING && json_string_is(type, str_c(kinds[i].name)))
            return kinds[i].kind;
    return OTHER;
}

/* What the schema says. *nullable: null is allowed, and text is not. */
static enum kind wanted(struct str schema, bool *nullable)
{
    enum kind kind = OTHER, one;
    bool null = false, text = false;
    size_t count = 0;
    struct json_iter it;
    struct str type;

    *nullable = false;
    if (!schema.ptr || !json_member(schema, STR("type"), &type))
        return TEXT;
    if (json_type_of(type) != JSON_ARRAY)
        return kind_of(type);
    it = json_iter(type);
    while (json_next(&it)) {
        one = kind_of(it.value);
        null = null || one == NULL_TYPE;
        text = text || one == TEXT;
        if (one != NULL_TYPE && count++ == 0)
            kind = one;
    }
    *nullable = null && !text;
    return count == 1 ? kind : TEXT;
}

static int complain(struct buf *why, struct str name, const char *what)
{
    buf_printf(why, "Parameter '%.*s' is not %s.", STR_ARG(name), what);
    return 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(struct str s)
{
    size_t n = 0;

    while (n < s.len && is_digit(s.ptr[n]))
        n++;
    return n;
}

static struct str without_sign(struct str s)
{
    return str_from(s, s.len > 0 && (s.ptr[0] == '+' || s.ptr[0] == '-'));
}

static bool is_integer(struct str s)
{
    s = without_sign(s);
    return s.len > 0 && digits(s) == s.len;
}

static int add_integer(struct buf *out, struct str s)
{
    bool negative = s.ptr[0] == '-';
    struct err err;

    s = without_sign(s);
    while (s.len > 1 && s.ptr[0] == '0')
        s = str_from(s, 1);
    if (negative && !str_eq(s, STR("0")) && buf_add(out, STR("-"), &err) < 0)
        return -1;
    return buf_add(out, s, &err);
}

/* [+-] digits [. digits] [e [+-] digits], a digit on one side of the point at least. */
static bool is_decimal(struct str s)
{
    size_t before, after = 0;

    s = without_sign(s);
    before = digits(s);
    s = str_from(s, before);
    if (s.len > 0 && s.ptr[0] == '.') {
        after = digits(str_from(s, 1));
        s = str_from(s, 1 + after);
    }
    if (before + after == 0)
        return false;
    if (s.len == 0)
        return true;
    return (s.ptr[0] == 'e' || s.ptr[0] == 'E') && is_integer(str_from(s, 1));
}

static bool is_not_finite(struct str s)
{
    s = without_sign(s);
    return str_ieq(s, STR("nan")) || str_ieq(s, STR("inf")) || str_ieq(s, STR("infinity"));
}

/* strtod() and printf() know the point of the locale only. */
static void swap_point(char *text, char from, char to)
{
    char *point = strchr(text, from);

    if (point)
        *point = to;
}

static int add_decimal(struct buf *out, struct str s, bool *finite)
{
    char *copy = str_dup(s), local = *localeconv()->decimal_point, text[40];
    struct err err;
    double value;

    if (!copy)
        return -1;
    swap_point(copy, '.', local);
    value = strtod(copy, NULL);
    free(copy);
    *finite = isfinite(value);
    if (!*finite)
        return 0;
    for (int precision = 1; precision <= 17; precision++) { /* the shortest that reads the same */
        snprintf(text, sizeof(text), "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    swap_point(text, local, '.');
    return buf_add(out, str_c(text), &err);
}

static int add_number(struct buf *out, struct str name, struct str s, struct buf *why)
{
    bool finite;

    if (is_integer(s))
        return add_integer(out, s);
    if (is_not_finite(s))
        return complain(why, name, "a finite number");
    if (!is_decimal(s))
        return complain(why, name, "a valid number");
    if (add_decimal(out, s, &finite) < 0)
        return -1;
    return finite ? 0 : complain(why, name, "a finite number");
}

static int add_boolean(struct buf *out, struct str name, struct str s, struct buf *why)
{
    struct err err;

    if (str_ieq(s, STR("true")) || str_eq(s, STR("1")))
        return buf_add(out, STR("true"), &err);
    if (str_ieq(s, STR("false")) || str_eq(s, STR("0")))
        return buf_add(out, STR("false"), &err);
    return complain(why, name, "a valid boolean");
}

static int add_json(struct buf *out, struct str name, enum kind kind, struct str s, struct buf *why)
{
    enum json_type type;
    struct str value;
    struct err err;

    type = json_scan(s, &value);
    if (type == JSON_INVALID)
        return complain(why, name, "valid JSON");
    if (kind == OBJECT && type != JSON_OBJECT)
        return complain(why, name, "a JSON object");
    if (kind == ARRAY && type != JSON_ARRAY)
        return complain(why, name, "a JSON array");
    return fix_clean(out, value, &err);
}

/* A value on lines of its own loses exactly the line breaks around it. */
static struct str text_of(struct str s)
{
    size_t end;

    if (!str_starts(s, STR("\n")) && !str_starts(s, STR("\r\n")))
        return fix_trim(s);
    s = str_from(s, s.ptr[0] == '\r' ? 2 : 1);
    for (end = s.len; end > 0 && (s.ptr[end - 1] == ' ' || s.ptr[end - 1] == '\t');)
        end--;
    if (end == 0 || s.ptr[end - 1] != '\n')
        return s;
    end--;
    return str_cut(s, end > 0 && s.ptr[end - 1] == '\r' ? end - 1 : end);
}

int fix_value(struct buf *out, struct str name, struct str schema, struct str value,
              struct buf *why)
{
    struct str trimmed = fix_trim(value);
    struct err err;
    bool nullable;
    enum kind kind = wanted(schema, &nullable);

    if (nullable && str_eq(trimmed, STR("null")))
        return buf_add(out, STR("null"), &err);
    switch (kind) {
    case INTEGER:
        return is_integer(trimmed) ? add_integer(out, trimmed)
                                   : complain(why, name, "a valid integer");
    case NUMBER:
        return add_number(out, name, trimmed, why);
    case BOOLEAN:
        return add_boolean(out, name, trimmed, why);
    case OBJECT:
    case ARRAY:
        return add_json(out, name, kind, trimmed, why);
    case TEXT:
    case NULL_TYPE:
    case OTHER:
        break;
    }
    return fix_quote(out, text_of(value), &err);
}
