/* tui/screen.h - what is shown, as a pure function: model + choices of the user + size -> grid.
 *
 * Four layouts, made for 60x15, 80x24, 120x36 and 160x48; sizes between them take the next smaller
 * one. Columns follow the width alone. Only the scroll position in ui is changed. */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include "filter/filter.h"
#include "grid.h"
#include "list.h"
#include "model.h"
#include "ui.h"

#define SCREEN_MIN_WIDTH 40
#define SCREEN_MIN_HEIGHT 8

/** {0} is empty. */
struct screen {
    struct grid grid;
    struct list list;
    struct table table;
    bool pane; /* it was drawn */
};

/** The rows have changed, or their filter (NULL: none) or order. */
void screen_refresh(struct screen *s, const struct model *m, const struct ui *ui,
                    const struct filter *filter);
void screen_draw(struct screen *s, const struct model *m, struct ui *ui, int width, int height);
void screen_clear(struct screen *s);

/** The index of the next row (of the one before) whose visible cells have text in any case, or -1.
 *  Starts behind from and goes round. */
int64_t screen_find(const struct screen *s, struct str text, int64_t from, bool forward);

/** The row that the selection means, or NULL. */
const struct item *screen_selected(const struct screen *s, struct ui *ui);

#endif
