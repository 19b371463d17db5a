/* llm/sse.h - server-sent events out of bytes that arrive in any pieces.
 *
 * Lines end at LF, CRLF or CR and at nothing else. The data lines of an event are joined with LF;
 * comments and other fields are skipped. Linear, incremental: any split gives the same events. */
#ifndef LLM_SSE_H
#define LLM_SSE_H

#include "base/buf.h"

/** One event with data that is neither empty nor "[DONE]". data is borrowed for the call, trimmed
 *  line by line, as received (not repaired). cut: longer than keep_bytes, data is its start. */
typedef void sse_event_fn(void *ctx, struct str data, bool cut);

struct sse {
    sse_event_fn *event;
    void *ctx;
    size_t keep_bytes; /* how much of an event is kept for the callback */
    bool done;         /* a [DONE] was seen */
    bool at_boundary;  /* the bytes so far end after a complete event */
    /* private */
    struct buf data, line;
    bool started, line_is_data, line_skipped, last_was_cr, has_data, cut, line_cut;
    unsigned char bom;
};

void sse_init(struct sse *sse, size_t keep_bytes, sse_event_fn *event, void *ctx);
void sse_feed(struct sse *sse, struct str bytes);
/** End of input ends the last event too. */
void sse_finish(struct sse *sse);
void sse_clear(struct sse *sse);

#endif
