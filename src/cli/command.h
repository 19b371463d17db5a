/* cli/command.h - the commands of the program, as a table that src/main.c fills. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/opt.h"

/** Everything of one command; ends with a NULL name. */
struct command {
    const char *name;
    const char *synopsis; /* "list|show|tail" */
    const char *help;     /* one line */
    /** argv[0] is the command's name. Returns the exit status. */
    int (*run)(int argc, char **argv);
};

/** Run the command that argv (of main) names, or the one called "serve" when none is named. */
int command_dispatch(const struct command *commands, int argc, char **argv);

#endif
