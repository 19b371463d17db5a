#include "daemon/proxy/inspect.h"

#include "base/utf8.h"
#include "core/forward.h"
#include "daemon/upstream/decode.h"
#include "llm/multipart.h"
#include "json/json_scan.h"

#define SLOW_BYTES ((size_t)1024 * 1024)
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
    return true;
}

static void inspect_json(struct capture *c, struct str body)
{
    struct str root, member;
    struct buf text = {0};
    struct err err;

    if (json_scan(body, &root) != JSON_OBJECT)
        return;
    if (json_member(root, STR("stream"), &member) && json_type_of(member) == JSON_TRUE)
        c->record.is_stream = true;
    if (!json_member(root, STR("model"), &member) || json_type_of(member) != JSON_STRING)
        return;
    if (json_string(member, &text, &err) == 0)
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
