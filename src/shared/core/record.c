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
