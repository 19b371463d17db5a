/* daemon/record/reader.h - threads with a read-only store each, for the API's queries. */
#ifndef RECORD_READER_H
#define RECORD_READER_H

#include "base/err.h"
#include "daemon/inbox.h"
#include "store/store.h"

struct readers;

/** run is called on a reader thread, done afterwards on the loop of home. Embed it. */
struct job {
    struct note note;
    struct inbox *home;                                /* borrowed until done ran */
    void (*run)(struct job *job, struct store *store); /* store is NULL when it cannot be opened */
    void (*done)(struct job *job);
};

/** Start count threads. Stores are opened on first use. Returns owned, readers_stop(). */
struct readers *readers_start(const char *path, unsigned count, struct err *err);
/** Loop thread. False when too many jobs wait (answer 503): job is still yours. */
bool readers_submit(struct readers *readers, struct job *job);
/** Ends the threads; jobs that did not run get done() through their inbox all the same. */
void readers_stop(struct readers *readers);

#endif
