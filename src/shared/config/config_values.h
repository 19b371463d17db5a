/* config/config_values.h - saved settings as people see and change them. */
#ifndef CONFIG_CONFIG_VALUES_H
#define CONFIG_CONFIG_VALUES_H

#include <cjson/cJSON.h>

#include "config/config.h"

/** An array of {"key","value","default","source","overridden_by","applies","type","help"}: what the
 *  next start would use. Returns owned, NULL on error. */
cJSON *config_values(const struct config *c, struct store *store, struct err *err);
/** Check all members of an object {key: value}, then save all; null removes. Values are numbers,
 *  flags or texts. ERR_INVALID names the key; nothing is written then. The
 *  caller has a transaction. */
int config_save(struct store *store, const cJSON *values, struct err *err);

#endif
