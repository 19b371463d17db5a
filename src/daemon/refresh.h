/* daemon/refresh.h - a thread that looks a few times a second whether another process changed the
 * configuration, and puts it in force then. */
#ifndef DAEMON_REFRESH_H
#define DAEMON_REFRESH_H

#include "daemon/app.h"

/** Returns owned, refresh_stop(); NULL when there is no thread to be had. */
struct refresh *refresh_start(struct app *app);
/** Accepts NULL. */
void refresh_stop(struct refresh *r);

#endif
