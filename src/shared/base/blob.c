#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_SIZE ((size_t)1024)
#define PAGE ((size_t)65536)

/* Blocks are allocated before they are mapped: writing to a hole of a full disk would be SIGBUS. */
static int grow_file(struct blob *b, int fd, size_t cap, struct err *err)
{
    void *ptr;
    int rc;

    do
        rc = posix_fallocate(fd, 0, (off_t)cap);
    while (rc == EINTR);
    if (rc != 0)
        return err_set(err, ERR_FULL, "no room for a body of %zu bytes: %s", cap, strerror(rc));
    ptr = b->spooled ? mremap(b->ptr, b->cap, cap, MREMAP_MAYMOVE)
                     : mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ptr == MAP_FAILED)
        return err_set(err, ERR_NO_MEMORY, "cannot map a body of %zu bytes: %s", cap,
                       strerror(errno));
    b->ptr = ptr;
    b->cap = cap;
    return 0;
}

static void release(struct blob *b)
{
    if (b->spooled) {
        munmap(b->ptr, b->cap);
        close(b->fd);
    } else if (b->ptr) {
        atomic_fetch_sub_explicit(&b->budget->used, b->cap, memory_order_relaxed);
        free(b->ptr);
    }
}

static int move_to_folder(struct blob *b, const char *folder, size_t cap, struct err *err)
{
    struct blob moved = {.len = b->len, .budget = b->budget};

    moved.fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (moved.fd < 0)
        return err_set(err, ERR_FULL, "cannot create a temporary file: %s", strerror(errno));
    if (grow_file(&moved, moved.fd, cap, err) < 0) {
        close(moved.fd);
        return -1;
    }
    if (b->len)
        memcpy(moved.ptr, b->ptr, b->len);
    moved.spooled = true;
    release(b);
    *b = moved;
    return 0;
}

/* To the first folder that has room, from memory or from one that has none any more. */
static int move_to_file(struct blob *b, size_t cap, struct err *err)
{
    const struct blob_budget *budget = b->budget;

    err_set(err, ERR_FULL, "there is no folder for temporary files");
    for (size_t i = 0; i < sizeof(budget->spool_dirs) / sizeof(*budget->spool_dirs); i++)
        if (budget->spool_dirs[i] && move_to_folder(b, budget->spool_dirs[i], cap, err) == 0)
            return 0;
    return -1;
}

static int grow_memory(struct blob *b, size_t cap, struct err *err)
{
    char *grown = realloc(b->ptr, cap);

    if (!grown)
        return err_set(err, ERR_NO_MEMORY, "no memory for a body of %zu bytes", cap);
    atomic_fetch_add_explicit(&b->budget->used, cap - b->cap, memory_order_relaxed);
    b->ptr = grown;
    b->cap = cap;
    return 0;
}

static int grow(struct blob *b, size_t cap, struct err *err)
{
    bool over = cap > b->budget->each ||
                atomic_load_explicit(&b->budget->used, memory_order_relaxed) + (cap - b->cap) >
                    b->budget->limit;

    if (b->spooled || over) {
        cap = (cap + PAGE - 1) & ~(PAGE - 1);
        if (b->spooled && grow_file(b, b->fd, cap, err) == 0)
            return 0;
        return move_to_file(b, cap, err);
    }
    return grow_memory(b, cap, err);
}

int blob_reserve(struct blob *b, size_t size, struct err *err)
{
    if (size >= SIZE_MAX / 4)
        return err_set(err, ERR_NO_MEMORY, "no memory for a body of %zu bytes", size);
    return size <= b->cap ? 0 : grow(b, size, err);
}

int blob_add(struct blob *b, struct str s, struct err *err)
{
    if (s.len > b->cap - b->len) {
        size_t need, cap = b->cap ? b->cap : FIRST_SIZE;

        if (s.len >= SIZE_MAX / 4 || b->len >= SIZE_MAX / 4)
            return err_set(err, ERR_NO_MEMORY, "no memory for a body of %zu bytes", s.len);
        need = b->len + s.len;
        while (cap < need)
            cap *= 2;
        if (cap > b->budget->each && need <= b->budget->each)
            cap = b->budget->each; /* doubling alone must not send it to a file */
        if (grow(b, cap, err) < 0)
            return -1;
    }
    if (s.len)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    return 0;
}

void blob_clear(struct blob *b)
{
    release(b);
    *b = (struct blob){.budget = b->budget};
}
