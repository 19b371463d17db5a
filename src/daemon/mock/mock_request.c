#include "daemon/mock/mock_priv.h"

#include "json/json_scan.h"

#define IMAGE_BYTES 1000 /* a longer text without a blank is no text */
#define IMAGE_TOKENS 85

struct texts {
    int64_t bytes, tokens;
};

static void count_text(struct texts *t, struct str text)
{
    if (text.len > IMAGE_BYTES && !memchr(text.ptr, ' ', text.len))
        t->tokens += IMAGE_TOKENS;
    else
        t->bytes += (int64_t)text.len;
}

/* The end of the string that begins at s.ptr[at], which is its quote. */
static size_t string_end(struct str s, size_t at)
{
    for (at++; at < s.len && s.ptr[at] != '"'; at++)
        if (s.ptr[at] == '\\')
            at++;
    return at;
}

int64_t mock_count_tokens(struct str value)
{
    struct texts t = {0};

    for (size_t i = 0; i < value.len; i++) {
        size_t end, next;

        if (value.ptr[i] != '"')
            continue;
        end = string_end(value, i);
        next = end + 1;
        while (next < value.len && strchr(" \t\r\n", value.ptr[next]) && value.ptr[next])
            next++;
        if (end < value.len && (next >= value.len || value.ptr[next] != ':'))
            count_text(&t, (struct str){value.ptr + i + 1, end - i - 1});
        i = end;
    }
    return t.tokens + (t.bytes + 3) / 4;
}

static struct str member(struct str object, const char *name)
{
    struct str value;

    return json_member(object, str_c(name), &value) ? value : STR_NONE;
}

static bool is_true(struct str value)
{
    return value.ptr && json_type_of(value) == JSON_TRUE;
}

static bool is_text(struct str value)
{
    return value.ptr && json_type_of(value) == JSON_STRING;
}

static int decode(struct str value, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = {0};
    int rc = json_string(value, &text, err);

    if (rc == 0) {
        *out = arena_dup(arena, buf_str(&text));
        if (!out->ptr)
            rc = err_set(err, ERR_NO_MEMORY, "no memory");
    }
    buf_clear(&text);
    return rc;
}

int mock_request_model(struct mock_request *r, struct str *body, struct arena *arena,
                       struct err *err)
{
    struct str json, object;

    if (json_scan(*body, &object) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "We could not parse the JSON body of your request.");
    json = member(object, "model");
    if (!is_text(json) || json.len <= 2)
        return err_set(err, ERR_INVALID, "you must provide a model parameter");
    if (json.len > MOCK_MODEL_MAX)
        return err_set(err, ERR_INVALID, "the model name is too long");
    r->model_json = arena_dup(arena, json);
    if (!r->model_json.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    if (decode(json, arena, &r->model, err) < 0)
        return -1;
    *body = object;
    return mock_options_from_model(&r->options, r->model, err);
}

static int64_t positive(struct str value)
{
    int64_t n;

    return value.ptr && str_int64(value, &n) && n > 0 ? n : UNKNOWN;
}

static int64_t client_limit(enum mock_api api, struct str body)
{
    int64_t n;

    switch (api) {
    case MOCK_CHAT:
        n = positive(member(body, "max_completion_tokens"));
        return n != UNKNOWN ? n : positive(member(body, "max_tokens"));
    case MOCK_RESPONSES:
        return positive(member(body, "max_output_tokens"));
    case MOCK_COMPLETIONS:
    case MOCK_MESSAGES:
        return positive(member(body, "max_tokens"));
    }
    return UNKNOWN;
}

static struct mock_tool read_tool(struct str element)
{
    struct str f = member(element, "function");
    struct mock_tool tool = {0};
    struct str name;

    if (!f.ptr || json_type_of(f) != JSON_OBJECT)
        f = element;
    name = member(f, "name");
    if (!is_text(name) || !mock_name_valid((struct str){name.ptr + 1, name.len - 2}))
        return tool;
    tool.name = (struct str){name.ptr + 1, name.len - 2};
    tool.schema = member(f, "parameters");
    if (!tool.schema.ptr)
        tool.schema = member(f, "input_schema");
    if (tool.schema.ptr && json_type_of(tool.schema) != JSON_OBJECT)
        tool.schema = STR_NONE;
    return tool;
}

static void find_tool(struct mock_request *r, struct str body)
{
    struct str tools = member(body, "tools");
    struct str wanted = r->options.tool;
    struct json_iter it;

    if (!tools.ptr || json_type_of(tools) != JSON_ARRAY)
        return;
    it = json_iter(tools);
    while (json_next(&it)) {
        struct mock_tool tool = read_tool(it.value);

        if (!tool.name.ptr)
            continue;
        if (!r->tool.name.ptr || str_eq(tool.name, wanted))
            r->tool = tool;
        if (str_eq(tool.name, wanted))
            return;
    }
}

static bool tools_forbidden(struct str body)
{
    struct str choice = member(body, "tool_choice");

    if (choice.ptr && json_type_of(choice) == JSON_OBJECT)
        choice = member(choice, "type");
    return is_text(choice) && json_string_is(choice, STR("none"));
}

static struct str last_element(struct str array)
{
    struct str last = STR_NONE;
    struct json_iter it;

    if (!array.ptr || json_type_of(array) != JSON_ARRAY)
        return last;
    it = json_iter(array);
    while (json_next(&it))
        last = it.value;
    return last;
}

static bool text_is(struct str value, struct str text)
{
    return is_text(value) && json_string_is(value, text);
}

/* An agent that answers each call with a result would otherwise never come to an end. */
static bool ends_with_result(enum mock_api api, struct str body)
{
    struct str last = last_element(member(body, api == MOCK_RESPONSES ? "input" : "messages"));
    struct str type = member(last, "type");

    switch (api) {
    case MOCK_CHAT:
        return text_is(member(last, "role"), STR("tool"));
    case MOCK_RESPONSES:
        return is_text(type) && str_ends(type, STR("_call_output\""));
    case MOCK_MESSAGES:
        last = last_element(member(last, "content"));
        return text_is(member(last, "type"), STR("tool_result"));
    case MOCK_COMPLETIONS:
        break;
    }
    return false;
}

static int check_input(enum mock_api api, struct str body, struct err *err)
{
    static const char *const names[] = {"messages", "prompt", "input", "messages"};
    struct str value = member(body, names[api]);
    bool array = api == MOCK_CHAT || api == MOCK_MESSAGES;

    if (!value.ptr)
        return err_set(err, ERR_INVALID, "Missing required parameter: '%s'.", names[api]);
    if (array && json_type_of(value) != JSON_ARRAY)
        return err_set(err, ERR_INVALID, "Invalid type for '%s': expected an array.", names[api]);
    return 0;
}

int mock_request_read(struct mock_request *r, enum mock_api api, struct str body, struct err *err)
{
    static const char *const texts[] = {"messages", "prompt", "input",
                                        "system",   "tools",  "instructions"};
    struct str options = member(body, "stream_options");

    if (check_input(api, body, err) < 0)
        return -1;
    r->stream = is_true(member(body, "stream"));
    r->include_usage = options.ptr && json_type_of(options) == JSON_OBJECT &&
                       is_true(member(options, "include_usage"));
    r->limit = client_limit(api, body);
    r->prompt_tokens = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        r->prompt_tokens += mock_count_tokens(member(body, texts[i]));
    if (r->prompt_tokens == 0)
        r->prompt_tokens = 1;
    find_tool(r, body);
    r->tool_done = tools_forbidden(body) || ends_with_result(api, body);
    return 0;
}
