/* tui/graph.h - numbers over time as characters. Pure. */
#ifndef TUI_GRAPH_H
#define TUI_GRAPH_H

#include "base/str.h"
#include "grid.h"

enum graph_alphabet { GRAPH_ASCII, GRAPH_BLOCK, GRAPH_BRAILLE };

/** 0 to what? The next of 1 1.2 1.5 2 3 4 5 6 8 x 10^n at or above max; 0 for 0. */
double graph_scale(double max);
/** The largest of count values; 0 without any. */
double graph_max(const double *values, size_t count);

/** The last width values (2 x width in braille) on one line, the newest on the right. */
void graph_spark(struct grid *g, int y, int x, int width, const double *values, size_t count,
                 enum graph_alphabet alphabet);
/** The last width values as columns, height lines, with the scale in the 5 cells before x. */
void graph_draw(struct grid *g, int y, int x, int width, int height, const double *values,
                size_t count, enum graph_alphabet alphabet);

#endif
