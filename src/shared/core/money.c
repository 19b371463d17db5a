#include "core/money.h"

#include <inttypes.h>
#include <stdio.h>

#define EXPONENT_MAX 1000000 /* of either sign; texts are shorter than that */
#define PICO UINT64_C(1000000000000)
#define MICRO UINT64_C(1000000)

/* A decimal number as it is written: whole.fraction * 10^exponent. */
struct decimal {
    struct str whole, fraction;
    int64_t exponent;
};

static struct str take_digits(struct str *rest)
{
    size_t n = 0;
    struct str digits;

    while (n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
        n++;
    digits = str_cut(*rest, n);
    *rest = str_from(*rest, n);
    return digits;
}

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

static bool take_exponent(struct str *rest, int64_t *out)
{
    bool negative;
    struct str digits;
    int64_t value = 0;

    if (!take_char(rest, 'e') && !take_char(rest, 'E'))
        return true;
    negative = take_char(rest, '-');
    if (!negative)
        take_char(rest, '+');
    digits = take_digits(rest);
    for (size_t i = 0; i < digits.len && value < EXPONENT_MAX; i++)
        value = value * 10 + (digits.ptr[i] - '0');
    *out = negative ? -value : value;
    return digits.len > 0;
}

static bool read_decimal(struct str text, struct decimal *out)
{
    struct str rest = str_trim(text);

    *out = (struct decimal){.fraction = STR("")};
    take_char(&rest, '+');
    out->whole = take_digits(&rest);
    if (take_char(&rest, '.'))
        out->fraction = take_digits(&rest);
    if (out->whole.len + out->fraction.len == 0 || !take_exponent(&rest, &out->exponent))
        return false;
    return rest.len == 0;
}

static int digit(const struct decimal *d, size_t i)
{
    return (i < d->whole.len ? d->whole.ptr[i] : d->fraction.ptr[i - d->whole.len]) - '0';
}

/* Whether the digits from position at on (of which the first follows the point) round up. */
static bool rounds_up(const struct decimal *d, size_t at, size_t count, bool odd)
{
    if (at >= count || digit(d, at) != 5)
        return at < count && digit(d, at) > 5;
    for (size_t i = at + 1; i < count; i++) {
        if (digit(d, i) != 0)
            return true;
    }
    return odd;
}

bool money_scaled(struct str text, int shift, int64_t most, int64_t *out)
{
    struct decimal d;
    size_t count;
    int64_t point, value = 0;

    if (!read_decimal(text, &d))
        return false;
    count = d.whole.len + d.fraction.len;
    point = (int64_t)d.whole.len + d.exponent + shift; /* digits before it */
    for (int64_t i = 0; i < point && (value != 0 || i < (int64_t)count); i++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, i < (int64_t)count ? digit(&d, (size_t)i) : 0, &value))
            return false;
    }
    if (point >= 0 && rounds_up(&d, (size_t)point, count, value % 2 != 0) &&
        __builtin_add_overflow(value, 1, &value))
        return false;
    if (value > most)
        return false;
    *out = value;
    return true;
}

bool money_rate(struct str text, int64_t *out)
{
    return money_scaled(text, 6, MONEY_RATE_MAX, out);
}

bool money_rate_of_token(struct str text, int64_t *out)
{
    return money_scaled(text, 12, MONEY_RATE_MAX, out);
}

bool money_amount(struct str text, int64_t *out)
{
    return money_scaled(text, 12, INT64_MAX, out);
}

/* n / unit with as many decimals as unit has zeros, of which at least `least` stay. */
static char *print(int64_t n, uint64_t unit, int places, unsigned least, char out[MONEY_SIZE])
{
    uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    unsigned keep = (unsigned)places;
    size_t len;

    if (n == UNKNOWN) {
        out[0] = '\0';
        return out;
    }
    snprintf(out, MONEY_SIZE, "%s%" PRIu64 ".%0*" PRIu64, n < 0 ? "-" : "", size / unit, places,
             size % unit);
    for (len = strlen(out); keep > least && out[len - 1] == '0'; keep--)
        len--;
    if (out[len - 1] == '.')
        len--;
    out[len] = '\0';
    return out;
}

char *money_print(int64_t pusd, char out[MONEY_SIZE])
{
    return print(pusd, PICO, 12, 0, out);
}

char *money_print_least(int64_t pusd, unsigned decimals, char out[MONEY_SIZE])
{
    return print(pusd, PICO, 12, decimals, out);
}

char *money_rate_print(int64_t rate, char out[MONEY_SIZE])
{
    return print(rate, MICRO, 6, 0, out);
}

char *money_rate_fixed(int64_t rate, char out[MONEY_SIZE])
{
    return print(rate, MICRO, 6, 6, out);
}

bool money_add(int64_t *sum, int64_t pusd)
{
    int64_t value;

    if (__builtin_add_overflow(*sum, pusd, &value))
        return false;
    *sum = value;
    return true;
}

bool money_add_tokens(int64_t *sum, int64_t count, int64_t rate)
{
    int64_t value;

    return !__builtin_mul_overflow(count, rate, &value) && money_add(sum, value);
}
