/* ops/previews.h - the last previews of price lists: what is applied is what was shown. Any thread.
 */
#ifndef OPS_PREVIEWS_H
#define OPS_PREVIEWS_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/sync.h"

struct previews {
    pthread_mutex_t lock; /* of all but fetching */
    struct sync_preview *items[SYNC_PREVIEWS];
    unsigned next;
    char prefix[9];        /* of ids: those of another process are no ids here */
    _Atomic bool fetching; /* a list is being fetched: one at a time */
};

/** prefix is copied, its first 8 bytes. */
void previews_init(struct previews *p, const char *prefix);
void previews_clear(struct previews *p);
/** Name the preview and keep a reference to it; the oldest one goes. */
void previews_remember(struct previews *p, struct sync_preview *preview);
/** A reference; NULL when there is none of that id, or no longer. */
struct sync_preview *previews_recall(struct previews *p, struct str id);

#endif
