/* llm/bpe.h - byte-pair encoding: text to tokens, as tiktoken makes them.
 *
 * The time grows with n log n in the length of a piece, whatever is in it. Off the loop. */
#ifndef LLM_BPE_H
#define LLM_BPE_H

#include "base/buf.h"
#include "base/err.h"

struct encoding;

/** cl100k_base or o200k_base; NULL when the build has no tables for it. Made at its first use and
 *  kept; any thread. */
const struct encoding *encoding_cl100k(void);
const struct encoding *encoding_o200k(void);

/** How many tokens text is, which has to be UTF-8; special tokens count as the text that they are.
 *  ids: NULL, or their numbers are appended as uint32_t. ERR_NO_MEMORY. */
int encoding_count(const struct encoding *encoding, struct str text, int64_t *count,
                   struct buf *ids, struct err *err);

#endif
