/* What keys do: moving, views, order, filter and search. */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "text/term.h"
#include "top_priv.h"

#define MESSAGE_US INT64_C(4000000)

void top_say(struct top *t, bool error, const char *fmt, ...)
{
    struct buf clean = {0};
    struct err ignored;
    char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    term_clean(&clean, str_c(text), t->ui.ascii ? (unsigned)TERM_ASCII : 0, &ignored);
    snprintf(t->ui.message, sizeof(t->ui.message), "%.*s",
             STR_ARG(utf8_cut(buf_str(&clean), sizeof(t->ui.message) - 1)));
    buf_clear(&clean);
    t->ui.message_error = error;
    t->message_end_us = error ? 0 : clock_now_us() + MESSAGE_US;
    t->redraw = true;
}

/* ---- moving ---- */

static struct table_state *state_of(struct top *t)
{
    return &t->ui.tables[t->ui.view];
}

static int64_t selected_at(struct top *t)
{
    return list_selected(&t->screen.list, state_of(t), t->ui.follow);
}

void top_select(struct top *t, int64_t at)
{
    const struct list *list = &t->screen.list;

    if (list->count == 0)
        return;
    if (at >= (int64_t)list->count)
        at = (int64_t)list->count - 1;
    if (at < 0)
        at = 0;
    t->ui.follow = false;
    state_of(t)->selected = list->rows[at]->id;
}

static void move(struct top *t, int64_t by)
{
    int64_t at = selected_at(t);

    if (at >= 0)
        top_select(t, at + by);
}

/* ---- views ---- */

void top_view(struct top *t, enum view view)
{
    t->ui.view = view;
    t->stale = true;
}

static void step_view(struct top *t, int by)
{
    top_view(t, (enum view)(((int)t->ui.view + by + VIEWS) % VIEWS));
}

/* ---- order ---- */

static void sort_by(struct top *t, const struct column *column)
{
    struct table_state *state = state_of(t);

    state->sort = column;
    state->reverse = false;
    t->stale = true;
}

/* The column beside the one that is sorted by, among those on the screen. */
static void step_sort(struct top *t, int by)
{
    const struct table *table = &t->screen.table;
    const struct column *sort = state_of(t)->sort;
    int count = (int)table->count, at = by > 0 ? -1 : 0;

    for (int i = 0; i < count && sort; i++)
        if (strcmp(table->columns[i].id, sort->id) == 0)
            at = i;
    if (count > 0)
        sort_by(t, column_find(view_columns[t->ui.view],
                               str_c(table->columns[(at + by + count) % count].id)));
}

static void open_sort_menu(struct top *t)
{
    struct menu *m = &t->ui.menu;
    const struct column *sort = state_of(t)->sort;

    *m = (struct menu){.kind = MENU_SORT, .title = "sort by"};
    for (const struct column *c = view_columns[t->ui.view]; c->id && m->count < MENU_ITEMS; c++) {
        if (sort == c)
            m->at = m->count;
        snprintf(m->items[m->count++].text, sizeof(m->items[0].text), "%-10s %s", c->title, c->id);
    }
    t->ui.overlay = OVERLAY_MENU;
}

/* ---- filter and search ---- */

bool top_filter(struct top *t, struct str text)
{
    struct prompt *p = &t->ui.prompt;
    struct filter_error error = {0};
    struct filter *filter = NULL;

    p->error[0] = '\0';
    text = str_trim(text);
    if (text.len > 0) {
        filter = filter_parse(text, FILTER_LIVE, clock_wall_us(), &error);
        if (!filter) {
            snprintf(p->error, sizeof(p->error), "%s", error.msg);
            p->error_at = error.position;
            p->error_len = error.length;
            return false;
        }
    }
    filter_free(t->filter);
    t->filter = filter;
    buf_cut(&t->ui.filter, 0);
    buf_put(&t->ui.filter, text);
    /* A row that the new filter hides was not what the user wants to look at. */
    screen_refresh(&t->screen, &t->model, &t->ui, t->filter);
    selected_at(t);
    if (t->ui.tables[VIEW_REQUESTS].gone)
        t->ui.tables[VIEW_REQUESTS].selected = UNKNOWN;
    t->stale = true;
    return true;
}

/* Filter to a value of a row, or take that filter away again. */
static void toggle_filter(struct top *t, const char *field, const struct row *row, const char *path)
{
    struct buf value = {0}, text = {0};

    if (!row_text(row, path, &value)) {
        buf_printf(&text, "%s:-", field);
    } else {
        buf_printf(&text, "%s=\"", field);
        for (size_t i = 0; i < value.len && text.len < FILTER_BYTES_MAX; i++)
            buf_printf(&text, value.ptr[i] == '"' || value.ptr[i] == '\\' ? "\\%c" : "%c",
                       value.ptr[i]);
        buf_put(&text, STR("\""));
    }
    if (str_eq(buf_str(&text), buf_str(&t->ui.filter)))
        top_filter(t, STR(""));
    else if (!top_filter(t, buf_str(&text)))
        top_say(t, true, "%s", t->ui.prompt.error);
    t->ui.prompt.error[0] = '\0';
    buf_clear(&value);
    buf_clear(&text);
}

static void filter_to_row(struct top *t, const char *field, const char *path)
{
    const struct item *item = screen_selected(&t->screen, &t->ui);

    if (item && t->ui.view == VIEW_REQUESTS)
        toggle_filter(t, field, &item->row, path);
}

static void search(struct top *t, bool forward)
{
    int64_t at = selected_at(t);

    if (t->ui.search.len == 0) {
        top_say(t, false, "nothing was searched for yet");
        return;
    }
    at = at < 0 ? -1 : screen_find(&t->screen, buf_str(&t->ui.search), at, forward);
    if (at < 0)
        top_say(t, false, "no row has %s", t->ui.search.ptr);
    else
        top_select(t, at);
}

static bool is_error(const struct row *row)
{
    enum role role;
    char text[8];

    request_state(row, text, &role);
    return role == ROLE_ERROR || (role == ROLE_WARN && request_finished(row));
}

static void step_error(struct top *t, int by)
{
    const struct list *list = &t->screen.list;
    int64_t from = selected_at(t), count = (int64_t)list->count;

    if (t->ui.view != VIEW_REQUESTS)
        return;
    for (int64_t i = 1; i <= count; i++) {
        int64_t at = ((from + by * i) % count + count) % count;

        if (is_error(&list->rows[at]->row)) {
            top_select(t, at);
            return;
        }
    }
    top_say(t, false, "no errors");
}

/* ---- the rest ---- */

static void change_interval(struct top *t, int by)
{
    static const int64_t steps[] = {100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000};
    int at = 0;

    while (at < 8 && steps[at] < t->ui.interval_ms)
        at++;
    at += by < 0 ? -1 : t->ui.interval_ms == steps[at];
    at = at < 0 ? 0 : at > 8 ? 8 : at;
    t->ui.interval_ms = steps[at];
    top_say(t, false, "interval %.1f s", (double)steps[at] / 1000);
}

static void toggle_pause(struct top *t)
{
    t->ui.paused = !t->ui.paused;
    if (!t->ui.paused)
        feed_hurry(t->feed);
}

static void open_row(struct top *t)
{
    const struct item *item = screen_selected(&t->screen, &t->ui);

    if (!item)
        return;
    if (t->ui.view == VIEW_MODELS || t->ui.view == VIEW_UPSTREAMS) {
        bool models = t->ui.view == VIEW_MODELS;

        toggle_filter(t, models ? "model" : "provider", &item->row,
                      models ? "model" : "provider_slug");
        top_view(t, VIEW_REQUESTS);
    } else if (t->ui.view == VIEW_REQUESTS) {
        detail_open(t, item->id);
    } else {
        run_open(t, item->id);
    }
}

/* Close the innermost thing; false when nothing is open. */
static bool close_one(struct top *t)
{
    if (t->ui.search.len > 0) {
        buf_cut(&t->ui.search, 0);
        return true;
    }
    if (t->ui.filter.len > 0)
        return top_filter(t, STR(""));
    return false;
}

static void open_prompt(struct top *t, enum prompt_kind kind, struct str text, const char *note)
{
    prompt_open(&t->ui.prompt, kind, text, note);
}

void top_act(struct top *t, enum action action)
{
    struct table_state *state = state_of(t);

    switch (action) {
    case ACT_NONE:
        break;
    case ACT_UP:
        move(t, -1);
        break;
    case ACT_DOWN:
        move(t, 1);
        break;
    case ACT_PAGE_UP:
        move(t, -t->ui.page);
        break;
    case ACT_PAGE_DOWN:
        move(t, t->ui.page);
        break;
    case ACT_HOME:
        top_select(t, 0);
        break;
    case ACT_END:
        top_select(t, INT64_MAX);
        break;
    case ACT_LEFT:
        state->shift -= state->shift > 0;
        break;
    case ACT_RIGHT:
        state->shift += t->screen.table.count > 2;
        break;
    case ACT_OPEN:
        open_row(t);
        break;
    case ACT_CLOSE:
        close_one(t);
        break;
    case ACT_BACK:
        t->quit = !close_one(t);
        break;
    case ACT_QUIT:
        t->quit = true;
        break;
    case ACT_VIEW_1:
    case ACT_VIEW_2:
    case ACT_VIEW_3:
    case ACT_VIEW_4:
        top_view(t, (enum view)(action - ACT_VIEW_1));
        break;
    case ACT_VIEW_NEXT:
        step_view(t, 1);
        break;
    case ACT_VIEW_PREVIOUS:
        step_view(t, -1);
        break;
    case ACT_HELP:
        t->ui.overlay = OVERLAY_HELP;
        t->ui.help_top = 0;
        break;
    case ACT_SEARCH:
        open_prompt(t, PROMPT_SEARCH, STR(""), "finds visible cells; n and N go on");
        break;
    case ACT_SEARCH_NEXT:
        search(t, true);
        break;
    case ACT_SEARCH_PREVIOUS:
        search(t, false);
        break;
    case ACT_FILTER:
        top_view(t, VIEW_REQUESTS);
        buf_cut(&t->filter_was, 0);
        buf_put(&t->filter_was, buf_str(&t->ui.filter));
        open_prompt(t, PROMPT_FILTER, buf_str(&t->ui.filter),
                    "model:qwen* status>=400   ttft>2s   is:error   run:bench-*   since:15m");
        break;
    case ACT_SORT_PREVIOUS:
        step_sort(t, -1);
        break;
    case ACT_SORT_NEXT:
        step_sort(t, 1);
        break;
    case ACT_SORT_MENU:
        open_sort_menu(t);
        break;
    case ACT_REVERSE:
        state->reverse = !state->reverse;
        t->stale = true;
        break;
    case ACT_PAUSE:
        toggle_pause(t);
        break;
    case ACT_FOLLOW:
        t->ui.follow = !t->ui.follow;
        state->selected = UNKNOWN;
        top_say(t, false, t->ui.follow ? "following the newest request" : "following ended");
        break;
    case ACT_PANE:
        t->ui.pane = t->screen.pane ? PANE_OFF : PANE_ON;
        break;
    case ACT_SLOWER:
        change_interval(t, 1);
        break;
    case ACT_FASTER:
        change_interval(t, -1);
        break;
    case ACT_ERROR_NEXT:
        step_error(t, 1);
        break;
    case ACT_ERROR_PREVIOUS:
        step_error(t, -1);
        break;
    case ACT_RUN_FILTER:
        filter_to_row(t, "run", "task_run.name");
        break;
    case ACT_MODEL_FILTER:
        filter_to_row(t, "model", "model");
        break;
    case ACT_CANCEL:
        change_cancel(t);
        break;
    case ACT_RUN_MENU:
        change_runs_menu(t);
        break;
    case ACT_REDRAW:
        draw_again(&t->shown);
        break;
    case ACT_PAGER:
    case ACT_JSON:
    case ACT_CURL_COPY:
    case ACT_CURL:
        request_act(t, action);
        break;
    case ACT_VIEW_5:
    case ACT_NEIGHBOUR_NEXT:
    case ACT_NEIGHBOUR_PREVIOUS:
    case ACT_BODY_NEXT:
    case ACT_SAVE:
    case ACT_SUSPEND: /* the main loop's */
        break;
    }
}

/* ---- keys ---- */

static void prompt_accepted(struct top *t)
{
    struct prompt *p = &t->ui.prompt;
    enum prompt_kind kind = p->kind;

    if (kind == PROMPT_FILTER && !top_filter(t, buf_str(&p->text)))
        return; /* stays open, with what is wrong */
    prompt_close(p, true);
    if (kind == PROMPT_SEARCH) {
        buf_cut(&t->ui.search, 0);
        buf_put(&t->ui.search, buf_str(&p->text));
        search(t, true);
    } else if (kind != PROMPT_FILTER) {
        p->kind = kind;
        change_prompted(t);
    }
}

static void key_in_prompt(struct top *t, int code)
{
    struct prompt *p = &t->ui.prompt;

    switch (prompt_key(p, code)) {
    case PROMPT_EDITED:
        if (p->kind == PROMPT_FILTER)
            top_filter(t, buf_str(&p->text));
        break;
    case PROMPT_ACCEPTED:
        prompt_accepted(t);
        break;
    case PROMPT_CLOSED:
        if (p->kind == PROMPT_FILTER)
            top_filter(t, buf_str(&t->filter_was));
        prompt_close(p, false);
        break;
    case PROMPT_IGNORED:
    case PROMPT_MOVED:
        break;
    }
}

static void menu_taken(struct top *t, int item)
{
    t->ui.overlay = OVERLAY_NONE;
    if (t->ui.menu.kind == MENU_SORT)
        sort_by(t, &view_columns[t->ui.view][item]);
    else
        change_menu(t, item);
}

static void key_in_menu(struct top *t, int code)
{
    struct menu *m = &t->ui.menu;
    enum action action = key_action(code);

    for (int i = 0; i < m->count; i++)
        if (m->items[i].key && m->items[i].key == code) {
            menu_taken(t, i);
            return;
        }
    if (action == ACT_UP)
        m->at -= m->at > 0;
    else if (action == ACT_DOWN)
        m->at += m->at < m->count - 1;
    else if (action == ACT_OPEN && m->count > 0)
        menu_taken(t, m->at);
    else if (action == ACT_CLOSE || action == ACT_BACK)
        t->ui.overlay = OVERLAY_NONE;
    else if (action == ACT_QUIT)
        t->quit = true;
}

static void key_in_help(struct top *t, int code)
{
    enum action action = key_action(code);
    int by = action == ACT_UP ? -1 : action == ACT_DOWN ? 1 : 0;

    if (action == ACT_PAGE_UP || action == ACT_PAGE_DOWN)
        by = action == ACT_PAGE_UP ? -10 : 10;
    if (action == ACT_QUIT)
        t->quit = true;
    else if (by == 0)
        t->ui.overlay = OVERLAY_NONE;
    t->ui.help_top += by;
    if (t->ui.help_top < 0)
        t->ui.help_top = 0;
}

void top_key(struct top *t, int code)
{
    t->redraw = true;
    if (t->ui.message_error)
        t->ui.message[0] = '\0';
    t->ui.message_error = false;
    if (t->ui.prompt.kind != PROMPT_NONE) {
        key_in_prompt(t, code);
        return;
    }
    switch (t->ui.overlay) {
    case OVERLAY_NONE:
        if (!t->ui.detail.id || !detail_act(t, key_action(code)))
            top_act(t, key_action(code));
        break;
    case OVERLAY_HELP:
        key_in_help(t, code);
        break;
    case OVERLAY_CONFIRM:
        t->ui.overlay = OVERLAY_NONE;
        if (code == 'y' || code == 'Y')
            change_confirmed(t);
        else
            top_say(t, false, "nothing was changed");
        break;
    case OVERLAY_MENU:
        key_in_menu(t, code);
        break;
    }
}
