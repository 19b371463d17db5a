/* store/instance.h - DATABASE.serve: says which process serves a database, and keeps others off.
 * A lock cannot go stale, unlike a pid in a file. */
#ifndef STORE_INSTANCE_H
#define STORE_INSTANCE_H

#include <stdbool.h>

#include "base/err.h"

/** Take the lock beside the database and keep it until the process ends. *fd stays open; -1 for an
 *  in-memory database. *unclean tells that the last server of this database did not stop in order.
 *  ERR_CONFLICT when another process serves it. */
int instance_lock(const char *database_path, int *fd, bool *unclean, struct err *err);
/** True when another process has the lock. Takes nothing; not for the process that has it, which
 *  would lose it. */
bool instance_held(const char *database_path);
/** Write the one JSON line that says where the server is. */
int instance_write(int fd, const char *json, struct err *err);
/** Remove the file and let go. */
void instance_release(const char *database_path, int fd);

#endif
