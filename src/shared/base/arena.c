#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t)4096 - 32)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) char data[];
};

static struct arena_block *add_block(struct arena *a, size_t size)
{
    struct arena_block *block;

    if (size > SIZE_MAX / 2)
        return NULL;
    block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    *block = (struct arena_block){.size = size, .next = a->blocks};
    a->blocks = block;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct arena_block *block = a->blocks;
    size_t align = alignof(max_align_t);
    size_t start = block ? (block->used + align - 1) & ~(align - 1) : 0;

    if (!block || start > block->size || block->size - start < size) {
        block =
            add_block(a, size > BLOCK_SIZE - sizeof(*block) ? size : BLOCK_SIZE - sizeof(*block));
        if (!block)
            return NULL;
        start = 0;
    }
    block->used = start + size;
    a->used += size;
    return block->data + start;
}

/* Text needs no alignment: pack it behind what is there. */
static char *alloc_text(struct arena *a, size_t size)
{
    struct arena_block *block = a->blocks;

    if (block && block->size - block->used >= size) {
        block->used += size;
        a->used += size;
        return block->data + block->used - size;
    }
    return arena_alloc(a, size);
}

struct str arena_dup(struct arena *a, struct str s)
{
    char *copy;

    if (!s.ptr || s.len == SIZE_MAX)
        return STR_NONE;
    copy = alloc_text(a, s.len + 1);
    if (!copy)
        return STR_NONE;
    memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (struct str){copy, s.len};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    struct str out = STR_NONE;
    char *text;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    text = len < 0 ? NULL : alloc_text(a, (size_t)len + 1);
    if (text) {
        vsnprintf(text, (size_t)len + 1, fmt, again);
        out = (struct str){text, (size_t)len};
    }
    va_end(again);
    return out;
}

void arena_clear(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
    a->used = 0;
}
