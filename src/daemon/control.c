#include "daemon/control.h"

#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"

#define SIGNALS 3
#define TICK_MS 250

struct thread {
    pthread_t id;
    struct worker *worker;
    struct control *control;
};

struct control {
    uv_loop_t loop;
    uv_signal_t signals[SIGNALS];
    uv_timer_t grace, tick;
    const struct control_events *events;
    uv_async_t ended;
    struct thread *threads;
    unsigned count;
    _Atomic unsigned running;
    int64_t grace_ms;
    bool stopping;
};

/* Signals come to this thread only, and to nobody while it does not run: a second SIGTERM must not
 * kill the writer while it drains. */
static void open_signals(bool open)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(open ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

void control_block_signals(void)
{
    open_signals(false);
}

static void cut_all(struct control *c)
{
    for (unsigned i = 0; i < c->count; i++)
        worker_cut(c->threads[i].worker);
}

static void on_grace_over(uv_timer_t *timer)
{
    cut_all(timer->data);
}

static void on_signal(uv_signal_t *handle, int signal)
{
    struct control *c = handle->data;

    log_info("stopping signal=%d", signal);
    if (c->stopping) {
        cut_all(c);
        return;
    }
    c->stopping = true;
    for (unsigned i = 0; i < c->count; i++)
        worker_stop(c->threads[i].worker);
    uv_timer_start(&c->grace, on_grace_over, (uint64_t)c->grace_ms, 0);
}

static void on_ended(uv_async_t *handle)
{
    struct control *c = handle->data;

    if (atomic_load(&c->running) > 0)
        return;
    open_signals(false);
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&c->signals[i], NULL);
    uv_close((uv_handle_t *)&c->grace, NULL);
    uv_close((uv_handle_t *)&c->tick, NULL);
    uv_close((uv_handle_t *)&c->ended, NULL);
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;

    worker_run(t->worker);
    atomic_fetch_sub(&t->control->running, 1);
    uv_async_send(&t->control->ended);
    return NULL;
}

/* SIGHUP stops too, unless it was ignored at start (nohup). */
static void watch_signals(struct control *c)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction old;

    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&c->loop, &c->signals[i]);
        c->signals[i].data = c;
        if (numbers[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
            continue;
        uv_signal_start(&c->signals[i], on_signal, numbers[i]);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct control *c = timer->data;

    c->events->tick(c->events->ctx);
}

int control_run(struct worker *workers, unsigned count, int64_t grace_ms,
                const struct control_events *events, struct err *err)
{
    struct control c = {.count = count, .grace_ms = grace_ms, .events = events};
    unsigned started = 0;

    if (uv_loop_init(&c.loop) != 0)
        return err_set(err, ERR_FAILED, "cannot create an event loop");
    c.threads = xcalloc(count, sizeof(*c.threads));
    uv_timer_init(&c.loop, &c.grace);
    uv_timer_init(&c.loop, &c.tick);
    uv_async_init(&c.loop, &c.ended, on_ended);
    c.grace.data = c.tick.data = c.ended.data = &c;
    watch_signals(&c);
    atomic_store(&c.running, count);
    for (; started < count; started++) {
        c.threads[started] = (struct thread){.worker = &workers[started], .control = &c};
        if (pthread_create(&c.threads[started].id, NULL, thread_main, &c.threads[started]) != 0)
            break;
    }
    open_signals(true);
    if (started == count) {
        events->ready(events->ctx);
        uv_timer_start(&c.tick, on_tick, 0, TICK_MS);
    }
    if (started < count) { /* end those that run, in order */
        atomic_fetch_sub(&c.running, count - started);
        c.count = started;
        for (unsigned i = 0; i < started; i++)
            worker_stop(&workers[i]);
        uv_async_send(&c.ended);
    }
    uv_run(&c.loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < started; i++)
        pthread_join(c.threads[i].id, NULL);
    uv_loop_close(&c.loop);
    free(c.threads);
    return started == count ? 0 : err_set(err, ERR_FAILED, "cannot start a thread");
}
