#include "core/routing_input.h"
#include "ops/op_routing.h"
#include "ops/tables.h"
#include "store/store_default_routes.h"

#define ITEMS_MAX 200

static cJSON *view_item(const struct candidate *c, enum seed_status status)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "incoming_model", c->incoming_model);
    json_put_text(o, "match_type", "exact");
    json_put_str(o, "upstream_url", c->upstream_url);
    json_put_str(o, "upstream_model", c->upstream_model);
    json_put_str(o, "provider_slug", c->provider_slug);
    json_put_str(o, "api_key_env", c->api_key_env);
    json_put_int(o, "priority", ROUTE_SEED_PRIORITY);
    json_put_str(o, "source_model", c->source_model);
    json_put_str(o, "source_alias", c->source_alias);
    json_put_text(o, "status", seed_status_name(status));
    return o;
}

static cJSON *view_seeding(const struct seeding *s)
{
    cJSON *o = cJSON_CreateObject(), *list;

    json_put_text(o, "mode", seed_mode_name(s->mode));
    json_put_text(o, "managed_by", ROUTE_SEED);
    json_put_int(o, "total_candidates", (int64_t)s->count);
    json_put_int(o, "inserted", (int64_t)s->counts[SEED_INSERT]);
    json_put_int(o, "updated", (int64_t)s->counts[SEED_UPDATE]);
    json_put_int(o, "skipped_existing", (int64_t)s->counts[SEED_SKIP_SEEDED]);
    json_put_int(o, "skipped_user", (int64_t)s->counts[SEED_SKIP_USER]);
    json_put_bool(o, "truncated", s->count > ITEMS_MAX);
    list = cJSON_AddArrayToObject(o, "items");
    for (size_t i = 0; i < s->count && i < ITEMS_MAX; i++)
        cJSON_AddItemToArray(list, view_item(&s->candidates[i], s->status[i]));
    list = cJSON_AddArrayToObject(o, "stale");
    for (size_t i = 0; i < s->stale_count; i++)
        json_add_str(list, s->stale[i]);
    json_put_int(o, "pruned", (int64_t)s->pruned);
    return o;
}

static void answer(struct call *call, struct store *store, bool apply)
{
    struct seeding s = {.apply = apply};
    struct body b;
    struct err err;

    body_json(&b, call);
    s.prune = body_flag(&b, "prune", false);
    if (seed_mode_parse(body_text(&b, "mode", NULL), &s.mode, &err) < 0 ||
        slug_from_input(body_text(&b, "provider_slug", "provider"), &b.arena, &s.provider_slug,
                        &err) < 0 ||
        store_default_routes(store, &s, &b.arena, &err) < 0)
        call_error(call, &err);
    else
        call_json(call, 200, view_seeding(&s));
    body_clear(&b);
}

static void run_preview(struct call *call, struct store *store)
{
    answer(call, store, false);
}

static void write_apply(struct call *call, struct store *store)
{
    answer(call, store, true);
}

const struct call_route op_default_routes_routes[] = {
    {"POST", "/admin/api/routes/defaults/preview", .run = run_preview},
    {"POST", "/admin/api/routes/defaults/apply", .write = write_apply},
    {0},
};
