/* config/serve_options.h - the options of "serve": parsed, printed and documented from one table.
 */
#ifndef CONFIG_SERVE_OPTIONS_H
#define CONFIG_SERVE_OPTIONS_H

#include "base/opt.h"

/** Ends with a NULL name. */
extern const struct opt serve_options[];

#endif
