/* What lies over the rest: help, menus, questions, and the line that is being typed. */
#include <stdio.h>

#include "keys.h"
#include "screen_priv.h"
#include "text/term.h"

static const struct look FRAME = {ROLE_NONE, CELL_REVERSE};

/* Text of somebody else, cleaned, cut at width. */
static int put_text(struct drawing *d, int y, int x, int width, struct str text, struct look look)
{
    struct err ignored;

    d->clean.len = 0;
    term_clean(&d->clean, text, d->flags, &ignored);
    return grid_put(d->g, y, x, width, buf_str(&d->clean), look);
}

/* ---- help ---- */

static const char *const help_states[] = {
    "rcv  request body arriving       ok   done",
    "con  connecting                  429  and the like: status of the answer",
    "pre  sent, no content yet        err  error inside of an answer",
    "str  content arrives             fix  changed by a compatibility fix",
    "STL  silent for long             cut  the answer ended too early",
    "pen  unfinished row of a file    tmo  timeout",
    "kil  cancelled here              cxl  the client went away",
    "~    estimated                   -    not known",
};
#define STATES ((int)(sizeof(help_states) / sizeof(help_states[0])))

static int key_rows(void)
{
    int n = 0;

    while (top_keys[n].keys)
        n++;
    return n;
}

/* Line i of the help. */
static void help_line(struct drawing *d, int y, int i)
{
    int keys = key_rows();
    struct look bold = {ROLE_NONE, CELL_BOLD};

    if (i < keys) {
        grid_put(d->g, y, 2, 27, str_c(top_keys[i].keys), bold);
        grid_put(d->g, y, 30, d->width - 31, str_c(top_keys[i].help), PLAIN);
    } else if (i == keys + 1) {
        grid_put(d->g, y, 2, d->width, STR("Column ST"), bold);
    } else if (i > keys + 1 && i < keys + 2 + STATES) {
        grid_put(d->g, y, 2, d->width - 2, str_c(help_states[i - keys - 2]), PLAIN);
    }
}

static void draw_help(struct drawing *d)
{
    int lines = key_rows() + 2 + STATES, room = d->height - 2;
    int most = lines > room ? lines - room : 0;

    if (d->ui->help_top > most)
        d->ui->help_top = most;
    for (int y = 0; y < d->height; y++)
        grid_repeat(d->g, y, 0, d->width, " ", y == 0 || y == d->height - 1 ? FRAME : PLAIN);
    grid_put(d->g, 0, 1, d->width - 1, STR("top: keys and states"), FRAME);
    for (int i = 0; i < room && d->ui->help_top + i < lines; i++)
        help_line(d, 1 + i, d->ui->help_top + i);
    grid_put(d->g, d->height - 1, 1, d->width - 1,
             most > 0 ? STR("Up Down scroll   q closes") : STR("q closes"), FRAME);
}

/* ---- menus ---- */

static void draw_menu(struct drawing *d)
{
    const struct menu *m = &d->ui->menu;
    int width = d->width - 8 < 56 ? d->width - 8 : 56;
    int rows = m->count < d->height - 5 ? m->count : d->height - 5;
    int top = m->at >= rows ? m->at - rows + 1 : 0;
    int x = (d->width - width) / 2, y = (d->height - rows - 2) / 2;

    for (int i = 0; i < rows + 2; i++)
        grid_repeat(d->g, y + i, x, width, " ", i == 0 ? FRAME : PLAIN);
    grid_put(d->g, y, x + 1, width - 2, str_c(m->title), FRAME);
    for (int i = 0; i < rows; i++) {
        int at = top + i;
        char key[8];

        snprintf(key, sizeof(key), m->items[at].key ? "%c" : " ", m->items[at].key);
        grid_put(d->g, y + 1 + i, x, 1, at == m->at ? STR(">") : STR(" "), PLAIN);
        grid_put(d->g, y + 1 + i, x + 2, 1, str_c(key), (struct look){ROLE_NONE, CELL_BOLD});
        put_text(d, y + 1 + i, x + 4, width - 5, str_c(m->items[at].text), PLAIN);
        if (at == m->at)
            grid_mark(d->g, y + 1 + i, x, width, CELL_REVERSE);
    }
    grid_put(d->g, y + rows + 1, x + 1, width - 2, STR("Enter takes it, Esc closes"),
             (struct look){ROLE_DIM, 0});
}

/* ---- the bottom lines ---- */

static void clear_line(struct drawing *d, int y)
{
    grid_repeat(d->g, y, 0, d->width, " ", PLAIN);
}

static void draw_confirm(struct drawing *d)
{
    char text[440];
    int y = d->height - 1, cells;
    struct err ignored;

    snprintf(text, sizeof(text), "%s [y/N]", d->ui->confirm.question);
    d->clean.len = 0;
    term_clean(&d->clean, str_c(text), d->flags, &ignored);
    cells = (int)term_cells(buf_str(&d->clean));
    /* What does not fit on one line begins on the line above. */
    if (cells > d->width - 2) {
        size_t at = 0, used = 0, wide;

        while (used < (size_t)d->width - 2) {
            at += term_next(str_from(buf_str(&d->clean), at), CELL_TEXT, &wide);
            used += wide;
        }
        while (at > 0 && d->clean.ptr[at - 1] != ' ')
            at--;
        clear_line(d, y - 1);
        grid_put(d->g, y - 1, 1, d->width - 2, str_cut(buf_str(&d->clean), at),
                 (struct look){ROLE_WARN, CELL_BOLD});
        buf_drop(&d->clean, at);
    }
    clear_line(d, y);
    grid_put(d->g, y, 1, d->width - 2, buf_str(&d->clean), (struct look){ROLE_WARN, CELL_BOLD});
}

static const char *const prompt_labels[PROMPT_KINDS] = {"",           "filter: ", "/",
                                                        "run name: ", "notes: ",  "save as: "};

/* How many cells of the text are scrolled out so that the cursor can be seen. */
static size_t prompt_skip(struct str before, int room)
{
    size_t cells = term_cells(before), skip = 0, wide;

    while (cells >= (size_t)room && before.len > skip) {
        skip += term_next(str_from(before, skip), CELL_TEXT, &wide);
        cells -= wide;
    }
    return skip;
}

static void draw_error(struct drawing *d, int y, int x)
{
    const struct prompt *p = &d->ui->prompt;
    int at = x + (int)p->error_at, marks = (int)p->error_len;

    if (at + marks + 2 + (int)strlen(p->error) > d->width) {
        put_text(d, y, 1, d->width - 2, str_c(p->error), (struct look){ROLE_ERROR, 0});
        return;
    }
    grid_repeat(d->g, y, at, marks > 0 ? marks : 1, "^", (struct look){ROLE_ERROR, 0});
    put_text(d, y, at + (marks > 0 ? marks : 1) + 1, d->width, str_c(p->error),
             (struct look){ROLE_ERROR, 0});
}

static void draw_prompt(struct drawing *d)
{
    const struct prompt *p = &d->ui->prompt;
    const char *label = prompt_labels[p->kind];
    int y = d->height - 2, x = 1 + (int)strlen(label), room = d->width - x - 1;
    struct look look = {p->error[0] ? ROLE_ERROR : ROLE_NONE, CELL_BOLD};
    struct str text = buf_str(&p->text);
    size_t skip = prompt_skip(str_cut(text, p->cursor), room);

    clear_line(d, y);
    clear_line(d, y + 1);
    grid_put(d->g, y, 1, d->width, str_c(label), PLAIN);
    put_text(d, y, x, room, str_from(text, skip), look);
    d->g->cursor_y = y;
    d->g->cursor_x = x + (int)term_cells((struct str){text.ptr + skip, p->cursor - skip});
    if (p->error[0])
        draw_error(d, y + 1, x);
    else
        put_text(d, y + 1, 1, d->width - 2, str_c(p->note), (struct look){ROLE_DIM, 0});
}

void overlay_draw(struct drawing *d)
{
    switch (d->ui->overlay) {
    case OVERLAY_NONE:
        break;
    case OVERLAY_HELP:
        draw_help(d);
        break;
    case OVERLAY_CONFIRM:
        draw_confirm(d);
        break;
    case OVERLAY_MENU:
        draw_menu(d);
        break;
    }
    if (d->ui->prompt.kind != PROMPT_NONE)
        draw_prompt(d);
}
