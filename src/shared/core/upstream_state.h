/* core/upstream_state.h - how upstreams are doing: failures in a row, cool-downs, whose turn it is.
 *
 * Kept in memory, shared by all loops. A state lives for as long as a catalog names it, so a
 * changed configuration finds the upstreams that stay as they were. */
#ifndef CORE_UPSTREAM_STATE_H
#define CORE_UPSTREAM_STATE_H

#include "base/str.h"

struct upstream_states;

/** One upstream of one route, or the route itself (turn). Fields are under the lock of all. */
struct upstream_state {
    struct upstream_states *all;
    int refs;
    int64_t failures; /* in a row */
    int64_t cooling_until_us;
    int64_t share; /* of the weighted strategy */
    size_t turn;   /* of a route whose upstreams take turns */
    size_t key_len;
    char key[];
};

/** Returns owned. */
struct upstream_states *upstream_states_new(void);
/** When no state is referred to any more. Accepts NULL. */
void upstream_states_free(struct upstream_states *all);
/** The state of that key, made when there is none; one reference. NULL when all is NULL. */
struct upstream_state *upstream_state_get(struct upstream_states *all, struct str key);
/** Accepts NULL. */
void upstream_state_unref(struct upstream_state *s);

/** Held for a few instructions. */
void upstream_states_lock(struct upstream_states *all);
void upstream_states_unlock(struct upstream_states *all);

/** A request to it failed: after threshold failures in a row it cools down. */
void upstream_state_failed(struct upstream_state *s, int64_t threshold, int64_t cooldown_ms,
                           int64_t now_us);
/** It said for how long it wants to be left alone. */
void upstream_state_cool(struct upstream_state *s, int64_t ms, int64_t now_us);
void upstream_state_well(struct upstream_state *s);

#endif
