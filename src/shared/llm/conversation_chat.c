/* Chat Completions and Completions. */
#include "llm/conversation_priv.h"
#include "json/json.h"

/* ---- requests ----------------------------------------------------------------------------- */

static void add_function_call(struct conv *c, struct conv_message *m, size_t call, struct str id,
                              struct str kind)
{
    conv_add_call(c, m, id, conv_name(c, call, "name"), kind, conv_member(c, call, "arguments"));
}

static void add_calls(struct conv *c, struct conv_message *m, size_t message)
{
    size_t list = conv_array(c, message, "tool_calls");
    size_t single = conv_object(c, message, "function_call");

    CONV_EACH(c, i, list)
    {
        size_t function = conv_object(c, i, "function"), custom = conv_object(c, i, "custom");
        struct str id = conv_name(c, i, "id");

        if (function > 0)
            add_function_call(c, m, function, id, STR("function"));
        else if (custom > 0)
            conv_add_call(c, m, id, conv_name(c, custom, "name"), STR("custom"),
                          conv_member(c, custom, "input"));
        else
            conv_add_unknown(c, m, i);
    }
    if (single > 0)
        add_function_call(c, m, single, STR_NONE, STR("function"));
}

static size_t reasoning_of(const struct conv *c, size_t node)
{
    static const char *const names[] = {"reasoning_content", "reasoning", "thinking"};
    size_t text = 0;

    for (size_t i = 0; text == 0 && i < sizeof(names) / sizeof(*names); i++)
        text = conv_string(c, node, names[i]);
    return text;
}

static void add_spoken(struct conv *c, struct conv_message *m, size_t message)
{
    size_t audio = conv_object(c, message, "audio");
    struct conv_part *part = audio > 0 ? conv_add(c, m, CONV_AUDIO) : NULL;

    if (!part)
        return;
    part->id = conv_name(c, audio, "id");
    if (conv_string(c, audio, "transcript") > 0)
        conv_put_text(c, part, conv_string(c, audio, "transcript"));
}

static void fill_message(struct conv *c, struct conv_message *m, size_t message)
{
    size_t content = conv_member(c, message, "content");

    m->name = conv_name(c, message, "name");
    conv_add_text(c, m, CONV_REASONING, reasoning_of(c, message));
    if (!m->response &&
        (conv_is(c, message, "role", "tool") || conv_is(c, message, "role", "function"))) {
        struct str id = conv_name(c, message, "tool_call_id");

        conv_add_result(c, m, id.ptr ? id : m->name, content);
        return;
    }
    conv_add_content(c, m, content);
    conv_add_text(c, m, CONV_REFUSAL, conv_string(c, message, "refusal"));
    add_calls(c, m, message);
    add_spoken(c, m, message);
}

static void read_messages(struct conv *c)
{
    size_t list = conv_array(c, 0, "messages");

    CONV_EACH(c, i, list)
    {
        struct conv_message *m = conv_add_message(c, conv_name(c, i, "role"), false);

        if (m && conv_value(c, i).ptr[0] == '{')
            fill_message(c, m, i);
        else if (m)
            conv_add_unknown(c, m, i);
    }
}

static void read_tools(struct conv *c)
{
    size_t tools = conv_array(c, 0, "tools"), functions = conv_array(c, 0, "functions");

    CONV_EACH(c, i, tools)
    {
        size_t function = conv_object(c, i, "function"), custom = conv_object(c, i, "custom");
        size_t tool = function > 0 ? function : custom > 0 ? custom : i;

        conv_add_tool(c, conv_name(c, i, "type"), tool, conv_member(c, tool, "parameters"));
    }
    CONV_EACH(c, i, functions)
    conv_add_tool(c, STR("function"), i, conv_member(c, i, "parameters"));
}

static void chat_request(struct conv *c)
{
    read_messages(c);
    read_tools(c);
}

static void add_prompt(struct conv *c, size_t prompt)
{
    struct conv_message *m = conv_add_message(c, STR("user"), false);

    if (!m)
        return;
    if (conv_value(c, prompt).ptr[0] == '"')
        conv_add_text(c, m, CONV_TEXT, prompt);
    else
        conv_add_unknown(c, m, prompt); /* numbers of tokens */
}

static void completions_request(struct conv *c)
{
    size_t prompt = conv_member(c, 0, "prompt");

    if (prompt == 0)
        return;
    if (conv_value(c, prompt).ptr[0] == '[' && c->json->nodes[prompt].next > prompt + 1 &&
        conv_value(c, prompt + 1).ptr[0] == '"')
        CONV_EACH(c, i, prompt)
    add_prompt(c, i);
    else add_prompt(c, prompt);
}

/* ---- answers ------------------------------------------------------------------------------ */

static void take_finish(struct conv *c, struct conv_message *m, size_t choice)
{
    struct str reason = conv_name(c, choice, "finish_reason");

    if (reason.ptr)
        m->finish_reason = reason;
}

static void answer(struct conv *c)
{
    size_t choices = conv_array(c, 0, "choices");
    int64_t position = 0;

    CONV_EACH(c, i, choices)
    {
        struct conv_message *m = conv_choice(c, conv_number(c, i, "index", position++));
        size_t message = conv_object(c, i, "message");
        struct str role = conv_name(c, message > 0 ? message : i, "role");

        if (!m)
            continue;
        if (role.ptr)
            m->role = role;
        if (message > 0)
            fill_message(c, m, message);
        conv_add_text(c, m, CONV_TEXT, conv_string(c, i, "text"));
        take_finish(c, m, i);
    }
}

/* ---- streams ------------------------------------------------------------------------------ */

static struct conv_part *last_call(struct conv_message *m)
{
    for (size_t i = m->count; i > 0 && m->count - i < CONV_MAX_KEYS; i--)
        if (m->parts[i - 1].type == CONV_CALL)
            return &m->parts[i - 1];
    return NULL;
}

/* The call that a delta goes on with. One without a number is the last one, unless its id says that
 * it is another one. */
static struct conv_part *call_of(struct conv *c, struct conv_message *m, size_t delta,
                                 struct str id)
{
    int64_t number = conv_number(c, delta, "index", CONV_NO_KEY);
    struct conv_part *part = number == CONV_NO_KEY ? last_call(m) : conv_find(m, number);

    if (part && number == CONV_NO_KEY && id.ptr && !str_eq(part->id, id))
        part = NULL;
    if (part && part->type == CONV_CALL)
        return part;
    part = conv_add(c, m, CONV_CALL);
    if (part) {
        part->kind = STR("function");
        part->key = number;
    }
    return part;
}

static void append_call(struct conv *c, struct conv_message *m, size_t delta)
{
    size_t function = conv_object(c, delta, "function"), custom = conv_object(c, delta, "custom");
    size_t inner = function > 0 ? function : custom;
    struct str id = conv_name(c, delta, "id");
    struct conv_part *part = call_of(c, m, delta, id);
    size_t arguments;

    if (!part)
        return;
    if (id.ptr && !part->id.ptr)
        part->id = id;
    if (custom > 0)
        part->kind = STR("custom");
    if (inner > 0) {
        if (!part->name.ptr)
            part->name = conv_name(c, inner, "name");
        arguments = conv_member(c, inner, custom > 0 && function == 0 ? "input" : "arguments");
        if (arguments > 0 && json_type_of(conv_value(c, arguments)) != JSON_NULL)
            conv_put_text(c, part, arguments);
    }
    conv_touch(c, m, CONV_CALL);
}

static void append_function_call(struct conv *c, struct conv_message *m, size_t call)
{
    struct conv_part *part = last_call(m);

    if (!part)
        part = conv_add(c, m, CONV_CALL);
    if (!part)
        return;
    part->kind = STR("function");
    if (!part->name.ptr)
        part->name = conv_name(c, call, "name");
    if (conv_string(c, call, "arguments") > 0)
        conv_put_text(c, part, conv_string(c, call, "arguments"));
    conv_touch(c, m, CONV_CALL);
}

static void append_audio(struct conv *c, struct conv_message *m, size_t audio)
{
    struct conv_part *last = m->count > 0 ? &m->parts[m->count - 1] : NULL;

    if (!last || last->type != CONV_AUDIO)
        last = conv_add(c, m, CONV_AUDIO);
    if (!last)
        return;
    if (!last->id.ptr)
        last->id = conv_name(c, audio, "id");
    if (conv_string(c, audio, "transcript") > 0)
        conv_put_text(c, last, conv_string(c, audio, "transcript"));
    conv_touch(c, m, CONV_AUDIO);
}

static void append_delta(struct conv *c, struct conv_message *m, size_t delta)
{
    size_t calls = conv_array(c, delta, "tool_calls"), content = conv_member(c, delta, "content");
    size_t single = conv_object(c, delta, "function_call"), audio = conv_object(c, delta, "audio");
    struct str role = conv_name(c, delta, "role");

    if (role.ptr)
        m->role = role;
    conv_append(c, m, CONV_REASONING, reasoning_of(c, delta));
    if (content > 0 && conv_value(c, content).ptr[0] == '"')
        conv_append(c, m, CONV_TEXT, content);
    else if (content > 0)
        conv_add_content(c, m, content);
    conv_append(c, m, CONV_REFUSAL, conv_string(c, delta, "refusal"));
    CONV_EACH(c, i, calls)
    append_call(c, m, i);
    if (single > 0)
        append_function_call(c, m, single);
    if (audio > 0)
        append_audio(c, m, audio);
}

/* Ollama's own events: a message, or a piece of text. */
static bool append_plain(struct conv *c)
{
    size_t message = conv_object(c, 0, "message"), text = conv_string(c, 0, "response");
    struct conv_message *m = message > 0 || text > 0 ? conv_choice(c, 0) : NULL;

    if (m && message > 0)
        append_delta(c, m, message);
    if (m && text > 0)
        conv_append(c, m, CONV_TEXT, text);
    return m;
}

static bool event(struct conv *c)
{
    size_t choices = conv_array(c, 0, "choices");
    int64_t position = 0;
    bool known = true;

    if (choices == 0)
        return append_plain(c) || conv_object(c, 0, "usage") > 0 || conv_member(c, 0, "error") > 0;
    CONV_EACH(c, i, choices)
    {
        struct conv_message *m = conv_choice(c, conv_number(c, i, "index", position++));
        size_t delta = conv_object(c, i, "delta");

        if (!m) {
            known = false;
            continue;
        }
        if (delta == 0)
            delta = conv_object(c, i, "message");
        if (delta > 0)
            append_delta(c, m, delta);
        conv_append(c, m, CONV_TEXT, conv_string(c, i, "text"));
        take_finish(c, m, i);
    }
    return known;
}

static const char *const chat_content[] = {"model", "messages", "tools", "functions", NULL};
const struct conv_dialect conv_chat = {
    "chat", "/chat/completions", chat_content, chat_request, answer, event,
};

static const char *const completions_content[] = {"model", "prompt", NULL};
const struct conv_dialect conv_completions = {
    "completions", "/completions", completions_content, completions_request, answer, event,
};
