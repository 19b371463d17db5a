/* POST /v1/completions */
#include "daemon/mock/mock_priv.h"

static const char *finish_reason(const struct mock_answer *a)
{
    return a->cut_short ? "length" : "stop";
}

static void put_usage(const struct mock_answer *a, struct buf *out)
{
    buf_printf(out,
               "{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld,"
               "\"prompt_tokens_details\":{\"cached_tokens\":%lld},"
               "\"completion_tokens_details\":{\"reasoning_tokens\":%lld}}",
               (long long)a->prompt, (long long)a->output, (long long)(a->prompt + a->output),
               (long long)a->cached, (long long)a->reasoning);
}

static void put_start(const struct mock_answer *a, struct buf *out)
{
    char id[MOCK_ID_SIZE];

    buf_printf(out, "{\"id\":\"%s\",\"object\":\"text_completion\",\"created\":%lld,\"model\":",
               mock_id(id, "cmpl-", a->key, 0), (long long)a->created);
    buf_put(out, a->request.model_json);
}

static int json(const struct mock_answer *a, struct buf *out, struct err *err)
{
    put_start(a, out);
    buf_put(out, STR(",\"choices\":[{\"text\":"));
    if (mock_put_part(out, &a->parts[a->part_count - 1], err) < 0)
        return -1;
    buf_printf(out, ",\"index\":0,\"logprobs\":null,\"finish_reason\":\"%s\"}]", finish_reason(a));
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

static void chunk(struct mock_stream *s, struct str text, const char *reason, struct buf *out)
{
    const char *quote = reason ? "\"" : "";

    buf_put(out, STR("data: "));
    put_start(s->answer, out);
    buf_put(out, STR(",\"choices\":[{\"text\":"));
    mock_put_quoted(out, text);
    buf_printf(out, ",\"index\":0,\"logprobs\":null,\"finish_reason\":%s%s%s}]%s}\n\n", quote,
               reason ? reason : "null", quote,
               has_usage_chunk(s->answer) ? ",\"usage\":null" : "");
}

static void nothing(struct mock_stream *s, struct buf *out)
{
    (void)s;
    (void)out;
}

/* This API has no place for reasoning: it only takes its time. */
static void delta(struct mock_stream *s, struct str piece, struct buf *out)
{
    if (s->answer->parts[s->part].kind == MOCK_TEXT)
        chunk(s, piece, NULL, out);
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
    chunk(s, STR(""), finish_reason(s->answer), out);
    if (has_usage_chunk(s->answer)) {
        buf_put(out, STR("data: "));
        put_start(s->answer, out);
        buf_put(out, STR(",\"choices\":[],\"usage\":"));
        put_usage(s->answer, out);
        buf_put(out, STR("}\n\n"));
    }
    buf_put(out, STR("data: [DONE]\n\n"));
    return 0;
}

const struct mock_form mock_completions = {json, nothing, nothing, delta, end, finish};
