#include "store/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool in_memory(const char *path)
{
    return strcmp(path, ":memory:") == 0 || strncmp(path, "file:", 5) == 0;
}

/* 1: locked, 0: the file was removed between our open and our lock, -1: error. */
static int try_lock(const char *path, int *fd, struct err *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    char name[4096];
    int reason;

    snprintf(name, sizeof(name), "%s.serve", path);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return err_set(err, ERR_STORE, "cannot create %s: %s", name, strerror(errno));
    if (fcntl(*fd, F_SETLK, &lock) == 0 && fstat(*fd, &st) == 0) {
        if (st.st_nlink > 0)
            return 1;
        close(*fd);
        return 0;
    }
    reason = errno;
    close(*fd);
    *fd = -1;
    if (reason != EACCES && reason != EAGAIN)
        return err_set(err, ERR_STORE, "cannot lock %s: %s", name, strerror(reason));
    return err_set(err, ERR_CONFLICT, "another server already uses the database %s", path);
}

bool instance_held(const char *path)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    char name[4096];
    bool held;
    int fd;

    if (in_memory(path))
        return false;
    snprintf(name, sizeof(name), "%s.serve", path);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

int instance_lock(const char *path, int *fd, bool *unclean, struct err *err)
{
    int rc = 0;

    *fd = -1;
    if (in_memory(path))
        return 0;
    while (rc == 0)
        rc = try_lock(path, fd, err);
    if (rc < 0)
        return -1;
    *unclean = lseek(*fd, 0, SEEK_END) > 0; /* a clean stop removes the file */
    return 0;
}

int instance_write(int fd, const char *json, struct err *err)
{
    size_t len = strlen(json);

    if (fd < 0)
        return 0;
    if (ftruncate(fd, 0) < 0 || pwrite(fd, json, len, 0) != (ssize_t)len)
        return err_set(err, ERR_STORE, "cannot write the instance file: %s", strerror(errno));
    return 0;
}

void instance_release(const char *path, int fd)
{
    char name[4096];

    if (fd < 0)
        return;
    snprintf(name, sizeof(name), "%s.serve", path);
    unlink(name);
    close(fd);
}
