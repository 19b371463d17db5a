/* POST /v1/chat/completions */
#include "daemon/mock/mock_priv.h"

static const char *finish_reason(const struct mock_answer *a)
{
    return a->tool.ptr ? "tool_calls" : a->cut_short ? "length" : "stop";
}

static void put_usage(const struct mock_answer *a, struct buf *out)
{
    buf_printf(out,
               "{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld,"
               "\"prompt_tokens_details\":{\"cached_tokens\":%lld,\"audio_tokens\":0},"
               "\"completion_tokens_details\":{\"reasoning_tokens\":%lld,\"audio_tokens\":0,"
               "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}",
               (long long)a->prompt, (long long)a->output, (long long)(a->prompt + a->output),
               (long long)a->cached, (long long)a->reasoning);
}

static void put_start(const struct mock_answer *a, const char *object, struct buf *out)
{
    char id[MOCK_ID_SIZE];

    buf_printf(out, "{\"id\":\"%s\",\"object\":\"%s\",\"created\":%lld,\"model\":",
               mock_id(id, "chatcmpl-", a->key, 0), object, (long long)a->created);
    buf_put(out, a->request.model_json);
    buf_put(out, STR(",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock\","));
}

static int put_message(const struct mock_answer *a, struct buf *out, struct err *err)
{
    const struct mock_part *last = &a->parts[a->part_count - 1];
    char id[MOCK_ID_SIZE];

    buf_put(out, STR("{\"role\":\"assistant\",\"content\":"));
    if (last->kind == MOCK_TOOL)
        buf_put(out, STR("null"));
    else if (mock_put_part(out, last, err) < 0)
        return -1;
    buf_put(out, STR(",\"refusal\":null,\"annotations\":[]"));
    if (a->parts[0].kind == MOCK_REASONING) {
        buf_put(out, STR(",\"reasoning_content\":"));
        if (mock_put_part(out, &a->parts[0], err) < 0)
            return -1;
    }
    if (last->kind == MOCK_TOOL) {
        buf_printf(out,
                   ",\"tool_calls\":[{\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":"
                   "\"%.*s\",\"arguments\":",
                   mock_id(id, "call_", a->key, 1), STR_ARG(a->tool));
        if (mock_put_part(out, last, err) < 0)
            return -1;
        buf_put(out, STR("}}]"));
    }
    buf_put(out, STR("}"));
    return 0;
}

static int json(const struct mock_answer *a, struct buf *out, struct err *err)
{
    put_start(a, "chat.completion", out);
    buf_put(out, STR("\"choices\":[{\"index\":0,\"message\":"));
    if (put_message(a, out, err) < 0)
        return -1;
    buf_printf(out, ",\"logprobs\":null,\"finish_reason\":\"%s\"}]", finish_reason(a));
    if (!a->options->no_usage) {
        buf_put(out, STR(",\"usage\":"));
        put_usage(a, out);
    }
    buf_put(out, STR("}"));
    return 0;
}

static bool has_usage_chunk(const struct mock_answer *a)
{
    return a->request.include_usage && !a->options->no_usage;
}

static void chunk_begin(struct mock_stream *s, struct buf *out)
{
    buf_put(out, STR("data: "));
    put_start(s->answer, "chat.completion.chunk", out);
    buf_put(out, STR("\"choices\":[{\"index\":0,\"delta\":"));
}

static void chunk_end(struct mock_stream *s, const char *reason, struct buf *out)
{
    const char *quote = reason ? "\"" : "";

    buf_printf(out, ",\"logprobs\":null,\"finish_reason\":%s%s%s}]%s}\n\n", quote,
               reason ? reason : "null", quote,
               has_usage_chunk(s->answer) ? ",\"usage\":null" : "");
}

static void start(struct mock_stream *s, struct buf *out)
{
    chunk_begin(s, out);
    buf_printf(out, "{\"role\":\"assistant\",\"content\":%s,\"refusal\":null}",
               s->answer->tool.ptr ? "null" : "\"\"");
    chunk_end(s, NULL, out);
}

static void begin(struct mock_stream *s, struct buf *out)
{
    const struct mock_answer *a = s->answer;
    char id[MOCK_ID_SIZE];

    if (a->parts[s->part].kind != MOCK_TOOL)
        return;
    chunk_begin(s, out);
    buf_printf(out,
               "{\"tool_calls\":[{\"index\":0,\"id\":\"%s\",\"type\":\"function\",\"function\":{"
               "\"name\":\"%.*s\",\"arguments\":\"\"}}]}",
               mock_id(id, "call_", a->key, 1), STR_ARG(a->tool));
    chunk_end(s, NULL, out);
}

static void delta(struct mock_stream *s, struct str piece, struct buf *out)
{
    chunk_begin(s, out);
    switch (s->answer->parts[s->part].kind) {
    case MOCK_REASONING:
        buf_put(out, STR("{\"reasoning_content\":"));
        mock_put_quoted(out, piece);
        buf_put(out, STR("}"));
        break;
    case MOCK_TEXT:
        buf_put(out, STR("{\"content\":"));
        mock_put_quoted(out, piece);
        buf_put(out, STR("}"));
        break;
    case MOCK_TOOL:
        buf_put(out, STR("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"));
        mock_put_quoted(out, piece);
        buf_put(out, STR("}}]}"));
        break;
    }
    chunk_end(s, NULL, out);
}

static int end(struct mock_stream *s, struct buf *out, struct err *err)
{
    (void)s;
    (void)out;
    (void)err;
    return 0;
}

static int finish(struct mock_stream *s, struct buf *out, struct err *err)
{
    (void)err;
    chunk_begin(s, out);
    buf_put(out, STR("{}"));
    chunk_end(s, finish_reason(s->answer), out);
    if (has_usage_chunk(s->answer)) {
        buf_put(out, STR("data: "));
        put_start(s->answer, "chat.completion.chunk", out);
        buf_put(out, STR("\"choices\":[],\"usage\":"));
        put_usage(s->answer, out);
        buf_put(out, STR("}\n\n"));
    }
    buf_put(out, STR("data: [DONE]\n\n"));
    return 0;
}

const struct mock_form mock_chat = {json, start, begin, delta, end, finish};
