/* tui/screen_priv.h - what the parts of a screen share. */
#ifndef TUI_SCREEN_PRIV_H
#define TUI_SCREEN_PRIV_H

#include "bar.h"
#include "screen.h"
#include "text/format.h"
#include "wrap.h"

enum level { LEVEL_60, LEVEL_80, LEVEL_120, LEVEL_160 };

/** One drawing. */
struct drawing {
    struct screen *screen;
    struct grid *g;
    const struct model *m;
    struct ui *ui;
    enum level level;
    int width, height;
    int64_t now_us; /* the server's clock, run on by ours */
    unsigned flags; /* of term_clean() */
    const struct item *selected;
    struct buf text, clean; /* scratch */
};

/** A number of the last answer as people read it; "-" when it is not known. */
struct num {
    char text[FORMAT_SIZE];
};
struct num num_count(const struct model *m, const char *path);
struct num num_int(const struct model *m, const char *path);
struct num num_duration(const struct model *m, const char *path);
struct num num_bytes(const struct model *m, const char *path);
/** A rate: two decimals below 100, then compact. */
struct num num_rate(double rate);
/** A share as percent, one decimal at most. */
struct num num_share(double share);

/** Text of the answer, cleaned; "" when it is not there. Borrowed until the next call. */
struct str clean_text(struct drawing *d, const struct row *row, const char *path);
/** "14:02:07" in the local zone. */
struct num clock_text(int64_t wall_us);

/** The lines of the header and of the views; returns the first line below them. */
int header_draw(struct drawing *d);
/** Lines y..y+height: the columns' titles and the rows. */
void table_draw(struct drawing *d, int y, int height);
/** The selected request: a rule at y and lines below it, height in all. */
void pane_draw(struct drawing *d, int y, int height);
/** Model, provider, state, bytes and gaps of the selected request. */
void pane_summary(struct drawing *d, struct bar *b);
/** How many lines the pane has with its rules; 0 without one. */
int pane_height(const struct drawing *d);
/** Messages and keys at the bottom; footer_height() lines. */
int footer_height(const struct drawing *d);
void footer_draw(struct drawing *d, int y);
/** One request on the whole screen. */
void detail_draw(struct drawing *d);
/** Fold what is known of the text of a request in flight or just finished; false without any. */
bool live_text_fold(struct drawing *d, int64_t id, struct wrapped *w, int width);
/** What lies over the rest: help, menus. */
void overlay_draw(struct drawing *d);

/** Where the right half of wide screens begins. */
static inline int split_column(const struct drawing *d)
{
    return d->width - 55;
}

#endif
