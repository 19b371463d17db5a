#include "ops/disk.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "core/record.h"

int64_t disk_file_size(const char *path, const char *suffix)
{
    char name[4096];
    struct stat st;

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &st) == 0 ? (int64_t)st.st_size : UNKNOWN;
}

int64_t disk_free(const char *path)
{
    struct statvfs fs;

    if (statvfs(path, &fs) != 0)
        return UNKNOWN;
    return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}
