/* cli/synopsis.h - the arguments of a verb, read from its synopsis: what help shows is what is
 * checked and completed.
 *
 * "RUN" is wanted, "[RUN]" may be left out, "RUN..." and "[RUN]..." may be repeated, "on|off" (in
 * small letters) is one of these words; "[options]" and what begins with "-" are no arguments.
 * "ROUTE | --model NAME": an option may stand for the argument. */
#ifndef CLI_SYNOPSIS_H
#define CLI_SYNOPSIS_H

#include "base/opt.h"

#define ARGUMENTS_MAX 8

struct argument {
    struct str name; /* borrows the synopsis */
    bool optional, repeated;
};

/** Returns how many there are. */
size_t synopsis_read(const char *synopsis, struct argument out[ARGUMENTS_MAX]);
/** ERR_INVALID when one is missing, too many, or not one of the words there are. */
int synopsis_check(const char *synopsis, const struct opts *opts, struct err *err);
/** ERR_INVALID unless word is one of "a|b|c"; true of all words when there is no "|". what names
 * it:
 *  "--color: ", or nothing. */
int choice_check(const char *what, struct str choices, const char *word, struct err *err);

#endif
