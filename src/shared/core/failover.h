/* core/failover.h - several upstreams of one route, and how to choose among them: as people give
 * it, checked, and as it is stored. What happens with it is in upstream_order.h. */
#ifndef CORE_FAILOVER_H
#define CORE_FAILOVER_H

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define FAILOVER_UPSTREAMS_MAX 32
#define FAILOVER_STATUSES_MAX 64
#define FAILOVER_ATTEMPTS_MAX 10

enum strategy { STRATEGY_FAILOVER, STRATEGY_WEIGHTED, STRATEGY_ROUND_ROBIN, STRATEGY_LOWEST_COST };

/** Texts that are STR_NONE are those of the route. */
struct upstream {
    struct str base_url, model, provider_slug, api_key_env, auth_style;
    int64_t weight;     /* 0 to 1000; 0: only after all others */
    int64_t timeout_ms; /* to the head of the answer; 0: none */
    bool active;
    struct secret *key; /* a literal one, of the startup configuration only */
};

struct failover {
    enum strategy strategy;
    int16_t statuses[FAILOVER_STATUSES_MAX]; /* that move on to the next upstream */
    size_t status_count;
    bool on_connect, on_timeout; /* so do these failures */
    int64_t max_attempts, cooldown_ms, fail_threshold, max_retry_wait_ms;
    struct upstream *upstreams;
    size_t count; /* 0: the route itself is the only one */
};

/** All defaults, no upstreams. */
void failover_init(struct failover *f);
/** Read the members upstreams, strategy, retry_on, max_attempts, cooldown_ms, fail_threshold and
 *  max_retry_wait_ms of o; absent and null ones have their defaults. *given tells whether any is
 *  there. has_url: the route has a URL that members may leave out. keys: members may hold literal
 *  keys, which the caller releases with failover_wipe(). ERR_INVALID, *code (may be NULL) is a
 *  short name of what is wrong. Texts and arrays are kept in arena. */
int failover_read(struct failover *f, const cJSON *o, bool has_url, bool keys, bool *given,
                  struct arena *arena, const char **code, struct err *err);
/** The same of stored text; a text that cannot be read gives the defaults and false. */
bool failover_parse(struct failover *f, struct str json, struct arena *arena);
/** Append the JSON object that failover_read() reads again, without literal keys. */
void failover_print(const struct failover *f, struct buf *out);
/** Those members of stored text (STR_NONE: none), with those of changes in their place. Returns
 *  owned. */
cJSON *failover_merge(struct str stored, const cJSON *changes);
/** Wipe and release the literal keys. */
void failover_wipe(struct failover *f);

/** "failover", "weighted", ... */
const char *strategy_name(enum strategy s);
bool failover_on_status(const struct failover *f, int status);

#endif
