/* Whatever the models file holds: it is refused with one line that tells where and why, or each of
 * its routes is one that can be matched and printed, with its keys counted and nowhere in texts. */
#include "fuzz.h"

#include <string.h>

#include "config/models_file.h"
#include "json/json_scan.h"

static void check_error(const struct err *err)
{
    size_t len = strlen(err->msg);

    REQUIRE(err->code == ERR_INVALID || err->code == ERR_NO_MEMORY);
    REQUIRE(len > 0 && len < sizeof(err->msg));
    REQUIRE(!strchr(err->msg, '\n'));
    REQUIRE(strncmp(err->msg, "file", 4) == 0);
}

static void check_list(struct str json)
{
    struct str value;

    REQUIRE(!json.ptr || json_scan(json, &value) == JSON_ARRAY);
}

static size_t check_failover(const struct route *r)
{
    struct arena arena = {0};
    struct failover again;
    size_t keys = 0;

    if (r->failover_json.ptr)
        REQUIRE(failover_parse(&again, r->failover_json, &arena));
    arena_clear(&arena);
    if (!r->failover)
        return 0;
    REQUIRE(r->failover->count <= FAILOVER_UPSTREAMS_MAX);
    REQUIRE(r->failover->status_count <= FAILOVER_STATUSES_MAX);
    for (size_t i = 0; i < r->failover->count; i++)
        keys += r->failover->upstreams[i].key != NULL;
    return keys;
}

static void check_route(const struct route *r, struct str text, size_t *keys)
{
    struct arena arena = {0};

    REQUIRE(r->incoming_model.len > 0 && route_is_startup(r));
    REQUIRE(r->upstream_url.len > 0 || r->failover);
    REQUIRE(route_pattern_ok(r->incoming_model, r->prefix));
    REQUIRE(route_matches(r, route_literal(r)) && route_compare(r, r) == 0);
    REQUIRE(route_upstream_model(r, r->upstream_model, text, &arena).ptr);
    check_list(r->fixes_json);
    *keys += (r->key != NULL) + check_failover(r);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct models m = {0};
    size_t keys = 0;
    struct err err;

    if (models_parse(&m, text, "file", &err) < 0)
        check_error(&err);
    else {
        for (size_t i = 0; i < m.route_count; i++)
            check_route(&m.routes[i], text, &keys);
        REQUIRE(keys == m.key_count);
        check_list(m.fixes_json);
    }
    if (models_default_fixes(&m, text, "file", &err) < 0)
        check_error(&err);
    else
        check_list(m.fixes_json);
    models_clear(&m);
    return 0;
}
