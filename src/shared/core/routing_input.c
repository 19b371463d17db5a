#include "core/routing_input.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "core/fix_ids.h"
#include "core/forward.h"
#include "json/json.h"

#define MODEL_MAX_CHARS 256
#define NAME_MAX_CHARS 128
#define CURRENCY_MAX 16

/* Trimmed; STR_NONE when nothing is left. */
static struct str filled(struct str s)
{
    s = str_trim(s);
    return s.len > 0 ? s : STR_NONE;
}

static struct str in_case(struct str s, struct arena *arena, bool upper)
{
    char *text = arena_alloc(arena, s.len + 1);

    if (!text)
        return STR_NONE;
    for (size_t i = 0; i < s.len; i++)
        text[i] = upper && s.ptr[i] >= 'a' && s.ptr[i] <= 'z' ? (char)(s.ptr[i] - ('a' - 'A'))
                  : upper                                     ? s.ptr[i]
                                                              : (char)str_lower(s.ptr[i]);
    text[s.len] = '\0';
    return (struct str){text, s.len};
}

int slug_from_input(struct str in, struct arena *arena, struct str *out, struct err *err)
{
    *out = filled(in);
    if (!out->ptr)
        return 0;
    *out = in_case(*out, arena, false);
    if (!provider_slug_ok(*out))
        return err_set(err, ERR_INVALID,
                       "Provider slug must be made of a-z, 0-9, _ and -, begin "
                       "with a letter or digit, and have at most 64 characters.");
    return 0;
}

static int env_from_input(struct str in, struct arena *arena, struct str *out, struct err *err)
{
    *out = arena_dup(arena, filled(in));
    if (out->ptr && !provider_env_ok(*out))
        return err_set(err, ERR_INVALID,
                       "API key env must be the name of an environment variable, "
                       "at most 128 characters.");
    return 0;
}

static int style_from_input(struct str in, struct arena *arena, struct str *out, struct err *err)
{
    *out = arena_dup(arena, filled(in));
    if (out->ptr && !provider_auth_style_ok(*out))
        return err_set(err, ERR_INVALID, "Auth style must be bearer, x-api-key, api-key or none.");
    return 0;
}

/* ---- routes ---- */

static int take_model(const struct route_input *in, struct arena *arena, struct route *out,
                      struct err *err)
{
    struct str type = filled(in->match_type);

    out->incoming_model = arena_dup(arena, filled(in->incoming_model));
    if (!out->incoming_model.ptr)
        return err_set(err, ERR_INVALID, "Incoming model is required.");
    if (utf8_chars(out->incoming_model) > MODEL_MAX_CHARS)
        return err_set(err, ERR_INVALID, "Incoming model must have at most 256 characters.");
    out->prefix = str_ieq(type, STR("prefix"));
    if (type.ptr && !out->prefix && !str_ieq(type, STR("exact")))
        return err_set(err, ERR_INVALID, "Match type must be exact or prefix.");
    if (!route_pattern_ok(out->incoming_model, out->prefix))
        return err_set(err, ERR_INVALID, "A prefix pattern must end in its only *.");
    return 0;
}

/* optional: each of several upstreams has its own. */
static int take_url(struct str in, bool optional, struct arena *arena, struct str *out,
                    struct err *err)
{
    struct str clean;

    *out = STR("");
    if (!filled(in).ptr && optional)
        return 0;
    if (!filled(in).ptr)
        return err_set(err, ERR_INVALID,
                       "Upstream URL is required: an absolute http or https URL.");
    if (forward_check_base_url(in, &clean, err) < 0)
        return -1;
    *out = arena_dup(arena, clean);
    return 0;
}

static int take_fixes(const cJSON *in, struct arena *arena, struct str *out, struct err *err)
{
    struct buf json = {0};
    int rc = fix_ids(&json, in, NULL, err);

    if (rc == 0)
        *out = arena_dup(arena, buf_str(&json));
    buf_clear(&json);
    return rc;
}

/* The list as it is stored. *has_urls: the route needs no URL of its own. */
static int take_upstreams(const struct route_input *in, struct arena *arena, struct str *out,
                          bool *has_urls, struct err *err)
{
    bool own_url = filled(in->upstream_url).ptr, given;
    struct buf json = {0};
    struct failover f;

    *has_urls = false;
    if (!in->upstreams)
        return 0;
    if (failover_read(&f, in->upstreams, own_url, false, &given, arena, NULL, err) < 0)
        return -1;
    *has_urls = f.count > 0;
    if (!given)
        return 0;
    failover_print(&f, &json);
    *out = arena_dup(arena, buf_str(&json));
    buf_clear(&json);
    return 0;
}

int route_from_input(const struct route_input *in, struct arena *arena, struct route *out,
                     struct err *err)
{
    bool has_urls;

    *out = (struct route){
        .override_fallback = in->override_fallback,
        .active = in->active,
        .priority = in->priority,
    };
    if (take_model(in, arena, out, err) < 0 ||
        take_upstreams(in, arena, &out->failover_json, &has_urls, err) < 0 ||
        take_url(in->upstream_url, has_urls, arena, &out->upstream_url, err) < 0)
        return -1;
    if (in->bad_priority)
        return err_set(err, ERR_INVALID, "Priority must be a number.");
    if (in->priority < 1 || in->priority > 100)
        return err_set(err, ERR_INVALID, "Priority must be between 1 and 100.");
    if (slug_from_input(in->provider_slug, arena, &out->provider_slug, err) < 0 ||
        take_fixes(in->fixes, arena, &out->fixes_json, err) < 0)
        return -1;
    out->upstream_model = arena_dup(arena, filled(in->upstream_model));
    if (utf8_chars(out->upstream_model) > MODEL_MAX_CHARS)
        return err_set(err, ERR_INVALID, "Upstream model must have at most 256 characters.");
    if (env_from_input(in->api_key_env, arena, &out->api_key_env, err) < 0)
        return -1;
    return style_from_input(in->auth_style, arena, &out->auth_style, err);
}

/* ---- providers ---- */

static bool is_truthy(const cJSON *item)
{
    if (cJSON_IsString(item))
        return item->valuestring[0] != '\0';
    if (cJSON_IsNumber(item))
        return item->valuedouble != 0;
    return cJSON_IsTrue(item) || ((cJSON_IsArray(item) || cJSON_IsObject(item)) && item->child);
}

static struct str known_capabilities(const cJSON *object, struct arena *arena)
{
    static const char *const names[] = {"text", "vision", "tool_calling"};
    struct buf json = {0};
    struct str out = STR_NONE;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, names[i]);

        if (item)
            buf_printf(&json, "%s\"%s\":%s", json.len ? "," : "{", names[i],
                       is_truthy(item) ? "true" : "false");
    }
    if (json.len > 0) {
        buf_put(&json, STR("}"));
        out = arena_dup(arena, buf_str(&json));
    }
    buf_clear(&json);
    return out;
}

static int take_capabilities(const cJSON *in, struct arena *arena, struct str *out, struct err *err)
{
    cJSON *parsed = NULL;
    int rc = 0;

    *out = STR_NONE;
    if (!in || cJSON_IsNull(in) || (cJSON_IsString(in) && !filled(str_c(in->valuestring)).ptr))
        return 0;
    if (cJSON_IsString(in)) {
        parsed = json_parse(str_c(in->valuestring));
        if (!parsed)
            return err_set(err, ERR_INVALID, "Capabilities must be valid JSON.");
        in = parsed;
    }
    if (cJSON_IsObject(in))
        *out = known_capabilities(in, arena);
    else if (!cJSON_IsNull(in))
        rc = err_set(err, ERR_INVALID, "Capabilities must be a JSON object.");
    cJSON_Delete(parsed);
    return rc;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || (unsigned char)s.ptr[i] > 0x7e)
            return false;
    return true;
}

static int take_name(const struct provider_input *in, struct arena *arena, struct provider *out,
                     struct err *err)
{
    struct str currency = filled(in->currency);

    if (slug_from_input(in->slug, arena, &out->slug, err) < 0)
        return -1;
    if (!out->slug.ptr)
        return err_set(err, ERR_INVALID, "Provider slug is required.");
    out->name = arena_dup(arena, filled(in->name));
    if (!out->name.ptr)
        return err_set(err, ERR_INVALID, "Provider name is required.");
    if (utf8_chars(out->name) > NAME_MAX_CHARS)
        return err_set(err, ERR_INVALID, "Provider name must have at most 128 characters.");
    out->currency = in_case(currency.ptr ? currency : STR("USD"), arena, true);
    if (!is_ascii(out->currency) || out->currency.len > CURRENCY_MAX)
        return err_set(err, ERR_INVALID, "Currency must be ASCII, at most 16 characters.");
    return 0;
}

int provider_from_input(const struct provider_input *in, struct arena *arena, struct provider *out,
                        struct err *err)
{
    struct str url;

    *out = (struct provider){
        .active = in->active,
        .is_default_fallback = in->is_default_fallback,
    };
    if (take_name(in, arena, out, err) < 0)
        return -1;
    if (filled(in->upstream_url).ptr) {
        if (forward_check_provider_url(in->upstream_url, &url, err) < 0)
            return -1;
        out->base_url = arena_dup(arena, url);
    }
    if (env_from_input(in->api_key_env, arena, &out->api_key_env, err) < 0 ||
        style_from_input(in->auth_style, arena, &out->auth_style, err) < 0 ||
        take_capabilities(in->capabilities, arena, &out->capabilities_json, err) < 0)
        return -1;
    if (out->is_default_fallback && !out->active)
        return err_set(err, ERR_INVALID, "The default fallback provider must be active.");
    return 0;
}
