/* The first line is a provider and an upstream model, the rest a request body: what the decision
 * makes of it must be the same JSON but for what was asked for, and stay so. */
#include "fuzz.h"

#include <string.h>

#include "core/forward_body.h"
#include "utf8.h"
#include "json/json_scan.h"

static struct blob_budget budget = {.limit = SIZE_MAX, .each = SIZE_MAX};

static void check_members(struct str root, const struct decision *d, struct str model)
{
    struct str base = d->upstream_model, tag, value, inner;
    bool pin = forward_pin(d, model, &base, &tag);
    struct json_iter it = json_iter(root);

    while (json_next(&it))
        if (json_key_is(it.key, STR("model")))
            REQUIRE(json_string_is(it.value, base));
    if (!pin)
        return;
    REQUIRE(json_member(root, STR("provider"), &value) && json_type_of(value) == JSON_OBJECT);
    REQUIRE(json_member(value, STR("order"), &inner) && json_type_of(inner) == JSON_ARRAY);
    REQUIRE(json_member(value, STR("allow_fallbacks"), &inner));
    REQUIRE(json_type_of(inner) == JSON_FALSE);
}

static void check_json(struct str body, const struct decision *d)
{
    struct blob out = {.budget = &budget}, again = {.budget = &budget};
    struct forward_body in = {body, STR_NONE, STR("/v1/chat/completions"), STR("asked")};
    struct str root, value;
    struct err err;
    int rc = forward_body(&out, &in, d, &err);

    REQUIRE(rc >= 0);
    if (json_scan(body, &root) != JSON_OBJECT) {
        REQUIRE(rc == 0 && out.len == 0);
    } else if (rc == 1) {
        REQUIRE(json_scan(blob_str(&out), &root) == JSON_OBJECT);
        if (!str_eq(d->upstream_model, in.model))
            check_members(root, d, in.model);
        if (str_eq(d->provider_slug, STR("openai")) &&
            json_member(root, STR("stream_options"), &value))
            REQUIRE(json_type_of(value) != JSON_INVALID);
        in.body = blob_str(&out);
        if (forward_body(&again, &in, d, &err) == 1)
            REQUIRE(str_eq(blob_str(&again), blob_str(&out)));
    }
    blob_clear(&out);
    blob_clear(&again);
}

static void check_parts(struct str body, const struct decision *d)
{
    struct blob out = {.budget = &budget};
    struct forward_body in = {body, STR("multipart/form-data; boundary=q"), STR("/v1/audio"),
                              STR("asked")};
    struct err err;

    REQUIRE(forward_body(&out, &in, d, &err) >= 0);
    blob_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size}, line, slug;
    struct decision d = {.base_url = STR("http://h/v1"), .match_type = "exact"};

    if (!str_split(&body, '\n', &line) || !body.ptr || !str_split(&line, ' ', &slug) || !line.ptr ||
        !utf8_valid(line)) /* configured names are */
        return 0;
    d.provider_slug = slug;
    d.upstream_model = line;
    check_json(body, &d);
    check_parts(body, &d);
    return 0;
}
