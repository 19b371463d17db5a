#include "tokens.h"

#include "llm/bpe.h"
#include "json/json_index.h"

/* ---- what counts -------------------------------------------------------------------------- */

/* Members by the end of the endpoint, in the order in which they are printed: sorted. */
static const struct {
    const char *endpoint;
    const char *members[8];
} rules[] = {
    {"/chat/completions",
     {"function_call", "functions", "messages", "response_format", "tool_choice", "tools"}},
    {"/responses", {"input", "instructions", "response_format", "tool_choice", "tools"}},
    {"/messages", {"messages", "system", "tool_choice", "tools"}},
    {"/messages/count_tokens", {"messages", "system", "tool_choice", "tools"}},
    {"", {"input", "messages", "prompt", "tools"}},
};

static const char *const *members_of(struct str endpoint)
{
    size_t i = 0;

    while (!str_ends(endpoint, str_c(rules[i].endpoint)))
        i++;
    return rules[i].members;
}

static bool is_string(const struct json_index *json, size_t node)
{
    return json_type_of(json_index_value(json, node)) == JSON_STRING;
}

static bool member_is(const struct json_index *json, size_t node, struct str name, struct str text)
{
    size_t member = json_index_member(json, node, name);

    return member && is_string(json, member) &&
           json_string_is(json_index_value(json, member), text);
}

/* A data URL of an image, or the data of {"type":"base64","media_type":"image/png","data":...}. */
static bool is_image_data(const struct json_index *json, size_t parent, size_t node)
{
    struct str value = json_index_value(json, node);
    size_t type;

    if (str_istarts(value, STR("\"data:image/")))
        return str_ifind(str_cut(value, 256), STR(";base64,")) >= 0;
    if (!json_key_is(json_index_key(json, node), STR("data")))
        return false;
    type = json_index_member(json, parent, STR("media_type"));
    return type && str_istarts(json_index_value(json, type), STR("\"image/"));
}

/* {"image_url":{"url":...}}, {"image_url":...} or {"source":{"type":"url","url":...}} */
static bool is_image_link(const struct json_index *json, size_t parent, size_t node)
{
    struct str key = json_index_key(json, node), holder = json_index_key(json, parent);

    if (!str_istarts(json_index_value(json, node), STR("\"http")))
        return false;
    if (json_key_is(key, STR("image_url")))
        return true;
    return json_key_is(key, STR("url")) && (json_key_is(holder, STR("image_url")) ||
                                            (json_key_is(holder, STR("source")) &&
                                             member_is(json, parent, STR("type"), STR("url"))));
}

static struct str count_image(void *ctx, const struct json_index *json, size_t parent, size_t node)
{
    int64_t *tokens = ctx;
    bool data;

    if (!is_string(json, node))
        return STR_NONE;
    data = is_image_data(json, parent, node);
    if (data || is_image_link(json, parent, node))
        *tokens += member_is(json, parent, STR("detail"), STR("low")) ? TOKENS_OF_LOW_IMAGE
                                                                      : TOKENS_OF_IMAGE;
    return data ? STR("\"[image]\"") : STR_NONE;
}

static int put_member(struct buf *text, const struct json_index *json, struct str name,
                      const struct json_replace *replace, struct err *err)
{
    size_t node = json_index_member(json, 0, name);

    if (!node)
        return 0;
    if (buf_add(text, text->len ? STR(",\"") : STR("{\""), err) < 0 ||
        buf_add(text, name, err) < 0 || buf_add(text, STR("\":"), err) < 0)
        return -1;
    return json_compact(text, json, node, replace, err);
}

bool tokens_prompt(struct str body, struct str endpoint, struct buf *text, int64_t *image_tokens)
{
    struct json_replace replace = {count_image, image_tokens};
    struct json_index json = {0};
    struct err err;
    bool ok;

    *image_tokens = 0;
    buf_cut(text, 0);
    if (json_index(&json, body, &err) < 0)
        return false;
    ok = true;
    for (const char *const *name = members_of(endpoint); ok && *name; name++)
        ok = put_member(text, &json, str_c(*name), &replace, &err) == 0;
    ok = ok && text->len > 0 && buf_add(text, STR("}"), &err) == 0;
    json_index_clear(&json);
    return ok;
}

/* ---- the number --------------------------------------------------------------------------- */

/* Models of the older encoding; all others are nearer to the newer one. */
static bool is_cl100k(struct str model)
{
    static const char *const starts[] = {"gpt-4", "gpt-3.5", "text-embedding-", "babbage-002",
                                         "davinci-002"};
    static const char *const newer[] = {"gpt-4o", "gpt-4.1", "gpt-4.5"};

    for (ptrdiff_t slash; (slash = str_chr(model, '/')) >= 0;)
        model = str_from(model, (size_t)slash + 1);
    for (size_t i = 0; i < sizeof(newer) / sizeof(*newer); i++)
        if (str_starts(model, str_c(newer[i])))
            return false;
    for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
        if (str_starts(model, str_c(starts[i])))
            return true;
    return false;
}

static struct token_estimate count(struct str text, struct str model, bool quick)
{
    struct token_estimate e = {UNKNOWN, "approx-v1"};
    bool older = is_cl100k(model);
    const struct encoding *encoding = NULL;
    struct err err;

    if (!quick && text.len <= TOKENS_EXACT_BYTES)
        encoding = older ? encoding_cl100k() : encoding_o200k();
    if (encoding && encoding_count(encoding, text, &e.tokens, NULL, &err) == 0)
        e.tokenizer = older ? "cl100k_base" : "o200k_base";
    else
        e.tokens = tokens_approximate(text);
    return e;
}

struct token_estimate tokens_estimate(struct str body, struct str endpoint, struct str model,
                                      bool quick)
{
    struct token_estimate e = {UNKNOWN, NULL};
    struct buf text = {0};
    int64_t images;

    if (tokens_prompt(body, endpoint, &text, &images)) {
        e = count(buf_str(&text), model, quick);
        e.tokens += images;
    }
    buf_clear(&text);
    return e;
}
