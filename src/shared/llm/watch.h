/* llm/watch.h - what can be said of a streamed answer while it passes: events, content, gaps, end
 * markers, the first error. Cheap enough for the event loop; the bytes are never touched. */
#ifndef LLM_WATCH_H
#define LLM_WATCH_H

#include "llm/sse.h"

/** Gaps between content events, as a histogram of log-spaced buckets: constant memory. */
#define WATCH_GAP_BUCKETS 64
#define WATCH_RECENT_GAPS 96

struct watch {
    int64_t event_count;      /* decoded events, without comments and [DONE] */
    int64_t content_count;    /* content events */
    int64_t first_content_us; /* 0: none yet */
    int64_t last_content_us;
    int64_t gap_sum_us, gap_max_us, gap_count;
    uint32_t gaps[WATCH_GAP_BUCKETS];
    uint32_t recent_gaps[WATCH_RECENT_GAPS]; /* us; a ring of gap_count */
    int64_t output_tokens;                   /* as reported so far; 0: not yet */
    bool done;              /* [DONE], response.completed, .incomplete, .failed, message_stop */
    char finish_reason[64]; /* last one seen, "" none */
    struct buf error_event; /* data of the first event that holds an error, at most 16 KiB */
    /* private */
    struct buf head, last; /* events for watch_kept() */
    struct sse sse;
    int64_t now_us;
};

void watch_init(struct watch *w);
/** Bytes of the answer that arrived at now_us (monotonic). */
void watch_feed(struct watch *w, struct str bytes, int64_t now_us);
/** The answer has ended; the last event may lack its blank line. */
void watch_finish(struct watch *w, int64_t now_us);
void watch_clear(struct watch *w);
/** The 95th percentile of the gaps in microseconds; UNKNOWN when there are none. */
int64_t watch_gap_p95_us(const struct watch *w);

/** Append what is kept of the stream, as events: what names the answer, the starts of calls, the
 *  last report of usage. At most 1.3 MiB, seldom more than two events. For answer_read(), when the
 *  stream itself is not stored whole. */
void watch_kept(const struct watch *w, struct buf *out);

/** True when an event (its JSON text) carries generated output: the one that stops the TTFT clock.
 */
bool watch_is_content(struct str event);

#endif
