#include "signals.h"

#include "llm/keys.h"
#include "json/json_number.h"

/* Items of the Responses API that are calls; the others say something about calls. */
static const struct str call_types[] = {
    STR("function_call"),         STR("custom_tool_call"),      STR("mcp_call"),
    STR("computer_call"),         STR("web_search_call"),       STR("file_search_call"),
    STR("code_interpreter_call"), STR("image_generation_call"), STR("local_shell_call"),
};
static const struct str other_types[] = {
    STR("tool_call"),
    STR("function_call_output"),
    STR("tool_use"),
    STR("tool_result"),
    STR("server_tool_use"),
    STR("mcp_tool_use"),
    STR("mcp_tool_result"),
    STR("custom_tool_call_output"),
    STR("computer_call_output"),
    STR("local_shell_call_output"),
};

static bool is_one_of(struct str value, const struct str *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_string_is(value, types[i]))
            return true;
    return false;
}

bool signals_is_call_item(struct str type)
{
    return is_one_of(type, call_types, sizeof(call_types) / sizeof(*call_types));
}

static bool is_empty_container(const struct json_index *json, size_t node)
{
    return json->nodes[node].next == node + 1;
}

static bool is_truthy(const struct json_index *json, size_t node)
{
    struct str value = json_index_value(json, node);

    switch (json_type_of(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return !is_empty_container(json, node);
    case JSON_STRING:
        return json_string_filled(value);
    case JSON_NUMBER:
        return json_count(value) != 0;
    case JSON_TRUE:
        return true;
    case JSON_FALSE:
    case JSON_NULL:
    case JSON_INVALID:
        break;
    }
    return false;
}

/* All types that matter hold one of these. */
static bool is_tool_type(struct str type)
{
    if (json_type_of(type) != JSON_STRING ||
        (str_find(type, STR("_")) < 0 && str_chr(type, '\\') < 0))
        return false;
    return signals_is_call_item(type) ||
           is_one_of(type, other_types, sizeof(other_types) / sizeof(*other_types));
}

static bool is_signal(const struct json_index *json, size_t node)
{
    struct str value = json_index_value(json, node);

    switch (llm_key_at(json, node)) {
    case KEY_tool_calls:
    case KEY_tool_call_id:
        return is_truthy(json, node);
    case KEY_function_call:
        return is_truthy(json, node) && !json_string_is(value, STR("none")) &&
               !json_string_is(value, STR("auto"));
    case KEY_type:
        return is_tool_type(value);
    case KEY_tools:
    case KEY_functions:
        return json_node_is(json, node, '[') && !is_empty_container(json, node);
    default: /* all other keys of the table */
        return false;
    }
}

bool signals_tools(const struct json_index *json)
{
    for (size_t node = 0; node < json->count; node++)
        if (json->nodes[node].key && is_signal(json, node))
            return true;
    return false;
}

static bool may_be_tools(struct str s)
{
    if (str_starts(s, STR("tool")) || str_eq(s, STR("functions")))
        return true;
    return str_chr(s, '_') >= 0 &&
           (str_find(s, STR("_call")) >= 0 || str_find(s, STR("_tool_")) >= 0);
}

/* The names that matter have from 5 to 23 bytes; most strings are shorter or much longer. */
struct signals_hints signals_look(struct str json)
{
    const char *p = json.ptr, *end = json.ptr + json.len, *after;
    struct signals_hints hints = {.tools = false};

    for (; p < end && (p = memchr(p, '"', (size_t)(end - p))); p = after) {
        struct str s;

        after = json_string_end(p, end);
        s = (struct str){p + 1, (size_t)(after - p - 2)};
        if (after - p < 7 || s.len > 23)
            continue;
        hints.tools = hints.tools || may_be_tools(s);
        hints.images = hints.images || str_find(s, STR("image")) >= 0;
        if (hints.tools && hints.images)
            break;
    }
    return hints;
}
