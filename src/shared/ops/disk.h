/* ops/disk.h - how large files are, and how much room there is. */
#ifndef OPS_DISK_H
#define OPS_DISK_H

#include <stdint.h>

/** Bytes of the file path + suffix; UNKNOWN when there is none. */
int64_t disk_file_size(const char *path, const char *suffix);
/** Bytes that are free where path is; UNKNOWN. */
int64_t disk_free(const char *path);

#endif
