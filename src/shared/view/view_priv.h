/* view/view_priv.h - what the files of the view share. */
#ifndef VIEW_VIEW_PRIV_H
#define VIEW_VIEW_PRIV_H

#include <cjson/cJSON.h>

#include "core/record.h"

/** "2031-04-05T06:07:08.090000Z", or null. */
void view_put_iso(cJSON *o, const char *key, int64_t wall_us);
/** "2031-04-05 06:07:08 UTC", or null. */
void view_put_time(cJSON *o, const char *key, int64_t wall_us);
/** The compact form of a count. */
void view_put_compact(cJSON *o, const char *key, int64_t n);

#endif
