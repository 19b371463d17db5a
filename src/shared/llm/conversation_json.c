#include "llm/conversation_priv.h"
#include "json/json.h"

/* Readers accept this much; our own frame takes a few levels of it. */
#define MAX_DEPTH (JSON_MAX_DEPTH - 32)

static bool is_shallow(struct str json)
{
    const char *p = json.ptr, *end = json.ptr + json.len;
    size_t depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = json_string_end(p, end);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        if (depth > MAX_DEPTH)
            return false;
        p++;
    }
    return true;
}

void conv_put_json(cJSON *o, const char *key, struct str json)
{
    struct buf text = {0};
    struct err err;

    if (!is_shallow(json))
        json_put_str(o, key, json);
    else if (buf_add(&text, json, &err) == 0)
        json_put_raw(o, key, text.ptr);
    else
        json_put_null(o, key);
    buf_clear(&text);
}

static const char *const type_names[] = {
    [CONV_TEXT] = "text",          [CONV_REASONING] = "reasoning", [CONV_IMAGE] = "image",
    [CONV_AUDIO] = "audio",        [CONV_FILE] = "file",           [CONV_CALL] = "tool_call",
    [CONV_RESULT] = "tool_result", [CONV_REFUSAL] = "refusal",     [CONV_UNKNOWN] = "unknown",
};

static void put_call(cJSON *o, const struct conv_part *part)
{
    struct str value;

    json_put_str(o, "id", part->id);
    json_put_str(o, "name", part->name);
    json_put_str(o, "kind", part->kind);
    json_put_str(o, "arguments_raw", buf_str(&part->text));
    if (json_scan(buf_str(&part->text), &value) != JSON_INVALID)
        conv_put_json(o, "arguments", value);
    else
        json_put_null(o, "arguments");
}

static void put_media(cJSON *o, const struct conv_part *part)
{
    json_put_str(o, "url", part->url);
    json_put_str(o, "mime_type", part->mime_type);
    json_put_str(o, "name", part->name);
    json_put_str(o, "file_id", part->id);
    json_put_str(o, "detail", part->detail);
    json_put_int(o, "bytes", part->bytes);
    if (part->type == CONV_AUDIO)
        json_put_str(o, "transcript", part->text.len > 0 ? buf_str(&part->text) : STR_NONE);
}

static cJSON *part_json(const struct conv_part *part)
{
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "type", type_names[part->type]);
    switch (part->type) {
    case CONV_REASONING:
        json_put_bool(o, "summary", part->summary);
        json_put_bool(o, "encrypted", part->encrypted);
        json_put_str(o, "text", buf_str(&part->text));
        break;
    case CONV_TEXT:
    case CONV_REFUSAL:
        json_put_str(o, "text", buf_str(&part->text));
        break;
    case CONV_IMAGE:
    case CONV_AUDIO:
    case CONV_FILE:
        put_media(o, part);
        break;
    case CONV_CALL:
        put_call(o, part);
        break;
    case CONV_RESULT:
        json_put_str(o, "tool_call_id", part->id);
        cJSON_AddArrayToObject(o, "content");
        break;
    case CONV_UNKNOWN:
        json_put_str(o, "kind", part->kind);
        conv_put_json(o, "raw", part->text.len > 0 ? buf_str(&part->text) : STR("null"));
        break;
    }
    return o;
}

static void add_item(cJSON *list, cJSON *item)
{
    if (!cJSON_AddItemToArray(list, item))
        cJSON_Delete(item);
}

static cJSON *message_json(const struct conv_message *m, size_t index)
{
    cJSON *o = cJSON_CreateObject(), *parts, *inner = NULL, *item;

    json_put_int(o, "index", (int64_t)index);
    json_put_str(o, "role", m->role);
    json_put_str(o, "name", m->name);
    json_put_text(o, "origin", m->response ? "response" : "request");
    parts = cJSON_AddArrayToObject(o, "parts");
    for (size_t i = 0; i < m->count; i++) {
        item = part_json(&m->parts[i]);
        add_item(m->parts[i].inside && inner ? inner : parts, item);
        if (m->parts[i].type == CONV_RESULT)
            inner = cJSON_GetObjectItemCaseSensitive(item, "content");
    }
    return o;
}

static void put_messages(cJSON *o, const struct conv *c)
{
    cJSON *messages = cJSON_AddArrayToObject(o, "messages");
    cJSON *choices = cJSON_AddArrayToObject(o, "choices"), *choice;

    for (size_t i = 0; i < c->count; i++) {
        add_item(messages, message_json(&c->messages[i], i));
        if (!c->messages[i].response)
            continue;
        choice = cJSON_CreateObject();
        json_put_int(choice, "index", c->messages[i].choice);
        json_put_str(choice, "finish_reason", c->messages[i].finish_reason);
        json_put_int(choice, "message", (int64_t)i);
        add_item(choices, choice);
    }
}

static void put_error(cJSON *o, const struct conv *c)
{
    cJSON *error;

    if (!c->failed) {
        json_put_null(o, "error");
        return;
    }
    error = cJSON_AddObjectToObject(o, "error");
    json_put_str(error, "type", c->error.type);
    json_put_str(error, "code", c->error.code);
    json_put_str(error, "message", c->error.message);
}

/* An answer that has its end is complete, whatever its API calls the end. */
static bool has_ended(const struct conv *c)
{
    for (size_t i = c->count - c->responses; i < c->count; i++)
        if (!c->messages[i].finish_reason.ptr)
            return c->done;
    return c->done || c->responses > 0;
}

static void put_stream(cJSON *o, struct conv *c, bool cut)
{
    cJSON *s;
    bool ended = has_ended(c);

    if (!c->is_stream) {
        json_put_null(o, "stream");
        return;
    }
    s = cJSON_AddObjectToObject(o, "stream");
    json_put_text(s, "state", c->failed ? "failed" : ended ? "complete" : cut ? "cut" : "stopped");
    json_put_int(s, "events", c->events);
    json_put_int(s, "broken", c->broken);
    json_put_int(s, "unknown", c->unknown);
    json_put_bool(s, "inside_event", c->cut_event);
    json_put_int(s, "last_message", c->last > 0 ? (int64_t)c->last - 1 : UNKNOWN);
    json_put_text(s, "last_part", c->last > 0 ? type_names[c->last_type] : NULL);
    if (cJSON_AddItemToObject(s, "unknown_events", c->unknown_events))
        c->unknown_events = NULL;
}

cJSON *conv_json(struct conv *c, const struct conv_dialect *dialect, bool response_cut)
{
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "format", dialect ? dialect->name : NULL);
    json_put_str(o, "model", c->model);
    if (cJSON_AddItemToObject(o, "params", c->params))
        c->params = NULL;
    if (cJSON_AddItemToObject(o, "tools", c->tools))
        c->tools = NULL;
    put_messages(o, c);
    put_stream(o, c, response_cut);
    put_error(o, c);
    json_put_int(o, "omitted", (int64_t)c->omitted);
    json_put_str(o, "notice", c->notice);
    return o;
}
