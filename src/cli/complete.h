/* cli/complete.h - what a shell may offer for the word under the cursor. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "command.h"

#define COMPLETE_MAX 200

/** The values that begin with a word, in the order they are offered. */
struct completion {
    const struct command *commands;
    struct str prefix; /* what a value begins with; borrowed */
    struct str before; /* goes before each value: "--json=id,"; borrowed */
    const char *command;
    const char *provider; /* the argument PROVIDER that was given, or NULL */
    struct buf out;       /* "value TAB explanation LF"; buf_clear() */
    size_t count;
    bool files; /* file names instead */
};

/** Work out the values of words[index]; words[0] is the program. words may be longer. */
void complete_word(struct completion *c, size_t index, const char *const *words, size_t count);
/** Add a value that begins with the prefix and holds nothing that a terminal obeys. */
void complete_add(struct completion *c, struct str value, struct str about);
/** Add values of a kind ("RUN") from the server or file that url and database name, either NULL.
 *  Says nothing when there is none. False when the kind is not known. */
bool complete_data(struct completion *c, const char *kind, const char *url, const char *database);

#endif
