#include "record.h"

void record_init(struct record *r)
{
    *r = (struct record){0};
#define INIT_INT(name) r->name = UNKNOWN;
#define INIT_BOOL(name)
#define INIT_TEXT(name)
#define X(kind, name) INIT_##kind(name)
    RECORD_ARRIVAL_FIELDS(X)
    RECORD_OUTCOME_FIELDS(X)
#undef X
    r->attempt_count = 1;
}

bool record_failed(const struct record *r)
{
    bool bad_status =
        r->response_status != UNKNOWN && (r->response_status < 200 || r->response_status >= 400);

    return r->error.ptr || bad_status || r->upstream_error_message.ptr;
}

static bool ended_by(const struct record *r, const char *how)
{
    return str_eq(r->terminated_by, str_c(how));
}

const char *record_outcome(const struct record *r)
{
    bool had_head = r->upstream_headers_ms != UNKNOWN;

    if (r->completed_us == UNKNOWN)
        return NULL;
    if (ended_by(r, TERMINATED_CANCELLED))
        return "cancelled";
    if (ended_by(r, TERMINATED_CLIENT) || r->response_status == 499)
        return "client_gone";
    if (ended_by(r, TERMINATED_IDLE) || (r->error.ptr && !had_head && r->response_status == 504))
        return "timeout";
    if ((r->error.ptr && had_head) || ended_by(r, TERMINATED_SHUTDOWN) ||
        (r->is_stream && r->stream_done == 0 && !r->finish_reason.ptr && !record_failed(r)))
        return "cut";
    if (r->error.ptr)
        return "failed";
    if (r->response_status >= 400)
        return "http_error";
    if (r->upstream_error_message.ptr)
        return "upstream_error";
    return r->response_was_rewritten ? "rewritten" : "ok";
}

struct str record_upstream_base(const struct record *r)
{
    struct str url = r->upstream_url, tail = str_from(r->endpoint, 3);
    ptrdiff_t query = str_chr(url, '?');

    if (query >= 0)
        url = str_cut(url, (size_t)query);
    return str_ends(url, tail) ? str_cut(url, url.len - tail.len) : STR_NONE;
}

int64_t record_generation_ms(const struct record *r)
{
    bool after_first = r->ttft_ms != UNKNOWN && r->duration_ms > r->ttft_ms;

    return after_first ? r->duration_ms - r->ttft_ms : r->duration_ms;
}

int64_t record_generation_tokens(const struct record *r, bool *estimated)
{
    *estimated = r->billing_output_tokens == UNKNOWN && r->content_event_count > 1;
    return *estimated ? r->content_event_count : r->billing_output_tokens;
}
