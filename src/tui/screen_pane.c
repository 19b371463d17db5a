/* The pane: the selected request and its text as it arrives; on wide screens models and upstreams
 * beside it. */
#include <stdio.h>
#include <stdlib.h>

#include "screen_priv.h"
#include "text/term.h"
#include "wrap.h"
#include "json/json_scan.h"

#define GAPS_MAX 512

int pane_height(const struct drawing *d)
{
    static const int lines[] = {0, 3, 7, 10}, heights[] = {15, 24, 36, 48};
    int own;

    if (d->ui->view != VIEW_REQUESTS || d->ui->pane == PANE_OFF)
        return 0;
    if (d->level == LEVEL_60)
        return d->ui->pane == PANE_ON ? d->height / 2 : 0;
    own = lines[d->level] + (d->height - heights[d->level]) / 4;
    return own + 1 + (d->level == LEVEL_160);
}

/* The width of what is about the request. */
static int pane_width(const struct drawing *d)
{
    return d->level == LEVEL_160 ? split_column(d) : d->width;
}

/* ---- title ---- */

/* What a column of the table shows, unless it is not known. */
static void add_cell(struct drawing *d, struct bar *b, const char *before, const char *column,
                     const char *after)
{
    struct column_context ctx = {d->now_us, FORMAT_TIME_AUTO};
    const struct column *c = column_find(request_columns, str_c(column));
    enum role role;

    column_text(c, &d->selected->row, &ctx, &d->text, &role);
    if (d->text.len > 0 && strcmp(d->text.ptr, "-") != 0)
        bar_add(b, PLAIN, "%s%s%s", before, d->text.ptr, after);
}

void pane_summary(struct drawing *d, struct bar *b)
{
    add_cell(d, b, " ", "model", "");
    add_cell(d, b, " > ", "provider", "");
    if (d->level > LEVEL_80) {
        add_cell(d, b, "   ", "st", "");
        add_cell(d, b, " ", request_finished(&d->selected->row) ? "dur" : "age", "");
    }
    add_cell(d, b, "   ", "bytes", "");
    add_cell(d, b, "  ", "events", d->level > LEVEL_80 ? " events" : " ev");
    add_cell(d, b, "  gap ", "gap", "");
    add_cell(d, b, "  max ", "maxgap", "");
}

static void draw_title(struct drawing *d, int y)
{
    const char *dash = grid_glyph(d->g, "─", "-");
    struct bar b = {.ascii = d->g->ascii}, run = {.ascii = d->g->ascii};
    int x;

    grid_repeat(d->g, y, 0, d->width, dash, PLAIN);
    if (!d->selected) {
        grid_put(d->g, y, 2, d->width, STR(" no request selected "), PLAIN);
        return;
    }
    add_cell(d, &b, " ", "id", "");
    pane_summary(d, &b);
    x = bar_put(&b, d->g, y, 2, pane_width(d) - 4);
    grid_put(d->g, y, x, 1, STR(" "), PLAIN);
    if (d->level == LEVEL_120) {
        add_cell(d, &run, " run ", "run", " ");
        if (bar_cells(&run) > 0 && x + bar_cells(&run) + 4 < d->width)
            bar_put_right(&run, d->g, y, d->width - 2);
    }
    bar_clear(&b);
    bar_clear(&run);
}

/* ---- text ---- */

struct labels {
    const char *user, *think, *text, *tool, *error, *cut;
    int cells;
};

static struct labels labels_of(const struct drawing *d)
{
    static const struct labels none = {"", "", "", "", "", "", 1};
    static const struct labels narrow = {"user", "think", "asst", "tool", "error", "", 7};
    static const struct labels wide = {"user", "think", "asst", "tool", "error", "", 9};

    return d->level == LEVEL_160 ? wide : d->level == LEVEL_120 ? narrow : none;
}

static bool is_text(const struct row *item)
{
    struct str kind;

    return row_get(item, "kind", &kind) && json_string_is(kind, STR("text"));
}

static void add_item(struct drawing *d, struct wrapped *w, const struct row *item, int width,
                     bool cursor)
{
    struct labels labels = labels_of(d);
    const char *label = labels.text;
    struct str kind = STR_NONE;

    d->text.len = 0;
    row_get(item, "kind", &kind);
    if (json_string_is(kind, STR("reasoning")))
        label = labels.think;
    if (json_string_is(kind, STR("tool_call"))) {
        label = labels.tool;
        if (row_text(item, "name", &d->text))
            buf_put(&d->text, STR(" "));
    }
    row_text(item, "text", &d->text);
    if (cursor)
        buf_put(&d->text, STR("_"));
    wrap_add(w, label, buf_str(&d->text), (size_t)width, d->flags, row_true(item, "open"));
}

/* In a small pane there is room for one item: the text that grows, else the last one. */
static bool only_item(struct str items, struct row *out)
{
    struct json_iter it = json_iter(items);
    struct row row = {0};
    bool found = false;

    while (json_next(&it)) {
        if (!row_read(&row, it.value))
            continue;
        if (found && is_text(out) && row_true(out, "open"))
            continue;
        row_read(out, it.value);
        found = true;
    }
    row_clear(&row);
    return found;
}

static size_t last_text(struct str items)
{
    struct json_iter it = json_iter(items);
    struct row row = {0};
    size_t at = 0, last = SIZE_MAX;

    for (; json_next(&it); at++)
        if (row_read(&row, it.value) && is_text(&row))
            last = at;
    row_clear(&row);
    return last;
}

static void add_items(struct drawing *d, struct wrapped *w, struct str items, int width)
{
    bool running = !request_finished(&d->selected->row);
    size_t cursor = last_text(items), at = 0;
    struct row row = {0};
    struct json_iter it;

    if (d->level < LEVEL_120) {
        if (only_item(items, &row))
            add_item(d, w, &row, width, running && is_text(&row));
        row_clear(&row);
        return;
    }
    for (it = json_iter(items); json_next(&it); at++) {
        struct str kind;
        bool thought;

        if (!row_read(&row, it.value))
            continue;
        /* Where lines are few, what was thought makes room for what is said. */
        thought = row_get(&row, "kind", &kind) && json_string_is(kind, STR("reasoning"));
        if (thought && d->level == LEVEL_120 && cursor != SIZE_MAX)
            continue;
        add_item(d, w, &row, width, running && at == cursor);
    }
    row_clear(&row);
}

/* The text that is known of the selected request: its members, read into row. */
static bool read_text(const struct drawing *d, struct row *row)
{
    return d->m->text.ptr && row_read(row, d->m->text) && row_int(row, "id") == d->selected->id;
}

static void add_error(struct drawing *d, struct wrapped *w, int width)
{
    static const char *const members[] = {"error", "upstream_error_message"};

    for (size_t i = 0; i < 2; i++) {
        d->text.len = 0;
        if (!row_text(&d->selected->row, members[i], &d->text))
            continue;
        wrap_add(w, labels_of(d).error, buf_str(&d->text), (size_t)width, d->flags, -1);
        return;
    }
}

bool live_text_fold(struct drawing *d, int64_t id, struct wrapped *w, int width)
{
    struct row text = {0}, item = {0};
    struct str items;
    bool found = d->m->text.ptr && row_read(&text, d->m->text) && row_int(&text, "id") == id &&
                 row_get(&text, "items", &items) && json_type_of(items) == JSON_ARRAY;

    if (found) {
        struct buf line = {0};

        row_text(&text, "user", &line);
        wrap_add(w, NULL, STR("user"), (size_t)width, d->flags, 0);
        wrap_add(w, NULL, buf_str(&line), (size_t)width, d->flags, 0);
        buf_clear(&line);
        for (struct json_iter it = json_iter(items); json_next(&it);) {
            if (!row_read(&item, it.value))
                continue;
            wrap_add(w, NULL, STR(""), (size_t)width, d->flags, 0);
            d->text.len = 0;
            row_text(&item, "kind", &d->text);
            wrap_add(w, NULL, buf_str(&d->text), (size_t)width, d->flags, 0);
            add_item(d, w, &item, width, row_true(&item, "open"));
        }
    }
    row_clear(&text);
    row_clear(&item);
    return found;
}

static void put_label(struct drawing *d, int y, const char *label, bool growing)
{
    char text[16];

    if (d->level == LEVEL_160)
        snprintf(text, sizeof(text), " %-5s%s", label, growing ? ">" : " ");
    else
        snprintf(text, sizeof(text), " %s%s", label, growing ? ">" : "");
    grid_put(d->g, y, 0, 9, str_c(text), (struct look){ROLE_NONE, CELL_BOLD});
}

static void draw_text(struct drawing *d, int y, int lines)
{
    struct labels labels = labels_of(d);
    int width = pane_width(d) - labels.cells - (d->level == LEVEL_160);
    struct row text = {0};
    struct wrapped w = {0};
    struct str items;
    size_t from;

    if (read_text(d, &text)) {
        d->text.len = 0;
        if (d->level >= LEVEL_120 && row_text(&text, "user", &d->text)) {
            wrap_add(&w, labels.user, buf_str(&d->text), (size_t)width, d->flags, 0);
            w.count = w.count > 1 ? 1 : w.count;
        }
        if (row_get(&text, "items", &items) && json_type_of(items) == JSON_ARRAY)
            add_items(d, &w, items, width);
    }
    add_error(d, &w, width);
    from = w.count > (size_t)lines ? w.count - (size_t)lines : 0;
    for (size_t i = from; i < w.count; i++) {
        struct look look = {w.lines[i].tag < 0 ? ROLE_ERROR : ROLE_NONE, 0};

        if (w.lines[i].label && labels.cells > 1)
            put_label(d, y + (int)(i - from), w.lines[i].label, w.lines[i].tag > 0);
        grid_put(d->g, y + (int)(i - from), labels.cells, width, wrap_line(&w, i), look);
    }
    wrap_clear(&w);
    row_clear(&text);
}

/* ---- gaps and cost ---- */

static void draw_gaps(struct drawing *d, int y)
{
    int x = labels_of(d).cells, room = pane_width(d) - x - 1;
    double values[GAPS_MAX];
    size_t count = 0;
    struct row text = {0};
    struct str array;
    char note[40];

    if (!read_text(d, &text) || !row_get(&text, "gaps_ms", &array) ||
        json_type_of(array) != JSON_ARRAY)
        goto out;
    for (struct json_iter it = json_iter(array); count < GAPS_MAX && json_next(&it);) {
        int64_t ms;

        if (str_int64(it.value, &ms))
            values[count++] = (double)ms;
    }
    if (d->level == LEVEL_120)
        room -= 18;
    if (count > (size_t)room)
        memmove(values, values + count - (size_t)room, (size_t)room * sizeof(values[0]));
    count = count > (size_t)room ? (size_t)room : count;
    if (count == 0)
        goto out;
    grid_put(d->g, y, 1, 8, STR("gap"), PLAIN);
    graph_spark(d->g, y, x, (int)count, values, count, d->ui->alphabet);
    snprintf(note, sizeof(note), "  last %zu events", count);
    if (d->level == LEVEL_120)
        grid_put(d->g, y, x + (int)count, 24, str_c(note), PLAIN);
out:
    row_clear(&text);
}

static void draw_cost(struct drawing *d, int y)
{
    struct bar b = {.ascii = d->g->ascii};

    add_cell(d, &b, "in ", "in", "");
    add_cell(d, &b, " + out ", "out", "");
    add_cell(d, &b, " = ", "cost", "");
    if (b.count < 3) {
        bar_clear(&b);
        return;
    }
    add_cell(d, &b, "   ", "model", "");
    add_cell(d, &b, ", ", "provider", "");
    d->text.len = 0;
    if (row_text(&d->selected->row, "price_checked_at", &d->text))
        bar_add(&b, PLAIN, ", price checked %.10s", d->text.ptr);
    grid_put(d->g, y, 1, 8, STR("cost"), PLAIN);
    bar_put(&b, d->g, y, labels_of(d).cells, pane_width(d) - 1);
    bar_clear(&b);
}

/* ---- models and upstreams ---- */

static void add_name(struct drawing *d, struct bar *b, const struct row *row, const char *path,
                     int width)
{
    struct str name = clean_text(d, row, path);
    struct buf fitted = {0};
    struct err ignored;

    term_fit(&fitted, name.len > 0 ? name : STR("-"), (size_t)width, false, d->flags, &ignored);
    bar_add(b, PLAIN, " %s", fitted.ptr ? fitted.ptr : "");
    buf_clear(&fitted);
}

static void draw_model(struct drawing *d, int y, const struct row *row)
{
    struct bar b = {.ascii = d->g->ascii};
    char req[FORMAT_SIZE], err[FORMAT_SIZE], out[FORMAT_SIZE], tps[FORMAT_SIZE];
    bool bad = row_int(row, "errors") > 0;

    add_name(d, &b, row, "model", 17);
    bar_add(&b, PLAIN, "%5s req", format_count(req, row_int(row, "requests")));
    bar_add(&b, (struct look){bad ? ROLE_ERROR : ROLE_NONE, 0}, "%3s err",
            format_count(err, row_int(row, "errors")));
    bar_add(&b, PLAIN, "%7s out", format_count(out, row_int(row, "tokens.output")));
    bar_add(&b, PLAIN, "%7s/s", format_rate(tps, row_number(row, "generation_tps_p50")));
    bar_put(&b, d->g, y, split_column(d) + 1, d->width);
    bar_clear(&b);
}

/* What an upstream is called: its provider, else its host. */
static const char *upstream_name(struct drawing *d, const struct row *row)
{
    return clean_text(d, row, "provider_slug").len > 0 ? "provider_slug" : "host";
}

/* The longest name, within reason, so that the columns behind it stand in line. */
static int name_width(struct drawing *d)
{
    size_t width = 6;

    for (size_t i = 0; i < d->m->upstreams.count && i < 16; i++) {
        const struct row *row = &d->m->upstreams.rows[i].row;
        size_t cells = term_cells(clean_text(d, row, upstream_name(d, row)));

        if (cells > width)
            width = cells;
    }
    return width > 16 ? 16 : (int)width;
}

static void draw_upstream(struct drawing *d, int y, const struct row *row, int width)
{
    static const struct column state = {.id = "state", .kind = KIND_TEXT, .path = "state"};
    struct item item = {.row = *row};
    struct bar b = {.ascii = d->g->ascii};
    struct column_context ctx = {0, FORMAT_TIME_AUTO};
    char ttft[FORMAT_SIZE], trouble[32];
    int64_t limited = row_int(row, "rate_limited"), errors = row_int(row, "errors");
    enum role role;

    add_name(d, &b, row, upstream_name(d, row), width);
    bar_add(&b, PLAIN, "  %lld live",
            (long long)(row_int(row, "inflight") > 0 ? row_int(row, "inflight") : 0));
    bar_add(&b, PLAIN, "  ttft p50 %5s", format_duration(ttft, row_int(row, "ttft_ms_p50")));
    snprintf(trouble, sizeof(trouble), limited > 0 ? "%lld x 429" : "%lld err",
             (long long)(limited > 0  ? limited
                         : errors > 0 ? errors
                                      : 0));
    bar_add(&b, PLAIN, "  %-7s", trouble);
    table_cell(&state, &item, &ctx, &d->text, &role);
    bar_add(&b, (struct look){role, 0}, "  %s", d->text.ptr);
    bar_put(&b, d->g, y, split_column(d) + 1, d->width);
    bar_clear(&b);
}

static void draw_side_rule(struct drawing *d, int y, int end, const char *joint, const char *title)
{
    const char *dash = grid_glyph(d->g, "─", "-");
    int x = split_column(d);

    grid_put(d->g, y, x, 1, str_c(joint), PLAIN);
    grid_repeat(d->g, y, x + 1, end - x - 1, dash, PLAIN);
    grid_put(d->g, y, x + 3, d->width - x - 4, str_c(title), PLAIN);
}

/* The right half: lines y..y+height below the rule at y - 1. */
static void draw_side(struct drawing *d, int y, int height)
{
    const struct items *models = &d->m->models, *upstreams = &d->m->upstreams;
    int x = split_column(d), width = name_width(d), shown = (int)models->count;
    int below = (int)upstreams->count < height / 2 ? (int)upstreams->count : height / 2;

    if (shown > height - 1 - below)
        shown = height - 1 - below;
    draw_side_rule(d, y - 1, d->width, grid_glyph(d->g, "┬", "+"), " models, last hour ");
    for (int i = 0; i < height; i++)
        grid_put(d->g, y + i, x, 1, str_c(grid_glyph(d->g, "│", "|")), PLAIN);
    for (int i = 0; i < shown; i++)
        draw_model(d, y + i, &models->rows[i].row);
    draw_side_rule(d, y + shown, d->width - 1, grid_glyph(d->g, "├", "|"),
                   " upstreams, last hour ");
    for (int i = 0; i < (int)upstreams->count && shown + 1 + i < height; i++)
        draw_upstream(d, y + shown + 1 + i, &upstreams->rows[i].row, width);
}

void pane_draw(struct drawing *d, int y, int height)
{
    bool wide = d->level == LEVEL_160;
    int lines = height - 1 - wide;

    for (int i = 0; i < height; i++)
        grid_repeat(d->g, y + i, 0, d->width, " ", PLAIN);
    draw_title(d, y);
    if (d->selected && wide) {
        draw_text(d, y + 1, lines - 5);
        draw_gaps(d, y + 1 + lines - 4);
        draw_cost(d, y + 1 + lines - 3);
    } else if (d->selected && d->level == LEVEL_120) {
        draw_text(d, y + 1, lines - 3);
        draw_gaps(d, y + 1 + lines - 2);
    } else if (d->selected) {
        draw_text(d, y + 1, lines);
    }
    if (!wide)
        return;
    draw_side(d, y + 1, lines);
    grid_repeat(d->g, y + height - 1, 0, d->width, grid_glyph(d->g, "─", "-"), PLAIN);
    grid_put(d->g, y + height - 1, split_column(d), 1, str_c(grid_glyph(d->g, "┴", "+")), PLAIN);
}
