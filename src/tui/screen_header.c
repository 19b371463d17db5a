/* The lines above the table: the program and its store, the active run, rates and percentiles. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/xalloc.h"
#include "screen_priv.h"
#include "text/term.h"
#include "json/json_scan.h"

#define SERIES_MAX 300

static const struct look TITLE = {ROLE_NONE, CELL_REVERSE};

/* ---- numbers ---- */

struct num num_count(const struct model *m, const char *path)
{
    struct num n;

    format_count(n.text, model_int(m, path));
    return n;
}

struct num num_int(const struct model *m, const char *path)
{
    struct num n = {"-"};
    int64_t value = model_int(m, path);

    if (value != ROW_UNKNOWN)
        snprintf(n.text, sizeof(n.text), "%lld", (long long)value);
    return n;
}

struct num num_duration(const struct model *m, const char *path)
{
    struct num n;

    format_duration(n.text, model_int(m, path));
    return n;
}

struct num num_bytes(const struct model *m, const char *path)
{
    struct num n;

    format_bytes(n.text, model_int(m, path));
    return n;
}

struct num num_rate(double rate)
{
    struct num n = {"-"};

    if (!isfinite(rate))
        return n;
    if (fabs(rate) < 99.995)
        snprintf(n.text, sizeof(n.text), "%.2f", rate);
    else
        format_count(n.text, llround(rate));
    return n;
}

/* Dollars a minute: more decimals when they are few. */
static struct num num_spending(double dollars)
{
    struct num n;

    if (!(dollars > 0) || dollars >= 0.9995)
        return num_rate(dollars);
    snprintf(n.text, sizeof(n.text), "%.3f", dollars);
    return n;
}

struct num num_share(double share)
{
    struct num n = {"-"};

    if (isfinite(share))
        format_percent(n.text, llround(share * 1000), 1000);
    return n;
}

static struct num tokens_a_second(const struct model *m, const char *path)
{
    struct num n = {"-"};
    double rate = model_number(m, path);

    if (isfinite(rate))
        format_count(n.text, llround(rate));
    return n;
}

static struct num run_money(const struct model *m, const char *path)
{
    struct num n;
    struct str value = STR_NONE;

    row_get(&m->top, path, &value);
    format_money(n.text, value);
    return n;
}

struct num clock_text(int64_t wall_us)
{
    struct num n = {"-"};
    time_t s = (time_t)(wall_us / 1000000);
    struct tm tm;

    if (wall_us != ROW_UNKNOWN && localtime_r(&s, &tm))
        strftime(n.text, sizeof(n.text), "%H:%M:%S", &tm);
    return n;
}

struct str clean_text(struct drawing *d, const struct row *row, const char *path)
{
    struct err ignored;

    d->text.len = d->clean.len = 0;
    row_text(row, path, &d->text);
    term_clean(&d->clean, buf_str(&d->text), d->flags, &ignored);
    return buf_str(&d->clean);
}

/* The sum of two counters that older servers may not send. */
static int64_t lost(const struct model *m)
{
    int64_t events = model_int(m, "store.lost_events"), bodies = model_int(m, "store.shed_bodies");

    if (events == ROW_UNKNOWN)
        return bodies;
    return bodies == ROW_UNKNOWN ? events : events + bodies;
}

/* ---- title ---- */

static struct num source_text(const struct drawing *d)
{
    const struct ui *ui = d->ui;
    double seconds = (double)ui->interval_ms / 1000;
    struct num n;

    if (ui->paused) {
        snprintf(n.text, sizeof(n.text), "PAUSED");
        return n;
    }
    switch (ui->source) {
    case SOURCE_CONNECTING:
        snprintf(n.text, sizeof(n.text), "...");
        break;
    case SOURCE_LIVE:
        if (d->level == LEVEL_60)
            snprintf(n.text, sizeof(n.text), "LIVE");
        else
            snprintf(n.text, sizeof(n.text), seconds < 10 ? "LIVE %.1fs" : "LIVE %.0fs", seconds);
        break;
    case SOURCE_RETRY:
        snprintf(n.text, sizeof(n.text), "RETRY %ds", ui->retry_s);
        break;
    case SOURCE_OFFLINE:
        snprintf(n.text, sizeof(n.text), "OFFLINE");
        break;
    case SOURCE_PLAY:
        snprintf(n.text, sizeof(n.text), "PLAY");
        break;
    }
    return n;
}

/* The address without its scheme; the file when there is no server. */
static const char *place_of(struct drawing *d)
{
    const char *text;

    d->text.len = 0;
    if (d->ui->source == SOURCE_OFFLINE || !model_text(d->m, "server.url", &d->text))
        text = d->ui->url ? d->ui->url : "-";
    else
        text = d->text.ptr;
    return strncmp(text, "http://", 7) == 0 ? text + 7 : text;
}

/* "active_run" or "store" in the last answer. */
static bool has(const struct model *m, const char *path)
{
    struct str value;

    return row_get(&m->top, path, &value);
}

static void title_left(struct drawing *d, struct bar *b)
{
    const struct model *m = d->m;
    const char *gap = d->level == LEVEL_160 ? "   " : "  ";
    struct look bad = {lost(m) > 0 ? ROLE_ERROR : ROLE_NONE, CELL_REVERSE};
    struct buf text = {0};

    if (d->level == LEVEL_60) {
        bar_add(b, TITLE, " %s", place_of(d));
        if (model_text(m, "active_run.name", &text))
            bar_add(b, TITLE, "  %s %s req %s", text.ptr,
                    num_count(m, "active_run.request_count").text,
                    run_money(m, "active_run.total_cost_usd").text);
        buf_clear(&text);
        return;
    }
    model_text(m, "server.version", &text);
    bar_add(b, TITLE, " llm-observe-proxy%s%s", d->level > LEVEL_80 && text.len > 0 ? " " : "",
            d->level > LEVEL_80 && text.len > 0 ? text.ptr : "");
    bar_add(b, TITLE, "%s%s", gap, place_of(d));
    if (d->level > LEVEL_80 && has(m, "server.pid"))
        bar_add(b, TITLE, " (pid %s)", num_int(m, "server.pid").text);
    bar_add(b, TITLE, "%sup %s", gap, num_duration(m, "server.uptime_ms").text);
    if (d->level == LEVEL_160) {
        text.len = 0;
        model_text(m, "server.database", &text);
        bar_add(b, TITLE, "   %s %s", text.len > 0 ? text.ptr : "db",
                num_bytes(m, "store.db_bytes").text);
        bar_add(b, TITLE, "  wal %s", num_bytes(m, "store.wal_bytes").text);
    }
    bar_add(b, TITLE, "   %s %s", d->level == LEVEL_80 ? "q" : "queue",
            num_int(m, "store.queue_depth").text);
    if (lost(m) == ROW_UNKNOWN)
        bar_add(b, TITLE, "%slost -", gap);
    else
        bar_add(b, bad, "%slost %lld", gap, (long long)lost(m));
    if (d->level == LEVEL_120) {
        bar_add(b, TITLE, "  db %s", num_bytes(m, "store.db_bytes").text);
        bar_add(b, TITLE, "  wal %s", num_bytes(m, "store.wal_bytes").text);
    }
    buf_clear(&text);
}

static void draw_title(struct drawing *d)
{
    struct bar left = {.ascii = d->g->ascii}, right = {.ascii = d->g->ascii};
    const char *gap = d->level == LEVEL_160 ? "   " : d->level == LEVEL_60 ? " " : "  ";
    bool calm = d->ui->source == SOURCE_LIVE || d->ui->source == SOURCE_PLAY;
    struct look source = {calm ? ROLE_NONE : ROLE_WARN, CELL_REVERSE};
    char when[FORMAT_SIZE];
    int x;

    grid_repeat(d->g, 0, 0, d->width, " ", TITLE);
    title_left(d, &left);
    if (d->screen->list.count > 0 && d->ui->tables[d->ui->view].gone)
        bar_add(&right, source, "gone  ");
    bar_add(&right, source, "%s", source_text(d).text);
    if (d->level == LEVEL_160)
        bar_add(&right, TITLE, "%s%s", gap,
                d->now_us == ROW_UNKNOWN ? "-" : format_time_long(when, d->now_us));
    else
        bar_add(&right, TITLE, "%s%s", gap, clock_text(d->now_us).text);
    x = bar_put_right(&right, d->g, 0, d->width - 1);
    bar_put(&left, d->g, 0, 0, x - 2);
    bar_clear(&left);
    bar_clear(&right);
}

/* ---- the active run ---- */

static void put_bar(struct drawing *d, int y, struct bar *b)
{
    bar_put(b, d->g, y, 0, d->width);
    bar_clear(b);
}

/* "run bench-42  active 7m31s  214 req  3 err ..." */
static void draw_run(struct drawing *d, int y)
{
    struct bar b = {.ascii = d->g->ascii};
    const struct model *m = d->m;
    const char *gap = d->level == LEVEL_160 ? "   " : "  ";
    struct look errors = {model_int(m, "active_run.error_count") > 0 ? ROLE_ERROR : ROLE_NONE, 0};
    struct num cached;
    struct buf name = {0};

    if (!model_text(m, "active_run.name", &name)) {
        bar_add(&b, (struct look){ROLE_DIM, 0}, " no run is active%s",
                d->ui->source == SOURCE_LIVE && !d->ui->read_only ? " (F7 starts one)" : "");
        put_bar(d, y, &b);
        return;
    }
    bar_add(&b, PLAIN, " run %s", name.ptr);
    bar_add(&b, PLAIN, "%sactive %s", gap, num_duration(m, "active_run.open_duration_ms").text);
    bar_add(&b, PLAIN, "%s%s req", gap, num_count(m, "active_run.request_count").text);
    bar_add(&b, errors, "%s%s err", gap, num_count(m, "active_run.error_count").text);
    if (d->level > LEVEL_80)
        bar_add(&b, PLAIN, "%s%s live", gap, num_int(m, "active_run.pending_count").text);
    bar_add(&b, PLAIN, "%s%s in", gap, num_count(m, "active_run.tokens.input").text);
    format_percent(cached.text, model_int(m, "active_run.tokens.cached_input"),
                   model_int(m, "active_run.tokens.input"));
    if (d->level > LEVEL_80)
        bar_add(&b, PLAIN, " (cache %s)", cached.text);
    bar_add(&b, PLAIN, "%s%s out", gap, num_count(m, "active_run.tokens.output").text);
    bar_add(&b, PLAIN, "%s%s", gap, run_money(m, "active_run.total_cost_usd").text);
    if (d->level == LEVEL_160) {
        bar_add(&b, PLAIN, "   wall %s", num_duration(m, "active_run.llm_wall_time_ms").text);
        bar_add(&b, PLAIN, "   %.1f tok/s", model_number(m, "active_run.output_tokens_per_second"));
    }
    if (d->level > LEVEL_80)
        bar_add(&b, PLAIN, "%sbudget %s", gap, run_money(m, "active_run.budget_usd").text);
    buf_clear(&name);
    put_bar(d, y, &b);
}

/* ---- rates and percentiles ---- */

struct series {
    double values[SERIES_MAX];
    size_t count;
};

static void read_series(const struct model *m, const char *path, struct series *out)
{
    struct str array;
    struct json_iter it;
    char text[FORMAT_SIZE];

    out->count = 0;
    if (!row_get(&m->top, path, &array) || json_type_of(array) != JSON_ARRAY)
        return;
    it = json_iter(array);
    while (json_next(&it)) {
        if (out->count == SERIES_MAX) {
            memmove(out->values, out->values + 1, (SERIES_MAX - 1) * sizeof(out->values[0]));
            out->count--;
        }
        snprintf(text, sizeof(text), "%.*s", STR_ARG(str_cut(it.value, sizeof(text) - 1)));
        out->values[out->count++] = strtod(text, NULL);
    }
}

/* Of the last n values, which are whole numbers. */
static struct num num_peak(const struct series *s, size_t n)
{
    size_t from = s->count > n ? s->count - n : 0;
    struct num peak;

    format_count(peak.text, llround(graph_max(s->values + from, s->count - from)));
    return peak;
}

static struct look error_look(const struct drawing *d)
{
    return (struct look){model_int(d->m, "recent.errors") > 0 ? ROLE_ERROR : ROLE_NONE, 0};
}

static struct look stalled_look(const struct drawing *d)
{
    return (struct look){model_int(d->m, "totals.stalled") > 0 ? ROLE_WARN : ROLE_NONE, 0};
}

/* "|" values "|" from x to end, both included. */
static void draw_spark(struct drawing *d, int y, int x, int end, const struct series *s)
{
    const char *edge = grid_glyph(d->g, "│", "|");

    grid_put(d->g, y, x, 1, str_c(edge), PLAIN);
    grid_put(d->g, y, end, 1, str_c(edge), PLAIN);
    graph_spark(d->g, y, x + 1, end - x - 1, s->values, s->count, d->ui->alphabet);
}

static void ttft_pieces(const struct drawing *d, struct bar *b)
{
    bar_add(b, PLAIN, " TTFT p50 %s", num_duration(d->m, "recent.ttft_ms.p50").text);
    bar_add(b, PLAIN, "  p95 %s", num_duration(d->m, "recent.ttft_ms.p95").text);
    bar_add(b, PLAIN, "  p99 %s", num_duration(d->m, "recent.ttft_ms.p99").text);
}

static void gap_pieces(const struct drawing *d, struct bar *b, const char *gap)
{
    bar_add(b, PLAIN, "%sgap p50 %s", gap, num_duration(d->m, "recent.gap_ms.p50").text);
    bar_add(b, PLAIN, "  p95 %s", num_duration(d->m, "recent.gap_ms.p95").text);
}

/* Left and right parts of one line; margin: blanks at its right end. */
static void put_sides(struct drawing *d, int y, struct bar *left, struct bar *right, int margin)
{
    int x = bar_put_right(right, d->g, y, d->width - margin);

    bar_put(left, d->g, y, 0, x - 1);
    bar_clear(left);
    bar_clear(right);
}

static int header_60(struct drawing *d)
{
    struct bar b = {.ascii = d->g->ascii};
    const struct model *m = d->m;

    bar_add(&b, PLAIN, " live %s", num_int(m, "totals.inflight").text);
    bar_add(&b, PLAIN, "  req/s %s", num_rate(model_number(m, "rates.requests_per_second")).text);
    bar_add(&b, PLAIN, "  out tok/s %s", tokens_a_second(m, "rates.output_tokens_per_second").text);
    bar_add(&b, PLAIN, "  TTFT %s", num_duration(m, "recent.ttft_ms.p50").text);
    bar_add(&b, error_look(d), "  err %s", num_share(model_number(m, "recent.error_rate")).text);
    put_bar(d, 1, &b);
    return 2;
}

static int header_80(struct drawing *d)
{
    struct bar b = {.ascii = d->g->ascii}, right = {.ascii = d->g->ascii};
    const struct model *m = d->m;
    struct series output;
    double minute = model_number(m, "minute.cost_usd");
    int end = d->width - 19;

    draw_run(d, 1);
    read_series(m, "series.output_tokens", &output);
    bar_add(&b, PLAIN, " live%5s   req/s %s   out tok/s %s ", num_int(m, "totals.inflight").text,
            num_rate(model_number(m, "rates.requests_per_second")).text,
            tokens_a_second(m, "rates.output_tokens_per_second").text);
    draw_spark(d, 2, bar_cells(&b), end, &output);
    bar_add(&right, error_look(d), "err %s", num_share(model_number(m, "recent.error_rate")).text);
    put_sides(d, 2, &b, &right, 2);

    ttft_pieces(d, &b);
    gap_pieces(d, &b, "    ");
    bar_add(&right, stalled_look(d), "stalled %s", num_int(m, "totals.stalled").text);
    put_sides(d, 3, &b, &right, 2);

    bar_add(&b, PLAIN, " in tok/s %s", tokens_a_second(m, "rates.input_tokens_per_second").text);
    bar_add(&b, PLAIN, "   cache %s", num_share(model_number(m, "recent.cached_share")).text);
    bar_add(&b, PLAIN, "   $/min %s", num_spending(minute).text);
    bar_add(&b, PLAIN, "   $/h %s", num_spending(minute * 60).text);
    bar_add(&right, PLAIN, "db %s", num_bytes(m, "store.db_bytes").text);
    put_sides(d, 4, &b, &right, 2);
    return 5;
}

static int header_120(struct drawing *d)
{
    struct bar b = {.ascii = d->g->ascii}, right = {.ascii = d->g->ascii};
    const struct model *m = d->m;
    struct series output, requests;
    int end = d->width - 42;
    size_t cells = (size_t)(end - 18);

    draw_run(d, 1);
    read_series(m, "series.output_tokens", &output);
    read_series(m, "series.requests", &requests);
    draw_spark(d, 2, 17, end, &output);
    draw_spark(d, 3, 17, end, &requests);
    bar_add(&b, PLAIN, " out tok/s %5s", tokens_a_second(m, "rates.output_tokens_per_second").text);
    put_bar(d, 2, &b);
    bar_add(&b, PLAIN, " req/s %9s", num_rate(model_number(m, "rates.requests_per_second")).text);
    put_bar(d, 3, &b);
    bar_add(&b, PLAIN, " peak %s in %zu s", num_peak(&output, cells).text, cells);
    bar_put(&b, d->g, 2, end + 1, d->width);
    bar_clear(&b);
    bar_add(&b, PLAIN, " live %s, peak %s", num_int(m, "totals.inflight").text,
            num_int(m, "totals.inflight_peak").text);
    bar_put(&b, d->g, 3, end + 1, d->width);
    bar_clear(&b);
    bar_add(&right, error_look(d), "err %s", num_share(model_number(m, "recent.error_rate")).text);
    bar_add(&right, stalled_look(d), "  stalled %s", num_int(m, "totals.stalled").text);
    put_sides(d, 2, &b, &right, 1);
    bar_add(&right, PLAIN, "$/min %s", num_spending(model_number(m, "minute.cost_usd")).text);
    put_sides(d, 3, &b, &right, 1);

    ttft_pieces(d, &b);
    bar_add(&b, PLAIN, "  (%s)", num_int(m, "recent.ttft_ms.count").text);
    gap_pieces(d, &b, "   ");
    bar_add(&b, PLAIN, "  max %s", num_duration(m, "recent.gap_ms.max").text);
    bar_add(&b, PLAIN, "   duration p50 %s", num_duration(m, "recent.duration_ms.p50").text);
    bar_add(&b, PLAIN, "  p95 %s", num_duration(m, "recent.duration_ms.p95").text);
    put_bar(d, 4, &b);
    return 5;
}

/* "-- title ----" from x to end */
static void draw_rule(struct drawing *d, int y, int x, int end, const char *title)
{
    struct bar b = {.ascii = d->g->ascii};

    grid_repeat(d->g, y, x, end - x, grid_glyph(d->g, "─", "-"), PLAIN);
    bar_add(&b, PLAIN, " %s ", title);
    bar_put(&b, d->g, y, x + 2, end);
    bar_clear(&b);
}

/* "TTFT    184ms   1.21s   2.40s   4.90s   n 402" */
static void draw_percentiles(struct drawing *d, int y, const char *label, const char *name)
{
    struct bar b = {.ascii = d->g->ascii};
    char p50[40], p95[40], p99[40], max[40], count[40];

    snprintf(p50, sizeof(p50), "recent.%s.p50", name);
    snprintf(p95, sizeof(p95), "recent.%s.p95", name);
    snprintf(p99, sizeof(p99), "recent.%s.p99", name);
    snprintf(max, sizeof(max), "recent.%s.max", name);
    snprintf(count, sizeof(count), "recent.%s.count", name);
    bar_add(&b, PLAIN, " %-4s %8s%8s%8s%8s   n %s", label, num_duration(d->m, p50).text,
            num_duration(d->m, p95).text, num_duration(d->m, p99).text,
            num_duration(d->m, max).text, num_int(d->m, count).text);
    bar_put(&b, d->g, y, split_column(d) + 1, d->width);
    bar_clear(&b);
}

static void draw_statistics(struct drawing *d, int y)
{
    const struct model *m = d->m;
    struct bar b = {.ascii = d->g->ascii};
    int x = split_column(d) + 1;
    double minute = model_number(m, "minute.cost_usd");

    bar_add(&b, PLAIN, "%14s%8s%8s%8s", "p50", "p95", "p99", "max");
    bar_put(&b, d->g, y, x, d->width);
    bar_clear(&b);
    draw_percentiles(d, y + 1, "TTFT", "ttft_ms");
    draw_percentiles(d, y + 2, "gap", "gap_ms");
    draw_percentiles(d, y + 3, "dur", "duration_ms");
    bar_add(&b, PLAIN, " req/s %s", num_rate(model_number(m, "rates.requests_per_second")).text);
    bar_add(&b, PLAIN, "  in tok/s %s", tokens_a_second(m, "rates.input_tokens_per_second").text);
    bar_add(&b, PLAIN, "  cache %s", num_share(model_number(m, "recent.cached_share")).text);
    bar_add(&b, error_look(d), "  err %s", num_share(model_number(m, "recent.error_rate")).text);
    bar_put(&b, d->g, y + 4, x, d->width);
    bar_clear(&b);
    bar_add(&b, PLAIN, " $/min %s", num_spending(minute).text);
    bar_add(&b, PLAIN, "  $/h %s", num_spending(minute * 60).text);
    bar_add(&b, stalled_look(d), "  stalled %s", num_int(m, "totals.stalled").text);
    bar_add(&b, PLAIN, "  cxl %s", num_int(m, "recent.client_gone").text);
    bar_add(&b, PLAIN, "  unpriced %s", num_int(m, "recent.unpriced").text);
    bar_put(&b, d->g, y + 5, x, d->width);
    bar_clear(&b);
}

static int header_160(struct drawing *d)
{
    const struct model *m = d->m;
    int split = split_column(d), cells = split - 9;
    char title[160];
    struct series output;

    draw_run(d, 1);
    read_series(m, "series.output_tokens", &output);
    if (output.count > (size_t)cells) {
        memmove(output.values, output.values + output.count - (size_t)cells,
                (size_t)cells * sizeof(output.values[0]));
        output.count = (size_t)cells;
    }
    snprintf(title, sizeof(title), "output tok/s, last %zu s: now %s, peak %s", output.count,
             tokens_a_second(m, "rates.output_tokens_per_second").text,
             num_peak(&output, output.count).text);
    draw_rule(d, 2, 0, split, title);
    snprintf(title, sizeof(title), "last 5 min: %s done, %s err",
             num_count(m, "recent.finished").text, num_count(m, "recent.errors").text);
    draw_rule(d, 2, split + 1, d->width, title);
    grid_put(d->g, 2, split, 1, str_c(grid_glyph(d->g, "┬", "+")), PLAIN);
    for (int y = 3; y < 9; y++) {
        grid_put(d->g, y, 4, 1, str_c(grid_glyph(d->g, "│", "|")), PLAIN);
        grid_put(d->g, y, split, 1, str_c(grid_glyph(d->g, "│", "|")), PLAIN);
    }
    graph_draw(d->g, 3, 5, cells, 6, output.values, output.count, d->ui->alphabet);
    draw_statistics(d, 3);
    return 9;
}

/* ---- views ---- */

static void sort_text(const struct drawing *d, char out[40])
{
    const struct table_state *state = &d->ui->tables[d->ui->view];

    if (state->sort)
        snprintf(out, 40, "%.30s%c", state->sort->title, state->reverse ? 'v' : '^');
    else
        snprintf(out, 40, "-");
}

static void add_count(const struct drawing *d, struct bar *b)
{
    const struct list *list = &d->screen->list;
    char shown[FORMAT_SIZE];

    if (d->ui->view != VIEW_REQUESTS) {
        bar_add(b, PLAIN, "%zu %s", list->count, list->count == 1 ? "row" : "rows");
        return;
    }
    format_count(shown, (int64_t)list->count);
    bar_add(b, PLAIN, d->level == LEVEL_80 ? "%s/%s" : "%s rows of %s", shown,
            num_count(d->m, "totals.requests").text);
}

static void draw_views(struct drawing *d, int y)
{
    struct bar b = {.ascii = d->g->ascii}, right = {.ascii = d->g->ascii};
    const char *gap = d->level == LEVEL_160 ? "        " : "      ", *between = gap;
    char sort[40];
    int x, end;

    bar_add(&b, PLAIN, " ");
    for (int i = 0; i < VIEWS; i++) {
        bool active = (enum view)i == d->ui->view;
        struct look look = {ROLE_NONE, active ? CELL_BOLD : 0};

        if (d->level == LEVEL_80)
            bar_add(&b, look, active ? "[%d %s]" : " %d %s ", i + 1, view_names[i]);
        else
            bar_add(&b, look, active ? "%s[%d %s]" : "%s%d %s", i > 0 ? "  " : "", i + 1,
                    view_names[i]);
    }
    if (d->level == LEVEL_80) {
        gap = "  ";
        between = "  ";
    }
    sort_text(d, sort);
    bar_add(&b, PLAIN, "%ssort %s", gap, sort);
    add_count(d, &right);
    end = bar_put_right(&right, d->g, y, d->width - 1) - 2;
    x = bar_put(&b, d->g, y, 0, end);
    bar_clear(&b);
    if (d->ui->view == VIEW_REQUESTS) {
        bar_add(&b, PLAIN, "%sfilter %s", between, d->ui->filter.len > 0 ? d->ui->filter.ptr : "-");
        bar_put(&b, d->g, y, x, end); /* cut, when it is long */
    }
    bar_clear(&b);
    bar_clear(&right);
}

int header_draw(struct drawing *d)
{
    int y = 0;

    draw_title(d);
    switch (d->level) {
    case LEVEL_60:
        return header_60(d);
    case LEVEL_80:
        y = header_80(d);
        break;
    case LEVEL_120:
        y = header_120(d);
        break;
    case LEVEL_160:
        y = header_160(d);
        break;
    }
    draw_views(d, y);
    return y + 1;
}
