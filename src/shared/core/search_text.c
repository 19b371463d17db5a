/* The text of bodies: strings of the members that people write and read. */
#include "base/utf8.h"
#include "core/search.h"
#include "llm/conversation.h"
#include "json/json_index.h"

#define BASE64_BYTES 256

/* ---- what is text ---- */

/* Top-level members of requests that hold what is said; without any of them all count. */
static const char *const said[] = {
    "messages", "input",   "prompt",    "system",   "instructions",
    "suffix",   "query",   "documents", "contents", "systemInstruction",
    "texts",    "question"};
/* Members that are not text for people, wherever they are. */
static const char *const passed_over[] = {"role",
                                          "type",
                                          "id",
                                          "tool_call_id",
                                          "call_id",
                                          "tool_use_id",
                                          "model",
                                          "url",
                                          "data",
                                          "file_data",
                                          "b64_json",
                                          "signature",
                                          "media_type",
                                          "encrypted_content",
                                          "mime_type",
                                          "detail",
                                          "object",
                                          "status",
                                          "finish_reason",
                                          "stop_reason",
                                          "cache_control",
                                          "service_tier",
                                          "logprobs",
                                          "system_fingerprint",
                                          "tools",
                                          "functions",
                                          "tool_choice",
                                          "item_id",
                                          "response_format",
                                          "encoding_format",
                                          "metadata",
                                          "usage",
                                          "created_at",
                                          "previous_response_id"};

static bool is_one_of(struct str key, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_key_is(key, str_c(names[i])))
            return true;
    return false;
}
#define ONE_OF(key, names) is_one_of(key, names, sizeof(names) / sizeof(*(names)))

static bool is_base64(struct str s)
{
    size_t n = s.len < BASE64_BYTES ? s.len : BASE64_BYTES;
    bool upper = false, lower = false, digit = false;

    if (str_istarts(s, STR("data:")) && str_find(str_cut(s, BASE64_BYTES), STR(";base64,")) >= 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        char c = s.ptr[i];

        if (c >= 'A' && c <= 'Z')
            upper = true;
        else if (c >= 'a' && c <= 'z')
            lower = true;
        else if (c >= '0' && c <= '9')
            digit = true;
        else if (c != '+' && c != '/' && c != '-' && c != '_' && c != '=' && c != '\\')
            return false;
    }
    return n == BASE64_BYTES && upper && lower && digit;
}

static int add_string(struct buf *out, struct str value, struct err *err)
{
    size_t before = out->len;

    if (value.len < 3 || is_base64((struct str){value.ptr + 1, value.len - 2}))
        return 0;
    if (before > 0 && buf_add(out, STR("\n\n"), err) < 0)
        return -1;
    if (json_string(value, out, err) < 0) {
        buf_cut(out, before);
        return -1;
    }
    return 0;
}

/* All texts of a value. */
static int add_value(struct buf *out, const struct json_index *json, size_t node, struct err *err)
{
    size_t end = json->nodes[node].next;

    for (size_t i = node; i < end;) {
        struct str key = json_index_key(json, i), value = json_index_value(json, i);

        if (i != node && key.ptr && ONE_OF(key, passed_over)) {
            i = json->nodes[i].next;
            continue;
        }
        if (value.ptr[0] == '"' && add_string(out, value, err) < 0)
            return -1;
        i++;
    }
    return 0;
}

/* The texts of the members of the outermost object: of those said only, or of all. */
static int add_members(struct buf *out, const struct json_index *json, bool said_only,
                       size_t *count, struct err *err)
{
    *count = 0;
    for (size_t i = 1; i < json->nodes[0].next; i = json->nodes[i].next) {
        struct str key = json_index_key(json, i);

        if (said_only ? !ONE_OF(key, said)
                      : ONE_OF(key, passed_over) || json_key_is(key, STR("instructions")))
            continue; /* answers repeat the instructions */
        ++*count;
        if (add_value(out, json, i, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_object(const struct json_index *json, size_t node)
{
    return json_type_of(json_index_value(json, node)) == JSON_OBJECT;
}

static bool is_binary(struct str body, struct str content_type)
{
    static const char *const types[] = {"image/", "audio/", "video/", "multipart/",
                                        "application/octet-stream"};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (str_istarts(str_trim(content_type), str_c(types[i])))
            return true;
    return memchr(body.ptr, '\0', str_cut(body, 4096).len) != NULL;
}

int search_request_text(struct str body, struct str content_type, struct buf *out, struct err *err)
{
    struct json_index json = {0};
    struct err ignored;
    size_t count = 0;
    int rc;

    if (body.len == 0 || is_binary(body, content_type))
        return 0;
    if (json_index(&json, body, &ignored) < 0) {
        rc = buf_add(out, body, err);
    } else if (!is_object(&json, 0)) {
        rc = add_value(out, &json, 0, err);
    } else {
        rc = add_members(out, &json, true, &count, err);
        if (rc == 0 && count == 0)
            rc = add_members(out, &json, false, &count, err);
    }
    json_index_clear(&json);
    return rc;
}

/* ---- answers ---- */

static bool is_stream(struct str body, struct str content_type)
{
    static const char *const starts[] = {"data:", "event:", "id:", "retry:", ":"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
        if (str_starts(body, str_c(starts[i])))
            return true;
    return str_ifind(content_type, STR("text/event-stream")) >= 0;
}

int search_answer_text(struct str body, struct str content_type, struct buf *out, struct err *err)
{
    struct json_index json = {0};
    struct err ignored;
    size_t count;
    int rc;

    if (body.len == 0 || is_binary(body, content_type))
        return 0;
    if (is_stream(body, content_type))
        return conversation_events_text(body, false, out, err);
    if (json_index(&json, body, &ignored) == 0)
        rc = is_object(&json, 0) ? add_members(out, &json, false, &count, err)
                                 : add_value(out, &json, 0, err);
    else if (str_starts(body, STR("{")))
        rc = conversation_events_text(body, true, out, err);
    else
        rc = buf_add(out, body, err);
    json_index_clear(&json);
    return rc;
}
