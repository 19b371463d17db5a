#include "daemon/proxy/inspect.h"

#include "base/utf8.h"
#include "core/forward.h"
#include "daemon/upstream/decode.h"
#include "llm/images.h"
#include "llm/signals.h"
#include "json/json_scan.h"

#define SLOW_BYTES ((size_t)256 * 1024)
#define NAME_MAX_BYTES ((size_t)1024)

bool inspect_is_slow(const struct inspect_input *in)
{
    return in->body.len > SLOW_BYTES || (in->content_encoding.len > 0 && in->body.len > 0);
}

/* A model is a name in every list and view, whatever a client sends: the body has all of it. */
static void note_model(struct capture *c, struct str model)
{
    c->record.model = arena_dup(&c->arena, utf8_cut(model, NAME_MAX_BYTES));
}

static bool inspect_multipart(struct capture *c, struct str body, struct str boundary)
{
    struct multipart parts;
    struct buf json = {0};
    struct str value;

    if (!multipart_parse(body, boundary, &parts))
        return false;
    multipart_json(&parts, &json);
    c->record.request_parts_json = arena_dup(&c->arena, buf_str(&json));
    buf_clear(&json);
    if (multipart_field(&parts, STR("model"), &value))
        note_model(c, value);
    if (multipart_field(&parts, STR("stream"), &value) && str_eq(value, STR("true")))
        c->record.is_stream = true;
    for (size_t i = 0; i < parts.count; i++)
        c->record.has_images = c->record.has_images || images_is_upload(&parts.parts[i]);
    return true;
}

/* Members of the body that matter; of equal keys the last one. */
struct request_members {
    struct str model, stream, tools;
};

static struct request_members read_members(struct str root)
{
    struct request_members m = {.model = STR_NONE};
    struct json_iter it = json_iter(root);

    while (it.object && json_next(&it)) {
        if (json_key_is(it.key, STR("model")))
            m.model = it.value;
        else if (json_key_is(it.key, STR("stream")))
            m.stream = it.value;
        else if (json_key_is(it.key, STR("tools")))
            m.tools = it.value;
    }
    return m;
}

static bool has_elements(struct str list)
{
    struct json_iter it = json_iter(list);

    return json_type_of(list) == JSON_ARRAY && json_next(&it);
}

static bool has_tools(struct str body)
{
    struct json_index json;
    struct err err;
    bool found;

    if (json_index(&json, body, &err) < 0)
        return false;
    found = signals_tools(&json);
    json_index_clear(&json);
    return found;
}

static bool has_images(struct str body)
{
    struct arena arena = {0};
    struct images images;
    bool found;

    images_find(body, STR_NONE, 1, &arena, &images);
    found = images.count > 0;
    arena_clear(&arena);
    return found;
}

/* Most requests that have to do with tools declare them; else a cheap look says whether a thorough
 * one is needed. */
static void note_signals(struct capture *c, struct str body, const struct request_members *m)
{
    struct signals_hints hints = signals_look(body);

    c->record.has_tool_calls = has_elements(m->tools) || (hints.tools && has_tools(body));
    c->record.has_images = hints.images && has_images(body);
}

static void inspect_json(struct capture *c, struct str body)
{
    struct request_members m;
    struct buf text = {0};
    enum json_type type;
    struct str root;
    struct err err;

    type = json_scan(body, &root);
    if (type != JSON_OBJECT && type != JSON_ARRAY)
        return;
    m = read_members(root);
    if (json_type_of(m.stream) == JSON_TRUE)
        c->record.is_stream = true;
    note_signals(c, body, &m);
    if (json_type_of(m.model) != JSON_STRING)
        return;
    if (json_string(m.model, &text, &err) == 0)
        note_model(c, buf_str(&text));
    buf_clear(&text);
}

void inspect_request(struct capture *c, const struct inspect_input *in)
{
    struct str body = in->body, boundary = multipart_boundary(in->content_type);
    struct err err;

    if (in->content_encoding.len > 0 && body.len > 0) {
        if (decode_all(in->content_encoding, body, in->decoded_limit, &c->request, &err) < 0)
            blob_clear(&c->request);
        else
            body = blob_str(&c->request);
    }
    c->record.is_stream = str_ifind(in->accept, STR("text/event-stream")) >= 0;
    if (!boundary.ptr || !inspect_multipart(c, body, boundary))
        inspect_json(c, body);
}
