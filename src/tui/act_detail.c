/* The detail of a request, and what leaves the screen for a moment: pager, clipboard. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/out.h"
#include "guard.h"
#include "text/term.h"
#include "top_priv.h"
#include "json/json_scan.h"

#define CLIPBOARD_MAX ((size_t)64 << 10) /* encoded */

static const char *const body_parts[] = {"request", "response", "upstream"};

/* ---- verbs of this program ---- */

/* Run "COMMAND VERB ID" with words (up to six, ends with NULL) against the same source. */
static void run_command(struct top *t, enum helper_use use, const char *command, int64_t id,
                        const char *verb, const char *const *words)
{
    const char *argv[16] = {command, verb};
    char number[32], place[4200];
    size_t n = 2;
    struct err err;

    snprintf(number, sizeof(number), "%" PRId64, id);
    argv[n++] = number;
    while (*words && n < 9)
        argv[n++] = *words++;
    argv[n++] = t->ui.source == SOURCE_OFFLINE ? "--database-url" : "--url";
    snprintf(place, sizeof(place), "%s%s", t->ui.source == SOURCE_OFFLINE ? "sqlite:///" : "",
             t->ui.url);
    argv[n++] = place;
    argv[n] = NULL;
    t->helper_use = use;
    if (helper_start(&t->helper, argv, &err) < 0)
        top_say(t, true, "%s", err.msg);
}

static void run_verb(struct top *t, enum helper_use use, int64_t id, const char *verb,
                     const char *const *words)
{
    run_command(t, use, "requests", id, verb, words);
}

static bool can_ask(struct top *t)
{
    if (t->ui.source == SOURCE_PLAY)
        top_say(t, true, "a played file has no more than this");
    return t->ui.source != SOURCE_PLAY;
}

/* ---- the detail ---- */

static void load_head(struct top *t)
{
    run_verb(t, HELPER_HEAD, t->ui.detail.id, "show",
             (const char *const[]){"--part", "head", NULL});
}

/* Ask for what the tab shows. */
static void load_tab(struct top *t)
{
    struct detail *d = &t->ui.detail;
    const char *part = d->tab == TAB_CHAT  ? "conversation"
                       : d->tab == TAB_RAW ? body_parts[d->body]
                                           : "headers";

    d->error[0] = '\0';
    d->top = 0;
    d->folded_width = 0;
    buf_cut(&d->text, 0);
    if (d->running || (d->record.len > 0 && d->tab >= TAB_TIMING))
        return;
    d->loading = true;
    if (d->tab >= TAB_TIMING)
        run_verb(t, HELPER_RECORD, d->id, "show", (const char *const[]){"--json=record", NULL});
    else
        run_verb(t, HELPER_TEXT, d->id, "show", (const char *const[]){"--part", part, NULL});
}

void detail_open(struct top *t, int64_t id)
{
    struct detail *d = &t->ui.detail;
    const struct item *item = model_request(&t->model, id);
    enum detail_tab tab = d->tab;

    if (!can_ask(t))
        return;
    detail_clear(d);
    d->id = id;
    d->tab = tab;
    d->body = 1;
    d->running = item && !request_finished(&item->row);
    d->loading = !d->running;
    if (!d->running)
        load_head(t);
}

void run_open(struct top *t, int64_t id)
{
    if (can_ask(t))
        run_command(t, HELPER_PAGER, "runs", id, "show", (const char *const[]){NULL});
}

void detail_news(struct top *t)
{
    struct detail *d = &t->ui.detail;

    if (d->id && d->running && model_finished(&t->model, d->id))
        detail_open(t, d->id);
}

static void step_neighbour(struct top *t, int by)
{
    int64_t at = list_find(&t->screen.list, t->ui.detail.id);

    if (at < 0 || at + by < 0 || at + by >= (int64_t)t->screen.list.count)
        return;
    top_select(t, at + by);
    detail_open(t, t->screen.list.rows[at + by]->id);
}

static void set_tab(struct top *t, int tab)
{
    t->ui.detail.tab = (enum detail_tab)((tab + DETAIL_TABS) % DETAIL_TABS);
    load_tab(t);
}

static void close_detail(struct top *t)
{
    helper_stop(&t->helper);
    detail_clear(&t->ui.detail);
}

static void ask_save(struct top *t)
{
    char name[64];

    snprintf(name, sizeof(name), "request-%" PRId64 "-%s", t->ui.detail.id,
             body_parts[t->ui.detail.body]);
    prompt_open(&t->ui.prompt, PROMPT_SAVE, str_c(name), "the exact bytes; no file is overwritten");
}

void detail_save(struct top *t, const char *file)
{
    const struct detail *d = &t->ui.detail;

    if (access(file, F_OK) == 0) {
        top_say(t, true, "%s exists already", file);
        return;
    }
    snprintf(t->saved, sizeof(t->saved), "%s", file);
    run_verb(t, HELPER_SAVE, d->id, "show",
             (const char *const[]){"--raw", body_parts[d->body], "--output", file, NULL});
}

bool detail_act(struct top *t, enum action action)
{
    struct detail *d = &t->ui.detail;
    int64_t top = d->top;

    switch (action) {
    case ACT_UP:
        top--;
        break;
    case ACT_DOWN:
        top++;
        break;
    case ACT_PAGE_UP:
        top -= t->ui.page;
        break;
    case ACT_PAGE_DOWN:
        top += t->ui.page;
        break;
    case ACT_HOME:
        top = 0;
        break;
    case ACT_END:
        top = d->most;
        break;
    case ACT_VIEW_1:
    case ACT_VIEW_2:
    case ACT_VIEW_3:
    case ACT_VIEW_4:
    case ACT_VIEW_5:
        set_tab(t, (int)(action - ACT_VIEW_1));
        return true;
    case ACT_VIEW_NEXT:
        set_tab(t, (int)d->tab + 1);
        return true;
    case ACT_VIEW_PREVIOUS:
        set_tab(t, (int)d->tab - 1);
        return true;
    case ACT_NEIGHBOUR_PREVIOUS:
        step_neighbour(t, -1);
        return true;
    case ACT_NEIGHBOUR_NEXT:
        step_neighbour(t, 1);
        return true;
    case ACT_BODY_NEXT:
        if (d->tab == TAB_RAW) {
            d->body = (d->body + 1) % 3;
            load_tab(t);
        }
        return true;
    case ACT_SAVE:
        if (d->tab == TAB_RAW && !d->running)
            ask_save(t);
        return true;
    case ACT_CLOSE:
    case ACT_BACK:
        close_detail(t);
        return true;
    case ACT_PAGER:
        if (d->text.len > 0)
            pager_show(t, buf_str(&d->text));
        return true;
    case ACT_HELP:
    case ACT_QUIT:
    case ACT_JSON:
    case ACT_CURL:
    case ACT_CURL_COPY:
    case ACT_CANCEL:
    case ACT_REDRAW:
        return false;
    default:
        return true;
    }
    d->top = top < 0 ? 0 : top > d->most ? d->most : top;
    return true;
}

/* ---- pager and clipboard ---- */

/* The terminal is the shell's for a moment: wait for a key there. */
static void wait_for_enter(void)
{
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
    char byte;

    fputs("\n[Enter]", stdout);
    fflush(stdout);
    while (poll(&fd, 1, -1) < 0 && errno == EINTR)
        ;
    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
        ;
}

void pager_show(struct top *t, struct str text)
{
    static const struct out_spec spec = {.pager = true};
    struct feed_wish quiet = t->wish;
    struct buf clean = {0};
    struct out out;
    struct err err;
    bool paged = false;

    quiet.paused = true;
    feed_wish(t->feed, &quiet);
    setenv("LESS", "R", 0);
    draw_stop();
    if (term_clean(&clean, text, TERM_MULTILINE | (t->ui.ascii ? (unsigned)TERM_ASCII : 0), &err) ==
            0 &&
        out_open(&out, t->cli, &spec, &err) == 0) {
        paged = out.pager != NULL;
        if (out_text(&out, buf_str(&clean), &err) == 0)
            out_end(&out, &err);
        out_close(&out);
    }
    buf_clear(&clean);
    if (!paged)
        wait_for_enter();
    guard_again();
    if (top_screen(t) < 0)
        t->quit = true;
    feed_wish(t->feed, &t->wish);
    t->redraw = true;
}

static void put_base64(struct buf *out, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s.len; i += 3) {
        size_t n = s.len - i < 3 ? s.len - i : 3;
        unsigned bits = 0;
        char four[4] = {'=', '=', '=', '='};

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)s.ptr[i + k] : 0);
        for (size_t k = 0; k <= n; k++)
            four[k] = digits[bits >> (18 - 6 * k) & 63];
        buf_put(out, (struct str){four, 4});
    }
}

static void copy(struct top *t, struct str text)
{
    struct buf sequence = {0};

    if ((text.len + 2) / 3 * 4 > CLIPBOARD_MAX) {
        pager_show(t, text);
        return;
    }
    buf_put(&sequence, STR("\x1b]52;c;"));
    put_base64(&sequence, text);
    buf_put(&sequence, STR("\a"));
    draw_raw(buf_str(&sequence));
    buf_clear(&sequence);
    top_say(t, false, "curl command copied (if the terminal allows it; C shows it)");
}

/* ---- what the verbs printed ---- */

static void show_json(struct top *t, struct str json)
{
    struct buf text = {0};
    struct err err;

    if (json_respace(&text, str_trim(json), 0, &err) == 0)
        pager_show(t, buf_str(&text));
    buf_clear(&text);
}

static void move_text(struct buf *to, struct buf *from)
{
    buf_clear(to);
    *to = *from;
    *from = (struct buf){0};
}

static void clean_head(struct top *t)
{
    struct buf clean = {0};
    struct err ignored;

    term_clean(&clean, buf_str(&t->helper.out),
               TERM_MULTILINE | (t->ui.ascii ? (unsigned)TERM_ASCII : 0), &ignored);
    move_text(&t->ui.detail.head, &clean);
    buf_clear(&clean);
}

static void helper_failed(struct top *t)
{
    struct detail *d = &t->ui.detail;
    bool gone = t->helper.status == err_exit_status(ERR_NOT_FOUND);

    d->loading = false;
    if (d->id && t->helper_use <= HELPER_RECORD) {
        d->folded_width = 0;
        if (gone && t->helper_use == HELPER_HEAD)
            snprintf(d->error, sizeof(d->error), "request %" PRId64 " is no longer stored", d->id);
        else
            snprintf(d->error, sizeof(d->error), "%.*s",
                     STR_ARG(utf8_cut(str_c(t->helper.message), sizeof(d->error) - 1)));
        return;
    }
    top_say(t, true, "%s", t->helper.message);
}

void helper_done(struct top *t)
{
    struct detail *d = &t->ui.detail;
    struct buf out = t->helper.out; /* moved */

    t->redraw = true;
    /* 8: the stored body is cut; what there is is shown. */
    if (t->helper.status != 0 && t->helper.status != err_exit_status(ERR_PARTIAL)) {
        helper_failed(t);
        return;
    }
    switch (t->helper_use) {
    case HELPER_HEAD:
        clean_head(t);
        load_tab(t);
        return;
    case HELPER_TEXT:
        d->loading = false;
        d->folded_width = 0;
        move_text(&d->text, &t->helper.out);
        return;
    case HELPER_RECORD:
        d->loading = false;
        d->folded_width = 0;
        move_text(&d->record, &t->helper.out);
        return;
    case HELPER_PAGER:
    case HELPER_CURL:
        t->helper.out = (struct buf){0};
        pager_show(t, buf_str(&out));
        break;
    case HELPER_JSON:
        t->helper.out = (struct buf){0};
        show_json(t, buf_str(&out));
        break;
    case HELPER_COPY:
        t->helper.out = (struct buf){0};
        copy(t, buf_str(&out));
        break;
    case HELPER_SAVE:
        top_say(t, false, "saved as %s", t->saved);
        return;
    }
    buf_clear(&out);
}

/* ---- keys of a request ---- */

void request_act(struct top *t, enum action action)
{
    const struct item *item = screen_selected(&t->screen, &t->ui);
    int64_t id = t->ui.detail.id ? t->ui.detail.id : item ? item->id : 0;
    const struct item *row = model_request(&t->model, id);
    bool running = row && !request_finished(&row->row);

    if (!t->ui.detail.id && t->ui.view != VIEW_REQUESTS) {
        if (item && action == ACT_JSON)
            show_json(t, item->row.text);
        return;
    }
    if (id == 0)
        return;
    if (action == ACT_JSON && (running || t->ui.source == SOURCE_PLAY) && row) {
        show_json(t, row->row.text);
        return;
    }
    if (!can_ask(t))
        return;
    if (running && action == ACT_PAGER)
        top_say(t, true, "request %" PRId64 " is in flight; its answer comes when it has ended",
                id);
    else if (action == ACT_PAGER)
        run_verb(t, HELPER_PAGER, id, "show", (const char *const[]){"--part", "response", NULL});
    else if (action == ACT_JSON)
        run_verb(t, HELPER_JSON, id, "show", (const char *const[]){"--json", NULL});
    else if (action == ACT_CURL)
        run_verb(t, HELPER_CURL, id, "curl", (const char *const[]){NULL});
    else if (action == ACT_CURL_COPY)
        run_verb(t, HELPER_COPY, id, "curl", (const char *const[]){NULL});
}
