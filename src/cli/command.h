/* cli/command.h - the commands of the program, as a table that src/main.c fills.
 *
 * Parsing, help, completion and the check of the manual read this table: a command has verbs, or
 * one verb whose name is "", or (outside of cli/) reads its command line itself by its options. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli.h"

/** Ends with a NULL name. Names that begin with "__" are not listed. */
struct command {
    const char *name;
    const char *synopsis; /* of a command that reads its command line itself: "[options]" */
    const char *help;     /* one line */
    /** Reads its command line itself; argv[0] is the name. Returns the exit status. NULL: verbs. */
    int (*run)(int argc, char **argv);
    /* What follows may be left out. */
    const struct verb *verbs;
    const struct opt *options;   /* beside run */
    const struct key_help *keys; /* of its screen */
    const char *group;           /* heading in help, the same for neighbours */
};

/** Another word for a command, or for a verb of it. */
struct alias {
    const char *name, *command, *verb;
};
/** Ends with a NULL name. */
extern const struct alias command_aliases[];

/** Run the command that argv (of main) names, or the one called "serve" when none is named. */
int command_dispatch(const struct command *commands, int argc, char **argv);

/** By its name or another word for it; NULL when there is none. */
const struct command *command_find(const struct command *commands, const char *name);
/** NULL when there is none. */
const struct verb *verb_find(const struct command *command, const char *name);
/** Say that there is no such verb, and what may have been meant; the exit status. */
int command_unknown_verb(const struct command *command, const char *word);
/** False when the command is its only verb. */
bool command_has_verbs(const struct command *command);
/** True when help and completion name it. */
bool command_listed(const struct command *command);

#endif
