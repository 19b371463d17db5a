#include "xalloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void)
{
    fputs("llm-observe-proxy: out of memory\n", stderr);
    abort();
}

void *xcalloc(size_t count, size_t size)
{
    void *ptr = calloc(count ? count : 1, size ? size : 1);

    if (!ptr)
        out_of_memory();
    return ptr;
}

void *xrealloc(void *ptr, size_t count, size_t size)
{
    void *grown;

    if (size != 0 && count > SIZE_MAX / size)
        out_of_memory();
    grown = realloc(ptr, count == 0 || size == 0 ? 1 : count * size);
    if (!grown)
        out_of_memory();
    return grown;
}

char *xstrdup(const char *text)
{
    size_t size;
    char *copy;

    if (!text)
        return NULL;
    size = strlen(text) + 1;
    copy = xcalloc(1, size);
    memcpy(copy, text, size);
    return copy;
}
