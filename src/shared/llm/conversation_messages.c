/* The Messages API. */
#include "llm/conversation_priv.h"

static void request(struct conv *c)
{
    size_t system = conv_member(c, 0, "system"), list = conv_array(c, 0, "messages");
    size_t tools = conv_array(c, 0, "tools");
    struct conv_message *m = system > 0 ? conv_add_message(c, STR("system"), false) : NULL;

    if (m)
        conv_add_content(c, m, system);
    CONV_EACH(c, i, list)
    {
        m = conv_add_message(c, conv_name(c, i, "role"), false);
        if (m && conv_value(c, i).ptr[0] == '{')
            conv_add_content(c, m, conv_member(c, i, "content"));
        else if (m)
            conv_add_unknown(c, m, i);
    }
    CONV_EACH(c, i, tools)
    conv_add_tool(c, conv_name(c, i, "type"), i, conv_member(c, i, "input_schema"));
}

static void take_stop(struct conv *c, struct conv_message *m, size_t node)
{
    struct str reason = conv_name(c, node, "stop_reason");

    if (reason.ptr)
        m->finish_reason = reason;
}

static void answer(struct conv *c)
{
    size_t content = conv_member(c, 0, "content");
    struct conv_message *m = content > 0 ? conv_choice(c, 0) : NULL;

    if (!m)
        return;
    conv_add_content(c, m, content);
    take_stop(c, m, 0);
}

/* ---- streams ------------------------------------------------------------------------------ */

/* A block may add a part, none when it is empty, or a result with parts: the last one gets what
 * follows. */
static void start_block(struct conv *c, struct conv_message *m, int64_t key)
{
    size_t block = conv_object(c, 0, "content_block"), before = m->count;
    struct conv_part *part;

    if (block == 0)
        return;
    if (conv_is(c, block, "type", "text") &&
        !json_string_filled(conv_value(c, conv_string(c, block, "text"))))
        conv_add(c, m, CONV_TEXT);
    else
        conv_add_content(c, m, block);
    if (m->count == before)
        return;
    part = &m->parts[m->count - 1];
    part->key = key;
    if (part->type == CONV_CALL && str_eq(buf_str(&part->text), STR("{}")))
        buf_cut(&part->text, 0); /* the input follows */
    conv_touch(c, m, part->type);
}

static const struct {
    const char *type, *member;
    enum conv_type part;
} deltas[] = {
    {"text_delta", "text", CONV_TEXT},
    {"thinking_delta", "thinking", CONV_REASONING},
    {"input_json_delta", "partial_json", CONV_CALL},
};

static bool append_delta(struct conv *c, struct conv_message *m, int64_t key)
{
    size_t delta = conv_object(c, 0, "delta"), text;
    struct conv_part *part;

    if (conv_is(c, delta, "type", "signature_delta") ||
        conv_is(c, delta, "type", "citations_delta"))
        return true;
    for (size_t i = 0; delta > 0 && i < sizeof(deltas) / sizeof(*deltas); i++) {
        text = conv_string(c, delta, deltas[i].member);
        if (text == 0 || !conv_is(c, delta, "type", deltas[i].type))
            continue;
        part = conv_find(m, key);
        if (!part || part->type != deltas[i].part)
            part = conv_add(c, m, deltas[i].part);
        if (!part)
            return false;
        part->key = key;
        conv_put_text(c, part, text);
        conv_touch(c, m, part->type);
        return true;
    }
    return false;
}

/* A call without input has the empty one. */
static void stop_block(struct conv_message *m, int64_t key)
{
    struct conv_part *part = conv_find(m, key);
    struct err err;

    if (part && part->type == CONV_CALL && part->text.len == 0)
        buf_add(&part->text, STR("{}"), &err);
}

static bool event(struct conv *c)
{
    int64_t key = conv_number(c, 0, "index", 0);
    struct conv_message *m;

    if (conv_is(c, 0, "type", "ping") || conv_is(c, 0, "type", "error"))
        return true;
    m = conv_choice(c, 0);
    if (!m)
        return false;
    if (conv_is(c, 0, "type", "content_block_start"))
        start_block(c, m, key);
    else if (conv_is(c, 0, "type", "content_block_delta"))
        return append_delta(c, m, key);
    else if (conv_is(c, 0, "type", "content_block_stop"))
        stop_block(m, key);
    else if (conv_is(c, 0, "type", "message_delta"))
        take_stop(c, m, conv_object(c, 0, "delta"));
    else if (conv_is(c, 0, "type", "message_stop"))
        c->done = true;
    else
        return conv_is(c, 0, "type", "message_start");
    return true;
}

static const char *const content[] = {"model", "messages", "system", "tools", NULL};
const struct conv_dialect conv_messages = {
    "messages", "/messages", content, request, answer, event,
};
