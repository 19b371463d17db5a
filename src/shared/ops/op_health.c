/* The check of a provider without a server. A server has its own (daemon/api/api_health.c), which
 * asks from its loops. */
#include "base/clock.h"
#include "client/fetch.h"
#include "core/routing_input.h"
#include "ops/call.h"
#include "ops/tables.h"
#include "store/store_routing.h"
#include "view/view_routing.h"

#define CHECK_MS 10000
#define ANSWER_MAX ((size_t)16 << 20)

static int keep(void *arg, struct store *store, struct err *err)
{
    return store_health_put(store, arg, err);
}

static void probe(struct call *call, const struct provider *p, struct provider_health *h)
{
    struct fetch fetch = {
        .url = arena_printf(&call->arena, "%.*s/models", STR_ARG(p->base_url)),
    };
    struct fetch_options options = {
        .ca_file = call->env->config->upstream_ca_file,
        .timeout_ms = CHECK_MS,
        .limit = ANSWER_MAX,
    };
    enum key_state key = provider_key_state(p->api_key_env);
    struct secret secret = {0};
    int64_t started_us = clock_now_us();

    if (provider_key(p->api_key_env, &secret))
        options.key = &secret;
    fetch_all(&fetch, 1, &options);
    h->latency_ms = (clock_now_us() - started_us) / 1000;
    h->status = provider_is_healthy(fetch.status, key) ? STR("healthy") : STR("warning");
    h->auth_state = str_c(key_auth_state(key));
    h->message = fetch.status ? arena_printf(&call->arena, "HTTP %d", fetch.status)
                              : arena_dup(&call->arena, str_c(fetch.error));
    secret_clear(&secret);
    buf_clear(&fetch.body);
}

static void run_one(struct call *call, struct store *store)
{
    struct provider_health h = {
        .status = STR("warning"),
        .auth_state = str_c(key_auth_state(KEY_NOT_CONFIGURED)),
        .message = STR("no base URL"),
        .latency_ms = UNKNOWN,
    };
    struct provider p = {0};
    struct err err;

    if (slug_from_input(call->slug, &call->arena, &h.provider_slug, &err) < 0 ||
        store_provider_get(store, h.provider_slug, &call->arena, &p, &err) < 0) {
        call_detail(call, 404, "Provider not found.");
        return;
    }
    if (p.base_url.len > 0)
        probe(call, &p, &h);
    h.checked_us = clock_wall_us();
    call->env->transact(call->env->ctx, keep, &h, &err); /* the answer does not depend on it */
    call_json(call, 200, view_provider_health(&h));
}

const struct call_route op_health_routes[] = {
    {"POST", "/admin/api/providers/{slug}/test", .run = run_one},
    {0},
};
