/* core/retry_after.h - the value of a Retry-After header. */
#ifndef CORE_RETRY_AFTER_H
#define CORE_RETRY_AFTER_H

#include "base/str.h"

#define RETRY_AFTER_MAX_MS ((int64_t)600000)

/** Seconds, or an HTTP date, as milliseconds from now_wall_us on: at least 0, at most ten minutes.
 *  False when it is neither. */
bool retry_after_ms(struct str value, int64_t now_wall_us, int64_t *out);

#endif
