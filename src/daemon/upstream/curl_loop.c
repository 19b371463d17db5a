#include "daemon/upstream/curl_loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define SPARE_MAX 32
#define CONNECTIONS_KEPT 64L

struct curl_loop {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    size_t handles;      /* the timer and a poll for each socket */
    unsigned depth;      /* inside libcurl */
    struct list marked;  /* jobs to add or remove */
    struct list touched; /* jobs that got bytes */
    struct list present; /* jobs libcurl works on */
    CURL *spare[SPARE_MAX];
    size_t spares;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct socket_poll {
    uv_poll_t poll;
    struct curl_loop *loop;
    curl_socket_t fd;
};

static void on_handle_closed(struct curl_loop *l)
{
    if (--l->handles > 0)
        return;
    l->closed(l->closed_ctx);
    free(l);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct socket_poll *p = handle->data;
    struct curl_loop *l = p->loop;

    free(p);
    on_handle_closed(l);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_handle_closed(handle->data);
}

static void forget_job(struct curl_loop *l, struct curl_job *job)
{
    list_remove(&job->node);
    list_remove(&job->touched);
    list_remove(&job->present);
    if (job->in_multi)
        curl_multi_remove_handle(l->multi, job->easy);
    job->in_multi = false;
}

static bool same_text(CURL *a, CURL *b, CURLINFO what)
{
    char *of_a = NULL, *of_b = NULL;

    curl_easy_getinfo(a, what, &of_a);
    curl_easy_getinfo(b, what, &of_b);
    return of_a && of_b && *of_a && strcmp(of_a, of_b) == 0; /* empty: not connected */
}

static bool same_number(CURL *a, CURL *b, CURLINFO what)
{
    long of_a = 0, of_b = 0;

    curl_easy_getinfo(a, what, &of_a);
    curl_easy_getinfo(b, what, &of_b);
    return of_a == of_b;
}

static bool same_connection(CURL *a, CURL *b)
{
    return same_number(a, b, CURLINFO_LOCAL_PORT) && same_number(a, b, CURLINFO_PRIMARY_PORT) &&
           same_text(a, b, CURLINFO_LOCAL_IP) && same_text(a, b, CURLINFO_PRIMARY_IP);
}

/* Some versions of libcurl (7.88 to 8.14) put the frame that resets a stream into a buffer and
 * leave it there until the connection moves again. It does when another transfer on it is resumed:
 * a pause of its sending side, which has no other effect and calls nobody, will do. One whose
 * receiving side is paused must stay as it is. */
static void flush_resets(struct curl_loop *l, CURL *removed)
{
    LIST_EACH (node, &l->present) {
        struct curl_job *job = LIST_ENTRY(node, struct curl_job, present);

        if (job->paused || !same_connection(job->easy, removed))
            continue;
        curl_easy_pause(job->easy, CURLPAUSE_SEND);
        curl_easy_pause(job->easy, CURLPAUSE_CONT);
        return;
    }
}

/* The upstream has to hear that nobody wants its answer any more: a connection that nobody else
 * uses is closed (by CURLOPT_FORBID_REUSE), on others libcurl resets the stream. */
static void abandon_job(struct curl_loop *l, struct curl_job *job)
{
    long version = CURL_HTTP_VERSION_NONE;

    curl_easy_getinfo(job->easy, CURLINFO_HTTP_VERSION, &version);
    forget_job(l, job);
    if (version != CURL_HTTP_VERSION_1_1)
        flush_resets(l, job->easy);
}

static void add_now(struct curl_loop *l, struct curl_job *job)
{
    CURLMcode rc = curl_multi_add_handle(l->multi, job->easy);

    job->in_multi = rc == CURLM_OK;
    if (job->in_multi)
        list_add_tail(&l->present, &job->present);
    if (rc != CURLM_OK)
        job->ended(job, CURLE_OUT_OF_MEMORY);
}

static void do_marked(struct curl_loop *l)
{
    while (!list_empty(&l->marked)) {
        struct curl_job *job = LIST_ENTRY(l->marked.next, struct curl_job, node);

        list_remove(&job->node);
        if (!job->removed) {
            add_now(l, job);
        } else {
            abandon_job(l, job);
            job->gone(job);
        }
    }
}

static void read_results(struct curl_loop *l)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(l->multi, &left)) != NULL) {
        CURLcode result = msg->data.result; /* msg does not survive what follows */
        struct curl_job *job = NULL;

        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&job);
        forget_job(l, job);
        job->ended(job, result);
        do_marked(l);
    }
}

/* libcurl has returned: do what its callbacks asked for, report what has ended. */
static void settle(struct curl_loop *l)
{
    do_marked(l); /* first, so that nobody who was removed is reported */
    read_results(l);
    while (!list_empty(&l->touched)) {
        struct curl_job *job = LIST_ENTRY(l->touched.next, struct curl_job, touched);

        list_remove(&job->touched);
        job->settled(job);
    }
}

static void act(struct curl_loop *l, curl_socket_t fd, int what)
{
    int running;

    l->depth++;
    curl_multi_socket_action(l->multi, fd, what, &running);
    l->depth--;
    settle(l);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct socket_poll *p = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;

    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    act(p->loop, p->fd, what);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct curl_loop *l = arg;

    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&l->timer);
    else
        uv_timer_start(&l->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct socket_poll *open_poll(struct curl_loop *l, curl_socket_t fd)
{
    struct socket_poll *p = xcalloc(1, sizeof(*p));

    if (uv_poll_init_socket(l->loop, &p->poll, fd) != 0) {
        free(p);
        return NULL;
    }
    p->poll.data = p;
    p->loop = l;
    p->fd = fd;
    l->handles++;
    curl_multi_assign(l->multi, fd, p);
    return p;
}

/* A poll that cannot be opened is no error for libcurl, which would give up all transfers: this one
 * runs into its timeout. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct curl_loop *l = arg;
    struct socket_poll *p = socket_arg;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (p)
            uv_close((uv_handle_t *)&p->poll, on_poll_closed);
        curl_multi_assign(l->multi, fd, NULL);
        return 0;
    }
    if (!p)
        p = open_poll(l, fd);
    if (p)
        uv_poll_start(&p->poll, events, on_poll);
    return 0;
}

struct curl_loop *curl_loop_open(uv_loop_t *loop, struct err *err)
{
    struct curl_loop *l;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, ERR_NO_MEMORY, "cannot start libcurl");
        return NULL;
    }
    l = xcalloc(1, sizeof(*l));
    l->multi = curl_multi_init();
    if (!l->multi) {
        curl_global_cleanup();
        free(l);
        err_set(err, ERR_NO_MEMORY, "no memory for libcurl");
        return NULL;
    }
    l->loop = loop;
    list_init(&l->marked);
    list_init(&l->touched);
    list_init(&l->present);
    uv_timer_init(loop, &l->timer);
    l->timer.data = l;
    l->handles = 1;
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    return l;
}

void curl_loop_close(struct curl_loop *l, void (*closed)(void *ctx), void *ctx)
{
    assert(list_empty(&l->marked) && list_empty(&l->touched));
    l->closed = closed;
    l->closed_ctx = ctx;
    while (l->spares > 0)
        curl_easy_cleanup(l->spare[--l->spares]);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, NULL);
    curl_multi_cleanup(l->multi);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

CURL *curl_loop_easy(struct curl_loop *l)
{
    return l->spares > 0 ? l->spare[--l->spares] : curl_easy_init();
}

void curl_loop_recycle(struct curl_loop *l, CURL *easy)
{
    if (l->spares == SPARE_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    l->spare[l->spares++] = easy;
}

static void mark(struct curl_loop *l, struct curl_job *job)
{
    if (!list_linked(&job->node))
        list_add_tail(&l->marked, &job->node);
}

void curl_loop_add(struct curl_loop *l, struct curl_job *job)
{
    curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    if (l->depth > 0)
        mark(l, job);
    else
        add_now(l, job);
}

void curl_loop_remove(struct curl_loop *l, struct curl_job *job)
{
    job->removed = true;
    curl_easy_setopt(job->easy, CURLOPT_FORBID_REUSE, 1L); /* others that use it go on */
    if (l->depth > 0) {
        mark(l, job);
        return;
    }
    abandon_job(l, job);
    job->gone(job);
}

void curl_loop_resume(struct curl_loop *l, struct curl_job *job)
{
    assert(l->depth == 0);
    job->paused = false;
    l->depth++;
    curl_easy_pause(job->easy, CURLPAUSE_CONT);
    l->depth--;
    settle(l);
}

void curl_loop_touch(struct curl_loop *l, struct curl_job *job)
{
    if (!list_linked(&job->touched))
        list_add_tail(&l->touched, &job->touched);
}
