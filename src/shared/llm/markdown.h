/* llm/markdown.h - Markdown as HTML that is safe to show, whoever wrote it.
 *
 * CommonMark with tables and strikethrough. Raw HTML is text. Links lead to http, https and mailto
 * only; others are their text. Images are not loaded: they are links, too. */
#ifndef LLM_MARKDOWN_H
#define LLM_MARKDOWN_H

#include "base/buf.h"

/** Longer texts are not made into HTML. */
#define MARKDOWN_MAX_BYTES ((size_t)128 << 10)

/** Append text, which must be UTF-8, as HTML. ERR_TOO_LARGE, ERR_NO_MEMORY; out is as it was then.
 *  Not for the event loop. */
int markdown_html(struct buf *out, struct str text, struct err *err);

#endif
