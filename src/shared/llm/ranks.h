/* llm/ranks.h - the tokens of a byte-pair encoding: which bytes are one, and how early it is made.
 *
 * The tables are made at build time (cmake/ranks.mjs) and lie in the binary: read where they are,
 * little-endian, nothing is loaded. */
#ifndef LLM_RANKS_H
#define LLM_RANKS_H

#include "base/str.h"

#define RANKS_BLOCK 16
#define RANKS_BITS 18
#define RANK_NONE UINT32_MAX
#define RANK_BYTES_MAX 255

struct ranks {
    uint32_t count;
    uint32_t slot_mask;
    const unsigned char *slots;   /* hash table of uint32_t: rank, and the hash's bits above it */
    const unsigned char *blocks;  /* uint32_t: where the bytes of every 16th token begin */
    const unsigned char *lengths; /* of each token */
    const unsigned char *bytes;   /* of all tokens, in the order of their ranks */
};

/** NULL in a build without npm packages (-DWEB=OFF). */
extern const struct ranks *const ranks_cl100k, *const ranks_o200k;

/** The rank of a token, which is its number too; RANK_NONE when the bytes are none. */
uint32_t ranks_find(const struct ranks *ranks, struct str bytes);

#endif
