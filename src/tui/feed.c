#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/query.h"
#include "base/xalloc.h"
#include "feed_priv.h"
#include "json/json_scan.h"

#define RUNS_US INT64_C(5000000)
#define TEXT_US INT64_C(250000)
#define ONLINE_US INT64_C(2000000)
#define NEVER INT64_MAX

struct call {
    struct call *next;
    int tag;
    int64_t id;
    char *method, *path, *query, *json;
};

struct feed {
    struct source *source;
    FILE *play;
    int wake[2]; /* a byte: there is news */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below lock */
    struct feed_wish wish;
    struct call *calls, **last_call;
    struct news *news, **last_news;
    bool stop, hurry, stopped;
    /* the thread's own */
    int64_t next_live, next_text, next_runs;
    int64_t rev;
    char instance[32], where[4097];
    int failures;
    bool no_parts; /* an older server: it sends everything, whatever is asked for */
    struct offline offline;
};

/* ---- news ---- */

void news_free(struct news *news)
{
    if (!news)
        return;
    buf_clear(&news->body);
    free(news);
}

/* Takes body. */
static struct news *make_news(enum news_kind kind, struct buf *body)
{
    struct news *n = xcalloc(1, sizeof(*n));

    n->kind = kind;
    n->at_us = clock_now_us();
    if (body) {
        n->body = *body;
        *body = (struct buf){0};
    }
    return n;
}

static void publish(struct feed *f, struct news *n)
{
    pthread_mutex_lock(&f->lock);
    *f->last_news = n;
    f->last_news = &n->next;
    pthread_mutex_unlock(&f->lock);
    if (write(f->wake[1], "", 1) < 0)
        return; /* the pipe is full: the reader is awake */
}

struct news *feed_next(struct feed *f)
{
    struct news *n;
    char bytes[64];

    while (read(f->wake[0], bytes, sizeof(bytes)) > 0)
        ;
    pthread_mutex_lock(&f->lock);
    n = f->news;
    if (n) {
        f->news = n->next;
        n->next = NULL;
        if (!f->news)
            f->last_news = &f->news;
    }
    pthread_mutex_unlock(&f->lock);
    return n;
}

/* ---- the thread: asking ---- */

/* What the next question needs to know of an answer. */
static void note_answer(struct feed *f, struct str value)
{
    struct row row = {0};
    struct buf instance = {0};

    if (row_read(&row, value)) {
        f->rev = row_int(&row, "rev");
        row_text(&row, "instance", &instance);
        if (f->instance[0] && strcmp(f->instance, instance.ptr ? instance.ptr : "") != 0) {
            f->rev = 0; /* another server: all of it again */
            f->next_live = 0;
        }
        snprintf(f->instance, sizeof(f->instance), "%s", instance.ptr ? instance.ptr : "");
    }
    buf_clear(&instance);
    row_clear(&row);
}

static void lost(struct feed *f, const struct err *err)
{
    static const int waits[] = {1, 2, 4, 8, 15};
    struct news *n;
    int at = f->failures < 4 ? f->failures : 4;

    f->failures++;
    f->rev = 0;
    f->next_live = clock_now_us() + (int64_t)waits[at] * 1000000;
    n = make_news(NEWS_LOST, NULL);
    n->err = *err;
    n->retry_s = waits[at];
    publish(f, n);
    if (f->failures >= 2 && offline_start(&f->offline, f->source)) {
        struct buf path = {0};

        buf_put(&path, str_c(f->source->path));
        publish(f, make_news(NEWS_OFFLINE, &path));
        f->failures = 0;
        f->next_live = 0;
    }
}

static void ask_live(struct feed *f, const struct feed_wish *wish)
{
    struct buf query = {0}, body = {0};
    struct str value;
    struct err err;

    if (strcmp(wish->where, f->where) != 0) {
        snprintf(f->where, sizeof(f->where), "%s", wish->where);
        f->rev = 0;
    }
    buf_printf(&query, "since=%" PRId64 "&rows=1000&series=300", f->rev > 0 ? f->rev : 0);
    if (wish->text_id > 0)
        buf_printf(&query, "&text=%" PRId64, wish->text_id);
    if (f->where[0]) {
        buf_put(&query, STR("&where="));
        query_encode(&query, str_c(f->where));
    }
    f->next_live = clock_now_us() + wish->interval_ms * 1000;
    f->next_text = clock_now_us() + TEXT_US;
    if (source_get(f->source, "live", "/api/live", query.ptr, &body, &value, &err) == 0) {
        f->failures = 0;
        offline_note(&f->offline, value);
        note_answer(f, value);
        publish(f, make_news(NEWS_LIVE, &body));
    } else {
        lost(f, &err);
    }
    buf_clear(&query);
    buf_clear(&body);
}

static void ask_text(struct feed *f, const struct feed_wish *wish)
{
    char query[64];
    struct buf body = {0};
    struct str value, member;
    struct err err;

    snprintf(query, sizeof(query), "parts=text&series=0&rows=0&text=%" PRId64, wish->text_id);
    f->next_text = clock_now_us() + TEXT_US;
    if (source_get(f->source, "live", "/api/live", query, &body, &value, &err) == 0) {
        f->no_parts = json_member(value, STR("server"), &member);
        if (!f->no_parts)
            publish(f, make_news(NEWS_TEXT, &body));
    }
    buf_clear(&body);
}

static void ask_runs(struct feed *f)
{
    struct buf body = {0};
    struct str value;
    struct err err;

    f->next_runs = clock_now_us() + RUNS_US;
    if (source_get(f->source, "runs", "/api/runs", "", &body, &value, &err) == 0)
        publish(f, make_news(NEWS_RUNS, &body));
    buf_clear(&body);
}

static void play_line(struct feed *f, const struct feed_wish *wish)
{
    struct buf body = {0};
    char part[8192];
    bool whole = false;

    f->next_live = clock_now_us() + wish->interval_ms * 1000;
    while (!whole && fgets(part, sizeof(part), f->play)) {
        struct err err;
        size_t len = strlen(part);

        whole = len > 0 && part[len - 1] == '\n';
        if (buf_add(&body, (struct str){part, len}, &err) < 0)
            break;
    }
    if (body.len > 0) {
        publish(f, make_news(NEWS_LIVE, &body));
    } else {
        publish(f, make_news(NEWS_END, NULL));
        f->next_live = NEVER;
    }
    buf_clear(&body);
}

static void read_file(struct feed *f)
{
    struct buf body = {0};
    struct err err;

    f->next_live = clock_now_us() + ONLINE_US;
    if (offline_server_is_back(&f->offline, f->source)) {
        buf_put(&body, str_c(api_client_url(f->source->client)));
        publish(f, make_news(NEWS_ONLINE, &body));
        f->failures = 0;
        f->rev = 0;
        f->next_live = 0;
        return;
    }
    if (offline_read(&f->offline, f->source, &body, &err) > 0)
        publish(f, make_news(NEWS_LIVE, &body));
    buf_clear(&body);
}

/* ---- the thread: calls ---- */

static void call_free(struct call *c)
{
    if (!c)
        return;
    free(c->method);
    free(c->path);
    free(c->query);
    free(c->json);
    free(c);
}

static void do_call(struct feed *f, struct call *c)
{
    struct buf body = {0};
    struct str value;
    struct news *n;
    struct err err;
    int rc;

    rc = f->play ? err_set(&err, ERR_UNREACHABLE, "a played file takes no calls")
                 : source_send(f->source, c->path + (c->path[0] == '/'), c->method, c->path,
                               c->query, str_c(c->json), 0, &body, &value, &err);
    n = make_news(NEWS_ANSWER, &body);
    n->tag = c->tag;
    n->id = c->id;
    n->failed = rc < 0;
    if (rc < 0)
        n->err = err;
    publish(f, n);
    call_free(c);
}

/* ---- the thread ---- */

static int64_t earliest(const struct feed *f, const struct feed_wish *wish)
{
    int64_t at = f->next_live;
    bool live = !f->play && f->source->client && f->failures == 0;

    if (!f->play && f->failures == 0 && wish->runs && f->next_runs < at)
        at = f->next_runs;
    if (live && wish->text_often && wish->text_id > 0 && !f->no_parts && f->next_text < at)
        at = f->next_text;
    return wish->paused ? NEVER : at;
}

static void do_next(struct feed *f, const struct feed_wish *wish, int64_t now)
{
    bool live = !f->play && f->source->client;

    if (f->next_live <= now) {
        if (f->play)
            play_line(f, wish);
        else if (f->source->client)
            ask_live(f, wish);
        else
            read_file(f);
    } else if (!f->play && wish->runs && f->next_runs <= now) {
        ask_runs(f);
    } else if (live) {
        ask_text(f, wish);
    }
}

/* Below the lock: wait until something is to be done, or 0 when it is time to stop. */
static bool wait_for_work(struct feed *f)
{
    struct timespec until;

    while (!f->stop && !f->calls && !f->hurry) {
        int64_t at = earliest(f, &f->wish), now = clock_now_us();

        if (at <= now)
            break;
        if (at == NEVER) {
            pthread_cond_wait(&f->changed, &f->lock);
            continue;
        }
        until.tv_sec = (time_t)(at / 1000000);
        until.tv_nsec = (long)(at % 1000000) * 1000;
        pthread_cond_timedwait(&f->changed, &f->lock, &until);
    }
    return !f->stop;
}

static void *feed_thread(void *arg)
{
    struct feed *f = arg;
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&f->lock);
    while (wait_for_work(f)) {
        struct feed_wish wish = f->wish;
        struct call *c = f->calls;

        if (c) {
            f->calls = c->next;
            if (!f->calls)
                f->last_call = &f->calls;
        } else if (f->hurry) {
            f->hurry = false;
            f->next_live = f->next_live == NEVER ? NEVER : 0;
            f->next_runs = 0;
        }
        pthread_mutex_unlock(&f->lock);
        if (c)
            do_call(f, c);
        else
            do_next(f, &wish, clock_now_us());
        pthread_mutex_lock(&f->lock);
    }
    f->stopped = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- the other side ---- */

static void start_condition(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

static void feed_free(struct feed *f)
{
    struct news *n;

    while ((n = feed_next(f)))
        news_free(n);
    while (f->calls) {
        struct call *c = f->calls;

        f->calls = c->next;
        call_free(c);
    }
    if (f->play)
        fclose(f->play);
    close(f->wake[0]);
    close(f->wake[1]);
    offline_clear(&f->offline);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

struct feed *feed_open(struct source *source, const char *play, const struct feed_wish *wish,
                       struct err *err)
{
    struct feed *f = xcalloc(1, sizeof(*f));

    f->source = source;
    f->wish = *wish;
    f->last_news = &f->news;
    f->last_call = &f->calls;
    f->wake[0] = f->wake[1] = -1;
    pthread_mutex_init(&f->lock, NULL);
    start_condition(&f->changed);
    if (play) {
        f->play = fopen(play, "re");
        if (!f->play) {
            err_set(err, ERR_NOT_FOUND, "cannot read %s: %s", play, strerror(errno));
            goto fail;
        }
    }
    if (pipe2(f->wake, O_NONBLOCK | O_CLOEXEC) < 0 ||
        pthread_create(&f->thread, NULL, feed_thread, f) != 0) {
        err_set(err, ERR_FAILED, "cannot start a thread: %s", strerror(errno));
        goto fail;
    }
    return f;
fail:
    feed_free(f);
    return NULL;
}

int feed_fd(const struct feed *f)
{
    return f->wake[0];
}

void feed_wish(struct feed *f, const struct feed_wish *wish)
{
    pthread_mutex_lock(&f->lock);
    f->wish = *wish;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void feed_hurry(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    f->hurry = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void feed_call(struct feed *f, int tag, int64_t id, const char *method, const char *path,
               const char *query, const char *json)
{
    struct call *c = xcalloc(1, sizeof(*c));

    c->tag = tag;
    c->id = id;
    c->method = xstrdup(method);
    c->path = xstrdup(path);
    c->query = xstrdup(query);
    c->json = xstrdup(json);
    pthread_mutex_lock(&f->lock);
    *f->last_call = c;
    f->last_call = &c->next;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

bool feed_close(struct feed *f)
{
    struct timespec until;
    bool stopped;

    if (!f)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->changed);
    while (!f->stopped && pthread_cond_timedwait(&f->changed, &f->lock, &until) == 0)
        ;
    stopped = f->stopped;
    pthread_mutex_unlock(&f->lock);
    if (!stopped) {
        pthread_detach(f->thread);
        return false;
    }
    pthread_join(f->thread, NULL);
    feed_free(f);
    return true;
}
