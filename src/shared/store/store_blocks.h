/* store/store_blocks.h - spans of the list of requests, with a bitmap for each value in them.
 *
 * A list of a million rows is cut into blocks of some thousand. Which of its rows match is then a
 * handful of ANDs for each block, whatever filters are combined, and a page in the middle is found
 * without walking to it. Blocks are made by store_blocks_build() of rows that have come to rest;
 * triggers drop a block when one of its rows changes. What no block covers is a span as well, which
 * only the table knows. */
#ifndef STORE_STORE_BLOCKS_H
#define STORE_STORE_BLOCKS_H

#include "store/store_priv.h"

/** Part of a list, without gaps between neighbours: created from from_us to to_us, both included.
 */
struct span {
    int64_t from_us, to_us;
    int64_t block; /* 0: no block */
    int64_t rows;  /* of the block */
};
struct spans {
    struct span *items; /* oldest first; free() */
    size_t count;
};

/** The places of a block, a bit each. */
struct members {
    uint64_t bits[BLOCK_ROWS / 64];
};

/** Whether blocks know the values that a filter asks for. */
bool blocks_know(const struct record_filter *f);
/** Cover lowest_us to highest_us; the blocks among the spans lie in between as a whole, and do not
 *  touch a bound that a filter by id shares with other rows. */
int blocks_spans(struct store *store, const struct record_filter *f, int64_t lowest_us,
                 int64_t highest_us, struct spans *out, struct err *err);
/** The places in a block that a filter lets through. Of the filter's endpoint either the one that
 * it means counts, or a part of it in lower case, or nothing. Returns how many, or -1. */
int64_t blocks_match(struct store *store, const struct span *span, const struct record_filter *f,
                     struct str endpoint, struct str part, struct members *out, struct err *err);
/** The ids at the places of a block: BLOCK_ROWS of them at most. */
int blocks_ids(struct store *store, const struct span *span, int64_t *ids, struct err *err);

#endif
