/* Values of terms: numbers with units, times, text, names out of lists. A number is an interval,
 * so that classes (4xx), days and ranges compare as single values do. */
#include <time.h>

#include "core/money.h"
#include "filter/filter_priv.h"
#include "text/format.h"

#define MOST (INT64_MAX / 2)

/* ---- numbers ---- */

static bool read_digits(struct str s, int64_t *out)
{
    return s.len > 0 && s.ptr[0] >= '0' && s.ptr[0] <= '9' && str_int64(s, out);
}

/* 429, or 4xx: 400 to 499. */
static bool read_status(struct str s, int64_t *lo, int64_t *hi)
{
    if (s.len == 3 && str_ieq(str_from(s, 1), STR("xx")) && s.ptr[0] >= '1' && s.ptr[0] <= '9') {
        *lo = (s.ptr[0] - '0') * 100;
        *hi = *lo + 99;
        return true;
    }
    if (!read_digits(s, lo))
        return false;
    *hi = *lo;
    return true;
}

static bool read_money(struct str s, int64_t *out)
{
    return money_amount(s.len > 0 && s.ptr[0] == '$' ? str_from(s, 1) : s, out);
}

/* ---- times ---- */

static int64_t next_midnight(int64_t wall_us)
{
    time_t at = (time_t)(wall_us / 1000000);
    struct tm tm;

    if (!localtime_r(&at, &tm))
        return wall_us;
    tm.tm_mday++;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * 1000000;
}

/* How long the time that was typed lasts: a day, a minute, a second, or a moment. */
static int64_t last_moment(struct str s, int64_t from_us)
{
    ptrdiff_t t = str_chr(s, 'T'), colon;
    struct str clock = s;

    if (str_eq(s, STR("today")) || str_eq(s, STR("yesterday")))
        return next_midnight(from_us) - 1;
    if (t < 0)
        t = str_chr(s, 't');
    if (t < 0)
        t = str_chr(s, ' ');
    if (t >= 0)
        clock = str_from(s, (size_t)t + 1);
    else if (str_chr(s, '-') > 0)
        return next_midnight(from_us) - 1;
    colon = str_chr(clock, ':');
    if (colon < 0 || str_chr(clock, '.') >= 0 || str_chr(clock, ',') >= 0)
        return from_us;
    /* "14:02", "14:02Z", "14:02+02:00" against "14:02:07" */
    if (clock.len > (size_t)colon + 3 && clock.ptr[colon + 3] == ':')
        return from_us + 999999;
    return from_us + 59999999;
}

/* "-15m" is 15m ago too. */
static bool read_time(struct str s, int64_t now_us, int64_t *lo, int64_t *hi)
{
    if (s.len > 1 && s.ptr[0] == '-')
        s = str_from(s, 1);
    if (!format_parse_time(s, now_us, lo))
        return false;
    *hi = last_moment(s, *lo);
    return true;
}

/* ---- intervals ---- */

static const char *const hints[] = {
    [FILTER_NUMBER] = "number",
    [FILTER_STATUS] = "status (429, 4xx)",
    [FILTER_DURATION] = "duration (250ms, 2s, 1m, 1h)",
    [FILTER_COUNT] = "count (500, 10k, 1M)",
    [FILTER_BYTES] = "size (500, 64K, 10M)",
    [FILTER_MONEY] = "amount of money (0.01, $0.01)",
    [FILTER_RATE] = "number",
    [FILTER_TIME] = "time (2031-04-05T06:07, 14:02, today, 15m)",
    [FILTER_SINCE] = "time (2031-04-05T06:07, 14:02, today, 15m)",
    [FILTER_UNTIL] = "time (2031-04-05T06:07, 14:02, today, 15m)",
};

static bool parse_bounds(const struct filter_parser *p, enum filter_type type, struct str s,
                         int64_t *lo, int64_t *hi)
{
    bool ok = false;

    switch (type) {
    case FILTER_STATUS:
        return read_status(s, lo, hi);
    case FILTER_TIME:
    case FILTER_SINCE:
    case FILTER_UNTIL:
        return read_time(s, p->now_us, lo, hi);
    case FILTER_NUMBER:
        ok = read_digits(s, lo);
        break;
    case FILTER_DURATION:
        ok = format_parse_duration(s, lo);
        break;
    case FILTER_COUNT:
        ok = format_parse_count(s, lo);
        break;
    case FILTER_BYTES:
        ok = format_parse_bytes(s, lo);
        break;
    case FILTER_MONEY:
        ok = read_money(s, lo);
        break;
    case FILTER_RATE:
        ok = money_scaled(s, 2, MOST, lo);
        break;
    case FILTER_TEXT:
    case FILTER_PART:
    case FILTER_ENUM:
    case FILTER_RUN:
    case FILTER_FLAG:
        break;
    }
    *hi = *lo;
    return ok;
}

static bool read_bounds(struct filter_parser *p, enum filter_type type,
                        const struct filter_atom *atom, int64_t *lo, int64_t *hi)
{
    *lo = *hi = 0;
    if (parse_bounds(p, type, atom->text, lo, hi))
        return true;
    return filter_fail(p, atom->place, "\"%.*s\" is no %s", STR_ARG(filter_shown(atom->text)),
                       hints[type]);
}

static bool read_interval(struct filter_parser *p, enum filter_type type,
                          const struct filter_atom *a, const struct filter_atom *b, bool range,
                          struct filter_value *out)
{
    int64_t ignored;

    *out = (struct filter_value){.kind = FILTER_INTERVAL, .lo = INT64_MIN, .hi = INT64_MAX};
    if (!range)
        return read_bounds(p, type, a, &out->lo, &out->hi);
    if (a->text.ptr && !read_bounds(p, type, a, &out->lo, &ignored))
        return false;
    return !b->text.ptr || read_bounds(p, type, b, &ignored, &out->hi);
}

/* ---- text and names ---- */

static bool read_text(struct filter_parser *p, const struct filter_node *term, struct str text,
                      struct filter_value *out)
{
    *out = (struct filter_value){
        .kind = term->compare == FILTER_MATCH ? FILTER_PATTERN : FILTER_LITERAL,
        .text = arena_dup(&p->filter->arena, text),
    };
    return true;
}

static bool read_run(struct filter_parser *p, const struct filter_node *term,
                     const struct filter_atom *a, struct filter_value *out)
{
    if (!a->quoted && str_ieq(a->text, STR("active"))) {
        *out = (struct filter_value){.kind = FILTER_ACTIVE_RUN};
        p->filter->wants_run = true;
        return true;
    }
    read_text(p, term, a->text, out);
    out->has_id = !a->quoted && read_digits(a->text, &out->lo);
    return true;
}

static const struct filter_name *find_name(const struct filter_name *names, struct str text,
                                           size_t *at)
{
    for (*at = 0; names[*at].name; (*at)++)
        if (str_ieq(str_c(names[*at].name), text))
            return &names[*at];
    return NULL;
}

static bool unknown_name(struct filter_parser *p, const char *what, const struct filter_name *names,
                         const struct filter_atom *a)
{
    struct buf near = {0};

    filter_suggest(p, &near, a->text, names);
    filter_fail(p, a->place, "unknown %s \"%.*s\"%.*s", what, STR_ARG(filter_shown(a->text)),
                STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return false;
}

static bool read_flag(struct filter_parser *p, const struct filter_atom *a,
                      struct filter_value *out)
{
    size_t at;
    const struct filter_name *name = find_name(filter_flag_names, a->text, &at);

    if (!name)
        return unknown_name(p, "flag", filter_flag_names, a);
    if (name->live_only && p->scope != FILTER_LIVE)
        return filter_fail(p, a->place, "is:%s is known only of requests in flight", name->name);
    *out = (struct filter_value){.kind = FILTER_FLAG_VALUE, .lo = (int64_t)at};
    return true;
}

static bool read_enum(struct filter_parser *p, const struct filter_atom *a,
                      struct filter_value *out)
{
    size_t at;
    const struct filter_name *name = find_name(filter_outcome_names, a->text, &at);

    if (!name)
        return unknown_name(p, "outcome", filter_outcome_names, a);
    *out = (struct filter_value){.kind = FILTER_LITERAL, .text = str_c(name->name)};
    return true;
}

bool filter_read_value(struct filter_parser *p, const struct filter_node *term,
                       const struct filter_atom *a, const struct filter_atom *b, bool range,
                       struct filter_value *out)
{
    enum filter_type type = term->field->type;
    bool special =
        !range && !a->quoted && type != FILTER_FLAG && type != FILTER_SINCE && type != FILTER_UNTIL;

    if (special && str_eq(a->text, STR("-"))) {
        *out = (struct filter_value){.kind = FILTER_IS_UNKNOWN};
        return true;
    }
    if (special && str_eq(a->text, STR("*"))) {
        *out = (struct filter_value){.kind = FILTER_IS_KNOWN};
        return true;
    }
    switch (type) {
    case FILTER_TEXT:
    case FILTER_PART:
        return read_text(p, term, a->text, out);
    case FILTER_RUN:
        return read_run(p, term, a, out);
    case FILTER_ENUM:
        return read_enum(p, a, out);
    case FILTER_FLAG:
        return read_flag(p, a, out);
    case FILTER_NUMBER:
    case FILTER_STATUS:
    case FILTER_DURATION:
    case FILTER_COUNT:
    case FILTER_BYTES:
    case FILTER_MONEY:
    case FILTER_RATE:
    case FILTER_TIME:
    case FILTER_SINCE:
    case FILTER_UNTIL:
        break;
    }
    return read_interval(p, type, a, b, range, out);
}
