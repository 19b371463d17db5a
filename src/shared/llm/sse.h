/* llm/sse.h - server-sent events out of bytes that arrive in any pieces.
 *
 * Lines end at LF, CRLF or CR and at nothing else. The data lines of an event are joined with LF;
 * comments and other fields are skipped. Linear, incremental: any split gives the same events. */
#ifndef LLM_SSE_H
#define LLM_SSE_H

#include "base/buf.h"

/** One event with data that is neither empty nor "[DONE]". data is borrowed for the call, trimmed
 *  line by line, as received (not repaired). cut: longer than keep_bytes, data is its start. Must
 *  not feed the same sse. */
typedef void sse_event_fn(void *ctx, struct str data, bool cut);

/* What is known of the line that is being read. */
enum sse_line {
    SSE_LINE_START,  /* nothing of it yet */
    SSE_LINE_PREFIX, /* a part of "data:" */
    SSE_LINE_BLANK,  /* blanks only */
    SSE_LINE_DATA,   /* behind "data:" */
    SSE_LINE_SKIP,   /* anything else */
};

struct sse {
    sse_event_fn *event;
    void *ctx;
    size_t keep_bytes; /* how much of an event is kept for the callback */
    bool done;         /* a [DONE] was seen */
    bool at_boundary;  /* the bytes so far end after a complete event */
    /* private */
    struct buf data;  /* the data lines of the event so far, unless whole holds them */
    struct buf line;  /* the data of a line that spans pieces, without leading blanks */
    struct str whole; /* the one data line of the event, inside the piece being fed */
    enum sse_line state;
    size_t prefix; /* bytes of "data:" or of the byte order mark seen */
    bool started;  /* behind the byte order mark */
    bool last_was_cr, has_data, cut, line_cut;
};

void sse_init(struct sse *sse, size_t keep_bytes, sse_event_fn *event, void *ctx);
void sse_feed(struct sse *sse, struct str bytes);
/** End of input ends the last event too. */
void sse_finish(struct sse *sse);
void sse_clear(struct sse *sse);

#endif
