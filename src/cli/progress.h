/* cli/progress.h - one line on stderr about a long job: only on a terminal, not with --quiet, from
 * half a second on, at most ten times a second, and gone at the end. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli.h"

#define GROUPED_SIZE 40

struct progress {
    const char *name; /* "import" */
    bool wanted;
    int64_t started_us, drawn_us;
    int width; /* of what is there to erase */
};

void progress_start(struct progress *p, const struct cli *cli, const char *name);
/** total 0: unknown. Cheap while nothing is drawn. */
void progress_tell(struct progress *p, int64_t done, int64_t total);
void progress_end(struct progress *p);

/** 20311 as "20 311"; what is not known (below 0) is "?". Returns out. */
char *grouped(int64_t n, char out[GROUPED_SIZE]);

/** "1 route", "20 311 routes". Returns out. */
#define COUNTED_SIZE 80
char *counted(int64_t n, const char *one, char out[COUNTED_SIZE]);

#endif
