#include "config/models_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "core/fix_ids.h"
#include "core/forward.h"
#include "core/provider.h"
#include "text/term.h"
#include "json/json.h"

#define FILE_MAX_BYTES ((size_t)16 * 1024 * 1024)

static int refuse(struct err *err, const char *code, const char *message)
{
    return err_set(err, ERR_INVALID, "%s [%s]", message, code);
}

/* ---- one route ---- */

/* An optional text, trimmed; blank and null are absent. */
static int get_text(const cJSON *o, const char *key, struct arena *arena, struct str *out,
                    struct err *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!item || cJSON_IsNull(item))
        return 0;
    if (!cJSON_IsString(item))
        return err_set(err, ERR_INVALID, "%s must be a text [wrong_type]", key);
    if (str_trim(str_c(item->valuestring)).len > 0)
        *out = arena_dup(arena, str_trim(str_c(item->valuestring)));
    return 0;
}

static bool is_filled(const cJSON *o, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(item) && str_trim(str_c(item->valuestring)).len > 0;
}

static int get_url(const cJSON *o, struct arena *arena, struct route *r, struct err *err)
{
    struct str url = STR_NONE, clean;
    struct err why;
    const char *code;

    r->upstream_url = STR("");
    if (!is_filled(o, "upstream_url") && r->failover)
        return 0; /* each upstream has its own */
    if (!is_filled(o, "upstream_url"))
        return refuse(err, "upstream_url_required", "upstream_url is missing or blank");
    if (get_text(o, "upstream_url", arena, &url, err) < 0)
        return -1;
    if (forward_check_base_url(url, &r->upstream_url, &why) == 0)
        return 0;
    code = forward_check_provider_url(url, &clean, err) < 0 ? "upstream_url_not_absolute"
                                                            : "upstream_url_no_version";
    return err_set(err, ERR_INVALID, "upstream_url: %.300s [%s]", why.msg, code);
}

static int get_match(const cJSON *o, struct arena *arena, struct route *r, struct err *err)
{
    struct str type = STR_NONE;

    if (get_text(o, "match_type", arena, &type, err) < 0)
        return -1;
    r->prefix = str_ieq(type, STR("prefix"));
    if (type.ptr && !r->prefix && !str_ieq(type, STR("exact")))
        return refuse(err, "bad_match_type", "match_type must be exact or prefix");
    if (!route_pattern_ok(r->incoming_model, r->prefix))
        return refuse(err, "bad_prefix_pattern",
                      "the model of a prefix route must end in its only *");
    return 0;
}

static int get_provider(const cJSON *o, struct arena *arena, struct route *r, struct err *err)
{
    struct str slug = STR_NONE;
    char *text;

    if (get_text(o, "provider_slug", arena, &slug, err) < 0)
        return -1;
    if (!slug.ptr)
        return 0;
    text = (char *)(uintptr_t)slug.ptr; /* our own copy */
    for (size_t i = 0; i < slug.len; i++)
        text[i] = (char)str_lower(text[i]);
    if (!provider_slug_ok(slug))
        return refuse(err, "bad_provider_slug",
                      "provider_slug must be made of a-z, 0-9, _ and -, at most 64");
    r->provider_slug = slug;
    return 0;
}

static int get_key(const cJSON *o, struct arena *arena, struct route *r, struct err *err)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(o, "api_key");

    if (key && !cJSON_IsNull(key) && !cJSON_IsString(key))
        return refuse(err, "wrong_type", "api_key must be a text");
    if (get_text(o, "api_key_env", arena, &r->api_key_env, err) < 0 ||
        get_text(o, "auth_style", arena, &r->auth_style, err) < 0)
        return -1;
    if (r->auth_style.ptr && !provider_auth_style_ok(r->auth_style))
        return refuse(err, "bad_auth_style",
                      "auth_style must be bearer, x-api-key, api-key or none");
    if (!is_filled(o, "api_key"))
        return 0;
    if (r->api_key_env.ptr)
        return refuse(err, "api_key_conflict", "give api_key or api_key_env, not both");
    r->key = xcalloc(1, sizeof(*r->key));
    secret_set(r->key, str_trim(str_c(key->valuestring)));
    return 0;
}

static int get_fixes(const cJSON *o, struct arena *arena, struct str *out, struct err *err)
{
    struct buf json = {0};
    const char *code = "";
    struct err why;
    int rc = fix_ids(&json, o, &code, &why);

    if (rc == 0)
        *out = arena_dup(arena, buf_str(&json));
    else
        refuse(err, code, why.msg);
    buf_clear(&json);
    return rc;
}

static int get_upstreams(const cJSON *o, struct arena *arena, struct route *r, struct err *err)
{
    struct failover *f = arena_alloc(arena, sizeof(*f));
    bool own_url = is_filled(o, "upstream_url"), given;
    struct buf json = {0};
    const char *code = "";
    struct err why;

    if (!f)
        return err_set(err, ERR_NO_MEMORY, "no memory for a route");
    if (failover_read(f, o, own_url, true, &given, arena, &code, &why) < 0)
        return refuse(err, code, why.msg);
    if (!given)
        return 0;
    failover_print(f, &json);
    r->failover_json = arena_dup(arena, buf_str(&json));
    buf_clear(&json);
    if (f->count > 0 || own_url)
        r->failover = f;
    return 0;
}

static int read_route(struct models *m, const cJSON *o, struct route *r, struct err *err)
{
    if (!cJSON_IsObject(o))
        return refuse(err, "route_not_object", "a route must be an object");
    if (!is_filled(o, "model"))
        return refuse(err, "model_required", "model is missing or blank");
    r->active = true;
    if (get_text(o, "model", &m->arena, &r->incoming_model, err) < 0 ||
        get_upstreams(o, &m->arena, r, err) < 0 || get_url(o, &m->arena, r, err) < 0 ||
        get_match(o, &m->arena, r, err) < 0 ||
        get_text(o, "upstream_model", &m->arena, &r->upstream_model, err) < 0 ||
        get_provider(o, &m->arena, r, err) < 0 || get_key(o, &m->arena, r, err) < 0)
        return -1;
    return get_fixes(cJSON_GetObjectItemCaseSensitive(o, "fixes"), &m->arena, &r->fixes_json, err);
}

/* ---- all of it ---- */

static int by_model(const void *a, const void *b)
{
    const struct route *x = *(const struct route *const *)a, *y = *(const struct route *const *)b;
    struct str s = x->incoming_model, t = y->incoming_model;
    int order = memcmp(s.ptr, t.ptr, s.len < t.len ? s.len : t.len);

    if (order == 0)
        order = s.len < t.len ? -1 : s.len > t.len;
    if (order == 0)
        order = x->prefix - y->prefix;
    return order ? order : x < y ? -1 : x > y;
}

static int check_duplicates(const struct models *m, struct err *err)
{
    const struct route **sorted = xcalloc(m->route_count + 1, sizeof(*sorted));
    int rc = 0;

    for (size_t i = 0; i < m->route_count; i++)
        sorted[i] = &m->routes[i];
    qsort(sorted, m->route_count, sizeof(*sorted), by_model);
    for (size_t i = 1; rc == 0 && i < m->route_count; i++)
        if (str_eq(sorted[i]->incoming_model, sorted[i - 1]->incoming_model) &&
            sorted[i]->prefix == sorted[i - 1]->prefix)
            rc = err_set(err, ERR_INVALID,
                         "route %zu: there is a route for model \"%.*s\" already "
                         "[duplicate_model_route]",
                         (size_t)(sorted[i] - m->routes) + 1,
                         STR_ARG(str_cut(sorted[i]->incoming_model, 200)));
    free(sorted);
    return rc;
}

static size_t count_keys(const struct route *r)
{
    size_t n = r->key != NULL;

    for (size_t i = 0; r->failover && i < r->failover->count; i++)
        n += r->failover->upstreams[i].key != NULL;
    return n;
}

static int read_routes(struct models *m, const cJSON *list, struct err *err)
{
    const cJSON *o;

    m->routes = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*m->routes));
    cJSON_ArrayForEach(o, list)
    {
        if (read_route(m, o, &m->routes[m->route_count++], err) < 0) {
            char message[sizeof(err->msg)];

            snprintf(message, sizeof(message), "%s", err->msg);
            return err_set(err, ERR_INVALID, "route %zu: %.400s", m->route_count, message);
        }
        m->key_count += count_keys(&m->routes[m->route_count - 1]);
    }
    return check_duplicates(m, err);
}

static int read_object(struct models *m, const cJSON *o, struct err *err)
{
    const cJSON *routes = cJSON_GetObjectItemCaseSensitive(o, "model_routes");
    const cJSON *fixes = cJSON_GetObjectItemCaseSensitive(o, "default_fixes");

    if (routes && !cJSON_IsArray(routes))
        return refuse(err, "model_routes_not_array", "model_routes must be an array");
    if (routes && read_routes(m, routes, err) < 0)
        return -1;
    if (fixes && get_fixes(fixes, &m->arena, &m->fixes_json, err) < 0)
        return err_wrap(err, "default_fixes");
    return 0;
}

/* Say where it went wrong, in one line whatever names and ids are quoted. */
static int fail_at(const char *source, struct err *err)
{
    struct buf clean = {0};
    struct err ignored;

    if (term_clean(&clean, str_c(err->msg), 0, &ignored) == 0)
        snprintf(err->msg, sizeof(err->msg), "%.*s",
                 STR_ARG(utf8_cut(buf_str(&clean), sizeof(err->msg) - 1)));
    buf_clear(&clean);
    return err_wrap(err, "%s", source);
}

int models_parse(struct models *m, struct str text, const char *source, struct err *err)
{
    cJSON *root = json_parse(text);
    int rc;

    if (!root)
        rc = refuse(err, "invalid_json", "is not valid JSON");
    else if (cJSON_IsArray(root))
        rc = read_routes(m, root, err);
    else if (cJSON_IsObject(root))
        rc = read_object(m, root, err);
    else
        rc = refuse(err, "not_array_or_object", "must hold a JSON array or object");
    cJSON_Delete(root);
    return rc < 0 ? fail_at(source, err) : 0;
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
    FILE *file = fopen(path, "rb");
    char part[16384];
    size_t got;
    int rc = 0;

    if (!file)
        return err_set(err, ERR_INVALID, "cannot read it: %s [models_file_unreadable]",
                       strerror(errno));
    text->limit = FILE_MAX_BYTES;
    while (rc == 0 && (got = fread(part, 1, sizeof(part), file)) > 0)
        rc = buf_add(text, (struct str){part, got}, err);
    if (rc < 0 || ferror(file))
        rc = err_set(err, ERR_INVALID, "cannot read it: %s [models_file_unreadable]",
                     rc < 0 ? "too large" : strerror(errno));
    fclose(file);
    return rc;
}

int models_load(struct models *m, const char *path, struct err *err)
{
    struct buf text = {0};
    int rc = read_file(path, &text, err);

    rc = rc < 0 ? err_wrap(err, "%s", path) : models_parse(m, buf_str(&text), path, err);
    if (text.ptr) /* it may hold keys */
        explicit_bzero(text.ptr, text.cap);
    buf_clear(&text);
    return rc;
}

int models_default_fixes(struct models *m, struct str text, const char *source, struct err *err)
{
    cJSON *root = json_parse(text);
    int rc = root ? get_fixes(root, &m->arena, &m->fixes_json, err)
                  : refuse(err, "invalid_default_fixes_json", "is not valid JSON");

    cJSON_Delete(root);
    return rc < 0 ? fail_at(source, err) : 0;
}

void models_clear(struct models *m)
{
    for (size_t i = 0; i < m->route_count; i++) {
        if (m->routes[i].key)
            secret_clear(m->routes[i].key);
        free(m->routes[i].key);
        if (m->routes[i].failover)
            failover_wipe((struct failover *)(uintptr_t)m->routes[i].failover); /* our own */
    }
    free(m->routes);
    arena_clear(&m->arena);
    *m = (struct models){0};
}
