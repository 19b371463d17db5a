#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/models_file.h"
#include "core/catalog.h"
#include "core/fix_ids.h"
#include "core/forward_body.h"
#include "core/routing_input.h"
#include "fixture.h"

#define MOST 64

/* A configuration as a case describes it. */
struct world {
    struct arena arena;
    struct route routes[MOST];
    struct provider providers[MOST];
    struct models models;
    struct catalog_source source;
    struct buf fixes;
};

static bool flag(const cJSON *o, const char *key)
{
    const cJSON *item = fixture_get(o, key);

    return !item || cJSON_IsTrue(item);
}

static void add_startup(struct world *w, const cJSON *one)
{
    char *text = cJSON_PrintUnformatted(fixture_get(one, "models_config"));
    struct err err;

    if (!text)
        return;
    assert_int_equal(models_parse(&w->models, str_c(text), "case", &err), 0);
    for (size_t i = 0; i < w->models.route_count; i++)
        w->routes[w->source.route_count++] = w->models.routes[i];
    w->source.fixes_json = w->models.fixes_json;
    cJSON_free(text);
}

static void add_routes(struct world *w, const cJSON *one)
{
    const cJSON *o;
    int64_t id = 1;

    cJSON_ArrayForEach(o, fixture_get(one, "routes"))
    {
        struct route_input in = {
            .incoming_model = fixture_str(o, "incoming_model"),
            .match_type = fixture_str(o, "match_type"),
            .upstream_url = fixture_str(o, "upstream_url"),
            .upstream_model = fixture_str(o, "upstream_model"),
            .provider_slug = fixture_str(o, "provider_slug"),
            .api_key_env = fixture_str(o, "api_key_env"),
            .fixes = fixture_get(o, "compatibility_fixes"),
            .priority = (int64_t)fixture_get(o, "priority")->valuedouble,
            .active = flag(o, "active"),
        };
        struct route *r = &w->routes[w->source.route_count++];
        struct err err;

        if (route_from_input(&in, &w->arena, r, &err) < 0)
            fail_msg("%s", err.msg);
        r->id = id++;
    }
    w->source.routes = w->routes;
}

static void add_providers(struct world *w, const cJSON *one)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, fixture_get(one, "providers"))
    {
        w->providers[w->source.provider_count++] = (struct provider){
            .slug = fixture_str(o, "slug"),
            .name = fixture_str(o, "name"),
            .base_url = fixture_str(o, "base_url"),
            .api_key_env = fixture_str(o, "api_key_env"),
            .active = flag(o, "active"),
        };
    }
    w->source.providers = w->providers;
}

static void add_settings(struct world *w, const cJSON *one)
{
    const cJSON *s = fixture_get(one, "settings"), *startup = fixture_get(one, "startup");
    const cJSON *fixes = fixture_get(s, "default_fixes");
    struct err err;

    w->source.base_url = fixture_str(s, "upstream_url");
    if (!w->source.base_url.ptr)
        w->source.base_url = fixture_str(startup, "upstream_url");
    if (!w->source.base_url.ptr)
        w->source.base_url = STR("http://localhost:8000/v1");
    if (!fixes && !w->source.fixes_json.ptr)
        fixes = fixture_get(startup, "default_fixes");
    if (fixes) {
        char *text = cJSON_PrintUnformatted(fixes);

        assert_int_equal(fix_ids(&w->fixes, fixes, NULL, &err), 0);
        w->source.fixes_json = buf_str(&w->fixes);
        cJSON_free(text);
    }
    w->source.default_provider_slug = fixture_str(s, "default_provider_slug");
    w->source.default_model = fixture_str(s, "default_model");
    w->source.fallback_enabled = flag(s, "fallback_enabled");
}

static void set_environment(const cJSON *one, bool set)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, fixture_get(one, "env"))
    {
        if (set)
            setenv(o->string, o->valuestring, 1);
        else
            unsetenv(o->string);
    }
}

static void check_body(struct str id, const cJSON *one, struct str model, const struct decision *d)
{
    const cJSON *request = fixture_get(one, "request");
    const cJSON *wanted = fixture_get(fixture_get(one, "expect"), "forward_body");
    char *body = cJSON_PrintUnformatted(fixture_get(request, "body"));
    struct blob_budget budget = {.limit = SIZE_MAX, .each = SIZE_MAX};
    struct blob out = {.budget = &budget};
    struct forward_body in = {str_c(body), STR("application/json"), fixture_str(request, "path"),
                              model};
    struct err err;
    int rc = forward_body(&out, &in, d, &err);

    if (cJSON_IsString(wanted)) {
        if (rc != 0)
            fail_msg("%.*s: body became %.*s", STR_ARG(id), STR_ARG(blob_str(&out)));
    } else {
        cJSON *got = cJSON_ParseWithLength(out.ptr ? out.ptr : "", out.len);

        if (rc != 1 || !cJSON_Compare(got, wanted, true))
            fail_msg("%.*s: body became %.*s", STR_ARG(id), STR_ARG(blob_str(&out)));
        cJSON_Delete(got);
    }
    blob_clear(&out);
    cJSON_free(body);
}

static void check_headers(struct str id, const cJSON *one, struct decision *d, struct arena *arena)
{
    struct headers received = {0}, out = {0};
    struct secret room = {0};
    struct err err;

    headers_add(&received, arena, STR("Authorization"), STR("Bearer client-key"), &err);
    decision_key(d, &room);
    assert_int_equal(forward_request_headers(&out, arena, &received, d,
                                             fixture_str(fixture_get(one, "request"), "path"),
                                             &err),
                     0);
    fixture_same(id, "authorization", headers_get(&out, STR("authorization")),
                 fixture_str(fixture_get(one, "expect"), "authorization"));
    secret_clear(&room);
}

static void check_decision(struct str id, const cJSON *one, const struct catalog *c,
                           struct arena *arena)
{
    const cJSON *e = fixture_get(one, "expect");
    struct str model = fixture_str(fixture_get(fixture_get(one, "request"), "body"), "model");
    struct decision d;
    char *fixes = cJSON_PrintUnformatted(fixture_get(e, "fixes"));

    catalog_decide(c, model, arena, &d);
    fixture_same(id, "decision", str_c(d.route_decision), fixture_str(e, "decision"));
    fixture_same(id, "source", str_c(d.route_source), fixture_str(e, "match_source"));
    fixture_same(id, "match type", str_c(d.match_type), fixture_str(e, "match_type"));
    fixture_same(id, "route", d.model_route, fixture_str(e, "route"));
    fixture_same(id, "base", d.base_url, fixture_str(e, "upstream_base_url"));
    fixture_same(id, "model", d.upstream_model, fixture_str(e, "upstream_model"));
    fixture_same(id, "provider", d.provider_slug, fixture_str(e, "provider_slug"));
    fixture_same(id, "fixes", d.fixes_json, str_c(fixes));
    fixture_same(id, "key", str_c(key_state_text(decision_key_state(&d))),
                 fixture_str(e, "api_key_state"));
    check_body(id, one, model, &d);
    check_headers(id, one, &d, arena);
    cJSON_free(fixes);
}

static void models_go_where_the_cases_say(void **state)
{
    cJSON *list = fixture_cases("routing/resolve.json"), *one;
    int checked = 0;

    (void)state;
    cJSON_ArrayForEach(one, list)
    {
        struct world w = {0};
        struct catalog *c;

        if (!str_eq(fixture_str(one, "catalog"), STR("empty")))
            continue;
        add_startup(&w, one);
        add_routes(&w, one);
        add_providers(&w, one);
        add_settings(&w, one);
        c = catalog_new(&w.source);
        set_environment(one, true);
        check_decision(fixture_str(one, "id"), one, c, &w.arena);
        set_environment(one, false);
        catalog_unref(c);
        models_clear(&w.models);
        buf_clear(&w.fixes);
        arena_clear(&w.arena);
        checked++;
    }
    assert_true(checked > 60);
    cJSON_Delete(list);
}

/* The rule as it is written: the smallest of all that match. */
static const struct route *slowly(const struct route *routes, size_t count, struct str model)
{
    const struct route *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (routes[i].active && route_matches(&routes[i], model) &&
            (!best || route_compare(&routes[i], best) < 0))
            best = &routes[i];
    return best;
}

static void the_index_finds_what_a_scan_finds(void **state)
{
    static struct route routes[1000];
    struct catalog_source source = {
        .base_url = STR("http://h/v1"), .routes = routes, .route_count = 1000};
    struct arena arena = {0};
    struct catalog *c;

    (void)state;
    srand(7);
    for (int i = 0; i < 1000; i++)
        routes[i] = (struct route){
            .id = i + 1,
            .prefix = rand() % 3 == 0,
            .incoming_model = arena_printf(&arena, "%s%d", rand() % 2 ? "m" : "n", rand() % 300),
            .upstream_url = STR("http://h/v1"),
            .priority = 1 + rand() % 4,
            .active = rand() % 10 > 0,
        };
    for (int i = 0; i < 1000; i++)
        if (routes[i].prefix)
            routes[i].incoming_model = arena_printf(&arena, "%s*", routes[i].incoming_model.ptr);
    c = catalog_new(&source);
    for (int i = 0; i < 3000; i++) {
        struct str model = arena_printf(&arena, "%s%d", rand() % 2 ? "m" : "n", rand() % 3000);
        const struct route *a = catalog_match(c, model), *b = slowly(routes, 1000, model);

        assert_int_equal(a ? a->id : 0, b ? b->id : 0);
    }
    catalog_unref(c);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_go_where_the_cases_say),
        cmocka_unit_test(the_index_finds_what_a_scan_finds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
