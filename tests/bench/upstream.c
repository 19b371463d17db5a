/* upstream.c - a fast OpenAI-compatible upstream to measure proxies with: upstream PORT
 *
 * One epoll loop and kept-alive connections. The model's name says how a request is answered,
 * since every proxy carries it through:
 *   mock-r1024         one JSON answer with 1024 bytes of content
 *   mock-c50-i20-b32   a stream of 50 events, 20 ms apart, with 32 bytes of content each
 * The content of every event starts with "@<20 digits: CLOCK_MONOTONIC ns>;<6 digits: number>;",
 * written just before it is sent, so that a client on the same machine knows how long it took. The
 * last event carries the FNV-1a of all bytes before it: a client can prove them intact. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_HEAD = 64 << 10,
    MAX_BODY = 64 << 20,
    MAX_CONTENT = 1 << 20,
    MAX_EVENTS = 512,
    MAX_CATCH_UP = 8, /* late events sent in one go before others get their turn */
};

struct bytes {
    char *ptr;
    size_t len, cap, start; /* start: how much was taken off the front */
};

struct conn {
    int fd;
    size_t heap_at; /* place in the timers, NO_TIMER */
    uint64_t due_ns;
    struct bytes in, out;
    bool want_write, busy, dead;
    struct conn *next_dead;
    /* the request being answered */
    char model[64];
    unsigned chunks, sent, interval_ms, chunk_bytes;
    uint64_t hash;
};
#define NO_TIMER SIZE_MAX

static int poll_fd;
static struct conn **heap;
static size_t heap_len, heap_cap;
static struct conn *dead;
static char filler[MAX_CONTENT];
static volatile sig_atomic_t stopping;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t fnv(uint64_t hash, const char *ptr, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)ptr[i]) * 1099511628211u;
    return hash;
}

/* ---- bytes that wait ------------------------------------------------------------------------- */

static void bytes_room(struct bytes *b, size_t extra)
{
    size_t cap = b->cap ? b->cap : 4096;

    if (b->start == b->len)
        b->start = b->len = 0;
    if (b->start > 0 && b->cap - b->len < extra) {
        memmove(b->ptr, b->ptr + b->start, b->len - b->start);
        b->len -= b->start;
        b->start = 0;
    }
    if (b->cap - b->len >= extra)
        return;
    while (cap - b->len < extra)
        cap *= 2;
    b->ptr = realloc(b->ptr, cap);
    if (!b->ptr)
        die("realloc");
    b->cap = cap;
}

static void bytes_add(struct bytes *b, const void *ptr, size_t len)
{
    bytes_room(b, len);
    memcpy(b->ptr + b->len, ptr, len);
    b->len += len;
}

/* ---- timers: a binary heap of connections ---------------------------------------------------- */

static void heap_put(size_t at, struct conn *c)
{
    heap[at] = c;
    c->heap_at = at;
}

static void heap_up(struct conn *c)
{
    size_t at = c->heap_at;

    for (; at > 0 && heap[(at - 1) / 2]->due_ns > c->due_ns; at = (at - 1) / 2)
        heap_put(at, heap[(at - 1) / 2]);
    heap_put(at, c);
}

static void heap_down(struct conn *c)
{
    size_t at = c->heap_at, child;

    while ((child = 2 * at + 1) < heap_len) {
        if (child + 1 < heap_len && heap[child + 1]->due_ns < heap[child]->due_ns)
            child++;
        if (c->due_ns <= heap[child]->due_ns)
            break;
        heap_put(at, heap[child]);
        at = child;
    }
    heap_put(at, c);
}

static void timer_set(struct conn *c, uint64_t due_ns)
{
    if (heap_len == heap_cap) {
        heap_cap = heap_cap ? 2 * heap_cap : 1024;
        heap = realloc(heap, heap_cap * sizeof(struct conn *));
        if (!heap)
            die("realloc");
    }
    c->due_ns = due_ns;
    heap_put(heap_len++, c);
    heap_up(c);
}

static void timer_clear(struct conn *c)
{
    struct conn *last;
    size_t at = c->heap_at;

    if (at == NO_TIMER)
        return;
    c->heap_at = NO_TIMER;
    last = heap[--heap_len];
    if (last == c)
        return;
    heap_put(at, last);
    heap_up(last);
    heap_down(last);
}

/* ---- connections ----------------------------------------------------------------------------- */

/* The memory goes after the batch of events, which may name the connection again. */
static void conn_close(struct conn *c)
{
    if (c->dead)
        return;
    c->dead = true;
    timer_clear(c);
    close(c->fd);
    c->next_dead = dead;
    dead = c;
}

static void bury(void)
{
    while (dead) {
        struct conn *c = dead;

        dead = c->next_dead;
        free(c->in.ptr);
        free(c->out.ptr);
        free(c);
    }
}

static void conn_watch(struct conn *c, bool want_write)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};

    if (c->want_write == want_write)
        return;
    c->want_write = want_write;
    if (want_write)
        event.events |= EPOLLOUT;
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void conn_flush(struct conn *c)
{
    struct bytes *out = &c->out;

    while (!c->dead && out->start < out->len) {
        ssize_t n = send(c->fd, out->ptr + out->start, out->len - out->start, MSG_NOSIGNAL);

        if (n >= 0) {
            out->start += (size_t)n;
        } else if (errno == EAGAIN) {
            conn_watch(c, true);
            return;
        } else if (errno != EINTR) {
            conn_close(c);
        }
    }
    if (!c->dead)
        conn_watch(c, false);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void answer_json(struct conn *c, const char *body, size_t len)
{
    char head[128];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     len);

    bytes_add(&c->out, head, (size_t)n);
    bytes_add(&c->out, body, len);
    c->busy = false;
    conn_flush(c);
}

static void answer_chat(struct conn *c, unsigned content)
{
    static char body[MAX_CONTENT + 1024];
    int n = snprintf(body, sizeof body,
                     "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\","
                     "\"created\":1700000000,\"model\":\"%s\",\"choices\":[{\"index\":0,"
                     "\"message\":{\"role\":\"assistant\",\"content\":\"%.*s\"},"
                     "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
                     "\"prompt_tokens\":256,\"completion_tokens\":%u,\"total_tokens\":%u},"
                     "\"system_fingerprint\":\"fp_mock\"}",
                     c->model, (int)content, filler, content / 4, 256 + content / 4);

    answer_json(c, body, (size_t)n);
}

/* One event framed as one HTTP chunk. */
static void add_event(struct conn *c, const char *event, size_t len)
{
    char size[24];
    int n = snprintf(size, sizeof size, "%zx\r\n", len);

    bytes_add(&c->out, size, (size_t)n);
    bytes_add(&c->out, event, len);
    bytes_add(&c->out, "\r\n", 2);
}

static void add_content_event(struct conn *c)
{
    char event[4096];
    int n = snprintf(event, sizeof event,
                     "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\","
                     "\"created\":1700000000,\"model\":\"%s\",\"choices\":[{\"index\":0,"
                     "\"delta\":{%s\"content\":\"@%020" PRIu64 ";%06u;%.*s\"},"
                     "\"finish_reason\":null}]}\n\n",
                     c->model, c->sent ? "" : "\"role\":\"assistant\",", now_ns(), c->sent,
                     (int)c->chunk_bytes, filler + c->sent * 17 % 4096);

    c->hash = fnv(c->hash, event, (size_t)n);
    add_event(c, event, (size_t)n);
    c->sent++;
}

static void add_last_event(struct conn *c)
{
    char event[1024];
    int n = snprintf(event, sizeof event,
                     "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\","
                     "\"created\":1700000000,\"model\":\"%s\",\"choices\":[{\"index\":0,"
                     "\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{"
                     "\"prompt_tokens\":256,\"completion_tokens\":%u,\"total_tokens\":%u},"
                     "\"system_fingerprint\":\"fp_%016" PRIx64 "\"}\n\ndata: [DONE]\n\n",
                     c->model, c->chunks, 256 + c->chunks, c->hash);

    add_event(c, event, (size_t)n);
    bytes_add(&c->out, "0\r\n\r\n", 5);
}

/* Send what is due: one event as a rule, a few when we are late. */
static void stream_step(struct conn *c)
{
    for (int late = 0;; late++) {
        if (late > 0 && (c->due_ns > now_ns() || late > MAX_CATCH_UP)) {
            timer_set(c, c->due_ns);
            return;
        }
        if (c->sent == c->chunks)
            break;
        add_content_event(c);
        conn_flush(c);
        if (c->dead)
            return;
        c->due_ns += (uint64_t)c->interval_ms * 1000000u;
    }
    add_last_event(c);
    c->busy = false;
    conn_flush(c);
}

static void stream_start(struct conn *c)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

    bytes_add(&c->out, head, sizeof head - 1);
    c->hash = 14695981039346656037u;
    c->sent = 0;
    c->due_ns = now_ns();
    stream_step(c);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The number behind "-<key>" in the model's name. */
static unsigned model_number(const char *model, char key, unsigned absent, unsigned max)
{
    for (const char *p = strchr(model, '-'); p; p = strchr(p + 1, '-')) {
        if (p[1] == key && p[2] >= '0' && p[2] <= '9') {
            unsigned long n = strtoul(p + 2, NULL, 10);

            return n < max ? (unsigned)n : max;
        }
    }
    return absent;
}

static void read_model(struct conn *c, const char *body, size_t len)
{
    const char *start = memmem(body, len, "\"mock-", 6), *end;

    snprintf(c->model, sizeof c->model, "mock");
    if (!start)
        return;
    start++;
    end = memchr(start, '"', (size_t)(body + len - start));
    if (end && (size_t)(end - start) < sizeof c->model)
        snprintf(c->model, sizeof c->model, "%.*s", (int)(end - start), start);
}

static void on_request(struct conn *c, const char *body, size_t len)
{
    c->busy = true;
    if (len == 0) {
        answer_json(c, "{\"object\":\"list\",\"data\":[]}", 27);
        return;
    }
    read_model(c, body, len);
    c->chunks = model_number(c->model, 'c', 0, 1000000);
    c->interval_ms = model_number(c->model, 'i', 20, 60000);
    c->chunk_bytes = model_number(c->model, 'b', 32, 2048);
    if (c->chunks > 0)
        stream_start(c);
    else
        answer_chat(c, model_number(c->model, 'r', 1024, MAX_CONTENT - 1));
}

/* The Content-Length of a head that ends in an empty line; 0 when it has none. */
static size_t body_length(const char *head, size_t len)
{
    static const char name[] = "\r\ncontent-length:";
    const char *line = head, *end = head + len;

    while ((line = memchr(line, '\r', (size_t)(end - line))) != NULL) {
        if ((size_t)(end - line) > sizeof name && strncasecmp(line, name, sizeof name - 1) == 0)
            return strtoul(line + sizeof name - 1, NULL, 10);
        line++;
    }
    return 0;
}

static void conn_parse(struct conn *c)
{
    while (!c->dead && !c->busy && c->in.start < c->in.len) {
        char *head = c->in.ptr + c->in.start;
        size_t len = c->in.len - c->in.start, head_len, body_len;
        char *end = memmem(head, len, "\r\n\r\n", 4);

        if (!end && len <= MAX_HEAD)
            return;
        head_len = end ? (size_t)(end - head) + 4 : 0;
        body_len = end ? body_length(head, head_len) : 0;
        if (!end || body_len > MAX_BODY) {
            conn_close(c);
            return;
        }
        if (len - head_len < body_len)
            return;
        c->in.start += head_len + body_len;
        on_request(c, head + head_len, body_len);
    }
}

static void on_readable(struct conn *c)
{
    for (;;) {
        size_t room;
        ssize_t n;

        bytes_room(&c->in, 64 << 10);
        room = c->in.cap - c->in.len;
        n = recv(c->fd, c->in.ptr + c->in.len, room, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            conn_close(c);
            return;
        }
        c->in.len += (size_t)n;
        if ((size_t)n < room)
            break;
    }
    conn_parse(c);
}

static void on_accept(int listener)
{
    int fd, one = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *c = calloc(1, sizeof *c);
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};

        if (!c)
            die("calloc");
        c->fd = fd;
        c->heap_at = NO_TIMER;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
            die("epoll_ctl");
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void on_timers(void)
{
    uint64_t now = now_ns();

    for (int i = 0; i < 4096 && heap_len > 0 && heap[0]->due_ns <= now; i++) {
        struct conn *c = heap[0];

        timer_clear(c);
        stream_step(c);
        conn_parse(c);
    }
}

static void on_event(const struct epoll_event *event, int listener)
{
    struct conn *c = event->data.ptr;

    if (!c) {
        on_accept(listener);
        return;
    }
    if (!c->dead && (event->events & EPOLLOUT))
        conn_flush(c);
    if (!c->dead && (event->events & ~(uint32_t)EPOLLOUT))
        on_readable(c);
}

static void run(int listener)
{
    struct epoll_event events[MAX_EVENTS];

    while (!stopping) {
        struct timespec wait = {1, 0};
        int n;

        if (heap_len > 0) {
            uint64_t now = now_ns(), left = heap[0]->due_ns > now ? heap[0]->due_ns - now : 0;

            if (left < 1000000000u)
                wait = (struct timespec){0, (long)left};
        }
        n = epoll_pwait2(poll_fd, events, MAX_EVENTS, &wait, NULL);
        if (n < 0 && errno != EINTR)
            die("epoll_pwait2");
        for (int i = 0; i < n; i++)
            on_event(&events[i], listener);
        on_timers();
        bury();
    }
}

static void make_filler(void)
{
    static const char *const words[] = {"the",  "model", "answers", "with", "plain", "words",
                                        "that", "look",  "like",    "text", "to",    "zstd"};
    unsigned random = 7;
    size_t len = 0;

    while (len < sizeof filler - 16) {
        random = random * 1103515245u + 12345u;
        len += (size_t)snprintf(filler + len, 16, "%s ", words[(random >> 16) % 12]);
    }
    memset(filler + len, '.', sizeof filler - len);
}

static int listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8192) < 0)
        die("listen");
    return fd;
}

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

int main(int argc, char **argv)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct rlimit files;
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: upstream PORT\n");
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    make_filler();
    listener = listen_on(argv[1]);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        die("epoll");
    run(listener);
    return 0;
}
