#include "daemon/mock/mock_priv.h"

#include "json/json.h"

#define TOKENS_DEFAULT 200
#define CREATED_BASE 1767225600 /* 2026 */
#define CREATED_RANGE 10000000  /* about four months */
#define SPACE_AFTER 4096        /* for what the forms put behind a text */

static int64_t count_pieces(struct mock_pieces p)
{
    struct str piece;
    int64_t n = 0;

    while (mock_piece(&p, &piece))
        n++;
    return n;
}

static void add_part(struct mock_answer *a, enum mock_part_kind kind, int64_t tokens,
                     struct mock_pieces pieces)
{
    pieces.left = tokens;
    pieces.key = mock_mix(a->key, a->part_count);
    a->parts[a->part_count++] = (struct mock_part){kind, tokens, pieces};
    a->total += tokens;
}

static int64_t within_limit(struct mock_answer *a, int64_t tokens)
{
    int64_t room = a->request.limit == UNKNOWN ? tokens : a->request.limit - a->total;

    if (tokens <= room)
        return tokens;
    a->cut_short = true;
    return room < 0 ? 0 : room;
}

/* A text that is sent whole: the arguments of a call. */
static int add_fixed(struct mock_answer *a, enum mock_part_kind kind, struct buf *text,
                     struct err *err)
{
    struct mock_pieces p = {.rest = arena_dup(&a->arena, buf_str(text))};

    if (!p.rest.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    p.key = mock_mix(a->key, a->part_count);
    add_part(a, kind, count_pieces(p), p);
    return 0;
}

static int add_call(struct mock_answer *a, struct err *err)
{
    struct mock_tool tool = a->request.tool;
    struct buf text = {0};
    int rc;

    if (a->options->tool.ptr)
        tool.name = a->options->tool;
    if (a->options->qwen) {
        rc = mock_qwen_call(&text, tool, a->key, err);
        if (rc == 0)
            rc = add_fixed(a, MOCK_TEXT, &text, err);
    } else {
        mock_arguments(&text, tool.schema, a->key);
        rc = add_fixed(a, MOCK_TOOL, &text, err);
        a->tool = arena_dup(&a->arena, tool.name);
    }
    buf_clear(&text);
    return rc;
}

static void add_text(struct mock_answer *a, const struct mock_text *text)
{
    struct mock_pieces p = {.text = text};
    int64_t tokens = a->options->tokens;

    if (tokens == UNKNOWN && text->in_order) {
        struct mock_pieces once = {.text = text, .left = INT64_MAX};
        struct str piece;

        tokens = 0;
        do {
            mock_piece(&once, &piece);
            tokens++;
        } while (once.rest.len > 0 && tokens < MOCK_TOKENS_MAX);
    }
    if (tokens == UNKNOWN)
        tokens = TOKENS_DEFAULT;
    add_part(a, MOCK_TEXT, within_limit(a, tokens), p);
}

static bool wants_call(const struct mock_answer *a)
{
    const struct mock_request *r = &a->request;

    return a->api != MOCK_COMPLETIONS && r->tool.name.ptr && !r->tool_done &&
           (a->options->tool.ptr || a->options->qwen);
}

int mock_answer_plan(struct mock_answer *a, const struct mock_text *text, struct str body,
                     struct err *err)
{
    struct mock_request *r = &a->request;
    int rc = 0;

    a->options = &r->options;
    a->key = mock_mix(mock_hash(r->options.seed, body), (uint64_t)a->api);
    a->created = CREATED_BASE + (int64_t)(a->key % CREATED_RANGE);
    a->prompt = r->prompt_tokens;
    a->cached = a->prompt * r->options.cached / 100;
    if (r->options.reasoning > 0) {
        a->reasoning = within_limit(a, r->options.reasoning);
        add_part(a, MOCK_REASONING, a->reasoning, (struct mock_pieces){.text = &mock_sentences});
    }
    if (!a->cut_short && wants_call(a))
        rc = add_call(a, err);
    else
        add_text(a, text);
    r->tool = (struct mock_tool){0}; /* it borrows from the body */
    a->output = a->total;
    return rc;
}

void mock_answer_clear(struct mock_answer *a)
{
    arena_clear(&a->arena);
}

int mock_put_part(struct buf *out, const struct mock_part *part, struct err *err)
{
    struct mock_pieces p = part->pieces;
    struct buf text = {0};
    struct str piece;
    int rc = 0;

    while (rc == 0 && mock_piece(&p, &piece))
        rc = buf_add(&text, piece, err);
    if (rc == 0 && !json_quote(out, buf_str(&text)))
        rc = err_set(err, ERR_NO_MEMORY, "no memory for an answer");
    if (rc == 0)
        rc = buf_reserve(out, SPACE_AFTER, err);
    buf_clear(&text);
    return rc;
}

void mock_put_quoted(struct buf *out, struct str s)
{
    if (!json_quote(out, s))
        buf_put(out, STR("\"\""));
}
