/* llm/facts.h - facts taken from a complete answer: the error it reports. */
#ifndef LLM_FACTS_H
#define LLM_FACTS_H

#include "base/arena.h"

/** Texts are in the arena; STR_NONE when absent. */
struct upstream_error {
    struct str type, code, message;
};

/** Read the error out of one JSON text (a body or an event). False when it holds none. */
bool facts_error_in_json(struct str json, struct arena *arena, struct upstream_error *out);
/** The error of a complete, non-streamed answer: as above, and for status >= 400 also a "detail"
 *  or "message" member or the first 200 characters of a text body. */
bool facts_error_in_body(struct str body, struct str content_type, int64_t status,
                         struct arena *arena, struct upstream_error *out);

#endif
