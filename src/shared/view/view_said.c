/* What an answer says, for the summary of a row. */
#include "llm/conversation.h"
#include "view/view_priv.h"
#include "json/json.h"

/* Streams begin to say something early; only when they do not, more of them is read. */
#define EARLY_BYTES ((size_t)8192)
#define TEXT_BYTES ((size_t)2048)
#define NAMES_MAX 8

static struct str text_of(const cJSON *o, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(item) ? str_c(item->valuestring) : STR_NONE;
}

static bool is_type(const cJSON *part, const char *type)
{
    return str_eq(text_of(part, "type"), str_c(type));
}

struct found {
    struct view_said *said;
    struct str reasoning;
    size_t names;
};

static void add_name(struct found *f, struct str name)
{
    struct err err;

    if (f->names++ >= NAMES_MAX || name.len == 0)
        return;
    if (f->said->calls.len > 0)
        buf_put(&f->said->calls, STR(", "));
    (void)buf_add(&f->said->calls, str_cut(name, 64), &err); /* without memory a name is missing */
}

static void read_part(struct found *f, const cJSON *part)
{
    struct str text = text_of(part, "text");
    struct err err;

    if (is_type(part, "tool_call"))
        add_name(f, text_of(part, "name"));
    else if (is_type(part, "reasoning") && f->reasoning.len == 0)
        f->reasoning = text;
    else if ((is_type(part, "text") || is_type(part, "refusal")) && f->said->text.len == 0)
        (void)buf_add(&f->said->text, str_cut(text, TEXT_BYTES), &err);
}

static void read_answer(const struct record *r, struct str body, struct view_said *said)
{
    struct conversation_input in = {
        .endpoint = r->endpoint,
        .response_body = body,
        .response_content_type = r->response_content_type,
        .response_cut = true,
    };
    cJSON *conversation = conversation_build(&in);
    const cJSON *message, *part;
    struct found f = {.said = said};
    struct err err;

    cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(conversation, "messages"))
    {
        cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(message, "parts"))
        {
            read_part(&f, part);
        }
    }
    if (said->text.len == 0 && said->calls.len == 0)
        (void)buf_add(&said->text, str_cut(f.reasoning, TEXT_BYTES), &err);
    cJSON_Delete(conversation);
}

void view_said(const struct record *r, struct view_said *said)
{
    struct str body = str_cut(r->response_body, VIEW_PREVIEW_BYTES);

    *said = (struct view_said){0};
    if (body.len == 0)
        return;
    if (r->is_stream && body.len > EARLY_BYTES)
        read_answer(r, str_cut(body, EARLY_BYTES), said);
    if (said->text.len == 0 && said->calls.len == 0)
        read_answer(r, body, said);
}

void view_said_clear(struct view_said *said)
{
    buf_clear(&said->text);
    buf_clear(&said->calls);
}
