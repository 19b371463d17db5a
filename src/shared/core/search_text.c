/* The text of bodies: strings of the members that people write and read. */
#include "base/utf8.h"
#include "core/search.h"
#include "llm/sse.h"
#include "json/json_index.h"

#define EVENT_BYTES ((size_t)4 << 20)
#define CHANNELS 16
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

/* ---- streams ---- */

enum kind { KIND_TEXT, KIND_REASONING, KIND_TOOL };

/* What belongs together: the text of one choice, the arguments of one call. */
struct channel {
    enum kind kind;
    int64_t index;
    struct buf text;
};

struct stream {
    struct channel channels[CHANNELS];
    size_t count;
    struct buf rest; /* of further channels, as it comes */
    bool failed;
};

static struct buf *channel(struct stream *s, enum kind kind, int64_t index)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->channels[i].kind == kind && s->channels[i].index == index)
            return &s->channels[i].text;
    if (s->count == CHANNELS)
        return &s->rest;
    s->channels[s->count] = (struct channel){.kind = kind, .index = index};
    return &s->channels[s->count++].text;
}

static void add_piece(struct stream *s, const struct json_index *json, size_t node, enum kind kind,
                      int64_t index)
{
    struct str value = json_index_value(json, node);
    struct err err;

    if (node != 0 && value.ptr[0] == '"' && value.len > 2 &&
        json_string(value, channel(s, kind, index), &err) < 0)
        s->failed = true;
}

static int64_t read_index(const struct json_index *json, size_t object, const char *name)
{
    size_t node = json_index_member(json, object, str_c(name));
    int64_t index;

    return node && str_int64(json_index_value(json, node), &index) ? index : 0;
}

static bool is_array(const struct json_index *json, size_t node)
{
    return node != 0 && json_type_of(json_index_value(json, node)) == JSON_ARRAY;
}

/* A name and the start or all of its arguments. */
static void add_call(struct stream *s, const struct json_index *json, size_t call, int64_t index)
{
    size_t name = json_index_member(json, call, STR("name"));
    struct err err;

    add_piece(s, json, name, KIND_TOOL, index);
    if (name != 0 && buf_add(channel(s, KIND_TOOL, index), STR(" "), &err) < 0)
        s->failed = true;
    add_piece(s, json, json_index_member(json, call, STR("arguments")), KIND_TOOL, index);
}

static void add_calls(struct stream *s, const struct json_index *json, size_t calls)
{
    for (size_t i = calls + 1; i < json->nodes[calls].next; i = json->nodes[i].next) {
        size_t function = is_object(json, i) ? json_index_member(json, i, STR("function")) : 0;

        if (function != 0 && is_object(json, function))
            add_call(s, json, function, read_index(json, i, "index"));
    }
}

/* A delta, a message or a block: the members that carry a piece of text. */
static void add_delta(struct stream *s, const struct json_index *json, size_t object, int64_t index)
{
    static const struct {
        const char *name;
        enum kind kind;
    } pieces[] = {{"content", KIND_TEXT},       {"text", KIND_TEXT},
                  {"refusal", KIND_TEXT},       {"reasoning_content", KIND_REASONING},
                  {"thinking", KIND_REASONING}, {"partial_json", KIND_TOOL}};

    for (size_t i = object + 1; i < json->nodes[object].next; i = json->nodes[i].next) {
        struct str key = json_index_key(json, i);

        for (size_t p = 0; p < sizeof(pieces) / sizeof(*pieces); p++)
            if (json_key_is(key, str_c(pieces[p].name)))
                add_piece(s, json, i, pieces[p].kind, index);
        if (json_key_is(key, STR("tool_calls")) && is_array(json, i))
            add_calls(s, json, i);
        else if (json_key_is(key, STR("function_call")) && is_object(json, i))
            add_call(s, json, i, index);
    }
    if (json_index_member(json, object, STR("reasoning_content")) == 0)
        add_piece(s, json, json_index_member(json, object, STR("reasoning")), KIND_REASONING,
                  index);
}

static void add_choices(struct stream *s, const struct json_index *json, size_t choices)
{
    for (size_t i = choices + 1; i < json->nodes[choices].next; i = json->nodes[i].next) {
        size_t part;

        if (!is_object(json, i))
            continue;
        part = json_index_member(json, i, STR("delta"));
        if (part == 0)
            part = json_index_member(json, i, STR("message"));
        if (part == 0 || !is_object(json, part))
            part = i;
        add_delta(s, json, part, read_index(json, i, "index"));
    }
}

/* A named event of the Responses API, whose delta is a text. */
static void add_named(struct stream *s, const struct json_index *json, struct str type,
                      size_t delta)
{
    enum kind kind = KIND_TEXT;

    if (str_find(type, STR("audio.delta")) >= 0 || str_find(type, STR("image")) >= 0)
        return;
    if (str_find(type, STR("reasoning")) >= 0)
        kind = KIND_REASONING;
    else if (str_find(type, STR("arguments")) >= 0 || str_find(type, STR("input")) >= 0)
        kind = KIND_TOOL;
    add_piece(s, json, delta, kind, read_index(json, 0, "output_index"));
}

static void add_block(struct stream *s, const struct json_index *json, size_t block)
{
    int64_t index = read_index(json, 0, "index");
    size_t name = json_index_member(json, block, STR("name"));
    struct err err;

    add_delta(s, json, block, index);
    if (name == 0)
        return;
    add_piece(s, json, name, KIND_TOOL, index);
    if (buf_add(channel(s, KIND_TOOL, index), STR(" "), &err) < 0)
        s->failed = true;
}

static void add_event(struct stream *s, const struct json_index *json)
{
    size_t choices = 0, type = 0, delta = 0, block = 0, message = 0, response = 0, error = 0;

    if (!is_object(json, 0))
        return;
    for (size_t i = 1; i < json->nodes[0].next; i = json->nodes[i].next) {
        struct str key = json_index_key(json, i);

        choices = json_key_is(key, STR("choices")) ? i : choices;
        type = json_key_is(key, STR("type")) ? i : type;
        delta = json_key_is(key, STR("delta")) ? i : delta;
        block = json_key_is(key, STR("content_block")) ? i : block;
        message = json_key_is(key, STR("message")) ? i : message;
        response = json_key_is(key, STR("response")) ? i : response;
        error = json_key_is(key, STR("error")) ? i : error;
    }
    if (is_array(json, choices))
        add_choices(s, json, choices);
    else if (delta != 0 && is_object(json, delta))
        add_delta(s, json, delta, read_index(json, 0, "index"));
    else if (delta != 0)
        add_named(s, json, type ? json_index_value(json, type) : STR(""), delta);
    else if (block != 0 && is_object(json, block))
        add_block(s, json, block);
    else if (message != 0 && is_object(json, message))
        add_delta(s, json, message, 0);
    else
        add_piece(s, json, response, KIND_TEXT, 0);
    if (error != 0 && is_object(json, error))
        add_piece(s, json, json_index_member(json, error, STR("message")), KIND_TEXT, 0);
}

static void on_event(void *ctx, struct str data, bool cut)
{
    struct json_index json = {0};
    struct err err;

    if (!cut && json_index(&json, data, &err) == 0)
        add_event(ctx, &json);
    json_index_clear(&json);
}

static int end_stream(struct stream *s, struct buf *out, struct err *err)
{
    int rc = s->failed ? err_set(err, ERR_NO_MEMORY, "no memory for a text") : 0;

    for (size_t i = 0; i <= s->count; i++) {
        struct buf *text = i < s->count ? &s->channels[i].text : &s->rest;

        if (rc == 0 && text->len > 0 && out->len > 0)
            rc = buf_add(out, STR("\n\n"), err);
        if (rc == 0)
            rc = buf_add(out, buf_str(text), err);
        buf_clear(text);
    }
    return rc;
}

static int add_stream(struct str body, struct buf *out, struct err *err)
{
    struct stream s = {0};
    struct sse sse;

    sse_init(&sse, EVENT_BYTES, on_event, &s);
    sse_feed(&sse, body);
    sse_finish(&sse);
    sse_clear(&sse);
    return end_stream(&s, out, err);
}

static int add_lines(struct str body, struct buf *out, struct err *err)
{
    struct stream s = {0};
    struct str line;

    while (str_split(&body, '\n', &line))
        on_event(&s, line, line.len > EVENT_BYTES);
    return end_stream(&s, out, err);
}

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
        return add_stream(body, out, err);
    if (json_index(&json, body, &ignored) == 0)
        rc = is_object(&json, 0) ? add_members(out, &json, false, &count, err)
                                 : add_value(out, &json, 0, err);
    else if (str_starts(body, STR("{")))
        rc = add_lines(body, out, err);
    else
        rc = buf_add(out, body, err);
    json_index_clear(&json);
    return rc;
}
