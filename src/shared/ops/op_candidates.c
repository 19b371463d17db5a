#include "ops/op_candidates.h"

#include <stdio.h>
#include <stdlib.h>

#include "view/view_routing.h"
#include "json/json.h"

#define CANDIDATES_MAX 20

/* The order of the catalog decides where the rules do not. */
static int by_strength(const void *a, const void *b)
{
    const struct route *one = *(const struct route *const *)a;
    const struct route *other = *(const struct route *const *)b;
    int order = route_compare(one, other);

    return order ? order : (one > other) - (one < other);
}

static void put_verdict(cJSON *o, const struct route *r, const struct route *chosen)
{
    char text[80];

    if (r == chosen)
        snprintf(text, sizeof(text), "chosen");
    else if (!route_is_active(r))
        snprintf(text, sizeof(text), "inactive");
    else if (!chosen)
        snprintf(text, sizeof(text), "not considered");
    else if (r->priority != chosen->priority)
        snprintf(text, sizeof(text), "priority %lld goes before %lld", (long long)chosen->priority,
                 (long long)r->priority);
    else if (r->prefix != chosen->prefix)
        snprintf(text, sizeof(text), "an exact model goes before a prefix");
    else if (route_literal(r).len != route_literal(chosen).len)
        snprintf(text, sizeof(text), "a longer prefix goes before a shorter one");
    else
        snprintf(text, sizeof(text), "an earlier route goes before a later one");
    json_put_text(o, "verdict", text);
}

static cJSON *view_candidate(const struct route *r, const struct route *chosen)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "route", r->incoming_model);
    json_put_text(o, "match_type", route_match_type(r));
    json_put_text(o, "source", view_route_source(r));
    json_put_int(o, "priority", r->priority);
    json_put_str(o, "upstream_url", r->upstream_url.len > 0 ? r->upstream_url : STR_NONE);
    put_verdict(o, r, chosen);
    return o;
}

cJSON *op_candidates(const struct catalog *c, struct str model, bool matched)
{
    cJSON *list = cJSON_CreateArray();
    const struct route *chosen = matched ? catalog_match(c, model) : NULL;
    const struct route **fitting = calloc(c->route_count + 1, sizeof(struct route *));
    size_t count = 0;

    for (size_t i = 0; fitting && i < c->route_count; i++)
        if (route_matches(&c->routes[i], model))
            fitting[count++] = &c->routes[i];
    if (count > 1)
        qsort(fitting, count, sizeof(*fitting), by_strength);
    for (size_t i = 0; i < count && i < CANDIDATES_MAX; i++)
        cJSON_AddItemToArray(list, view_candidate(fitting[i], chosen));
    free(fitting);
    return list;
}
