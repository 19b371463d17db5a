/* POST /v1/messages, Anthropic's API */
#include "daemon/mock/mock_priv.h"

static const char *stop_reason(const struct mock_answer *a)
{
    return a->tool.ptr ? "tool_use" : a->cut_short ? "max_tokens" : "end_turn";
}

/* Cached tokens are not part of input_tokens here. */
static void put_usage(const struct mock_answer *a, int64_t output, struct buf *out)
{
    if (a->options->no_usage) {
        buf_put(out, STR("{}"));
        return;
    }
    buf_printf(out,
               "{\"input_tokens\":%lld,\"cache_creation_input_tokens\":0,"
               "\"cache_read_input_tokens\":%lld,\"output_tokens\":%lld,"
               "\"service_tier\":\"standard\"}",
               (long long)(a->prompt - a->cached), (long long)a->cached, (long long)output);
}

static void put_start(const struct mock_answer *a, struct buf *out)
{
    char id[MOCK_ID_SIZE];

    buf_printf(out, "{\"id\":\"%s\",\"type\":\"message\",\"role\":\"assistant\",\"model\":",
               mock_id(id, "msg_", a->key, 0));
    buf_put(out, a->request.model_json);
    buf_put(out, STR(",\"content\":["));
}

/* {"type":…, up to its text. */
static void put_block(const struct mock_answer *a, const struct mock_part *part, struct buf *out)
{
    char id[MOCK_ID_SIZE];

    switch (part->kind) {
    case MOCK_REASONING:
        buf_printf(out, "{\"type\":\"thinking\",\"signature\":");
        break;
    case MOCK_TEXT:
        buf_put(out, STR("{\"type\":\"text\",\"text\":"));
        break;
    case MOCK_TOOL:
        buf_printf(out, "{\"type\":\"tool_use\",\"id\":\"%s\",\"name\":\"%.*s\",\"input\":",
                   mock_id(id, "toolu_", a->key, 1), STR_ARG(a->tool));
        break;
    }
}

static void put_signature(const struct mock_answer *a, struct buf *out)
{
    char id[MOCK_ID_SIZE];

    buf_printf(out, "\"%s\"", mock_id(id, "sig", a->key, 4));
}

static int put_whole_block(const struct mock_answer *a, const struct mock_part *part,
                           struct buf *out, struct err *err)
{
    put_block(a, part, out);
    if (part->kind == MOCK_TOOL) {
        buf_put(out, part->pieces.rest); /* the arguments, small JSON */
    } else {
        if (part->kind == MOCK_REASONING) {
            put_signature(a, out);
            buf_put(out, STR(",\"thinking\":"));
        }
        if (mock_put_part(out, part, err) < 0)
            return -1;
    }
    buf_put(out, STR("}"));
    return 0;
}

static int json(const struct mock_answer *a, struct buf *out, struct err *err)
{
    put_start(a, out);
    for (size_t i = 0; i < a->part_count; i++) {
        if (i > 0)
            buf_put(out, STR(","));
        if (put_whole_block(a, &a->parts[i], out, err) < 0)
            return -1;
    }
    buf_printf(out, "],\"stop_reason\":\"%s\",\"stop_sequence\":null,\"usage\":", stop_reason(a));
    put_usage(a, a->output, out);
    buf_put(out, STR("}"));
    return 0;
}

static void start(struct mock_stream *s, struct buf *out)
{
    buf_put(out, STR("event: message_start\ndata: {\"type\":\"message_start\",\"message\":"));
    put_start(s->answer, out);
    buf_put(out, STR("],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":"));
    put_usage(s->answer, 1, out);
    buf_put(out, STR("}}\n\n"));
}

static void begin(struct mock_stream *s, struct buf *out)
{
    const struct mock_part *part = &s->answer->parts[s->part];

    buf_printf(out,
               "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":%zu,"
               "\"content_block\":",
               s->part);
    put_block(s->answer, part, out);
    buf_put(out, part->kind == MOCK_TOOL        ? STR("{}}}\n\n")
                 : part->kind == MOCK_REASONING ? STR("\"\",\"thinking\":\"\"}}\n\n")
                                                : STR("\"\"}}\n\n"));
    if (s->part == 0)
        buf_put(out, STR("event: ping\ndata: {\"type\":\"ping\"}\n\n"));
}

static void delta_begin(struct mock_stream *s, const char *type, const char *member,
                        struct buf *out)
{
    buf_printf(out,
               "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":%zu,"
               "\"delta\":{\"type\":\"%s\",\"%s\":",
               s->part, type, member);
}

static void delta(struct mock_stream *s, struct str piece, struct buf *out)
{
    switch (s->answer->parts[s->part].kind) {
    case MOCK_REASONING:
        delta_begin(s, "thinking_delta", "thinking", out);
        break;
    case MOCK_TEXT:
        delta_begin(s, "text_delta", "text", out);
        break;
    case MOCK_TOOL:
        delta_begin(s, "input_json_delta", "partial_json", out);
        break;
    }
    mock_put_quoted(out, piece);
    buf_put(out, STR("}}\n\n"));
}

static int end(struct mock_stream *s, struct buf *out, struct err *err)
{
    (void)err;
    if (s->answer->parts[s->part].kind == MOCK_REASONING) {
        delta_begin(s, "signature_delta", "signature", out);
        put_signature(s->answer, out);
        buf_put(out, STR("}}\n\n"));
    }
    buf_printf(out,
               "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":%zu}"
               "\n\n",
               s->part);
    return 0;
}

static int finish(struct mock_stream *s, struct buf *out, struct err *err)
{
    const struct mock_answer *a = s->answer;

    (void)err;
    buf_printf(out,
               "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"
               "\"stop_reason\":\"%s\",\"stop_sequence\":null},\"usage\":{",
               stop_reason(a));
    if (!a->options->no_usage)
        buf_printf(out, "\"output_tokens\":%lld", (long long)a->output);
    buf_put(out, STR("}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
    return 0;
}

const struct mock_form mock_messages = {json, start, begin, delta, end, finish};
