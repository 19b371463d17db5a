#include "json_number.h"

#include "json_scan.h"

/* mantissa * 10^exponent; what did not fit into the mantissa is dropped, which "more" tells. */
struct decimal {
    uint64_t mantissa;
    int64_t exponent;
    bool more;
};

#define MANTISSA_MAX (UINT64_MAX / 10 - 1)
#define EXPONENT_MAX 100000

static void add_digit(struct decimal *d, char c, bool fraction)
{
    if (d->mantissa <= MANTISSA_MAX) {
        d->mantissa = d->mantissa * 10 + (uint64_t)(c - '0');
        d->exponent -= fraction;
    } else {
        d->more = d->more || c != '0';
        d->exponent += !fraction;
    }
}

static int64_t read_exponent(struct str s)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    int64_t value = 0;

    for (size_t i = 0; i < s.len && value < EXPONENT_MAX; i++)
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
            value = value * 10 + (s.ptr[i] - '0');
    return negative ? -value : value;
}

/* False for what is no number, or below 0. */
static bool read_decimal(struct str value, struct decimal *out)
{
    struct decimal d = {0};
    bool fraction = false;

    if (json_type_of(value) != JSON_NUMBER || value.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];

        if (c >= '0' && c <= '9') {
            add_digit(&d, c, fraction);
        } else if (c == '.') {
            fraction = true;
        } else {
            d.exponent += read_exponent(str_from(value, i + 1));
            break;
        }
    }
    *out = d;
    return true;
}

/* The integer that d is, rounded when it is none; *exact tells which. UNKNOWN when too large. */
static int64_t to_integer(struct decimal d, bool *exact)
{
    unsigned last = 0; /* the digit that was divided off last */
    bool rest = d.more;

    for (; d.exponent < 0 && (d.mantissa > 0 || last > 0); d.exponent++) {
        rest = rest || last > 0;
        last = (unsigned)(d.mantissa % 10);
        d.mantissa /= 10;
    }
    *exact = !rest && last == 0;
    d.mantissa += last >= 5;
    for (; d.exponent > 0 && d.mantissa > 0; d.exponent--) {
        if (d.mantissa > INT64_MAX / 10)
            return UNKNOWN;
        d.mantissa *= 10;
    }
    return d.mantissa > INT64_MAX ? UNKNOWN : (int64_t)d.mantissa;
}

int64_t json_count(struct str value)
{
    struct decimal d;
    int64_t count;
    bool exact;

    if (!read_decimal(value, &d))
        return UNKNOWN;
    count = to_integer(d, &exact);
    return exact && count <= JSON_MAX_EXACT ? count : UNKNOWN;
}

int64_t json_scaled(struct str value, int places)
{
    struct decimal d;
    bool exact;

    if (!read_decimal(value, &d))
        return UNKNOWN;
    d.exponent += places;
    return to_integer(d, &exact);
}
