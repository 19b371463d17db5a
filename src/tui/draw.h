/* tui/draw.h - the terminal: a grid on it, keys from it. The only user of curses; one thread.
 *
 * It works on a terminal that it opens itself, so that input and output of the program stay as they
 * are, and gives it back as it was on every way out (guard.h). */
#ifndef TUI_DRAW_H
#define TUI_DRAW_H

#include "base/err.h"
#include "grid.h"

/** True when there is a terminal on which the cursor can be placed; else *why says what is missing,
 *  NULL when stdout is no terminal. */
bool draw_possible(const char **why);
/** Take the terminal. ERR_FAILED. */
int draw_start(bool color, struct err *err);
/** Give it back; safe to call at any time. */
void draw_stop(void);
void draw_size(int *width, int *height);
/** The size has changed. */
void draw_resized(void);
/** Show g; previous is what is shown now and becomes a copy of g. */
void draw_grid(const struct grid *g, struct grid *previous);
/** Everything anew, as after Ctrl-L. */
void draw_again(struct grid *previous);
/** The next key (keys.h), K_NONE when there is none yet. */
int draw_key(void);
/** The terminal's file descriptor for poll(). */
int draw_fd(void);
/** Write bytes to the terminal past the screen: for OSC 52. */
void draw_raw(struct str bytes);

#endif
