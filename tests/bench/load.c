/* load.c - a load client that measures proxies, and counts exactly what was answered.
 *
 *   load [options] URL
 *     -m MODEL   the model, which says how upstream.c answers (default mock-r1024)
 *     -s         ask for streams
 *     -b BYTES   size of the request body (default 1024)
 *     -c CONNS   connections at a time (default 1)
 *     -n COUNT   so many requests; or
 *     -d SECS    start no request after SECS; what was started is waited for
 *     -w MS      spread the first requests over MS
 *     -t SECS    give up after SECS in all (default 60)
 *     -p         only wait for the first 200 and print when it came, in ns of the wall clock
 *
 * Prints one line of key=value, times in microseconds: lat is from the start of a request to its
 * last byte, chunk from the upstream's send of an event to its arrival here, intact counts the
 * streams whose bytes hash to what the upstream says. Loopback addresses only. */
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
    MAX_HEAD = 16 << 10,
    MAX_LINE = 16 << 10,
    MAX_EVENTS = 512,
    GIVE_UP = 10000, /* failures without a single answer */
};

enum state { WAITING, CONNECTING, SENDING, READING_HEAD, READING_BODY };

struct conn {
    int fd; /* -1: not connected */
    enum state state;
    bool used; /* a request was answered on it: the server may close it at any time */
    size_t sent;
    uint64_t start_ns;
    char head[MAX_HEAD];
    size_t head_len;
    int status;
    bool sse, chunked, close_after, in_size, last_chunk;
    uint64_t left, size; /* of the body or the chunk; the chunk size being read */
    unsigned size_digits;
    char *line; /* of an event stream, MAX_LINE */
    size_t line_len;
    uint64_t hash;
    bool trailer_seen, trailer_ok;
};

struct samples {
    uint64_t *ns;
    size_t len, cap;
};

static struct {
    const char *model;
    bool stream, probe;
    size_t body, conns;
    uint64_t count, spread_ms;
    double seconds, patience;
    char path[512];
} want = {.model = "mock-r1024", .body = 1024, .conns = 1, .patience = 60};

static struct sockaddr_in server = {.sin_family = AF_INET};
static char *request;
static size_t request_len;
static int poll_fd;
static uint64_t started, ok, failed, active, chunks, streams, intact, stop_ns, last_ns;
static struct samples latencies, delays;

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

static void *allocate(size_t size)
{
    void *ptr = calloc(1, size);

    if (!ptr)
        die("calloc");
    return ptr;
}

static uint64_t fnv(uint64_t hash, const char *ptr, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)ptr[i]) * 1099511628211u;
    return hash;
}

/* ---- figures --------------------------------------------------------------------------------- */

static void sample(struct samples *s, uint64_t ns)
{
    if (s->len == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 1 << 16;
        s->ns = realloc(s->ns, s->cap * sizeof *s->ns);
        if (!s->ns)
            die("realloc");
    }
    s->ns[s->len++] = ns;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* In microseconds; -1 without samples. Sorts. */
static double percentile(struct samples *s, unsigned percent)
{
    if (s->len == 0)
        return -1;
    qsort(s->ns, s->len, sizeof *s->ns, compare);
    return (double)s->ns[(s->len - 1) * percent / 100] / 1000;
}

/* ---- one connection -------------------------------------------------------------------------- */

static void conn_drop(struct conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->used = false;
}

static void conn_send(struct conn *c);

static void conn_connect(struct conn *c)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("epoll_ctl");
    c->state = CONNECTING;
    /* An error comes as an event. */
    (void)!connect(c->fd, (struct sockaddr *)&server, sizeof server);
}

static void conn_begin(struct conn *c)
{
    c->sent = c->head_len = c->line_len = c->size_digits = 0;
    c->status = 0;
    c->left = c->size = 0;
    c->sse = c->chunked = c->close_after = c->last_chunk = false;
    c->in_size = true;
    c->trailer_seen = c->trailer_ok = false;
    c->hash = 14695981039346656037u;
    if (c->fd < 0) {
        conn_connect(c);
        return;
    }
    c->state = SENDING;
    conn_send(c);
}

static bool may_start(void)
{
    return want.count ? started < want.count : now_ns() < stop_ns;
}

static void request_start(struct conn *c)
{
    started++;
    active++;
    c->start_ns = now_ns();
    conn_begin(c);
}

static void request_done(struct conn *c, bool good)
{
    if (!good && c->used && c->head_len == 0) { /* closed while idle: once more, afresh */
        conn_drop(c);
        conn_begin(c);
        return;
    }
    active--;
    last_ns = now_ns();
    c->state = WAITING;
    if (good && c->status == 200) {
        ok++;
        sample(&latencies, last_ns - c->start_ns);
        streams += c->sse;
        intact += c->trailer_ok;
    } else {
        failed++;
    }
    if (!good || c->close_after)
        conn_drop(c);
    else
        c->used = true;
}

static void conn_send(struct conn *c)
{
    while (c->sent < request_len) {
        ssize_t n = send(c->fd, request + c->sent, request_len - c->sent, MSG_NOSIGNAL);

        if (n >= 0) {
            c->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            request_done(c, false);
            return;
        }
    }
    c->state = READING_HEAD;
}

/* ---- event streams --------------------------------------------------------------------------- */

static void on_line(struct conn *c, uint64_t now)
{
    static const char trailer[] = "\"system_fingerprint\":\"fp_";
    char *found = memmem(c->line, c->line_len, trailer, sizeof trailer - 1);
    uint64_t sent_ns;

    if (found) {
        c->trailer_seen = true;
        c->trailer_ok = strtoull(found + sizeof trailer - 1, NULL, 16) == c->hash;
    }
    if (c->trailer_seen)
        return;
    c->hash = fnv(c->hash, c->line, c->line_len);
    found = memmem(c->line, c->line_len, "\"@", 2);
    if (!found)
        return;
    sent_ns = strtoull(found + 2, NULL, 10);
    chunks++;
    sample(&delays, now > sent_ns ? now - sent_ns : 0);
}

static void on_body(struct conn *c, const char *ptr, size_t len, uint64_t now)
{
    while (c->sse && len > 0) {
        const char *end = memchr(ptr, '\n', len);
        size_t part = end ? (size_t)(end - ptr) + 1 : len;

        if (c->line_len + part < MAX_LINE) {
            memcpy(c->line + c->line_len, ptr, part);
            c->line_len += part;
            c->line[c->line_len] = '\0';
        }
        if (end) {
            on_line(c, now);
            c->line_len = 0;
        }
        ptr += part;
        len -= part;
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

/* One byte of what stands between the data of chunks. True at the end of the last, empty one; a
 * trailer would be taken for the end, but nobody here sends one. */
static bool on_chunk_byte(struct conn *c, char byte)
{
    char digit[2] = {byte, '\0'};

    if (byte == '\r' || (byte == '\n' && c->size_digits == 0)) {
        return byte == '\n' && c->last_chunk;
    }
    if (byte != '\n') {
        c->size = c->size * 16 + strtoul(digit, NULL, 16);
        c->size_digits++;
        return false;
    }
    c->left = c->size;
    c->last_chunk = c->size == 0;
    c->in_size = c->last_chunk;
    c->size = 0;
    c->size_digits = 0;
    return false;
}

/* True when the answer is complete. */
static bool feed_body(struct conn *c, const char *ptr, size_t len, uint64_t now)
{
    while (len > 0) {
        size_t part = 1;

        if (c->chunked && c->in_size) {
            if (on_chunk_byte(c, *ptr))
                return true;
        } else {
            part = len < c->left ? len : (size_t)c->left;
            on_body(c, ptr, part, now);
            c->left -= part;
            c->in_size = c->left == 0;
            if (!c->chunked && c->left == 0)
                return true;
        }
        ptr += part;
        len -= part;
    }
    return !c->chunked && c->left == 0;
}

static bool value_has(const char *value, const char *word)
{
    const char *end = strchr(value, '\r'), *found = strcasestr(value, word);

    return found && end && found < end;
}

/* The head is complete and ends with a NUL. */
static void read_head(struct conn *c)
{
    c->status = (int)strtol(c->head + strlen("HTTP/1.1 "), NULL, 10);
    for (const char *line = strstr(c->head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        const char *name = line + 2, *value = strchr(name, ':');

        if (!value)
            break;
        if (strncasecmp(name, "content-length:", 15) == 0)
            c->left = strtoull(value + 1, NULL, 10);
        else if (strncasecmp(name, "transfer-encoding:", 18) == 0)
            c->chunked = value_has(value, "chunked");
        else if (strncasecmp(name, "connection:", 11) == 0)
            c->close_after = value_has(value, "close");
        else if (strncasecmp(name, "content-type:", 13) == 0)
            c->sse = value_has(value, "text/event-stream");
    }
    c->state = READING_BODY;
}

/* How many of the bytes belong to the head; 0: the head is too large. */
static size_t feed_head(struct conn *c, const char *ptr, size_t len)
{
    size_t before = c->head_len, room = MAX_HEAD - 1 - before, part = len < room ? len : room;
    char *end;

    memcpy(c->head + before, ptr, part);
    c->head_len += part;
    c->head[c->head_len] = '\0';
    end = strstr(c->head, "\r\n\r\n");
    if (!end)
        return part;
    c->head_len = (size_t)(end - c->head) + 4;
    c->head[c->head_len] = '\0';
    read_head(c);
    return c->head_len - before;
}

static void on_bytes(struct conn *c, const char *ptr, size_t len, uint64_t now)
{
    if (c->state == READING_HEAD) {
        size_t used = feed_head(c, ptr, len);

        if (used == 0) {
            request_done(c, false);
            return;
        }
        ptr += used;
        len -= used;
    }
    if (c->state == READING_BODY && feed_body(c, ptr, len, now))
        request_done(c, true);
}

/* Edge triggered: read until there is no more. */
static void conn_read(struct conn *c)
{
    static char bytes[256 << 10];

    while (c->fd >= 0) {
        ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (c->state == WAITING) { /* nothing was asked: the server closes, or talks out of turn */
            conn_drop(c);
            return;
        }
        if (n <= 0) {
            request_done(c, false);
            return;
        }
        on_bytes(c, bytes, (size_t)n, now_ns());
        if ((size_t)n < sizeof bytes)
            return;
    }
}

static void on_event(struct conn *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (c->state == CONNECTING && (events & EPOLLOUT))
        c->state = SENDING;
    if (c->state == SENDING && (events & EPOLLOUT))
        conn_send(c);
    if (c->fd >= 0 && (events & ~(uint32_t)EPOLLOUT))
        conn_read(c);
    while (c->state == WAITING && may_start() && !(failed > GIVE_UP && ok == 0))
        request_start(c);
}

/* ---- the run --------------------------------------------------------------------------------- */

static void run(void)
{
    struct conn *conns = allocate(want.conns * sizeof *conns);
    uint64_t begin = now_ns(), end = begin + (uint64_t)(want.patience * 1e9);
    size_t entered = 0;

    stop_ns = begin + (uint64_t)(want.seconds * 1e9);
    for (size_t i = 0; i < want.conns; i++) {
        conns[i].fd = -1;
        conns[i].line = want.stream ? allocate(MAX_LINE) : NULL;
    }
    for (uint64_t now = begin; now < end && (active > 0 || may_start()); now = now_ns()) {
        struct epoll_event events[MAX_EVENTS];
        uint64_t step = want.spread_ms * 1000000u / want.conns;
        int n;

        while (entered < want.conns && may_start() && begin + step * entered <= now)
            request_start(&conns[entered++]);
        n = epoll_wait(poll_fd, events, MAX_EVENTS, entered < want.conns ? 1 : 100);
        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++)
            on_event(events[i].data.ptr, events[i].events);
        if (failed > GIVE_UP && ok == 0)
            break;
    }
    for (size_t i = 0; i < want.conns; i++) {
        conn_drop(&conns[i]);
        free(conns[i].line);
    }
    free(conns);
    last_ns -= last_ns ? begin : 0;
}

/* Ask with one new connection after the other until a 200 comes. */
static int probe(void)
{
    uint64_t end = now_ns() + (uint64_t)(want.patience * 1e9);
    const struct timespec nap = {0, 500000};
    const struct timeval patience = {5, 0};

    while (now_ns() < end) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char head[64] = "";

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (connect(fd, (struct sockaddr *)&server, sizeof server) == 0 &&
            send(fd, request, request_len, MSG_NOSIGNAL) == (ssize_t)request_len &&
            recv(fd, head, sizeof head - 1, 0) > 12 && memcmp(head + 9, "200", 3) == 0) {
            struct timespec t;

            clock_gettime(CLOCK_REALTIME, &t);
            printf("%" PRId64 "%09ld\n", (int64_t)t.tv_sec, t.tv_nsec);
            return 0;
        }
        close(fd);
        nanosleep(&nap, NULL);
    }
    return 1;
}

/* ---- set-up ---------------------------------------------------------------------------------- */

static void set_url(const char *url)
{
    char host[64] = "";
    unsigned port = 0;

    if (sscanf(url, "http://%63[0-9.]:%u%511s", host, &port, want.path) != 3 ||
        inet_pton(AF_INET, host, &server.sin_addr) != 1 ||
        ntohl(server.sin_addr.s_addr) >> 24 != 127) {
        fprintf(stderr, "load: not like http://127.0.0.1:PORT/PATH: %s\n", url);
        exit(2);
    }
    server.sin_port = htons((uint16_t)port);
}

static void make_request(void)
{
    static const char words[] = "please read this request it has ordinary words a tokenizer can "
                                "count and a proxy should carry unchanged ";
    static const char back[] = "\"}]}";
    size_t size = want.body + 4096;
    char front[512], *body = allocate(size);
    int n = snprintf(front, sizeof front,
                     "{\"model\":\"%s\",\"stream\":%s,%s\"temperature\":0.2,"
                     "\"messages\":[{\"role\":\"user\",\"content\":\"",
                     want.model, want.stream ? "true" : "false",
                     want.stream ? "\"stream_options\":{\"include_usage\":true}," : "");
    size_t front_len = (size_t)n, len = front_len + sizeof back - 1;

    if (want.body > len)
        len = want.body;
    memcpy(body, front, front_len);
    for (size_t i = front_len; i < len; i++)
        body[i] = words[(i * 7 / 5 + i / 97) % (sizeof words - 1)];
    memcpy(body + len - (sizeof back - 1), back, sizeof back - 1);
    request = allocate(size);
    n = snprintf(request, size,
                 "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
                 "Authorization: Bearer sk-bench-0123456789\r\nAccept: %s\r\n"
                 "User-Agent: bench/1\r\nContent-Length: %zu\r\n\r\n",
                 want.path, ntohs(server.sin_port),
                 want.stream ? "text/event-stream" : "application/json", len);
    memcpy(request + n, body, len);
    request_len = (size_t)n + len;
    free(body);
}

static void read_options(int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "m:sb:c:n:d:w:t:p")) != -1) {
        switch (letter) {
        case 'm':
            want.model = optarg;
            break;
        case 's':
            want.stream = true;
            break;
        case 'b':
            want.body = strtoul(optarg, NULL, 10);
            break;
        case 'c':
            want.conns = strtoul(optarg, NULL, 10);
            break;
        case 'n':
            want.count = strtoull(optarg, NULL, 10);
            break;
        case 'd':
            want.seconds = strtod(optarg, NULL);
            break;
        case 'w':
            want.spread_ms = strtoull(optarg, NULL, 10);
            break;
        case 't':
            want.patience = strtod(optarg, NULL);
            break;
        case 'p':
            want.probe = true;
            break;
        default:
            exit(2);
        }
    }
    if (optind != argc - 1 || want.conns < 1 || want.conns > 20000 || want.body > 16 << 20 ||
        (!want.probe && want.count == 0 && want.seconds <= 0)) {
        fprintf(stderr, "load: see the comment at the top of load.c\n");
        exit(2);
    }
    set_url(argv[optind]);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    double seconds;

    read_options(argc, argv);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    make_request();
    if (want.probe)
        return probe();
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (poll_fd < 0)
        die("epoll_create1");
    run();
    seconds = (double)last_ns / 1e9;
    printf("ok=%" PRIu64 " failed=%" PRIu64 " secs=%.3f rps=%.1f lat_p50=%.1f lat_p99=%.1f "
           "chunks=%" PRIu64 " chunk_p50=%.1f chunk_p99=%.1f streams=%" PRIu64 " intact=%" PRIu64
           "\n",
           ok, failed + active, seconds, seconds > 0 ? (double)ok / seconds : 0,
           percentile(&latencies, 50), percentile(&latencies, 99), chunks, percentile(&delays, 50),
           percentile(&delays, 99), streams, intact);
    return failed + active > 0;
}
