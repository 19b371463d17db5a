/* The table: titles, rows, and what stands there while there are none. */
#include <stdio.h>

#include "screen_priv.h"
#include "text/term.h"

/* The title of a column, with the mark of the order. */
static void put_title(struct drawing *d, int y, int x, const struct column *c, int width)
{
    const struct table_state *state = &d->ui->tables[d->ui->view];
    bool sorted = state->sort && strcmp(state->sort->id, c->id) == 0;
    struct look look = {ROLE_NONE, CELL_REVERSE | (sorted ? (unsigned)CELL_BOLD : 0)};
    char title[64];

    snprintf(title, sizeof(title), "%.*s%s", sorted ? width - 1 : width, c->title,
             !sorted          ? ""
             : state->reverse ? "v"
                              : "^");
    grid_fit(d->g, y, x, width, c->right, str_c(title), look);
}

static void draw_titles(struct drawing *d, int y)
{
    const struct table *t = &d->screen->table;
    int x = 1;

    grid_repeat(d->g, y, 0, d->width, " ", (struct look){ROLE_NONE, CELL_REVERSE});
    for (size_t i = 0; i < t->count; i++) {
        put_title(d, y, x, &t->columns[i], t->widths[i]);
        x += t->widths[i] + 1;
    }
}

static void draw_row(struct drawing *d, int y, const struct item *item, bool selected)
{
    const struct table *t = &d->screen->table;
    struct column_context ctx = {d->now_us, FORMAT_TIME_AUTO};
    struct err ignored;
    enum role role;
    int x = 1;

    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];

        table_cell(c, item, &ctx, &d->text, &role);
        d->clean.len = 0;
        term_clean(&d->clean, buf_str(&d->text), d->flags, &ignored);
        grid_fit(d->g, y, x, t->widths[i], c->right, buf_str(&d->clean), (struct look){role, 0});
        x += t->widths[i] + 1;
    }
    if (selected) {
        grid_put(d->g, y, 0, 1, STR(">"), PLAIN);
        grid_mark(d->g, y, 0, d->width, CELL_REVERSE);
    }
    if (d->ui->source == SOURCE_RETRY)
        grid_fade(d->g, y, ROLE_DIM);
}

/* ---- nothing to show ---- */

static void hint(struct drawing *d, int y, const char *before, const char *what, const char *after)
{
    struct bar b = {.ascii = d->g->ascii};

    bar_add(&b, PLAIN, " %s%s%s", before, what, after);
    bar_put(&b, d->g, y, 0, d->width);
    bar_clear(&b);
}

static void draw_empty(struct drawing *d, int y, int height)
{
    static const char *const nothing[VIEWS] = {"no requests yet", "no runs", "no models",
                                               "no upstreams"};
    struct buf base = {0};

    if (height < 2)
        return;
    if (!d->m->filled) {
        hint(d, y + 1, d->ui->source == SOURCE_RETRY ? "no answer from " : "connecting to ",
             d->ui->url ? d->ui->url : "the server",
             d->ui->source == SOURCE_RETRY ? ", trying again" : "...");
        return;
    }
    if (d->screen->list.total > 0) {
        hint(d, y + 1, "no requests match ", d->ui->filter.ptr ? d->ui->filter.ptr : "", "");
        return;
    }
    hint(d, y + 1, nothing[d->ui->view], "", "");
    if (d->ui->view == VIEW_REQUESTS && height > 5 &&
        model_text(d->m, "server.client_base_url", &base)) {
        hint(d, y + 3, "clients use the base URL ", base.ptr, ", try");
        hint(d, y + 4, "  curl ", base.ptr, "/models");
    }
    buf_clear(&base);
}

/* ---- the table ---- */

/* Keep the selected row on the screen and no line empty that could show one. */
static void scroll(struct table_state *state, int64_t selected, int64_t count, int64_t rows)
{
    if (rows < 1)
        rows = 1;
    if (selected >= 0 && selected < state->top)
        state->top = selected;
    if (selected >= state->top + rows)
        state->top = selected - rows + 1;
    if (state->top > count - rows)
        state->top = count - rows;
    if (state->top < 0)
        state->top = 0;
}

void table_draw(struct drawing *d, int y, int height)
{
    struct table_state *state = &d->ui->tables[d->ui->view];
    const struct list *list = &d->screen->list;
    int rows = height - 1;
    int64_t selected = list_selected(list, state, d->ui->follow);

    table_lay_out(&d->screen->table, d->ui, d->width, list->largest_id);
    draw_titles(d, y);
    d->ui->page = rows > 1 ? rows : 1;
    scroll(state, selected, (int64_t)list->count, rows);
    if (list->count == 0) {
        draw_empty(d, y + 1, rows);
        return;
    }
    for (int i = 0; i < rows && state->top + i < (int64_t)list->count; i++) {
        int64_t at = state->top + i;

        draw_row(d, y + 1 + i, list->rows[at], at == selected && !state->gone);
    }
}
