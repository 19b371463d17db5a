/* tui/list.h - the rows of a view: which columns, which rows, in which order. Pure. */
#ifndef TUI_LIST_H
#define TUI_LIST_H

#include "model.h"
#include "ui.h"

#define TABLE_COLUMNS 64

/** The columns of a view and their widths on a screen. */
struct table {
    struct column columns[TABLE_COLUMNS]; /* copies; --columns may name fields */
    int widths[TABLE_COLUMNS];
    size_t count;
};

extern const struct column *const view_columns[VIEWS];

/** Choose the columns of ui->view for width cells and share the width out. largest_id: for the
 *  width of the column "id". */
void table_lay_out(struct table *t, const struct ui *ui, int width, int64_t largest_id);
/** Append the text of a cell (not cleaned). */
void table_cell(const struct column *column, const struct item *item,
                const struct column_context *ctx, struct buf *out, enum role *role);

/** The rows that are shown, in their order. {0} is empty. Pointers into the model. */
struct list {
    const struct item **rows;
    size_t count, cap;
    size_t total; /* before the filter */
    int64_t largest_id;
};
/** Does a row pass the filter? NULL: all do. */
typedef bool list_filter_fn(void *ctx, const struct row *row);
void list_build(struct list *list, const struct model *m, const struct ui *ui,
                list_filter_fn *filter, void *ctx);
void list_clear(struct list *list);
/** The index of a row by its id, or -1. */
int64_t list_find(const struct list *list, int64_t id);
/** Where the selection stands now; a row that has gone leaves its place. -1 in an empty list.
 *  Updates what state knows about it. */
int64_t list_selected(const struct list *list, struct table_state *state, bool follow);

#endif
