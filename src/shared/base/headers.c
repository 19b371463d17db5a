#include "headers.h"

#define FIRST_COUNT 16

static int grow(struct headers *h, struct arena *arena, struct err *err)
{
    size_t cap = h->cap ? h->cap * 2 : FIRST_COUNT;
    struct header *items = arena_alloc(arena, cap * sizeof(*items));

    if (!items)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu headers", cap);
    if (h->count)
        memcpy(items, h->items, h->count * sizeof(*items));
    h->items = items;
    h->cap = cap;
    return 0;
}

int headers_add_borrowed(struct headers *h, struct arena *arena, struct str name, struct str value,
                         struct err *err)
{
    if (h->count == h->cap && grow(h, arena, err) < 0)
        return -1;
    h->items[h->count++] = (struct header){name, value};
    return 0;
}

int headers_add(struct headers *h, struct arena *arena, struct str name, struct str value,
                struct err *err)
{
    struct str n = arena_dup(arena, name), v = arena_dup(arena, value);

    if (!n.ptr || !v.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for a header");
    return headers_add_borrowed(h, arena, n, v, err);
}

struct str headers_get(const struct headers *h, struct str name)
{
    for (size_t i = 0; i < h->count; i++)
        if (str_ieq(h->items[i].name, name))
            return h->items[i].value;
    return STR_NONE;
}

size_t headers_count(const struct headers *h, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < h->count; i++)
        n += str_ieq(h->items[i].name, name);
    return n;
}
