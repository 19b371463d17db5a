#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The unfinished file, for the signal handler. */
static char unfinished[4096];

static void on_signal(int number)
{
    unlink(unfinished);
    signal(number, SIG_DFL);
    raise(number);
}

int output_start(const char *name, struct err *err)
{
    int fd;

    if ((size_t)snprintf(unfinished, sizeof(unfinished), "%s.tmp", name) >= sizeof(unfinished))
        return err_set(err, ERR_INVALID, "--output: the name is too long");
    fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_FAILED, "cannot write %s: %s", unfinished, strerror(errno));
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGHUP, on_signal);
    if (dup2(fd, STDOUT_FILENO) < 0) {
        err_set(err, ERR_FAILED, "cannot write %s: %s", unfinished, strerror(errno));
        close(fd);
        unlink(unfinished);
        return -1;
    }
    close(fd);
    return 0;
}

int output_keep(const char *name, struct err *err)
{
    if (fflush(stdout) == 0 && rename(unfinished, name) == 0)
        return 0;
    err_set(err, ERR_FAILED, "cannot write %s: %s", name, strerror(errno));
    unlink(unfinished);
    return -1;
}

void output_drop(void)
{
    unlink(unfinished);
}

int output_save(const char *name, struct str bytes, struct err *err)
{
    FILE *f;
    int fd, number;

    if ((size_t)snprintf(unfinished, sizeof(unfinished), "%s.tmp", name) >= sizeof(unfinished))
        return err_set(err, ERR_INVALID, "the name of the file is too long");
    fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    f = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (f && fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len && fclose(f) == 0 &&
        rename(unfinished, name) == 0)
        return 0;
    number = errno;
    unlink(unfinished);
    return err_set(err, ERR_FAILED, "cannot write %s: %s", name, strerror(number));
}
