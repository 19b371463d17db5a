/* daemon/damage.h - a look through the database after a server that did not stop in order. */
#ifndef DAEMON_DAMAGE_H
#define DAEMON_DAMAGE_H

struct damage_check;

/** Check the database at path on a thread of its own and log what it says. Copies path. Returns
 *  owned, damage_check_end(); NULL when there is no thread. */
struct damage_check *damage_check_start(const char *path);
/** Wait for the check, or stop it. Accepts NULL. */
void damage_check_end(struct damage_check *check);

#endif
