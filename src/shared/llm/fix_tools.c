#include <stdlib.h>

#include "llm/fix_priv.h"

int fix_str_compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* STR_NONE without memory. */
static struct str decode(struct arena *arena, struct str quoted)
{
    struct buf text = {0};
    struct str out = STR_NONE;
    struct err err;

    if (json_string(quoted, &text, &err) == 0)
        out = arena_dup(arena, buf_str(&text));
    buf_clear(&text);
    return out;
}

/* A raw key lies between its quotes. */
static struct str quoted_key(struct str key)
{
    return (struct str){key.ptr - 1, key.len + 2};
}

static size_t count_of(struct str container)
{
    struct json_iter it = json_iter(container);
    size_t count = 0;

    while (json_next(&it))
        count++;
    return count;
}

static struct str object_member(struct str object, struct str key)
{
    struct str value;

    if (json_member(object, key, &value) && json_type_of(value) == JSON_OBJECT)
        return value;
    return STR("");
}

static bool string_member(struct str object, struct str key, struct str *out)
{
    return json_member(object, key, out) && json_type_of(*out) == JSON_STRING;
}

/* The name, quoted, and the schema of an element of tools. */
static bool usable(struct str element, struct str *name, struct str *schema)
{
    struct str function, type;

    if (json_type_of(element) != JSON_OBJECT)
        return false;
    function = object_member(element, STR("function"));
    if (function.len > 0 && string_member(function, STR("name"), name)) {
        *schema = object_member(function, STR("parameters"));
        return true;
    }
    if (!json_member(element, STR("type"), &type) || !json_string_is(type, STR("function")) ||
        !string_member(element, STR("name"), name))
        return false;
    *schema = object_member(element, STR("parameters"));
    return true;
}

/* Of equal names the later one comes first. */
static int by_name(const void *a, const void *b)
{
    const struct fix_tool *x = a, *y = b;
    int order = fix_str_compare(x->name, y->name);

    return order ? order : (x->schema.ptr < y->schema.ptr) - (x->schema.ptr > y->schema.ptr);
}

static int by_property(const void *a, const void *b)
{
    const struct fix_property *x = a, *y = b;
    int order = fix_str_compare(x->name, y->name);

    return order ? order : (x->schema.ptr < y->schema.ptr) - (x->schema.ptr > y->schema.ptr);
}

int fix_tools_read(struct fix_tools *out, struct str tools)
{
    struct json_iter it;
    struct str name, schema;
    size_t kept = 0;

    *out = (struct fix_tools){0};
    if (json_type_of(tools) != JSON_ARRAY || count_of(tools) == 0)
        return 0;
    tools = arena_dup(&out->arena, tools);
    out->list = arena_alloc(&out->arena, count_of(tools) * sizeof(*out->list));
    if (!tools.ptr || !out->list)
        return -1;
    it = json_iter(tools);
    while (json_next(&it)) {
        if (!usable(it.value, &name, &schema))
            continue;
        if (schema.len == 0) /* keeps the order of the elements */
            schema = (struct str){it.value.ptr, 0};
        name = decode(&out->arena, name);
        if (!name.ptr)
            return -1;
        out->list[out->count++] = (struct fix_tool){.name = name, .schema = schema};
    }
    qsort(out->list, out->count, sizeof(*out->list), by_name);
    for (size_t i = 0; i < out->count; i++)
        if (i == 0 || !str_eq(out->list[i].name, out->list[kept - 1].name))
            out->list[kept++] = out->list[i];
    out->count = kept;
    return 0;
}

void fix_tools_clear(struct fix_tools *tools)
{
    arena_clear(&tools->arena);
    *tools = (struct fix_tools){0};
}

static int read_properties(struct arena *arena, struct fix_tool *tool, struct str properties)
{
    struct json_iter it = json_iter(properties);
    size_t kept = 0, count = count_of(properties);

    tool->has_properties = true;
    tool->properties = arena_alloc(arena, (count + 1) * sizeof(*tool->properties));
    if (!tool->properties)
        return -1;
    while (json_next(&it)) {
        struct str name = decode(arena, quoted_key(it.key));

        if (!name.ptr)
            return -1;
        tool->properties[tool->property_count++] = (struct fix_property){name, it.value};
    }
    qsort(tool->properties, tool->property_count, sizeof(*tool->properties), by_property);
    for (size_t i = 0; i < tool->property_count; i++)
        if (i == 0 || !str_eq(tool->properties[i].name, tool->properties[kept - 1].name))
            tool->properties[kept++] = tool->properties[i];
    tool->property_count = kept;
    return 0;
}

static int read_required(struct arena *arena, struct fix_tool *tool, struct str required)
{
    struct json_iter it = json_iter(required);

    tool->required = arena_alloc(arena, (count_of(required) + 1) * sizeof(*tool->required));
    if (!tool->required)
        return -1;
    while (json_next(&it)) {
        if (json_type_of(it.value) != JSON_STRING)
            continue;
        tool->required[tool->required_count] = decode(arena, it.value);
        if (!tool->required[tool->required_count++].ptr)
            return -1;
    }
    return 0;
}

/* Most tools of a request are never called: their schemas are read when they are. */
static int read_schema(struct arena *arena, struct fix_tool *tool)
{
    struct str properties = STR_NONE, required = STR_NONE;

    if (tool->read || tool->schema.len == 0)
        return 0;
    tool->read = true;
    properties = object_member(tool->schema, STR("properties"));
    if (properties.len > 0 && read_properties(arena, tool, properties) < 0)
        return -1;
    if (json_member(tool->schema, STR("required"), &required) &&
        json_type_of(required) == JSON_ARRAY)
        return read_required(arena, tool, required);
    return 0;
}

struct fix_tool *fix_tools_find(struct fix_tools *tools, struct str name, bool *failed)
{
    size_t low = 0, high = tools->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = fix_str_compare(name, tools->list[mid].name);

        if (order == 0) {
            *failed = read_schema(&tools->arena, &tools->list[mid]) < 0;
            return *failed ? NULL : &tools->list[mid];
        }
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    *failed = false;
    return NULL;
}

const struct fix_property *fix_tool_property(const struct fix_tool *tool, struct str name)
{
    size_t low = 0, high = tool->property_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = fix_str_compare(name, tool->properties[mid].name);

        if (order == 0)
            return &tool->properties[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}
