/* tui/snapshot.h - top without a screen: header numbers and rows, or the object of /api/live. */
#ifndef TUI_SNAPSHOT_H
#define TUI_SNAPSHOT_H

#include "cli/out.h"
#include "filter/filter.h"

extern const struct out_spec snapshot_rows;

/** Print as many snapshots as --count says (with --json and without --count: until interrupted).
 *  filter may be NULL. Returns the exit status. */
int snapshot_print(struct cli *cli, const struct filter *filter, int64_t interval_ms);

#endif
