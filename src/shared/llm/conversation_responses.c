/* The Responses API. */
#include "llm/conversation_priv.h"
#include "llm/signals.h"

/* Parts are named by item and by part of the item. */
#define ITEM_PARTS 1024
#define MAX_NUMBER 4096

/* ---- items -------------------------------------------------------------------------------- */

static void add_reasoning(struct conv *c, struct conv_message *m, size_t item)
{
    size_t summary = conv_array(c, item, "summary"), content = conv_array(c, item, "content");
    size_t before = m->count;
    struct conv_part *part;

    CONV_EACH(c, i, summary)
    conv_add_text(c, m, CONV_REASONING, conv_string(c, i, "text"));
    for (size_t i = before; i < m->count; i++)
        m->parts[i].summary = true;
    CONV_EACH(c, i, content)
    conv_add_text(c, m, CONV_REASONING, conv_string(c, i, "text"));
    if (conv_string(c, item, "encrypted_content") == 0 && m->count > before)
        return;
    part = m->count > before ? &m->parts[m->count - 1] : conv_add(c, m, CONV_REASONING);
    if (part)
        part->encrypted = conv_string(c, item, "encrypted_content") > 0;
}

/* What a call was asked to do: its arguments, or all of the item for tools of the provider. */
static size_t arguments_of(const struct conv *c, size_t item)
{
    static const char *const names[] = {"arguments", "input", "action", "queries", "code"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (conv_member(c, item, names[i]) > 0)
            return conv_member(c, item, names[i]);
    return 0;
}

static struct str call_id(struct conv *c, size_t item)
{
    struct str id = conv_name(c, item, "call_id");

    return id.ptr ? id : conv_name(c, item, "id");
}

static void add_call(struct conv *c, struct conv_message *m, size_t item, struct str type)
{
    struct str name = conv_name(c, item, "name");
    size_t arguments = arguments_of(c, item);

    if (!name.ptr && str_ends(type, STR("_call")))
        name = str_cut(type, type.len - strlen("_call"));
    conv_add_call(c, m, call_id(c, item), name, type, arguments);
}

static bool is_message(struct str type)
{
    return !type.ptr || str_eq(type, STR("message"));
}

static bool is_call(const struct conv *c, size_t item)
{
    size_t type = conv_string(c, item, "type");

    return type > 0 && signals_is_call_item(conv_value(c, type));
}

static void add_item(struct conv *c, struct conv_message *m, size_t item)
{
    struct str type = conv_name(c, item, "type");

    if (is_message(type) && conv_member(c, item, "content") > 0)
        conv_add_content(c, m, conv_member(c, item, "content"));
    else if (type.ptr && str_eq(type, STR("reasoning")))
        add_reasoning(c, m, item);
    else if (is_call(c, item))
        add_call(c, m, item, type);
    else if (type.ptr && str_ends(type, STR("_call_output")))
        conv_add_result(c, m, call_id(c, item), conv_member(c, item, "output"));
    else
        conv_add_unknown(c, m, item);
}

/* ---- requests and answers ----------------------------------------------------------------- */

static struct str role_of(struct conv *c, size_t item)
{
    struct str role = conv_name(c, item, "role"), type = conv_name(c, item, "type");

    if (role.ptr || conv_value(c, item).ptr[0] == '"')
        return role.ptr ? role : STR("user");
    return type.ptr && str_ends(type, STR("_output")) ? STR("tool") : STR("assistant");
}

static void read_input(struct conv *c, size_t input)
{
    struct conv_message *m;

    if (conv_value(c, input).ptr[0] == '"') {
        m = conv_add_message(c, STR("user"), false);
        if (m)
            conv_add_text(c, m, CONV_TEXT, input);
        return;
    }
    if (conv_value(c, input).ptr[0] != '[')
        return;
    CONV_EACH(c, i, input)
    {
        m = conv_add_message(c, role_of(c, i), false);
        if (m)
            add_item(c, m, i);
    }
}

static void request(struct conv *c)
{
    size_t instructions = conv_member(c, 0, "instructions"), input = conv_member(c, 0, "input");
    size_t tools = conv_array(c, 0, "tools");
    struct conv_message *m = NULL;

    if (instructions > 0 && conv_value(c, instructions).ptr[0] != 'n')
        m = conv_add_message(c, STR("system"), false);
    if (m)
        conv_add_content(c, m, instructions);
    if (input > 0)
        read_input(c, input);
    CONV_EACH(c, i, tools)
    conv_add_tool(c, conv_name(c, i, "type"), i, conv_member(c, i, "parameters"));
}

static void take_status(struct conv *c, struct conv_message *m, size_t response)
{
    struct str status = conv_name(c, response, "status"), reason;
    size_t details = conv_object(c, response, "incomplete_details");

    reason = details > 0 ? conv_name(c, details, "reason") : STR_NONE;
    if (reason.ptr || status.ptr)
        m->finish_reason = reason.ptr ? reason : status;
}

static void read_output(struct conv *c, struct conv_message *m, size_t response)
{
    size_t output = conv_array(c, response, "output");

    CONV_EACH(c, i, output)
    add_item(c, m, i);
}

static void answer(struct conv *c)
{
    struct conv_message *m = conv_array(c, 0, "output") > 0 ? conv_choice(c, 0) : NULL;

    if (!m)
        return;
    read_output(c, m, 0);
    take_status(c, m, 0);
}

/* ---- streams ------------------------------------------------------------------------------ */

static const struct {
    const char *type, *number; /* the event, and which member names the part of the item */
    enum conv_type part;
    bool summary;
} deltas[] = {
    {"response.output_text.delta", "content_index", CONV_TEXT, false},
    {"response.refusal.delta", "content_index", CONV_REFUSAL, false},
    {"response.reasoning_summary_text.delta", "summary_index", CONV_REASONING, true},
    {"response.reasoning_text.delta", "content_index", CONV_REASONING, false},
    {"response.function_call_arguments.delta", NULL, CONV_CALL, false},
    {"response.custom_tool_call_input.delta", NULL, CONV_CALL, false},
    {"response.mcp_call_arguments.delta", NULL, CONV_CALL, false},
    {"response.code_interpreter_call_code.delta", NULL, CONV_CALL, false},
    {"response.audio.transcript.delta", NULL, CONV_TEXT, false},
    {"transcript.text.delta", NULL, CONV_TEXT, false},
};

/* CONV_NO_KEY when the numbers are too large to be true. */
static int64_t key_of(const struct conv *c, const char *number)
{
    int64_t item = conv_number(c, 0, "output_index", 0);
    int64_t part = number ? conv_number(c, 0, number, 0) : 0;

    return item < MAX_NUMBER && part < ITEM_PARTS ? item * ITEM_PARTS + part : CONV_NO_KEY;
}

static bool append_delta(struct conv *c, struct conv_message *m, size_t which)
{
    int64_t key = key_of(c, deltas[which].number);
    struct conv_part *part = key != CONV_NO_KEY ? conv_find(m, key) : NULL;
    size_t delta = conv_string(c, 0, "delta");

    if (key == CONV_NO_KEY || delta == 0)
        return false;
    if (!part || part->type != deltas[which].part) {
        part = conv_add(c, m, deltas[which].part);
        if (!part)
            return false;
        part->key = key;
        part->summary = deltas[which].summary;
    }
    conv_put_text(c, part, delta);
    conv_touch(c, m, part->type);
    return true;
}

static bool has_item(const struct conv_message *m, int64_t item)
{
    for (size_t i = m->count; i > 0 && m->count - i < CONV_MAX_KEYS; i--)
        if (m->parts[i - 1].key != CONV_NO_KEY && m->parts[i - 1].key / ITEM_PARTS == item)
            return true;
    return false;
}

static void start_item(struct conv *c, struct conv_message *m)
{
    size_t item = conv_object(c, 0, "item");
    int64_t key = key_of(c, NULL);

    if (item == 0 || key == CONV_NO_KEY || !is_call(c, item) || has_item(m, key / ITEM_PARTS))
        return;
    add_call(c, m, item, conv_name(c, item, "type"));
    if (m->count > 0)
        m->parts[m->count - 1].key = key;
    conv_touch(c, m, CONV_CALL);
}

/* The item as a whole: what its deltas did not tell. */
static void end_item(struct conv *c, struct conv_message *m)
{
    size_t item = conv_object(c, 0, "item"), before = m->count, arguments;
    int64_t key = key_of(c, NULL);
    struct conv_part *part;

    if (item == 0 || key == CONV_NO_KEY)
        return;
    if (!has_item(m, key / ITEM_PARTS)) {
        add_item(c, m, item);
        for (size_t i = before; i < m->count; i++)
            m->parts[i].key = key;
        return;
    }
    part = conv_find(m, key);
    if (!part)
        return;
    arguments = arguments_of(c, item);
    if (part->type == CONV_CALL && arguments > 0) {
        buf_cut(&part->text, 0);
        conv_put_text(c, part, arguments);
    }
    if (part->type == CONV_REASONING && conv_string(c, item, "encrypted_content") > 0)
        part->encrypted = true;
}

static bool end_response(struct conv *c, struct conv_message *m)
{
    size_t response = conv_object(c, 0, "response");

    c->done = true;
    if (response > 0 && m->count == 0)
        read_output(c, m, response);
    if (response > 0)
        take_status(c, m, response);
    return true;
}

/* Events that only repeat, or tell that something goes on. */
static bool is_notice(struct str type)
{
    static const struct str ends[] = {STR(".done"),      STR(".added"),        STR(".created"),
                                      STR(".queued"),    STR(".in_progress"),  STR(".completed"),
                                      STR(".searching"), STR(".interpreting"), STR(".generating"),
                                      STR(".failed"),    STR(".partial_image")};

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (str_starts(type, STR("response.")) && str_ends(type, ends[i]))
            return true;
    return str_eq(type, STR("error")) || str_eq(type, STR("ping")) ||
           str_eq(type, STR("keepalive"));
}

static bool event(struct conv *c)
{
    struct conv_message *m = conv_choice(c, 0);

    if (!m)
        return false;
    for (size_t i = 0; i < sizeof(deltas) / sizeof(*deltas); i++)
        if (conv_is(c, 0, "type", deltas[i].type))
            return append_delta(c, m, i);
    if (conv_is(c, 0, "type", "response.completed") ||
        conv_is(c, 0, "type", "response.incomplete") || conv_is(c, 0, "type", "response.failed") ||
        conv_is(c, 0, "type", "response.cancelled"))
        return end_response(c, m);
    if (conv_is(c, 0, "type", "response.output_item.added"))
        start_item(c, m);
    else if (conv_is(c, 0, "type", "response.output_item.done"))
        end_item(c, m);
    else
        return is_notice(conv_name(c, 0, "type"));
    return true;
}

static const char *const content[] = {"model", "input", "instructions", "tools", NULL};
const struct conv_dialect conv_responses = {
    "responses", "/responses", content, request, answer, event,
};
