#include "json.h"

#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "utf8.h"
#include "json/json_index.h"

/* The largest integer up to which a double holds every integer. */
#define EXACT_MAX INT64_C(9007199254740992)
#define PICO INT64_C(1000000000000)

/* ---- parsing ------------------------------------------------------------------------------ */

/* The decoded text as cJSON wants it: ends with a NUL, so that a NUL inside becomes U+FFFD. Returns
 * owned; NULL without memory. */
static char *decoded(struct str string)
{
    struct buf raw = {0}, clean = {0};
    struct err err;

    if (json_string(string, &raw, &err) < 0 || buf_add(&raw, STR(""), &err) < 0)
        goto out;
    if (!memchr(raw.ptr, '\0', raw.len))
        return buf_take(&raw);
    for (size_t i = 0; i < raw.len; i++)
        if (buf_add(&clean, raw.ptr[i] ? (struct str){raw.ptr + i, 1} : STR("\xEF\xBF\xBD"), &err) <
            0)
            goto out;
out:
    buf_clear(&raw);
    return buf_take(&clean);
}

static cJSON *parsed_string(struct str value)
{
    char *text = decoded(value);
    cJSON *item = text ? cJSON_CreateString(text) : NULL;

    free(text);
    return item;
}

/* strtod() wants a NUL behind the number and the point of the locale, and the text is somebody
 * else's. */
static cJSON *parsed_number(struct str value)
{
    char local[64], *copy = local, *dot;
    cJSON *item;

    if (value.len >= sizeof(local) && !(copy = malloc(value.len + 1)))
        return NULL;
    memcpy(copy, value.ptr, value.len);
    copy[value.len] = '\0';
    dot = strchr(copy, '.');
    if (dot)
        *dot = *localeconv()->decimal_point;
    item = cJSON_CreateNumber(strtod(copy, NULL));
    if (copy != local)
        free(copy);
    return item;
}

static cJSON *parsed_value(struct str value)
{
    switch (json_type_of(value)) {
    case JSON_OBJECT:
        return cJSON_CreateObject();
    case JSON_ARRAY:
        return cJSON_CreateArray();
    case JSON_STRING:
        return parsed_string(value);
    case JSON_NUMBER:
        return parsed_number(value);
    case JSON_TRUE:
        return cJSON_CreateTrue();
    case JSON_FALSE:
        return cJSON_CreateFalse();
    case JSON_NULL:
        return cJSON_CreateNull();
    case JSON_INVALID:
        break;
    }
    return NULL;
}

static bool attach(cJSON *parent, cJSON *item, struct str raw_key)
{
    struct buf quoted = {0};
    struct err err;
    char *key;
    bool ok;

    if (cJSON_IsArray(parent))
        return cJSON_AddItemToArray(parent, item);
    ok = buf_add(&quoted, STR("\""), &err) == 0 && buf_add(&quoted, raw_key, &err) == 0 &&
         buf_add(&quoted, STR("\""), &err) == 0;
    key = ok ? decoded(buf_str(&quoted)) : NULL;
    ok = key && cJSON_AddItemToObject(parent, key, item);
    free(key);
    buf_clear(&quoted);
    return ok;
}

static cJSON *tree_of(const struct json_index *index)
{
    struct {
        cJSON *item;
        size_t end;
    } open[JSON_MAX_DEPTH + 1];
    cJSON *root = NULL, *item;
    size_t depth = 0;

    for (size_t i = 0; i < index->count; i++) {
        while (depth > 0 && open[depth - 1].end == i)
            depth--;
        item = parsed_value(json_index_value(index, i));
        if (!item || (root && !attach(open[depth - 1].item, item, json_index_key(index, i)))) {
            cJSON_Delete(item);
            cJSON_Delete(root);
            return NULL;
        }
        if (!root)
            root = item;
        if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
            open[depth].item = item;
            open[depth++].end = index->nodes[i].next;
        }
    }
    return root;
}

cJSON *json_parse(struct str text)
{
    struct json_index index = {0};
    struct err err;
    cJSON *root;

    if (json_index(&index, text, &err) < 0)
        return NULL;
    root = tree_of(&index);
    json_index_clear(&index);
    return root;
}

/* ---- building ----------------------------------------------------------------------------- */

static void put(cJSON *o, const char *key, cJSON *item)
{
    if (!item || !cJSON_AddItemToObject(o, key, item))
        cJSON_Delete(item);
}

static void add(cJSON *array, cJSON *item)
{
    if (!item || !cJSON_AddItemToArray(array, item))
        cJSON_Delete(item);
}

/* cJSON prints larger numbers as 1.5e+15: valid, but not what people expect of a time or an id. */
static cJSON *new_int(int64_t value)
{
    char text[24];

    if (value == UNKNOWN)
        return cJSON_CreateNull();
    if (value >= INT_MIN && value <= INT_MAX)
        return cJSON_CreateNumber((double)value);
    snprintf(text, sizeof(text), "%" PRId64, value);
    return cJSON_CreateRaw(text);
}

static cJSON *new_str(struct str value)
{
    struct buf text = {0};
    struct err err;
    cJSON *item = NULL;

    if (!value.ptr)
        return cJSON_CreateNull();
    if (str_chr(value, '\0') >= 0) { /* cJSON strings end at the first NUL */
        if (json_quote(&text, value))
            item = cJSON_CreateRaw(text.ptr);
    } else if (utf8_repair(&text, value, &err) == 0 && buf_add(&text, STR(""), &err) == 0) {
        item = cJSON_CreateString(text.ptr);
    }
    buf_clear(&text);
    return item;
}

void json_put_int(cJSON *o, const char *key, int64_t value)
{
    put(o, key, new_int(value));
}

void json_put_bool(cJSON *o, const char *key, bool value)
{
    put(o, key, cJSON_CreateBool(value));
}

void json_put_str(cJSON *o, const char *key, struct str value)
{
    put(o, key, new_str(value));
}

void json_put_text(cJSON *o, const char *key, const char *value)
{
    json_put_str(o, key, str_c(value));
}

void json_put_null(cJSON *o, const char *key)
{
    put(o, key, cJSON_CreateNull());
}

void json_put_money(cJSON *o, const char *key, int64_t pusd)
{
    char text[40];
    uint64_t size = pusd < 0 ? 0 - (uint64_t)pusd : (uint64_t)pusd;
    size_t len;

    if (pusd == UNKNOWN) {
        json_put_null(o, key);
        return;
    }
    snprintf(text, sizeof(text), "%s%" PRIu64 ".%012" PRIu64, pusd < 0 ? "-" : "",
             size / (uint64_t)PICO, size % (uint64_t)PICO);
    len = strlen(text);
    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    text[len] = '\0';
    json_put_raw(o, key, text);
}

void json_put_raw(cJSON *o, const char *key, const char *text)
{
    put(o, key, cJSON_CreateRaw(text));
}

void json_add_str(cJSON *array, struct str value)
{
    add(array, new_str(value));
}

void json_add_int(cJSON *array, int64_t value)
{
    add(array, new_int(value));
}

bool json_print(struct buf *out, const cJSON *tree)
{
    char *text = cJSON_PrintUnformatted(tree);
    struct err err;
    bool ok = text && buf_add(out, str_c(text), &err) == 0;

    cJSON_free(text);
    return ok;
}

static int quote_byte(struct buf *out, char c, struct err *err)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *hit = c ? strchr(plain, c) : NULL;
    char two[2] = {'\\', hit ? letters[hit - plain] : '\0'}, six[8];

    if (hit)
        return buf_add(out, (struct str){two, 2}, err);
    snprintf(six, sizeof(six), "\\u%04x", (unsigned)(unsigned char)c);
    return buf_add(out, str_c(six), err);
}

/* How many bytes of s, which is UTF-8, stand in a JSON string as they are. */
static size_t unquoted(struct str s)
{
    size_t i = 0;

    while (i < s.len && (unsigned char)s.ptr[i] >= 0x20 && s.ptr[i] != '"' && s.ptr[i] != '\\')
        i++;
    return i;
}

static int quote_valid(struct buf *out, struct str s, struct err *err)
{
    while (s.len > 0) {
        size_t plain = unquoted(s);

        if (buf_add(out, str_cut(s, plain), err) < 0)
            return -1;
        s = str_from(s, plain);
        if (s.len > 0 && quote_byte(out, s.ptr[0], err) < 0)
            return -1;
        s = str_from(s, s.len > 0);
    }
    return 0;
}

static int quote(struct buf *out, struct str s, struct err *err)
{
    if (buf_add(out, STR("\""), err) < 0)
        return -1;
    while (s.len > 0) {
        size_t good = utf8_valid_prefix(s), bad;

        if (quote_valid(out, str_cut(s, good), err) < 0)
            return -1;
        s = str_from(s, good);
        if (s.len == 0)
            break;
        utf8_next(s, &bad);
        if (buf_add(out, STR("\xEF\xBF\xBD"), err) < 0)
            return -1;
        s = str_from(s, bad);
    }
    return buf_add(out, STR("\""), err);
}

bool json_quote(struct buf *out, struct str s)
{
    size_t before = out->len;
    struct err err;

    if (quote(out, s, &err) == 0)
        return true;
    buf_cut(out, before);
    return false;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The last member of that name, as everywhere. */
static const cJSON *member(const cJSON *o, struct str name)
{
    const cJSON *item, *found = NULL;

    if (!cJSON_IsObject(o))
        return NULL;
    cJSON_ArrayForEach(item, o) if (item->string && str_eq(str_c(item->string), name)) found = item;
    return found;
}

static const cJSON *follow(const cJSON *o, const char *path)
{
    struct str rest = str_c(path), name;

    while (o && str_split(&rest, '.', &name))
        o = member(o, name);
    return o;
}

bool json_get_int(const cJSON *o, const char *path, int64_t *out)
{
    const cJSON *item = follow(o, path);
    double value;

    if (cJSON_IsRaw(item)) /* a large one, of json_put_int() */
        return item->valuestring && str_int64(str_c(item->valuestring), out);
    if (!cJSON_IsNumber(item))
        return false;
    value = item->valuedouble;
    if (!(fabs(value) <= (double)EXACT_MAX) || value != floor(value))
        return false;
    *out = (int64_t)value;
    return true;
}

bool json_get_str(const cJSON *o, const char *path, const char **out)
{
    const cJSON *item = follow(o, path);

    if (!cJSON_IsString(item) || !item->valuestring)
        return false;
    *out = item->valuestring;
    return true;
}
