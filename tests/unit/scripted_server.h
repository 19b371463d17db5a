/* A small scripted HTTP server for tests, on loopback: a thread for each connection, which answers
 * every request alike. The script is set before server_start(). */
#ifndef TESTS_SCRIPTED_SERVER_H
#define TESTS_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

#define CONNS_MAX 256

struct server;
struct peer {
    struct server *server;
    pthread_t thread;
    int fd; /* -1 once closed, under the server's lock */
    int nth;
};

struct server {
    int fd;
    uint16_t port;
    pthread_t thread;
    bool accepting;
    struct peer peers[CONNS_MAX];
    _Atomic int accepted, closed, requests;
    _Atomic size_t sent;
    pthread_mutex_t lock;
    char request[8192]; /* the last head and body, under lock */
    /* the script */
    struct str answer; /* to each request */
    size_t piece;      /* bytes per send; 0: all at once */
    bool early;        /* answer before the body has come */
    bool close_after;  /* close behind an answer */
    bool silent_after; /* then wait until the client leaves */
    int answers;       /* close at the request after so many on one connection; 0: no limit */
    int mute_first;    /* so many first connections get no answer, only a close */
    size_t pattern;    /* so many bytes of a pattern follow the answer */
};

static unsigned char pattern_at(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 8) * 7);
}

static bool send_all(struct server *s, int fd, const char *bytes, size_t len, size_t piece)
{
    while (len > 0) {
        size_t n = piece && piece < len ? piece : len;
        ssize_t rc = send(fd, bytes, n, MSG_NOSIGNAL);

        if (rc <= 0)
            return false;
        bytes += rc;
        len -= (size_t)rc;
        atomic_fetch_add(&s->sent, (size_t)rc);
    }
    return true;
}

static bool send_pattern(struct server *s, int fd)
{
    char block[16384];

    for (size_t at = 0; at < s->pattern;) {
        size_t n = s->pattern - at < sizeof(block) ? s->pattern - at : sizeof(block);

        for (size_t i = 0; i < n; i++)
            block[i] = (char)pattern_at(at + i);
        if (!send_all(s, fd, block, n, 0))
            return false;
        at += n;
    }
    return true;
}

/* The rest of a body that is too large to keep. */
static bool drop_bytes(int fd, size_t len)
{
    char drop[65536];

    while (len > 0) {
        ssize_t rc = recv(fd, drop, len < sizeof(drop) ? len : sizeof(drop), 0);

        if (rc <= 0)
            return false;
        len -= (size_t)rc;
    }
    return true;
}

/* One request, its body as long as its Content-Length says. False: the client has gone. */
static bool read_request(struct server *s, int fd)
{
    char bytes[8192];
    size_t len = 0, need = 1;

    while (len < need && len < sizeof(bytes)) {
        ssize_t rc = recv(fd, bytes + len, sizeof(bytes) - len, 0);
        char *end, *field;

        if (rc <= 0)
            return false;
        len += (size_t)rc;
        end = memmem(bytes, len, "\r\n\r\n", 4);
        need = len + 1;
        if (!end)
            continue;
        field = memmem(bytes, (size_t)(end - bytes), "Content-Length: ", 16);
        need = (size_t)(end - bytes) + 4;
        if (field && !s->early)
            need += strtoul(field + 16, NULL, 10);
    }
    if (need > len && !drop_bytes(fd, need - len))
        return false;
    pthread_mutex_lock(&s->lock);
    memcpy(s->request, bytes, len);
    s->request[len < sizeof(s->request) ? len : len - 1] = '\0';
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_add(&s->requests, 1);
    return true;
}

static void wait_for_end(int fd)
{
    char drop[4096];

    while (recv(fd, drop, sizeof(drop), 0) > 0)
        continue;
}

static struct str get_answer(struct server *s)
{
    struct str answer;

    pthread_mutex_lock(&s->lock);
    answer = s->answer;
    pthread_mutex_unlock(&s->lock);
    return answer;
}

/* Borrowed until the server has stopped. */
static inline void set_answer(struct server *s, struct str answer)
{
    pthread_mutex_lock(&s->lock);
    s->answer = answer;
    pthread_mutex_unlock(&s->lock);
}

/* Bytes that nobody asked for, on the first connection. */
static inline void send_unasked(struct server *s, struct str bytes)
{
    pthread_mutex_lock(&s->lock);
    send_all(s, s->peers[0].fd, bytes.ptr, bytes.len, 0);
    pthread_mutex_unlock(&s->lock);
}

static void *serve_peer(void *arg)
{
    struct peer *p = arg;
    struct server *s = p->server;
    struct str answer;
    int one = 1;

    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    for (int n = 1; read_request(s, p->fd); n++) {
        if (p->nth < s->mute_first || (s->answers && n > s->answers))
            break;
        answer = get_answer(s);
        if (!send_all(s, p->fd, answer.ptr, answer.len, s->piece) || !send_pattern(s, p->fd))
            break;
        if (s->silent_after)
            wait_for_end(p->fd);
        if (s->close_after || s->silent_after)
            break;
    }
    pthread_mutex_lock(&s->lock);
    close(p->fd);
    p->fd = -1;
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_add(&s->closed, 1);
    return NULL;
}

static void *serve(void *arg)
{
    struct server *s = arg;
    int fd;

    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        int nth = atomic_load(&s->accepted);
        struct peer *p = &s->peers[nth];

        assert_true(nth < CONNS_MAX);
        *p = (struct peer){.server = s, .fd = fd, .nth = nth};
        atomic_fetch_add(&s->accepted, 1); /* before an answer can be seen */
        assert_int_equal(pthread_create(&p->thread, NULL, serve_peer, p), 0);
    }
    return NULL;
}

static int listen_on(const char *ip, int backlog, uint16_t *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, ip, &addr.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return fd;
}

static void server_start(struct server *s)
{
    s->fd = listen_on("127.0.0.1", 256, &s->port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    s->accepting = true;
}

static void server_stop(struct server *s)
{
    if (!s->accepting)
        return;
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    for (int i = 0; i < atomic_load(&s->accepted); i++) {
        pthread_mutex_lock(&s->lock);
        if (s->peers[i].fd >= 0)
            shutdown(s->peers[i].fd, SHUT_RDWR);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->peers[i].thread, NULL);
    }
    s->accepting = false;
}

#endif
