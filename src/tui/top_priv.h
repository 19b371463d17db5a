/* tui/top_priv.h - what the files of the running screen share. */
#ifndef TUI_TOP_PRIV_H
#define TUI_TOP_PRIV_H

#include "draw.h"
#include "feed.h"
#include "filter/filter.h"
#include "helper.h"
#include "keys.h"
#include "screen.h"

/** What the output of a verb is for. */
enum helper_use {
    HELPER_HEAD,
    HELPER_TEXT,
    HELPER_RECORD,
    HELPER_PAGER,
    HELPER_JSON,
    HELPER_CURL,
    HELPER_COPY,
    HELPER_SAVE,
};

struct top {
    const struct cli *cli;
    struct source source;
    struct feed *feed;
    struct feed_wish wish;
    struct model model;
    struct screen screen;
    struct grid shown; /* what is on the terminal */
    struct ui ui;
    struct filter *filter;  /* the last good one; NULL: none */
    struct buf filter_was;  /* its text before the prompt was opened */
    char run_name[512];     /* of the run to start, while its notes are typed */
    int64_t message_end_us; /* 0: it stays until a key */
    bool stale;             /* the rows must be made anew */
    bool redraw, quit;
    int64_t drawn_us;
    char place[4096]; /* what ui.url points to, once the feed has changed its source */
    struct helper helper;
    enum helper_use helper_use;
    char saved[1024]; /* the file that HELPER_SAVE writes */
    bool color;
    bool feed_stopped; /* its source may be closed */
};

/** Show the screen until it is left; source, ui and filter are set. */
int top_run(struct top *t, const char *play, struct err *err);

/** Tags of calls. */
enum call_tag { CALL_CANCEL, CALL_RUN_START, CALL_RUN_PAUSE, CALL_RUN_RESUME, CALL_RUN_END };

/** Say what an action brought: for four seconds, an error until the next key. */
void top_say(struct top *t, bool error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** A key was pressed. */
void top_key(struct top *t, int code);
/** Do what a key means outside of prompts, menus and questions. */
void top_act(struct top *t, enum action action);
/** An answer to one of our calls. */
void top_answer(struct top *t, const struct news *news);
/** Set the filter. False with the prompt's error filled when the text is wrong. */
bool top_filter(struct top *t, struct str text);
/** The view is another one. */
void top_view(struct top *t, enum view view);
/** Select row at of the list, or the nearest one there is. */
void top_select(struct top *t, int64_t at);

/** Take the terminal again. */
int top_screen(struct top *t);

/* ---- one request (act_detail.c) ---- */

void detail_open(struct top *t, int64_t id);
/** What a run came to, in the pager. */
void run_open(struct top *t, int64_t id);
/** A request that was in flight may have ended. */
void detail_news(struct top *t);
/** A key in the detail; false when it means the same as elsewhere. */
bool detail_act(struct top *t, enum action action);
void detail_save(struct top *t, const char *file);
/** Pager, JSON and curl of the selected request or of the detail. */
void request_act(struct top *t, enum action action);
/** The helper has ended. */
void helper_done(struct top *t);
/** Give the terminal to a pager until it ends. */
void pager_show(struct top *t, struct str text);

/* ---- actions that change something (act_change.c) ---- */

void change_cancel(struct top *t);
void change_runs_menu(struct top *t);
void change_menu(struct top *t, int item);
void change_confirmed(struct top *t);
void change_prompted(struct top *t);

/** Ask before what: filled is ui.confirm. */
static inline void top_confirm(struct top *t)
{
    t->ui.overlay = OVERLAY_CONFIRM;
}

#endif
