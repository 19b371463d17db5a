/* core/routing_input.h - routes and providers as people give them: trimmed, checked, with the
 * message that says what is wrong. The API, forms and commands all read by this. */
#ifndef CORE_ROUTING_INPUT_H
#define CORE_ROUTING_INPUT_H

#include <cjson/cJSON.h>

#include "core/provider.h"
#include "core/route.h"

/** As given; "" and STR_NONE are absent. */
struct route_input {
    struct str incoming_model, match_type, upstream_url, upstream_model, provider_slug, api_key_env,
        auth_style;
    const cJSON *fixes;     /* see fix_ids() */
    const cJSON *upstreams; /* an object with what failover_read() takes; NULL: none */
    bool bad_priority;      /* it was no number */
    int64_t priority;
    bool override_fallback, active;
};

/** Fill out, keeping text in arena. ERR_INVALID. Whether the provider exists is not looked at. */
int route_from_input(const struct route_input *in, struct arena *arena, struct route *out,
                     struct err *err);

struct provider_input {
    struct str slug, name, upstream_url, currency, api_key_env, auth_style;
    const cJSON *capabilities; /* object, text of one, or null */
    bool active, is_default_fallback;
};

int provider_from_input(const struct provider_input *in, struct arena *arena, struct provider *out,
                        struct err *err);
/** A slug, trimmed and in lower case, in arena; STR_NONE when it is blank. ERR_INVALID. */
int slug_from_input(struct str in, struct arena *arena, struct str *out, struct err *err);

#endif
