#include "view/view_live_text.h"

#include "base/utf8.h"
#include "llm/conversation.h"
#include "json/json.h"

#define SHOWN_CHARS ((size_t)4096)
#define USER_CHARS ((size_t)500)

static struct str text_of(const cJSON *o, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(item) ? str_c(item->valuestring) : STR_NONE;
}

static bool is_text(const cJSON *o, const char *key, const char *wanted)
{
    return str_eq(text_of(o, key), str_c(wanted));
}

/* Behind so many characters. */
static struct str skip_chars(struct str s, size_t chars)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] & 0xc0) != 0x80 && chars-- == 0)
            return str_from(s, i);
    return str_from(s, s.len);
}

static struct str cut_chars(struct str s, size_t chars)
{
    return str_cut(s, s.len - skip_chars(s, chars).len);
}

/* ---- the answer ---- */

/* STR_NONE for what has no text. */
static struct str text_of_part(const cJSON *part)
{
    return text_of(part, is_text(part, "type", "tool_call") ? "arguments_raw" : "text");
}

static bool is_shown(const cJSON *part)
{
    return is_text(part, "type", "text") || is_text(part, "type", "reasoning") ||
           is_text(part, "type", "tool_call") || is_text(part, "type", "refusal");
}

/* Call on each part of the answer, in order. */
typedef void part_fn(void *ctx, const cJSON *part);

static void each_part(const cJSON *conversation, part_fn *call, void *ctx)
{
    const cJSON *message, *part;

    cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(conversation, "messages"))
    {
        if (!is_text(message, "origin", "response"))
            continue;
        cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(message, "parts"))
        {
            if (is_shown(part))
                call(ctx, part);
        }
    }
}

static void add_chars(void *ctx, const cJSON *part)
{
    *(size_t *)ctx += utf8_chars(text_of_part(part));
}

struct items {
    cJSON *list;
    size_t skip; /* characters that are not shown */
};

static void add_item(void *ctx, const cJSON *part)
{
    struct items *items = ctx;
    struct str text = text_of_part(part);
    size_t chars = utf8_chars(text), skip = chars < items->skip ? chars : items->skip;
    cJSON *o;

    items->skip -= skip;
    if (skip > 0 && skip == chars)
        return;
    o = cJSON_CreateObject();
    json_put_str(o, "kind", text_of(part, "type"));
    if (is_text(part, "type", "tool_call"))
        json_put_str(o, "name", text_of(part, "name"));
    json_put_str(o, "text", text.ptr ? skip_chars(text, skip) : STR(""));
    json_put_bool(o, "open", false);
    cJSON_AddItemToArray(items->list, o);
}

/* A tail begins somewhere in an event. */
static struct str from_event(struct str tail)
{
    ptrdiff_t at = str_find(tail, STR("\n\n"));

    return at >= 0 ? str_from(tail, (size_t)at + 2) : STR("");
}

static void open_last(cJSON *list)
{
    int count = cJSON_GetArraySize(list);

    if (count > 0)
        cJSON_ReplaceItemInObjectCaseSensitive(cJSON_GetArrayItem(list, count - 1), "open",
                                               cJSON_CreateTrue());
}

/* Appends "offset" and "items". */
static void put_items(cJSON *o, const struct view_live_text *t)
{
    struct conversation_input in = {
        .endpoint = t->endpoint,
        .response_body = t->whole ? t->answer : from_event(t->answer),
        .response_content_type = t->content_type,
        .response_cut = true,
    };
    struct items items = {.list = cJSON_CreateArray()};
    cJSON *conversation = in.response_body.len > 0 ? conversation_build(&in) : NULL;
    size_t chars = 0;

    each_part(conversation, add_chars, &chars);
    items.skip = chars > SHOWN_CHARS ? chars - SHOWN_CHARS : 0;
    json_put_int(o, "offset", (int64_t)items.skip);
    each_part(conversation, add_item, &items);
    if (t->in_flight)
        open_last(items.list);
    cJSON_AddItemToObject(o, "items", items.list);
    cJSON_Delete(conversation);
}

void view_live_text(const struct view_live_text *t, struct buf *out)
{
    cJSON *o = cJSON_CreateObject(), *gaps;

    json_put_int(o, "id", t->id);
    put_items(o, t);
    json_put_str(o, "user", t->user);
    json_put_bool(o, "truncated", !t->whole);
    gaps = cJSON_AddArrayToObject(o, "gaps_ms");
    for (size_t i = 0; i < t->gap_count; i++)
        json_add_int(gaps, t->gaps_us[i] / 1000);
    json_print(out, o);
    cJSON_Delete(o);
}

/* ---- the request ---- */

static const cJSON *last_of_user(const cJSON *conversation)
{
    const cJSON *message, *last = NULL, *part;

    cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(conversation, "messages"))
    {
        if (!is_text(message, "role", "user"))
            continue;
        cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(message, "parts"))
        {
            if (is_text(part, "type", "text"))
                last = part;
        }
    }
    return last;
}

bool view_live_user(struct str endpoint, struct str request_body, struct buf *out)
{
    struct conversation_input in = {.endpoint = endpoint, .request_body = request_body};
    cJSON *conversation = request_body.len > 0 ? conversation_build(&in) : NULL;
    const cJSON *part = last_of_user(conversation);
    struct err err;
    bool found = part && buf_add(out, cut_chars(text_of(part, "text"), USER_CHARS), &err) == 0;

    cJSON_Delete(conversation);
    return found;
}
