/* cli/where.h - the option --where. */
#ifndef CLI_WHERE_H
#define CLI_WHERE_H

#include "cli.h"
#include "filter/filter.h"

#define WHERE_OPTION                                                                               \
    {                                                                                              \
        "where", 0, OPT_TEXT, "EXPR", "that match this filter, see \"help filter\""                \
    }

/** False when --where is given and wrong: it is printed what and where, *status is for exit. */
bool where_check(const struct cli *cli, enum filter_scope scope, int *status);
/** Append what "help filter" says. */
void where_help(struct buf *out);

#endif
