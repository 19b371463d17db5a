#include "daemon/upstream/resolve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define REMEMBER_MS 30000
#define ENTRIES_MAX 64
#define HOST_MAX 255

struct entry {
    struct resolver *resolver;
    struct list node;
    struct list waiting; /* resolve_wait, while running */
    uv_getaddrinfo_t lookup;
    bool running;
    int64_t until_ms;
    struct addresses found;
    char host[HOST_MAX + 1];
};

struct resolver {
    uv_loop_t *loop;
    struct list entries; /* oldest first */
    size_t count;
    uv_timer_t last; /* gives close() its later turn */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct resolver *resolver_open(uv_loop_t *loop)
{
    struct resolver *r = xcalloc(1, sizeof(*r));

    r->loop = loop;
    list_init(&r->entries);
    uv_timer_init(loop, &r->last);
    r->last.data = r;
    return r;
}

static void drop(struct entry *e)
{
    list_remove(&e->node);
    e->resolver->count--;
    free(e);
}

static void on_closed(uv_handle_t *handle)
{
    struct resolver *r = handle->data;

    r->closed(r->closed_ctx);
    free(r);
}

static void finish_close(struct resolver *r)
{
    if (r->closing && r->count == 0)
        uv_close((uv_handle_t *)&r->last, on_closed);
}

void resolver_close(struct resolver *r, void (*closed)(void *ctx), void *ctx)
{
    r->closing = true;
    r->closed = closed;
    r->closed_ctx = ctx;
    LIST_EACH_SAFE (node, &r->entries) {
        struct entry *e = LIST_ENTRY(node, struct entry, node);

        if (!e->running)
            drop(e);
        else
            uv_cancel((uv_req_t *)&e->lookup); /* one that runs already ends by itself */
    }
    finish_close(r);
}

static bool literal(struct str host, struct addresses *found)
{
    char text[HOST_MAX + 1];

    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    memset(&found->items[0], 0, sizeof(found->items[0]));
    found->count = 1;
    return uv_ip4_addr(text, 0, &found->items[0].in) == 0 ||
           (strchr(text, ':') && uv_ip6_addr(text, 0, &found->items[0].in6) == 0);
}

static struct entry *lookup_entry(struct resolver *r, struct str host)
{
    LIST_EACH (node, &r->entries) {
        struct entry *e = LIST_ENTRY(node, struct entry, node);

        if (str_ieq(str_c(e->host), host))
            return e;
    }
    return NULL;
}

static void keep_addresses(struct addresses *found, const struct addrinfo *list)
{
    found->count = 0;
    for (; list && found->count < RESOLVE_ADDRESSES_MAX; list = list->ai_next) {
        if ((list->ai_family != AF_INET && list->ai_family != AF_INET6) ||
            list->ai_addrlen > sizeof(found->items[0]))
            continue;
        memset(&found->items[found->count], 0, sizeof(found->items[0]));
        memcpy(&found->items[found->count++], list->ai_addr, list->ai_addrlen);
    }
}

/* Those who wait may cancel others or ask for more names; e stays until all were told. */
static void tell(struct entry *e, const char *message)
{
    struct list told;

    list_init(&told);
    while (!list_empty(&e->waiting)) {
        struct list *node = e->waiting.next;

        list_remove(node);
        list_add_tail(&told, node);
    }
    while (!list_empty(&told)) {
        struct list *node = told.next;
        struct resolve_wait *wait = LIST_ENTRY(node, struct resolve_wait, node);

        list_remove(node);
        wait->done(wait, message ? NULL : &e->found, message);
    }
}

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *list)
{
    struct entry *e = LIST_ENTRY(lookup, struct entry, lookup);
    struct resolver *r = e->resolver;

    if (status == 0) {
        keep_addresses(&e->found, list);
        uv_freeaddrinfo(list);
        if (e->found.count == 0)
            status = UV_EAI_NODATA;
    }
    list_remove(&e->node); /* nobody finds e while those who wait are told */
    tell(e, status == 0 ? NULL : uv_strerror(status));
    if (status == 0 && !r->closing) {
        e->running = false;
        e->until_ms = (int64_t)uv_now(r->loop) + REMEMBER_MS;
        list_add_tail(&r->entries, &e->node);
    } else {
        drop(e);
    }
    finish_close(r);
}

static void make_room(struct resolver *r)
{
    LIST_EACH_SAFE (node, &r->entries) {
        struct entry *e = LIST_ENTRY(node, struct entry, node);

        if (r->count < ENTRIES_MAX)
            return;
        if (!e->running)
            drop(e);
    }
}

static struct entry *start_lookup(struct resolver *r, struct str host, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct entry *e;
    int rc;

    make_room(r);
    e = xcalloc(1, sizeof(*e));
    e->resolver = r;
    memcpy(e->host, host.ptr, host.len);
    list_init(&e->waiting);
    rc = uv_getaddrinfo(r->loop, &e->lookup, on_found, e->host, NULL, &hints);
    if (rc != 0) {
        free(e);
        err_set(err, ERR_INVALID, "%s", uv_strerror(rc));
        return NULL;
    }
    e->running = true;
    list_add_tail(&r->entries, &e->node);
    r->count++;
    return e;
}

int resolver_find(struct resolver *r, struct str host, struct addresses *found,
                  struct resolve_wait *wait, struct err *err)
{
    struct entry *e;

    assert(!r->closing);
    if (host.len == 0 || host.len > HOST_MAX)
        return err_set(err, ERR_INVALID, "the host name is too long");
    if (literal(host, found))
        return 1;
    e = lookup_entry(r, host);
    if (e && !e->running && e->until_ms > (int64_t)uv_now(r->loop)) {
        *found = e->found;
        return 1;
    }
    if (e && !e->running) {
        drop(e);
        e = NULL;
    }
    if (!e)
        e = start_lookup(r, host, err);
    if (!e)
        return -1;
    list_add_tail(&e->waiting, &wait->node);
    return 0;
}

void resolver_cancel(struct resolve_wait *wait)
{
    list_remove(&wait->node);
}

void resolver_forget(struct resolver *r, struct str host)
{
    struct entry *e = lookup_entry(r, host);

    if (e && !e->running)
        drop(e);
}
