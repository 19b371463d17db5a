/* store/store_import.h - a database of the Python llm-observe-proxy 0.6 into ours.
 *
 * What is there already stays as it is: rows that came with an earlier import are known by their
 * old id and time, configuration by its name. So an import may be repeated, and one that was
 * interrupted goes on where it stopped. */
#ifndef STORE_STORE_IMPORT_H
#define STORE_STORE_IMPORT_H

#include "store/store.h"

#define IMPORT_TABLES 8
#define IMPORT_REASONS 12
#define IMPORT_REASON_SIZE 200

/** Why rows were left out, or what was left out of rows. */
struct import_reason {
    char text[IMPORT_REASON_SIZE];
    int64_t count, first; /* the number of the first such row */
};

struct import_table {
    const char *name; /* in the old database */
    bool missing;     /* it has no such table */
    int64_t read;     /* written + known + skipped */
    int64_t written;
    int64_t known; /* were there already */
    int64_t skipped;
    struct import_reason reasons[IMPORT_REASONS], notes[IMPORT_REASONS];
    size_t reason_count, note_count;
    char unknown_columns[400]; /* separated by blanks */
};

struct import_report {
    struct import_table tables[IMPORT_TABLES];
};

struct import_options {
    bool dry_run;      /* write nothing */
    bool count_tokens; /* of answers for which none were recorded */
    void (*progress)(void *ctx, int64_t done, int64_t total); /* total 0: unknown; may be NULL */
    void *ctx;
};

/** Whether path is such a database; ERR_UNREACHABLE, ERR_STORE. */
int store_import_check(const char *path, struct err *err);
/** Take over what is in the database at path. One transaction for each batch of rows. The caller
 *  holds the instance lock. *report is filled also when it fails: what is written until then stays.
 */
int store_import(struct store *store, const char *path, const struct import_options *options,
                 struct import_report *report, struct err *err);

#endif
