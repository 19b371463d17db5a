#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "terminfo.h"

#define RESTORE_MAX 512
#define STACK_SIZE 65536

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
static const int events[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP};
#define EVENTS (sizeof(events) / sizeof(events[0]))
#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))

static struct {
    int pipe[2];
    int fd;                      /* the terminal */
    volatile sig_atomic_t saved; /* settings holds its settings */
    volatile sig_atomic_t ours;  /* the screen is ours */
    struct termios settings;
    char restore[RESTORE_MAX];
    size_t restore_len;
    struct sigaction before[CRASHES];
    bool ignored[EVENTS]; /* by whoever started us */
    _Alignas(16) char stack[STACK_SIZE];
} guard = {.pipe = {-1, -1}, .fd = -1};

/* ---- events ---- */

static void on_event(int number)
{
    unsigned char byte = (unsigned char)number;
    int saved = errno;

    if (write(guard.pipe[1], &byte, 1) < 0) {
        /* full: the loop is on its way */
    }
    errno = saved;
}

int guard_fd(void)
{
    return guard.pipe[0];
}

int guard_signal(void)
{
    unsigned char byte;

    return read(guard.pipe[0], &byte, 1) == 1 ? byte : 0;
}

/* ---- crashes ---- */

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

static void on_crash(int number)
{
    static const char note[] = "llm-observe-proxy: top crashed\n";

    if (guard.ours) {
        if (write(STDOUT_FILENO, guard.restore, guard.restore_len) < 0)
            guard.ours = 0;
        if (guard.saved)
            tcsetattr(guard.fd, TCSANOW, &guard.settings);
        guard.ours = 0;
        say(note);
    }
    for (size_t i = 0; i < CRASHES; i++)
        if (crashes[i] == number)
            sigaction(number, &guard.before[i], NULL);
    raise(number); /* comes when we return, if the fault does not come again */
}

/* Append a capability without its delays ("$<5>"). */
static void add_capability(const char *name)
{
    const char *text = terminfo_text(name);

    while (text && *text && guard.restore_len < RESTORE_MAX - 1) {
        if (text[0] == '$' && text[1] == '<') {
            while (*text && *text != '>')
                text++;
            text += *text == '>';
            continue;
        }
        guard.restore[guard.restore_len++] = *text++;
    }
}

void guard_terminal(int fd)
{
    guard.fd = fd;
    guard.saved = tcgetattr(fd, &guard.settings) == 0;
    guard.restore_len = 0;
    if (!terminfo_setup(STDOUT_FILENO))
        return;
    add_capability("sgr0");
    add_capability("cnorm");
    add_capability("rmkx");
    add_capability("rmcup");
    terminfo_release();
}

void guard_screen(bool ours)
{
    guard.ours = ours;
}

/* ---- start and end ---- */

static void handle(int number, void (*handler)(int), int flags, struct sigaction *before)
{
    struct sigaction action = {.sa_flags = flags};

    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, before);
}

void guard_again(void)
{
    for (size_t i = 0; i < EVENTS; i++)
        if (!guard.ignored[i])
            handle(events[i], on_event, SA_RESTART, NULL);
}

int guard_start(struct err *err)
{
    stack_t stack = {.ss_sp = guard.stack, .ss_size = sizeof(guard.stack)};
    struct sigaction now;

    if (pipe2(guard.pipe, O_NONBLOCK | O_CLOEXEC) < 0)
        return err_set(err, ERR_FAILED, "cannot make a pipe: %s", strerror(errno));
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < CRASHES; i++)
        handle(crashes[i], on_crash, SA_ONSTACK, &guard.before[i]);
    for (size_t i = 0; i < EVENTS; i++) {
        sigaction(events[i], NULL, &now);
        guard.ignored[i] = now.sa_handler == SIG_IGN && events[i] != SIGWINCH;
    }
    guard_again();
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

void guard_die(int number)
{
    signal(number, SIG_DFL);
    raise(number);
    _exit(128 + number);
}

void guard_suspend(void)
{
    signal(SIGTSTP, SIG_DFL);
    kill(0, SIGTSTP);
    handle(SIGTSTP, on_event, SA_RESTART, NULL);
}
