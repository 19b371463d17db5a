#include "view/params.h"

#include <assert.h>
#include <inttypes.h>

#include "base/query.h"
#include "text/format.h"
#include "json/json.h"

#define INPUT_SHOWN 200

static const struct param *find(const struct param *table, const char *name)
{
    static const struct param none;

    while (table && table->name && strcmp(table->name, name) != 0)
        table++;
    assert(table && table->name);
    return table ? table : &none;
}

/* ---- what is wrong with a query ---- */

struct issue {
    const char *type, *msg;
    const char *bound; /* the key of ctx; NULL: there is none */
    int64_t value;
    bool tells_value; /* the message ends with it */
};

static void put_issue(struct buf *out, const struct param *p, const struct issue *issue,
                      struct str input)
{
    buf_put(out, out->len > 0 ? STR(",") : STR("{\"detail\":["));
    buf_printf(out, "{\"type\":\"%s\",\"loc\":[\"query\",\"%s\"],\"msg\":\"%s", issue->type,
               p->name, issue->msg);
    if (issue->tells_value)
        buf_printf(out, " %" PRId64, issue->value);
    buf_put(out, STR("\",\"input\":"));
    if (!input.ptr || !json_quote(out, str_cut(input, INPUT_SHOWN)))
        buf_put(out, STR("null"));
    if (issue->bound)
        buf_printf(out, ",\"ctx\":{\"%s\":%" PRId64 "}", issue->bound, issue->value);
    buf_put(out, STR("}"));
}

static bool check_int(const struct param *p, struct str text, struct issue *issue)
{
    int64_t value;

    if (!str_int64(str_trim(text), &value))
        *issue = (struct issue){"int_parsing", "must be an integer", NULL, 0, false};
    else if (value < p->least)
        *issue = (struct issue){"greater_than_equal", "must be at least", "ge", p->least, true};
    else if (value > p->most)
        *issue = (struct issue){"less_than_equal", "must be at most", "le", p->most, true};
    else
        return true;
    return false;
}

static bool check_time(struct str text, struct issue *issue)
{
    int64_t us;

    text = str_trim(text);
    if (text.len == 0 || format_parse_iso(text, &us))
        return true;
    *issue = (struct issue){"datetime_parsing", "must be a time such as 2031-04-05T00:00:00Z", NULL,
                            0, false};
    return false;
}

static bool check(const struct param *p, bool given, struct str text, struct issue *issue)
{
    if (!given && p->required)
        *issue = (struct issue){"missing", "is required", NULL, 0, false};
    else if (given && p->required && str_trim(text).len == 0)
        *issue = (struct issue){"string_too_short", "must not be empty", "min_length", 1, false};
    else if (given && p->type == PARAM_INT)
        return check_int(p, text, issue);
    else
        return !given || p->type != PARAM_TIME || check_time(text, issue);
    return false;
}

bool params_check(const struct param *table, struct str query, struct buf *out)
{
    struct buf issues = {0};
    struct issue issue;

    for (const struct param *p = table; p && p->name; p++) {
        struct buf text = {0};
        bool given = query_get(query, p->name, &text);

        if (!check(p, given, buf_str(&text), &issue))
            put_issue(&issues, p, &issue, given ? buf_str(&text) : STR_NONE);
        buf_clear(&text);
    }
    if (issues.len == 0)
        return true;
    buf_put(out, buf_str(&issues));
    buf_put(out, STR("]}"));
    buf_clear(&issues);
    return false;
}

/* ---- reading ---- */

int64_t param_int(const struct param *table, struct str query, const char *name)
{
    const struct param *p = find(table, name);
    struct buf text = {0};
    int64_t value = p->fallback;

    assert(p->type == PARAM_INT);
    if (query_get(query, name, &text) && !str_int64(str_trim(buf_str(&text)), &value))
        value = p->fallback;
    buf_clear(&text);
    return value;
}

int64_t param_time(const struct param *table, struct str query, const char *name, int64_t fallback)
{
    const struct param *p = find(table, name);
    struct buf text = {0};
    int64_t value = fallback;

    assert(p->type == PARAM_TIME);
    if (query_get(query, p->name, &text) && !format_parse_iso(str_trim(buf_str(&text)), &value))
        value = fallback;
    buf_clear(&text);
    return value;
}

bool param_flag(const struct param *table, struct str query, const char *name)
{
    struct buf text = {0};
    bool on = find(table, name)->type == PARAM_FLAG && query_get(query, name, &text) &&
              str_eq(buf_str(&text), STR("1"));

    buf_clear(&text);
    return on;
}

bool param_text(const struct param *table, struct str query, const char *name, struct buf *out)
{
    const struct param *p = find(table, name);

    if (query_get(query, name, out))
        return true;
    if (!p->standard)
        return false;
    buf_put(out, str_c(p->standard));
    return true;
}
