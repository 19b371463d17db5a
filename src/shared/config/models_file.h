/* config/models_file.h - startup routes and default fixes, from a file or a variable. */
#ifndef CONFIG_MODELS_FILE_H
#define CONFIG_MODELS_FILE_H

#include "core/route.h"

/** {0} is empty: no routes, no fixes. */
struct models {
    struct arena arena; /* the texts */
    struct route *routes;
    size_t route_count, key_count; /* of routes with a literal key */
    struct str fixes_json;         /* default fixes; STR_NONE: not said */
};

/** Read text, which came from source (a path or a variable, for messages): an array of routes or an
 *  object with model_routes and default_fixes. ERR_INVALID with one line that names source, the
 *  position of the route from 1, and a code in brackets. Release with models_clear() in any case.
 */
int models_parse(struct models *m, struct str text, const char *source, struct err *err);
/** The same from a file. */
int models_load(struct models *m, const char *path, struct err *err);
/** Default fixes given as JSON in a variable. */
int models_default_fixes(struct models *m, struct str text, const char *source, struct err *err);
/** Wipes the keys. */
void models_clear(struct models *m);

#endif
