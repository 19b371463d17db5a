/* daemon/control.h - the main thread while the program serves: signals, the grace period, and the
 * threads that run the workers. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "daemon/worker.h"

/** Hold signals that stop the program back from all threads; before the first one is started. */
void control_block_signals(void);
struct control_events {
    void (*ready)(void *ctx); /* everything runs */
    void (*tick)(void *ctx);  /* a few times a second while it does */
    void *ctx;
};

/** Run the workers on threads of their own until a signal has ended them all. The events come on
 *  the control loop. ERR_FAILED when threads cannot start. */
int control_run(struct worker *workers, unsigned count, int64_t grace_ms,
                const struct control_events *events, struct err *err);

#endif
