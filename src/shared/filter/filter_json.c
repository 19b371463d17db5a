/* JSON objects as rows: one pass over the members, then values by column. */
#include "core/money.h"
#include "filter/filter.h"
#include "text/format.h"
#include "json/json_scan.h"

#define MOST (INT64_MAX / 2)

enum kind { KIND_INT, KIND_TIME, KIND_TEXT, KIND_RATE, KIND_MONEY, KIND_FLAG };

static const struct {
    enum kind kind;
    const char *path, *live;
} columns[] = {
#define X(name, kind, path, live) [FILTER_COL_##name] = {KIND_##kind, path, live},
    FILTER_COLUMNS(X)
#undef X
};

/* Whether path is prefix (empty, or with its dot) and key. */
static bool path_is(const char *path, struct str prefix, struct str key)
{
    struct str p = str_c(path);

    return path && str_starts(p, prefix) && str_eq(str_from(p, prefix.len), key);
}

static void take(struct filter_json *row, struct str prefix, struct str key, struct str value)
{
    for (size_t i = 0; i < FILTER_COL_COUNT; i++) {
        if (path_is(columns[i].path, prefix, key))
            row->values[i] = value;
        else if (path_is(columns[i].live, prefix, key))
            row->live[i] = value;
    }
}

static void take_members(struct filter_json *row, struct str prefix, struct str object)
{
    struct json_iter it = json_iter(object);

    while (json_next(&it)) {
        enum json_type type = json_type_of(it.value);

        if (type != JSON_OBJECT && type != JSON_ARRAY && type != JSON_NULL)
            take(row, prefix, it.key, it.value);
    }
}

void filter_json_read(struct filter_json *row, struct str json)
{
    static const char *const inner[] = {"tokens.", "task_run.", "signals."};
    struct json_iter it;

    *row = (struct filter_json){0};
    if (json_type_of(json) != JSON_OBJECT)
        return;
    take_members(row, STR(""), json);
    it = json_iter(json);
    while (json_next(&it))
        for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++)
            if (json_type_of(it.value) == JSON_OBJECT && it.key.len + 1 == strlen(inner[i]) &&
                str_starts(str_c(inner[i]), it.key))
                take_members(row, str_c(inner[i]), it.value);
}

static struct str value_of(const struct filter_json *row, enum filter_column column)
{
    return row->values[column].ptr ? row->values[column] : row->live[column];
}

/* What stands between the quotes of a string; other values as they are written. */
static struct str unquoted(struct str value)
{
    return value.len >= 2 && value.ptr[0] == '"' ? str_cut(str_from(value, 1), value.len - 2)
                                                 : value;
}

static bool get_number(const void *ctx, enum filter_column column, int64_t *out)
{
    struct str value = value_of(ctx, column);

    if (!value.ptr)
        return false;
    switch (columns[column].kind) {
    case KIND_INT:
        return str_int64(value, out);
    case KIND_TIME:
        return format_parse_iso(unquoted(value), out);
    case KIND_RATE:
        return money_scaled(unquoted(value), 2, MOST, out);
    case KIND_MONEY:
        return money_amount(unquoted(value), out);
    case KIND_FLAG:
        *out = json_type_of(value) == JSON_TRUE;
        return true;
    case KIND_TEXT:
        break;
    }
    return false;
}

static bool get_text(const void *ctx, enum filter_column column, struct buf *scratch,
                     struct str *out)
{
    struct str value = value_of(ctx, column);
    struct err err;

    if (json_type_of(value) != JSON_STRING)
        return false;
    *out = unquoted(value);
    if (str_chr(*out, '\\') >= 0) {
        if (json_string(value, scratch, &err) < 0)
            return false;
        *out = buf_str(scratch);
    }
    /* What GET /api/requests says of a request without a model. */
    return column != FILTER_COL_MODEL || !str_eq(*out, STR("unknown"));
}

struct filter_row filter_json_row(const struct filter_json *row)
{
    return (struct filter_row){row, get_number, get_text};
}

bool filter_matches_json(const struct filter *filter, struct str json, int64_t active_run)
{
    struct filter_json values;
    struct filter_row row;

    filter_json_read(&values, json);
    row = filter_json_row(&values);
    return filter_matches(filter, &row, active_run);
}
