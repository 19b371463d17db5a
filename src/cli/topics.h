/* cli/topics.h - what "help TOPIC" explains, and the tables behind it: environment, exit codes. */
#ifndef CLI_TOPICS_H
#define CLI_TOPICS_H

#include "command.h"

/** Each list ends with a NULL name. */
struct topic {
    const char *name, *help; /* one line */
    const char *text;        /* NULL: made of a table */
};
extern const struct topic help_topics[];

struct variable {
    const char *name, *help;
    const char *group; /* heading */
};
extern const struct variable help_variables[];

struct exit_code {
    int code;
    const char *name, *help;
};
extern const struct exit_code help_exit_codes[];

/** NULL when there is none. */
const struct topic *topic_find(const char *name);
/** Append its text. */
void topic_text(const struct topic *topic, const struct command *commands, struct buf *out);

#endif
