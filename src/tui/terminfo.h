/* tui/terminfo.h - what the terminal can do. Apart from the rest because <term.h> makes macros of
 * common words. */
#ifndef TUI_TERMINFO_H
#define TUI_TERMINFO_H

#include <stdbool.h>

/** Look the type of the terminal up (TERM); false when it is unknown. */
bool terminfo_setup(int fd);
/** Forget it, before curses looks it up for itself. */
void terminfo_release(void);
/** A capability as text, with its delays; NULL when the terminal does not have it. */
const char *terminfo_text(const char *name);

#endif
