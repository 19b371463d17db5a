#include "daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool in_memory(const char *path)
{
    return strcmp(path, ":memory:") == 0 || strncmp(path, "file:", 5) == 0;
}

int instance_lock(const char *path, int *fd, bool *unclean, struct err *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char name[4096];

    *fd = -1;
    if (in_memory(path))
        return 0;
    snprintf(name, sizeof(name), "%s.serve", path);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return err_set(err, ERR_STORE, "cannot create %s: %s", name, strerror(errno));
    if (fcntl(*fd, F_SETLK, &lock) == 0) {
        *unclean = lseek(*fd, 0, SEEK_END) > 0; /* a clean stop removes the file */
        return 0;
    }
    close(*fd);
    *fd = -1;
    if (errno != EACCES && errno != EAGAIN)
        return err_set(err, ERR_STORE, "cannot lock %s: %s", name, strerror(errno));
    return err_set(err, ERR_CONFLICT, "another server already uses the database %s", path);
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
