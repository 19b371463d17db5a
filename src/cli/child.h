/* cli/child.h - a command that runs in our place: in a process group of its own, which is the
 * terminal's foreground group where ours was. Ctrl-C and Ctrl-Z reach it and not us; SIGINT,
 * SIGQUIT, SIGTERM and SIGHUP sent to us are passed on to the group; when it stops we stop, and
 * when we go on it goes on. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <signal.h>
#include <sys/types.h>
#include <termios.h>

#include "base/err.h"
#include "base/str.h"

struct child {
    pid_t pid; /* and its group; 0: not started */
    bool over;
    int status; /* of waitpid() once it is over */
    /* private */
    int tty;         /* the controlling terminal, or -1 */
    bool foreground; /* the child has the terminal */
    bool has_modes;
    struct termios modes;
    sigset_t watched, before;
};

/** Signals wait from now on. Release with child_close(). */
void child_init(struct child *c);
/** Take the terminal back, and let signals through again. */
void child_close(struct child *c);

/** ERR_NOT_FOUND or ERR_DENIED unless name can be executed, looked up as execvp() does. */
int child_find(const char *name, struct err *err);
/** Start it. ERR_NOT_FOUND, ERR_DENIED, ERR_FAILED. */
int child_start(struct child *c, char *const *argv, struct err *err);
/** Look after it until it is over, at most ms. */
void child_wait(struct child *c, int64_t ms);
/** Sleep, when it is over. False when a signal wants us to end. */
bool child_pause(struct child *c, int64_t ms);
/** Send a signal to all of the group. */
void child_signal(struct child *c, int number);
/** True while there is anything of the group. */
bool child_group_lives(struct child *c);

#endif
