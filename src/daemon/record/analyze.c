#include "daemon/record/analyze.h"

#include "core/billing.h"
#include "core/forward.h"
#include "llm/answer.h"
#include "llm/facts.h"
#include "llm/tokens.h"

/* ---- the error ---------------------------------------------------------------------------- */

/* An answer that went well is read only when it may hold an error. */
static bool may_hold_error(const struct capture *c, struct str body)
{
    const struct record *r = &c->record;

    if (body.len == 0 || body.len > c->inspect_max || r->response_body_truncated)
        return false;
    return r->response_status >= 400 || str_find(body, STR("\"error\"")) >= 0;
}

static bool find_error(struct capture *c, struct upstream_error *out)
{
    struct record *r = &c->record;
    struct str body = blob_str(&c->response);

    if (c->error_event.ptr && facts_error_in_json(c->error_event, &c->arena, out))
        return true;
    if (r->error.ptr || (forward_is_sse(r->response_content_type) && r->response_status < 400))
        return false; /* an error answer of our own is not the upstream's */
    if (c->error_event.ptr)
        body = c->error_event;
    else if (!may_hold_error(c, body))
        return false;
    return facts_error_in_body(body, r->response_content_type, r->response_status, &c->arena, out);
}

static void note_error(struct capture *c)
{
    struct record *r = &c->record;
    struct upstream_error e = {0};

    if (r->upstream_error_message.ptr || !find_error(c, &e))
        return;
    r->upstream_error_type = e.type;
    r->upstream_error_code = e.code;
    r->upstream_error_message = e.message.ptr ? e.message : e.type.ptr ? e.type : e.code;
}

/* ---- what the answer says ----------------------------------------------------------------- */

/* The client-visible body, or of a stream that is not there in full what was kept of it. */
static struct str readable(const struct capture *c)
{
    const struct record *r = &c->record;
    bool whole = !r->response_body_truncated && (int64_t)c->response.len == r->response_bytes;

    if (!whole)
        return c->kept_events;
    return c->response.len <= c->inspect_max || forward_is_sse(r->response_content_type)
               ? blob_str(&c->response)
               : STR_NONE;
}

/* Google's endpoint counts hidden thinking in the total only. */
static void add_hidden_reasoning(const struct record *r, struct usage *u)
{
    int64_t hidden;

    if (u->reasoning != UNKNOWN || u->input == UNKNOWN || u->output == UNKNOWN ||
        u->total == UNKNOWN ||
        str_find(r->upstream_url, STR("://generativelanguage.googleapis.com/")) < 0)
        return;
    hidden = u->total - u->input - u->output;
    if (hidden > 0)
        u->reasoning = hidden;
}

static void note_usage(struct record *r, struct usage u)
{
    add_hidden_reasoning(r, &u);
    r->billing_input_tokens = u.input;
    r->billing_cached_input_tokens = u.cached_input;
    r->billing_cache_write_input_tokens = u.cache_write_input;
    r->billing_output_tokens = u.output;
    r->billing_reasoning_tokens = u.reasoning;
    r->billing_total_tokens = u.total;
}

/* What the cost depends on and no column keeps is written to *facts. */
static void note_answer(struct capture *c, struct billing_facts *facts)
{
    struct record *r = &c->record;
    struct str body = readable(c);
    struct answer a;

    if (r->upstream_headers_ms == UNKNOWN || body.len == 0)
        return; /* there was none, or it is our own */
    answer_read(body, forward_is_sse(r->response_content_type), &c->arena, &a);
    r->response_model = a.model;
    r->response_id = a.id;
    r->tool_call_count = a.tool_call_count;
    r->has_tool_calls = r->has_tool_calls || a.has_tools;
    r->service_tier = a.service_tier;
    if (!r->finish_reason.ptr)
        r->finish_reason = a.finish_reason;
    if (!usage_is_consumption(r->method, r->endpoint))
        return;
    r->reported_cost_pusd = a.reported_cost_pusd;
    note_usage(r, a.usage);
    facts->cache_write_1h = a.cache_write_1h_tokens;
    facts->upstream_cost = a.upstream_cost_pusd;
}

/* ---- what the request holds --------------------------------------------------------------- */

static void note_request(struct capture *c)
{
    struct record *r = &c->record;
    struct str body = blob_str(&c->request);

    if (!r->service_tier.ptr)
        r->service_tier = answer_asked_tier(body, &c->arena);
    if (r->has_images)
        images_find(body, r->request_content_type, IMAGES_MAX, &c->image_arena, &c->images);
}

/* Of several upstreams, the one whose answer the client got. */
static void note_upstream(struct capture *c)
{
    const struct attempt *a = c->served;

    if (!a)
        return;
    c->record.upstream_url = a->upstream_url;
    c->record.upstream_model = a->upstream_model;
    c->record.provider_slug = a->provider_slug;
}

void analyze_request(struct capture *c, bool quick)
{
    struct record *r = &c->record;
    struct str model = r->upstream_model.ptr ? r->upstream_model : r->model;
    struct token_estimate e;

    if (r->request_body_truncated || c->request.len == 0)
        return;
    e = tokens_estimate(blob_str(&c->request), r->endpoint, model, quick);
    if (e.tokens == UNKNOWN)
        return;
    r->estimated_input_tokens = e.tokens;
    atomic_store_explicit(&c->input_estimate, e.tokens, memory_order_relaxed);
    r->estimated_input_tokenizer = str_c(e.tokenizer);
    r->estimated_input_model = model;
}

void analyze(struct capture *c, const struct price_book *book)
{
    struct billing_facts facts = {.cache_write_1h = UNKNOWN, .upstream_cost = UNKNOWN};

    note_upstream(c);
    if (c->record.response_status != UNKNOWN)
        note_error(c);
    note_answer(c, &facts);
    note_request(c);
    if (book)
        billing_price(book, &c->record, blob_str(&c->request), &facts, &c->arena);
}
