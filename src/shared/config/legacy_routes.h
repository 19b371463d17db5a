/* config/legacy_routes.h - routes that an old version kept as one setting. */
#ifndef CONFIG_LEGACY_ROUTES_H
#define CONFIG_LEGACY_ROUTES_H

#include "store/store.h"

/** Make stored routes of the setting model_routes_json and delete it, in one transaction. Nothing
 * is done without that setting, or when a person has stored routes already. A value that cannot be
 *  read, or that holds literal keys, which are never stored, is left alone with a warning. */
int legacy_routes_adopt(struct store *store, struct err *err);

#endif
