/* json/json_index.h - a JSON text as a flat list of its values, in document order.
 *
 * Where json_iter() would walk nested values again on every level, the index walks each byte once:
 * for rendering and searching whole bodies. Off the event loop. */
#ifndef JSON_JSON_INDEX_H
#define JSON_JSON_INDEX_H

#include "json/json_scan.h"

/** Offsets into the text. The children of node i, if any, begin at i + 1; the one after c is
 *  nodes[c].next; they end at nodes[i].next. */
struct json_node {
    uint32_t start, end;   /* range of the value */
    uint32_t key, key_len; /* raw key of a member, without quotes; key 0: no member */
    uint32_t next;         /* the first node behind this value */
    uint32_t tag;          /* for who uses the index; 0 at first */
};

/** {0} is empty. */
struct json_index {
    struct str text; /* borrowed */
    struct json_node *nodes;
    size_t count, cap;
};

/** Check and index text. ERR_INVALID when it is not JSON, ERR_TOO_LARGE above 4 GiB,
 *  ERR_NO_MEMORY. Release with json_index_clear(). */
int json_index(struct json_index *out, struct str text, struct err *err);
void json_index_clear(struct json_index *index);
/** The same of another text, into the memory of an index that is not needed any more, or of {0}.
 *  It holds nothing after a failure; release it in any case. */
int json_index_again(struct json_index *index, struct str text, struct err *err);

static inline struct str json_index_value(const struct json_index *index, size_t node)
{
    const struct json_node *n = &index->nodes[node];

    return (struct str){index->text.ptr + n->start, n->end - n->start};
}
/** STR_NONE for elements of arrays and the outermost value. */
static inline struct str json_index_key(const struct json_index *index, size_t node)
{
    const struct json_node *n = &index->nodes[node];

    return n->key ? (struct str){index->text.ptr + n->key, n->key_len} : STR_NONE;
}
/** The last member of that name of an object node; 0 when there is none. */
size_t json_index_member(const struct json_index *index, size_t node, struct str name);

/** Append node as text for people: indent 2, keys sorted (the last of equal ones), numbers as they
 *  are written, characters unescaped where JSON allows it. level: how deep the first line already
 *  is. Fails when out is full or memory is gone; out may then hold a part. */
int json_pretty(struct buf *out, const struct json_index *index, size_t node, size_t level,
                struct err *err);
/** What is printed instead of a value that is no object and no array. */
struct json_replace {
    /** JSON text, borrowed until the next call; STR_NONE: the value as it is. parent is the node
     *  that holds it. */
    struct str (*text)(void *ctx, const struct json_index *index, size_t parent, size_t node);
    void *ctx;
};
/** The same on one line, without blanks; replace may be NULL. */
int json_compact(struct buf *out, const struct json_index *index, size_t node,
                 const struct json_replace *replace, struct err *err);

#endif
