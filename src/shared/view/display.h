/* view/display.h - numbers as people read them: the strings that the API sends beside its numbers,
 * the pages and the terminal show. UNKNOWN gives "-". */
#ifndef VIEW_DISPLAY_H
#define VIEW_DISPLAY_H

#include "core/record.h"

#define DISPLAY_SIZE 48

/* All return out. */

/** 999, 1k, 1.23k, 12.3k, 1.5B. */
char *display_compact(int64_t n, char out[DISPLAY_SIZE]);
/** Two decimals below 1000, compact from there; NaN gives "-". */
char *display_rate(double x, char out[DISPLAY_SIZE]);
/** $0.00, $0.006200, $0.2500, $12.50, $12.3k from pico-dollars. */
char *display_usd(int64_t pusd, char out[DISPLAY_SIZE]);
/** 33.3%, 50% from a fraction. */
char *display_percent(double fraction, char out[DISPLAY_SIZE]);
/** 250 ms, 1.5 s, 1m 33s, 2h 5m, 3 days 1h. Negative counts as 0. */
char *display_duration(int64_t ms, char out[DISPLAY_SIZE]);
/** "2031-04-05 06:07:08 UTC". */
char *display_time(int64_t wall_us, char out[DISPLAY_SIZE]);

/** tokens per second with two decimals; false when unknown or the time is not positive. */
bool display_throughput(int64_t tokens, int64_t ms, char out[DISPLAY_SIZE], double *rate);

#endif
