/* llm/signals.h - does a request or an answer have to do with tools? */
#ifndef LLM_SIGNALS_H
#define LLM_SIGNALS_H

#include "json/json_index.h"

/** True when any object, at any depth, declares a tool, calls one or holds its result. Text that
 *  only mentions tools is no signal. */
bool signals_tools(const struct json_index *json);
/** What a JSON text may have to do with, by its strings: when a flag is not set there are surely no
 *  tools, or no images. Much cheaper than a thorough look; keys written with escapes are not seen.
 *  The text must have been validated. */
struct signals_hints {
    bool tools, images;
};
struct signals_hints signals_look(struct str json);
/** True for the type of an item of the Responses API that is a call of a tool. */
bool signals_is_call_item(struct str type);

#endif
