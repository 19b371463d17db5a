/* daemon/inbox.h - notes from other threads to one loop, by one uv_async_t.
 *
 * A note runs on the loop's thread, in the order of posting. */
#ifndef DAEMON_INBOX_H
#define DAEMON_INBOX_H

#include <uv.h>

#include "base/err.h"
#include "base/list.h"

struct inbox;

/** Embedded in what is sent; run is called once on the loop and may free the note. */
struct note {
    struct list node;
    void (*run)(struct note *note);
};

/** Returns owned; close with inbox_close(). Loop thread. */
struct inbox *inbox_open(uv_loop_t *loop, struct err *err);
/** Any thread while the inbox is open. */
void inbox_post(struct inbox *inbox, struct note *note);
/** Loop thread. Notes posted before are run, later ones must not come; frees on a later turn. */
void inbox_close(struct inbox *inbox);

#endif
