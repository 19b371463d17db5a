#include <stdlib.h>

#include "llm/conversation_priv.h"
#include "utf8.h"
#include "json/json.h"
#include "json/json_number.h"

#define NAME_BYTES 4096

/* ---- reading ------------------------------------------------------------------------------ */

size_t conv_member(const struct conv *c, size_t node, const char *name)
{
    return json_index_member(c->json, node, str_c(name));
}

struct str conv_value(const struct conv *c, size_t node)
{
    return node > 0 ? json_index_value(c->json, node) : STR_NONE;
}

static size_t member_that_begins(const struct conv *c, size_t node, const char *name, char first)
{
    size_t found = conv_member(c, node, name);

    return found > 0 && conv_value(c, found).ptr[0] == first ? found : 0;
}

size_t conv_object(const struct conv *c, size_t node, const char *name)
{
    return member_that_begins(c, node, name, '{');
}

size_t conv_array(const struct conv *c, size_t node, const char *name)
{
    return member_that_begins(c, node, name, '[');
}

size_t conv_string(const struct conv *c, size_t node, const char *name)
{
    return member_that_begins(c, node, name, '"');
}

bool conv_is(const struct conv *c, size_t node, const char *member, const char *text)
{
    size_t found = conv_string(c, node, member);

    return found > 0 && json_string_is(conv_value(c, found), str_c(text));
}

struct str conv_name(struct conv *c, size_t node, const char *member)
{
    struct str value = conv_value(c, conv_string(c, node, member)), out = STR_NONE;
    struct buf text = {0};
    struct err err;

    if (value.ptr && json_string_filled(value) && json_string(value, &text, &err) == 0)
        out = arena_dup(&c->arena, utf8_cut(buf_str(&text), NAME_BYTES));
    buf_clear(&text);
    return out;
}

int64_t conv_number(const struct conv *c, size_t node, const char *member, int64_t otherwise)
{
    size_t found = conv_member(c, node, member);
    int64_t count = found > 0 ? json_count(conv_value(c, found)) : UNKNOWN;

    return count == UNKNOWN ? otherwise : count;
}

/* ---- building ----------------------------------------------------------------------------- */

/* Room for one more of size bytes behind count. False without memory. */
static bool grow(void **items, size_t count, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 4;
    void *grown;

    if (count < *cap)
        return true;
    grown = realloc(*items, more * size);
    if (!grown)
        return false;
    *items = grown;
    *cap = more;
    return true;
}

/* False when there are too many. */
static bool count_one(struct conv *c)
{
    if (c->parts < CONV_MAX) {
        c->parts++;
        return true;
    }
    c->omitted++;
    return false;
}

struct conv_message *conv_add_message(struct conv *c, struct str role, bool response)
{
    void *items = c->messages;
    bool ok = count_one(c) && grow(&items, c->count, &c->cap, sizeof(*c->messages));

    c->messages = items;
    if (!ok)
        return NULL;
    c->messages[c->count] = (struct conv_message){.role = role, .response = response};
    return &c->messages[c->count++];
}

struct conv_part *conv_add(struct conv *c, struct conv_message *m, enum conv_type type)
{
    void *items = m->parts;
    bool ok = count_one(c) && grow(&items, m->count, &m->cap, sizeof(*m->parts));

    m->parts = items;
    if (!ok)
        return NULL;
    m->parts[m->count] = (struct conv_part){.type = type, .key = CONV_NO_KEY, .bytes = UNKNOWN};
    return &m->parts[m->count++];
}

/* Without memory there is less to see, and nothing worse. */
void conv_put_text(const struct conv *c, struct conv_part *part, size_t node)
{
    struct str value = conv_value(c, node);
    struct err err;

    if (json_type_of(value) == JSON_STRING)
        json_string(value, &part->text, &err);
    else
        conv_put_raw(c, part, node);
}

void conv_put_raw(const struct conv *c, struct conv_part *part, size_t node)
{
    struct err err;

    buf_add(&part->text, json_index_value(c->json, node), &err);
}

void conv_add_text(struct conv *c, struct conv_message *m, enum conv_type type, size_t node)
{
    struct str value = conv_value(c, node);
    struct conv_part *part;

    if (!value.ptr || json_type_of(value) != JSON_STRING || !json_string_filled(value))
        return;
    part = conv_add(c, m, type);
    if (part)
        conv_put_text(c, part, node);
}

void conv_add_unknown(struct conv *c, struct conv_message *m, size_t node)
{
    struct str kind = conv_name(c, node, "type");
    struct conv_part *part = conv_add(c, m, CONV_UNKNOWN);

    if (!part)
        return;
    part->kind = kind;
    conv_put_raw(c, part, node);
}

void conv_add_call(struct conv *c, struct conv_message *m, struct str id, struct str name,
                   struct str kind, size_t arguments)
{
    struct conv_part *part = conv_add(c, m, CONV_CALL);

    if (!part)
        return;
    part->id = id;
    part->name = name;
    part->kind = kind;
    if (arguments > 0)
        conv_put_text(c, part, arguments);
}

void conv_add_tool(struct conv *c, struct str type, size_t tool, size_t schema)
{
    size_t about = conv_string(c, tool, "description");
    struct conv_part text = {0};
    cJSON *o;

    if (!count_one(c))
        return;
    if (about > 0)
        conv_put_text(c, &text, about);
    o = cJSON_CreateObject();
    json_put_str(o, "type", type);
    json_put_str(o, "name", conv_name(c, tool, "name"));
    json_put_str(o, "description", about > 0 ? buf_str(&text.text) : STR_NONE);
    if (schema > 0)
        conv_put_json(o, "parameters", conv_value(c, schema));
    else
        json_put_null(o, "parameters");
    if (!cJSON_AddItemToArray(c->tools, o))
        cJSON_Delete(o);
    buf_clear(&text.text);
}

/* ---- media -------------------------------------------------------------------------------- */

static int64_t base64_bytes(struct str data)
{
    while (data.len > 0 && data.ptr[data.len - 1] == '=')
        data.len--;
    return (int64_t)(data.len / 4 * 3 + data.len % 4 * 3 / 4);
}

/* A link is kept, data is only measured. */
static void put_source(struct conv *c, struct conv_part *part, size_t node)
{
    struct str value = conv_value(c, node), head, type;
    struct buf text = {0};
    struct err err;
    ptrdiff_t comma;

    if (!value.ptr || json_type_of(value) != JSON_STRING || json_string(value, &text, &err) < 0) {
        buf_clear(&text);
        return;
    }
    comma = str_chr(buf_str(&text), ',');
    if (str_istarts(buf_str(&text), STR("data:")) && comma >= 0) {
        head = str_from(str_cut(buf_str(&text), (size_t)comma), 5);
        part->bytes = base64_bytes(str_from(buf_str(&text), (size_t)comma + 1));
        if (!str_split(&head, ';', &type))
            type = STR("text/plain"); /* what data URLs without one are */
        part->mime_type = arena_dup(&c->arena, utf8_cut(type, NAME_BYTES));
    } else {
        part->url = arena_dup(&c->arena, utf8_cut(buf_str(&text), NAME_BYTES));
    }
    buf_clear(&text);
}

static void put_data(struct conv *c, struct conv_part *part, size_t node)
{
    struct str value = conv_value(c, node);

    if (value.ptr && json_type_of(value) == JSON_STRING && value.len > 2) {
        if (str_istarts(value, STR("\"data:")))
            put_source(c, part, node);
        else
            part->bytes = base64_bytes(str_from(str_cut(value, value.len - 1), 1));
    }
}

/* {"image_url":{"url","detail"}}, {"image_url":"…","detail"}, {"file_id"} */
static void add_image(struct conv *c, struct conv_message *m, size_t block)
{
    struct conv_part *part = conv_add(c, m, CONV_IMAGE);
    size_t inner = conv_object(c, block, "image_url"), from = inner > 0 ? inner : block;

    if (!part)
        return;
    put_source(c, part,
               inner > 0 ? conv_string(c, inner, "url") : conv_string(c, block, "image_url"));
    part->detail = conv_name(c, from, "detail");
    part->id = conv_name(c, from, "file_id");
}

/* {"source":{"type","media_type","data"|"url"|"file_id"}} of Messages */
static void add_source(struct conv *c, struct conv_message *m, enum conv_type type, size_t block)
{
    struct conv_part *part = conv_add(c, m, type);
    size_t source = conv_object(c, block, "source");

    if (!part)
        return;
    part->name = conv_name(c, block, "title");
    if (source == 0)
        return;
    put_data(c, part, conv_string(c, source, "data"));
    put_source(c, part, conv_string(c, source, "url"));
    if (!part->mime_type.ptr)
        part->mime_type = conv_name(c, source, "media_type");
    part->id = conv_name(c, source, "file_id");
}

static void add_audio(struct conv *c, struct conv_message *m, size_t block)
{
    struct conv_part *part = conv_add(c, m, CONV_AUDIO);
    size_t inner = conv_object(c, block, "input_audio");

    if (!part || inner == 0)
        return;
    part->detail = conv_name(c, inner, "format");
    put_data(c, part, conv_string(c, inner, "data"));
}

/* {"file":{"filename","file_data","file_id"}}, or the same without "file", with "file_url" */
static void add_file(struct conv *c, struct conv_message *m, size_t block)
{
    struct conv_part *part = conv_add(c, m, CONV_FILE);
    size_t inner = conv_object(c, block, "file"), from = inner > 0 ? inner : block;

    if (!part)
        return;
    part->name = conv_name(c, from, "filename");
    part->id = conv_name(c, from, "file_id");
    put_data(c, part, conv_string(c, from, "file_data"));
    put_source(c, part, conv_string(c, from, "file_url"));
}

/* ---- blocks ------------------------------------------------------------------------------- */

static void add_text_block(struct conv *c, struct conv_message *m, size_t block)
{
    size_t text = conv_string(c, block, "text");

    if (text > 0)
        conv_add_text(c, m, CONV_TEXT, text);
    else
        conv_add_unknown(c, m, block);
}

static void add_refusal(struct conv *c, struct conv_message *m, size_t block)
{
    conv_add_text(c, m, CONV_REFUSAL, conv_string(c, block, "refusal"));
}

static void add_thinking(struct conv *c, struct conv_message *m, size_t block)
{
    size_t text = conv_string(c, block, "thinking");
    struct conv_part *part = conv_add(c, m, CONV_REASONING);

    if (!part)
        return;
    part->encrypted = text == 0;
    if (text > 0)
        conv_put_text(c, part, text);
}

static void add_image_source(struct conv *c, struct conv_message *m, size_t block)
{
    add_source(c, m, CONV_IMAGE, block);
}

static void add_document(struct conv *c, struct conv_message *m, size_t block)
{
    add_source(c, m, CONV_FILE, block);
}

static void add_tool_use(struct conv *c, struct conv_message *m, size_t block)
{
    conv_add_call(c, m, conv_name(c, block, "id"), conv_name(c, block, "name"),
                  conv_name(c, block, "type"), conv_member(c, block, "input"));
}

typedef void block_fn(struct conv *c, struct conv_message *m, size_t block);

static const struct {
    const char *type;
    block_fn *add;
} blocks[] = {
    {"text", add_text_block},
    {"input_text", add_text_block},
    {"output_text", add_text_block},
    {"summary_text", add_text_block},
    {"reasoning_text", add_text_block},
    {"image_url", add_image},
    {"input_image", add_image},
    {"image", add_image_source},
    {"document", add_document},
    {"input_audio", add_audio},
    {"file", add_file},
    {"input_file", add_file},
    {"thinking", add_thinking},
    {"redacted_thinking", add_thinking},
    {"refusal", add_refusal},
    {"tool_use", add_tool_use},
    {"server_tool_use", add_tool_use},
    {"mcp_tool_use", add_tool_use},
};

static void add_block(struct conv *c, struct conv_message *m, size_t block)
{
    struct str type = conv_value(c, conv_string(c, block, "type"));

    if (json_type_of(conv_value(c, block)) == JSON_STRING) {
        conv_add_text(c, m, CONV_TEXT, block);
        return;
    }
    for (size_t i = 0; type.ptr && i < sizeof(blocks) / sizeof(*blocks); i++)
        if (json_string_is(type, str_c(blocks[i].type))) {
            blocks[i].add(c, m, block);
            return;
        }
    conv_add_unknown(c, m, block);
}

static bool is_result_block(const struct conv *c, size_t block)
{
    struct str type = conv_value(c, conv_string(c, block, "type"));

    return type.ptr && str_ends(type, STR("tool_result\""));
}

/* Blocks that are no results: those do not nest. */
static void add_blocks(struct conv *c, struct conv_message *m, size_t content)
{
    struct str value = conv_value(c, content);

    if (!value.ptr || json_type_of(value) == JSON_NULL)
        return;
    if (json_type_of(value) == JSON_STRING)
        conv_add_text(c, m, CONV_TEXT, content);
    else if (json_type_of(value) == JSON_ARRAY)
        CONV_EACH(c, i, content)
    add_block(c, m, i);
    else add_block(c, m, content);
}

void conv_add_result(struct conv *c, struct conv_message *m, struct str id, size_t content)
{
    struct conv_part *part = conv_add(c, m, CONV_RESULT);
    size_t first = m->count;

    if (!part)
        return;
    part->id = id;
    add_blocks(c, m, content);
    for (size_t i = first; i < m->count; i++)
        m->parts[i].inside = true;
}

void conv_add_content(struct conv *c, struct conv_message *m, size_t content)
{
    struct str value = conv_value(c, content);

    if (!value.ptr || json_type_of(value) != JSON_ARRAY) {
        add_blocks(c, m, content);
        return;
    }
    CONV_EACH(c, i, content)
    {
        if (is_result_block(c, i))
            conv_add_result(c, m, conv_name(c, i, "tool_use_id"), conv_member(c, i, "content"));
        else
            add_block(c, m, i);
    }
}

/* ---- pieces of streams -------------------------------------------------------------------- */

struct conv_message *conv_choice(struct conv *c, int64_t number)
{
    struct conv_message *m;

    for (size_t i = c->count; i > c->count - c->responses; i--)
        if (c->messages[i - 1].choice == number)
            return &c->messages[i - 1];
    if (c->responses >= CONV_MAX_KEYS)
        return NULL;
    m = conv_add_message(c, STR("assistant"), true);
    if (!m)
        return NULL;
    c->responses++;
    m->choice = number;
    return m;
}

struct conv_part *conv_find(struct conv_message *m, int64_t key)
{
    for (size_t i = m->count; i > 0 && m->count - i < CONV_MAX_KEYS; i--)
        if (m->parts[i - 1].key == key)
            return &m->parts[i - 1];
    return NULL;
}

void conv_touch(struct conv *c, const struct conv_message *m, enum conv_type type)
{
    c->last = (size_t)(m - c->messages) + 1;
    c->last_type = type;
}

void conv_append(struct conv *c, struct conv_message *m, enum conv_type type, size_t node)
{
    struct conv_part *last = m->count > 0 ? &m->parts[m->count - 1] : NULL;

    if (node == 0 || !json_string_filled(conv_value(c, node)))
        return;
    if (!last || last->type != type)
        last = conv_add(c, m, type);
    if (!last)
        return;
    conv_put_text(c, last, node);
    conv_touch(c, m, type);
}
