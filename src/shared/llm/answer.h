/* llm/answer.h - what an answer says about itself: who answered, how it ended, what it used. */
#ifndef LLM_ANSWER_H
#define LLM_ANSWER_H

#include "base/arena.h"
#include "llm/usage.h"

/** Texts are in the arena; STR_NONE and UNKNOWN when the answer does not say. Of a stream the first
 *  model and id, and the last of the others. */
struct answer {
    struct usage usage;
    /* Parts of what usage counts, which some providers price differently. */
    int64_t cache_write_5m_tokens, cache_write_1h_tokens, web_search_requests;
    int64_t reported_cost_pusd; /* what the provider says it cost */
    int64_t upstream_cost_pusd; /* what a router says it paid itself */
    int64_t tool_call_count;    /* distinct calls */
    bool has_tools;             /* tools are declared, called or answered */
    struct str model, id, finish_reason, service_tier;
};

/** Read an answer: an event stream (when is_sse, or when it is nothing else), JSON, or a JSON value
 *  a line. What cannot be read says nothing. Linear; not for the event loop. */
void answer_read(struct str body, bool is_sse, struct arena *arena, struct answer *out);
/** The service tier a request asks for; STR_NONE when it asks for none. */
struct str answer_asked_tier(struct str request_body, struct arena *arena);

#endif
