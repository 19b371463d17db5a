/* core/money.h - exact money: amounts and rates are integers, and no floating point is between the
 * text of a price and the text of a cost.
 *
 * Amounts are pico-dollars (10^-12 USD, "pusd"). Rates are pico-dollars per token: a price of r USD
 * per million tokens is exactly r * 10^6 of them, so six decimals of a price list are kept. */
#ifndef CORE_MONEY_H
#define CORE_MONEY_H

#include "base/str.h"

#define MONEY_SIZE 40
#define MONEY_RATE_MAX INT64_C(1000000000000) /* 1000000 USD per million tokens */

/** Read decimal text (optional "+", digits, optional fraction and exponent, blanks around) times
 *  10^shift, rounded half to even to an integer. False, out untouched: another form, or above
 *  most. */
bool money_scaled(struct str text, int shift, int64_t most, int64_t *out);
/** A rate from USD per million tokens, or per token. */
bool money_rate(struct str text, int64_t *out);
bool money_rate_of_token(struct str text, int64_t *out);
/** An amount from USD. */
bool money_amount(struct str text, int64_t *out);

/** 0.0031, without exponent or trailing zeros; "" for UNKNOWN. Returns out. */
char *money_print(int64_t pusd, char out[MONEY_SIZE]);
/** The same with at least decimals (0 to 12) of them. */
char *money_print_least(int64_t pusd, unsigned decimals, char out[MONEY_SIZE]);
/** A rate as USD per million tokens: 0.75, or with all six decimals: 0.750000. */
char *money_rate_print(int64_t rate, char out[MONEY_SIZE]);
char *money_rate_fixed(int64_t rate, char out[MONEY_SIZE]);

/** Add an amount, or count times rate, to *sum. False, *sum untouched, when it does not fit. */
bool money_add(int64_t *sum, int64_t pusd);
bool money_add_tokens(int64_t *sum, int64_t count, int64_t rate);

#endif
