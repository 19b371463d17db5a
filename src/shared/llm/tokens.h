/* llm/tokens.h - how many input tokens a request has, before any answer tells.
 *
 * Counted by real byte-pair encoding over what the model reads of the body. Templates of chats are
 * not known here, so the number is an estimate all the same. Off the loop. */
#ifndef LLM_TOKENS_H
#define LLM_TOKENS_H

#include "base/buf.h"

/** A longer text is counted by approx-v1. */
#define TOKENS_EXACT_BYTES ((size_t)1 << 20)
/** What an image adds, and one that is asked for in low detail. */
#define TOKENS_OF_IMAGE 765
#define TOKENS_OF_LOW_IMAGE 85

struct token_estimate {
    int64_t tokens;        /* UNKNOWN: the body holds nothing that counts */
    const char *tokenizer; /* cl100k_base, o200k_base or approx-v1; static */
};

/** Estimate a request to endpoint for model (STR_NONE: not known). quick: by approx-v1, when there
 *  is no time. */
struct token_estimate tokens_estimate(struct str body, struct str endpoint, struct str model,
                                      bool quick);

/** The text that counts, as one JSON object: keys sorted, no blanks, image data replaced. False
 *  when there is none, or no memory. *image_tokens: what the images in it add. */
bool tokens_prompt(struct str body, struct str endpoint, struct buf *text, int64_t *image_tokens);

/** approx-v1: by kinds of characters alone; linear, within a quarter of o200k_base for English,
 *  source code and JSON. text is UTF-8. */
int64_t tokens_approximate(struct str text);

#endif
