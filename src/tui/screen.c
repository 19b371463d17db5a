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

void screen_refresh(struct screen *s, const struct model *m, const struct ui *ui)
{
    list_build(&s->list, m, ui, NULL, NULL);
}

const struct item *screen_selected(const struct screen *s, struct ui *ui)
{
    struct table_state *state = &ui->tables[ui->view];
    int64_t at = list_selected(&s->list, state, ui->follow);

    return at < 0 || state->gone ? NULL : s->list.rows[at];
}

static void draw_all(struct drawing *d)
{
    int y = header_draw(d);
    int footer = footer_height(d), pane = pane_height(d);

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
        .now_us = m->now_us,
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
