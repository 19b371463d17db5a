/* llm/signals.h - does a request or an answer have to do with tools? */
#ifndef LLM_SIGNALS_H
#define LLM_SIGNALS_H

#include "json/json_index.h"

/** True when any object, at any depth, declares a tool, calls one or holds its result. Text that
 *  only mentions tools is no signal. */
bool signals_tools(const struct json_index *json);
/** False when signals_tools() is sure to be false for a text: much cheaper. Keys written with
 *  escapes are not seen. */
bool signals_may_have_tools(struct str text);
/** True for the type of an item of the Responses API that is a call of a tool. */
bool signals_is_call_item(struct str type);

#endif
