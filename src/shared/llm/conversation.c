#include "conversation.h"

#include <stdlib.h>

#include "llm/conversation_priv.h"
#include "llm/sse.h"
#include "utf8.h"
#include "json/json.h"

/* Larger events are not read. */
#define EVENT_BYTES ((size_t)16 << 20)
#define MAX_PARAMS 256
/* Of events that are not known so many are kept. */
#define KEEP_EVENTS 100
#define KEEP_BYTES ((size_t)256 << 10)

static const struct conv_dialect *const dialects[] = {
    &conv_chat, &conv_completions, &conv_responses, &conv_messages, /* the first that fits */
};

/* An event of a stream whose API is not known. */
static const struct conv_dialect *dialect_of_event(const struct conv *c)
{
    struct str type = conv_value(c, conv_string(c, 0, "type"));

    if (str_starts(type, STR("\"message_")) || str_starts(type, STR("\"content_block_")))
        return &conv_messages;
    if (str_starts(type, STR("\"response.")) || str_starts(type, STR("\"transcript.")))
        return &conv_responses;
    return &conv_chat;
}

static const struct conv_dialect *dialect_of(struct str endpoint)
{
    while (str_ends(endpoint, STR("/")))
        endpoint.len--;
    for (size_t i = 0; i < sizeof(dialects) / sizeof(*dialects); i++)
        if (str_ends(endpoint, str_c(dialects[i]->suffix)))
            return dialects[i];
    return NULL;
}

/* Index text, repaired where it is not UTF-8; repaired then holds it. False when it is no JSON. */
static bool index_text(struct json_index *json, struct str text, struct buf *repaired)
{
    struct err err;

    if (json_index_again(json, text, &err) == 0)
        return true;
    return !utf8_valid(text) && utf8_repair(repaired, text, &err) == 0 &&
           json_index_again(json, buf_str(repaired), &err) == 0;
}

/* ---- the request -------------------------------------------------------------------------- */

static bool is_content(const struct conv_dialect *dialect, struct str key)
{
    for (size_t i = 0; dialect->content[i]; i++)
        if (json_key_is(key, str_c(dialect->content[i])))
            return true;
    return false;
}

static void add_param(struct conv *c, struct str raw, size_t node)
{
    struct buf quoted = {0}, key = {0};
    struct err err;

    if (buf_add(&quoted, STR("\""), &err) == 0 && buf_add(&quoted, raw, &err) == 0 &&
        buf_add(&quoted, STR("\""), &err) == 0 && json_string(buf_str(&quoted), &key, &err) == 0 &&
        str_chr(buf_str(&key), '\0') < 0) {
        cJSON_DeleteItemFromObjectCaseSensitive(c->params, buf_str(&key).ptr); /* the last counts */
        conv_put_json(c->params, buf_str(&key).ptr, conv_value(c, node));
    }
    buf_clear(&quoted);
    buf_clear(&key);
}

static void read_params(struct conv *c, const struct conv_dialect *dialect)
{
    size_t count = 0;

    for (size_t i = 1; i < c->json->count; i = c->json->nodes[i].next) {
        struct str key = json_index_key(c->json, i);

        if (is_content(dialect, key))
            continue;
        if (count++ < MAX_PARAMS)
            add_param(c, key, i);
        else
            c->omitted++;
    }
}

static void read_request(struct conv *c, const struct conv_dialect *dialect,
                         const struct conversation_input *in)
{
    struct json_index json = {0};
    struct buf repaired = {0};

    if (!in->request_body.ptr || in->request_body.len == 0) {
        c->notice = STR("There is no request body.");
    } else if (!index_text(&json, in->request_body, &repaired)) {
        c->notice = in->request_cut ? STR("Only the start of the request was kept.")
                                    : STR("The request is not JSON.");
    } else if (json.text.ptr[0] != '{') {
        c->notice = STR("The request is no JSON object.");
    } else {
        c->json = &json;
        c->model = conv_name(c, 0, "model");
        read_params(c, dialect);
        dialect->request(c);
    }
    c->json = NULL;
    json_index_clear(&json);
    buf_clear(&repaired);
}

/* ---- the answer --------------------------------------------------------------------------- */

struct reader {
    struct conv *c;
    const struct conv_dialect *dialect; /* NULL: whatever an event looks like */
    struct json_index json;             /* of the event at hand */
};

/* An event that says nothing we know, or is no JSON: kept as it came. */
static void keep_event(struct conv *c, struct str data, bool is_json)
{
    cJSON *o;

    c->unknown++;
    if (!c->unknown_events || cJSON_GetArraySize(c->unknown_events) >= KEEP_EVENTS ||
        c->unknown_bytes + data.len > KEEP_BYTES)
        return;
    c->unknown_bytes += data.len;
    o = cJSON_CreateObject();
    json_put_int(o, "event", c->events);
    if (is_json)
        conv_put_json(o, "raw", data);
    else
        json_put_str(o, "raw", data);
    if (!cJSON_AddItemToArray(c->unknown_events, o))
        cJSON_Delete(o);
}

static void read_error(struct conv *c, struct str json)
{
    if (!c->failed && str_find(json, STR("error")) >= 0)
        c->failed = facts_error_in_json(json, &c->arena, &c->error);
}

static void on_event(void *ctx, struct str data, bool cut)
{
    struct reader *r = ctx;
    struct conv *c = r->c;
    const struct conv_dialect *dialect;
    struct json_index *json = &r->json;
    struct buf repaired = {0};

    if (cut || !index_text(json, data, &repaired)) {
        c->broken++;
        keep_event(c, str_cut(data, KEEP_BYTES / 4), false);
    } else {
        c->json = json;
        read_error(c, json->text);
        dialect = r->dialect ? r->dialect : dialect_of_event(c);
        if (json->text.ptr[0] != '{' || !dialect->event(c))
            keep_event(c, json->text, true);
        c->json = NULL;
    }
    c->events++;
    buf_clear(&repaired);
}

static bool read_whole(struct reader *r, struct str body)
{
    struct json_index *json = &r->json;
    struct buf repaired = {0};
    bool ok = index_text(json, body, &repaired);

    if (ok) {
        r->c->json = json;
        read_error(r->c, json->text);
        if (json->text.ptr[0] == '{')
            r->dialect->answer(r->c);
        r->c->json = NULL;
    }
    buf_clear(&repaired);
    return ok;
}

static void read_stream(struct reader *r, struct str body)
{
    struct sse sse;

    sse_init(&sse, EVENT_BYTES, on_event, r);
    sse_feed(&sse, body);
    r->c->cut_event = !sse.at_boundary;
    sse_finish(&sse);
    r->c->done = r->c->done || sse.done;
    sse_clear(&sse);
}

static void read_lines(struct reader *r, struct str body)
{
    struct str line;

    while (str_split(&body, '\n', &line))
        on_event(r, line, line.len > EVENT_BYTES);
}

void conv_read_events(struct conv *c, struct str body, bool lines)
{
    struct reader r = {.c = c};

    if (lines)
        read_lines(&r, body);
    else
        read_stream(&r, body);
    json_index_clear(&r.json);
}

static void read_body(struct reader *r, const struct conversation_input *in)
{
    bool is_events = str_ifind(in->response_content_type, STR("text/event-stream")) >= 0;
    struct conv *c = r->c;

    if (!is_events && read_whole(r, in->response_body))
        return;
    read_stream(r, in->response_body);
    c->is_stream = is_events || c->events > c->broken;
    if (c->is_stream && c->events == c->broken && !c->done && read_whole(r, in->response_body))
        c->is_stream = false; /* JSON by another name */
    if (!c->is_stream && c->responses == 0 && !c->failed && !c->notice.ptr)
        c->notice = in->response_cut ? STR("Only the start of the answer was kept.")
                                     : STR("The answer is not JSON.");
}

static void read_answer(struct conv *c, const struct conv_dialect *dialect,
                        const struct conversation_input *in)
{
    struct reader r = {.c = c, .dialect = dialect};

    if (!in->response_body.ptr || in->response_body.len == 0)
        return;
    read_body(&r, in);
    json_index_clear(&r.json);
}

void conv_clear(struct conv *c)
{
    for (size_t i = 0; i < c->count; i++) {
        for (size_t k = 0; k < c->messages[i].count; k++)
            buf_clear(&c->messages[i].parts[k].text);
        free(c->messages[i].parts);
    }
    free(c->messages);
    cJSON_Delete(c->params);
    cJSON_Delete(c->tools);
    cJSON_Delete(c->unknown_events);
    arena_clear(&c->arena);
}

cJSON *conversation_build(const struct conversation_input *in)
{
    const struct conv_dialect *dialect = dialect_of(in->endpoint);
    struct conv c = {
        .params = cJSON_CreateObject(),
        .tools = cJSON_CreateArray(),
        .unknown_events = cJSON_CreateArray(),
    };
    cJSON *o = NULL;

    if (!c.params || !c.tools || !c.unknown_events)
        goto out;
    if (dialect) {
        read_request(&c, dialect, in);
        read_answer(&c, dialect, in);
    } else {
        c.notice = STR("This endpoint has no conversation.");
    }
    o = conv_json(&c, dialect, in->response_cut);
out:
    conv_clear(&c);
    return o;
}

/* ---- threads ------------------------------------------------------------------------------ */

static size_t turns_of(const struct conv *c)
{
    size_t list = conv_array(c, 0, "messages");

    return list > 0 ? list : conv_array(c, 0, "input");
}

static size_t count_shared(const struct conv *a, const struct conv *b)
{
    size_t from = turns_of(a), to = turns_of(b), count = 0, k = to + 1;

    if (from == 0 || to == 0)
        return 0;
    CONV_EACH(a, i, from)
    {
        if (k >= b->json->nodes[to].next || !str_eq(conv_value(a, i), conv_value(b, k)))
            return 0;
        k = b->json->nodes[k].next;
        count++;
    }
    return k < b->json->nodes[to].next ? count : 0;
}

size_t conversation_shared(struct str earlier, struct str later)
{
    struct json_index a = {0}, b = {0};
    struct err err;
    size_t count = 0;

    if (earlier.len < later.len && json_index(&a, earlier, &err) == 0 &&
        json_index(&b, later, &err) == 0)
        count = count_shared(&(struct conv){.json = &a}, &(struct conv){.json = &b});
    json_index_clear(&a);
    json_index_clear(&b);
    return count;
}
