/* cli/run_name.h - the run that a word means: an id, a name (the newest of that name), "active",
 * "paused" (the newest that is), "last" (the newest), or name:TEXT for a name that looks otherwise.
 */
#ifndef CLI_RUN_NAME_H
#define CLI_RUN_NAME_H

#include "source.h"

struct run_name {
    int64_t id;
    struct buf name; /* empty when only the id is known */
    char status[16]; /* the same */
};
void run_name_clear(struct run_name *run);

/** Find the run. ERR_NOT_FOUND. An id is taken as it is, whether there is such a run or not.
 *  Release with run_name_clear(), also after an error. */
int run_name_find(struct source *source, const char *word, struct run_name *run, struct err *err);

#endif
