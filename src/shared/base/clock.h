/* base/clock.h - the two clocks, in microseconds. Durations come from the monotonic one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/** Monotonic; only differences mean anything. */
int64_t clock_now_us(void);
/** Since the epoch, UTC. */
int64_t clock_wall_us(void);

#define CLOCK_ISO_SIZE 40
/** Write "2031-04-05T06:07:08.090000Z" for wall_us; "" outside the years 0 to 9999. Returns out. */
char *clock_iso(int64_t wall_us, char out[CLOCK_ISO_SIZE]);

#endif
