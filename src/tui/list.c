#include "list.h"

#include <stdlib.h>

#include "base/xalloc.h"

const char *const view_names[VIEWS] = {"Requests", "Runs", "Models", "Upstreams"};

#define LEFT(id, title, min, max, flex, drop, path)                                                \
    {                                                                                              \
        id, title, min, max, false, flex, drop, KIND_TEXT, path, NULL, NULL                        \
    }
#define RIGHT(id, title, width, drop, kind, path)                                                  \
    {                                                                                              \
        id, title, width, width, true, false, drop, kind, path, NULL, NULL                         \
    }

static const struct column run_columns[] = {
    RIGHT("id", "ID", 6, 0, KIND_INT, "id"),
    LEFT("name", "NAME", 16, 40, true, 0, "name"),
    LEFT("status", "STATUS", 9, 9, false, 1, "status"),
    RIGHT("started", "STARTED", 7, 7, KIND_AGE, "started_at"),
    RIGHT("open", "OPEN", 6, 5, KIND_DURATION, "open_duration_ms"),
    RIGHT("requests", "REQS", 6, 2, KIND_COUNT, "request_count"),
    RIGHT("errors", "ERR", 5, 3, KIND_COUNT, "signals.errors.value"),
    RIGHT("tokens", "TOKENS", 6, 6, KIND_COUNT, "total_tokens"),
    RIGHT("cost", "COST", 8, 4, KIND_MONEY, "total_cost_usd"),
    RIGHT("tps", "TPS", 6, 8, KIND_RATE, "output_tokens_per_second"),
    RIGHT("wall", "WALL", 6, 9, KIND_DURATION, "llm_wall_time_ms"),
    {0},
};

static const struct column model_columns[] = {
    LEFT("model", "MODEL", 16, 40, true, 0, "model"),
    LEFT("provider", "PROVIDER", 12, 12, false, 5, "provider_slug"),
    RIGHT("live", "LIVE", 4, 0, KIND_INT, "inflight"),
    RIGHT("req", "REQ", 6, 0, KIND_COUNT, "requests"),
    RIGHT("err", "ERR", 5, 2, KIND_COUNT, "errors"),
    RIGHT("in", "IN", 6, 3, KIND_COUNT, "tokens.input"),
    RIGHT("cached", "CACHE", 5, 6, KIND_CACHED, "tokens.cached_input"),
    RIGHT("out", "OUT", 6, 1, KIND_COUNT, "tokens.output"),
    RIGHT("tps", "TOK/S", 6, 4, KIND_RATE, "output_tokens_per_second"),
    RIGHT("gen50", "GEN50", 6, 7, KIND_RATE, "generation_tps_p50"),
    RIGHT("ttft50", "TTFT50", 6, 8, KIND_DURATION, "ttft_ms_p50"),
    RIGHT("ttft95", "TTFT95", 6, 9, KIND_DURATION, "ttft_ms_p95"),
    RIGHT("cost", "COST", 8, 0, KIND_MONEY, "cost_usd"),
    {0},
};

static const struct column upstream_columns[] = {
    LEFT("host", "HOST", 16, 40, true, 0, "host"),
    LEFT("provider", "PROVIDER", 10, 20, true, 3, "provider_slug"),
    RIGHT("live", "LIVE", 4, 0, KIND_INT, "inflight"),
    RIGHT("req", "REQ", 6, 1, KIND_COUNT, "requests"),
    RIGHT("err", "ERR", 5, 2, KIND_COUNT, "errors"),
    RIGHT("429", "429", 5, 4, KIND_COUNT, "rate_limited"),
    RIGHT("connect50", "CONN50", 6, 7, KIND_DURATION, "connect_ms_p50"),
    RIGHT("ttft50", "TTFT50", 6, 6, KIND_DURATION, "ttft_ms_p50"),
    LEFT("state", "STATE", 8, 8, false, 0, "state"),
    LEFT("last-error", "LAST ERROR", 10, 400, true, 5, "last_error"),
    {0},
};

const struct column *const view_columns[VIEWS] = {request_columns, run_columns, model_columns,
                                                  upstream_columns};

/* ---- columns ---- */

static void add(struct table *t, const struct column *c)
{
    if (t->count < TABLE_COLUMNS)
        t->columns[t->count++] = *c;
}

static void add_named(struct table *t, const struct column *columns, const char *names)
{
    struct str rest = str_c(names), name;

    while (str_split(&rest, ',', &name)) {
        const struct column *c = column_find(columns, name);

        if (c)
            add(t, c);
    }
}

static int base_width(const struct column *c)
{
    return (int)c->min;
}

/* All columns, a blank between them and one cell for the mark of the selected row. */
static int total_width(const struct table *t)
{
    int total = 0;

    for (size_t i = 0; i < t->count; i++)
        total += t->widths[i] + 1;
    return total;
}

static void measure(struct table *t, int64_t largest_id)
{
    for (size_t i = 0; i < t->count; i++) {
        int digits = 1;

        t->widths[i] = base_width(&t->columns[i]);
        if (strcmp(t->columns[i].id, "id") != 0)
            continue;
        for (int64_t n = largest_id; n >= 10; n /= 10)
            digits++;
        if (digits > t->widths[i])
            t->widths[i] = digits;
    }
}

static void remove_at(struct table *t, size_t at)
{
    t->count--;
    memmove(&t->columns[at], &t->columns[at + 1], (t->count - at) * sizeof(t->columns[0]));
    memmove(&t->widths[at], &t->widths[at + 1], (t->count - at) * sizeof(t->widths[0]));
}

static void drop_one(struct table *t, bool from_right)
{
    size_t at = t->count - 1;

    for (size_t i = 0; i < t->count && !from_right; i++)
        if (t->columns[i].drop > t->columns[at].drop)
            at = i;
    remove_at(t, at);
}

/* "+gap,-cached": with these and without those. */
static void change_columns(struct table *t, const char *changes)
{
    struct str rest = str_c(changes), name;

    while (str_split(&rest, ',', &name)) {
        bool minus = str_starts(name, STR("-")), plus = str_starts(name, STR("+"));
        const struct column *c = column_find(request_columns, str_from(name, minus || plus));

        for (size_t i = 0; c && i < t->count; i++)
            if (strcmp(t->columns[i].id, c->id) == 0) {
                remove_at(t, i);
                break;
            }
        if (c && !minus)
            add(t, c);
    }
}

/* Give one cell after the other to the flexible columns, so that odd ones go to the left. */
static void share(struct table *t, int left)
{
    bool given = true;

    while (left > 0 && given) {
        given = false;
        for (size_t i = 0; i < t->count && left > 0; i++)
            if (t->columns[i].flex && t->widths[i] < (int)t->columns[i].max) {
                t->widths[i]++;
                left--;
                given = true;
            }
    }
}

#define ALL_COLUMNS                                                                                \
    "id,age,st,endpoint,model,provider,in,cached,out,reason,ttft,tps,gap,dur,bytes,cost,tools,"    \
    "finish,run"

/* The widest of the sets that fits. */
static void choose_requests(struct table *t, int width, int64_t largest_id)
{
    static const char *const sets[] = {
        ALL_COLUMNS,
        "id,age,st,endpoint,model,provider,in,cached,out,ttft,tps,dur,cost,run",
        "id,age,st,model,in,out,ttft,tps,cost,run",
        "id,age,st,model,out,tps,cost",
    };

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        t->count = 0;
        add_named(t, request_columns, sets[i]);
        measure(t, largest_id);
        if (total_width(t) <= width)
            return;
    }
}

void table_lay_out(struct table *t, const struct ui *ui, int width, int64_t largest_id)
{
    const struct table_state *state = &ui->tables[ui->view];
    bool given = ui->columns && ui->view == VIEW_REQUESTS;
    bool changed = given && (ui->columns[0] == '+' || ui->columns[0] == '-');

    t->count = 0;
    if (given && !changed)
        add_named(t, request_columns, ui->columns);
    else if (ui->view == VIEW_REQUESTS)
        choose_requests(t, width, largest_id);
    else
        for (const struct column *c = view_columns[ui->view]; c->id; c++)
            add(t, c);
    if (changed)
        change_columns(t, ui->columns);
    measure(t, largest_id);
    for (size_t i = 0; i < state->shift && t->count > 2; i++)
        remove_at(t, 1);
    while (t->count > 1 && total_width(t) > width)
        drop_one(t, given && !changed);
    if (total_width(t) > width)
        t->widths[0] = width > 1 ? width - 1 : 1;
    share(t, width - total_width(t));
}

void table_cell(const struct column *c, const struct item *item, const struct column_context *ctx,
                struct buf *out, enum role *role)
{
    column_text(c, &item->row, ctx, out, role);
    if (c->kind != KIND_TEXT || strcmp(c->id, "state") != 0)
        return;
    if (str_eq(buf_str(out), STR("failing")))
        *role = ROLE_ERROR;
    else if (str_eq(buf_str(out), STR("limited")) || str_eq(buf_str(out), STR("slow")))
        *role = ROLE_WARN;
    else if (str_eq(buf_str(out), STR("idle")))
        *role = ROLE_DIM;
}

/* ---- rows ---- */

static void push(struct list *list, const struct item *item)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 256;
        list->rows = xrealloc(list->rows, list->cap, sizeof(*list->rows));
    }
    list->rows[list->count++] = item;
    if (item->id > list->largest_id)
        list->largest_id = item->id;
}

static void push_filtered(struct list *list, const struct item *item, list_filter_fn *filter,
                          void *ctx)
{
    list->total++;
    if (!filter || filter(ctx, &item->row))
        push(list, item);
}

static void push_all(struct list *list, const struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        push_filtered(list, &items->rows[i], NULL, NULL);
}

/* In flight first, newest first; what has ended is not in flight any more. */
static void push_requests(struct list *list, const struct model *m, list_filter_fn *filter,
                          void *ctx)
{
    for (size_t i = m->inflight.count; i-- > 0;) {
        const struct item *item = &m->inflight.rows[i];

        if (model_finished(m, item->id) == NULL)
            push_filtered(list, item, filter, ctx);
    }
    for (size_t i = 0; i < m->finished.count; i++)
        push_filtered(list, &m->finished.rows[i], filter, ctx);
}

struct sorting {
    struct sort_key key;
    const struct item *item;
    bool running;
};

static int compare_keys(const struct sorting *x, const struct sorting *y, bool reverse)
{
    if (x->running != y->running)
        return x->running ? -1 : 1;
    return sort_key_compare(&x->key, &y->key, reverse);
}

static int compare(const void *a, const void *b)
{
    return compare_keys(a, b, false);
}

static int compare_reverse(const void *a, const void *b)
{
    return compare_keys(a, b, true);
}

/* What is sorted by most often is read once, when the row comes. */
static void read_key(struct sort_key *key, const struct column *by, const struct item *item)
{
    if (by->kind == KIND_AGE && item->created_us != ROW_UNKNOWN)
        *key =
            (struct sort_key){.known = true, .numeric = true, .number = (double)item->created_us};
    else
        sort_key_read(key, by, &item->row);
    key->id = item->id;
}

static void sort_rows(struct list *list, const struct column *by, bool reverse)
{
    struct sorting *keys = xcalloc(list->count ? list->count : 1, sizeof(*keys));

    for (size_t i = 0; i < list->count; i++) {
        keys[i].item = list->rows[i];
        keys[i].running = by->kind == KIND_AGE && !list->rows[i]->text;
        read_key(&keys[i].key, by, list->rows[i]);
    }
    qsort(keys, list->count, sizeof(*keys), reverse ? compare_reverse : compare);
    for (size_t i = 0; i < list->count; i++)
        list->rows[i] = keys[i].item;
    free(keys);
}

void list_build(struct list *list, const struct model *m, const struct ui *ui,
                list_filter_fn *filter, void *ctx)
{
    const struct table_state *state = &ui->tables[ui->view];

    list->count = list->total = 0;
    list->largest_id = 0;
    switch (ui->view) {
    case VIEW_REQUESTS:
        push_requests(list, m, filter, ctx);
        break;
    case VIEW_RUNS:
        push_all(list, &m->runs);
        break;
    case VIEW_MODELS:
        push_all(list, &m->models);
        break;
    case VIEW_UPSTREAMS:
        push_all(list, &m->upstreams);
        break;
    }
    if (ui->view == VIEW_MODELS || ui->view == VIEW_UPSTREAMS)
        list->largest_id = 0;
    if (state->sort)
        sort_rows(list, state->sort, state->reverse);
}

void list_clear(struct list *list)
{
    free(list->rows);
    *list = (struct list){0};
}

int64_t list_find(const struct list *list, int64_t id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i]->id == id)
            return (int64_t)i;
    return -1;
}

int64_t list_selected(const struct list *list, struct table_state *state, bool follow)
{
    int64_t at;

    state->gone = false;
    if (list->count == 0)
        return -1;
    if (follow) { /* rows without ids of their own have no newest one */
        at = list_find(list, list->largest_id);
        return state->last = at < 0 ? 0 : at;
    }
    if (state->selected == UNKNOWN)
        return state->last = 0;
    at = list_find(list, state->selected);
    if (at < 0) {
        state->gone = true;
        at = state->last < (int64_t)list->count ? state->last : (int64_t)list->count - 1;
    }
    return state->last = at;
}
