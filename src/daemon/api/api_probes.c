/* Tests of upstreams through the routing. */
#include <stdlib.h>

#include "core/forward_body.h"
#include "core/routing_input.h"
#include "daemon/api/api_form.h"
#include "daemon/api/api_probes.h"
#include "daemon/jobs/probe.h"
#include "ops/op_routing.h"
#include "json/json_index.h"

#define BAD_KIND "Choose a valid upstream test: simple, image or tools."
#define TEST_MS 30000
#define TEST_KEEP ((size_t)65536)
#define TEST_SHOWN ((size_t)6000)
#define PIXEL                                                                                      \
    "data:image/"                                                                                  \
    "png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgG"           \
    "AWjR9awAAAABJRU5ErkJggg=="

int api_probe_headers(struct probe *p, struct arena *arena, struct decision *d, struct str endpoint,
                      struct err *err)
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
    bool as_page;
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

/* Returns owned. */
static cJSON *view_test(const struct test *t)
{
    const struct probe *p = &t->probe;
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
    return o;
}

/* The same for the eyes of a person. */
static void answer_page(struct call *call, cJSON *o)
{
    struct buf html = {0}, number = {0};
    const cJSON *item;

    buf_put(&html, STR("<h1>Test of an upstream</h1><dl>"));
    cJSON_ArrayForEach(item, o)
    {
        bool route = strcmp(item->string, "model_route") == 0 && cJSON_IsNull(item);

        number.len = 0;
        if (!cJSON_IsString(item) && !cJSON_IsNull(item))
            json_print(&number, item);
        buf_printf(&html, "<dt>%s</dt><dd><pre>", item->string);
        form_escape(&html, route                  ? STR("global fallback")
                           : cJSON_IsString(item) ? str_c(item->valuestring)
                                                  : buf_str(&number));
        buf_put(&html, STR("</pre></dd>"));
    }
    buf_put(&html, STR("</dl><p><a href=\"/admin/settings/diagnostics\">Back</a></p>"));
    form_page(call, 200, buf_str(&html));
    cJSON_Delete(o);
    buf_clear(&html);
    buf_clear(&number);
}

static void on_tested(struct probe *p)
{
    struct test *t = LIST_ENTRY(p, struct test, probe);
    struct api_call *call = t->call;

    if (t->as_page)
        answer_page(&call->call, view_test(t));
    else
        call_json(&call->call, 200, view_test(t));
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
    return api_probe_headers(&t->probe, &t->arena, &t->decision, in.endpoint, err);
}

static void then_test(struct api_call *call)
{
    struct test *t = call->call.state;

    probe_start(&t->probe);
}

struct asked {
    const char *kind;
    struct str model, base, prompt;
    bool as_page;
};

static void open_test(struct call *call, const struct asked *asked)
{
    struct str prompt = asked->prompt;
    struct test *t = calloc(1, sizeof(*t));
    struct err err;

    if (!t) {
        call_detail(call, 503, "No memory for the call.");
        return;
    }
    t->call = api_call_of(call);
    t->kind = asked->kind;
    t->as_page = asked->as_page;
    t->budget = (struct blob_budget){.limit = SIZE_MAX, .each = SIZE_MAX};
    t->catalog = call_catalog(call);
    t->probe = (struct probe){.worker = t->call->worker,
                              .method = STR("POST"),
                              .timeout_ms = TEST_MS,
                              .keep = TEST_KEEP,
                              .done = on_tested};
    prompt = str_trim(prompt).len > 0 ? prompt : STR("Answer with one short sentence.");
    if (prepare_test(t, arena_dup(&t->arena, asked->model), arena_dup(&t->arena, asked->base),
                     prompt, &err) < 0) {
        call_error(call, &err);
        free_test(t);
        return;
    }
    call->state = t;
    t->call->then = then_test;
}

static const char *kind_of_body(struct body *b, const char *key, const char *other)
{
    struct str kind = str_trim(body_text(b, key, other));

    return kind_of(kind.len > 0 ? kind : STR("simple"));
}

static void run_route_test(struct call *call, struct store *store)
{
    struct arena arena = {0};
    struct route route;
    struct asked asked;
    struct body b;
    struct err err;

    body_json(&b, call);
    asked = (struct asked){.kind = kind_of_body(&b, "test_kind", "message_type"),
                           .prompt = body_text(&b, "prompt", NULL)};
    if (store_route_get(store, call->id, &arena, &route, &err) < 0) {
        call_error(call, &err);
    } else if (!asked.kind) {
        call_detail(call, 400, BAD_KIND);
    } else {
        asked.model = route.incoming_model;
        asked.base = route.upstream_url;
        open_test(call, &asked);
    }
    body_clear(&b);
    arena_clear(&arena);
}

static void run_test(struct call *call, struct store *store)
{
    struct asked asked;
    struct body b;

    (void)store;
    body_json(&b, call);
    asked = (struct asked){.kind = kind_of_body(&b, "kind", "test_kind"),
                           .model = str_trim(body_text(&b, "model", NULL)),
                           .prompt = body_text(&b, "prompt", NULL)};
    if (asked.model.len == 0)
        asked.model = STR("gpt-test");
    if (asked.kind)
        open_test(call, &asked);
    else
        call_detail(call, 400, BAD_KIND);
    body_clear(&b);
}

static void run_test_form(struct call *call, struct store *store)
{
    struct asked asked = {.as_page = true};
    struct body b;
    struct err err;

    (void)store;
    body_form(&b, call);
    if (form_required(&b, call, "test_kind").ptr) {
        asked.kind = kind_of(form_text(&b, "test_kind"));
        asked.model = str_trim(form_text(&b, "model"));
        asked.prompt = form_text(&b, "prompt");
        if (asked.model.len == 0)
            asked.model = STR("gpt-test");
        if (asked.kind) {
            open_test(call, &asked);
        } else {
            err_set(&err, ERR_INVALID, BAD_KIND);
            form_error(call, &err, "/admin/settings/diagnostics");
        }
    }
    body_clear(&b);
}

const struct call_route api_probes_routes[] = {
    {"POST", "/admin/api/routes/{route_id}/test", .run = run_route_test},
    {"POST", "/admin/api/diagnostics/test-upstream", .run = run_test},
    {"POST", "/admin/settings/test-upstream", .run = run_test_form},
    {0},
};
