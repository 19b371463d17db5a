/* What systemd is told, on a socket of the file system and on an abstract one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/notify.h"

static int listen_at(const char *name, size_t len)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(addr.sun_path, name, len);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

static void assert_hears(int fd, const char *expected)
{
    char text[64] = "";

    assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), (int)strlen(expected));
    assert_string_equal(text, expected);
}

static void a_socket_in_the_file_system_hears_it(void **state)
{
    char path[64];
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "/tmp/lop-notify-%d", (int)getpid());
    fd = listen_at(path, strlen(path) + 1);
    setenv("NOTIFY_SOCKET", path, 1);
    notify_systemd("READY=1");
    assert_hears(fd, "READY=1");
    close(fd);
    unlink(path);
}

static void an_abstract_socket_hears_it(void **state)
{
    char name[64];
    int fd;

    (void)state;
    snprintf(name, sizeof(name), "@lop-notify-%d", (int)getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    name[0] = '\0';
    fd = listen_at(name, 1 + strlen(name + 1));
    notify_systemd("STOPPING=1");
    assert_hears(fd, "STOPPING=1");
    close(fd);
}

static void nobody_listening_is_no_trouble(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify_systemd("READY=1");
    setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    notify_systemd("READY=1");
    setenv("NOTIFY_SOCKET", "vsock:1:2", 1);
    notify_systemd("READY=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_in_the_file_system_hears_it),
        cmocka_unit_test(an_abstract_socket_hears_it),
        cmocka_unit_test(nobody_listening_is_no_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
