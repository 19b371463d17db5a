#include "format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static char *put(char out[FORMAT_SIZE], const char *text)
{
    snprintf(out, FORMAT_SIZE, "%s", text);
    return out;
}

/* Two units without blanks; the second one has two digits. */
static char *two_units(char out[FORMAT_SIZE], int64_t big, char big_unit, int64_t small,
                       char small_unit)
{
    snprintf(out, FORMAT_SIZE, "%" PRId64 "%c%02" PRId64 "%c", big, big_unit, small, small_unit);
    return out;
}

char *format_duration(char out[FORMAT_SIZE], int64_t ms)
{
    int64_t s;

    if (ms == FORMAT_NONE)
        return put(out, "-");
    if (ms < 0)
        ms = 0;
    if (ms < SECOND)
        snprintf(out, FORMAT_SIZE, "%" PRId64 "ms", ms);
    else if (ms < 9995)
        snprintf(out, FORMAT_SIZE, "%.2fs", (double)((ms + 5) / 10) / 100);
    else if (ms < 59950)
        snprintf(out, FORMAT_SIZE, "%.1fs", (double)((ms + 50) / 100) / 10);
    if (ms < 59950)
        return out;
    s = ms / 1000 + (ms % 1000 >= 500);
    if (s < 3600)
        return two_units(out, s / 60, 'm', s % 60, 's');
    if (s < 86400)
        return two_units(out, s / 3600, 'h', s / 60 % 60, 'm');
    return two_units(out, s / 86400, 'd', s / 3600 % 24, 'h');
}

char *format_age(char out[FORMAT_SIZE], int64_t ms)
{
    if (ms == FORMAT_NONE)
        return put(out, "-");
    if (ms < 0)
        ms = 0;
    if (ms < 59950)
        snprintf(out, FORMAT_SIZE, "%.1fs", (double)((ms + 50) / 100) / 10);
    else if (ms < 10 * MINUTE)
        return two_units(out, (ms + 50) / MINUTE, 'm', (ms + 50) / SECOND % 60, 's');
    else if (ms < HOUR)
        snprintf(out, FORMAT_SIZE, "%" PRId64 "m", ms / MINUTE);
    else if (ms < 10 * HOUR)
        return two_units(out, ms / HOUR, 'h', ms / MINUTE % 60, 'm');
    else if (ms < DAY)
        snprintf(out, FORMAT_SIZE, "%" PRId64 "h", ms / HOUR);
    else
        snprintf(out, FORMAT_SIZE, "%" PRId64 "d", ms / DAY);
    return out;
}

/* fix(x, n) without trailing zeros and dot. */
static void put_trimmed(char out[FORMAT_SIZE], double x, int decimals)
{
    char *end;

    snprintf(out, FORMAT_SIZE, "%.*f", decimals, x);
    if (!strchr(out, '.'))
        return;
    end = out + strlen(out) - 1;
    while (*end == '0')
        *end-- = '\0';
    if (*end == '.')
        *end = '\0';
}

static char *compact(char out[FORMAT_SIZE], double n)
{
    static const char *const suffixes[] = {"", "k", "M", "B"};
    double sign = n < 0 ? -1 : 1, q = fabs(n);
    size_t unit = 0, len;

    while (unit < 3 && (unit == 0 ? round(q) : q) >= 1000) {
        q /= 1000;
        unit++;
    }
    for (;;) {
        int decimals = unit == 0 ? 0 : q < 10 ? 2 : q < 100 ? 1 : 0;

        put_trimmed(out, sign * q, decimals);
        if (unit == 3 || fabs(strtod(out, NULL)) < 1000)
            break;
        q /= 1000; /* 999.9k is 1M */
        unit++;
    }
    len = strlen(out);
    snprintf(out + len, FORMAT_SIZE - len, "%s", suffixes[unit]);
    return out;
}

char *format_count(char out[FORMAT_SIZE], int64_t n)
{
    if (n == FORMAT_NONE)
        return put(out, "-");
    return compact(out, (double)n);
}

char *format_rate(char out[FORMAT_SIZE], double rate)
{
    if (!isfinite(rate))
        return put(out, "-");
    if (fabs(rate) >= 999.95)
        return compact(out, rate);
    snprintf(out, FORMAT_SIZE, "%.1f", rate);
    return out;
}

static char *bytes_with(char out[FORMAT_SIZE], int64_t bytes, const char *const suffixes[5])
{
    double q = (double)bytes;
    size_t unit = 0;

    if (bytes == FORMAT_NONE)
        return put(out, "-");
    while (unit < 4 && q >= (unit == 0 ? 1024 : 1023.5)) {
        q /= 1024;
        unit++;
    }
    snprintf(out, FORMAT_SIZE, "%.*f%s", unit > 0 && q < 99.95 ? 1 : 0, q, suffixes[unit]);
    return out;
}

char *format_bytes(char out[FORMAT_SIZE], int64_t bytes)
{
    static const char *const suffixes[] = {"", "K", "M", "G", "T"};

    return bytes_with(out, bytes, suffixes);
}

char *format_bytes_long(char out[FORMAT_SIZE], int64_t bytes)
{
    static const char *const suffixes[] = {" B", " KiB", " MiB", " GiB", " TiB"};

    return bytes_with(out, bytes, suffixes);
}

char *format_percent(char out[FORMAT_SIZE], int64_t part, int64_t whole)
{
    size_t len;

    if (part == FORMAT_NONE || whole == FORMAT_NONE || whole == 0)
        return put(out, "-");
    put_trimmed(out, 100.0 * (double)part / (double)whole, 1);
    len = strlen(out);
    snprintf(out + len, FORMAT_SIZE - len, "%%");
    return out;
}

char *format_money(char out[FORMAT_SIZE], struct str decimal)
{
    char text[FORMAT_SIZE], *end;
    double x;

    if (decimal.len == 0 || decimal.len >= sizeof(text))
        return put(out, "-");
    memcpy(text, decimal.ptr, decimal.len);
    text[decimal.len] = '\0';
    x = strtod(text, &end);
    if (*end || !isfinite(x) || x < 0)
        return put(out, "-");
    if (x > 0 && x < 0.0001)
        return put(out, "<$.0001");
    if (x < 0.99995)
        snprintf(out, FORMAT_SIZE, "$%.4f", x);
    else if (x < 999.995)
        snprintf(out, FORMAT_SIZE, "$%.2f", x);
    else
        snprintf(out, FORMAT_SIZE, "$%s", compact(text, x));
    return out;
}

/* Digits of a number and where its point stands: d[0..n) x 10^(point - n). */
struct digits {
    char d[FORMAT_SIZE];
    int n, point;
    bool negative;
};

static bool read_digits(struct str s, struct digits *out)
{
    bool dot = false;
    int64_t exponent = 0;
    size_t i = 0;

    *out = (struct digits){0};
    if (i < s.len && s.ptr[i] == '-')
        out->negative = true, i++;
    for (; i < s.len && s.ptr[i] != 'e' && s.ptr[i] != 'E'; i++) {
        if (s.ptr[i] == '.' && !dot) {
            dot = true;
            continue;
        }
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || out->n == FORMAT_SIZE - 16)
            return false;
        out->d[out->n++] = s.ptr[i];
        out->point += !dot;
    }
    if (i < s.len && (!str_int64(str_from(s, i + 1), &exponent) || exponent > 15 || exponent < -40))
        return false;
    out->point += (int)exponent;
    return out->n > 0;
}

char *format_decimal(char out[FORMAT_SIZE], struct str number)
{
    struct digits d;
    size_t at = 0;
    int first;

    if (str_chr(number, 'e') < 0 && str_chr(number, 'E') < 0) {
        snprintf(out, FORMAT_SIZE, "%.*s", STR_ARG(number));
        return out;
    }
    if (!read_digits(number, &d)) {
        snprintf(out, FORMAT_SIZE, "%.*s", STR_ARG(number));
        return out;
    }
    if (d.negative)
        out[at++] = '-';
    first = d.point < 1 ? d.point - 1 : 0; /* so that there is a digit before the point */
    for (int i = first; i < d.point || (i < d.n && i < d.point + 12); i++) {
        if (at >= FORMAT_SIZE - 2)
            break;
        if (i == d.point)
            out[at++] = '.';
        out[at++] = i >= 0 && i < d.n ? d.d[i] : '0';
    }
    out[at] = '\0';
    return out;
}

/* ---- times ---- */

bool format_time_form(struct str name, enum format_time_form *out)
{
    static const char *const names[] = {"auto", "relative", "local", "utc", "iso"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq(name, str_c(names[i]))) {
            *out = (enum format_time_form)i;
            return true;
        }
    return false;
}

static char *put_date(char out[FORMAT_SIZE], int64_t wall_us, bool utc, bool seconds)
{
    time_t at = (time_t)(wall_us / 1000000);
    struct tm tm;
    size_t len;

    if (!(utc ? gmtime_r(&at, &tm) : localtime_r(&at, &tm)))
        return put(out, "-");
    len = strftime(out, FORMAT_SIZE, "%Y-%m-%d %H:%M", &tm);
    if (seconds && len > 0)
        len = strftime(out + len, FORMAT_SIZE - len, ":%S", &tm);
    return len > 0 ? out : put(out, "-");
}

static char *put_relative(char out[FORMAT_SIZE], int64_t ms)
{
    if (ms < 0)
        ms = 0;
    if (ms < MINUTE)
        snprintf(out, FORMAT_SIZE, "%" PRId64 "s", ms / SECOND);
    else if (ms < HOUR)
        return two_units(out, ms / MINUTE, 'm', ms / SECOND % 60, 's');
    else if (ms < DAY)
        snprintf(out, FORMAT_SIZE, "%" PRId64 "h", ms / HOUR);
    else
        snprintf(out, FORMAT_SIZE, "%" PRId64 "d", ms / DAY);
    return out;
}

char *format_time(char out[FORMAT_SIZE], int64_t wall_us, int64_t now_us,
                  enum format_time_form form)
{
    char iso[CLOCK_ISO_SIZE];
    int64_t ms;

    if (wall_us == FORMAT_NONE)
        return put(out, "-");
    ms = (now_us - wall_us) / 1000;
    switch (form) {
    case FORMAT_TIME_AUTO:
        if (ms < DAY)
            return put_relative(out, ms);
        break;
    case FORMAT_TIME_RELATIVE:
        return put_relative(out, ms);
    case FORMAT_TIME_LOCAL:
        break;
    case FORMAT_TIME_UTC:
        return put_date(out, wall_us, true, false);
    case FORMAT_TIME_ISO:
        return put(out, clock_iso(wall_us, iso));
    }
    return put_date(out, wall_us, false, false);
}

char *format_time_long(char out[FORMAT_SIZE], int64_t wall_us)
{
    if (wall_us == FORMAT_NONE)
        return put(out, "-");
    return put_date(out, wall_us, false, true);
}

/* Exactly count digits, at most max, off the start of *s. */
static bool take_number(struct str *s, size_t count, int max, int *out)
{
    int n = 0;

    if (s->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        n = n * 10 + (s->ptr[i] - '0');
    }
    *s = str_from(*s, count);
    *out = n;
    return n <= max;
}

static bool take_char(struct str *s, const char *any)
{
    if (s->len == 0 || !s->ptr[0] || !strchr(any, s->ptr[0]))
        return false;
    *s = str_from(*s, 1);
    return true;
}

/* "14:02", "14:02:07", "14:02:07.104" */
static bool take_clock(struct str *s, struct tm *tm, int64_t *micros)
{
    int64_t unit = 100000;

    if (!take_number(s, 2, 23, &tm->tm_hour) || !take_char(s, ":") ||
        !take_number(s, 2, 59, &tm->tm_min))
        return false;
    if (!take_char(s, ":"))
        return true;
    if (!take_number(s, 2, 60, &tm->tm_sec))
        return false;
    if (!take_char(s, ".,"))
        return true;
    if (s->len == 0 || s->ptr[0] < '0' || s->ptr[0] > '9')
        return false;
    for (; s->len > 0 && s->ptr[0] >= '0' && s->ptr[0] <= '9'; *s = str_from(*s, 1)) {
        *micros += unit * (s->ptr[0] - '0');
        unit /= 10;
    }
    return true;
}

/* "Z", "+02:00", "-0530", "+02", or nothing. */
static bool take_zone(struct str *s, bool *given, int *offset_s)
{
    int hours, minutes = 0;
    bool minus;

    *given = s->len > 0;
    *offset_s = 0;
    if (!*given || (take_char(s, "Zz") && s->len == 0))
        return true;
    minus = s->ptr && s->len > 0 && s->ptr[0] == '-';
    if (!take_char(s, "+-") || !take_number(s, 2, 14, &hours))
        return false;
    take_char(s, ":");
    if (s->len > 0 && !take_number(s, 2, 59, &minutes))
        return false;
    *offset_s = (hours * 60 + minutes) * 60 * (minus ? -1 : 1);
    return s->len == 0;
}

bool format_parse_iso(struct str s, int64_t *wall_us)
{
    struct tm tm = {.tm_isdst = -1}, check;
    int64_t micros = 0;
    bool zoned = false;
    int offset = 0;
    time_t seconds;

    if (!take_number(&s, 4, 9999, &tm.tm_year) || !take_char(&s, "-") ||
        !take_number(&s, 2, 12, &tm.tm_mon) || !take_char(&s, "-") ||
        !take_number(&s, 2, 31, &tm.tm_mday) || tm.tm_mon == 0 || tm.tm_mday == 0)
        return false;
    if (s.len > 0 &&
        (!take_char(&s, "Tt ") || !take_clock(&s, &tm, &micros) || !take_zone(&s, &zoned, &offset)))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    check = tm;
    check.tm_isdst = 0;
    timegm(&check);
    if (check.tm_mday != tm.tm_mday && tm.tm_sec < 60) /* 31 June */
        return false;
    if (zoned) {
        tm.tm_isdst = 0;
        seconds = timegm(&tm) - offset;
    } else {
        seconds = mktime(&tm);
    }
    *wall_us = (int64_t)seconds * 1000000 + micros;
    return true;
}

/* Clock time on the day of now_us, days later, in the local zone. */
static int64_t on_day(int64_t now_us, int days, const struct tm *clock, int64_t micros)
{
    time_t now = (time_t)(now_us / 1000000);
    struct tm tm;

    if (!localtime_r(&now, &tm))
        return now_us;
    tm.tm_mday += days;
    tm.tm_hour = clock->tm_hour;
    tm.tm_min = clock->tm_min;
    tm.tm_sec = clock->tm_sec;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * 1000000 + micros;
}

bool format_parse_time(struct str text, int64_t now_us, int64_t *wall_us)
{
    struct tm clock = {0};
    struct str rest = text;
    int64_t micros = 0, ms;

    if (str_eq(text, STR("today")) || str_eq(text, STR("yesterday"))) {
        *wall_us = on_day(now_us, str_eq(text, STR("today")) ? 0 : -1, &clock, 0);
        return true;
    }
    if (format_parse_iso(text, wall_us))
        return true;
    if (take_clock(&rest, &clock, &micros) && rest.len == 0) {
        *wall_us = on_day(now_us, 0, &clock, micros);
        return true;
    }
    if (text.len == 0 || (text.ptr[text.len - 1] >= '0' && text.ptr[text.len - 1] <= '9'))
        return false; /* a number alone could mean anything */
    if (!format_parse_duration(text, &ms))
        return false;
    *wall_us = now_us - ms * 1000;
    return true;
}

struct unit {
    const char *suffix;
    int64_t factor;
};

/* "1.5h": a decimal number and one of the suffixes; the result fits in 53 bits. */
static bool parse_unit(struct str text, const struct unit *units, int64_t *out)
{
    char number[32], *end;
    size_t digits = 0;
    double x;

    while (digits < text.len &&
           ((text.ptr[digits] >= '0' && text.ptr[digits] <= '9') || text.ptr[digits] == '.'))
        digits++;
    if (digits == 0 || digits >= sizeof(number))
        return false;
    memcpy(number, text.ptr, digits);
    number[digits] = '\0';
    x = strtod(number, &end);
    if (*end || end == number)
        return false;
    for (; units->suffix; units++)
        if (str_eq(str_from(text, digits), str_c(units->suffix))) {
            x *= (double)units->factor;
            if (!(x < 9007199254740992.0))
                return false;
            *out = llround(x);
            return true;
        }
    return false;
}

bool format_parse_duration(struct str text, int64_t *ms)
{
    static const struct unit units[] = {{"", 1},     {"ms", 1},  {"s", SECOND}, {"m", MINUTE},
                                        {"h", HOUR}, {"d", DAY}, {NULL, 0}};

    return parse_unit(text, units, ms);
}

bool format_parse_count(struct str text, int64_t *n)
{
    static const struct unit units[] = {{"", 1},        {"k", 1000},       {"K", 1000},
                                        {"M", 1000000}, {"B", 1000000000}, {NULL, 0}};

    return parse_unit(text, units, n);
}

bool format_parse_bytes(struct str text, int64_t *bytes)
{
    static const struct unit units[] = {{"", 1},        {"K", 1 << 10}, {"k", 1 << 10},
                                        {"M", 1 << 20}, {"G", 1 << 30}, {"T", INT64_C(1) << 40},
                                        {NULL, 0}};

    return parse_unit(text, units, bytes);
}
