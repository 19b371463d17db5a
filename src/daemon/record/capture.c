#include "daemon/record/capture.h"

#include <stdlib.h>

struct capture *capture_new(struct blob_budget *budget)
{
    struct capture *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    atomic_init(&c->refs, 1);
    record_init(&c->record);
    c->overhead_us = c->content_events = UNKNOWN;
    atomic_init(&c->input_estimate, UNKNOWN);
    c->request_keep = c->response_keep = c->inspect_max = SIZE_MAX;
    c->request.budget = c->response.budget = c->upstream.budget = budget;
    return c;
}

struct capture *capture_ref(struct capture *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void capture_unref(struct capture *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    capture_drop_bodies(c);
    arena_clear(&c->arena);
    free(c);
}

void capture_drop_bodies(struct capture *c)
{
    c->images = (struct images){0};
    arena_clear(&c->image_arena);
    blob_clear(&c->request);
    blob_clear(&c->response);
    blob_clear(&c->upstream);
}
