#include "usage.h"

#include "llm/keys.h"
#include "json/json_number.h"

/* Deeper than this nobody reports usage. */
#define MAX_DEPTH 64

bool usage_known(const struct usage *u)
{
    return u->input != UNKNOWN || u->cached_input != UNKNOWN || u->cache_write_input != UNKNOWN ||
           u->output != UNKNOWN || u->total != UNKNOWN;
}

/* ---- counts ------------------------------------------------------------------------------- */

static int64_t first_known(int64_t a, int64_t b)
{
    return a != UNKNOWN ? a : b;
}

static int64_t sum_known(int64_t a, int64_t b)
{
    if (a == UNKNOWN || b == UNKNOWN)
        return first_known(a, b);
    return a + b; /* counts are below 2^53 */
}

static int64_t sum_both(int64_t a, int64_t b)
{
    return a == UNKNOWN || b == UNKNOWN ? UNKNOWN : a + b;
}

static int64_t count_of(const struct json_index *json, const struct members *m, enum llm_key key)
{
    return m->at[key] ? json_count(json_index_value(json, m->at[key])) : UNKNOWN;
}

/* The first known of two counts in the first of some detail objects that has one. */
static int64_t detail_of(const struct json_index *json, const struct members *m,
                         const enum llm_key objects[3], enum llm_key one, enum llm_key other)
{
    for (int i = 0; i < 3; i++) {
        size_t node = member_object(json, m, objects[i]);
        struct members details;
        int64_t count;

        if (!node)
            continue;
        members_read(json, node, &details);
        count = first_known(count_of(json, &details, one), count_of(json, &details, other));
        if (count != UNKNOWN)
            return count;
    }
    return UNKNOWN;
}

static void cap_cached(struct usage *u)
{
    if (u->cached_input != UNKNOWN && u->input != UNKNOWN && u->cached_input > u->input)
        u->cached_input = u->input;
}

/* ---- the shapes --------------------------------------------------------------------------- */

static int64_t input_of(const struct json_index *json, const struct members *m)
{
    int64_t input = count_of(json, m, KEY_input_tokens);
    int64_t prompt = count_of(json, m, KEY_prompt_tokens);
    int64_t cached = sum_known(count_of(json, m, KEY_cache_read_input_tokens),
                               count_of(json, m, KEY_cache_creation_input_tokens));

    if (prompt == UNKNOWN && cached != UNKNOWN) /* Anthropic counts them apart from input */
        return sum_known(input, cached);
    if (first_known(input, prompt) != UNKNOWN)
        return first_known(input, prompt);
    return sum_known(count_of(json, m, KEY_prompt_cache_hit_tokens),
                     count_of(json, m, KEY_prompt_cache_miss_tokens));
}

static int64_t cached_of(const struct json_index *json, const struct members *m)
{
    static const enum llm_key objects[] = {KEY_input_tokens_details, KEY_prompt_tokens_details,
                                           KEY_input_token_details};
    static const enum llm_key own[] = {KEY_cached_input_tokens, KEY_prompt_cache_hit_tokens,
                                       KEY_cached_tokens, KEY_cache_read_input_tokens};
    int64_t count = detail_of(json, m, objects, KEY_cached_tokens, KEY_cache_read_tokens);

    for (size_t i = 0; count == UNKNOWN && i < sizeof(own) / sizeof(*own); i++)
        count = count_of(json, m, own[i]);
    return count;
}

static int64_t cache_write_of(const struct json_index *json, const struct members *m)
{
    static const enum llm_key objects[] = {KEY_input_tokens_details, KEY_prompt_tokens_details,
                                           KEY_input_token_details};
    int64_t count = detail_of(json, m, objects, KEY_cache_write_tokens, KEY_cache_write_tokens);

    count = first_known(count, count_of(json, m, KEY_cache_write_tokens));
    return first_known(count, count_of(json, m, KEY_cache_creation_input_tokens));
}

static int64_t reasoning_of(const struct json_index *json, const struct members *m)
{
    static const enum llm_key objects[] = {KEY_output_tokens_details, KEY_completion_tokens_details,
                                           KEY_output_token_details};
    int64_t count = detail_of(json, m, objects, KEY_reasoning_tokens, KEY_reasoning_tokens);

    return first_known(count, count_of(json, m, KEY_reasoning_tokens));
}

/* What the shapes begin with. */
static const enum llm_key first_keys[] = {
    KEY_input_tokens,
    KEY_prompt_tokens,
    KEY_output_tokens,
    KEY_completion_tokens,
    KEY_total_tokens,
    KEY_prompt_cache_hit_tokens,
    KEY_prompt_cache_miss_tokens,
    KEY_cache_read_input_tokens,
    KEY_cache_creation_input_tokens,
#define USAGE_OBJECT_KEYS 9
    KEY_usage,
    KEY_timings,
    KEY_prompt_n,
    KEY_cache_n,
    KEY_predicted_n,
    KEY_prompt_eval_count,
    KEY_eval_count,
    KEY_usageMetadata,
};

/* Most objects have none of them. */
static bool may_report(const struct members *m)
{
    for (size_t i = 0; i < sizeof(first_keys) / sizeof(*first_keys); i++)
        if (m->at[first_keys[i]])
            return true;
    return false;
}

static bool is_usage_object(const struct json_index *json, const struct members *m)
{
    for (size_t i = 0; i < USAGE_OBJECT_KEYS; i++)
        if (count_of(json, m, first_keys[i]) != UNKNOWN)
            return true;
    return false;
}

static bool read_usage_object(const struct json_index *json, const struct members *m,
                              struct usage *out)
{
    if (!is_usage_object(json, m))
        return false;
    out->input = input_of(json, m);
    out->output =
        first_known(count_of(json, m, KEY_output_tokens), count_of(json, m, KEY_completion_tokens));
    out->total =
        first_known(count_of(json, m, KEY_total_tokens), sum_both(out->input, out->output));
    out->cached_input = cached_of(json, m);
    out->cache_write_input = cache_write_of(json, m);
    out->reasoning = reasoning_of(json, m);
    return true;
}

/* llama.cpp: prompt_n counts the prompt tokens that were not in the cache. */
static bool read_timings(const struct json_index *json, const struct members *m, struct usage *out)
{
    size_t node = member_object(json, m, KEY_timings);
    struct members inner;

    if (node) {
        members_read(json, node, &inner);
        m = &inner;
    }
    out->cached_input = count_of(json, m, KEY_cache_n);
    out->input = sum_known(count_of(json, m, KEY_prompt_n), out->cached_input);
    out->output = count_of(json, m, KEY_predicted_n);
    out->total = sum_both(out->input, out->output);
    return usage_known(out);
}

static bool read_ollama(const struct json_index *json, const struct members *m, struct usage *out)
{
    out->input = count_of(json, m, KEY_prompt_eval_count);
    out->output = count_of(json, m, KEY_eval_count);
    out->total = sum_both(out->input, out->output);
    return usage_known(out);
}

static bool read_gemini(const struct json_index *json, const struct members *m, struct usage *out)
{
    size_t node = member_object(json, m, KEY_usageMetadata);
    struct members g;

    if (!node)
        return false;
    members_read(json, node, &g);
    out->input = count_of(json, &g, KEY_promptTokenCount);
    out->cached_input = count_of(json, &g, KEY_cachedContentTokenCount);
    out->reasoning = count_of(json, &g, KEY_thoughtsTokenCount);
    out->output = sum_known(count_of(json, &g, KEY_candidatesTokenCount), out->reasoning);
    out->total =
        first_known(count_of(json, &g, KEY_totalTokenCount), sum_both(out->input, out->output));
    return usage_known(out);
}

typedef bool shape_fn(const struct json_index *json, const struct members *m, struct usage *out);

/* What one object reports: its member "usage", or itself. */
static bool read_object(const struct json_index *json, size_t node, struct usage *out)
{
    static shape_fn *const shapes[] = {read_usage_object, read_timings, read_ollama, read_gemini};
    struct members own, inner;
    size_t usage;

    members_read(json, node, &own);
    if (!may_report(&own))
        return false;
    usage = member_object(json, &own, KEY_usage);
    if (usage) {
        members_read(json, usage, &inner);
        if (read_usage_object(json, &inner, out))
            return true;
    }
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        *out = USAGE_UNKNOWN;
        if (shapes[i](json, &own, out))
            return true;
    }
    return false;
}

/* ---- searching ---------------------------------------------------------------------------- */

/* Members whose content is data of the user's. */
static bool is_foreign(const struct json_index *json, size_t node)
{
    switch (llm_key_at(json, node)) {
    case KEY_arguments:
    case KEY_parameters:
    case KEY_input_schema:
    case KEY_tools:
    case KEY_metadata:
        return true;
    default: /* all other keys of the table */
        return false;
    }
}

struct usage usage_find(const struct json_index *json)
{
    uint32_t ends[MAX_DEPTH]; /* of the containers that are open */
    struct usage found = USAGE_UNKNOWN;
    size_t depth = 0;

    for (size_t node = 0; node < json->count;) {
        const struct json_node *n = &json->nodes[node];
        bool object = json_node_is(json, node, '{');

        while (depth > 0 && node >= ends[depth - 1])
            depth--;
        if ((!object && !json_node_is(json, node, '[')) || depth == MAX_DEPTH ||
            is_foreign(json, node)) {
            node = n->next;
            continue;
        }
        if (object && read_object(json, node, &found)) {
            cap_cached(&found);
            return found;
        }
        ends[depth++] = n->next;
        node++;
    }
    return USAGE_UNKNOWN;
}

static void take(int64_t *to, int64_t from)
{
    if (from != UNKNOWN)
        *to = from;
}

void usage_merge(struct usage *u, const struct usage *next)
{
    if (!usage_known(next))
        return;
    if (next->input != UNKNOWN && next->output != UNKNOWN) {
        *u = *next;
        return;
    }
    take(&u->input, next->input);
    take(&u->cached_input, next->cached_input);
    take(&u->cache_write_input, next->cache_write_input);
    take(&u->output, next->output);
    take(&u->reasoning, next->reasoning);
    take(&u->total, first_known(next->total, sum_both(u->input, u->output)));
    cap_cached(u);
}

bool usage_is_consumption(struct str method, struct str endpoint)
{
    static const struct str exact[] = {
        STR("/v1/messages/count_tokens"),
        STR("/v1/responses/input_tokens"),
        STR("/v1/tokenize"),
    };
    static const struct str below[] = {
        STR("/v1/files"), STR("/v1/batches"),          STR("/v1/fine_tuning"),
        STR("/v1/evals"), STR("/v1/messages/batches"),
    };

    if (endpoint.len > 1 && endpoint.ptr[endpoint.len - 1] == '/')
        endpoint.len--;
    if (!str_eq(method, STR("POST")) || str_ends(endpoint, STR("/cancel")))
        return false;
    for (size_t i = 0; i < sizeof(exact) / sizeof(*exact); i++)
        if (str_eq(endpoint, exact[i]))
            return false;
    for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++)
        if (str_starts(endpoint, below[i]))
            return false;
    return true;
}

int64_t usage_output_in(struct str event)
{
    static const char *const names[] = {
        "\"completion_tokens\":", "\"output_tokens\":", "\"predicted_n\":"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct str name = str_c(names[i]);
        ptrdiff_t at = str_find(event, name);
        int64_t count = 0;
        struct str digits;

        if (at < 0)
            continue;
        digits = str_from(event, (size_t)at + name.len);
        while (digits.len > 0 && digits.ptr[0] == ' ')
            digits = str_from(digits, 1);
        while (digits.len > 0 && digits.ptr[0] >= '0' && digits.ptr[0] <= '9' &&
               count < INT32_MAX) {
            count = count * 10 + (digits.ptr[0] - '0');
            digits = str_from(digits, 1);
        }
        return count;
    }
    return 0;
}
