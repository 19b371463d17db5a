#include "daemon/record/analyze.h"

#include "core/billing.h"
#include "llm/facts.h"

/* Larger answers are not parsed. */
#define MAX_JSON_BYTES ((size_t)64 << 20)

static bool is_event_stream(const struct record *r)
{
    return r->response_content_type.ptr &&
           str_ifind(r->response_content_type, STR("text/event-stream")) >= 0;
}

/* An answer that went well is read only when it may hold an error. */
static bool may_hold_error(const struct record *r, struct str body)
{
    if (body.len == 0 || body.len > MAX_JSON_BYTES || r->response_body_truncated)
        return false;
    return r->response_status >= 400 || memmem(body.ptr, body.len, "\"error\"", 7) != NULL;
}

static bool find_error(struct capture *c, struct upstream_error *out)
{
    struct record *r = &c->record;
    struct str body = blob_str(&c->response);

    if (c->error_event.ptr && facts_error_in_json(c->error_event, &c->arena, out))
        return true;
    if (r->error.ptr || (is_event_stream(r) && r->response_status < 400))
        return false; /* an error answer of our own is not the upstream's */
    if (c->error_event.ptr)
        body = c->error_event;
    else if (!may_hold_error(r, body))
        return false;
    return facts_error_in_body(body, r->response_content_type, r->response_status, &c->arena, out);
}

static void read_error(struct capture *c)
{
    struct record *r = &c->record;
    struct upstream_error e = {0};

    if (r->response_status == UNKNOWN || r->upstream_error_message.ptr || !find_error(c, &e))
        return;
    r->upstream_error_type = e.type;
    r->upstream_error_code = e.code;
    r->upstream_error_message = e.message.ptr ? e.message : e.type.ptr ? e.type : e.code;
}

void analyze(struct capture *c, const struct price_book *book)
{
    read_error(c);
    if (book)
        billing_price(book, &c->record, blob_str(&c->request), UNKNOWN, &c->arena);
}
