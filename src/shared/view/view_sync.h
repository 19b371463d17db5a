/* view/view_sync.h - rows of a catalogue sync as JSON. */
#ifndef VIEW_VIEW_SYNC_H
#define VIEW_VIEW_SYNC_H

#include <cjson/cJSON.h>

#include "core/sync.h"

/** The preview: options, items, total, counts. Returns owned. */
cJSON *view_sync(const struct sync_options *o, const struct sync_rows *rows);

#endif
