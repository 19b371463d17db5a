/* daemon/listen.h - the listening sockets, bound before anything else happens. */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include <stdbool.h>

#include "base/err.h"

#define LISTEN_MAX 8 /* addresses of one name */

/** One set of sockets per worker, all on the same addresses and port (SO_REUSEPORT). */
struct listen_set {
    int fds[64][LISTEN_MAX];
    unsigned workers;
    unsigned count; /* addresses */
    int port;       /* chosen by the system when 0 was asked for */
};

/** Bind host (every address that it resolves to) and port. A port that somebody else listens on is
 *  ERR_CONFLICT, also when that one uses SO_REUSEPORT. */
int listen_bind(struct listen_set *set, const char *host, int port, unsigned workers,
                struct err *err);
void listen_close(struct listen_set *set);

#endif
