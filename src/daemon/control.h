/* daemon/control.h - the main thread while the program serves: signals, the grace period, and the
 * threads that run the workers. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "daemon/worker.h"

/** Hold signals that stop the program back from all threads; before the first one is started. */
void control_block_signals(void);
/** Run the workers on threads of their own until a signal has ended them all. ready() is called on
 *  the control loop once everything runs; it may be NULL. ERR_FAILED when threads cannot start. */
int control_run(struct worker *workers, unsigned count, int64_t grace_ms,
                void (*ready)(void *ctx), void *ctx, struct err *err);

#endif
