/* cli/help.h - help, made of the tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "command.h"

/** Each prints on stdout and returns the exit status. */
int help_program(const struct command *commands);
int help_command(const struct command *command);
int help_verb(const struct command *command, const struct verb *verb);

/** Append a line for each verb. */
void help_list_verbs(struct buf *out, const struct command *command);
/** ERR_INVALID: unknown WHAT "WORD"OF, and what it may have meant. Returns -1. */
int help_unknown(const char *what, const char *word, const char *of, const char *const *names,
                 size_t n, struct err *err);

/** The command "help". */
extern const struct verb help_verbs[];

#endif
