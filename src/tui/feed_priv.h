/* tui/feed_priv.h - the feed without a server: the database file, read-only. */
#ifndef TUI_FEED_PRIV_H
#define TUI_FEED_PRIV_H

#include "cli/row.h"
#include "cli/source.h"

/** {0}: nothing is known. All calls: the feed's thread. */
struct offline {
    char *path;      /* the database of the last server */
    int64_t version; /* of the file, as it was read last */
    bool read;
};

/** Remember which database an answer of /api/live names. */
void offline_note(struct offline *o, struct str answer);
/** The server is gone: turn source to its file when that is here and no server holds it. */
bool offline_start(struct offline *o, struct source *source);
/** A server holds the file's lock again: source is turned to it. */
bool offline_server_is_back(struct offline *o, struct source *source);
/** Write an object like that of /api/live. 1; 0: nothing has changed since the last one; -1. */
int offline_read(struct offline *o, struct source *source, struct buf *out, struct err *err);
void offline_clear(struct offline *o);

#endif
