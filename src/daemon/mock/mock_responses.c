/* POST /v1/responses */
#include "daemon/mock/mock_priv.h"

static void put_id(struct buf *out, const struct mock_answer *a, size_t part)
{
    static const char *const prefixes[] = {"rs_", "msg_", "fc_"};
    char id[MOCK_ID_SIZE];

    buf_put(out, str_c(mock_id(id, prefixes[a->parts[part].kind], a->key, 2 + part)));
}

static void put_usage(const struct mock_answer *a, struct buf *out)
{
    buf_printf(out,
               "{\"input_tokens\":%lld,\"input_tokens_details\":{\"cached_tokens\":%lld},"
               "\"output_tokens\":%lld,\"output_tokens_details\":{\"reasoning_tokens\":%lld},"
               "\"total_tokens\":%lld}",
               (long long)a->prompt, (long long)a->cached, (long long)a->output,
               (long long)a->reasoning, (long long)(a->prompt + a->output));
}

/* The text of a part as it is inside an item: empty at its beginning. */
static int put_text(struct buf *out, const struct mock_part *part, bool done, struct err *err)
{
    if (done)
        return mock_put_part(out, part, err);
    buf_put(out, STR("\"\""));
    return 0;
}

/* What is in an item, once it has begun: {"type":"output_text",...} */
static int put_content(struct buf *out, const struct mock_part *part, bool done, struct err *err)
{
    if (part->kind == MOCK_REASONING)
        buf_put(out, STR("{\"type\":\"summary_text\",\"text\":"));
    else
        buf_put(out, STR("{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],"
                         "\"text\":"));
    if (put_text(out, part, done, err) < 0)
        return -1;
    buf_put(out, STR("}"));
    return 0;
}

static int put_call(struct buf *out, const struct mock_answer *a, size_t at, bool done,
                    struct err *err)
{
    char id[MOCK_ID_SIZE];

    buf_printf(out,
               "\",\"type\":\"function_call\",\"status\":\"%s\",\"call_id\":\"%s\",\"name\":"
               "\"%.*s\",\"arguments\":",
               done ? "completed" : "in_progress", mock_id(id, "call_", a->key, 1),
               STR_ARG(a->tool));
    return put_text(out, &a->parts[at], done, err);
}

static int put_item(struct buf *out, const struct mock_answer *a, size_t at, bool done,
                    struct err *err)
{
    const struct mock_part *part = &a->parts[at];
    bool last = at + 1 == a->part_count;
    int rc = 0;

    buf_put(out, STR("{\"id\":\""));
    put_id(out, a, at);
    switch (part->kind) {
    case MOCK_REASONING:
        buf_put(out, STR("\",\"type\":\"reasoning\",\"summary\":["));
        break;
    case MOCK_TEXT:
        buf_printf(out,
                   "\",\"type\":\"message\",\"status\":\"%s\",\"role\":\"assistant\","
                   "\"content\":[",
                   !done                  ? "in_progress"
                   : last && a->cut_short ? "incomplete"
                                          : "completed");
        break;
    case MOCK_TOOL:
        rc = put_call(out, a, at, done, err);
        buf_put(out, STR("}"));
        return rc;
    }
    if (done)
        rc = put_content(out, part, true, err);
    buf_put(out, STR("]}"));
    return rc;
}

static int put_output(struct buf *out, const struct mock_answer *a, struct err *err)
{
    for (size_t i = 0; i < a->part_count; i++) {
        if (i > 0)
            buf_put(out, STR(","));
        if (put_item(out, a, i, true, err) < 0)
            return -1;
    }
    return 0;
}

static int put_response(struct buf *out, const struct mock_answer *a, bool done, struct err *err)
{
    const char *status = !done ? "in_progress" : a->cut_short ? "incomplete" : "completed";
    char id[MOCK_ID_SIZE];

    buf_printf(out,
               "{\"id\":\"%s\",\"object\":\"response\",\"created_at\":%lld,\"status\":\"%s\","
               "\"background\":false,\"error\":null,\"incomplete_details\":%s,"
               "\"instructions\":null,\"max_output_tokens\":null,\"model\":",
               mock_id(id, "resp_", a->key, 0), (long long)a->created, status,
               done && a->cut_short ? "{\"reason\":\"max_output_tokens\"}" : "null");
    buf_put(out, a->request.model_json);
    buf_put(out, STR(",\"output\":["));
    if (done && put_output(out, a, err) < 0)
        return -1;
    buf_put(out,
            STR("],\"parallel_tool_calls\":true,\"previous_response_id\":null,"
                "\"reasoning\":{\"effort\":null,\"summary\":null},\"service_tier\":\"default\","
                "\"store\":false,\"temperature\":1,\"text\":{\"format\":{\"type\":\"text\"}},"
                "\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1,"
                "\"truncation\":\"disabled\",\"usage\":"));
    if (done && !a->options->no_usage)
        put_usage(a, out);
    else
        buf_put(out, STR("null"));
    buf_put(out, STR(",\"user\":null,\"metadata\":{}}"));
    return 0;
}

static int json(const struct mock_answer *a, struct buf *out, struct err *err)
{
    return put_response(out, a, true, err);
}

static void event(struct mock_stream *s, const char *type, struct buf *out)
{
    buf_printf(out, "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%llu", type, type,
               (unsigned long long)s->sequence++);
}

/* An event about the item at hand. */
static void item_event(struct mock_stream *s, const char *type, struct buf *out)
{
    event(s, type, out);
    buf_put(out, STR(",\"item_id\":\""));
    put_id(out, s->answer, s->part);
    buf_printf(out, "\",\"output_index\":%zu,", s->part);
    if (s->answer->parts[s->part].kind == MOCK_REASONING)
        buf_put(out, STR("\"summary_index\":0,"));
    else if (s->answer->parts[s->part].kind == MOCK_TEXT)
        buf_put(out, STR("\"content_index\":0,"));
}

static void start(struct mock_stream *s, struct buf *out)
{
    static const char *const types[] = {"response.created", "response.in_progress"};
    struct err err;

    for (size_t i = 0; i < 2; i++) {
        event(s, types[i], out);
        buf_put(out, STR(",\"response\":"));
        put_response(out, s->answer, false, &err); /* cannot fail: it has no text yet */
        buf_put(out, STR("}\n\n"));
    }
}

static int output_item(struct mock_stream *s, bool done, struct buf *out, struct err *err)
{
    event(s, done ? "response.output_item.done" : "response.output_item.added", out);
    buf_printf(out, ",\"output_index\":%zu,\"item\":", s->part);
    if (put_item(out, s->answer, s->part, done, err) < 0)
        return -1;
    buf_put(out, STR("}\n\n"));
    return 0;
}

static int content_part(struct mock_stream *s, bool done, struct buf *out, struct err *err)
{
    static const char *const types[2][2] = {
        {"response.reasoning_summary_part.added", "response.reasoning_summary_part.done"},
        {"response.content_part.added", "response.content_part.done"}};
    const struct mock_part *part = &s->answer->parts[s->part];

    item_event(s, types[part->kind == MOCK_TEXT][done], out);
    buf_put(out, STR("\"part\":"));
    if (put_content(out, part, done, err) < 0)
        return -1;
    buf_put(out, STR("}\n\n"));
    return 0;
}

static void begin(struct mock_stream *s, struct buf *out)
{
    struct err err;

    output_item(s, false, out, &err);
    if (s->answer->parts[s->part].kind != MOCK_TOOL)
        content_part(s, false, out, &err);
}

static void delta(struct mock_stream *s, struct str piece, struct buf *out)
{
    static const char *const types[] = {"response.reasoning_summary_text.delta",
                                        "response.output_text.delta",
                                        "response.function_call_arguments.delta"};
    enum mock_part_kind kind = s->answer->parts[s->part].kind;

    item_event(s, types[kind], out);
    buf_put(out, STR("\"delta\":"));
    mock_put_quoted(out, piece);
    buf_put(out, kind == MOCK_TEXT ? STR(",\"logprobs\":[]}\n\n") : STR("}\n\n"));
}

static int end(struct mock_stream *s, struct buf *out, struct err *err)
{
    static const char *const types[] = {"response.reasoning_summary_text.done",
                                        "response.output_text.done",
                                        "response.function_call_arguments.done"};
    const struct mock_part *part = &s->answer->parts[s->part];

    item_event(s, types[part->kind], out);
    buf_put(out, part->kind == MOCK_TOOL ? STR("\"arguments\":") : STR("\"text\":"));
    if (mock_put_part(out, part, err) < 0)
        return -1;
    if (part->kind == MOCK_TOOL)
        buf_printf(out, ",\"name\":\"%.*s\"", STR_ARG(s->answer->tool));
    buf_put(out, part->kind == MOCK_TEXT ? STR(",\"logprobs\":[]}\n\n") : STR("}\n\n"));
    if (part->kind != MOCK_TOOL && content_part(s, true, out, err) < 0)
        return -1;
    return output_item(s, true, out, err);
}

static int finish(struct mock_stream *s, struct buf *out, struct err *err)
{
    event(s, s->answer->cut_short ? "response.incomplete" : "response.completed", out);
    buf_put(out, STR(",\"response\":"));
    if (put_response(out, s->answer, true, err) < 0)
        return -1;
    buf_put(out, STR("}\n\n"));
    return 0;
}

const struct mock_form mock_responses = {json, start, begin, delta, end, finish};
