/* cli/version.h - the program and what it is built with. */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

#include "base/buf.h"

/** Append the object of "version --json". */
void version_put_json(struct buf *out);

#endif
