/* The bottom: problems or what an action brought, and the bar of keys. */
#include <stdio.h>

#include "keys.h"
#include "screen_priv.h"
#include "text/term.h"
#include "json/json_scan.h"

/* The bar of keys by layout: levels with this key, the key, what it does. */
#define AT(level) (1u << LEVEL_##level)
#define WIDE (AT(120) | AT(160))
#define ALL (AT(60) | AT(80) | WIDE)
static const struct {
    unsigned levels;
    const char *key, *text;
} bar_keys[] = {
    {ALL, "F1", "Help"},         {ALL, "F3", "Find"},
    {ALL, "F4", "Filter"},       {AT(80) | WIDE, "F5", "Pane"},
    {ALL, "F6", "Sort"},         {AT(80) | WIDE, "F7", "Run"},
    {ALL, "F9", "Cancel"},       {ALL, "F10", "Quit"},
    {ALL, "Enter", " open"},     {WIDE, "c", " curl"},
    {WIDE, "o", " pager"},       {AT(160), "y", " json"},
    {WIDE, "f", " follow"},      {AT(80) | WIDE, "p", " pause"},
    {AT(160), "e/E", " errors"}, {AT(160), "u", " run"},
    {AT(160), "m", " model"},
};

static bool changes(const char *key)
{
    return strcmp(key, "F7") == 0 || strcmp(key, "F9") == 0;
}

static void draw_keys(struct drawing *d, int y)
{
    static const char *const gaps[] = {" ", " ", "  ", "  "};
    static const char *const gaps_enter[] = {"  ", " ", "   ", "   "};
    struct bar b = {.ascii = d->g->ascii};
    bool letters = false;

    for (size_t i = 0; i < sizeof(bar_keys) / sizeof(bar_keys[0]); i++) {
        const char *gap = letters && d->level == LEVEL_160 ? "   " : gaps[d->level];
        bool grey = d->ui->read_only && changes(bar_keys[i].key);

        if (!(bar_keys[i].levels & (1u << d->level)))
            continue;
        if (strcmp(bar_keys[i].key, "Enter") == 0) {
            gap = gaps_enter[d->level];
            letters = true;
        }
        bar_add(&b, PLAIN, "%s", b.count == 0 ? " " : gap);
        bar_add(&b, (struct look){grey ? ROLE_DIM : ROLE_NONE, CELL_REVERSE}, "%s",
                bar_keys[i].key);
        bar_add(&b, (struct look){grey ? ROLE_DIM : ROLE_NONE, 0}, "%s", bar_keys[i].text);
    }
    bar_put(&b, d->g, y, 0, d->width);
    bar_clear(&b);
}

/* ---- messages ---- */

/* The problem that stands number places before the last one. */
static bool find_problem(const struct drawing *d, int number, struct row *row)
{
    struct str array;
    struct json_iter it;
    int count = 0;

    if (!row_get(&d->m->top, "problems", &array) || json_type_of(array) != JSON_ARRAY)
        return false;
    it = json_iter(array);
    while (json_next(&it))
        count++;
    it = json_iter(array);
    for (int i = 0; json_next(&it); i++)
        if (i == count - 1 - number)
            return row_read(row, it.value);
    return false;
}

static void draw_problem(struct drawing *d, int y, int number)
{
    struct row row = {0};
    struct bar b = {.ascii = d->g->ascii};
    int64_t id;

    if (find_problem(d, number, &row)) {
        id = row_int(&row, "id");
        bar_add(&b, PLAIN, " %s", clock_text(row_time(&row, "at")).text);
        if (id != ROW_UNKNOWN)
            bar_add(&b, PLAIN, "  %lld", (long long)id);
        bar_put(&b, d->g, y, 0, d->width);
        grid_fit(d->g, y, bar_cells(&b) + (id == ROW_UNKNOWN ? 2 : 1), d->width - bar_cells(&b) - 2,
                 false, clean_text(d, &row, "text"), PLAIN);
    }
    bar_clear(&b);
    row_clear(&row);
}

static void draw_message(struct drawing *d, int y)
{
    struct look look = {d->ui->message_error ? ROLE_ERROR : ROLE_NONE, CELL_BOLD};

    grid_repeat(d->g, y, 0, d->width, " ", PLAIN);
    grid_fit(d->g, y, 1, d->width - 2, false, str_c(d->ui->message), look);
}

int footer_height(const struct drawing *d)
{
    static const int heights[] = {1, 2, 2, 3};

    return heights[d->level];
}

void footer_draw(struct drawing *d, int y)
{
    int messages = footer_height(d) - 1;
    bool message = d->ui->message[0] != '\0';

    for (int i = 0; i < messages; i++)
        if (!message || i < messages - 1)
            draw_problem(d, y + i, messages - 1 - i);
    if (messages > 0 || !message)
        draw_keys(d, y + messages);
    if (message)
        draw_message(d, messages > 0 ? y + messages - 1 : y);
}
