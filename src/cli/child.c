#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static const int passed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

void child_init(struct child *c)
{
    *c = (struct child){.tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)};
    sigemptyset(&c->watched);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
        sigaddset(&c->watched, passed_on[i]);
    sigaddset(&c->watched, SIGCHLD);
    sigaddset(&c->watched, SIGCONT);
    sigaddset(&c->watched, SIGTTOU); /* we write while the child has the terminal */
    sigprocmask(SIG_BLOCK, &c->watched, &c->before);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* to see what is left of its group */
    c->foreground = c->tty >= 0 && tcgetpgrp(c->tty) == getpgrp();
    c->has_modes = c->foreground && tcgetattr(c->tty, &c->modes) == 0;
}

static void give_terminal(struct child *c)
{
    c->foreground = c->tty >= 0 && tcgetpgrp(c->tty) == getpgrp();
    if (c->foreground)
        tcsetpgrp(c->tty, c->pid);
}

static void take_terminal(struct child *c)
{
    if (c->foreground && c->pid > 0)
        tcsetpgrp(c->tty, getpgrp());
}

void child_close(struct child *c)
{
    take_terminal(c);
    if (c->over && WIFSIGNALED(c->status) && c->foreground && c->has_modes)
        tcsetattr(c->tty, TCSADRAIN, &c->modes); /* it could not clean up */
    if (c->tty >= 0)
        close(c->tty);
    sigprocmask(SIG_SETMASK, &c->before, NULL);
}

/* ---- start ---- */

static int fail(const char *name, int number, struct err *err)
{
    enum err_code code = number == ENOENT ? ERR_NOT_FOUND : ERR_DENIED;

    return err_set(err, code, "%.200s: %s", name,
                   number == ENOENT ? "command not found" : strerror(number));
}

/* 0, or the errno of why path cannot be executed. */
static int check(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    return access(path, X_OK) == 0 ? 0 : errno;
}

int child_find(const char *name, struct err *err)
{
    const char *list = getenv("PATH");
    struct str rest = str_c(list ? list : "/usr/bin:/bin"), folder;
    char path[PATH_MAX];
    int found = ENOENT;

    if (strchr(name, '/')) {
        found = check(name);
        return found == 0 ? 0 : fail(name, found, err);
    }
    while (name[0] && str_split(&rest, ':', &folder)) {
        int why;

        if (folder.len == 0)
            folder = STR(".");
        snprintf(path, sizeof(path), "%.*s/%s", STR_ARG(folder), name);
        why = check(path);
        if (why == 0)
            return 0;
        if (why == EACCES)
            found = why;
    }
    return fail(name, found, err);
}

static void become(struct child *c, char *const *argv, int tell)
{
    int number;

    setpgid(0, 0);
    if (c->foreground)
        tcsetpgrp(c->tty, getpid());
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &c->before, NULL);
    execvp(argv[0], argv);
    number = errno;
    if (write(tell, &number, sizeof(number)) < 0)
        _exit(126);
    _exit(number == ENOENT ? 127 : 126);
}

int child_start(struct child *c, char *const *argv, struct err *err)
{
    int fds[2], number = 0;
    ssize_t n;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_set(err, ERR_FAILED, "cannot start %.200s: %s", argv[0], strerror(errno));
    fflush(NULL);
    c->pid = fork();
    if (c->pid == 0)
        become(c, argv, fds[1]);
    close(fds[1]);
    if (c->pid < 0) {
        c->pid = 0;
        close(fds[0]);
        return err_set(err, ERR_FAILED, "cannot start %.200s: %s", argv[0], strerror(errno));
    }
    setpgid(c->pid, c->pid);
    if (c->foreground)
        tcsetpgrp(c->tty, c->pid);
    do
        n = read(fds[0], &number, sizeof(number));
    while (n < 0 && errno == EINTR);
    close(fds[0]);
    return n == (ssize_t)sizeof(number) ? fail(argv[0], number, err) : 0;
}

/* ---- looking after it ---- */

void child_signal(struct child *c, int number)
{
    if (c->pid > 0)
        kill(-c->pid, number);
}

bool child_group_lives(struct child *c)
{
    while (c->over && waitpid(-c->pid, NULL, WNOHANG) > 0)
        ;
    return c->pid > 0 && kill(-c->pid, 0) == 0;
}

static void go_on(struct child *c)
{
    give_terminal(c);
    child_signal(c, SIGCONT);
}

/* It was stopped: so are we. SIGCONT, which we will find waiting, tells that we went on. */
static void stop_too(struct child *c, int number)
{
    sigset_t pending;

    take_terminal(c);
    if (c->foreground)
        kill(0, SIGTSTP); /* as the key would have: all of the job */
    else
        raise(SIGTSTP);
    sigpending(&pending);
    /* Where nobody could wake us the system does not stop us; nor does the key stop anything. */
    if (!sigismember(&pending, SIGCONT) && number != SIGSTOP)
        go_on(c);
}

static void reap(struct child *c)
{
    int status;

    while (!c->over && waitpid(c->pid, &status, WNOHANG | WUNTRACED) == c->pid) {
        if (WIFSTOPPED(status)) {
            stop_too(c, WSTOPSIG(status));
        } else {
            c->over = true;
            c->status = status;
        }
    }
}

/* The next signal that comes within ms, or -1. */
static int next_signal(struct child *c, int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    int number;

    do
        number = sigtimedwait(&c->watched, NULL, &t);
    while (number < 0 && errno == EINTR);
    return number;
}

void child_wait(struct child *c, int64_t ms)
{
    int64_t end_us = clock_now_us() + ms * 1000, left_ms = ms;

    for (reap(c); !c->over && left_ms > 0; left_ms = (end_us - clock_now_us()) / 1000) {
        int number = next_signal(c, left_ms);

        if (number == SIGCONT)
            go_on(c);
        else if (number > 0 && number != SIGCHLD && number != SIGTTOU)
            child_signal(c, number);
        if (number == SIGTERM || number == SIGHUP)
            child_signal(c, SIGCONT); /* it may be stopped, and should hear of it */
        reap(c);
    }
}

bool child_pause(struct child *c, int64_t ms)
{
    int64_t end_us = clock_now_us() + ms * 1000, left_ms = ms;

    for (; left_ms > 0; left_ms = (end_us - clock_now_us()) / 1000) {
        int number = next_signal(c, left_ms);

        if (number > 0 && number != SIGCHLD && number != SIGCONT && number != SIGTTOU)
            return false;
    }
    return true;
}
