#include "core/retry_after.h"

#include <stdio.h>
#include <time.h>

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

/* The three forms that HTTP knows, whatever the locale. */
static bool parse_date(struct str s, int64_t *seconds)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm = {0};
    char text[64], month[4] = "";
    time_t t;

    if (s.len >= sizeof(text))
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &tm.tm_mday, month,
               &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6 &&
        sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT", &tm.tm_mday, month,
               &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6 &&
        sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &tm.tm_year) != 6)
        return false;
    if (tm.tm_year < 100) /* two digits are this century's */
        tm.tm_year += 2000;
    tm.tm_year -= 1900;
    while (tm.tm_mon < 12 && strcmp(month, months[tm.tm_mon]) != 0)
        tm.tm_mon++;
    if (tm.tm_mon == 12)
        return false;
    t = timegm(&tm);
    *seconds = (int64_t)t;
    return t != (time_t)-1;
}

bool retry_after_ms(struct str value, int64_t now_wall_us, int64_t *out)
{
    int64_t seconds;

    value = str_trim(value);
    if (is_number(value)) {
        *out = str_int64(value, &seconds) && seconds < RETRY_AFTER_MAX_MS / 1000
                   ? seconds * 1000
                   : RETRY_AFTER_MAX_MS;
        return true;
    }
    if (!parse_date(value, &seconds))
        return false;
    *out = seconds * 1000 - now_wall_us / 1000;
    if (*out < 0)
        *out = 0;
    if (*out > RETRY_AFTER_MAX_MS)
        *out = RETRY_AFTER_MAX_MS;
    return true;
}
