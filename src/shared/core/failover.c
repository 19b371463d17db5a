#include "core/failover.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "core/forward.h"
#include "core/provider.h"
#include "json/json.h"

#define MODEL_MAX_CHARS 256
#define HOUR_MS ((int64_t)3600000)

static const char *const strategies[] = {"failover", "weighted", "round_robin", "lowest_cost"};
static const char *const members[] = {"upstreams",        "strategy",    "retry_on",
                                      "max_attempts",     "cooldown_ms", "fail_threshold",
                                      "max_retry_wait_ms"};
#define MEMBER_COUNT (sizeof(members) / sizeof(*members))

/* What is being read: where texts go, and what is wrong with it. */
struct reading {
    struct arena *arena;
    const char **code;
    struct err *err;
    bool has_url, keys;
};

static int refuse(struct reading *in, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(struct reading *in, const char *code, const char *fmt, ...)
{
    char message[sizeof(in->err->msg)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    if (in->code)
        *in->code = code;
    return err_set(in->err, ERR_INVALID, "%s", message);
}

const char *strategy_name(enum strategy s)
{
    return strategies[s];
}

bool failover_on_status(const struct failover *f, int status)
{
    for (size_t i = 0; i < f->status_count; i++)
        if (f->statuses[i] == status)
            return true;
    return false;
}

void failover_init(struct failover *f)
{
    static const int16_t statuses[] = {408, 429, 500, 502, 503, 504};

    *f = (struct failover){
        .strategy = STRATEGY_FAILOVER,
        .status_count = sizeof(statuses) / sizeof(*statuses),
        .on_connect = true,
        .on_timeout = true,
        .max_attempts = 3,
        .cooldown_ms = 30000,
        .fail_threshold = 3,
        .max_retry_wait_ms = 2000,
    };
    memcpy(f->statuses, statuses, sizeof(statuses));
}

/* ---- values ---- */

/* The member; NULL when it is absent or null. */
static const cJSON *member(const cJSON *o, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNull(item) ? NULL : item;
}

static bool is_integer(const cJSON *item)
{
    return cJSON_IsNumber(item) && fabs(item->valuedouble) < 1e15 &&
           item->valuedouble == floor(item->valuedouble);
}

static int take_int(struct reading *in, const cJSON *o, const char *key, int64_t least,
                    int64_t most, int64_t *out)
{
    const cJSON *item = member(o, key);

    if (!item)
        return 0;
    if (!is_integer(item) || item->valuedouble < (double)least || item->valuedouble > (double)most)
        return refuse(in, "bad_number", "%s must be an integer from %lld to %lld.", key,
                      (long long)least, (long long)most);
    *out = (int64_t)item->valuedouble;
    return 0;
}

/* A text, trimmed; a blank one is absent. */
static int take_text(struct reading *in, const cJSON *o, const char *key, struct str *out)
{
    const cJSON *item = member(o, key);
    struct str text;

    if (!item)
        return 0;
    if (!cJSON_IsString(item))
        return refuse(in, "wrong_type", "%s must be a text.", key);
    text = str_trim(str_c(item->valuestring));
    if (text.len > 0)
        *out = arena_dup(in->arena, text);
    return 0;
}

/* ---- one upstream ---- */

static int take_url(struct reading *in, const cJSON *o, struct upstream *u)
{
    struct str clean;
    struct err why;

    if (take_text(in, o, "upstream_url", &u->base_url) < 0)
        return -1;
    if (!u->base_url.ptr)
        return in->has_url ? 0
                           : refuse(in, "upstream_url_required",
                                    "upstream_url is required where "
                                    "the route has none.");
    if (forward_check_base_url(u->base_url, &clean, &why) < 0)
        return refuse(in,
                      forward_check_provider_url(u->base_url, &clean, in->err) < 0
                          ? "upstream_url_not_absolute"
                          : "upstream_url_no_version",
                      "upstream_url: %.200s", why.msg);
    u->base_url = clean;
    return 0;
}

static int take_provider(struct reading *in, const cJSON *o, struct upstream *u)
{
    char *text;

    if (take_text(in, o, "provider_slug", &u->provider_slug) < 0)
        return -1;
    text = (char *)(uintptr_t)u->provider_slug.ptr; /* our own copy */
    for (size_t i = 0; i < u->provider_slug.len; i++)
        text[i] = (char)str_lower(text[i]);
    if (u->provider_slug.ptr && !provider_slug_ok(u->provider_slug))
        return refuse(in, "bad_provider_slug",
                      "provider_slug must be made of a-z, 0-9, _ and -, begin with a letter or "
                      "digit, and have at most 64 characters.");
    return 0;
}

static int take_key(struct reading *in, const cJSON *o, struct upstream *u)
{
    const cJSON *key = member(o, "api_key");

    if (take_text(in, o, "api_key_env", &u->api_key_env) < 0 ||
        take_text(in, o, "auth_style", &u->auth_style) < 0)
        return -1;
    if (u->api_key_env.ptr && !provider_env_ok(u->api_key_env))
        return refuse(in, "bad_api_key_env",
                      "api_key_env must be the name of an environment variable, at most 128 "
                      "characters.");
    if (u->auth_style.ptr && !provider_auth_style_ok(u->auth_style))
        return refuse(in, "bad_auth_style",
                      "auth_style must be bearer, x-api-key, api-key or none.");
    if (!key)
        return 0;
    if (!in->keys)
        return refuse(in, "api_key_not_stored",
                      "api_key is never stored: name a variable in api_key_env.");
    if (!cJSON_IsString(key))
        return refuse(in, "wrong_type", "api_key must be a text.");
    if (str_trim(str_c(key->valuestring)).len == 0)
        return 0;
    if (u->api_key_env.ptr)
        return refuse(in, "api_key_conflict", "Give api_key or api_key_env, not both.");
    u->key = xcalloc(1, sizeof(*u->key));
    secret_set(u->key, str_trim(str_c(key->valuestring)));
    return 0;
}

static int read_upstream(struct reading *in, const cJSON *o, struct upstream *u)
{
    const cJSON *active = member(o, "active");

    *u = (struct upstream){.weight = 1, .active = true};
    if (!cJSON_IsObject(o))
        return refuse(in, "upstream_not_object", "An upstream must be an object.");
    if (active && !cJSON_IsBool(active))
        return refuse(in, "wrong_type", "active must be true or false.");
    u->active = !active || cJSON_IsTrue(active);
    if (take_url(in, o, u) < 0 || take_text(in, o, "upstream_model", &u->model) < 0)
        return -1;
    if (utf8_chars(u->model) > MODEL_MAX_CHARS)
        return refuse(in, "upstream_model_too_long",
                      "upstream_model must have at most 256 characters.");
    if (take_provider(in, o, u) < 0 || take_key(in, o, u) < 0 ||
        take_int(in, o, "weight", 0, 1000, &u->weight) < 0)
        return -1;
    return take_int(in, o, "timeout_ms", 0, HOUR_MS, &u->timeout_ms);
}

/* ---- the list and what goes with it ---- */

static int read_upstreams(struct reading *in, const cJSON *list, struct failover *f)
{
    const cJSON *o;
    int count = cJSON_GetArraySize(list);

    if (!cJSON_IsArray(list))
        return refuse(in, "upstreams_not_array", "upstreams must be an array.");
    if (count > FAILOVER_UPSTREAMS_MAX)
        return refuse(in, "too_many_upstreams", "A route has at most %d upstreams.",
                      FAILOVER_UPSTREAMS_MAX);
    f->upstreams = arena_alloc(in->arena, (size_t)count * sizeof(*f->upstreams) + 1);
    if (!f->upstreams)
        return err_set(in->err, ERR_NO_MEMORY, "no memory for the upstreams");
    cJSON_ArrayForEach(o, list)
    {
        if (read_upstream(in, o, &f->upstreams[f->count++]) < 0)
            return err_wrap(in->err, "upstream %zu", f->count);
    }
    return 0;
}

static int read_strategy(struct reading *in, const cJSON *item, struct failover *f)
{
    for (size_t i = 0; i < sizeof(strategies) / sizeof(*strategies); i++) {
        if (cJSON_IsString(item) && strcmp(item->valuestring, strategies[i]) == 0) {
            f->strategy = (enum strategy)i;
            return 0;
        }
    }
    return refuse(in, "bad_strategy",
                  "strategy must be failover, weighted, round_robin or lowest_cost.");
}

static int read_retry_on(struct reading *in, const cJSON *list, struct failover *f)
{
    const cJSON *item;

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > FAILOVER_STATUSES_MAX)
        return refuse(in, "bad_retry_on", "retry_on must be an array of at most %d elements.",
                      FAILOVER_STATUSES_MAX);
    f->status_count = 0;
    f->on_connect = f->on_timeout = false;
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, "connect") == 0)
            f->on_connect = true;
        else if (cJSON_IsString(item) && strcmp(item->valuestring, "timeout") == 0)
            f->on_timeout = true;
        else if (is_integer(item) && item->valuedouble >= 300 && item->valuedouble <= 599)
            f->statuses[f->status_count++] = (int16_t)item->valuedouble;
        else
            return refuse(in, "bad_retry_on",
                          "retry_on holds statuses from 300 to 599, \"connect\" and \"timeout\".");
    }
    return 0;
}

int failover_read(struct failover *f, const cJSON *o, bool has_url, bool keys, bool *given,
                  struct arena *arena, const char **code, struct err *err)
{
    struct reading in = {arena, code, err, has_url, keys};
    const cJSON *list = member(o, "upstreams"), *strategy = member(o, "strategy");
    const cJSON *retry_on = member(o, "retry_on");

    failover_init(f);
    *given = false;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const cJSON *item = member(o, members[i]);

        *given = *given || (item && !(item == list && cJSON_IsArray(item) && !item->child));
    }
    if ((list && read_upstreams(&in, list, f) < 0) ||
        (strategy && read_strategy(&in, strategy, f) < 0) ||
        (retry_on && read_retry_on(&in, retry_on, f) < 0) ||
        take_int(&in, o, "max_attempts", 1, FAILOVER_ATTEMPTS_MAX, &f->max_attempts) < 0 ||
        take_int(&in, o, "cooldown_ms", 0, HOUR_MS, &f->cooldown_ms) < 0 ||
        take_int(&in, o, "fail_threshold", 1, 1000, &f->fail_threshold) < 0 ||
        take_int(&in, o, "max_retry_wait_ms", 0, HOUR_MS, &f->max_retry_wait_ms) < 0) {
        failover_wipe(f);
        return -1;
    }
    return 0;
}

bool failover_parse(struct failover *f, struct str json, struct arena *arena)
{
    cJSON *o = json.ptr ? json_parse(json) : NULL;
    struct err err;
    bool given, ok;

    ok = cJSON_IsObject(o) && failover_read(f, o, true, false, &given, arena, NULL, &err) == 0;
    if (!ok)
        failover_init(f);
    cJSON_Delete(o);
    return ok;
}

cJSON *failover_merge(struct str stored, const cJSON *changes)
{
    cJSON *o = stored.ptr ? json_parse(stored) : NULL;

    if (!cJSON_IsObject(o)) {
        cJSON_Delete(o);
        o = cJSON_CreateObject();
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(changes, members[i]);

        if (!item)
            continue;
        cJSON_DeleteItemFromObjectCaseSensitive(o, members[i]);
        cJSON_AddItemToObject(o, members[i], cJSON_Duplicate(item, true));
    }
    return o;
}

/* ---- writing ---- */

static cJSON *print_upstream(const struct upstream *u)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "upstream_url", u->base_url);
    json_put_str(o, "upstream_model", u->model);
    json_put_str(o, "provider_slug", u->provider_slug);
    json_put_str(o, "api_key_env", u->api_key_env);
    json_put_str(o, "auth_style", u->auth_style);
    json_put_int(o, "weight", u->weight);
    json_put_int(o, "timeout_ms", u->timeout_ms);
    json_put_bool(o, "active", u->active);
    return o;
}

void failover_print(const struct failover *f, struct buf *out)
{
    cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "upstreams"), *retry_on;

    for (size_t i = 0; i < f->count; i++)
        cJSON_AddItemToArray(list, print_upstream(&f->upstreams[i]));
    json_put_text(o, "strategy", strategy_name(f->strategy));
    retry_on = cJSON_AddArrayToObject(o, "retry_on");
    for (size_t i = 0; i < f->status_count; i++)
        json_add_int(retry_on, f->statuses[i]);
    if (f->on_connect)
        json_add_str(retry_on, STR("connect"));
    if (f->on_timeout)
        json_add_str(retry_on, STR("timeout"));
    json_put_int(o, "max_attempts", f->max_attempts);
    json_put_int(o, "cooldown_ms", f->cooldown_ms);
    json_put_int(o, "fail_threshold", f->fail_threshold);
    json_put_int(o, "max_retry_wait_ms", f->max_retry_wait_ms);
    json_print(out, o);
    cJSON_Delete(o);
}

void failover_wipe(struct failover *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->upstreams[i].key)
            secret_clear(f->upstreams[i].key);
        free(f->upstreams[i].key);
        f->upstreams[i].key = NULL;
    }
}
