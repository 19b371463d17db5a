#include "daemon/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(const struct addrinfo *a, bool share)
{
    int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (share)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    return fd;
}

static void set_port(struct addrinfo *a, int port)
{
    if (a->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)(void *)a->ai_addr)->sin_port = htons((uint16_t)port);
}

static int port_of(int fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);

    if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        return 0;
    return ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&addr)->sin6_port
                                            : ((struct sockaddr_in *)(void *)&addr)->sin_port);
}

static int bind_error(const struct addrinfo *a, int port, struct err *err)
{
    int reason = errno;
    char host[64] = "?";

    getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
    return err_set(err, ERR_CONFLICT,
                   a->ai_family == AF_INET6 ? "cannot listen on [%s]:%d: %s"
                                            : "cannot listen on %s:%d: %s",
                   host, port, reason == EADDRINUSE ? "address already in use" : strerror(reason));
}

/* Bind once without sharing and let go: two programs that both share would not notice each other.
 */
static int probe(const struct addrinfo *a, int *port, struct err *err)
{
    int fd = open_socket(a, false), rc = -1;

    if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, 1) < 0)
        bind_error(a, *port, err);
    else
        rc = 0;
    if (rc == 0 && *port == 0)
        *port = port_of(fd);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int bind_address(struct listen_set *set, struct addrinfo *a, int *port, struct err *err)
{
    set_port(a, *port);
    if (probe(a, port, err) < 0)
        return -1;
    set_port(a, *port);
    for (unsigned w = 0; w < set->workers; w++) {
        int fd = open_socket(a, true);

        set->fds[w][set->count] = fd;
        if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0)
            return bind_error(a, *port, err);
    }
    set->count++;
    return 0;
}

/* An address family that this machine does not have is no error as long as another one works. */
static bool family_missing(const struct addrinfo *a)
{
    int fd = open_socket(a, false), saved;
    bool missing = fd < 0;

    if (fd >= 0) {
        missing = bind(fd, a->ai_addr, a->ai_addrlen) < 0 && errno == EADDRNOTAVAIL;
        saved = errno;
        close(fd);
        errno = saved;
    }
    return missing;
}

static int resolve(const char *host, struct addrinfo **out, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    int rc = getaddrinfo(host, "0", &hints, out);

    if (rc != 0)
        return err_set(err, ERR_INVALID, "cannot listen on %s: %s", host, gai_strerror(rc));
    return 0;
}

int listen_bind(struct listen_set *set, const char *host, int port, unsigned workers,
                struct err *err)
{
    struct addrinfo *list = NULL;
    int rc = -1;

    *set = (struct listen_set){.workers = workers, .port = port};
    memset(set->fds, -1, sizeof(set->fds));
    if (resolve(host, &list, err) < 0)
        return -1;
    for (struct addrinfo *a = list; a && set->count < LISTEN_MAX; a = a->ai_next) {
        if (family_missing(a))
            continue;
        if (bind_address(set, a, &set->port, err) < 0)
            goto out;
    }
    if (set->count == 0) {
        err_set(err, ERR_INVALID, "cannot listen on %s: it has no address here", host);
        goto out;
    }
    rc = 0;
out:
    freeaddrinfo(list);
    if (rc < 0)
        listen_close(set);
    return rc;
}

void listen_close(struct listen_set *set)
{
    for (unsigned w = 0; w < set->workers; w++)
        for (unsigned i = 0; i < LISTEN_MAX; i++)
            if (set->fds[w][i] >= 0)
                close(set->fds[w][i]);
    set->count = 0;
}
