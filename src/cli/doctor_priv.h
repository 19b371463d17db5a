/* cli/doctor_priv.h - what the checks of "doctor" share. */
#ifndef CLI_DOCTOR_PRIV_H
#define CLI_DOCTOR_PRIV_H

#include "out.h"
#include "row.h"
#include "source.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct doctor {
    struct cli *cli;
    struct out out;
    struct source source;
    bool asks;    /* source is open */
    bool failed;  /* a check said FAIL */
    bool stopped; /* stdout cannot be written; err tells */
    struct err err;
    struct buf text; /* of the last answer */
    struct row row;  /* reads it */
};

/** Print the result of a check; hint may be NULL. */
void doctor_say(struct doctor *d, enum verdict verdict, const char *check, const char *hint,
                const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** Ask for an object, which d->row reads then. -1 with d->err filled. */
int doctor_ask(struct doctor *d, const char *path, const char *query);
/** The text of a member of d->row, at most size bytes; "" when unknown. Returns out. */
const char *doctor_text(struct doctor *d, const char *path, char *out, size_t size);

/** Server, its queue, clock and address; database, disk. */
void doctor_server(struct doctor *d);
void doctor_database(struct doctor *d);
/** Upstream, keys, routes, prices. */
void doctor_upstream(struct doctor *d);
void doctor_models(struct doctor *d);
void doctor_routes(struct doctor *d);
/** One streaming request by this model. */
void doctor_stream(struct doctor *d, const char *model);

#endif
