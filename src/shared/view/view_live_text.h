/* view/view_live_text.h - the text of an answer that is still arriving, for live views. */
#ifndef VIEW_VIEW_LIVE_TEXT_H
#define VIEW_VIEW_LIVE_TEXT_H

#include "base/buf.h"

struct view_live_text {
    int64_t id;
    struct str endpoint, content_type;
    struct str answer; /* what the client got, or its end */
    bool whole;        /* nothing is missing at its start */
    bool in_flight;
    struct str user; /* what was asked last; STR_NONE */
    const int64_t *gaps_us;
    size_t gap_count;
};

/** Append {"id","offset","user","truncated","gaps_ms","items"}. Not for event loops. */
void view_live_text(const struct view_live_text *t, struct buf *out);

/** Append the start of what a user said last in a request body, at most 500 characters. False when
 *  there is none. */
bool view_live_user(struct str endpoint, struct str request_body, struct buf *out);

#endif
