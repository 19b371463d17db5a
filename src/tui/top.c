/* The main loop: keys, news and signals in, a grid on the terminal out. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "guard.h"
#include "top_priv.h"

#define TICK_US INT64_C(1000000)
#define FRAME_US INT64_C(50000)

/* ---- rows ---- */

/* Make the rows anew; "since:15m" counts from now. */
static void refresh(struct top *t)
{
    struct filter_error ignored;
    struct filter *fresh = NULL;

    if (t->filter && t->model.now_us != ROW_UNKNOWN)
        fresh = filter_parse(buf_str(&t->ui.filter), FILTER_LIVE, t->model.now_us, &ignored);
    if (fresh) {
        filter_free(t->filter);
        t->filter = fresh;
    }
    screen_refresh(&t->screen, &t->model, &t->ui, t->filter);
    t->stale = false;
}

/* ---- news ---- */

static void take_offline(struct top *t, const struct news *n, enum source_state state)
{
    snprintf(t->place, sizeof(t->place), "%.*s", STR_ARG(buf_str(&n->body)));
    t->ui.url = t->place;
    t->ui.source = state;
}

static void take_news(struct top *t, struct news *n)
{
    struct err err;

    t->redraw = true;
    switch (n->kind) {
    case NEWS_LIVE:
        if (t->ui.paused)
            break;
        if (model_take(&t->model, buf_str(&n->body), n->at_us, &err) < 0) {
            top_say(t, true, "%s", err.msg);
            break;
        }
        if (t->ui.source == SOURCE_CONNECTING || t->ui.source == SOURCE_RETRY)
            t->ui.source = SOURCE_LIVE;
        t->stale = true;
        detail_news(t);
        break;
    case NEWS_TEXT:
        model_take_text(&t->model, buf_str(&n->body));
        break;
    case NEWS_RUNS:
        model_take_runs(&t->model, buf_str(&n->body), &err);
        t->stale = t->stale || t->ui.view == VIEW_RUNS;
        break;
    case NEWS_LOST:
        t->ui.source = SOURCE_RETRY;
        t->ui.retry_s = n->retry_s;
        top_say(t, true, "%s", n->err.msg);
        break;
    case NEWS_OFFLINE:
        take_offline(t, n, SOURCE_OFFLINE);
        break;
    case NEWS_ONLINE:
        take_offline(t, n, SOURCE_LIVE);
        t->ui.message[0] = '\0';
        break;
    case NEWS_END:
        top_say(t, false, "the end of the file");
        break;
    case NEWS_ANSWER:
        top_answer(t, n);
        break;
    }
}

static void take_all_news(struct top *t)
{
    struct news *n;

    while ((n = feed_next(t->feed))) {
        take_news(t, n);
        news_free(n);
    }
    if (t->stale) /* the rows of the list may be gone */
        refresh(t);
}

/* Tell the feed what is looked at now. */
static void tell_wish(struct top *t)
{
    struct feed_wish wish = t->wish;
    const struct item *item = screen_selected(&t->screen, &t->ui);
    bool text;

    if (t->ui.detail.id)
        item = model_request(&t->model, t->ui.detail.id);
    text = item && t->ui.view == VIEW_REQUESTS && t->screen.pane;

    wish.interval_ms = t->ui.interval_ms;
    wish.paused = t->ui.paused;
    wish.runs = t->ui.view == VIEW_RUNS || t->ui.overlay == OVERLAY_MENU;
    wish.text_id = text ? item->id : 0;
    wish.text_often = text && !request_finished(&item->row);
    snprintf(wish.where, sizeof(wish.where), "%s", t->ui.filter.len > 0 ? t->ui.filter.ptr : "");
    if (memcmp(&wish, &t->wish, sizeof(wish)) == 0)
        return;
    t->wish = wish;
    feed_wish(t->feed, &wish);
}

/* ---- drawing ---- */

static void show(struct top *t)
{
    int width, height;

    if (t->stale)
        refresh(t);
    t->redraw = false;
    if (!t->ui.paused)
        t->ui.monotonic_us = clock_now_us();
    draw_size(&width, &height);
    screen_draw(&t->screen, &t->model, &t->ui, width, height);
    draw_grid(&t->screen.grid, &t->shown);
    t->drawn_us = clock_now_us();
}

/* ---- signals ---- */

static int start_screen(struct top *t, struct err *err)
{
    grid_clear(&t->shown);
    return draw_start(t->color, err);
}

int top_screen(struct top *t)
{
    struct err err;

    return start_screen(t, &err);
}

static void suspend(struct top *t)
{
    draw_stop();
    guard_suspend();
    if (top_screen(t) < 0)
        t->quit = true;
    t->redraw = true;
}

/* Returns the signal that ends us, or 0. */
static int take_signals(struct top *t)
{
    int number;

    while ((number = guard_signal())) {
        if (number == SIGWINCH) {
            draw_resized();
            t->redraw = true;
        } else if (number == SIGTSTP) {
            suspend(t);
        } else {
            return number;
        }
    }
    return 0;
}

/* ---- the loop ---- */

static void take_keys(struct top *t)
{
    int code;

    while (!t->quit && (code = draw_key()) != K_NONE) {
        if (code == K_RESIZE)
            t->redraw = true;
        else if (code == K_CTRL_Z)
            suspend(t);
        else
            top_key(t, code);
        if (t->stale) /* the next key may move in the new rows */
            refresh(t);
    }
}

/* Milliseconds until something must be drawn; -1: nothing on its own. */
static int next_wait(const struct top *t, int64_t now)
{
    int64_t at = t->ui.paused || !t->model.filled ? INT64_MAX : t->drawn_us + TICK_US;

    if (t->redraw)
        at = t->drawn_us + FRAME_US;
    if (t->ui.message[0] && t->message_end_us > 0 && t->message_end_us < at)
        at = t->message_end_us;
    if (at == INT64_MAX)
        return -1;
    return at <= now ? 0 : (int)((at - now + 999) / 1000);
}

static void forget_message(struct top *t, int64_t now)
{
    if (t->ui.message[0] && t->message_end_us > 0 && t->message_end_us <= now) {
        t->ui.message[0] = '\0';
        t->redraw = true;
    }
}

/* Returns the signal that ended it, or 0. */
static int loop(struct top *t)
{
    int number = 0;

    while (!t->quit) {
        struct pollfd fds[] = {{draw_fd(), POLLIN, 0},
                               {feed_fd(t->feed), POLLIN, 0},
                               {guard_fd(), POLLIN, 0},
                               {helper_runs(&t->helper) ? t->helper.fd : -1, POLLIN, 0}};
        int64_t now;

        if (poll(fds, 4, next_wait(t, clock_now_us())) < 0 && errno != EINTR)
            break;
        number = take_signals(t);
        if (number)
            break;
        if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
            break; /* the terminal is gone */
        if (fds[0].revents & POLLIN)
            take_keys(t);
        if (fds[1].revents & POLLIN)
            take_all_news(t);
        if (fds[3].revents && helper_runs(&t->helper) && helper_read(&t->helper))
            helper_done(t);
        now = clock_now_us();
        forget_message(t, now);
        if (t->quit)
            break;
        if (next_wait(t, now) == 0)
            show(t);
        tell_wish(t);
    }
    return number;
}

int top_run(struct top *t, const char *play, struct err *err)
{
    int number = 0, rc = -1;

    t->wish.interval_ms = t->ui.interval_ms;
    if (guard_start(err) < 0)
        return -1;
    t->feed = feed_open(&t->source, play, &t->wish, err);
    if (!t->feed)
        return -1;
    atexit(draw_stop);
    t->redraw = true;
    if (start_screen(t, err) == 0) {
        show(t);
        number = loop(t);
        draw_stop();
        rc = 0;
    }
    helper_stop(&t->helper);
    t->feed_stopped = feed_close(t->feed);
    t->feed = NULL;
    if (number)
        guard_die(number);
    return rc;
}
