#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Start it with stdin empty, stdout in the pipe, stderr in the file. */
static int spawn(struct helper *h, int out, char *const *argv)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, defaults;
    int rc;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, h->errors, STDERR_FILENO);
    rc = posix_spawn(&h->pid, "/proc/self/exe", &actions, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return rc;
}

int helper_start(struct helper *h, const char *const *words, struct err *err)
{
    const char *argv[24] = {"llm-observe-proxy"};
    int fds[2] = {-1, -1}, rc;
    size_t n = 1;

    helper_stop(h);
    for (; *words && n < 23; words++)
        argv[n++] = *words;
    argv[n] = NULL;
    h->errors = memfd_create("errors", MFD_CLOEXEC);
    if (h->errors < 0 || pipe2(fds, O_CLOEXEC) < 0) {
        if (h->errors >= 0)
            close(h->errors);
        return err_set(err, ERR_FAILED, "cannot start a process: %s", strerror(errno));
    }
    rc = spawn(h, fds[1], (char *const *)(uintptr_t)argv);
    close(fds[1]);
    h->fd = fds[0];
    h->out.limit = HELPER_MAX;
    if (rc == 0) {
        fcntl(h->fd, F_SETFL, O_NONBLOCK);
        return 0;
    }
    close(h->fd);
    close(h->errors);
    h->pid = 0;
    return err_set(err, ERR_FAILED, "cannot start a process: %s", strerror(rc));
}

static void read_message(struct helper *h)
{
    const struct str name = STR("llm-observe-proxy: ");
    char text[sizeof(h->message)];
    ssize_t n = pread(h->errors, text, sizeof(text) - 1, 0);
    struct str rest = {text, n > 0 ? (size_t)n : 0}, line = STR("");

    str_split(&rest, '\n', &line);
    if (str_starts(line, name))
        line = str_from(line, name.len);
    snprintf(h->message, sizeof(h->message), "%.*s", STR_ARG(line));
}

static void reap(struct helper *h)
{
    int status = 0;

    while (waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
        ;
    h->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    h->pid = 0;
    close(h->fd);
    read_message(h);
    close(h->errors);
}

bool helper_read(struct helper *h)
{
    char part[65536];
    struct err ignored;
    ssize_t n;

    while ((n = read(h->fd, part, sizeof(part))) > 0)
        if (buf_add(&h->out, (struct str){part, (size_t)n}, &ignored) < 0) {
            kill(h->pid, SIGTERM); /* what there is is enough */
            break;
        }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    reap(h);
    return true;
}

void helper_stop(struct helper *h)
{
    if (helper_runs(h)) {
        kill(h->pid, SIGKILL);
        reap(h);
    }
    buf_clear(&h->out);
    h->message[0] = '\0';
}
