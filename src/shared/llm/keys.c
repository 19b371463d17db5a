#include "keys.h"

static const struct {
    const char *name;
    size_t len;
} names[KEY_COUNT + 1] = {
#define X(name) [KEY_##name] = {#name, sizeof(#name) - 1},
    LLM_KEYS(X)
#undef X
};

/* The first key of each length; those of the same length follow it. */
static const uint8_t first[] = {
    [2] = KEY_id,
    [3] = KEY_url,
    [4] = KEY_cost,
    [5] = KEY_delta,
    [6] = KEY_object,
    [7] = KEY_cache_n,
    [8] = KEY_metadata,
    [9] = KEY_arguments,
    [10] = KEY_eval_count,
    [11] = KEY_predicted_n,
    [12] = KEY_input_schema,
    [13] = KEY_cached_tokens,
    [14] = KEY_cache_creation,
    [15] = KEY_server_tool_use,
    [16] = KEY_promptTokenCount,
    [17] = KEY_cache_read_tokens,
    [18] = KEY_cache_write_tokens,
    [19] = KEY_cached_input_tokens,
    [20] = KEY_candidatesTokenCount,
    [21] = KEY_output_tokens_details,
    [23] = KEY_cache_read_input_tokens,
    [24] = KEY_prompt_cache_miss_tokens,
    [25] = KEY_completion_tokens_details,
    [27] = KEY_cache_creation_input_tokens,
};

static enum llm_key find_decoded(struct str raw)
{
    for (unsigned key = KEY_NONE + 1; key < KEY_COUNT; key++)
        if (json_key_is(raw, (struct str){names[key].name, names[key].len}))
            return (enum llm_key)key;
    return KEY_NONE;
}

static enum llm_key find_key(struct str raw)
{
    if (raw.len < sizeof(first) && first[raw.len] != KEY_NONE) {
        for (unsigned key = first[raw.len]; names[key].len == raw.len; key++)
            if (names[key].name[raw.len - 1] == raw.ptr[raw.len - 1] &&
                memcmp(names[key].name, raw.ptr, raw.len) == 0)
                return (enum llm_key)key;
    }
    return str_chr(raw, '\\') < 0 ? KEY_NONE : find_decoded(raw);
}

/* A tag is one more than the number, so that 0 is a key that was not looked up yet. */
void llm_keys_note(struct json_index *json)
{
    for (size_t i = 0; i < json->count; i++)
        if (json->nodes[i].key)
            json->nodes[i].tag = find_key(json_index_key(json, i)) + 1;
}

enum llm_key llm_key_at(const struct json_index *json, size_t node)
{
    const struct json_node *n = &json->nodes[node];

    if (n->tag)
        return (enum llm_key)(n->tag - 1);
    return n->key ? find_key(json_index_key(json, node)) : KEY_NONE;
}

void members_read(const struct json_index *json, size_t node, struct members *out)
{
    size_t end = json->nodes[node].next;

    *out = (struct members){.at = {0}};
    if (!json_node_is(json, node, '{'))
        return;
    for (size_t child = node + 1; child < end; child = json->nodes[child].next)
        out->at[llm_key_at(json, child)] = (uint32_t)child;
    out->at[KEY_NONE] = 0;
}
