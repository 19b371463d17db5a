/* llm/conversation.h - a request and its answer as one conversation, whatever the API.
 *
 * Chat Completions, Completions, Responses and Messages, answered in one piece or as a stream, in
 * one form: messages made of parts. What is not understood is kept as it came. */
#ifndef LLM_CONVERSATION_H
#define LLM_CONVERSATION_H

#include <cjson/cJSON.h>

#include "base/buf.h"

struct conversation_input {
    struct str endpoint;                    /* the path; it tells the API */
    struct str request_body, response_body; /* STR_NONE when there is none */
    struct str response_content_type;
    bool request_cut, response_cut; /* only the start of the body is here */
};

/** {"format","model","params","tools","messages","choices","stream","error","omitted","notice"};
 *  returns owned, NULL without memory. Linear; not for the event loop. */
cJSON *conversation_build(const struct conversation_input *in);

/** Append what the events of an answer say, its pieces put together and its parts separated by
 * blank lines: texts, reasoning, calls, the error. lines: a JSON value a line instead of
 * server-sent events. The API shows by the events. -1 without memory. Linear; not for the event
 * loop. */
int conversation_events_text(struct str body, bool lines, struct buf *out, struct err *err);

/** How many messages a request has, when another one begins with all of them and goes on; else 0.
 *  Both as they were sent. */
size_t conversation_shared(struct str earlier, struct str later);

#endif
