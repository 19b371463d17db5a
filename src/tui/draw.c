#include "draw.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guard.h"
#include "keys.h"
#include "terminfo.h"

#define ESCAPE_DELAY_MS 25

static struct {
    SCREEN *screen;
    FILE *in, *out; /* the terminal, when stdin is something else */
    bool color;
    bool active;
} term_state;

bool draw_possible(const char **why)
{
    const char *term = getenv("TERM");

    *why = NULL;
    if (!isatty(STDOUT_FILENO))
        return false;
    if (!term || !*term) {
        *why = "TERM is not set";
        return false;
    }
    if (!terminfo_setup(STDOUT_FILENO)) {
        *why = "the terminal is of an unknown type";
        return false;
    }
    if (!terminfo_text("cup"))
        *why = "the cursor of this terminal cannot be placed";
    terminfo_release();
    return !*why;
}

static void start_colors(bool color)
{
    static const short colors[] = {
        [ROLE_LIVE] = COLOR_CYAN, [ROLE_STREAM] = COLOR_GREEN, [ROLE_WARN] = COLOR_YELLOW,
        [ROLE_ERROR] = COLOR_RED, [ROLE_ODD] = COLOR_MAGENTA,
    };

    term_state.color = color && has_colors() && COLORS >= 8;
    if (!term_state.color)
        return;
    start_color();
    use_default_colors();
    for (short role = ROLE_LIVE; role <= ROLE_ODD; role++)
        init_pair(role, colors[role], -1);
}

static FILE *open_input(void)
{
    if (isatty(STDIN_FILENO))
        return stdin;
    term_state.in = fopen("/dev/tty", "re");
    return term_state.in;
}

int draw_start(bool color, struct err *err)
{
    FILE *in = open_input();

    if (!in)
        return err_set(err, ERR_FAILED, "there is no terminal to read keys from");
    guard_terminal(fileno(in));
    term_state.screen = newterm(NULL, stdout, in);
    if (!term_state.screen)
        return err_set(err, ERR_FAILED, "the terminal cannot be used");
    set_term(term_state.screen);
    set_escdelay(ESCAPE_DELAY_MS);
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    curs_set(0);
    start_colors(color);
    term_state.active = true;
    guard_screen(true);
    return 0;
}

void draw_stop(void)
{
    if (!term_state.active)
        return;
    term_state.active = false;
    endwin();
    guard_screen(false);
    delscreen(term_state.screen);
    term_state.screen = NULL;
    if (term_state.in)
        fclose(term_state.in);
    term_state.in = NULL;
}

void draw_size(int *width, int *height)
{
    getmaxyx(stdscr, *height, *width);
}

void draw_resized(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
}

int draw_fd(void)
{
    return term_state.in ? fileno(term_state.in) : STDIN_FILENO;
}

/* ---- output ---- */

static attr_t attributes(const struct cell *c)
{
    attr_t a = A_NORMAL;

    if (c->flags & CELL_REVERSE)
        a |= A_REVERSE;
    if ((c->flags & CELL_BOLD) || c->role == ROLE_ERROR ||
        (c->role == ROLE_WARN && !term_state.color))
        a |= A_BOLD;
    if (c->role == ROLE_DIM && term_state.color)
        a |= A_DIM;
    return a;
}

static short pair_of(const struct cell *c)
{
    return (short)(term_state.color && c->role >= ROLE_LIVE && c->role <= ROLE_ODD ? c->role : 0);
}

static bool same_look(const struct cell *a, const struct cell *b)
{
    return a->role == b->role && a->flags == b->flags;
}

static void draw_line(const struct grid *g, int y)
{
    char text[4096];

    for (int x = 0; x < g->width;) {
        const struct cell *first = grid_cell(g, y, x);
        size_t len = 0;

        move(y, x);
        while (x < g->width && same_look(grid_cell(g, y, x), first) &&
               len + CELL_TEXT < sizeof(text)) {
            const struct cell *c = grid_cell(g, y, x++);

            memcpy(text + len, c->text, c->len);
            len += c->len;
        }
        attr_set(attributes(first), pair_of(first), NULL);
        addnstr(text, (int)len);
    }
}

void draw_grid(const struct grid *g, struct grid *previous)
{
    size_t line = (size_t)g->width * sizeof(struct cell);
    bool all = g->width != previous->width || g->height != previous->height;

    if (all) {
        grid_reset(previous, g->width, g->height);
        erase();
    }
    for (int y = 0; y < g->height; y++) {
        struct cell *old = &previous->cells[(size_t)y * (size_t)g->width];
        const struct cell *new = &g->cells[(size_t)y * (size_t)g->width];

        if (!all && memcmp(old, new, line) == 0)
            continue;
        draw_line(g, y);
        memcpy(old, new, line);
    }
    if (g->cursor_y >= 0) {
        move(g->cursor_y, g->cursor_x);
        curs_set(1);
    } else {
        curs_set(0);
    }
    refresh();
}

void draw_again(struct grid *previous)
{
    grid_clear(previous);
    clearok(stdscr, TRUE);
}

void draw_raw(struct str bytes)
{
    fflush(stdout);
    while (bytes.len > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes.ptr, bytes.len);

        if (n <= 0)
            return;
        bytes = str_from(bytes, (size_t)n);
    }
}

/* ---- keys ---- */

int draw_key(void)
{
    static const struct {
        int curses, ours;
    } keys[] = {
        {KEY_UP, K_UP},         {KEY_DOWN, K_DOWN},     {KEY_LEFT, K_LEFT},
        {KEY_RIGHT, K_RIGHT},   {KEY_PPAGE, K_PAGE_UP}, {KEY_NPAGE, K_PAGE_DOWN},
        {KEY_HOME, K_HOME},     {KEY_END, K_END},       {KEY_BACKSPACE, K_BACKSPACE},
        {KEY_DC, K_DELETE},     {KEY_BTAB, K_BACK_TAB}, {KEY_ENTER, K_ENTER},
        {KEY_RESIZE, K_RESIZE},
    };
    wint_t key;
    int rc = get_wch(&key);

    if (rc == ERR)
        return K_NONE;
    if (rc == OK)
        return key == 0x7F || key == 8 ? K_BACKSPACE : (int)key;
    if (key >= KEY_F(1) && key <= KEY_F(10))
        return K_F1 + (int)key - KEY_F(1);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if ((wint_t)keys[i].curses == key)
            return keys[i].ours;
    return K_NONE;
}
