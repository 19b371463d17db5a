/* Where a model would go, without asking anybody: simulation, look-up and sample requests. */
#include <stdio.h>

#include "base/clock.h"
#include "core/forward_body.h"
#include "core/routing_input.h"
#include "core/upstream_order.h"
#include "ops/op_candidates.h"
#include "ops/op_routing.h"
#include "ops/tables.h"
#include "store/store_default_routes.h"
#include "view/view_routing.h"
#include "json/json_index.h"

#define GREETING "Say hi"

/* The chat request that samples show. Returns owned. */
static cJSON *sample_payload(struct str model)
{
    cJSON *o = cJSON_CreateObject(), *list, *message = cJSON_CreateObject();

    json_put_str(o, "model", model);
    list = cJSON_AddArrayToObject(o, "messages");
    json_put_text(message, "role", "user");
    json_put_text(message, "content", GREETING);
    cJSON_AddItemToArray(list, message);
    return o;
}

/* s inside single quotes of a shell. */
static void put_shell(struct buf *out, struct str s)
{
    struct str part;

    for (bool first = true; str_split(&s, '\'', &part); first = false) {
        if (!first)
            buf_put(out, STR("'\\''"));
        buf_put(out, part);
    }
}

static void put_curl(cJSON *o, const char *base, struct str payload)
{
    struct buf curl = {0};

    buf_printf(&curl,
               "curl %s/chat/completions -H 'Content-Type: application/json' "
               "-H 'Authorization: Bearer local-dev-key' -d '",
               base);
    put_shell(&curl, payload);
    buf_put(&curl, STR("'"));
    json_put_str(o, "curl", buf_str(&curl));
    buf_clear(&curl);
}

static void put_python(cJSON *o, const char *base, struct str model)
{
    struct buf python = {0};

    buf_printf(&python,
               "from openai import OpenAI\n\n"
               "client = OpenAI(api_key=\"local-dev-key\", base_url=\"%s\")\n"
               "response = client.chat.completions.create(\n    model=",
               base);
    json_quote(&python, model);
    buf_put(&python, STR(",\n    messages=[{\"role\": \"user\", \"content\": \"" GREETING "\"}],\n"
                         ")\nprint(response.choices[0].message.content)\n"));
    json_put_str(o, "python", buf_str(&python));
    buf_clear(&python);
}

/* The payload as it would leave. Returns owned. */
static cJSON *preview_body(struct str model, const struct decision *d, struct str payload)
{
    struct blob_budget budget = {.limit = SIZE_MAX, .each = SIZE_MAX};
    struct blob out = {.budget = &budget};
    struct forward_body in = {
        .body = payload, .endpoint = STR("/v1/chat/completions"), .model = model};
    struct err err;
    cJSON *tree = json_parse(forward_body(&out, &in, d, &err) == 1 ? blob_str(&out) : payload);

    blob_clear(&out);
    return tree;
}

static void put_preview(cJSON *o, struct str model, const struct decision *d, struct str payload)
{
    cJSON *preview = cJSON_AddObjectToObject(o, "upstream_preview"), *headers;
    bool decided = strcmp(d->route_decision, "passthrough") != 0;
    struct buf text = {0};

    buf_printf(&text, "%.*s/chat/completions", STR_ARG(d->base_url));
    json_put_str(preview, "url", decided ? buf_str(&text) : STR_NONE);
    text.len = 0;
    headers = cJSON_AddObjectToObject(preview, "headers");
    if (d->key)
        buf_put(&text, STR("(the configured key is sent)"));
    else if (d->api_key_env.len > 0)
        buf_printf(&text, "Bearer $%.*s", STR_ARG(d->api_key_env));
    else
        buf_put(&text, STR("(the client's own header is passed on)"));
    json_put_str(headers, "authorization", buf_str(&text));
    json_put_text(headers, "content-type", "application/json");
    cJSON_AddItemToObject(preview, "body", preview_body(model, d, payload));
    buf_clear(&text);
}

static cJSON *view_sample(int port, struct str model, const struct decision *d, bool forced)
{
    cJSON *o = cJSON_CreateObject(), *payload = sample_payload(model);
    struct buf compact = {0}, pretty = {0};
    struct json_index json = {0};
    struct err err;
    char base[64];

    snprintf(base, sizeof(base), "http://localhost:%d/v1", port);
    json_print(&compact, payload);
    if (json_index(&json, buf_str(&compact), &err) == 0)
        json_pretty(&pretty, &json, 0, 0, &err);
    json_put_str(o, "model", model);
    json_put_str(o, "provider_slug", d->provider_slug);
    json_put_str(o, "route", forced ? model : d->model_route);
    json_put_text(o, "client_base_url", base);
    put_curl(o, base, buf_str(&pretty));
    put_python(o, base, model);
    put_preview(o, model, d, buf_str(&compact));
    json_index_clear(&json);
    buf_clear(&pretty);
    cJSON_Delete(payload);
    buf_clear(&compact);
    return o;
}

static cJSON *view_choice(const struct choice *choice, const struct decision *d, size_t order)
{
    cJSON *o = cJSON_CreateObject();

    json_put_int(o, "order", (int64_t)order);
    json_put_str(o, "upstream_url", d->base_url);
    json_put_str(o, "upstream_model", d->upstream_model);
    json_put_str(o, "provider_slug", d->provider_slug);
    json_put_text(o, "state", upstream_ready_name(choice->ready));
    if (choice->ready == UPSTREAM_COOLING)
        json_put_int(o, "cooling_ms", (choice->cooling_us + 999) / 1000);
    json_put_int(o, "weight", choice->weight);
    json_put_int(o, "failures", choice->failures);
    return o;
}

/* How the next request would try them; *d becomes the first. Returns owned. */
static cJSON *view_choices(const struct catalog *c, struct str model, struct arena *arena,
                           struct decision *d)
{
    const struct route *route = d->several;
    cJSON *list = cJSON_CreateArray();
    struct choice order[CHOICES_MAX];
    size_t tried, count = 0;

    if (route)
        count = upstream_order(c, route, model, clock_now_us(), true, order, &tried);
    for (size_t i = 0; i < count; i++) {
        struct decision each;

        catalog_decide_upstream(c, route, order[i].index, model, arena, &each);
        cJSON_AddItemToArray(list, view_choice(&order[i], &each, i + 1));
        if (i == 0)
            *d = each;
    }
    return list;
}

static void run_simulate(struct call *call, struct store *store)
{
    struct catalog *catalog = call_catalog(call);
    struct decision d;
    struct body b;
    struct str model, slug;
    struct err err;
    cJSON *o, *upstreams;

    body_json(&b, call);
    model = str_trim(body_text(&b, "incoming_model", "model"));
    slug = body_text(&b, "provider_slug", "provider");
    if (model.len == 0) {
        call_detail(call, 400, "Model is required.");
    } else if (op_decide(store, catalog, model, slug, &b.arena, &d, &err) < 0) {
        call_error(call, &err);
    } else {
        upstreams = view_choices(catalog, model, &b.arena, &d);
        o = view_simulation(&d);
        cJSON_AddItemToObject(o, "upstreams", upstreams);
        cJSON_AddItemToObject(o, "candidates",
                              str_trim(slug).len > 0
                                  ? cJSON_CreateArray()
                                  : op_candidates(catalog, model, d.model_route.len > 0));
        cJSON_AddItemToObject(o, "sample_request",
                              view_sample(call->env->port, model, &d, str_trim(slug).len > 0));
        call_json(call, 200, o);
    }
    body_clear(&b);
    catalog_unref(catalog);
}

/* What the provider's own default routes make of model; STR_NONE: nothing. */
static int find_candidate(struct store *store, const struct provider *p, struct str model,
                          struct arena *arena, struct str *out, struct err *err)
{
    struct seeding s = {.provider_slug = p->slug};

    *out = STR_NONE;
    if (store_default_routes(store, &s, arena, err) < 0)
        return -1;
    for (size_t i = 0; i < s.count; i++)
        if (str_eq(s.candidates[i].incoming_model, model))
            *out = s.candidates[i].upstream_model;
    return 0;
}

int op_decide(struct store *store, const struct catalog *catalog, struct str model, struct str slug,
              struct arena *arena, struct decision *out, struct err *err)
{
    const struct provider *p;
    struct str upstream;

    if (slug_from_input(slug, arena, &slug, err) < 0)
        return -1;
    if (!slug.ptr) {
        catalog_decide(catalog, model, arena, out);
        return 0;
    }
    p = catalog_provider(catalog, slug);
    if (!p)
        return err_set(err, ERR_INVALID, "Provider %.*s was not found.", STR_ARG(slug));
    if (p->base_url.len == 0)
        return err_set(err, ERR_INVALID, "Provider %.*s has no upstream URL.", STR_ARG(slug));
    if (find_candidate(store, p, model, arena, &upstream, err) < 0)
        return -1;
    *out = (struct decision){
        .base_url = p->base_url,
        .provider_slug = p->slug,
        .provider_name = p->name,
        .upstream_model = upstream.ptr ? upstream : model,
        .match_type = "exact",
        .model_route = model,
        .route_decision = "route",
        .route_source = "sample",
        .auth_style = p->auth_style,
        .fixes_json = STR("[]"),
        .api_key_env = p->api_key_env,
        .key_configured = p->api_key_env.len > 0,
    };
    return 0;
}

static void run_sample(struct call *call, struct store *store)
{
    struct catalog *catalog = call_catalog(call);
    struct decision d;
    struct body b;
    struct str model, slug;
    struct err err;

    body_json(&b, call);
    model = str_trim(body_text(&b, "model", "incoming_model"));
    slug = body_text(&b, "provider_slug", "provider");
    if (model.len == 0)
        call_detail(call, 400, "Model is required.");
    else if (op_decide(store, catalog, model, slug, &b.arena, &d, &err) < 0)
        call_error(call, &err);
    else
        call_json(call, 200, view_sample(call->env->port, model, &d, str_trim(slug).len > 0));
    body_clear(&b);
    catalog_unref(catalog);
}

static cJSON *view_lookup(int port, struct str model, const struct decision *d, bool forced)
{
    bool decided = strcmp(d->route_decision, "passthrough") != 0;
    bool matched = strcmp(d->route_decision, "route") == 0;
    enum key_state key = decision_key_state(d);
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "client_model", model);
    json_put_text(o, "status", matched ? "matched" : decided ? "fallback" : "unmatched");
    json_put_str(o, "route", d->model_route);
    json_put_text(o, "match_type", d->match_type);
    json_put_str(o, "provider_slug", d->provider_slug);
    json_put_str(o, "provider_name", d->provider_name);
    json_put_text(o, "api_key_state",
                  key == KEY_NOT_CONFIGURED ? "not configured" : key_state_text(key));
    json_put_str(o, "upstream_url", decided ? d->base_url : STR_NONE);
    json_put_str(o, "upstream_model", d->upstream_model);
    cJSON_AddItemToObject(o, "sample_request", view_sample(port, model, d, forced));
    return o;
}

static void lookup(struct call *call, struct store *store, struct str model, struct str slug)
{
    struct catalog *catalog = call_catalog(call);
    struct arena arena = {0};
    struct decision d;
    struct err err;

    if (op_decide(store, catalog, model, slug, &arena, &d, &err) < 0)
        call_error(call, &err);
    else
        call_json(call, 200, view_lookup(call->env->port, model, &d, slug.len > 0));
    arena_clear(&arena);
    catalog_unref(catalog);
}

static void run_lookup(struct call *call, struct store *store)
{
    struct buf model = {0}, slug = {0};

    call_query_text(call, "model", &model);
    call_query_text(call, "provider_slug", &slug);
    lookup(call, store, str_trim(buf_str(&model)), str_trim(buf_str(&slug)));
    buf_clear(&model);
    buf_clear(&slug);
}

const struct call_route op_simulate_routes[] = {
    {"GET", "/api/models/lookup", .run = run_lookup},
    {"POST", "/admin/api/routes/simulate", .run = run_simulate},
    {"POST", "/admin/api/routes/sample-request", .run = run_sample},
    {0},
};
