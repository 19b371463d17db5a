#include "core/fix_ids.h"

#include "llm/fix.h"
#include "json/json.h"

static const struct fix_info known[] = {
    {.id = FIX_QWEN,
     .name = "Qwen tagged tool-call rewrite",
     .description = "Turns a tool call that a Qwen model wrote as tagged text into its reasoning "
                    "into a regular tool call, when there is exactly one and it fits its schema",
     .risk_note = "Clients execute what the model wrote as text",
     .endpoint = FIX_ENDPOINT,
     .streaming = true,
     .plain = true},
    {.id = FIX_THINK,
     .name = "Reasoning tags to reasoning_content",
     .description = "Moves a leading <think>...</think> of the content to reasoning_content, also "
                    "when a stream splits the tags",
     .risk_note = "Clients that look for the tags themselves find none",
     .endpoint = FIX_ENDPOINT,
     .streaming = true,
     .plain = true},
    {.id = FIX_ARGUMENTS,
     .name = "Tool-call arguments repair",
     .description = "Repairs arguments of tool calls that are no JSON because of a trailing comma, "
                    "a bracket that is not closed at the end, or a code fence around them; in a "
                    "stream they come when the turn ends",
     .risk_note = "Clients execute calls that they would have refused",
     .endpoint = FIX_ENDPOINT,
     .streaming = true,
     .plain = true},
};
#define KNOWN (sizeof(known) / sizeof(*known))

const struct fix_info *fix_info(size_t i)
{
    return i < KNOWN ? &known[i] : NULL;
}

static int refuse(const char **out, const char *code, struct err *err, const char *what,
                  struct str id)
{
    if (out)
        *out = code;
    return err_set(err, ERR_INVALID, "%s%.*s.", what, STR_ARG(str_cut(id, 100)));
}

static int add(struct buf *out, struct str id, bool *seen, const char **code, struct err *err)
{
    size_t i = 0;

    id = str_trim(id);
    if (id.len == 0)
        return 0;
    while (i < KNOWN && !str_eq(id, str_c(known[i].id)))
        i++;
    if (i == KNOWN)
        return refuse(code, "unknown_fix", err, "Unknown compatibility fix: ", id);
    if (seen[i])
        return refuse(code, "duplicate_fix", err, "Duplicate compatibility fix: ", id);
    seen[i] = true;
    if (out->ptr[out->len - 1] != '[')
        buf_put(out, STR(","));
    json_quote(out, id);
    return 0;
}

static int add_text(struct buf *out, struct str text, bool *seen, const char **code,
                    struct err *err)
{
    struct str line, id;

    while (str_split(&text, '\n', &line))
        while (str_split(&line, ',', &id))
            if (add(out, id, seen, code, err) < 0)
                return -1;
    return 0;
}

int fix_ids(struct buf *out, const cJSON *value, const char **code, struct err *err)
{
    bool seen[KNOWN] = {0};
    const cJSON *item;

    buf_put(out, STR("["));
    if (cJSON_IsString(value)) {
        if (add_text(out, str_c(value->valuestring), seen, code, err) < 0)
            return -1;
    } else if (value && !cJSON_IsNull(value) && !cJSON_IsArray(value)) {
        return refuse(code, "fixes_wrong_type", err,
                      "Compatibility fixes must be a list of strings", STR(""));
    }
    if (cJSON_IsArray(value)) {
        cJSON_ArrayForEach(item, value)
        {
            if (!cJSON_IsString(item))
                return refuse(code, "fix_not_string", err, "Compatibility fix IDs must be strings",
                              STR(""));
            if (add(out, str_c(item->valuestring), seen, code, err) < 0)
                return -1;
        }
    }
    buf_put(out, STR("]"));
    return 0;
}
