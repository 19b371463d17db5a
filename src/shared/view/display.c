#include "view/display.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"

static char *put_unknown(char out[DISPLAY_SIZE])
{
    snprintf(out, DISPLAY_SIZE, "-");
    return out;
}

/* x with decimals digits, without zeros at the end. */
static void put_trimmed(double x, int decimals, char out[DISPLAY_SIZE])
{
    size_t len;

    snprintf(out, DISPLAY_SIZE, "%.*f", decimals, x);
    if (!strchr(out, '.'))
        return;
    len = strlen(out);
    while (len > 0 && out[len - 1] == '0')
        out[--len] = '\0';
    if (len > 0 && out[len - 1] == '.')
        out[len - 1] = '\0';
}

static char *compact(double x, char out[DISPLAY_SIZE])
{
    static const struct {
        double unit;
        char suffix;
    } units[] = {{1e9, 'B'}, {1e6, 'M'}, {1e3, 'k'}};
    size_t i = 0, len;
    double q;

    if (fabs(x) < 1000) {
        snprintf(out, DISPLAY_SIZE, "%.0f", x);
        return out;
    }
    while (units[i].unit > fabs(x))
        i++;
    q = x / units[i].unit;
    put_trimmed(q, fabs(q) < 10 ? 2 : fabs(q) < 100 ? 1 : 0, out);
    len = strlen(out);
    if (len + 1 < DISPLAY_SIZE) {
        out[len] = units[i].suffix;
        out[len + 1] = '\0';
    }
    return out;
}

char *display_compact(int64_t n, char out[DISPLAY_SIZE])
{
    return n == UNKNOWN ? put_unknown(out) : compact((double)n, out);
}

char *display_rate(double x, char out[DISPLAY_SIZE])
{
    if (!isfinite(x))
        return put_unknown(out);
    if (fabs(x) >= 1000)
        return compact(x, out);
    snprintf(out, DISPLAY_SIZE, "%.2f", x);
    return out;
}

char *display_usd(int64_t pusd, char out[DISPLAY_SIZE])
{
    double x = (double)pusd / 1e12;

    if (pusd == UNKNOWN)
        return put_unknown(out);
    if (fabs(x) >= 1000) {
        char number[DISPLAY_SIZE];

        snprintf(out, DISPLAY_SIZE, "$%.40s", compact(x, number));
        return out;
    }
    snprintf(out, DISPLAY_SIZE, "$%.*f",
             pusd == 0        ? 2
             : fabs(x) < 0.01 ? 6
             : fabs(x) < 1    ? 4
                              : 2,
             x);
    return out;
}

char *display_percent(double fraction, char out[DISPLAY_SIZE])
{
    size_t len;

    put_trimmed(fraction * 100, 1, out);
    len = strlen(out);
    out[len] = '%';
    out[len + 1] = '\0';
    return out;
}

char *display_duration(int64_t ms, char out[DISPLAY_SIZE])
{
    int64_t s, minutes, hours, days;

    if (ms == UNKNOWN)
        return put_unknown(out);
    ms = ms < 0 ? 0 : ms;
    if (ms < 1000) {
        snprintf(out, DISPLAY_SIZE, "%" PRId64 " ms", ms);
        return out;
    }
    if (ms < 60000) {
        char number[DISPLAY_SIZE];

        put_trimmed((double)ms / 1000, 2, number);
        snprintf(out, DISPLAY_SIZE, "%.40s s", number);
        return out;
    }
    s = ms / 1000 + (ms % 1000 > 500 || (ms % 1000 == 500 && ms / 1000 % 2 == 1));
    minutes = s / 60;
    hours = minutes / 60;
    days = hours / 24;
    if (hours < 1 && s % 60)
        snprintf(out, DISPLAY_SIZE, "%" PRId64 "m %" PRId64 "s", minutes, s % 60);
    else if (hours < 1)
        snprintf(out, DISPLAY_SIZE, "%" PRId64 "m", minutes);
    else if (days < 1 && minutes % 60)
        snprintf(out, DISPLAY_SIZE, "%" PRId64 "h %" PRId64 "m", hours, minutes % 60);
    else if (days < 1)
        snprintf(out, DISPLAY_SIZE, "%" PRId64 "h", hours);
    else if (hours % 24)
        snprintf(out, DISPLAY_SIZE, "%" PRId64 " %s %" PRId64 "h", days, days == 1 ? "day" : "days",
                 hours % 24);
    else
        snprintf(out, DISPLAY_SIZE, "%" PRId64 " %s", days, days == 1 ? "day" : "days");
    return out;
}

char *display_time(int64_t wall_us, char out[DISPLAY_SIZE])
{
    char iso[CLOCK_ISO_SIZE];

    if (wall_us == UNKNOWN)
        return put_unknown(out);
    clock_iso(wall_us, iso);
    snprintf(out, DISPLAY_SIZE, "%.10s %.8s UTC", iso, strlen(iso) > 11 ? iso + 11 : "");
    return out;
}

bool display_throughput(int64_t tokens, int64_t ms, char out[DISPLAY_SIZE], double *rate)
{
    if (tokens == UNKNOWN || ms == UNKNOWN || ms <= 0)
        return false;
    *rate = (double)tokens / ((double)ms / 1000);
    snprintf(out, DISPLAY_SIZE, "%.2f", *rate);
    return true;
}
