#include "render.h"

#include "llm/markdown.h"
#include "llm/multipart.h"
#include "llm/sse.h"
#include "utf8.h"
#include "json/json.h"
#include "json/json_index.h"

/* Larger events are shown as they are and not searched. */
#define EVENT_BYTES ((size_t)16 << 20)
/* Indentation and nested blocks can make far more text of a body than it has. Beyond this the body
 * is shown as it came, and the list of blocks ends. */
#define GROWTH(bytes) (4 * (bytes) + ((size_t)4 << 20))

static const struct {
    const char *name, *title;
} modes[] = {
    [RENDER_AUTO] = {"auto", ""},
    [RENDER_JSON] = {"json", "Formatted JSON"},
    [RENDER_TEXT] = {"text", "Text"},
    [RENDER_MARKDOWN] = {"markdown", "Markdown"},
    [RENDER_TOOL] = {"tool", "Tool Calls and Responses"},
    [RENDER_SSE] = {"sse", "Raw SSE Stream"},
};
#define MODE_COUNT (sizeof(modes) / sizeof(*modes))

enum render_mode render_mode_parse(struct str name)
{
    for (size_t i = 0; i < MODE_COUNT; i++)
        if (str_eq(name, str_c(modes[i].name)))
            return (enum render_mode)i;
    return RENDER_AUTO;
}

const char *render_mode_name(enum render_mode mode)
{
    return modes[mode].name;
}

/* ---- what a body is ----------------------------------------------------------------------- */

/* A body being rendered. */
struct source {
    struct str body, content_type;
    struct str text;        /* the body as UTF-8 */
    struct buf repaired;    /* holds text when the body is not UTF-8 */
    struct json_index json; /* empty unless the body is JSON, and not null */
    bool stream;
};

static bool starts_like_stream(struct str text)
{
    const struct str fields[] = {STR("event:"), STR("id:"), STR("retry:"), STR(":")};

    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = str_from(text, 3);
    if (str_starts(text, STR("data:")))
        return true;
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (str_starts(text, fields[i]))
            return str_find(text, STR("\ndata:")) >= 0 || str_find(text, STR("\rdata:")) >= 0;
    return false;
}

static bool is_stream_type(struct str content_type)
{
    return str_ifind(content_type, STR("text/event-stream")) >= 0;
}

static bool is_binary(struct str body, struct str content_type)
{
    const struct str types[] = {STR("image/"), STR("audio/"), STR("video/"), STR("multipart/"),
                                STR("application/octet-stream")};

    if (body.len == 0)
        return false;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (str_istarts(str_trim(content_type), types[i]))
            return true;
    return str_chr(body, '\0') >= 0;
}

static void source_init(struct source *s, struct str body, struct str content_type)
{
    struct err err;

    *s = (struct source){.body = body, .content_type = content_type, .text = body};
    if (!utf8_valid(body))
        s->text = utf8_repair(&s->repaired, body, &err) == 0 ? buf_str(&s->repaired) : STR("");
    else if (json_index(&s->json, body, &err) == 0 &&
             json_type_of(json_index_value(&s->json, 0)) == JSON_NULL)
        json_index_clear(&s->json);
    s->stream = is_stream_type(content_type) || starts_like_stream(s->text);
}

static void source_clear(struct source *s)
{
    buf_clear(&s->repaired);
    json_index_clear(&s->json);
}

/* ---- extracted text ----------------------------------------------------------------------- */

/* Texts joined with a blank line. */
struct texts {
    const struct json_index *json;
    struct buf out;
    size_t count;
    bool failed;
};

/* Add node when it is a string; 0 is no node. */
static void add_text(struct texts *t, size_t node)
{
    struct str value = json_index_value(t->json, node);
    struct err err;

    if (node == 0 || json_type_of(value) != JSON_STRING)
        return;
    if ((t->count++ > 0 && buf_add(&t->out, STR("\n\n"), &err) < 0) ||
        json_string(value, &t->out, &err) < 0)
        t->failed = true;
}

static bool is_array(const struct json_index *json, size_t node)
{
    return node != 0 && json_type_of(json_index_value(json, node)) == JSON_ARRAY;
}

/* Missing, or nothing in it. */
static bool is_empty(const struct json_index *json, size_t node)
{
    return node == 0 || json->nodes[node].next == node + 1;
}

/* The string content of each message, or of the delta where there is no message. */
static void add_choices(struct texts *t, size_t choices)
{
    const struct json_index *json = t->json;

    if (!is_array(json, choices))
        return;
    for (size_t i = choices + 1; i < json->nodes[choices].next; i = json->nodes[i].next) {
        size_t message = json_index_member(json, i, STR("message"));

        if (is_empty(json, message))
            message = json_index_member(json, i, STR("delta"));
        if (message != 0)
            add_text(t, json_index_member(json, message, STR("content")));
    }
}

/* The string text of each element. */
static void add_blocks(struct texts *t, size_t blocks)
{
    const struct json_index *json = t->json;

    if (!is_array(json, blocks))
        return;
    for (size_t i = blocks + 1; i < json->nodes[blocks].next; i = json->nodes[i].next)
        add_text(t, json_index_member(json, i, STR("text")));
}

static void add_output(struct texts *t, size_t output)
{
    const struct json_index *json = t->json;

    if (!is_array(json, output))
        return;
    for (size_t i = output + 1; i < json->nodes[output].next; i = json->nodes[i].next)
        add_blocks(t, json_index_member(json, i, STR("content")));
}

/* Append the text an answer holds. False when there is none. */
static bool extract(const struct json_index *json, struct buf *out)
{
    struct texts t = {.json = json};
    struct err err;
    bool found;

    if (json->count == 0)
        return false;
    add_text(&t, json_index_member(json, 0, STR("output_text")));
    if (t.count == 0)
        add_choices(&t, json_index_member(json, 0, STR("choices")));
    if (t.count == 0)
        add_output(&t, json_index_member(json, 0, STR("output")));
    if (t.count == 0)
        add_blocks(&t, json_index_member(json, 0, STR("content")));
    found = !t.failed && t.out.len > 0 && buf_add(out, buf_str(&t.out), &err) == 0;
    buf_clear(&t.out);
    return found;
}

/* ---- tool blocks -------------------------------------------------------------------------- */

struct blocks {
    cJSON *list;     /* {"kind","payload"}, members of payloads in their order */
    struct buf text; /* the same for people */
    size_t room;     /* bytes of payload that may still be added */
    size_t count, events;
};

static bool is_falsy(struct str value)
{
    switch (json_type_of(value)) {
    case JSON_STRING:
        return !json_string_filled(value);
    case JSON_NUMBER:
        for (size_t i = 0; i < value.len && value.ptr[i] != 'e' && value.ptr[i] != 'E'; i++)
            if (value.ptr[i] >= '1' && value.ptr[i] <= '9')
                return false;
        return true;
    case JSON_OBJECT:
    case JSON_ARRAY: {
        struct json_iter it = json_iter(value);

        return !json_next(&it);
    }
    case JSON_TRUE:
        return false;
    case JSON_FALSE:
    case JSON_NULL:
    case JSON_INVALID:
        break;
    }
    return true;
}

static bool is_tool_type(struct str value)
{
    static const char *const types[] = {"function_call",
                                        "function_call_output",
                                        "tool_call",
                                        "tool_use",
                                        "tool_result",
                                        "server_tool_use",
                                        "mcp_tool_use",
                                        "mcp_tool_result",
                                        "custom_tool_call",
                                        "custom_tool_call_output",
                                        "mcp_call",
                                        "computer_call",
                                        "computer_call_output",
                                        "web_search_call",
                                        "file_search_call",
                                        "code_interpreter_call",
                                        "image_generation_call",
                                        "local_shell_call",
                                        "local_shell_call_output"};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (json_string_is(value, str_c(types[i])))
            return true;
    return false;
}

static void list_block(struct blocks *b, struct str kind, struct str payload)
{
    cJSON *block = cJSON_CreateObject();
    struct buf text = {0};
    struct err err;

    json_put_str(block, "kind", kind);
    if (buf_add(&text, payload, &err) == 0)
        json_put_raw(block, "payload", text.ptr);
    buf_clear(&text);
    if (!cJSON_AddItemToArray(b->list, block))
        cJSON_Delete(block);
}

static void print_block(struct blocks *b, struct str kind, const struct json_index *json,
                        size_t node)
{
    size_t before = b->text.len;
    struct err err;

    if (buf_add(&b->text,
                b->count > 1 ? STR(",\n  {\n    \"kind\": ") : STR("\n  {\n    \"kind\": "),
                &err) < 0 ||
        !json_quote(&b->text, kind) || buf_add(&b->text, STR(",\n    \"payload\": "), &err) < 0 ||
        json_pretty(&b->text, json, node, 2, &err) < 0 ||
        buf_add(&b->text, STR("\n  }"), &err) < 0) {
        buf_cut(&b->text, before);
        b->room = 0;
    }
}

static void add_block(struct blocks *b, struct str kind, const struct json_index *json, size_t node)
{
    struct str payload = json_index_value(json, node);

    if (payload.len > b->room) {
        b->room = 0; /* the list ends here */
        return;
    }
    b->room -= payload.len;
    b->count++;
    list_block(b, kind, payload);
    print_block(b, kind, json, node);
}

/* The members of an object that make it a block. */
struct signs {
    size_t tool_calls, function_call, type, tool_call_id, role;
};

static struct signs read_signs(const struct json_index *json, size_t object)
{
    struct signs s = {0};

    for (size_t i = object + 1; i < json->nodes[object].next; i = json->nodes[i].next) {
        struct str key = json_index_key(json, i);

        if (json_key_is(key, STR("tool_calls")))
            s.tool_calls = i;
        else if (json_key_is(key, STR("function_call")))
            s.function_call = i;
        else if (json_key_is(key, STR("type")))
            s.type = i;
        else if (json_key_is(key, STR("tool_call_id")))
            s.tool_call_id = i;
        else if (json_key_is(key, STR("role")))
            s.role = i;
    }
    return s;
}

/* "none" and "auto" say what a model may do, they are no calls. */
static bool is_call(struct str value)
{
    return !is_falsy(value) && !json_string_is(value, STR("none")) &&
           !json_string_is(value, STR("auto"));
}

static void add_typed(struct blocks *b, const struct json_index *json, size_t object, size_t type)
{
    struct str value = json_index_value(json, type);
    struct buf kind = {.limit = 64};
    struct err err;

    if (is_tool_type(value) && json_string(value, &kind, &err) == 0)
        add_block(b, buf_str(&kind), json, object);
    buf_clear(&kind);
}

static void add_object(struct blocks *b, const struct json_index *json, size_t object)
{
    struct signs s = read_signs(json, object);

    if (is_array(json, s.tool_calls))
        for (size_t i = s.tool_calls + 1; i < json->nodes[s.tool_calls].next;
             i = json->nodes[i].next)
            add_block(b, STR("chat.tool_call"), json, i);
    if (s.function_call && is_call(json_index_value(json, s.function_call)))
        add_block(b, STR("chat.function_call"), json, s.function_call);
    if (s.type)
        add_typed(b, json, object, s.type);
    if (s.tool_call_id && s.role && !is_falsy(json_index_value(json, s.tool_call_id)) &&
        json_string_is(json_index_value(json, s.role), STR("tool")))
        add_block(b, STR("chat.tool_response"), json, object);
}

/* Nodes are in document order, which is the order of a depth-first search. */
static void add_all(struct blocks *b, const struct json_index *json)
{
    for (size_t i = 0; i < json->count && b->room > 0; i++)
        if (json->text.ptr[json->nodes[i].start] == '{')
            add_object(b, json, i);
}

static void on_event(void *ctx, struct str data, bool cut)
{
    struct blocks *b = ctx;
    struct json_index json = {0};
    struct err err;

    b->events++;
    if (!cut && json_index(&json, data, &err) == 0)
        add_all(b, &json);
    json_index_clear(&json);
}

static void find_blocks(struct blocks *b, const struct source *s)
{
    struct err err;
    struct sse sse;

    *b = (struct blocks){.list = cJSON_CreateArray(), .room = GROWTH(s->text.len)};
    b->text.limit = 2 * GROWTH(s->text.len);
    if (buf_add(&b->text, STR("["), &err) < 0)
        return;
    if (s->stream) {
        sse_init(&sse, EVENT_BYTES, on_event, b);
        sse_feed(&sse, s->text);
        sse_finish(&sse);
        sse_clear(&sse);
    }
    if (b->events == 0)
        add_all(b, &s->json);
    b->text.limit = 0;
    if (buf_add(&b->text, STR("\n]"), &err) < 0)
        buf_clear(&b->text);
}

static void blocks_clear(struct blocks *b)
{
    cJSON_Delete(b->list);
    buf_clear(&b->text);
}

/* ---- modes -------------------------------------------------------------------------------- */

static bool looks_like_markdown(struct str text)
{
    const struct str signs[] = {STR("# "), STR("```"), STR("- "), STR("* "),
                                STR("| "), STR("> "),  STR("[")};

    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
        if (str_find(text, signs[i]) >= 0)
            return true;
    return false;
}

/* The mode that is shown when mode is asked for. */
static enum render_mode resolve(enum render_mode mode, const struct source *s,
                                const struct blocks *b)
{
    switch (mode) {
    case RENDER_JSON:
        return s->json.count > 0 ? RENDER_JSON : RENDER_TEXT;
    case RENDER_TOOL:
        return b->count > 0 ? RENDER_TOOL : RENDER_TEXT;
    case RENDER_TEXT:
    case RENDER_MARKDOWN:
    case RENDER_SSE:
        return mode;
    case RENDER_AUTO:
        break;
    }
    if (b->count > 0)
        return RENDER_TOOL;
    if (is_stream_type(s->content_type) || (s->stream && b->events > 0))
        return RENDER_SSE;
    if (s->json.count > 0)
        return RENDER_JSON;
    return looks_like_markdown(s->text) ? RENDER_MARKDOWN : RENDER_TEXT;
}

static void put_str(struct buf *out, struct str text)
{
    struct err err;

    buf_add(out, text, &err); /* without memory there is less to see, and nothing worse */
}

static void put_part(struct buf *out, const struct part *part)
{
    struct str name = utf8_cut(part->name, 200), file = utf8_cut(part->filename, 200);

    put_str(out, STR("\n"));
    put_str(out, name.len > 0 ? name : STR("(no name)"));
    put_str(out, STR(": "));
    if (part->filename.ptr) {
        put_str(out, file.len > 0 ? file : STR("(no file name)"));
        put_str(out, STR(", "));
    }
    if (part->content_type.ptr) {
        put_str(out, utf8_cut(part->content_type, 200));
        put_str(out, STR(", "));
    }
    buf_printf(out, part->content.len == 1 ? "%zu byte" : "%zu bytes", part->content.len);
}

/* A body that is no text: what it is, and the parts of a form. */
static void put_summary(struct buf *out, struct str body, struct str content_type)
{
    struct multipart form;

    buf_printf(out, "%zu bytes, ", body.len);
    put_str(out, content_type.len > 0 ? utf8_cut(content_type, 200) : STR("unknown type"));
    if (!multipart_parse(body, multipart_boundary(content_type), &form))
        return;
    if (form.count > 0)
        put_str(out, STR("\n"));
    for (size_t i = 0; i < form.count; i++)
        put_part(out, &form.parts[i]);
}

static void put_json(struct buf *out, const struct source *s)
{
    struct buf pretty = {.limit = GROWTH(s->text.len)};
    struct err err;

    if (json_pretty(&pretty, &s->json, 0, 0, &err) == 0)
        put_str(out, buf_str(&pretty));
    else
        put_str(out, s->text);
    buf_clear(&pretty);
}

static void put_mode_text(struct buf *out, const struct source *s, const struct blocks *b,
                          enum render_mode asked, enum render_mode mode)
{
    switch (mode) {
    case RENDER_JSON:
        put_json(out, s);
        break;
    case RENDER_TOOL:
        put_str(out, buf_str(&b->text));
        break;
    case RENDER_TEXT:
        if (asked == RENDER_JSON || !extract(&s->json, out))
            put_str(out, s->text);
        break;
    case RENDER_MARKDOWN:
        if (!extract(&s->json, out))
            put_str(out, s->text);
        break;
    case RENDER_SSE:
    case RENDER_AUTO:
        put_str(out, s->text);
        break;
    }
}

static void put_html(cJSON *o, enum render_mode mode, struct str text)
{
    struct buf html = {0};
    struct err err;

    if (mode == RENDER_MARKDOWN && markdown_html(&html, text, &err) == 0)
        json_put_str(o, "html", buf_str(&html));
    else
        json_put_null(o, "html");
    buf_clear(&html);
}

static cJSON *payload(enum render_mode mode, struct str text, cJSON *blocks)
{
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "mode", modes[mode].name);
    json_put_text(o, "title", modes[mode].title);
    json_put_str(o, "text", text);
    put_html(o, mode, text);
    if (!blocks || !cJSON_AddItemToObject(o, "tool_blocks", blocks))
        cJSON_Delete(blocks);
    return o;
}

cJSON *render_body(struct str body, struct str content_type, enum render_mode mode)
{
    struct source s;
    struct blocks b = {0};
    struct buf text = {0};
    enum render_mode shown;
    cJSON *o;

    if (is_binary(body, content_type)) {
        put_summary(&text, body, content_type);
        o = payload(RENDER_TEXT, buf_str(&text), cJSON_CreateArray());
        buf_clear(&text);
        return o;
    }
    source_init(&s, body, content_type);
    if (mode == RENDER_AUTO || mode == RENDER_TOOL)
        find_blocks(&b, &s);
    shown = resolve(mode, &s, &b);
    put_mode_text(&text, &s, &b, mode, shown);
    if (shown == RENDER_TOOL) {
        o = payload(shown, buf_str(&text), b.list);
        b.list = NULL; /* moved */
    } else {
        o = payload(shown, buf_str(&text), cJSON_CreateArray());
    }
    buf_clear(&text);
    blocks_clear(&b);
    source_clear(&s);
    return o;
}

void render_text(struct str body, struct str content_type, struct buf *out)
{
    struct source s;

    if (is_binary(body, content_type)) {
        put_summary(out, body, content_type);
        return;
    }
    source_init(&s, body, content_type);
    if (!extract(&s.json, out))
        put_str(out, s.text);
    source_clear(&s);
}
