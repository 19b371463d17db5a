/* core/fix_ids.h - lists of compatibility fixes, as they are given and as they are kept. */
#ifndef CORE_FIX_IDS_H
#define CORE_FIX_IDS_H

#include <cjson/cJSON.h>

#include "base/buf.h"

/** A fix that can be named; i from 0, NULL after the last. */
struct fix_info {
    const char *id, *name, *description, *risk_note;
    const char *endpoint;  /* the only one that it looks at */
    bool streaming, plain; /* answers that it can change */
};
const struct fix_info *fix_info(size_t i);

/** Append the JSON array of the ids in value: NULL or null (none), an array of texts, or one text
 *  split at commas and line breaks. ERR_INVALID says what is wrong; *code (may be NULL) gets
 *  fix_not_string, fixes_wrong_type, unknown_fix or duplicate_fix. */
int fix_ids(struct buf *out, const cJSON *value, const char **code, struct err *err);

#endif
