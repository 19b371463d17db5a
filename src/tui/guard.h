/* tui/guard.h - signals, and a terminal that is given back whatever happens.
 *
 * Signals that end or change something become bytes in a pipe that the main loop reads. A crash
 * writes a string that was prepared at the start, restores the terminal's settings, says one line
 * and leaves the signal to whoever handled it before. */
#ifndef TUI_GUARD_H
#define TUI_GUARD_H

#include "base/err.h"
#include "base/str.h"

/** Install the handlers. */
int guard_start(struct err *err);
/** Install them once more, after somebody else had the terminal. */
void guard_again(void);
/** Readable when there was a signal. */
int guard_fd(void);
/** The next signal, or 0. */
int guard_signal(void);
/** Remember the settings of the terminal fd and how its screen is left; before curses changes
 *  them. */
void guard_terminal(int fd);
/** The screen is ours, or no longer. */
void guard_screen(bool ours);
/** Die of signal as a program does that knows nothing of it. Does not return. */
void guard_die(int signal) __attribute__((noreturn));
/** Stop, as Ctrl-Z does; returns when continued. */
void guard_suspend(void);

#endif
