#include "config/config_values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/forward.h"
#include "json/json.h"

enum kind { KIND_INTEGER, KIND_BOOLEAN, KIND_URL };

static const struct value {
    const char *key;
    enum kind kind;
    int64_t fallback, least, most;
    const char *help;
} values[] = {{"incoming_port", KIND_INTEGER, 8080, 1, 65535, "listen on this port"},
              {"expose_all_ips", KIND_BOOLEAN, 0, 0, 1, "listen on all addresses"},
              {"upstream_url", KIND_URL, 0, 0, 0, "where to forward"},
#define X(name, value, least, most, help)                                                          \
    {#name, (most) == 1 ? KIND_BOOLEAN : KIND_INTEGER, value, least, most, help},
              SETTINGS(X)
#undef X
};
#define OWN_COUNT ((size_t)3) /* those before SETTINGS */
#define VALUE_COUNT (sizeof(values) / sizeof(*values))
#define TEXT_MAX 2048

static const struct value *find(const char *key)
{
    for (size_t i = 0; i < VALUE_COUNT; i++)
        if (strcmp(values[i].key, key) == 0)
            return &values[i];
    return NULL;
}

/* ---- showing ---- */

static void put_number(cJSON *o, const char *key, const struct value *v, int64_t number)
{
    if (v->kind == KIND_BOOLEAN)
        json_put_bool(o, key, number != 0);
    else
        json_put_int(o, key, number);
}

/* What runs now, and where it came from. */
static const char *put_running(cJSON *o, const struct config *c, size_t i)
{
    const struct value *v = &values[i];

    if (v->kind == KIND_URL) {
        json_put_text(o, "value", c->upstream_url);
        return c->upstream_source;
    }
    if (strcmp(v->key, "incoming_port") == 0) {
        json_put_int(o, "value", c->port);
        return c->port_source;
    }
    if (strcmp(v->key, "expose_all_ips") == 0) {
        json_put_bool(o, "value", c->expose_all);
        return c->host_source;
    }
    put_number(o, "value", v, ((const int64_t *)(const void *)&c->settings)[i - OWN_COUNT]);
    return c->setting_sources[i - OWN_COUNT];
}

static bool read_number(const struct value *v, struct str text, int64_t *out)
{
    text = str_trim(text);
    if (v->kind == KIND_BOOLEAN) {
        *out = str_is_yes(text);
        return true;
    }
    return str_int64(text, out) && *out >= v->least && *out <= v->most;
}

static void put_saved(cJSON *o, const struct value *v, const char *saved)
{
    int64_t number;

    if (v->kind == KIND_URL)
        cJSON_ReplaceItemInObjectCaseSensitive(o, "value", cJSON_CreateString(saved));
    else if (read_number(v, str_c(saved), &number)) {
        cJSON_DeleteItemFromObjectCaseSensitive(o, "value");
        put_number(o, "value", v, number);
    }
}

static void put_default(cJSON *o, const struct value *v)
{
    if (v->kind == KIND_URL)
        json_put_text(o, "default", "http://localhost:8000/v1");
    else
        put_number(o, "default", v, v->fallback);
}

static int put_value(cJSON *array, const struct config *c, struct store *store, size_t i,
                     struct err *err)
{
    static const char *const types[] = {
        [KIND_INTEGER] = "integer",
        [KIND_BOOLEAN] = "boolean",
        [KIND_URL] = "text",
    };
    const struct value *v = &values[i];
    const char *source;
    char *saved = NULL;
    bool flag;
    cJSON *o;

    if (store_setting_get(store, str_c(v->key), &saved, err) < 0)
        return -1;
    o = cJSON_CreateObject();
    cJSON_AddItemToArray(array, o);
    json_put_text(o, "key", v->key);
    source = put_running(o, c, i);
    flag = strcmp(source, "flag") == 0;
    if (saved && *saved && !flag)
        put_saved(o, v, saved);
    put_default(o, v);
    json_put_text(o, "source", saved && *saved && !flag ? "saved" : source);
    json_put_text(o, "overridden_by", saved && *saved && flag ? "flag" : NULL);
    json_put_text(o, "applies", v->kind == KIND_URL ? "next request" : "next start");
    json_put_text(o, "type", types[v->kind]);
    json_put_text(o, "help", v->help);
    free(saved);
    return 0;
}

cJSON *config_values(const struct config *c, struct store *store, struct err *err)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; i < VALUE_COUNT; i++) {
        if (put_value(array, c, store, i, err) < 0) {
            cJSON_Delete(array);
            return NULL;
        }
    }
    return array;
}

/* ---- saving ---- */

static int bad(struct err *err, const struct value *v)
{
    if (v->kind == KIND_BOOLEAN)
        return err_set(err, ERR_INVALID, "%s must be true or false.", v->key);
    return err_set(err, ERR_INVALID, "%s must be an integer between %" PRId64 " and %" PRId64 ".",
                   v->key, v->least, v->most);
}

static int check_integer(const struct value *v, const cJSON *item, char out[TEXT_MAX],
                         struct err *err)
{
    int64_t number;
    bool ok;

    if (cJSON_IsNumber(item) && fabs(item->valuedouble) < 9e15 &&
        item->valuedouble == trunc(item->valuedouble)) {
        number = (int64_t)item->valuedouble;
        ok = number >= v->least && number <= v->most;
    } else {
        ok = cJSON_IsString(item) && read_number(v, str_c(item->valuestring), &number);
    }
    if (!ok)
        return bad(err, v);
    snprintf(out, TEXT_MAX, "%" PRId64, number);
    return 0;
}

static int check_boolean(const struct value *v, const cJSON *item, char out[TEXT_MAX],
                         struct err *err)
{
    static const char *const words[] = {"0", "false", "no", "off", "1", "true", "yes", "on"};
    struct str text = cJSON_IsString(item) ? str_trim(str_c(item->valuestring)) : STR_NONE;

    if (cJSON_IsBool(item)) {
        snprintf(out, TEXT_MAX, "%s", cJSON_IsTrue(item) ? "true" : "false");
        return 0;
    }
    if (cJSON_IsNumber(item) && (item->valuedouble == 0 || item->valuedouble == 1)) {
        snprintf(out, TEXT_MAX, "%s", item->valuedouble == 1 ? "true" : "false");
        return 0;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!str_ieq(text, str_c(words[i])))
            continue;
        snprintf(out, TEXT_MAX, "%s", i >= 4 ? "true" : "false");
        return 0;
    }
    return bad(err, v);
}

static int check_url(const struct value *v, const cJSON *item, char out[TEXT_MAX], struct err *err)
{
    struct str clean;

    if (!cJSON_IsString(item))
        return err_set(err, ERR_INVALID, "%s must be a text.", v->key);
    if (forward_check_base_url(str_c(item->valuestring), &clean, err) < 0)
        return err_wrap(err, "%s", v->key);
    if (clean.len >= TEXT_MAX)
        return err_set(err, ERR_INVALID, "%s is too long.", v->key);
    snprintf(out, TEXT_MAX, "%.*s", STR_ARG(clean));
    return 0;
}

/* The text to save for one member. ERR_INVALID. */
static int check(const cJSON *item, char out[TEXT_MAX], struct err *err)
{
    const struct value *v = find(item->string);

    if (!v)
        return err_set(err, ERR_INVALID, "There is no setting \"%.60s\".", item->string);
    if (cJSON_IsNull(item))
        return 0;
    switch (v->kind) {
    case KIND_INTEGER:
        return check_integer(v, item, out, err);
    case KIND_BOOLEAN:
        return check_boolean(v, item, out, err);
    case KIND_URL:
        break;
    }
    return check_url(v, item, out, err);
}

static int save(struct store *store, const cJSON *object, struct err *err)
{
    char text[TEXT_MAX];
    const cJSON *item;

    cJSON_ArrayForEach(item, object)
    {
        if (check(item, text, err) < 0 ||
            store_setting_put(store, str_c(item->string),
                              cJSON_IsNull(item) ? STR_NONE : str_c(text), err) < 0)
            return -1;
    }
    return 0;
}

int config_save(struct store *store, const cJSON *object, struct err *err)
{
    char text[TEXT_MAX];
    const cJSON *item;

    cJSON_ArrayForEach(item, object)
    {
        if (check(item, text, err) < 0)
            return -1;
    }
    return save(store, object, err);
}
