/* daemon/demo.h - "serve --demo": a mock upstream and a little traffic, so that a machine without
 * any model has something to look at. */
#ifndef DAEMON_DEMO_H
#define DAEMON_DEMO_H

#include "config/config.h"

struct demo;

/** Start a mock on a free loopback port and make it the global upstream of c; use a temporary
 *  database unless one was named. Returns owned, demo_free(). */
struct demo *demo_new(struct config *c, bool database_named, struct err *err);
/** Begin to send sample requests to the proxy at url. Copies url. */
void demo_start(struct demo *demo, const char *url);
/** End the traffic and the mock. Accepts NULL. */
void demo_stop(struct demo *demo);
/** Remove the temporary database. Accepts NULL. */
void demo_free(struct demo *demo);

#endif
