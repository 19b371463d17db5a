/* One request on the whole screen: head, tabs, text. */
#include <stdio.h>

#include "base/utf8.h"
#include "screen_priv.h"
#include "text/term.h"
#include "json/json_scan.h"

#define HEAD_LINES 3
#define SHOWN_MAX ((size_t)1 << 20)

const char *const detail_tab_names[DETAIL_TABS] = {"Chat", "Raw", "Headers", "Timing", "Cost"};

void detail_clear(struct detail *d)
{
    buf_clear(&d->head);
    buf_clear(&d->text);
    buf_clear(&d->record);
    wrap_clear(&d->lines);
    *d = (struct detail){0};
}

/* ---- text ---- */

static void fold_text(struct drawing *d, struct str text, int width)
{
    struct wrapped *w = &d->ui->detail.lines;
    char a[FORMAT_SIZE], b[FORMAT_SIZE], note[160];

    wrap_add(w, NULL, utf8_cut(text, SHOWN_MAX), (size_t)width, d->flags, 0);
    if (text.len <= SHOWN_MAX)
        return;
    snprintf(note, sizeof(note), "first %s of %s, o opens all",
             format_bytes_long(a, (int64_t)SHOWN_MAX), format_bytes_long(b, (int64_t)text.len));
    wrap_add(w, NULL, str_c(note), (size_t)width, d->flags, 1);
}

/* ---- timing ---- */

/* "head      |      ======          |  1.02s": from begin to end of total milliseconds. */
static void fold_phase(struct drawing *d, const char *name, int64_t begin, int64_t end,
                       int64_t total, int width)
{
    char took[FORMAT_SIZE], from[FORMAT_SIZE];
    struct buf line = {0};
    int cells = width - 44 < 8 ? 8 : width - 44, a, b;

    if (end == ROW_UNKNOWN || begin == ROW_UNKNOWN) {
        buf_printf(&line, "%-16s not recorded", name);
    } else {
        a = total > 0 ? (int)(begin * cells / total) : 0;
        b = total > 0 ? (int)(end * cells / total) : 0;
        a = a < 0 ? 0 : a > cells - 1 ? cells - 1 : a;
        b = b <= a ? a + 1 : b > cells ? cells : b;
        buf_printf(&line, "%-16s|", name);
        for (int i = 0; i < cells; i++)
            buf_put(&line, i >= a && i < b ? STR("=") : STR(" "));
        buf_printf(&line, "|%9s  at %s", format_duration(took, end - begin),
                   format_duration(from, begin));
    }
    wrap_add(&d->ui->detail.lines, NULL, buf_str(&line), (size_t)width, d->flags, 0);
    buf_clear(&line);
}

static void fold_number(struct drawing *d, const struct row *row, const char *name,
                        const char *path, bool duration, int width)
{
    char text[FORMAT_SIZE], line[128];
    int64_t n = row_int(row, path);

    if (n == ROW_UNKNOWN)
        snprintf(text, sizeof(text), "not recorded");
    else if (duration)
        format_duration(text, n);
    else
        snprintf(text, sizeof(text), "%lld", (long long)n);
    snprintf(line, sizeof(line), "%-16s %s", name, text);
    wrap_add(&d->ui->detail.lines, NULL, str_c(line), (size_t)width, d->flags, 0);
}

static void fold_timing(struct drawing *d, const struct row *row, int width)
{
    int64_t connect = row_int(row, "upstream_connect_ms"), total = row_int(row, "duration_ms");
    int64_t head = row_int(row, "upstream_headers_ms"), first = row_int(row, "first_byte_ms");
    int64_t content = row_int(row, "ttft_ms");
    int64_t begin = content != ROW_UNKNOWN ? content : first;

    fold_phase(d, "connect", 0, connect, total, width);
    fold_phase(d, "response head", connect == ROW_UNKNOWN ? 0 : connect, head, total, width);
    fold_phase(d, "first byte", head, first, total, width);
    fold_phase(d, "first content", first, content, total, width);
    fold_phase(d, "content", begin, total, total, width);
    fold_phase(d, "whole", 0, total, total, width);
    wrap_add(&d->ui->detail.lines, NULL, STR(""), (size_t)width, d->flags, 0);
    fold_number(d, row, "chunks", "chunk_count", false, width);
    fold_number(d, row, "events", "event_count", false, width);
    fold_number(d, row, "gap mean", "chunk_gap_avg_ms", true, width);
    fold_number(d, row, "gap p95", "chunk_gap_p95_ms", true, width);
    fold_number(d, row, "gap max", "chunk_gap_max_ms", true, width);
    fold_number(d, row, "client lag max", "client_lag_max_ms", true, width);
}

/* ---- cost ---- */

static void fold_member(struct drawing *d, const struct row *row, const char *name,
                        const char *path, int width)
{
    struct buf line = {0};

    buf_printf(&line, "%-18s ", name);
    if (!row_text(row, path, &line))
        buf_put(&line, STR("-"));
    wrap_add(&d->ui->detail.lines, NULL, buf_str(&line), (size_t)width, d->flags, 0);
    buf_clear(&line);
}

/* The rates that were used, as they were stored with the request. */
static void fold_snapshot(struct drawing *d, const struct row *row, int width)
{
    struct buf json = {0}, line = {0};
    struct str value;
    struct row snapshot = {0};

    if (!row_text(row, "pricing_snapshot_json", &json) ||
        json_scan(buf_str(&json), &value) != JSON_OBJECT || !row_read(&snapshot, value)) {
        wrap_add(&d->ui->detail.lines, NULL, STR("no price was found"), (size_t)width, d->flags, 0);
        goto out;
    }
    wrap_add(&d->ui->detail.lines, NULL, STR("price that was used"), (size_t)width, d->flags, 0);
    for (size_t i = 0; i < snapshot.count; i++) {
        line.len = 0;
        buf_printf(&line, "  %.*s ", STR_ARG(snapshot.members[i].key));
        if (value_text(snapshot.members[i].value, &line))
            wrap_add(&d->ui->detail.lines, NULL, buf_str(&line), (size_t)width, d->flags, 0);
    }
out:
    buf_clear(&json);
    buf_clear(&line);
    row_clear(&snapshot);
}

static void fold_cost(struct drawing *d, const struct row *row, int width)
{
    static const char *const members[][2] = {
        {"billed model", "billing_model"},
        {"provider", "billing_provider_slug"},
        {"input tokens", "billing_input_tokens"},
        {"of them cached", "billing_cached_input_tokens"},
        {"output tokens", "billing_output_tokens"},
        {"input $", "billing_input_cost_usd"},
        {"cached input $", "billing_cached_input_cost_usd"},
        {"output $", "billing_output_cost_usd"},
        {"total $", "billing_total_cost_usd"},
        {"reported $", "reported_cost_usd"},
        {"difference $", "reported_cost_difference_usd"},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        fold_member(d, row, members[i][0], members[i][1], width);
    wrap_add(&d->ui->detail.lines, NULL, STR(""), (size_t)width, d->flags, 0);
    fold_snapshot(d, row, width);
}

/* ---- folding ---- */

static void fold_record(struct drawing *d, int width)
{
    struct detail *detail = &d->ui->detail;
    struct row row = {0};
    struct str value;

    if (json_scan(buf_str(&detail->record), &value) == JSON_OBJECT &&
        json_member(value, STR("record"), &value) && row_read(&row, value)) {
        if (detail->tab == TAB_TIMING)
            fold_timing(d, &row, width);
        else
            fold_cost(d, &row, width);
    }
    row_clear(&row);
}

static void fold(struct drawing *d, int width)
{
    struct detail *detail = &d->ui->detail;

    if (detail->folded_width == width && !detail->running)
        return;
    wrap_reset(&detail->lines);
    detail->folded_width = width;
    if (detail->running && detail->tab == TAB_CHAT) {
        if (!live_text_fold(d, detail->id, &detail->lines, width))
            wrap_add(&detail->lines, NULL, STR("no text yet"), (size_t)width, d->flags, 0);
    } else if (detail->running) {
        wrap_add(&detail->lines, NULL, STR("in flight: this is known once the request has ended"),
                 (size_t)width, d->flags, 0);
    } else if (detail->error[0]) {
        wrap_add(&detail->lines, NULL, str_c(detail->error), (size_t)width, d->flags, -1);
    } else if (detail->tab == TAB_TIMING || detail->tab == TAB_COST) {
        fold_record(d, width);
    } else {
        fold_text(d, buf_str(&detail->text), width);
    }
}

/* ---- drawing ---- */

static void draw_tabs(struct drawing *d, int y)
{
    static const char *const bodies[] = {"request", "response", "upstream"};
    const struct detail *detail = &d->ui->detail;
    struct bar b = {.ascii = d->g->ascii};

    bar_add(&b, PLAIN, " ");
    for (int i = 0; i < DETAIL_TABS; i++) {
        bool active = (enum detail_tab)i == detail->tab;
        struct look look = {ROLE_NONE, active ? CELL_BOLD : 0};

        bar_add(&b, look, active ? "[%d %s]" : " %d %s ", i + 1, detail_tab_names[i]);
    }
    if (detail->tab == TAB_RAW)
        bar_add(&b, PLAIN, "  %s (b: next)", bodies[detail->body]);
    if (detail->loading)
        bar_add(&b, (struct look){ROLE_DIM, 0}, "  loading...");
    bar_put(&b, d->g, y, 0, d->width);
    bar_clear(&b);
}

/* The first lines of what "requests show" prints; of a request in flight what the table has. */
static void draw_head(struct drawing *d)
{
    struct detail *detail = &d->ui->detail;
    struct str rest = buf_str(&detail->head), line;
    const struct item *item = model_request(d->m, detail->id);
    struct bar b = {.ascii = d->g->ascii};

    for (int y = 0; y < HEAD_LINES; y++) {
        struct look look = {ROLE_NONE, y == 0 ? CELL_REVERSE : 0};

        grid_repeat(d->g, y, 0, d->width, " ", look);
        if (!str_split(&rest, '\n', &line))
            continue;
        grid_fit(d->g, y, y == 0 ? 1 : 0, d->width - (y == 0), false, line, look);
    }
    if (detail->head.len == 0 && item) {
        d->selected = item;
        bar_add(&b, (struct look){ROLE_NONE, CELL_REVERSE}, " request %lld", (long long)detail->id);
        bar_put(&b, d->g, 0, 0, d->width);
        bar_clear(&b);
        pane_summary(d, &b);
        bar_put(&b, d->g, 1, 1, d->width);
    }
    bar_clear(&b);
}

static void draw_keys(struct drawing *d, int y)
{
    struct bar b = {.ascii = d->g->ascii};

    if (d->ui->message[0]) {
        grid_fit(d->g, y, 1, d->width - 2, false, str_c(d->ui->message),
                 (struct look){d->ui->message_error ? ROLE_ERROR : ROLE_NONE, CELL_BOLD});
        return;
    }
    bar_add(&b, PLAIN, " Tab tabs");
    bar_add(&b, PLAIN, "  [ ] previous, next");
    bar_add(&b, PLAIN, "  o pager");
    bar_add(&b, PLAIN, "  c curl");
    bar_add(&b, PLAIN, "  y json");
    if (d->ui->detail.tab == TAB_RAW)
        bar_add(&b, PLAIN, "  b body  s save");
    bar_add(&b, PLAIN, "  q closes");
    bar_put(&b, d->g, y, 0, d->width);
    bar_clear(&b);
}

void detail_draw(struct drawing *d)
{
    struct detail *detail = &d->ui->detail;
    int y = HEAD_LINES + 2, rows = d->height - y - 1;
    bool at_end = detail->top >= detail->most;
    int64_t count;

    d->screen->pane = true; /* the text is looked at */
    fold(d, d->width - 2);
    count = (int64_t)detail->lines.count;
    detail->most = count > rows ? count - rows : 0;
    if (detail->top > detail->most || (detail->running && at_end))
        detail->top = detail->most;
    d->ui->page = rows > 1 ? rows - 1 : 1;
    draw_head(d);
    draw_tabs(d, HEAD_LINES);
    grid_repeat(d->g, HEAD_LINES + 1, 0, d->width, grid_glyph(d->g, "─", "-"), PLAIN);
    for (int i = 0; i < rows && detail->top + i < count; i++) {
        size_t at = (size_t)(detail->top + i);
        struct look look = {detail->lines.lines[at].tag < 0 ? ROLE_ERROR : ROLE_NONE, 0};

        grid_put(d->g, y + i, 1, d->width - 1, wrap_line(&detail->lines, at), look);
    }
    draw_keys(d, d->height - 1);
}
