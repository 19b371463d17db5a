/* Health checks of providers. */
#include <stdlib.h>

#include "base/clock.h"
#include "core/routing_input.h"
#include "daemon/api/api.h"
#include "daemon/api/api_probes.h"
#include "store/store_routing.h"
#include "view/view_routing.h"

#define CHECK_MS 10000
#define AT_ONCE 8
#define ANSWER_KEPT ((size_t)4096)

struct check {
    struct probe probe;
    struct checks *all;
    struct str slug;
    enum key_state key;
    bool sent;
    int64_t checked_us;
};

struct checks {
    struct api_call *call;
    struct arena arena;
    struct check *checks;
    size_t count, started, finished;
    bool single;
};

static bool is_healthy(const struct check *c)
{
    return c->sent && !c->probe.error[0] && provider_is_healthy(c->probe.status, c->key);
}

/* ---- checks ---- */

struct results {
    size_t count;
    struct provider_health list[];
};

/* Writer thread. */
static int keep_results(struct api_call *call, struct store *store, struct err *err)
{
    const struct results *r = call->call.state;

    for (size_t i = 0; i < r->count; i++)
        if (store_health_put(store, &r->list[i], err) < 0)
            return -1;
    return 0;
}

/* Texts are kept in the arena of the call. */
static struct provider_health result_of(const struct check *c, struct arena *arena)
{
    struct str message = c->probe.error[0] ? arena_dup(arena, str_c(c->probe.error))
                                           : arena_printf(arena, "HTTP %d", c->probe.status);

    return (struct provider_health){
        .provider_slug = arena_dup(arena, c->slug),
        .status = is_healthy(c) ? STR("healthy") : STR("warning"),
        .latency_ms = c->sent ? c->probe.duration_ms : UNKNOWN,
        .auth_state = str_c(key_auth_state(c->sent ? c->key : KEY_NOT_CONFIGURED)),
        .message = c->sent ? message : STR("no base URL"),
        .checked_us = c->checked_us,
    };
}

static void free_checks(struct checks *all)
{
    for (size_t i = 0; i < all->count; i++)
        probe_clear(&all->checks[i].probe);
    arena_clear(&all->arena);
    free(all->checks);
    free(all);
}

static void finish(struct checks *all)
{
    struct call *call = &all->call->call;
    struct arena *arena = &call->arena;
    struct results *r = arena_alloc(arena, sizeof(*r) + all->count * sizeof(r->list[0]));
    cJSON *list;

    if (!r) {
        call_detail(call, 503, "No memory for the answer.");
        free_checks(all);
        api_finish(api_call_of(call));
        return;
    }
    list = cJSON_CreateArray();
    r->count = all->count;
    for (size_t i = 0; i < all->count; i++) {
        r->list[i] = result_of(&all->checks[i], arena);
        cJSON_AddItemToArray(list, view_provider_health(&r->list[i]));
    }
    call_json(call, 200, all->single ? cJSON_DetachItemFromArray(list, 0) : list);
    if (all->single)
        cJSON_Delete(list);
    free_checks(all);
    call->state = r;
    api_finish_stored(api_call_of(call), keep_results);
}

static void start_checks(struct checks *all);

static void on_checked(struct probe *p)
{
    struct check *c = LIST_ENTRY(p, struct check, probe);
    struct checks *all = c->all;

    c->checked_us = clock_wall_us();
    all->finished++;
    start_checks(all);
}

/* What has no URL is done at once. */
static void start_checks(struct checks *all)
{
    while (all->started < all->count && all->started - all->finished < AT_ONCE) {
        struct check *c = &all->checks[all->started++];

        c->checked_us = clock_wall_us();
        if (c->sent)
            probe_start(&c->probe);
        else
            all->finished++;
    }
    if (all->finished == all->count)
        finish(all);
}

static void then_check(struct api_call *call)
{
    start_checks(call->call.state);
}

static void add_check(struct checks *all, const struct provider *p)
{
    struct check *c = &all->checks[all->count++];
    struct decision d = {.base_url = p->base_url,
                         .provider_slug = p->slug,
                         .api_key_env = p->api_key_env,
                         .auth_style = STR("bearer"),
                         .key_configured = p->api_key_env.len > 0};
    struct err err;

    c->all = all;
    c->slug = p->slug;
    c->key = provider_key_state(p->api_key_env);
    c->sent = p->base_url.len > 0;
    c->probe = (struct probe){
        .worker = all->call->worker,
        .method = STR("GET"),
        .url = arena_printf(&all->arena, "%.*s/models", STR_ARG(p->base_url)),
        .timeout_ms = CHECK_MS,
        .keep = ANSWER_KEPT,
        .done = on_checked,
    };
    if (api_probe_headers(&c->probe, &all->arena, &d, STR("/v1/models"), &err) < 0)
        c->sent = false;
}

/* slug STR_NONE: all active ones. */
static void prepare(struct call *call, struct store *store, struct str slug, bool single)
{
    struct checks *all = calloc(1, sizeof(*all));
    struct provider *list = NULL;
    size_t count = 0;
    struct err err;
    int rc = all ? store_providers(store, &all->arena, &list, &count, &err)
                 : err_set(&err, ERR_NO_MEMORY, "no memory for the checks");

    if (rc == 0)
        all->checks = calloc(count + 1, sizeof(*all->checks));
    if (rc == 0 && !all->checks)
        rc = err_set(&err, ERR_NO_MEMORY, "no memory for the checks");
    if (rc == 0) {
        all->call = api_call_of(call);
        all->single = single;
        for (size_t i = 0; i < count; i++)
            if (single ? str_eq(list[i].slug, slug) : list[i].active)
                add_check(all, &list[i]);
        if (!single || all->count > 0) {
            call->state = all;
            all->call->then = then_check;
            return;
        }
        rc = err_set(&err, ERR_NOT_FOUND, "Provider not found.");
    }
    call_error(call, &err);
    if (all)
        free_checks(all);
}

static void run_one(struct call *call, struct store *store)
{
    struct str slug = STR_NONE;
    struct err err;

    if (slug_from_input(call->slug, &call->arena, &slug, &err) < 0 || !slug.ptr)
        call_detail(call, 404, "Provider not found.");
    else
        prepare(call, store, slug, true);
}

static void run_all(struct call *call, struct store *store)
{
    prepare(call, store, STR_NONE, false);
}

const struct call_route api_health_routes[] = {
    {"POST", "/admin/api/providers/health-checks", .run = run_all},
    {"POST", "/admin/api/providers/{slug}/test", .run = run_one},
    {0},
};
