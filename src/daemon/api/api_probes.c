/* Calls that ask an upstream: health checks of providers, and tests through the routing. */
#include <stdlib.h>

#include "base/clock.h"
#include "core/forward_body.h"
#include "core/routing_input.h"
#include "daemon/api/api_form.h"
#include "daemon/api/api_routing.h"
#include "daemon/jobs/probe.h"
#include "json/json_index.h"

#define HEALTH_MS 10000
#define TEST_MS 30000
#define AT_ONCE 8
#define HEALTH_KEEP ((size_t)4096)
#define TEST_KEEP ((size_t)65536)
#define TEST_SHOWN ((size_t)6000)
#define PIXEL                                                                                      \
    "data:image/"                                                                                  \
    "png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgG"           \
    "AWjR9awAAAABJRU5ErkJggg=="

/* The key of a decision as headers for endpoint. */
static int add_headers(struct probe *p, struct arena *arena, struct decision *d,
                       struct str endpoint, struct err *err)
{
    struct headers none = {0};
    struct secret key = {0};
    int rc;

    decision_key(d, &key);
    rc = forward_request_headers(&p->headers, arena, &none, d, endpoint, err);
    if (rc == 0 && p->body.len > 0)
        rc = headers_add_borrowed(&p->headers, arena, STR("Content-Type"), STR("application/json"),
                                  err);
    secret_clear(&key); /* the arena has a copy, and goes with the call */
    return rc;
}

/* ---- health checks ---- */

struct check {
    struct probe probe;
    struct health *health;
    struct str slug;
    enum key_state key;
    bool sent;
    int64_t checked_us;
};

struct health {
    struct api_call *call;
    struct arena arena;
    struct check *checks;
    size_t count, started, finished;
    bool single;
};

static const char *auth_state(enum key_state key)
{
    return key == KEY_CONFIGURED ? "valid" : key == KEY_MISSING ? "missing_key" : "not_configured";
}

static bool is_healthy(const struct check *c)
{
    int status = c->probe.status;

    if (!c->sent || c->probe.error[0] || status == 0 || status >= 500 || c->key == KEY_MISSING)
        return false;
    return !(c->key == KEY_CONFIGURED && (status == 401 || status == 403));
}

static cJSON *view_check(const struct check *c)
{
    cJSON *o = cJSON_CreateObject();
    char iso[CLOCK_ISO_SIZE], text[32];

    json_put_str(o, "provider_slug", c->slug);
    json_put_text(o, "status", is_healthy(c) ? "healthy" : "warning");
    json_put_int(o, "latency_ms", c->sent ? c->probe.duration_ms : UNKNOWN);
    json_put_text(o, "auth_state", c->sent ? auth_state(c->key) : "not_configured");
    snprintf(text, sizeof(text), "HTTP %d", c->probe.status);
    json_put_text(o, "message",
                  !c->sent            ? "no base URL"
                  : c->probe.error[0] ? c->probe.error
                                      : text);
    json_put_text(o, "checked_at", clock_iso(c->checked_us, iso));
    return o;
}

static void finish_health(struct health *h)
{
    struct api_call *call = h->call;
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < h->count; i++) {
        cJSON_AddItemToArray(list, view_check(&h->checks[i]));
        probe_clear(&h->checks[i].probe);
    }
    api_json(call, 200, h->single ? cJSON_DetachItemFromArray(list, 0) : list);
    if (h->single)
        cJSON_Delete(list);
    arena_clear(&h->arena);
    free(h->checks);
    free(h);
    api_finish(call);
}

static void start_checks(struct health *h);

static void on_checked(struct probe *p)
{
    struct check *c = LIST_ENTRY(p, struct check, probe);
    struct health *h = c->health;

    c->checked_us = clock_wall_us();
    h->finished++;
    start_checks(h);
}

/* What has no URL is done at once. */
static void start_checks(struct health *h)
{
    while (h->started < h->count && h->started - h->finished < AT_ONCE) {
        struct check *c = &h->checks[h->started++];

        c->checked_us = clock_wall_us();
        if (c->sent)
            probe_start(&c->probe);
        else
            h->finished++;
    }
    if (h->finished == h->count)
        finish_health(h);
}

static void then_health(struct api_call *call)
{
    start_checks(call->state);
}

static void add_check(struct health *h, const struct provider *p)
{
    struct check *c = &h->checks[h->count++];
    struct decision d = {.base_url = p->base_url,
                         .provider_slug = p->slug,
                         .api_key_env = p->api_key_env,
                         .auth_style = STR("bearer"),
                         .key_configured = p->api_key_env.len > 0};
    struct err err;

    c->health = h;
    c->slug = p->slug;
    c->key = provider_key_state(p->api_key_env);
    c->sent = p->base_url.len > 0;
    c->probe = (struct probe){
        .worker = h->call->worker,
        .method = STR("GET"),
        .url = arena_printf(&h->arena, "%.*s/models", STR_ARG(p->base_url)),
        .timeout_ms = HEALTH_MS,
        .keep = HEALTH_KEEP,
        .done = on_checked,
    };
    if (add_headers(&c->probe, &h->arena, &d, STR("/v1/models"), &err) < 0)
        c->sent = false;
}

/* slug STR_NONE: all active ones. */
static void prepare_health(struct api_call *call, struct store *store, struct str slug, bool single)
{
    struct health *h = calloc(1, sizeof(*h));
    struct provider *list = NULL;
    size_t count = 0;
    struct err err;
    int rc = h ? store_providers(store, &h->arena, &list, &count, &err)
               : err_set(&err, ERR_NO_MEMORY, "no memory for the checks");

    if (rc == 0)
        h->checks = calloc(count + 1, sizeof(*h->checks));
    if (rc == 0 && !h->checks)
        rc = err_set(&err, ERR_NO_MEMORY, "no memory for the checks");
    if (rc == 0) {
        h->call = call;
        h->single = single;
        for (size_t i = 0; i < count; i++)
            if (single ? str_eq(list[i].slug, slug) : list[i].active)
                add_check(h, &list[i]);
        if (!single || h->count > 0) {
            call->state = h;
            call->then = then_health;
            return;
        }
        rc = err_set(&err, ERR_NOT_FOUND, "Provider not found.");
    }
    api_error(call, &err);
    if (h) {
        arena_clear(&h->arena);
        free(h->checks);
    }
    free(h);
}

static void run_one(struct api_call *call, struct store *store)
{
    struct str slug = STR_NONE;
    struct err err;

    if (slug_from_input(call->slug, &call->request.arena, &slug, &err) < 0 || !slug.ptr)
        api_detail(call, 404, "Provider not found.");
    else
        prepare_health(call, store, slug, true);
}

static void run_all(struct api_call *call, struct store *store)
{
    prepare_health(call, store, STR_NONE, false);
}

/* ---- tests through the routing ---- */

struct test {
    struct probe probe;
    struct api_call *call;
    struct arena arena;
    struct catalog *catalog;
    struct decision decision;
    struct blob_budget budget;
    struct blob body;
    struct buf payload;
    const char *kind;
};

static cJSON *text_part(struct str prompt)
{
    cJSON *part = cJSON_CreateObject();

    json_put_text(part, "type", "text");
    json_put_str(part, "text", prompt);
    return part;
}

static void put_message(cJSON *o, const char *kind, struct str prompt)
{
    cJSON *list = cJSON_AddArrayToObject(o, "messages"), *m = cJSON_CreateObject(), *content;

    json_put_text(m, "role", "user");
    if (strcmp(kind, "image") != 0) {
        json_put_str(m, "content", prompt);
    } else {
        cJSON *part = cJSON_CreateObject();

        content = cJSON_AddArrayToObject(m, "content");
        cJSON_AddItemToArray(content, text_part(prompt));
        json_put_text(part, "type", "image_url");
        json_put_text(cJSON_AddObjectToObject(part, "image_url"), "url", PIXEL);
        cJSON_AddItemToArray(content, part);
    }
    cJSON_AddItemToArray(list, m);
}

static void put_payload(struct buf *out, struct str model, const char *kind, struct str prompt)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "model", model);
    put_message(o, kind, prompt);
    if (strcmp(kind, "tools") == 0)
        json_put_raw(o, "tools",
                     "[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\","
                     "\"description\":\"The weather of a place\",\"parameters\":{\"type\":"
                     "\"object\",\"properties\":{\"location\":{\"type\":\"string\"}},"
                     "\"required\":[\"location\"]}}}]");
    json_print(out, o);
    cJSON_Delete(o);
}

static const char *kind_of(struct str text)
{
    static const char *const kinds[] = {"simple", "image", "tools"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (str_eq(text, str_c(kinds[i])))
            return kinds[i];
    return NULL;
}

static struct str cut_chars(struct str s, size_t chars)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] & 0xc0) != 0x80 && chars-- == 0)
            return str_cut(s, i);
    return s;
}

static void put_answer(cJSON *o, const struct probe *p)
{
    struct json_index json = {0};
    struct buf pretty = {.limit = 4 * TEST_KEEP};
    struct err err;

    if (json_index(&json, buf_str(&p->answer), &err) < 0 ||
        json_pretty(&pretty, &json, 0, 0, &err) < 0) {
        buf_cut(&pretty, 0);
        buf_add(&pretty, buf_str(&p->answer), &err);
    }
    json_put_str(o, "body", cut_chars(buf_str(&pretty), TEST_SHOWN));
    json_index_clear(&json);
    buf_clear(&pretty);
}

static void free_test(struct test *t)
{
    probe_clear(&t->probe);
    catalog_unref(t->catalog);
    blob_clear(&t->body);
    buf_clear(&t->payload);
    arena_clear(&t->arena);
    free(t);
}

static void on_tested(struct probe *p)
{
    struct test *t = LIST_ENTRY(p, struct test, probe);
    struct api_call *call = t->call;
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "kind", t->kind);
    json_put_str(o, "url", p->url);
    json_put_bool(o, "ok", !p->error[0] && p->status >= 200 && p->status < 300);
    json_put_int(o, "duration_ms", p->duration_ms);
    json_put_str(o, "model_route", t->decision.model_route);
    json_put_str(o, "upstream_model", t->decision.upstream_model);
    if (p->error[0]) {
        json_put_text(o, "error", p->error);
    } else {
        json_put_int(o, "status_code", p->status);
        json_put_str(o, "content_type", buf_str(&p->content_type));
        put_answer(o, p);
    }
    api_json(call, 200, o);
    free_test(t);
    api_finish(call);
}

static int prepare_test(struct test *t, struct str model, struct str base, struct str prompt,
                        struct err *err)
{
    struct forward_body in = {.endpoint = STR("/v1/chat/completions"), .model = model};
    int changed;

    catalog_decide(t->catalog, model, &t->arena, &t->decision);
    if (strcmp(t->decision.route_decision, "passthrough") == 0 && base.ptr)
        t->decision.base_url = base;
    put_payload(&t->payload, model, t->kind, prompt);
    in.body = buf_str(&t->payload);
    t->body.budget = &t->budget;
    changed = forward_body(&t->body, &in, &t->decision, err);
    if (changed < 0)
        return -1;
    t->probe.body = changed ? blob_str(&t->body) : in.body;
    t->probe.url = arena_printf(&t->arena, "%.*s/chat/completions", STR_ARG(t->decision.base_url));
    return add_headers(&t->probe, &t->arena, &t->decision, in.endpoint, err);
}

static void then_test(struct api_call *call)
{
    struct test *t = call->state;

    probe_start(&t->probe);
}

static void open_test(struct api_call *call, const char *kind, struct str model, struct str base,
                      struct str prompt)
{
    struct test *t = calloc(1, sizeof(*t));
    struct err err;

    if (!t) {
        api_detail(call, 503, "No memory for the call.");
        return;
    }
    t->call = call;
    t->kind = kind;
    t->budget = (struct blob_budget){.limit = SIZE_MAX, .each = SIZE_MAX};
    t->catalog = app_catalog(call->worker->app);
    t->probe = (struct probe){.worker = call->worker,
                              .method = STR("POST"),
                              .timeout_ms = TEST_MS,
                              .keep = TEST_KEEP,
                              .done = on_tested};
    prompt = str_trim(prompt).len > 0 ? prompt : STR("Answer with one short sentence.");
    base = arena_dup(&t->arena, base);
    if (prepare_test(t, arena_dup(&t->arena, model), base, prompt, &err) < 0) {
        api_error(call, &err);
        free_test(t);
        return;
    }
    call->state = t;
    call->then = then_test;
}

static void run_test(struct api_call *call, struct store *store)
{
    struct arena arena = {0};
    struct route route;
    struct body b;
    struct str kind;
    struct err err;

    body_json(&b, call);
    kind = str_trim(body_text(&b, "test_kind", "message_type"));
    if (kind.len == 0)
        kind = STR("simple");
    if (store_route_get(store, call->id, &arena, &route, &err) < 0)
        api_error(call, &err);
    else if (!kind_of(kind))
        api_detail(call, 400, "Choose a valid upstream test: simple, image or tools.");
    else
        open_test(call, kind_of(kind), route.incoming_model, route.upstream_url,
                  body_text(&b, "prompt", NULL));
    body_clear(&b);
    arena_clear(&arena);
}

static void run_test_form(struct api_call *call, struct store *store)
{
    struct body b;
    struct str model;
    struct err err;

    (void)store;
    body_form(&b, call);
    if (form_required(&b, call, "test_kind").ptr) {
        model = str_trim(form_text(&b, "model"));
        if (!kind_of(form_text(&b, "test_kind"))) {
            err_set(&err, ERR_INVALID, "Choose a valid upstream test: simple, image or tools.");
            form_error(call, &err, "/admin/settings/diagnostics");
        } else {
            open_test(call, kind_of(form_text(&b, "test_kind")),
                      model.len > 0 ? model : STR("gpt-test"), STR_NONE, form_text(&b, "prompt"));
        }
    }
    body_clear(&b);
}

const struct api_route api_probes_routes[] = {
    {"POST", "/admin/api/providers/health-checks", .run = run_all},
    {"POST", "/admin/api/providers/{slug}/test", .run = run_one},
    {"POST", "/admin/api/routes/{route_id}/test", .run = run_test},
    {"POST", "/admin/settings/test-upstream", .run = run_test_form},
    {0},
};
