#include "screen.h"

#include "screen_priv.h"
#include "text/term.h"

static enum level level_of(int width, int height)
{
    if (width >= 160 && height >= 48)
        return LEVEL_160;
    if (width >= 120 && height >= 36)
        return LEVEL_120;
    if (width >= 80 && height >= 24)
        return LEVEL_80;
    return LEVEL_60;
}

struct filtering {
    const struct filter *filter;
    int64_t active_run;
};

static bool passes(void *ctx, const struct row *row)
{
    const struct filtering *f = ctx;

    return filter_matches_json(f->filter, row->text, f->active_run);
}

void screen_refresh(struct screen *s, const struct model *m, const struct ui *ui,
                    const struct filter *filter)
{
    struct filtering f = {filter, model_int(m, "active_run.id")};

    list_build(&s->list, m, ui, filter ? passes : NULL, &f);
}

static bool row_has(const struct screen *s, const struct item *item, struct str text,
                    struct buf *cell)
{
    struct column_context ctx = {0, FORMAT_TIME_AUTO};
    enum role role;

    for (size_t i = 0; i < s->table.count; i++) {
        if (s->table.columns[i].kind == KIND_AGE)
            continue;
        table_cell(&s->table.columns[i], item, &ctx, cell, &role);
        if (str_ifind(buf_str(cell), text) >= 0)
            return true;
    }
    return false;
}

int64_t screen_find(const struct screen *s, struct str text, int64_t from, bool forward)
{
    int64_t count = (int64_t)s->list.count, found = -1;
    struct buf cell = {0};

    for (int64_t i = 1; i <= count && found < 0; i++) {
        int64_t at = (forward ? from + i : from - i + count) % count;

        if (row_has(s, s->list.rows[at], text, &cell))
            found = at;
    }
    buf_clear(&cell);
    return found;
}

const struct item *screen_selected(const struct screen *s, struct ui *ui)
{
    struct table_state *state = &ui->tables[ui->view];
    int64_t at = list_selected(&s->list, state, ui->follow);

    return at < 0 || state->gone ? NULL : s->list.rows[at];
}

static void draw_all(struct drawing *d)
{
    int y, footer, pane;

    if (d->ui->detail.id) {
        detail_draw(d);
        overlay_draw(d);
        return;
    }
    y = header_draw(d);
    footer = footer_height(d);
    pane = pane_height(d);

    d->screen->pane = pane > 0;
    table_draw(d, y, d->height - y - footer - pane);
    if (pane > 0)
        pane_draw(d, d->height - footer - pane, pane);
    footer_draw(d, d->height - footer);
    overlay_draw(d);
}

void screen_draw(struct screen *s, const struct model *m, struct ui *ui, int width, int height)
{
    struct drawing d = {
        .screen = s,
        .g = &s->grid,
        .m = m,
        .ui = ui,
        .level = level_of(width, height),
        .width = width,
        .height = height,
        .now_us = m->filled ? m->now_us : ROW_UNKNOWN,
        .flags = ui->ascii ? (unsigned)TERM_ASCII : 0,
        .selected = screen_selected(s, ui),
    };

    if (m->filled && m->now_us != ROW_UNKNOWN)
        d.now_us += ui->monotonic_us - m->answered_us;
    s->grid.ascii = ui->ascii;
    grid_reset(&s->grid, width, height);
    if (width < SCREEN_MIN_WIDTH || height < SCREEN_MIN_HEIGHT)
        grid_put(&s->grid, 0, 0, width, STR("window too small (40x8 at least)"), PLAIN);
    else
        draw_all(&d);
    buf_clear(&d.text);
    buf_clear(&d.clean);
}

void screen_clear(struct screen *s)
{
    grid_clear(&s->grid);
    list_clear(&s->list);
}
