/* tui/top.h - the command "top": requests as they happen. */
#ifndef TUI_TOP_H
#define TUI_TOP_H

#include "cli/cli.h"

extern const struct verb top_verbs[];

#endif
