/* cli/shell.h - words of a shell command that may hold anything. */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include "base/buf.h"

/** Append s as one word: '...', or $'...' with \x1b escapes where it holds what a terminal must not
 *  see. s has no NUL. */
int shell_quote(struct buf *out, struct str s, struct err *err);
/** The same as "...", in which variable (no $) stands for each *** of s. */
int shell_quote_variable(struct buf *out, struct str s, const char *variable, struct err *err);

#endif
