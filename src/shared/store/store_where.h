/* store/store_where.h - the filter language as SQL.
 *
 * A tree becomes a test that is put together of the parts of schema/sqlite/where.sql, with every
 * value bound. What an index or a counter knows better is taken out of the tree and put into the
 * record_filter, which has plans for it. */
#ifndef STORE_STORE_WHERE_H
#define STORE_STORE_WHERE_H

#include "store/store_priv.h"

/** Parameters that are not those of tests: of filters, of lists, words and hits. */
#define WHERE_ARGS 23

/** What a filter tells about the indexes that lead to its rows. */
enum where_index { WHERE_BY_ANY, WHERE_BY_ID, WHERE_BY_PENDING, WHERE_BY_REWRITTEN };

struct where {
    struct buf test; /* empty: nothing is left to test */
    struct db_value *args;
    size_t count, cap; /* WHERE_ARGS free places come first */
    struct arena arena;
    bool empty; /* nothing can match */
    enum where_index index;
    char model[FACET_MAX_BYTES + 1]; /* what the record_filter borrows */
};

/** Turn f->where into filters of f and a test. Release with where_clear(), also after an error. */
int where_make(struct store *store, struct record_filter *f, struct where *out, struct err *err);
void where_clear(struct where *w);

#endif
