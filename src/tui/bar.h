/* tui/bar.h - a line of pieces, of which the last ones fall off when there is no room. */
#ifndef TUI_BAR_H
#define TUI_BAR_H

#include "grid.h"

#define BAR_PIECES 64

/** {0} is empty; bar_clear(). */
struct bar {
    struct buf text;
    struct {
        size_t end;
        struct look look;
    } pieces[BAR_PIECES];
    size_t count;
    bool ascii;
};

/** Append a piece, with the blanks that part it from the one before; it is cleaned here. */
void bar_add(struct bar *b, struct look look, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int bar_cells(const struct bar *b);
/** Put the pieces that fit between x and end, the first one cut if it must be. Returns the cell
 *  behind them. */
int bar_put(const struct bar *b, struct grid *g, int y, int x, int end);
/** The same, ending at end. Returns the cell it begins at. */
int bar_put_right(const struct bar *b, struct grid *g, int y, int end);
void bar_clear(struct bar *b);

#endif
