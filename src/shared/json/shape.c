#include "json/shape.h"

#include <stdlib.h>

#include "json/json.h"

#define REFERENCE "#/components/schemas/"

static cJSON *typed(const char *type)
{
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "type", type);
    return o;
}

static cJSON *reference(struct str name)
{
    cJSON *o = cJSON_CreateObject();
    struct buf text = {0};

    buf_put(&text, STR(REFERENCE));
    buf_put(&text, name);
    json_put_str(o, "$ref", buf_str(&text));
    buf_clear(&text);
    return o;
}

static cJSON *choice(struct str rest)
{
    cJSON *o = typed("string"), *list = cJSON_AddArrayToObject(o, "enum");
    struct str one;

    while (str_split(&rest, '|', &one))
        if (one.len > 0)
            json_add_str(list, one);
    return o;
}

static cJSON *named(struct str name)
{
    static const struct {
        const char *name, *type;
    } plain[] = {{"bool", "boolean"},  {"int", "integer"}, {"number", "number"},
                 {"object", "object"}, {"text", "string"}, {"time", "string"}};
    cJSON *o, *types;

    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        if (!str_eq(name, str_c(plain[i].name)))
            continue;
        o = typed(plain[i].type);
        if (str_eq(name, STR("time")))
            json_put_text(o, "format", "date-time");
        return o;
    }
    if (str_eq(name, STR("any")))
        return cJSON_CreateObject();
    if (str_eq(name, STR("key"))) {
        o = cJSON_CreateObject();
        types = cJSON_AddArrayToObject(o, "type");
        json_add_str(types, STR("string"));
        json_add_str(types, STR("integer"));
        return o;
    }
    return name.len > 0 && name.ptr[0] >= 'A' && name.ptr[0] <= 'Z' ? reference(name) : NULL;
}

/* The same, or null. */
static cJSON *nullable(cJSON *schema)
{
    cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type"), *list, *o;

    if (!type) {
        o = cJSON_CreateObject();
        list = cJSON_AddArrayToObject(o, "anyOf");
        cJSON_AddItemToArray(list, schema);
        cJSON_AddItemToArray(list, typed("null"));
        return o;
    }
    list = cJSON_CreateArray();
    json_add_str(list, str_c(type->valuestring));
    json_add_str(list, STR("null"));
    cJSON_ReplaceItemInObjectCaseSensitive(schema, "type", list);
    list = cJSON_GetObjectItemCaseSensitive(schema, "enum");
    if (list)
        cJSON_AddItemToArray(list, cJSON_CreateNull());
    return schema;
}

cJSON *shape_schema(struct str type)
{
    bool maybe = str_ends(type, STR("?"));
    struct str inner;
    cJSON *o, *part;

    if (maybe)
        type = str_cut(type, type.len - 1);
    if ((str_starts(type, STR("[")) && str_ends(type, STR("]"))) ||
        (str_starts(type, STR("{")) && str_ends(type, STR("}")))) {
        inner = str_from(str_cut(type, type.len - 1), 1);
        part = shape_schema(inner);
        if (!part)
            return NULL;
        o = typed(type.ptr[0] == '[' ? "array" : "object");
        cJSON_AddItemToObject(o, type.ptr[0] == '[' ? "items" : "additionalProperties", part);
    } else {
        o = str_chr(type, '|') >= 0 ? choice(type) : named(type);
    }
    return o && maybe ? nullable(o) : o;
}

/* ---- shapes ---- */

static cJSON *new_object(void)
{
    cJSON *o = typed("object");

    cJSON_AddObjectToObject(o, "properties");
    cJSON_AddArrayToObject(o, "required");
    return o;
}

static void put_key(cJSON *object, struct str name, cJSON *schema, bool required)
{
    cJSON *properties = cJSON_GetObjectItemCaseSensitive(object, "properties");
    char *key = str_dup(name);

    cJSON_AddItemToObject(properties, key, schema);
    if (required)
        json_add_str(cJSON_GetObjectItemCaseSensitive(object, "required"), name);
    free(key);
}

/* The object inside of object; a new one when there is none. */
static cJSON *inside(cJSON *object, struct str name)
{
    cJSON *properties = cJSON_GetObjectItemCaseSensitive(object, "properties");
    char *key = str_dup(name);
    cJSON *found = cJSON_GetObjectItemCaseSensitive(properties, key);

    free(key);
    if (!found) {
        found = new_object();
        put_key(object, name, found, true);
    }
    return found;
}

static struct str take_word(struct str *rest)
{
    struct str word;
    size_t len = 0;

    *rest = str_trim(*rest);
    while (len < rest->len && rest->ptr[len] != ' ')
        len++;
    word = str_cut(*rest, len);
    *rest = str_trim(str_from(*rest, len));
    return word;
}

static bool add_key(cJSON *object, struct str line)
{
    struct str path = take_word(&line), part, type = take_word(&line);
    bool required = !str_ends(path, STR("?"));
    cJSON *schema = shape_schema(type);

    if (!object || !schema) {
        cJSON_Delete(schema);
        return false;
    }
    if (line.len > 0)
        json_put_str(schema, "description", line);
    path = str_cut(path, path.len - !required);
    while (str_split(&path, '.', &part) && path.ptr)
        object = inside(object, part);
    put_key(object, part, schema, required);
    return true;
}

/* "Name" or "Name = Base"; the object that keys go to. */
static cJSON *add_shape(cJSON *schemas, struct str line)
{
    struct str name = take_word(&line), equals = take_word(&line);
    cJSON *object = new_object(), *whole = object, *list;
    char *key = str_dup(name);

    if (equals.len > 0) {
        whole = cJSON_CreateObject();
        list = cJSON_AddArrayToObject(whole, "allOf");
        cJSON_AddItemToArray(list, reference(line));
        cJSON_AddItemToArray(list, object);
    }
    if (cJSON_GetObjectItemCaseSensitive(schemas, key)) {
        cJSON_Delete(whole);
        object = NULL;
    } else {
        cJSON_AddItemToObject(schemas, key, whole);
    }
    free(key);
    return object;
}

int shapes_add(cJSON *schemas, struct str text, struct err *err)
{
    struct str line;
    cJSON *object = NULL;
    bool fine = true;

    while (fine && str_split(&text, '\n', &line)) {
        if (str_trim(line).len == 0 || str_starts(line, STR("#")))
            continue;
        if (line.ptr[0] == ' ') {
            fine = add_key(object, line);
        } else {
            object = add_shape(schemas, line);
            fine = object != NULL;
        }
    }
    return fine ? 0 : err_set(err, ERR_INVALID, "no shape: %.*s", STR_ARG(str_trim(line)));
}
