#include "core/upstream_state.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct upstream_states {
    pthread_mutex_t lock;
    void *tree; /* of struct upstream_state by key */
};

static int by_key(const void *a, const void *b)
{
    const struct upstream_state *x = a, *y = b;

    if (x->key_len != y->key_len)
        return x->key_len < y->key_len ? -1 : 1;
    return memcmp(x->key, y->key, x->key_len);
}

struct upstream_states *upstream_states_new(void)
{
    struct upstream_states *all = xcalloc(1, sizeof(*all));

    pthread_mutex_init(&all->lock, NULL);
    return all;
}

void upstream_states_free(struct upstream_states *all)
{
    if (!all)
        return;
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void upstream_states_lock(struct upstream_states *all)
{
    pthread_mutex_lock(&all->lock);
}

void upstream_states_unlock(struct upstream_states *all)
{
    pthread_mutex_unlock(&all->lock);
}

struct upstream_state *upstream_state_get(struct upstream_states *all, struct str key)
{
    struct upstream_state *made, *found, **node;

    if (!all)
        return NULL;
    made = xcalloc(1, sizeof(*made) + key.len + 1);
    made->all = all;
    made->key_len = key.len;
    memcpy(made->key, key.ptr, key.len);
    upstream_states_lock(all);
    node = tsearch(made, &all->tree, by_key);
    if (!node)
        abort();
    found = *node;
    found->refs++;
    upstream_states_unlock(all);
    if (found != made)
        free(made);
    return found;
}

void upstream_state_unref(struct upstream_state *s)
{
    struct upstream_states *all = s ? s->all : NULL;
    bool last;

    if (!s)
        return;
    upstream_states_lock(all);
    last = --s->refs == 0;
    if (last)
        tdelete(s, &all->tree, by_key);
    upstream_states_unlock(all);
    if (last)
        free(s);
}

void upstream_state_failed(struct upstream_state *s, int64_t threshold, int64_t cooldown_ms,
                           int64_t now_us)
{
    if (!s)
        return;
    upstream_states_lock(s->all);
    s->failures++;
    if (s->failures >= threshold && s->cooling_until_us < now_us + cooldown_ms * 1000)
        s->cooling_until_us = now_us + cooldown_ms * 1000;
    upstream_states_unlock(s->all);
}

void upstream_state_cool(struct upstream_state *s, int64_t ms, int64_t now_us)
{
    if (!s)
        return;
    upstream_states_lock(s->all);
    if (s->cooling_until_us < now_us + ms * 1000)
        s->cooling_until_us = now_us + ms * 1000;
    upstream_states_unlock(s->all);
}

void upstream_state_well(struct upstream_state *s)
{
    if (!s)
        return;
    upstream_states_lock(s->all);
    s->failures = 0;
    upstream_states_unlock(s->all);
}
