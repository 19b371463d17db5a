/* cli/output_file.h - a file instead of stdout, which appears when it is complete. */
#ifndef CLI_OUTPUT_FILE_H
#define CLI_OUTPUT_FILE_H

#include "base/err.h"
#include "base/str.h"

/** Make stdout a new file beside name, removed when a signal ends us. One at a time. */
int output_start(const char *name, struct err *err);
/** Put it in its place. */
int output_keep(const char *name, struct err *err);
/** Remove what output_start() made. */
void output_drop(void);
/** Write bytes to a file of that name, which is replaced when they are there. */
int output_save(const char *name, struct str bytes, struct err *err);

#endif
