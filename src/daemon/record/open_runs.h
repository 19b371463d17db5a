/* daemon/record/open_runs.h - the runs that are open, in memory: which run a request belongs to is
 * decided when it arrives, without the database.
 *
 * The table is read from the store at the start and after each change of a run, before the call
 * that changed it is answered. A run that a request starts by its name is here at once and in the
 * database when the writer comes to it. */
#ifndef RECORD_OPEN_RUNS_H
#define RECORD_OPEN_RUNS_H

#include "daemon/record/recorder.h"

struct open_runs;

/** Returns owned, open_runs_free(), after the recorder has stopped. */
struct open_runs *open_runs_new(void);
void open_runs_free(struct open_runs *runs);
/** Any thread. Read what is open from the store. */
int open_runs_load(struct open_runs *runs, struct store *store, struct err *err);

/** Any thread, lock-free. The active run; UNKNOWN: none. */
int64_t open_runs_active(const struct open_runs *runs);
/** An id for a run that store, in a transaction, is about to get: other processes start runs too.
 */
int open_runs_new_id(struct open_runs *runs, struct store *store, int64_t *id, struct err *err);
/** Any thread, never waits for the database. The newest open run of that name, trimmed; when there
 *  is none it is started at now_us, open beside the active run and stored by the recorder. A name
 *  that no run may have gives the active run; one too many gives UNKNOWN: not the run of others. */
int64_t open_runs_named(struct open_runs *runs, struct str name, int64_t now_us,
                        struct recorder *recorder);
/** Any thread. Append the name of a run; false when it is not open (any more). */
bool open_runs_name(struct open_runs *runs, int64_t id, struct buf *out);

#endif
