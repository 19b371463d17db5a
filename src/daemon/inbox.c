#include "daemon/inbox.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct inbox {
    uv_async_t ring;
    pthread_mutex_t lock;
    struct list notes;
};

/* Rings merge: one may stand for many notes. What the notes post meanwhile rings again. */
static void run_notes(struct inbox *inbox)
{
    struct list notes, *node;

    list_init(&notes);
    pthread_mutex_lock(&inbox->lock);
    while (!list_empty(&inbox->notes)) {
        node = inbox->notes.next;
        list_remove(node);
        list_add_tail(&notes, node);
    }
    pthread_mutex_unlock(&inbox->lock);
    while (!list_empty(&notes)) {
        struct note *note = LIST_ENTRY(notes.next, struct note, node);

        list_remove(&note->node);
        note->run(note);
    }
}

static void on_ring(uv_async_t *ring)
{
    run_notes(ring->data);
}

struct inbox *inbox_open(uv_loop_t *loop, struct err *err)
{
    struct inbox *inbox = xcalloc(1, sizeof(*inbox));
    int rc = uv_async_init(loop, &inbox->ring, on_ring);

    if (rc < 0) {
        err_set(err, ERR_FAILED, "cannot open an inbox: %s", uv_strerror(rc));
        free(inbox);
        return NULL;
    }
    inbox->ring.data = inbox;
    pthread_mutex_init(&inbox->lock, NULL);
    list_init(&inbox->notes);
    return inbox;
}

void inbox_post(struct inbox *inbox, struct note *note)
{
    bool first;

    pthread_mutex_lock(&inbox->lock);
    first = list_empty(&inbox->notes);
    list_add_tail(&inbox->notes, &note->node);
    if (first) /* under the lock, so that the inbox cannot close in between */
        uv_async_send(&inbox->ring);
    pthread_mutex_unlock(&inbox->lock);
}

static void on_closed(uv_handle_t *handle)
{
    struct inbox *inbox = handle->data;

    pthread_mutex_destroy(&inbox->lock);
    free(inbox);
}

void inbox_close(struct inbox *inbox)
{
    run_notes(inbox);
    uv_close((uv_handle_t *)&inbox->ring, on_closed);
}
