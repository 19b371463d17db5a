/* llm/keys.h - the members of JSON objects that mean something to this program, by number.
 *
 * One walk over an object finds all of them, so that reading usage, facts, tools and images from a
 * body stays linear whatever is asked of each object. */
#ifndef LLM_KEYS_H
#define LLM_KEYS_H

#include "json/json_index.h"

#define LLM_KEYS(X) /* by length */                                                                \
    X(id)                                                                                          \
    X(url)                                                                                         \
    X(cost)                                                                                        \
    X(data) X(item) X(type) X(delta) X(index) X(model) X(tools) X(usage) X(object) X(output) X(    \
        reason) X(source) X(status) X(cache_n) X(choices) X(content) X(message) X(timings)         \
        X(metadata) X(prompt_n) X(response) X(arguments) X(functions) X(image_url) X(              \
            eval_count) X(media_type) X(parameters) X(tool_calls) X(predicted_n) X(stop_reason)    \
            X(input_schema) X(input_tokens) X(service_tier) X(tool_call_id) X(total_tokens) X(     \
                cost_details) X(cached_tokens) X(content_block) X(finish_reason) X(function_call)  \
                X(output_tokens) X(prompt_tokens) X(usageMetadata) X(cache_creation)               \
                    X(server_tool_use) X(totalTokenCount) X(promptTokenCount) X(reasoning_tokens)  \
                        X(cache_read_tokens) X(completion_tokens) X(prompt_eval_count)             \
                            X(cache_write_tokens) X(incomplete_details) X(thoughtsTokenCount) X(   \
                                cached_input_tokens) X(input_token_details) X(web_search_requests) \
                                X(candidatesTokenCount) X(input_tokens_details)                    \
                                    X(output_token_details) X(output_tokens_details)               \
                                        X(prompt_tokens_details) X(cache_read_input_tokens)        \
                                            X(cachedContentTokenCount) X(prompt_cache_hit_tokens)  \
                                                X(upstream_inference_cost)                         \
                                                    X(prompt_cache_miss_tokens)                    \
                                                        X(completion_tokens_details)               \
                                                            X(ephemeral_1h_input_tokens)           \
                                                                X(ephemeral_5m_input_tokens)       \
                                                                    X(cache_creation_input_tokens)

enum llm_key {
    KEY_NONE,
#define X(name) KEY_##name,
    LLM_KEYS(X)
#undef X
        KEY_COUNT
};

/** Any of the members of one object; of equal keys the last one. */
struct members {
    uint32_t at[KEY_COUNT]; /* node numbers; 0: there is none */
};

/** Look up all keys of an index at once, for who asks for them more often. */
void llm_keys_note(struct json_index *json);
/** The number of a member's key, KEY_NONE when it is none of those above or node is no member. */
enum llm_key llm_key_at(const struct json_index *json, size_t node);
/** Find the known members of object node. A node that is no object has none. */
void members_read(const struct json_index *json, size_t node, struct members *out);

static inline bool json_node_is(const struct json_index *json, size_t node, char first)
{
    return json->text.ptr[json->nodes[node].start] == first;
}
/** The member's node when it is an object, else 0. */
static inline size_t member_object(const struct json_index *json, const struct members *m,
                                   enum llm_key key)
{
    return m->at[key] && json_node_is(json, m->at[key], '{') ? m->at[key] : 0;
}
/** The member's node when it is an array, else 0. */
static inline size_t member_array(const struct json_index *json, const struct members *m,
                                  enum llm_key key)
{
    return m->at[key] && json_node_is(json, m->at[key], '[') ? m->at[key] : 0;
}
/** The member's value; STR_NONE when there is none. */
static inline struct str member_value(const struct json_index *json, const struct members *m,
                                      enum llm_key key)
{
    return m->at[key] ? json_index_value(json, m->at[key]) : STR_NONE;
}

#endif
