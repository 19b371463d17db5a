/* llm/render.h - a stored body for people: JSON, text, tool calls, events. */
#ifndef LLM_RENDER_H
#define LLM_RENDER_H

#include <cjson/cJSON.h>

#include "base/buf.h"

enum render_mode {
    RENDER_AUTO,
    RENDER_JSON,
    RENDER_TEXT,
    RENDER_MARKDOWN,
    RENDER_TOOL,
    RENDER_SSE
};

/** RENDER_AUTO for anything unknown. */
enum render_mode render_mode_parse(struct str name);
const char *render_mode_name(enum render_mode mode);

/** {"mode","title","text","html","tool_blocks"}; returns owned. html is null but for Markdown that
 *  is not too long (llm/markdown.h). tool_blocks is a list of {"kind","payload"}; payloads are raw
 * JSON texts (cJSON_IsRaw), as they stand in the body. */
cJSON *render_body(struct str body, struct str content_type, enum render_mode mode);
/** Append the text of mode "text": extracted text, or the body repaired to valid UTF-8. Without
 *  memory it ends early. */
void render_text(struct str body, struct str content_type, struct buf *out);

#endif
