/* tui/grid.h - a screen as a grid of cells with roles, made without a terminal.
 *
 * What is shown is worked out into a grid (screen.h); draw.h brings it to the terminal, tests read
 * it as text. Text that is put must be cleaned (text/term.h). One thread at a time. */
#ifndef TUI_GRID_H
#define TUI_GRID_H

#include "base/buf.h"
#include "cli/columns.h"

/** What a cell has besides the role of its text. */
enum { CELL_BOLD = 1, CELL_REVERSE = 2 };

#define CELL_TEXT 17 /* bytes of a character and its marks; marks beyond it are not drawn */

struct cell {
    char text[CELL_TEXT];
    unsigned char len;
    unsigned char width; /* 1; 2 for a wide character; 0 for the cell under its second half */
    unsigned char role;  /* enum role */
    unsigned char flags;
};

/** {0} is empty. */
struct grid {
    int width, height;
    struct cell *cells;
    bool ascii;             /* nothing but ASCII of our own */
    int cursor_y, cursor_x; /* -1: hidden */
};

struct look {
    enum role role;
    unsigned flags;
};
#define PLAIN ((struct look){ROLE_NONE, 0})

/** Make it width x height and blank. */
void grid_reset(struct grid *g, int width, int height);
void grid_clear(struct grid *g);
/** Put text from (y, x) on, at most max cells of it, cut without a mark; returns the cells used.
 *  What is outside the grid is not drawn. */
int grid_put(struct grid *g, int y, int x, int max, struct str clean, struct look look);
/** The same in exactly width cells: padded, or cut with a mark at its end. */
void grid_fit(struct grid *g, int y, int x, int width, bool right, struct str clean,
              struct look look);
/** n times one character of ours: a horizontal line. */
void grid_repeat(struct grid *g, int y, int x, int n, const char *glyph, struct look look);
/** Add flags to n cells. */
void grid_mark(struct grid *g, int y, int x, int n, unsigned flags);
/** Give all cells of a line the role, where they have none of their own. */
void grid_fade(struct grid *g, int y, enum role role);
const struct cell *grid_cell(const struct grid *g, int y, int x);

/** Characters of our own: the first in UTF-8, the second in ASCII. */
static inline const char *grid_glyph(const struct grid *g, const char *utf8, const char *ascii)
{
    return g->ascii ? ascii : utf8;
}

/** Append the lines without blanks at their ends. */
void grid_text(const struct grid *g, struct buf *out);
/** Append what is not plain: "3: 0-79 reverse" a run. */
void grid_looks(const struct grid *g, struct buf *out);

#endif
