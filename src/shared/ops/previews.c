#include "ops/previews.h"

#include <stdio.h>

#include "base/clock.h"

void previews_init(struct previews *p, const char *prefix)
{
    pthread_mutex_init(&p->lock, NULL);
    snprintf(p->prefix, sizeof(p->prefix), "%s", prefix);
}

void previews_clear(struct previews *p)
{
    for (size_t i = 0; i < SYNC_PREVIEWS; i++) {
        sync_preview_unref(p->items[i]);
        p->items[i] = NULL;
    }
}

void previews_remember(struct previews *p, struct sync_preview *preview)
{
    struct sync_preview **slot;

    pthread_mutex_lock(&p->lock);
    slot = &p->items[p->next % SYNC_PREVIEWS];
    snprintf(preview->id, sizeof(preview->id), "%s-%u", p->prefix, p->next++);
    preview->made_us = clock_now_us();
    sync_preview_unref(*slot);
    atomic_fetch_add(&preview->refs, 1);
    *slot = preview;
    pthread_mutex_unlock(&p->lock);
}

struct sync_preview *previews_recall(struct previews *p, struct str id)
{
    struct sync_preview *found = NULL;

    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < SYNC_PREVIEWS; i++) {
        struct sync_preview *one = p->items[i];

        if (one && str_eq(str_c(one->id), id) && clock_now_us() - one->made_us < SYNC_PREVIEW_US)
            found = one;
    }
    if (found)
        atomic_fetch_add(&found->refs, 1);
    pthread_mutex_unlock(&p->lock);
    return found;
}
