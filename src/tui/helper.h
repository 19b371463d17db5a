/* tui/helper.h - a verb of this program run beside the screen: its output becomes text to show.
 *
 * What "requests show" and "requests curl" print is thus made in one place. One helper at a time;
 * the main loop waits for its fd. */
#ifndef TUI_HELPER_H
#define TUI_HELPER_H

#include <sys/types.h>

#include "base/buf.h"

#define HELPER_MAX ((size_t)64 << 20) /* bytes of output that are kept */

/** {0}: none runs. */
struct helper {
    pid_t pid;
    int fd, errors; /* of its output; a file with what it said on stderr */
    struct buf out;
    char message[512]; /* what it said when it failed, without the program's name */
    int status;        /* its exit status */
};

/** Run the program with words (ends with NULL). A helper that runs is ended before. */
int helper_start(struct helper *h, const char *const *words, struct err *err);
static inline bool helper_runs(const struct helper *h)
{
    return h->pid > 0;
}
/** Its output is readable: take it. True when it has ended; out, status and message are filled. */
bool helper_read(struct helper *h);
/** End it and forget what it wrote. */
void helper_stop(struct helper *h);

#endif
