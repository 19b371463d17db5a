/* daemon/refresh.h - looks whether another process changed the configuration or the runs, and puts
 * it in force then. The writer looks, between batches: it has a connection, and another one would
 * cost memory.
 */
#ifndef DAEMON_REFRESH_H
#define DAEMON_REFRESH_H

#include "daemon/app.h"

/** Returns owned, refresh_free(). */
struct refresh *refresh_new(struct app *app);
/** Any thread, a few times a second. Does nothing while an earlier look is under way. */
void refresh_look(struct refresh *r);
/** After the recorder has stopped. Accepts NULL. */
void refresh_free(struct refresh *r);

#endif
